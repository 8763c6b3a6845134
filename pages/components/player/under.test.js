// @ts-check
import assert from "node:assert/strict";
import test from "node:test";
import { decoded, described, interpolated } from "./under.js";

/** @import { Box } from "./types.d.ts" */

/** @type {Box} */
const BOX = [-10, 10, -4, 16];
const SIZE = 21;

/**
 * @param {(x: number, y: number) => number} height
 * @returns {number[]}
 */
const grid = (height) =>
  Array.from({ length: SIZE * SIZE }, (_, at) => {
    const [row, column] = [Math.floor(at / SIZE), at % SIZE];
    return height(-10 + column, -4 + row);
  });

/**
 * Booth's function.
 *
 * @param {number} x
 * @param {number} y
 */
const booth = (x, y) => (x + 2 * y - 7) ** 2 + (2 * x + y - 5) ** 2;

/**
 * @param {number} value
 * @param {number} expected
 */
const near = (value, expected, within = 1e-9) =>
  assert.ok(Math.abs(value - expected) <= within * Math.max(1, Math.abs(expected)), `${value} is not ${expected}`);

test("a quadratic is exact between the points of its grid, at its edges too", () => {
  for (const log of [false, true]) {
    const base = log ? -1 : 0;
    const at = interpolated(
      grid((x, y) => (log ? Math.log10(booth(x, y) - base) : booth(x, y))),
      BOX,
      { base, log },
    );
    for (const [x, y] of [
      [0.3, -0.7],
      [1, 3],
      [-10, -4],
      [10, 16],
      [-9.9, 15.2],
      [9.4, -3.99],
    ]) {
      const value = at(x, y);
      assert.ok(value);
      near(value.f, booth(x, y));
      near(value.gx, 10 * x + 8 * y - 34);
      near(value.gy, 8 * x + 10 * y - 38);
    }
  }
});

test("what bends more is near the truth", () => {
  const wave = (/** @type {number} */ x, /** @type {number} */ y) => Math.sin(x / 2) * Math.cos(y / 3);
  const value = interpolated(grid(wave), BOX, { base: 0, log: false })(0.45, 2.6);
  assert.ok(value);
  near(value.f, wave(0.45, 2.6), 5e-3);
  near(value.gx, Math.cos(0.225) * Math.cos(2.6 / 3) * 0.5, 3e-2);
});

test("outside the box, and beside what is no number, nothing is known", () => {
  const at = interpolated(
    grid((x, y) => (x < 0 ? Number.NaN : x + y)),
    BOX,
    { base: 0, log: false },
  );
  assert.equal(at(10.001, 0), null);
  assert.equal(at(0, -4.001), null);
  assert.equal(at(0.5, 0), null, "one of the four points around is no number");
  assert.ok(at(1.5, 0));
  assert.equal(at(Number.NaN, 0), null);
});

test("heights are read from plotly's own JSON", () => {
  const bdata = Buffer.from(Float32Array.of(1.5, -2, Number.NaN).buffer).toString("base64");
  assert.deepEqual([...decoded({ dtype: "f4", bdata })], [1.5, -2, Number.NaN]);
  assert.throws(() => decoded({ dtype: "f8", bdata }), /f8, not f4/);
});

test("what is near is not said to be equal", () => {
  const value = { f: 1234.5, gx: -0.5, gy: 0 };
  assert.equal(described([1, -2], value, false), "(1.00, −2.00): f ≈ 1,235, ∇f ≈ (−0.500, 0)");
  assert.equal(described([1, -2], value, true), "(1.00, −2.00): f = 1,235, ∇f = (−0.500, 0)");
  assert.equal(described([1, -2], null, true), "(1.00, −2.00): f is not known here");
});
