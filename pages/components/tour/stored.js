// @ts-check
// How far a reader has come on the tour, which the browser keeps.

export const KEY = "fop-tour";
export const ENDED = "ended";
export const INVITATION = 0;

/**
 * What the bar shows: a stop from 1 on, `INVITATION`, or null for nothing.
 *
 * @param {string | null} stored what the browser has kept
 * @param {boolean} opening whether the reader came to the app's own address, with nothing in it
 * @param {number} here the stop whose address the page has, as after the browser's Back; 0 for none
 * @param {number} count of stops
 */
export function shown(stored, opening, here, count) {
  const stop = Number(stored);
  if (Number.isInteger(stop) && stop >= 1 && stop <= count) return here || stop;
  return stored !== ENDED && opening ? INVITATION : null;
}
