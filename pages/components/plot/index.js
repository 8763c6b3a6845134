// @ts-check
import { box } from "../lib/dom.js";
import { atUnmount, inOrder, living } from "../lib/lifetime.js";
import { Chart } from "./chart.js";

/** @import { Mount } from "../lib/types.d.ts" */
/** @import { PlotData } from "./types.d.ts" */

/**
 * Draws a figure. Called when it appears, and again with new data or another theme.
 *
 * @param {Mount<PlotData>} mount
 */
function show({ data, parentElement, setTriggerValue }) {
  const root = box(parentElement, ".fop-plot");
  const chart = living(box(root, ".fop-plot-node"), () => new Chart(root, data));
  chart.show(data, setTriggerValue);
  return atUnmount(chart.node, () => chart.leave());
}

export default inOrder(show);
