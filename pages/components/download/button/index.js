// @ts-check
import { box } from "../../lib/dom.js";
import { following, inOrder } from "../../lib/lifetime.js";
import { page } from "../../lib/page.js";
import { themeOf } from "../../lib/theme.js";
import { orders } from "../orders.js";

/** @import { Mount } from "../../lib/types.d.ts" */
/** @import { ButtonData } from "../types.d.ts" */

/**
 * A button that orders a file and says what came of it.
 *
 * @param {Mount<ButtonData>} mount
 */
function show({ data, parentElement }) {
  const [button, note] = ["button", "p"].map((name) => box(parentElement, `.fop-download ${name}`));
  button.textContent = data.label;
  button.classList.toggle("fop-primary", data.primary);
  const photograph = async () => {
    const saved = await page.player?.photograph().catch((/** @type {Error} */ error) => error);
    if (typeof saved === "string") orders.note(data.key, `Saved ${saved}`);
    else orders.note(data.key, `Not saved: ${saved?.message ?? "the player is not shown"}`, true);
  };
  button.onclick = data.camera ? photograph : () => orders.add(data.key, data.of, themeOf(button));
  const update = () => {
    const waits = orders.waiting.some(({ key }) => key === data.key);
    const { text = "", failed = false } = orders.notes[data.key] ?? {};
    button.setAttribute("aria-busy", String(waits));
    note.textContent = waits ? "Making the file …" : text;
    note.classList.toggle("fop-failed", failed && !waits);
  };
  return following(button, () => orders.follow(update));
}

export default inOrder(show);
