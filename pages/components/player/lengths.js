// @ts-check
// How long arrows are drawn: as long as they are, unless the longest could not be seen.

import { count, short } from "../lib/numbers.js";

export const LEAST = 18; // px of an arrow, which begins under the symbol of its head
const MOST = 90;

/**
 * The least of 1, 2, 5, 10, 20, ... that is not below a number of at least 1.
 *
 * @param {number} number
 */
function round(number) {
  const power = 10 ** Math.floor(Math.log10(number));
  return power * ([1, 2, 5].find((times) => times * power >= number) ?? 10);
}

/**
 * How many times as long an arrow is drawn, by a round number; 1 where its own length can be seen.
 *
 * @param {number} length px
 */
export function factorOf(length) {
  if (length > MOST) return 1 / round(length / MOST);
  return length > 0 && length < LEAST ? round(LEAST / length) : 1;
}

/**
 * The factor of arrows that are compared with each other: that of the longest.
 *
 * @param {[number, number][]} vectors px
 */
export function commonFactor(vectors) {
  const lengths = vectors.map((vector) => Math.hypot(...vector)).filter(Number.isFinite);
  return factorOf(Math.max(0, ...lengths));
}

/**
 * What is written beside an arrow that is not as long as it should be.
 *
 * @param {number} factor
 */
export function factorText(factor) {
  if (factor === 1) return "";
  const times = Math.round(factor > 1 ? factor : 1 / factor);
  return ` ${factor > 1 ? "×" : "÷"} ${times < 1e6 ? count(times) : short(times)}`;
}
