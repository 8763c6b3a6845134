// @ts-check
import { box } from "../lib/dom.js";
import { atUnmount, inOrder, living } from "../lib/lifetime.js";
import { Tour } from "./tour.js";

/** @import { Mount } from "../lib/types.d.ts" */
/** @import { TourData } from "./types.d.ts" */

/** @param {Mount<TourData>} mount */
function show({ data, parentElement }) {
  const root = box(parentElement, ".fop-tour");
  const tour = living(root, () => new Tour(root));
  tour.show(data);
  return atUnmount(root, () => tour.leave());
}

export default inOrder(show);
