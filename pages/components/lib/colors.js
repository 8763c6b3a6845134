// @ts-check
/** @import { Hex, RGB } from "./types.d.ts" */

/**
 * @param {Hex} hex
 * @returns {RGB}
 */
export function rgb(hex) {
  const part = (/** @type {number} */ at) => parseInt(hex.slice(at, at + 2), 16);
  return [part(1), part(3), part(5)];
}

/**
 * @param {RGB} over
 * @param {RGB} under
 * @param {number} share of `over`
 * @returns {RGB}
 */
export function blend(over, under, share) {
  const part = (/** @type {0 | 1 | 2} */ i) => Math.round(over[i] * share + under[i] * (1 - share));
  return [part(0), part(1), part(2)];
}

/**
 * An opaque colour as one number of ImageData's bytes, whose order is that of little-endian machines.
 *
 * @param {RGB} color
 */
export const pixel = ([red, green, blue]) => ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;

/** @param {RGB} color */
export const css = (color) => `rgb(${color.join()})`;
