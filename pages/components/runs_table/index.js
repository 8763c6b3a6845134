// @ts-check
import { box } from "../lib/dom.js";
import { inOrder, living } from "../lib/lifetime.js";
import { unpacked } from "../lib/payload.js";
import { loadPlotly } from "../lib/plotly.js";
import { Table } from "./table.js";

/** @import { Mount } from "../lib/types.d.ts" */
/** @import { TableData } from "./types.d.ts" */

/** @param {Mount<Uint8Array>} mount */
function show({ data, parentElement, setTriggerValue }) {
  const root = box(parentElement, ".fop-runs");
  /** @type {TableData} */
  const shown = unpacked(data);
  living(root, () => new Table(root, shown, setTriggerValue)).show(shown, setTriggerValue);
  if (shown.plotly) loadPlotly(shown.plotly).catch(() => {}); // before the first point needs it
}

export default inOrder(show);
