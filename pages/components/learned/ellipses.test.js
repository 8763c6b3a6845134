// @ts-check
import assert from "node:assert/strict";
import test from "node:test";
import { between, compared, ellipse } from "./ellipses.js";

/**
 * @param {number} value
 * @param {number} expected
 */
const near = (value, expected) => assert.ok(Math.abs(value - expected) < 1e-9, `${value} is not ${expected}`);

test("an ellipse is drawn to one size, turned as SVG turns, and never to nothing", () => {
  const { rx, ry, rotate } = ellipse(Math.PI / 6, 4, 1);
  assert.deepEqual([rx, ry], [1, 0.25]);
  near(rotate, -30);
  assert.equal(ellipse(0, 1, 0).ry, 0.012);
  assert.deepEqual(ellipse(0, 0, 0).rx, 0.012);
});

test("directions without a sense are at most 90 degrees apart", () => {
  near(between(0, Math.PI), 0);
  near(between(0.1, 0.1 - Math.PI / 3), 60);
  near(between(0, (2 * Math.PI) / 3), 60);
  near(between(0, Math.PI / 2), 90);
});

test("a P that is the inverse Hessian has its ellipse and is 0 degrees away", () => {
  const shown = compared([Math.PI / 2, 0.5, 0.125], [0, 8, 2]);
  assert.ok(shown?.newton);
  near(shown.newton.rotate, shown.learned.rotate);
  assert.deepEqual([shown.newton.rx, shown.newton.ry], [shown.learned.rx, shown.learned.ry]);
  assert.deepEqual(shown.lines, [
    "P: eigenvalues 0.500, 0.125",
    "H⁻¹: 4.00 times as long as wide",
    "P: 4.00 times as long as wide, 0° away from H⁻¹",
  ]);
});

test("a round P has no direction that could be away", () => {
  assert.equal(compared([0, 1, 1], [0, 8, 2])?.lines[2], "P: 1.00 times as long as wide");
  assert.match(compared([0, 2, 0.5], [0, 8, 2])?.lines[2] ?? "", /^P: 4.00 times as long as wide, 90° away/);
});

test("what is indefinite is said", () => {
  const shown = compared([0, 2, -1], [0, 4, -2]);
  assert.deepEqual([shown?.indefinite, shown?.negative], [true, true]);
  assert.equal(shown?.lines[0], "P: eigenvalues 2.00, −1.00, not positive definite");
  assert.equal(shown?.lines[1], "|H|⁻¹, dashed: here H has a negative eigenvalue, −2.00");
  assert.match(shown?.lines[2] ?? "", /90° away from \|H\|⁻¹$/);
});

test("an eigenvalue 0 is not a negative one", () => {
  const shown = compared([0, 2, 0], [0, 4, 0]);
  assert.deepEqual([shown?.indefinite, shown?.negative], [false, false]);
  assert.equal(shown?.lines[2], "P: ∞ times as long as wide");
});

test("a Hessian with an eigenvalue 0, but for rounding, has no inverse", () => {
  for (const [curved, flat] of [
    [4, 0],
    [4, 1e-12],
    [4e8, 1e-3],
  ]) {
    const shown = compared([0, 2, 1], [0, curved, flat]);
    assert.equal(shown?.newton, null);
    assert.equal(shown?.lines[1], "H is singular here: it has an eigenvalue 0 and no inverse");
  }
});

test("what is not finite is not drawn", () => {
  for (const none of [0, 1, 2]) {
    const [angle, large, small] = [0, 2, 1].map((value, i) => (i === none ? null : value));
    assert.equal(compared([angle, large, small], [0, 4, 2]), null);
  }
  assert.equal(compared(undefined, [0, 4, 2]), null);
  const shown = compared([0, 2, 1], [null, null, null]);
  assert.equal(shown?.newton, null);
  assert.equal(shown?.lines[1], "The Hessian is not finite here.");
});
