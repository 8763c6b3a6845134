// @ts-check
// The update of the run whose steps the player shows, with the numbers that it has at the player's step.

import { clock } from "../lib/clock.js";
import { box, make, part, write } from "../lib/dom.js";
import { compared } from "../lib/ellipses.js";
import { following, inOrder } from "../lib/lifetime.js";
import { texts } from "./texts.js";

/** @import { Mount } from "../lib/types.d.ts" */
/** @import { UpdateData } from "./types.d.ts" */

/** @param {Mount<UpdateData>} mount */
function show({ data: { runs }, parentElement }) {
  const root = box(parentElement, ".fop-update");
  const choice = part(root, ".fop-update-run", HTMLSelectElement);
  const formula = box(root, ".fop-formula");
  const added = box(root, ".fop-added");
  const numbers = [...root.querySelectorAll(".fop-number")].filter((each) => each instanceof HTMLElement);
  const notes = [...root.querySelectorAll(".fop-note")];
  choice.replaceChildren(
    ...runs.map(({ name }) => {
      const option = make("option", "", name);
      option.value = name;
      return option;
    }),
  );
  root.hidden = !runs.length; // where no run begins, as f is not known there
  let shown = "";
  choice.onchange = () => {
    clock.run = choice.value;
    shown = ""; // so that the choice is again what is shown, where the chosen run is hidden
  };
  const follow = () => {
    const { parts } = clock;
    const run = parts && runs.find(({ name }) => name === parts.run);
    if (!parts || !run) return;
    const wanted = `${parts.race} ${parts.run} ${parts.index}`;
    if (wanted === shown) return;
    shown = wanted;
    choice.value = run.name;
    root.style.setProperty("--fop-color", run.color);
    write(formula, run.formula);
    root.classList.toggle("fop-learns", parts.P !== null);
    const written = texts(parts);
    for (const number of numbers) {
      const { term = "", entry = "0" } = number.dataset;
      write(number, written[term]?.[Number(entry)] ?? "");
    }
    write(added, parts.tried ? "undone" : "Δθ");
    const lines = (parts.P && compared(parts.P, parts.H)?.lines) ?? [];
    notes.forEach((note, i) => {
      write(note, lines[i] ?? "");
    });
  };
  return following(root, () => clock.follow(follow));
}

export default inOrder(show);
