// @ts-check
// What a cell is: where its path ended and how, its colour, and how that is said.

import { blend, rgb } from "../lib/colors.js";
import { count } from "../lib/numbers.js";
/** @import { Colors, RGB } from "../lib/types.d.ts" */
/** @import { BasinsData, Minimum } from "./types.d.ts" */

export const [CONVERGED, LIMIT, DIVERGED] = [0, 1, 2];
export const SHADES = 64;
const PALEST = 0.26; // of a colour, in the slowest

/**
 * Which minimum a path ended at, from 1; 0 for none.
 *
 * @param {number} kind
 */
export const minimumOf = (kind) => kind & 15;

/**
 * How it ended: CONVERGED, at its LIMIT, or DIVERGED.
 *
 * @param {number} kind
 */
export const statusOf = (kind) => kind >> 4;

/**
 * @typedef {object} Palette
 * @property {RGB[][]} ramps of each minimum from fast to slow; the first is of what has none
 * @property {RGB} idle not converged, at no minimum
 * @property {RGB} ground under the stripes of what diverged
 */

/**
 * The colours of a theme.
 *
 * @param {Minimum[]} minima
 * @param {Colors} theme
 * @returns {Palette}
 */
export function palette(minima, theme) {
  const [paper, ink, muted] = [theme.paper, theme.ink, theme.muted].map(rgb);
  return {
    idle: blend(ink, paper, 0.24),
    ground: blend(ink, paper, 0.06),
    ramps: [muted, ...minima.map((minimum) => rgb(minimum.color))].map((color) =>
      Array.from({ length: SHADES }, (_, i) => blend(color, paper, 1 - (1 - PALEST) * (i / (SHADES - 1)))),
    ),
  };
}

/**
 * By a count of steps which shade of a ramp it has, on a logarithmic scale.
 *
 * @param {[number, number]} range of the first and the last shade
 * @param {number} limit the most steps
 */
export function shades(range, limit) {
  const [low, high] = range.map(Math.log1p);
  return Uint8Array.from({ length: limit + 1 }, (_, steps) => {
    const share = (Math.log1p(steps) - low) / Math.max(high - low, 1e-9);
    return Math.round(Math.min(1, Math.max(0, share)) * (SHADES - 1));
  });
}

/**
 * The colour of a cell, without the stripes over it.
 *
 * @param {Palette} colors
 * @param {Uint8Array} shade by steps
 * @param {number} kind
 * @param {number} steps
 */
export function colorOf({ ramps, idle, ground }, shade, kind, steps) {
  const [minimum, status] = [minimumOf(kind), statusOf(kind)];
  if (status === DIVERGED) return ground;
  if (status === LIMIT) return minimum ? ramps[minimum][SHADES - 1] : idle;
  return ramps[minimum][shade[steps]];
}

/**
 * Whether a cell of a status has its stripes.
 *
 * @param {number} kind
 * @param {number} status LIMIT or DIVERGED
 */
export const isStriped = (kind, status) => statusOf(kind) === status && (status === DIVERGED || minimumOf(kind) > 0);

/**
 * What is said of a cell.
 *
 * @param {BasinsData} data
 * @param {number} column
 * @param {number} row
 * @param {number} kind
 * @param {number} steps
 */
export function wordsOf(data, column, row, kind, steps) {
  const minimum = data.minima[minimumOf(kind) - 1]?.name;
  const status = statusOf(kind);
  const spot = data.spot.replace("{x}", data.x.cells[column]).replace("{y}", data.y.cells[row]);
  if (status === DIVERGED) return `${spot}: ${steps ? `diverged at step ${count(steps)}` : "f is not finite there"}`;
  if (status === LIMIT)
    return `${spot}: not converged in ${count(steps)} steps${minimum ? `, but at minimum ${minimum}` : ""}`;
  return `${spot}: ${minimum ? `minimum ${minimum}` : "converged"} after ${count(steps)} steps`;
}
