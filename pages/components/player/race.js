// @ts-check
// The points of a race, and where a run is at a step.

import { before } from "../lib/search.js";
/** @import { Motion, PlayerData } from "./types.d.ts" */

/** @param {ArrayBuffer | undefined} buffer */
export const floats = (buffer) => new Float32Array(buffer ?? new ArrayBuffer(0));

/**
 * The points of each run, x and y apart.
 *
 * @param {Pick<PlayerData, "points" | "losses" | "kept" | "angles"> & { runs: Pick<PlayerData["runs"][number], "count" |
 *   "downsampled" | "learns" | "arrows">[] }} data
 * @returns {Motion[]}
 */
export function motions(data) {
  const points = floats(data.points);
  const losses = floats(data.losses);
  const kept = new Uint32Array(data.kept ?? new ArrayBuffer(0));
  const angles = floats(data.angles);
  let [at, from, turn] = [0, 0, 0];
  /** @param {number} count */
  const steps = (count) => {
    from += count;
    return kept.subarray(from - count, from);
  };
  /** @param {number} count */
  const turns = (count) => {
    turn += count;
    return angles.subarray(turn - count, turn);
  };
  return data.runs.map(({ count, downsampled, learns, arrows }) => {
    const begin = at;
    at += count;
    return {
      count,
      x: points.subarray(2 * begin, 2 * begin + count),
      y: points.subarray(2 * begin + count, 2 * at),
      losses: losses.subarray(begin, at),
      steps: downsampled ? steps(count) : null,
      arrows: arrows ? { gradient: turns(count), preconditioned: learns ? turns(count) : null } : null,
    };
  });
}

/**
 * The last of a run's points at or before a step.
 *
 * @param {Pick<Motion, "steps" | "count">} run
 * @param {number} step
 */
export const indexAt = ({ steps, count }, step) =>
  steps ? before(steps, step) : Math.min(Math.floor(step), count - 1);

/**
 * @param {Pick<Motion, "steps">} run
 * @param {number} index of a point
 */
export const stepOf = ({ steps }, index) => (steps ? steps[index] : index);

/**
 * The last step of a race.
 *
 * @param {Pick<Motion, "steps" | "count">[]} runs
 */
export const endOf = (runs) => Math.max(1, ...runs.map((run) => stepOf(run, run.count - 1)));

/**
 * Where a run is at a step that need not be whole: on the line between two points.
 *
 * @param {Pick<Motion, "steps" | "count" | "x" | "y">} run
 * @param {number} step
 */
export function headAt(run, step) {
  const index = indexAt(run, step);
  const { x, y } = run;
  if (index + 1 >= run.count || run.steps) return { index, x: x[index], y: y[index] };
  const share = Math.min(1, step - index);
  return { index, x: x[index] + share * (x[index + 1] - x[index]), y: y[index] + share * (y[index + 1] - y[index]) };
}

/**
 * How far a race is, 0 to 1, in linear or logarithmic time.
 *
 * @param {number} step
 * @param {number} end
 * @param {boolean} log
 */
export const shareOf = (step, end, log) => (log ? Math.log1p(step) / Math.log1p(end) : step / end);

/**
 * The step at a share of a race; of 1 it is exactly the last.
 *
 * @param {number} share
 * @param {number} end
 * @param {boolean} log
 */
export function stepAt(share, end, log) {
  if (share >= 1) return end; // expm1(log1p(6221)) is less than 6221
  const kept = Math.max(0, share);
  return log ? Math.expm1(kept * Math.log1p(end)) : kept * end;
}
