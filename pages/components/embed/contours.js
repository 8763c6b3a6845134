// @ts-check
// Contours of a surface on a grid: bands of colour and level lines, without plotly.

import { blend, pixel, rgb } from "../lib/colors.js";

/** @import { Colors } from "../lib/types.d.ts" */
/** @import { FlatView } from "../player/types.d.ts" */
/** @import { Heights } from "./types.d.ts" */

/**
 * How far from the colour of the lowest to that of the highest a height is: the middle of its band.
 *
 * @param {number} height in levels: the lowest is at 0
 * @param {number} top
 */
export const shareOf = (height, top) => Math.min(1, (Math.max(-1, Math.floor(height)) + 1.5) / (top + 1));

/**
 * Fills a picture with the bands of a surface, whose heights are linear each way between the points of the grid; what is
 * outside, or no number, is left empty.
 *
 * @param {Uint32Array} pixels row after row, the top one first
 * @param {number} width
 * @param {number} height
 * @param {Heights} heights
 * @param {FlatView} view
 * @param {Colors} colors
 */
export function fillBands(pixels, width, height, { values, size, box, top }, view, colors) {
  const last = size - 1;
  const [left, right, bottom, upper] = box;
  const [low, high] = [rgb(colors.low), rgb(colors.high)];
  const bands = Uint32Array.from({ length: Math.max(1, Math.ceil(top) + 2) }, (_, i) =>
    pixel(blend(high, low, shareOf(i - 1, top))),
  );
  const across = Float64Array.from(
    { length: width },
    (_, i) => ((view.toX(((i + 0.5) * view.width) / width) - left) / (right - left)) * last,
  );
  for (let row = 0; row < height; row++) {
    const v = ((view.toY(((row + 0.5) * view.height) / height) - bottom) / (upper - bottom)) * last;
    if (!(v >= 0 && v <= last)) continue;
    const j = Math.min(Math.floor(v), last - 1);
    const b = v - j;
    for (let column = 0; column < width; column++) {
      const u = across[column];
      if (!(u >= 0 && u <= last)) continue;
      const i = Math.min(Math.floor(u), last - 1);
      const [a, at] = [u - i, j * size + i];
      const under = values[at] * (1 - a) + values[at + 1] * a;
      const value = under * (1 - b) + (values[at + size] * (1 - a) + values[at + size + 1] * a) * b;
      if (Number.isNaN(value)) continue;
      pixels[row * width + column] = bands[Math.min(bands.length - 1, Math.max(-1, Math.floor(value)) + 1)];
    }
  }
}

/** @typedef {[x0: number, y0: number, x1: number, y1: number]} Segment in cells of the grid */

// By which corners of a cell are above a level (bits: lower left, lower right, upper right, upper left) the edges that its
// lines join: 0 below, 1 right, 2 above, 3 left. The two that are ambiguous are cut as if the middle were below.
/** @type {number[][]} */
const JOINED = [
  [],
  [3, 0],
  [0, 1],
  [3, 1],
  [1, 2],
  [3, 0, 1, 2],
  [0, 2],
  [3, 2],
  [2, 3],
  [2, 0],
  [0, 1, 2, 3],
  [2, 1],
  [1, 3],
  [1, 0],
  [0, 3],
  [],
];

/**
 * The lines of a level through the cells of a grid, by marching squares.
 *
 * @param {ArrayLike<number>} values [size, size]
 * @param {number} size
 * @param {number} level
 */
export function levelLines(values, size, level) {
  /** @type {Segment[]} */
  const segments = [];
  for (let j = 0; j + 1 < size; j++)
    for (let i = 0; i + 1 < size; i++) {
      const at = j * size + i;
      const corners = [values[at], values[at + 1], values[at + size + 1], values[at + size]];
      const above = corners.reduce((bits, value, bit) => bits | (value >= level ? 1 << bit : 0), 0);
      if (above === 0 || above === 15 || !corners.every(Number.isFinite)) continue;
      const [ll, lr, ur, ul] = corners;
      /**
       * @param {number} from
       * @param {number} to
       */
      const cut = (from, to) => (level - from) / (to - from);
      /** @type {(() => [number, number])[]} */
      const edges = [
        () => [i + cut(ll, lr), j],
        () => [i + 1, j + cut(lr, ur)],
        () => [i + cut(ul, ur), j + 1],
        () => [i, j + cut(ll, ul)],
      ];
      const joined = JOINED[above];
      for (let k = 0; k < joined.length; k += 2) segments.push([...edges[joined[k]](), ...edges[joined[k + 1]]()]);
    }
  return segments;
}
