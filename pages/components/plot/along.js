// @ts-check
// What pictures that share their axis across show at a place on it, and where it goes by a key.

/** @import { Tree } from "../lib/types.d.ts" */
/** @typedef {{ name: string, color: string, x: ArrayLike<unknown>, y: ArrayLike<unknown> }} Line */

const MOST = 6; // lines whose values are listed
const STEPS = 50; // by which a key goes along what is shown
const CLOSER = 0.5; // what is left of it after a key zooms in

/**
 * Those traces of a figure that are lines with a name.
 *
 * @param {Tree[]} traces
 * @returns {Line[]}
 */
export const linesOf = (traces) =>
  traces
    .filter(({ name, x, y }) => typeof name === "string" && name && isList(x) && isList(y))
    .map(({ name, line, x, y }) => ({
      name: String(name),
      color: String(/** @type {Tree | undefined} */ (line)?.color ?? ""),
      x: /** @type {ArrayLike<unknown>} */ (x),
      y: /** @type {ArrayLike<unknown>} */ (y),
    }));

/** @param {unknown} value */
const isList = (value) => Array.isArray(value) || ArrayBuffer.isView(value);

/**
 * What lines are worth at a place: each what it was at its nearest point, where the place is between its ends.
 *
 * @param {Line[]} lines
 * @param {number} at on the axis
 * @param {(x: number) => number} coordinate of a value, where it is on the axis
 * @param {number} reach how far beyond a line's end it counts
 * @returns {{ name: string, color: string, value: number }[]} at most MOST
 */
export function valuesAt(lines, at, coordinate, reach) {
  const values = [];
  for (const { name, color, x, y } of lines) {
    let [nearest, value, least, most] = [Infinity, Number.NaN, Infinity, -Infinity];
    for (let i = 0; i < x.length; i++) {
      if (x[i] === null || y[i] === null || !Number.isFinite(Number(y[i]))) continue;
      const across = coordinate(Number(x[i]));
      if (!Number.isFinite(across)) continue;
      [least, most] = [Math.min(least, across), Math.max(most, across)];
      const away = Math.abs(across - at);
      if (away <= nearest) [nearest, value] = [away, Number(y[i])];
    }
    if (at >= least - reach && at <= most + reach) values.push({ name, color, value });
  }
  return values.slice(0, MOST);
}

/**
 * What a key does on the axis: where one points then, and what of it is shown, null for all; null for another key.
 *
 * @param {string} key
 * @param {number | null} at where one points
 * @param {[number, number]} range what is shown
 * @returns {{ at: number | null, range: [number, number] | null } | null}
 */
export function afterKey(key, at, range) {
  const [begin, end] = range;
  const here = at === null ? (begin + end) / 2 : Math.min(end, Math.max(begin, at));
  const step = (end - begin) / STEPS;
  const scaled = (/** @type {number} */ share) => {
    /** @type {[number, number]} */
    const next = [here - share * (here - begin), here + share * (end - here)];
    return next;
  };
  switch (key) {
    case "ArrowLeft":
      return { at: at === null ? here : Math.max(begin, here - step), range };
    case "ArrowRight":
      return { at: at === null ? here : Math.min(end, here + step), range };
    case "+":
    case "=":
      return { at: here, range: scaled(CLOSER) };
    case "-":
      return { at: here, range: scaled(1 / CLOSER) };
    case "0":
      return { at, range: null };
    case "Escape":
      return { at: null, range };
    default:
      return null;
  }
}
