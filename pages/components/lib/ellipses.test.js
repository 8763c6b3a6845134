// @ts-check
import assert from "node:assert/strict";
import test from "node:test";
import { axesOf, between, compared, ellipse } from "./ellipses.js";

/** @import { Jacobian } from "./ellipses.js" */
/** @import { Symmetric } from "./types.d.ts" */

/** @type {Jacobian} */
const UPRIGHT = [50, 0, 0, -50]; // a picture's y points down

/**
 * The symmetric matrix of an angle and two eigenvalues.
 *
 * @param {number} angle
 * @param {number} large
 * @param {number} small
 * @returns {Symmetric}
 */
function matrix(angle, large, small) {
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  return [large * c * c + small * s * s, (large - small) * c * s, large * s * s + small * c * c];
}

/**
 * @param {number} value
 * @param {number} expected
 */
const near = (value, expected) => assert.ok(Math.abs(value - expected) < 1e-9, `${value} is not ${expected}`);

test("a matrix has its axes back, the eigenvalue larger in size first", () => {
  for (const [angle, large, small] of [
    [0.3, 4, 1],
    [-1.2, 4, -1],
    [0.7, -4, 1],
    [1.1, -4, -1],
    [0.2, 100, 1e-4],
  ]) {
    const axes = axesOf(matrix(angle, large, small));
    assert.ok(axes);
    near(between(axes.angle, angle), 0);
    near(axes.large, large);
    near(axes.small, small);
  }
  assert.deepEqual(axesOf([2, 0, 2]), { angle: 0, large: 2, small: 2 });
});

test("what is not finite has no axes", () => {
  assert.equal(axesOf(null), null);
  for (const at of [0, 1, 2])
    for (const none of [Number.NaN, Number.POSITIVE_INFINITY]) {
      /** @type {Symmetric} */
      const wrong = [2, 0, 1];
      wrong[at] = none;
      assert.equal(axesOf(wrong), null);
    }
});

test("an ellipse is drawn to one size, turned against the plane's way, and never to nothing", () => {
  const { rx, ry, turn } = ellipse({ angle: Math.PI / 6, long: 4, wide: 1 }, UPRIGHT);
  near(rx, 1);
  near(ry, 0.25);
  near(between(turn, -Math.PI / 6), 0);
  assert.equal(ellipse({ angle: 0, long: 1, wide: 0 }, UPRIGHT).ry, 0.012);
  assert.equal(ellipse({ angle: 0, long: 0, wide: 0 }, UPRIGHT).ry, 0.012);
  assert.deepEqual(ellipse({ angle: 0, long: 1, wide: 1 }, [0, 0, 0, 0]), { rx: 0.012, ry: 0.012, turn: 0 });
});

test("a picture that stretches the plane stretches its ellipses", () => {
  const across = ellipse({ angle: 0, long: 2, wide: 1 }, [10, 0, 0, -40]);
  near(across.ry, 0.5); // 20 px across, 40 px up
  near(between(across.turn, Math.PI / 2), 0);
  // A circle that is sheared: the singular values of [[1, 1], [0, 1]] are the golden ratio and its inverse.
  const sheared = ellipse({ angle: 0.4, long: 1, wide: 1 }, [1, 1, 0, 1]);
  near(sheared.ry, 1 / ((1 + Math.sqrt(5)) / 2) ** 2);
});

test("directions without a sense are at most 90 degrees apart", () => {
  near(between(0, Math.PI), 0);
  near(between(0.1, 0.1 - Math.PI / 3), 60);
  near(between(0, (2 * Math.PI) / 3), 60);
  near(between(0, Math.PI / 2), 90);
});

test("a P that is the inverse Hessian has its ellipse and is 0 degrees away", () => {
  const shown = compared([0.125, 0, 0.5], [8, 0, 2]);
  assert.ok(shown?.newton);
  const [learned, newton] = [shown.learned, shown.newton].map((shape) => ellipse(shape, UPRIGHT));
  near(between(newton.turn, learned.turn), 0);
  near(newton.ry, learned.ry);
  assert.deepEqual(shown.lines, [
    "P: eigenvalues 0.500, 0.125",
    "H⁻¹: 4.00 times as long as wide",
    "P: 4.00 times as long as wide, 0° away from H⁻¹",
  ]);
});

test("a round P has no direction that could be away", () => {
  assert.equal(compared([1, 0, 1], [8, 0, 2])?.lines[2], "P: 1.00 times as long as wide");
  assert.match(compared([2, 0, 0.5], [8, 0, 2])?.lines[2] ?? "", /^P: 4.00 times as long as wide, 90° away/);
});

test("what is indefinite is said", () => {
  const shown = compared([2, 0, -1], [4, 0, -2]);
  assert.deepEqual([shown?.indefinite, shown?.negative], [true, true]);
  assert.equal(shown?.lines[0], "P: eigenvalues 2.00, −1.00, not positive definite");
  assert.equal(shown?.lines[1], "|H|⁻¹, dashed: here H has a negative eigenvalue, −2.00");
  assert.match(shown?.lines[2] ?? "", /90° away from \|H\|⁻¹$/);
});

test("an eigenvalue 0 is not a negative one", () => {
  const shown = compared([2, 0, 0], [4, 0, 0]);
  assert.deepEqual([shown?.indefinite, shown?.negative], [false, false]);
  assert.equal(shown?.lines[2], "P: ∞ times as long as wide");
});

test("a Hessian with an eigenvalue 0, but for rounding, has no inverse", () => {
  for (const [curved, flat] of [
    [4, 0],
    [4, 1e-12],
    [4e8, 1e-3],
    [4, -1e-12],
  ]) {
    const shown = compared([2, 0, 1], [curved, 0, flat]);
    assert.equal(shown?.newton, null);
    assert.equal(shown?.lines[1], "H is singular here: it has an eigenvalue 0 and no inverse");
  }
});

test("what is not finite is not drawn", () => {
  assert.equal(compared([2, Number.NaN, 1], [4, 0, 2]), null);
  assert.equal(compared(null, [4, 0, 2]), null);
  const shown = compared([2, 0, 1], [Number.NaN, Number.NaN, Number.NaN]);
  assert.equal(shown?.newton, null);
  assert.equal(shown?.lines[1], "The Hessian is not finite here.");
});
