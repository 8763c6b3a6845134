// @ts-check
import assert from "node:assert/strict";
import test from "node:test";
import { endOf, headAt, indexAt, motions, shareOf, stepAt, stepOf } from "./race.js";

const whole = { count: 4, x: [0, 1, 3, 3], y: [0, 0, 2, 4], steps: null };
const downsampled = { count: 3, x: [0, 10, 20], y: [5, 6, 7], steps: [0, 50, 6221] };

test("each run gets its own points, losses, steps and angles", () => {
  const float = (/** @type {number[]} */ ...values) => Float32Array.from(values).buffer;
  const runs = [
    { count: 2, downsampled: false, learns: false, arrows: true },
    { count: 3, downsampled: true, learns: true, arrows: true },
    { count: 1, downsampled: false, learns: false, arrows: false },
  ];
  const data = {
    runs,
    points: float(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12),
    losses: float(0.5, 1.5, 2.5, 3.5, 4.5, 5.5),
    kept: Uint32Array.of(0, 8, 9).buffer,
    angles: float(0, 1, 2, 3, 4, 5, 6, 7),
  };
  const [one, two, three] = motions(data);
  assert.deepEqual(
    [[...Array.from(one.x)], [...Array.from(one.y)]],
    [
      [1, 2],
      [3, 4],
    ],
  );
  assert.deepEqual(
    [Array.from(two.x), Array.from(two.y)],
    [
      [5, 6, 7],
      [8, 9, 10],
    ],
  );
  assert.deepEqual([Array.from(three.x), Array.from(three.y)], [[11], [12]]);
  assert.deepEqual(Array.from(two.losses), [2.5, 3.5, 4.5]);
  assert.deepEqual([one.steps, Array.from(two.steps ?? []), three.steps], [null, [0, 8, 9], null]);
  assert.deepEqual([Array.from(one.arrows?.gradient ?? []), one.arrows?.preconditioned], [[0, 1], null]);
  assert.deepEqual(Array.from(two.arrows?.gradient ?? []), [2, 3, 4]);
  assert.deepEqual(Array.from(two.arrows?.preconditioned ?? []), [5, 6, 7]);
  assert.equal(three.arrows, null);
});

test("a step is at the last point at or before it, whether all were kept or not", () => {
  assert.deepEqual(
    [0, 2.9, 3, 99].map((step) => indexAt(whole, step)),
    [0, 2, 3, 3],
  );
  assert.deepEqual(
    [0, 49, 50, 6220, 6221].map((step) => indexAt(downsampled, step)),
    [0, 0, 1, 1, 2],
  );
  assert.deepEqual([stepOf(whole, 3), stepOf(downsampled, 2)], [3, 6221]);
  assert.equal(endOf([whole, downsampled]), 6221);
  assert.equal(endOf([]), 1, "a race without runs");
});

test("a head is on the line between two points, and at a point where some between were left out", () => {
  assert.deepEqual(headAt(whole, 1.5), { index: 1, x: 2, y: 1 });
  assert.deepEqual(headAt(whole, 2.25), { index: 2, x: 3, y: 2.5 });
  assert.deepEqual(headAt(whole, 3), { index: 3, x: 3, y: 4 });
  assert.deepEqual(headAt(downsampled, 75), { index: 1, x: 10, y: 6 });
});

test("a share of one is the last step of a race of any length", () => {
  for (let end = 1; end <= 20_000; end++) assert.equal(stepAt(1, end, true), end);
  for (const log of [false, true]) assert.equal(stepAt(1.01, 6221, log), 6221, "and of one beyond it");
  assert.ok(Math.expm1(Math.log1p(6221)) < 6221, "which the logarithm's inverse is not");
});

test("a share is a step's, in linear and in logarithmic time", () => {
  for (const log of [false, true])
    for (const step of [0, 1, 80, 6000]) assert.ok(Math.abs(stepAt(shareOf(step, 6221, log), 6221, log) - step) < 1e-9);
  assert.equal(stepAt(0.5, 100, false), 50);
  assert.ok(Math.abs(stepAt(0.5, 99, true) - 9) < 1e-12);
  assert.equal(stepAt(-0.1, 99, true), 0);
});
