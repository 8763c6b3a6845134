// @ts-check
import { blend, css, rgb } from "../lib/colors.js";
import { DIVERGED } from "./cells.js";
/** @import { Pen } from "../lib/canvas.js" */
/** @import { Colors } from "../lib/types.d.ts" */

/**
 * Stripes of a status over the pen's square.
 *
 * @param {Pen} pen
 * @param {number} side px
 * @param {number} status LIMIT or DIVERGED
 * @param {Colors} theme
 */
export function hatch(pen, side, status, { paper, ink }) {
  const shade = (/** @type {number} */ share) => css(blend(rgb(ink), rgb(paper), share));
  if (status === DIVERGED) stripes(pen, side, 6, shade(0.62), 1.2);
  else stripes(pen, side, 8, shade(0.3), 0.8);
}

/**
 * @param {Pen} pen
 * @param {number} side px
 * @param {number} apart px from one to the next
 * @param {string} color
 * @param {number} width px
 */
function stripes(pen, side, apart, color, width) {
  pen.strokeStyle = color;
  pen.lineWidth = width;
  pen.beginPath();
  for (let at = -side; at < side; at += apart) {
    pen.moveTo(at, side);
    pen.lineTo(at + side, 0);
  }
  pen.stroke();
}
