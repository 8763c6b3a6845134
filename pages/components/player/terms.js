// @ts-check
// What the steps of a run are made of: g, P, ε, and what comes of them.

import { floats, indexAt } from "./race.js";

/** @import { Pair, Parts, Symmetric } from "../lib/types.d.ts" */
/** @import { Columns, Motion, PlayerData, Terms } from "./types.d.ts" */

/** @typedef {Pick<Motion, "count" | "steps"> & { name: string, terms?: Terms }} Run of which something can be shown */

/**
 * What the steps of each run are made of.
 *
 * @param {Pick<PlayerData, "gradients" | "moves" | "matrices" | "rates"> & { runs: Pick<PlayerData["runs"][number],
 *   "count" | "learns" | "rate" | "scheduled" | "momentum">[] }} data
 * @returns {Terms[]}
 */
export function termsOf(data) {
  const matrices = new Float64Array(data.matrices);
  const [gradients, moves, rates] = [data.gradients, data.moves, data.rates].map(floats);
  let [point, matrix, rated] = [0, 0, 0];
  return data.runs.map(({ count, learns, rate, scheduled, momentum }) => {
    /**
     * @param {Float32Array} array
     * @returns {Columns}
     */
    const pair = (array) => [array.subarray(point, point + count), array.subarray(point + count, point + 2 * count)];
    /** @returns {Columns} */
    const symmetric = () =>
      [0, 1, 2].map(() => {
        matrix += count;
        return matrices.subarray(matrix - count, matrix);
      });
    const [g, steps] = [pair(gradients), pair(moves)];
    point += 2 * count;
    const [P, H] = learns ? [symmetric(), symmetric()] : [null, null];
    if (scheduled) rated += count;
    return { g, moves: steps, P, H, rates: scheduled ? rates.subarray(rated - count, rated) : null, rate, momentum };
  });
}

/**
 * The run whose steps are shown: the one of a name, else the last that learns a P, else the last.
 *
 * @template {Run} R
 * @param {R[]} runs
 * @param {string} name
 */
export const shownOf = (runs, name) =>
  runs.find((run) => run.name === name) ?? runs.findLast((run) => run.terms?.P) ?? runs.at(-1) ?? null;

/**
 * What a run's step is made of; between two steps, if it may be, what is between them. Null where nothing is known of it.
 *
 * @param {Pick<Motion, "count" | "steps" | "terms">} run
 * @param {number} step
 * @returns {(Parts & { index: number }) | null}
 */
export function partsAt(run, step) {
  const { terms, count, steps } = run;
  if (!terms) return null;
  const index = indexAt(run, step);
  const share = steps || index + 1 >= count ? 0 : Math.min(1, step - index);
  /** @param {ArrayLike<number>} column */
  const at = (column) => (share ? column[index] + share * (column[index + 1] - column[index]) : column[index]);
  const [gx, gy] = terms.g.map(at);
  const [dx, dy] = terms.moves.map((column) => column[index]);
  /**
   * @param {Columns | null} columns
   * @returns {Symmetric | null}
   */
  const matrix = (columns) => columns && [at(columns[0]), at(columns[1]), at(columns[2])];
  return {
    index,
    g: [gx, gy],
    P: matrix(terms.P),
    H: matrix(terms.H),
    rate: terms.rates ? terms.rates[index] : terms.rate,
    move: index + 1 < count && Number.isFinite(dx + dy) ? [dx, dy] : null,
  };
}

/**
 * −ε g and −ε P g, where a P is learned.
 *
 * @param {Parts} parts
 * @returns {{ descent: Pair, preconditioned: Pair | null }}
 */
export function pulls({ g: [x, y], P, rate }) {
  /** @type {Pair} */
  const descent = [-rate * x, -rate * y];
  if (!P) return { descent, preconditioned: null };
  const [xx, xy, yy] = P;
  return { descent, preconditioned: [-rate * (xx * x + xy * y), -rate * (xy * x + yy * y)] };
}

/**
 * What a step was to add that was only tried, and undone: the point stays, though something pulls at it. Else null.
 *
 * @param {Parts} parts
 */
export function triedOf(parts) {
  const { descent, preconditioned } = pulls(parts);
  const pull = preconditioned ?? descent;
  return parts.move && !parts.move.some(Boolean) && pull.some(Boolean) ? pull : null;
}
