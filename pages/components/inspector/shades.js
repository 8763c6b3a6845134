// @ts-check
// Values as colours: blue, white, orange.

import { blend, pixel, rgb } from "../lib/colors.js";

const [BLUE, WHITE, ORANGE] = ["#2A62C4", "#FFFFFF", "#D9541E"].map(rgb);
const STEPS = 255; // shades on each side of white
const SHADE = Uint32Array.from({ length: 2 * STEPS + 1 }, (_, i) =>
  pixel(blend(i < STEPS ? BLUE : ORANGE, WHITE, Math.abs(i - STEPS) / STEPS)),
);
const MISSING = pixel([150, 150, 150]);
const BRIGHT = 0.72; // of the range, from which on a number is white

/** The colour of numbers and marks on a matrix. */
export const INK = "#31333F";

/**
 * The colour of a value, as of ImageData.
 *
 * @param {number} value
 * @param {number} range of the fullest colour
 */
export const shade = (value, range) =>
  Number.isFinite(value) ? SHADE[STEPS + Math.round(Math.max(-1, Math.min(1, value / (range || 1))) * STEPS)] : MISSING;

/**
 * The colour of a number on the colour of its value.
 *
 * @param {number} value
 * @param {number} range
 */
export const inkOn = (value, range) => (Math.abs(value) > BRIGHT * range ? "#fff" : INK);

/**
 * A value as it is written in its cell.
 *
 * @param {number} value
 */
export function cellNumber(value) {
  if (Math.abs(value) < 0.005) return "0";
  if (!Number.isFinite(value)) return "–";
  const text = value.toFixed(Math.abs(value) < 10 ? 2 : 1).replace("-", "−");
  return text.replace(/^(−?)0\./, "$1.");
}
