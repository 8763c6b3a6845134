// @ts-check
import assert from "node:assert/strict";
import test from "node:test";
import { height, pathOf, shareAt } from "./geometry.js";

const axes = {
  x: { px: (/** @type {string | number} */ value) => 10 * Number(value) },
  y: { px: (/** @type {string | number} */ value) => 100 - Number(value) },
};

test("the space inside the margins gets its aspect, between the least and the most", () => {
  const data = { aspect: 2, margin: { l: 50, r: 10, t: 20, b: 30 } };
  /** @type {(least: number, most: number) => [number, number]} */
  const heights = (least, most) => [least, most];
  assert.equal(height({ ...data, heights: heights(0, 999) }, 460), 250);
  assert.equal(
    height({ ...data, heights: heights(0, 999) }, 460, 48),
    278,
    "a finger's buttons in place of the margin",
  );
  assert.equal(height({ ...data, heights: heights(300, 999) }, 460), 300);
  assert.equal(height({ ...data, heights: heights(0, 240) }, 460), 240);
});

test("a path has a gap where a height is missing or is not on the axis", () => {
  assert.equal(pathOf([0, 1, 2, 3, 4], [1, 2, null, 4, 5], axes), "M0.0,99.0L10.0,98.0M30.0,96.0L40.0,95.0");
  assert.equal(pathOf([0, 1, 2], [1, Infinity, 3], axes), "M0.0,99.0M20.0,97.0");
  assert.equal(pathOf([0], [null], axes), "");
});

test("a step's share of an axis is linear in the step or in its logarithm", () => {
  assert.equal(shareAt({ type: "linear", range: [50, 250] }, 100), 0.25);
  assert.equal(shareAt({ type: "log", range: [0, 4] }, 100), 0.5);
  assert.equal(shareAt({ type: "log", range: [0, 4] }, 0), 0, "which has no logarithm");
  assert.equal(shareAt({ type: "linear", range: [0, 200] }, Infinity), Infinity);
});
