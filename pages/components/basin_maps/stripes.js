// @ts-check
import { blend, css, rgb } from "../lib/colors.js";
import { DIVERGED } from "./cells.js";
/** @import { Context } from "../lib/canvas.js" */
/** @import { Colors } from "../lib/types.d.ts" */

/**
 * Stripes of a status over a square canvas.
 *
 * @param {Context} context
 * @param {number} side px
 * @param {number} status LIMIT or DIVERGED
 * @param {Colors} theme
 */
export function hatch(context, side, status, { paper, ink }) {
  const shade = (/** @type {number} */ share) => css(blend(rgb(ink), rgb(paper), share));
  if (status === DIVERGED) stripes(context, side, 6, shade(0.62), 1.2);
  else stripes(context, side, 8, shade(0.3), 0.8);
}

/**
 * @param {Context} context
 * @param {number} side px
 * @param {number} apart px from one to the next
 * @param {string} color
 * @param {number} width px
 */
function stripes(context, side, apart, color, width) {
  context.strokeStyle = color;
  context.lineWidth = width;
  context.beginPath();
  for (let at = -side; at < side; at += apart) {
    context.moveTo(at, side);
    context.lineTo(at + side, 0);
  }
  context.stroke();
}
