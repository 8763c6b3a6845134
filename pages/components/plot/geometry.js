// @ts-check
/** @import { Axis } from "../lib/plotly.js" */
/** @import { Heights, PlotData } from "./types.d.ts" */

/**
 * The px that the whole of a figure is high, for the space inside its margins to have its aspect.
 *
 * @param {Pick<PlotData, "aspect" | "margin" | "heights">} data
 * @param {number} width px of the whole
 * @param {number} [above] px above the space, where these are not the margin's
 */
export function height({ aspect, margin: { l = 0, r = 0, t = 0, b = 0 }, heights: [least, most] }, width, above = t) {
  return Math.min(most, Math.max(least, Math.round((width - l - r) / aspect + above + b)));
}

/**
 * The path of a line, in px; a gap where a height is missing, or is not on the axis.
 *
 * @param {(string | number)[]} x
 * @param {Heights} heights
 * @param {{ x: Pick<Axis, "px">, y: Pick<Axis, "px"> }} axes
 */
export function pathOf(x, heights, axes) {
  let [path, command] = ["", "M"];
  heights.forEach((y, i) => {
    const [across, up] = [axes.x.px(x[i]), y === null ? Number.NaN : axes.y.px(y)];
    if (Number.isFinite(up)) path += `${command}${across.toFixed(1)},${up.toFixed(1)}`;
    command = Number.isFinite(up) ? "L" : "M";
  });
  return path;
}

/**
 * How far along an axis of steps a step is: 0 at its beginning, 1 at its end.
 *
 * @param {Pick<Axis, "type" | "range">} axis
 * @param {number} step
 */
export function shareAt({ type, range: [begin, end] }, step) {
  const at = type === "log" ? Math.log10(Math.max(step, 1)) : step;
  return (at - begin) / (end - begin);
}
