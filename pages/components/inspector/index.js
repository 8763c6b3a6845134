// @ts-check
import { box } from "../lib/dom.js";
import { atUnmount, inOrder, living } from "../lib/lifetime.js";
import { unpacked } from "../lib/payload.js";
import { Inspector } from "./inspector.js";

/** @import { Mount } from "../lib/types.d.ts" */
/** @import { InspectorData } from "./types.d.ts" */

/** @param {Mount<Uint8Array>} mount */
function show({ data, parentElement, setStateValue }) {
  const root = box(parentElement, ".fop-inspector");
  /** @type {InspectorData} */
  const shown = unpacked(data);
  const inspector = living(root, () => new Inspector(root, shown, setStateValue));
  inspector.show(shown, setStateValue);
  return atUnmount(root, () => inspector.leave());
}

export default inOrder(show);
