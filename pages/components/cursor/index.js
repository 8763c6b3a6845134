// @ts-check
import { box } from "../lib/dom.js";
import { atUnmount, inOrder, living } from "../lib/lifetime.js";
import { Cursor } from "./cursor.js";

/** @import { Mount } from "../lib/types.d.ts" */
/** @import { CursorData } from "./types.d.ts" */

/** @param {Mount<CursorData>} mount */
function show({ data, parentElement, setStateValue }) {
  const root = box(parentElement, ".fop-cursor");
  const cursor = living(root, () => new Cursor(root, data, setStateValue));
  cursor.show(data, setStateValue);
  return atUnmount(root, () => cursor.leave());
}

export default inOrder(show);
