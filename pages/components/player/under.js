// @ts-check
// What the surface is under the cursor: f and its gradient.

import { write } from "../lib/dom.js";
import { clamp, short } from "../lib/numbers.js";

/** @import { Box, Scale } from "./types.d.ts" */

/** @typedef {{ f: number, gx: number, gy: number }} Value f and its gradient at a point */
/** @typedef {(x: number, y: number) => Value | null} SurfaceAt null where f is no number */

const HINT = "Point at the surface: f and ∇f";

/** A grid as plotly has it in JSON: base64 of little-endian numbers. */
/** @typedef {{ dtype: string, bdata: string }} Encoded */

/**
 * @param {Encoded} encoded of float32
 * @returns {Float32Array}
 */
export function decoded({ dtype, bdata }) {
  if (dtype !== "f4") throw new Error(`the heights are ${dtype}, not f4`);
  const bytes = Uint8Array.from(atob(bdata), (sign) => sign.charCodeAt(0));
  return new Float32Array(bytes.buffer);
}

/**
 * Weights of the four points around a place between the middle two, and their derivatives: cubic convolution (Keys 1981),
 * with which polynomials of degree 2 are exact.
 *
 * @param {number} t 0 at the second point, 1 at the third
 * @returns {[weights: number[], derivatives: number[]]}
 */
const cubic = (t) => [
  [((2 - t) * t - 1) * t, (3 * t - 5) * t * t + 2, ((4 - 3 * t) * t + 1) * t, (t - 1) * t * t].map((w) => w / 2),
  [(4 - 3 * t) * t - 1, (9 * t - 10) * t, (8 - 9 * t) * t + 1, (3 * t - 2) * t].map((w) => w / 2),
];

/**
 * A surface between the points of its picture's grid: near the truth where the surface is smooth from point to point.
 *
 * @param {ArrayLike<number>} heights [n, n], rows from below
 * @param {Box} box that the grid covers
 * @param {Pick<Scale, "base" | "log">} scale
 * @returns {SurfaceAt}
 */
export function interpolated(heights, [left, right, bottom, top], { base, log }) {
  const size = Math.round(Math.sqrt(heights.length));
  const [across, up] = [(size - 1) / (right - left), (size - 1) / (top - bottom)];
  return (x, y) => {
    const [u, v] = [(x - left) * across, (y - bottom) * up];
    if (!(u >= 0 && v >= 0 && u <= size - 1 && v <= size - 1)) return null;
    const [i, j] = [u, v].map((at) => clamp(Math.floor(at), 1, size - 3)); // beside an edge the next piece goes on
    const [[wx, dx], [wy, dy]] = [cubic(u - i), cubic(v - j)];
    let [f, gx, gy] = [0, 0, 0];
    for (let row = 0; row < 4; row++)
      for (let column = 0; column < 4; column++) {
        const height = heights[(j - 1 + row) * size + i - 1 + column];
        const value = base + (log ? 10 ** height : height);
        f += wy[row] * wx[column] * value;
        gx += wy[row] * dx[column] * value * across;
        gy += dy[row] * wx[column] * value * up;
      }
    return Number.isFinite(f + gx + gy) ? { f, gx, gy } : null;
  };
}

/**
 * @param {[number, number]} point
 * @param {Value | null} value
 * @param {boolean} exact
 */
export function described([x, y], value, exact) {
  const at = `(${short(x)}, ${short(y)})`;
  if (!value) return `${at}: f is not known here`;
  const is = exact ? "=" : "≈";
  return `${at}: f ${is} ${short(value.f)}, ∇f ${is} (${short(value.gx)}, ${short(value.gy)})`;
}

/** The line below the surface that says what is under the cursor. */
export class Under {
  /** @param {HTMLElement} line */
  constructor(line) {
    this.line = line;
    /**
     * The surface itself, where the browser has its program.
     *
     * @type {SurfaceAt | null}
     */
    this.exact = null;
    /** @type {SurfaceAt | null} */
    this.near = null; // between the points of the picture's grid
    this.show(null);
  }

  /** @param {[number, number] | null} point of the plane; null where the cursor is at none */
  show(point) {
    const surfaceAt = this.exact ?? this.near;
    write(this.line, point && surfaceAt ? described(point, surfaceAt(...point), this.exact !== null) : HINT);
    this.line.classList.toggle("fop-idle", !point);
  }
}
