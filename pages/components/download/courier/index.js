// @ts-check
import { box } from "../../lib/dom.js";
import { atUnmount, inOrder, living } from "../../lib/lifetime.js";
import { unpacked } from "../../lib/payload.js";
import { save } from "../../lib/save.js";
import { orders } from "../orders.js";
import { Courier } from "./courier.js";

/** @import { Mount } from "../../lib/types.d.ts" */
/** @import { CourierData } from "../types.d.ts" */

/**
 * Brings the files that the page's buttons have ordered.
 *
 * @param {Mount<Uint8Array>} mount
 */
function show({ data, parentElement, setStateValue }) {
  const root = box(parentElement, ".fop-courier");
  orders.arrive();
  const courier = living(root, () => new Courier(orders, save));
  /** @type {CourierData} */
  const shown = unpacked(data);
  courier.show(shown, setStateValue);
  return atUnmount(root, () => courier.end());
}

export default inOrder(show);
