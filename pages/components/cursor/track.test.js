// @ts-check
import assert from "node:assert/strict";
import test from "node:test";
import { EDGE, nearest, passed, rate, xOf } from "./track.js";

const STEPS = [5, 15, 105, 115];
const WIDTH = 2 * EDGE + 220;

test("steps are spread over the track between its edges", () => {
  assert.deepEqual(
    STEPS.map((step) => xOf(step, STEPS, WIDTH)),
    [0, 20, 200, 220].map((px) => px + EDGE),
  );
  assert.equal(xOf(7, [7], WIDTH), EDGE, "of one snapshot alone");
});

test("a point of the track is its nearest snapshot's", () => {
  const expected = [
    [-50, 0],
    [EDGE + 10, 0],
    [EDGE + 11, 1],
    [EDGE + 109, 1],
    [EDGE + 111, 2],
    [WIDTH + 50, 3],
  ];
  for (const [x, at] of expected) assert.equal(nearest(x, STEPS, WIDTH), at, `at ${x} px`);
  STEPS.forEach((step, at) => {
    assert.equal(nearest(xOf(step, STEPS, WIDTH), STEPS, WIDTH), at);
  });
});

test("all is played in 8 seconds, but no slower and no faster than can be seen", () => {
  assert.deepEqual([8, 80, 4800].map(rate), [6, 10, 60]);
});

test("a late frame passes no more than one of 100 ms, and one before the click nothing", () => {
  assert.equal(passed(50, 80), 0.5);
  assert.equal(passed(5000, 80), 1);
  assert.equal(passed(-3, 80), 0);
});
