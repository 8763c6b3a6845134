// @ts-check
import assert from "node:assert/strict";
import test from "node:test";
import { partsAt, pulls, shownOf, termsOf, triedOf } from "./terms.js";

/** @import { Pair, Symmetric } from "../lib/types.d.ts" */

const float = (/** @type {number[]} */ ...values) => Float32Array.from(values).buffer;
const head = { learns: false, rate: 0.5, scheduled: false, momentum: false };
const DATA = {
  runs: [
    { ...head, count: 2 },
    { ...head, count: 3, learns: true, scheduled: true, momentum: true },
    { ...head, count: 1, learns: true, rate: 1 },
  ],
  gradients: float(1, 2, 3, 4, 10, 20, 30, 40, 50, 60, 7, 8),
  moves: float(5, Number.NaN, 6, Number.NaN, -1, -2, Number.NaN, -3, -4, Number.NaN, Number.NaN, Number.NaN),
  matrices: Float64Array.from([
    ...[1, 2, 3, 0.1, 0.2, 0.3, 4, 5, 6],
    ...[100, 100, 100, 0, 0, 0, 1, 1, 1],
    ...[9, 0, 9, 2, 0, 2],
  ]).buffer,
  rates: float(0.25, 0.125, 0),
};
const [plain, learner, last] = termsOf(DATA).map((terms, i) => ({
  name: ["SGD", "FOP", "S-HD"][i],
  count: DATA.runs[i].count,
  steps: null,
  terms,
}));

test("each run gets its own gradients, moves, matrices and rates", () => {
  assert.deepEqual(partsAt(plain, 0), { index: 0, g: [1, 3], P: null, H: null, rate: 0.5, move: [5, 6] });
  assert.deepEqual(partsAt(learner, 1), {
    index: 1,
    g: [20, 50],
    P: [2, 0.2, 5],
    H: [100, 0, 1],
    rate: 0.125,
    move: [-2, -4],
  });
  assert.deepEqual(partsAt(last, 0), { index: 0, g: [7, 8], P: [9, 0, 9], H: [2, 0, 2], rate: 1, move: null });
});

test("from the end of a run no step is taken", () => {
  assert.equal(partsAt(learner, 99)?.move, null);
  assert.equal(partsAt(learner, 99)?.index, 2);
});

test("between two steps the eye is led, but not where points between were left out", () => {
  assert.deepEqual(partsAt(learner, 0.5)?.g, [15, 45]);
  assert.deepEqual(partsAt(learner, 0.5)?.P, [1.5, (0.1 + 0.2) / 2, 4.5]);
  assert.deepEqual(partsAt(learner, 0.5)?.move, [-1, -3], "that of the step");
  const downsampled = { ...learner, steps: [0, 10, 20] };
  assert.deepEqual(partsAt(downsampled, 15)?.g, [20, 50]);
});

test("a run of which nothing is known is shown nothing of", () => {
  assert.equal(partsAt({ count: 2, steps: null }, 0), null);
});

test("the run whose steps are shown is the chosen one, else the last that learns, else the last", () => {
  const runs = [learner, last, plain];
  assert.equal(shownOf(runs, "SGD"), plain);
  assert.equal(shownOf(runs, ""), last);
  assert.equal(shownOf(runs, "Adam"), last, "which is not in this race");
  assert.equal(shownOf([plain], ""), plain);
  assert.equal(shownOf([], ""), null);
});

test("g pulls by −ε g, and P g by −ε P g", () => {
  /** @type {Symmetric} */
  const P = [2, 1, 3];
  const parts = { g: /** @type {Pair} */ ([1, -2]), P, H: null, rate: 0.5, move: null };
  assert.deepEqual(pulls(parts), { descent: [-0.5, 1], preconditioned: [-0, 2.5] });
  assert.deepEqual(pulls({ ...parts, P: null }).preconditioned, null);
});

test("a step is undone where the point stays though something pulls at it", () => {
  const parts = { g: /** @type {Pair} */ ([1, -2]), P: null, H: null, rate: 0.5, move: /** @type {Pair} */ ([0, 0]) };
  assert.deepEqual(triedOf(parts), [-0.5, 1]);
  assert.equal(triedOf({ ...parts, rate: 0 }), null, "nothing was tried");
  assert.equal(triedOf({ ...parts, move: [0, 1e-30] }), null);
  assert.equal(triedOf({ ...parts, move: null }), null);
});
