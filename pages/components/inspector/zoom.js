// @ts-check
// Which cells of a matrix are shown.

import { clamp } from "../lib/numbers.js";

/** @typedef {[left: number, top: number, wide: number, high: number]} Part in cells */
/** @typedef {[x: number, y: number]} Point shares of the picture's width and height */

const LEAST = 4; // cells each way

/**
 * A square of so many cells about a point, within the matrix; null where that is all of it.
 *
 * @param {number} x cells from the left
 * @param {number} y cells from the top
 * @param {number} size
 * @param {number} rows of the matrix
 * @param {number} columns
 * @returns {Part | null}
 */
export function square(x, y, size, rows, columns) {
  if (size >= Math.min(rows, columns)) return null;
  /**
   * @param {number} middle
   * @param {number} cells
   */
  const corner = (middle, cells) => clamp(Math.round(middle - size / 2), 0, cells - size);
  return [corner(x, columns), corner(y, rows), size, size];
}

/**
 * What is between two corners of a part, as many cells across as down: its middle, and its size.
 *
 * @param {Part} part
 * @param {Point} from
 * @param {Point} to
 */
export function framed([left, top, wide, high], [x0, y0], [x1, y1]) {
  const size = Math.max(LEAST, Math.round(Math.max(Math.abs(x1 - x0) * wide, Math.abs(y1 - y0) * high)));
  return { x: left + (wide * (x0 + x1)) / 2, y: top + (high * (y0 + y1)) / 2, size };
}

/**
 * The middle of a part, and the size of one that is larger or smaller by a factor.
 *
 * @param {Part} part
 * @param {number} factor
 */
export const resized = ([left, top, wide, high], factor) => ({
  x: left + wide / 2,
  y: top + high / 2,
  size: Math.max(LEAST, Math.round(Math.min(wide, high) * factor)),
});

/**
 * A part moved as little as it takes to have a cell in it.
 *
 * @param {Part} part
 * @param {number} row
 * @param {number} column
 * @returns {Part}
 */
export function around([left, top, size, high], row, column) {
  /**
   * @param {number} at
   * @param {number} from
   */
  const corner = (at, from) => Math.max(Math.min(at, from), at - size + 1);
  return [corner(column, left), corner(row, top), size, high];
}

/**
 * The cell at a point of the picture; null outside.
 *
 * @param {Part} part
 * @param {Point} point
 * @returns {[row: number, column: number] | null}
 */
export function cellAt([left, top, wide, high], [x, y]) {
  if (x < 0 || y < 0 || x >= 1 || y >= 1) return null;
  return [Math.floor(top + y * high), Math.floor(left + x * wide)];
}
