// @ts-check
// Where steps are along the track, and which snapshots are passed in how much time.

import { before } from "../lib/search.js";

export const EDGE = 8; // px of the track beside the first and the last step
const LASTS = 8; // seconds to play all, unless that takes fewer than SLOWEST or more than FASTEST snapshots a second
const [SLOWEST, FASTEST] = [6, 60];
const SLOW = 100; // ms: a frame counts as no longer

/**
 * px from the track's edge to a step.
 *
 * @param {number} step
 * @param {number[]} steps of the snapshots
 * @param {number} width px of the track
 */
export function xOf(step, steps, width) {
  const [first, end] = [steps[0], steps[steps.length - 1]];
  return EDGE + ((step - first) / Math.max(end - first, 1)) * (width - 2 * EDGE);
}

/**
 * The snapshot whose step is nearest to a point of the track; of two as near the sooner.
 *
 * @param {number} x px from the track's edge
 * @param {number[]} steps
 * @param {number} width
 */
export function nearest(x, steps, width) {
  const last = steps.length - 1;
  const step = steps[0] + ((x - EDGE) / (width - 2 * EDGE)) * (steps[last] - steps[0]);
  const sooner = before(steps, step);
  const after = Math.min(sooner + 1, last);
  return steps[after] - step < step - steps[sooner] ? after : sooner;
}

/**
 * Snapshots that are played in a second.
 *
 * @param {number} count of all
 */
export const rate = (count) => Math.min(FASTEST, Math.max(SLOWEST, count / LASTS));

/**
 * Snapshots that are passed from one frame to the next. A frame's time may lie before the click; where frames come late,
 * playing takes longer instead of leaping.
 *
 * @param {number} ms
 * @param {number} count of all
 */
export const passed = (ms, count) => (Math.min(SLOW, Math.max(0, ms)) / 1000) * rate(count);
