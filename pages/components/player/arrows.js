// @ts-check
/** @import { Context } from "../lib/canvas.js" */
/** @import { Run, View } from "./types.d.ts" */

/** @typedef {{ index: number, x: number, y: number }} Head */

/**
 * The direction in the picture of an angle in the plane of x and y, at a point of it; null where it has none.
 *
 * @param {View} view
 * @param {{ x: number, y: number }} point
 * @param {number} angle
 * @returns {[number, number] | null}
 */
export function directionOf(view, { x, y }, angle) {
  const far = 1e-3 * view.span;
  const [x1, y1] = [x + far * Math.cos(angle), y + far * Math.sin(angle)];
  const [dx, dy] = [view.x(x1, y1) - view.x(x, y), view.y(x1, y1) - view.y(x, y)];
  const size = Math.hypot(dx, dy);
  return size > 0 ? [dx / size, dy / size] : null;
}

/**
 * An arrow of a fixed length from a head.
 *
 * @param {Context} context
 * @param {View} view
 * @param {Head} head
 * @param {number} angle in the plane of x and y
 * @param {number} length px
 * @param {number[]} dash
 */
function arrow(context, view, head, angle, length, dash) {
  const direction = directionOf(view, head, angle);
  if (!direction) return;
  const [ux, uy] = direction;
  const [x0, y0] = [view.x(head.x, head.y), view.y(head.x, head.y)];
  const [x1, y1] = [x0 + length * ux, y0 + length * uy];
  context.setLineDash(dash);
  context.beginPath();
  context.moveTo(x0 + 8 * ux, y0 + 8 * uy);
  context.lineTo(x1, y1);
  context.stroke();
  context.setLineDash([]);
  context.beginPath();
  context.moveTo(x1 + 6 * ux, y1 + 6 * uy);
  context.lineTo(x1 - 3.5 * uy, y1 + 3.5 * ux);
  context.lineTo(x1 + 3.5 * uy, y1 - 3.5 * ux);
  context.fill();
}

/**
 * Three arrows at a head: against g, against P g where a P is learned, and the way it goes, which is the velocity's.
 *
 * @param {Context} context
 * @param {Run} run
 * @param {View} view
 * @param {Head} head
 * @param {string} ink
 */
export function arrows(context, run, view, head, ink) {
  const { index } = head;
  if (!run.arrows || index + 1 >= run.count) return;
  const { gradient, preconditioned } = run.arrows;
  context.lineWidth = 1.6;
  context.strokeStyle = ink;
  context.fillStyle = ink;
  arrow(context, view, head, gradient[index] + Math.PI, 34, [2, 3]);
  context.strokeStyle = run.color;
  context.fillStyle = run.color;
  if (preconditioned) arrow(context, view, head, preconditioned[index] + Math.PI, 46, [5, 3]);
  const [dx, dy] = [run.x[index + 1] - run.x[index], run.y[index + 1] - run.y[index]];
  if (dx || dy) arrow(context, view, head, Math.atan2(dy, dx), 58, []);
}
