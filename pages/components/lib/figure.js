// @ts-check
/** @import { Figure, Theme, Tree } from "./types.d.ts" */

/**
 * @param {unknown} value
 * @returns {value is Tree}
 */
const isTree = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * Lays the values of `over` on `under`, branch by branch.
 *
 * @param {Tree} under
 * @param {Tree} over
 */
export function merge(under, over) {
  for (const [key, value] of Object.entries(over)) {
    if (!isTree(value)) {
      under[key] = value;
      continue;
    }
    const branch = under[key] ?? {};
    if (!isTree(branch)) throw new Error(`${key} has no branches that ${JSON.stringify(value)} could be laid on`);
    under[key] = branch;
    merge(branch, value);
  }
}

/**
 * A plotly figure in a theme.
 *
 * @param {string} json
 * @param {Theme} theme
 * @param {string} font
 */
export function themed(json, { template, roles }, font) {
  /** @type {Figure} */
  const figure = JSON.parse(json);
  figure.layout.template = template;
  merge(figure.layout, { font: { family: font }, hoverlabel: { font: { family: font } } });
  for (const trace of figure.data) merge(trace, roles[String(trace.meta)] ?? {});
  return figure;
}
