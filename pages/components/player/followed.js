// @ts-check
// What rides on the head of the run whose steps are shown: P's ellipse before that of the inverse Hessian, and arrows.

import { compared, ellipse } from "../lib/ellipses.js";
import { keptApart } from "./apart.js";
import { commonFactor, factorOf, factorText, LEAST } from "./lengths.js";
import { pulls } from "./terms.js";

/** @import { Context } from "../lib/canvas.js" */
/** @import { Jacobian } from "../lib/ellipses.js" */
/** @import { Colors, Pair, Parts } from "../lib/types.d.ts" */
/** @import { Part } from "./phases.js" */
/** @import { View } from "./types.d.ts" */

/** @typedef {{ color: string, x: number, y: number, px: number, py: number }} At a head, in the plane and in px */
/** @typedef {{ colors: Colors, font: string }} Style */

const SHARE = 0.12; // of the picture, the longer half axis of both ellipses
const DASH = [4, 3];
const HIGH = 14; // px of a text

/** @typedef {{ text: string, x: number, y: number, align: "left" | "right" | "center", color: string }} Named */

/**
 * px of the picture for x and for y of the plane, at a point.
 *
 * @param {View} view
 * @param {number} x
 * @param {number} y
 * @returns {Jacobian}
 */
export function jacobianOf(view, x, y) {
  const far = 1e-3 * view.span;
  return [
    (view.x(x + far, y) - view.x(x - far, y)) / (2 * far),
    (view.x(x, y + far) - view.x(x, y - far)) / (2 * far),
    (view.y(x + far, y) - view.y(x - far, y)) / (2 * far),
    (view.y(x, y + far) - view.y(x, y - far)) / (2 * far),
  ];
}

/**
 * px of the longer half axes of both ellipses.
 *
 * @param {View} view
 */
export const radiusOf = ({ width, height }) => SHARE * Math.min(width, height);

/**
 * @param {Jacobian} jacobian
 * @param {Pair} vector of the plane
 * @returns {Pair} px
 */
const pixels = ([xx, xy, yx, yy], [x, y]) => [xx * x + xy * y, yx * x + yy * y];

/**
 * Draws the shapes of P and of the inverse Hessian around a head, to one size: where they are the same, the thin line of
 * the latter lies on the wide one of P.
 *
 * @param {Context} context
 * @param {At} at
 * @param {Jacobian} jacobian
 * @param {Parts} parts
 * @param {Colors} colors
 * @param {number} radius px of the longer half axes
 */
export function drawShapes(context, { color, px, py }, jacobian, { P, H }, { ink }, radius) {
  const shown = compared(P, H);
  if (!shown) return;
  const alpha = context.globalAlpha; // of a run that is faded itself
  const { learned, newton, indefinite, negative } = shown;
  for (const [shape, paint, width, opacity, dashed] of /** @type {const} */ ([
    [learned, color, 4, 0.14, indefinite],
    [newton, ink, 1.5, 0.08, negative],
  ])) {
    if (!shape) continue;
    const { rx, ry, turn } = ellipse(shape, jacobian);
    context.save();
    context.beginPath();
    context.ellipse(px, py, radius * rx, radius * ry, turn, 0, 2 * Math.PI);
    context.fillStyle = paint;
    context.globalAlpha = alpha * opacity;
    context.fill();
    context.globalAlpha = alpha;
    context.setLineDash(dashed ? DASH : []);
    context.strokeStyle = paint;
    context.lineWidth = width;
    context.stroke();
    context.restore();
  }
}

/**
 * An arrow, unless it has no length; returns what it is and where that is written.
 *
 * @param {Context} context
 * @param {Pair} from px
 * @param {Pair} vector px
 * @param {string} color
 * @param {number[]} dash
 * @param {string} label "" for none
 * @param {Style} style
 * @returns {Named[]}
 */
function arrow(context, [x0, y0], [dx, dy], color, dash, label, { colors }) {
  const length = Math.hypot(dx, dy);
  if (!(length > 0) || !Number.isFinite(length)) return [];
  const [ux, uy] = [dx / length, dy / length];
  const [x1, y1] = [x0 + dx, y0 + dy];
  const neck = Math.max(0, length - 7); // where the line ends and its tip begins
  const tip = new Path2D();
  tip.moveTo(x1, y1);
  tip.lineTo(x0 + neck * ux - 4 * uy, y0 + neck * uy + 4 * ux);
  tip.lineTo(x0 + neck * ux + 4 * uy, y0 + neck * uy - 4 * ux);
  tip.closePath();
  const line = new Path2D();
  line.moveTo(x0, y0);
  line.lineTo(x0 + neck * ux, y0 + neck * uy);
  context.save();
  context.lineJoin = "round";
  context.strokeStyle = colors.paper;
  context.lineWidth = 4;
  context.stroke(line);
  context.lineWidth = 2;
  context.stroke(tip);
  Object.assign(context, { strokeStyle: color, fillStyle: color });
  context.setLineDash(dash);
  context.stroke(line);
  context.fill(tip);
  context.restore();
  const align = ux < -0.3 ? "right" : ux > 0.3 ? "left" : "center";
  const off = Math.max(length, LEAST); // of the head, whose symbol a shorter arrow is under
  return label ? [{ text: label, x: x0 + (off + 6) * ux, y: y0 + (off + 12) * uy, align, color }] : [];
}

/**
 * Writes what arrows are, none on another.
 *
 * @param {Context} context
 * @param {Named[]} names
 * @param {Style} style
 */
function write(context, names, { colors, font }) {
  context.save();
  context.font = `600 12px ${font}`;
  context.textBaseline = "middle";
  context.strokeStyle = colors.paper;
  context.lineWidth = 3;
  const lines = names.map(({ text, x, y, align }) => {
    const { width } = context.measureText(text);
    return { left: x - { left: 0, center: width / 2, right: width }[align], y, width };
  });
  keptApart(lines, HIGH).forEach((y, i) => {
    const { text, x, align, color } = names[i];
    context.textAlign = align;
    context.fillStyle = color;
    context.strokeText(text, x, y);
    context.fillText(text, x, y);
  });
  context.restore();
}

/**
 * Whether two vectors are the same but for rounding.
 *
 * @param {Pair} one
 * @param {Pair} other
 */
const isNear = ([x, y], [u, v]) => Math.hypot(x - u, y - v) <= 1e-4 * Math.hypot(x, y);

/**
 * Draws where g pulls a head, and P g; where no P is learned, where it goes in place of that. Both to one scale.
 *
 * @param {Context} context
 * @param {At} at
 * @param {Jacobian} jacobian
 * @param {Parts} parts
 * @param {Style} style
 */
export function drawPulls(context, { color, px, py }, jacobian, parts, style) {
  const { descent, preconditioned } = pulls(parts);
  const { move } = parts;
  if (!move) return;
  /** @type {[Pair, string, number[], string][]} */
  const drawn = [[descent, style.colors.ink, [2, 3], "−ε g"]];
  if (preconditioned) drawn.push([preconditioned, color, [], "−ε P g"]);
  else if (!isNear(move, descent)) drawn.push([move, color, [], "step"]);
  const factor = commonFactor(drawn.map(([vector]) => pixels(jacobian, vector)));
  const names = drawn.flatMap(([vector, paint, dash, label]) => {
    const [dx, dy] = pixels(jacobian, vector);
    return arrow(context, [px, py], [factor * dx, factor * dy], paint, dash, label + factorText(factor), style);
  });
  write(context, names, style);
}

/**
 * Draws the parts of a step as far as they are over. Those that add up to the step are drawn to one scale.
 *
 * @param {Context} context
 * @param {At} at the point of the run
 * @param {Jacobian} jacobian
 * @param {Part[]} parts
 * @param {{ index: number, share: number }} now the phase, and how much of it is over
 * @param {Style} style
 */
export function drawParts(context, { color, px, py }, jacobian, parts, { index, share }, style) {
  const common = commonFactor(parts.filter(({ adds }) => adds).map(({ vector }) => pixels(jacobian, vector)));
  const names = parts.flatMap(({ phase, from, vector, adds, label }, i) => {
    const drawn = i < index ? 1 : i === index ? share : 0;
    if (!drawn) return [];
    const [dx, dy] = pixels(jacobian, vector);
    const factor = adds ? common : factorOf(Math.hypot(dx, dy));
    const [x, y] = pixels(jacobian, from);
    const grown = phase === "move" ? factor : factor * drawn; // along the move the head is on its way
    const named = phase === "move" || index < parts.length - 1 || !share;
    return arrow(
      context,
      [px + factor * x, py + factor * y],
      [grown * dx, grown * dy],
      phase === "gradient" ? style.colors.ink : color,
      phase === "gradient" ? [2, 3] : phase === "move" ? [] : [5, 3],
      named ? label + factorText(factor) : "",
      style,
    );
  });
  write(context, names, style);
}
