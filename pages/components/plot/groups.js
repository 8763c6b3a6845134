// @ts-check
// Which traces and labels of a figure belong to which run.

/** @import { Figure, Tree } from "../lib/types.d.ts" */

/**
 * The runs of a figure's traces and of its labels, in their order; "" for what belongs to none.
 *
 * @param {Figure} figure
 * @returns {{ traces: string[], labels: string[] }}
 */
export const groupsOf = ({ data, layout }) => ({
  traces: data.map(({ legendgroup }) => String(legendgroup ?? "")),
  labels: labelsOf(layout).map(({ name }) => String(name ?? "")),
});

/**
 * Leaves out of a figure what belongs to hidden runs; its axes stay.
 *
 * @param {Figure} figure
 * @param {ReadonlySet<string>} hidden
 */
export function leaveOut(figure, hidden) {
  const { traces, labels } = groupsOf(figure);
  figure.data.forEach((trace, i) => {
    if (hidden.has(traces[i])) trace.visible = false;
  });
  labelsOf(figure.layout).forEach((label, i) => {
    if (hidden.has(labels[i])) label.visible = false;
  });
}

/**
 * @param {Tree} layout
 * @returns {Tree[]}
 */
const labelsOf = ({ annotations }) => (Array.isArray(annotations) ? annotations : []);
