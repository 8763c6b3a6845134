// @ts-check
import { box } from "../lib/dom.js";
import { atUnmount, inOrder, living } from "../lib/lifetime.js";
import { unpacked } from "../lib/payload.js";
import { Basins } from "./basins.js";

/** @import { Mount } from "../lib/types.d.ts" */
/** @import { BasinsData } from "./types.d.ts" */

/** @param {Mount<Uint8Array>} mount */
function show({ data, parentElement, setTriggerValue }) {
  const root = box(parentElement, ".fop-basins");
  /** @type {BasinsData} */
  const shown = unpacked(data);
  const basins = living(root, () => new Basins(root, shown, setTriggerValue));
  basins.show(shown, setTriggerValue);
  return atUnmount(root, () => basins.leave());
}

export default inOrder(show);
