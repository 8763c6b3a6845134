// @ts-check
// A surface as pixels, farther cells first: nearer ones cover them, so that no depths are compared. Each pixel is the middle
// of a square. 7,200 triangles take 7 ms of CPU so; as 3,600 paths of a canvas, filled and stroked, they take 20.

import { blend, pixel, rgb } from "../lib/colors.js";
import { clamp } from "../lib/numbers.js";

/** @import { Colors } from "../lib/types.d.ts" */

export const TONES = 128;
export const SHADES = 8; // of a level line, from none
const SLOPE = 4; // tones of a difference of heights

/**
 * Colours by how much of a level line is on a pixel, then by its tone; those of the surface's underside follow.
 *
 * @typedef {Uint32Array} Palette [2, SHADES, TONES]
 */

/**
 * A mesh in the picture.
 *
 * @typedef {object} Mesh
 * @property {number} size points each way
 * @property {Float32Array} x [size, size] px
 * @property {Float32Array} y
 * @property {ArrayLike<number>} heights NaN where there is no surface
 * @property {Float32Array} tones 0 to 1
 * @property {number} sine of the angle that it is turned by
 * @property {number} cosine
 */

/**
 * The tone of each point: lighter where it is higher, and where it falls towards the light.
 *
 * @param {ArrayLike<number>} heights [size, size]
 * @param {number} size
 */
export function tonesOf(heights, size) {
  const tones = new Float32Array(size * size);
  const last = size - 1;
  for (let j = 0; j < size; j++)
    for (let i = 0; i < size; i++) {
      const at = j * size + i;
      const [left, right, down, up] = [i > 0 ? 1 : 0, i < last ? 1 : 0, j > 0 ? size : 0, j < last ? size : 0];
      const across = (heights[at + right] - heights[at - left]) / (right + left);
      const along = ((heights[at + up] - heights[at - down]) / (up + down)) * size;
      const slope = across - along;
      tones[at] = clamp(heights[at] + 0.5 + (Number.isFinite(slope) ? SLOPE * slope : 0), 0, 1);
    }
  return tones;
}

/**
 * @param {Colors} theme
 * @returns {Palette}
 */
export function paletteOf({ low, high, level, muted }) {
  const [bottom, top, grey] = [rgb(low), rgb(high), rgb(muted)];
  const [red, green, blue, share] = (level.match(/[\d.]+/g) ?? []).map(Number);
  const palette = new Uint32Array(2 * SHADES * TONES);
  for (let under = 0; under < 2; under++)
    for (let shade = 0; shade < SHADES; shade++)
      for (let tone = 0; tone < TONES; tone++) {
        const plain = blend(top, bottom, tone / (TONES - 1));
        const side = under ? blend(grey, plain, 0.2) : plain;
        const line = blend([red, green, blue], side, (share * shade) / (SHADES - 1));
        palette[(under * SHADES + shade) * TONES + tone] = pixel(line);
      }
  return palette;
}

/**
 * @param {Uint32Array} pixels [height, width], row by row from the top
 * @param {number} width
 * @param {number} height
 * @param {Mesh} mesh
 * @param {[bottom: number, step: number]} levels heights of the level lines: the lowest, and from one to the next
 * @param {Palette} palette
 * @param {number} line px of a level line's width
 */
export function rasterize(pixels, width, height, mesh, [bottom, step], palette, line) {
  const { size, x, y, heights, tones, sine, cosine } = mesh;
  const last = size - 1;

  /**
   * @param {number} a
   * @param {number} b
   * @param {number} c
   */
  const triangle = (a, b, c) => {
    const [xa, ya, ha, ta] = [x[a], y[a], heights[a], tones[a]];
    const [xb, yb, xc, yc] = [x[b] - xa, y[b] - ya, x[c] - xa, y[c] - ya];
    const area = xb * yc - xc * yb;
    if (!area || !Number.isFinite(ha + heights[b] + heights[c])) return;
    const [hb, hc, tb, tc] = [heights[b] - ha, heights[c] - ha, tones[b] - ta, tones[c] - ta];
    // What height, in levels, and tone are at a pixel: linear.
    const [lx, ly] = [(hb * yc - hc * yb) / area / step, (hc * xb - hb * xc) / area / step];
    const [tx, ty] = [((tb * yc - tc * yb) / area) * (TONES - 1), ((tc * xb - tb * xc) / area) * (TONES - 1)];
    const slope = Math.hypot(lx, ly);
    const strength = slope > 0 ? clamp((1 / slope - 2 * line) / (3 * line), 0, 1) * (SHADES - 1) : 0;
    const side = area > 0 ? SHADES * TONES : 0; // px go down, so that the upper side turns the other way
    const [l0, t0] = [(ha - bottom) / step - lx * xa - ly * ya, ta * (TONES - 1) - tx * xa - ty * ya];

    let [p, q, r] = [a, b, c]; // from the top of the picture down
    if (y[q] < y[p]) [p, q] = [q, p];
    if (y[r] < y[q]) [q, r] = [r, q];
    if (y[q] < y[p]) [p, q] = [q, p];
    const end = Math.min(height, Math.ceil(y[r] - 0.5));
    for (let row = Math.max(0, Math.ceil(y[p] - 0.5)); row < end; row++) {
      const middle = row + 0.5;
      const one = x[p] + ((middle - y[p]) * (x[r] - x[p])) / (y[r] - y[p]);
      const other =
        middle < y[q]
          ? x[p] + ((middle - y[p]) * (x[q] - x[p])) / (y[q] - y[p])
          : y[r] > y[q]
            ? x[q] + ((middle - y[q]) * (x[r] - x[q])) / (y[r] - y[q])
            : x[q];
      const stop = Math.min(width, Math.ceil(Math.max(one, other) - 0.5));
      let column = Math.max(0, Math.ceil(Math.min(one, other) - 0.5));
      let level = l0 + lx * (column + 0.5) + ly * middle;
      let tone = t0 + tx * (column + 0.5) + ty * middle;
      for (let at = row * width + column; column < stop; column++, at++) {
        let shade = 0;
        if (strength > 0) {
          const away = Math.abs(level - Math.round(level)) / slope;
          shade = Math.round(strength * Math.min(1, Math.max(0, line / 2 + 0.5 - away)));
        }
        const bound = Math.min(TONES - 1, Math.max(0, tone));
        pixels[at] = palette[side + shade * TONES + Math.round(bound)];
        level += lx;
        tone += tx;
      }
    }
  };

  /** @param {boolean} forward */
  const order = (forward) => Array.from({ length: last }, (_, n) => (forward ? n : last - 1 - n));
  const columns = order(sine < 0);
  for (const j of order(cosine < 0))
    for (const i of columns) {
      const at = j * size + i;
      const opposite = at + size + 1;
      if (sine > cosine) {
        triangle(at, at + 1, opposite);
        triangle(at, opposite, at + size);
      } else {
        triangle(at, opposite, at + size);
        triangle(at, at + 1, opposite);
      }
    }
}
