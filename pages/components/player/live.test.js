// @ts-check
/** @import { LiveMotion } from "./types.d.ts" */
import assert from "node:assert/strict";
import test from "node:test";
import { OPERATIONS } from "../lib/program.js";
import { colorOf, Grid, positionOf, rateAt, ratesAt, scaleOf, shareOf, wordsOf } from "./grid.js";
import { anglesOf, LiveRace, labelOf, rounded } from "./live.js";

/** @param {string} name */
const number = (name) => 2 * OPERATIONS.findIndex(([known]) => known === name);

const HESSIAN = [2, 2, 0, 3, 2, 3, 2]; // of 2 and 0
// SGD on f = x² + y², with a count of its steps as its state: registers 0-5 are the inputs, 6 is the count.
const START = [6, 1, 0, 1, 6]; // gives 0
const STEP = [
  ...[7, 2, 10, 6], // 7 is 2, 8 is 1
  ...[number("multiply"), 0, 0, 0], // 9 x²
  ...[number("multiply"), 1, 1, 0], // 10 y²
  ...[number("add"), 9, 10, 0], // 11 f
  ...[number("multiply"), 7, 0, 0], // 12 f_x
  ...[number("multiply"), 7, 1, 0], // 13 f_y
  ...[number("multiply"), 4, 12, 0], // 14 lr f_x
  ...[number("multiply"), 4, 13, 0], // 15 lr f_y
  ...[number("subtract"), 0, 14, 0], // 16 x
  ...[number("subtract"), 1, 15, 0], // 17 y
  ...[number("add"), 6, 8, 0], // 18 count
  ...[16, 17, 11, 12, 13, 18],
];

/**
 * @param {number} target
 * @param {object} more
 */
const race = (target, steps = 50, more = {}) =>
  new LiveRace({
    live: {
      single: false,
      steps,
      digits: [2, 2],
      settings: { rate: 0.25 },
      runs: [null, { programs: 1, learns: false, lr: "rate", key: "" }],
    },
    code: Int32Array.from([...HESSIAN, ...START, ...STEP]).buffer,
    numbers: Float64Array.of(target, 2, 0, 0, 2, 1).buffer,
    ...more,
  });

test("a run ends where f is below the target, and one that stays in Python has none", () => {
  const [none, run] = race(0.01).run([1, 0], { rate: 0.25 });
  assert.equal(none, null);
  assert.ok(run);
  assert.deepEqual([run.status, run.step, run.count, run.steps], ["converged", 4, 5, null]);
  assert.deepEqual(Array.from(run.x), [1, 0.5, 0.25, 0.125, 0.0625]);
  assert.deepEqual(Array.from(run.losses), [1, 0.25, 0.0625, 0.015625, 0.00390625]);
  assert.deepEqual(
    [run.made.g[0][1], run.g[1][1], run.made.moves[0][1], run.made.P, run.made.H],
    [1, 0, -0.25, null, null],
  );
});

test("a rate that is moved counts", () => {
  const [, run] = race(0.01).run([1, 0], { rate: 0.5 });
  assert.deepEqual([run?.status, run?.step], ["converged", 1]);
});

test("a run that diverges has no point that is not finite, and the step limit is one", () => {
  const [, wild] = race(0.01, 10_000).run([1, 0], { rate: 1e3 });
  assert.ok(wild && wild.status === "diverged" && wild.count === wild.step);
  assert.ok(Array.from(wild.losses).every((f) => !Number.isNaN(f)));
  const [, late] = race(0.01, 2).run([1, 0], { rate: 0.25 });
  assert.deepEqual([late?.status, late?.step, late?.count], ["step limit", 2, 3]);
  const [, lost] = race(0.01).run([Number.NaN, 0], { rate: 0.25 });
  assert.deepEqual([lost?.status, lost?.step, lost?.count], ["diverged", 0, 0]);
});

test("factors multiply the rate step by step", () => {
  const factors = Float64Array.of(2, 1, 1).buffer;
  const [, run] = race(-1, 3, { factors }).run([1, 0], { rate: 0.25 });
  assert.deepEqual(Array.from(run?.x ?? []), [1, 0, 0, 0]);
  assert.deepEqual(Array.from(run?.made.rates ?? []), [0.5, 0.25, 0.25, 0.25], "at the end the last step's");
});

test("what a step is made of has the noise that its optimizer sees", () => {
  const noise = Float64Array.of(10, 20).buffer;
  const [, run] = race(-1, 1, { noise }).run([1, 0], { rate: 0.25 });
  assert.deepEqual([run?.g, run?.made.g].map((g) => g?.map((column) => column[0])), [[2, 0], [12, 20]]); // biome-ignore format: one line
  const ends = [run?.g, run?.made.g].map((g) => g?.map((column) => column[1]));
  assert.deepEqual(ends[0], ends[1], "from there no step is taken");
});

test("arrows point along g, and along P g where a P is learned", () => {
  const g = [[0, 0], [2, 0]]; // biome-ignore format: one line
  const made = { g, moves: [], rate: 1, rates: null, P: [[0, 1], [1, 0], [0, 1]], H: null }; // biome-ignore format: one line
  const angles = anglesOf({ count: 2, g, made });
  assert.deepEqual(Array.from(angles?.gradient ?? []), [Math.fround(Math.PI / 2), Number.NaN]);
  assert.deepEqual(Array.from(angles?.preconditioned ?? []), [0, Number.NaN]);
  assert.equal(anglesOf({ count: 2, g, made: { ...made, P: null } })?.preconditioned, null);
});

test("labels, starts and rates are as Python writes them", () => {
  assert.equal(labelOf("FOP", { status: "converged", step: 6221 }), "FOP 6,221");
  assert.equal(labelOf("FOP", { status: "diverged", step: 12 }), "FOP diverged at 12");
  assert.equal(labelOf("FOP", { status: "step limit", step: 2000 }), "FOP > 2,000");
  assert.deepEqual(rounded([1.23456, -7.891], [2, 0]), [1.23, -8]);
  assert.deepEqual([rateAt(-200), rateAt(-230), rateAt(100)], [0.01, 0.00501, 10]);
  assert.deepEqual([positionOf(0.01), positionOf(0.005)], [-200, -230]);
});

test("a map of rates goes on where it was stopped, from the lowest ρ up", () => {
  /** @type {number[][]} */
  const pairs = [];
  const grid = new Grid((lr, hyper_lr, step) => {
    pairs.push([lr, hyper_lr]);
    return { status: "step limit", step };
  }, 5000);
  grid.advance(() => true);
  assert.deepEqual([pairs, grid.done], [[[0.000114, 0.0000126]], false]);
  grid.advance(() => false);
  assert.ok(grid.done && pairs.length === grid.cells.length);
  assert.deepEqual(pairs.at(-1), ratesAt(44, 29));
  assert.deepEqual(grid.cells[0], { status: "step limit", step: 2000 });
  assert.deepEqual([shareOf(0.01, [-4, 0]), shareOf(10, [-5, 1])], [0.5, 1]);
});

test("a map is strong where a run is fast, and says what it needs", () => {
  const theme = { paper: "#FFFFFF", ink: "#000000", muted: "", grid: "", low: "", high: "", level: "" };
  /** @param {LiveMotion["status"]} status @param {number} step */
  const color = (status, step) => colorOf({ status, step }, 9, 999, "#D9541E", theme);
  assert.deepEqual(color("converged", 9), [217, 84, 30]);
  assert.ok(color("converged", 99)[1] > 84 && color("converged", 999)[1] > color("converged", 99)[1]);
  assert.ok(color("diverged", 3)[0] < color("step limit", 999)[0] && color("step limit", 999)[0] < 255);
  assert.deepEqual(colorOf(undefined, 9, 999, "#D9541E", theme), [255, 255, 255]);
  assert.equal(wordsOf({ status: "converged", step: 1234 }), "1,234 steps");
  assert.equal(wordsOf({ status: "diverged", step: 3 }), "diverges at step 3");
  assert.equal(wordsOf({ status: "step limit", step: 2000 }), "more than 2,000 steps");
});

test("the scale of a map has the colours of its cells", () => {
  const theme = { paper: "#FFFFFF", ink: "#000000", muted: "", grid: "", low: "", high: "", level: "" };
  const entries = scaleOf(9, 2000, "#D9541E", theme);
  assert.deepEqual(
    entries.map(({ words }) => words),
    ["9", "2,000 steps", "more", "diverges"],
  );
  assert.equal(entries[0].color, "rgb(217,84,30)");
  assert.equal(new Set(entries.map(({ color }) => color)).size, 4);
});
