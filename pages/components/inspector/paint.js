// @ts-check
import { cellCanvas } from "../lib/canvas.js";
import { make } from "../lib/dom.js";
import { shade } from "./shades.js";
/** @import { Context } from "../lib/canvas.js" */
/** @import { Grid } from "./types.d.ts" */
/** @import { Part } from "./zoom.js" */

export const READABLE = 34; // px of a cell that has room for its number

const scratch = make("canvas");

/**
 * Draws a matrix into a rectangle.
 *
 * @param {Context} context
 * @param {Pick<Grid, "rows" | "columns"> & { values: ArrayLike<number> }} matrix
 * @param {number} range of the fullest colour
 * @param {number} width px
 * @param {number} height px
 * @param {Part} part what of it is shown
 */
export function paint(context, { values, rows, columns }, range, width, height, part = [0, 0, columns, rows]) {
  const fill = (/** @type {Uint32Array} */ pixels) => {
    for (let i = 0; i < pixels.length; i++) pixels[i] = shade(values[i], range);
  };
  cellCanvas(columns, rows, fill, scratch);
  context.imageSmoothingEnabled = width < part[2];
  context.drawImage(scratch, ...part, 0, 0, width, height);
}
