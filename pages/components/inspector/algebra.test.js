// @ts-check
import assert from "node:assert/strict";
import test from "node:test";
import { eigen, gains, largest, preconditioner, quantityOf } from "./algebra.js";

/**
 * @param {ArrayLike<number>} values
 * @param {ArrayLike<number>} expected
 */
function near(values, expected, tolerance = 1e-12) {
  assert.equal(values.length, expected.length);
  for (let i = 0; i < values.length; i++)
    assert.ok(Math.abs(values[i] - expected[i]) <= tolerance, `${i}: ${values[i]} is not ${expected[i]}`);
}

/** Numbers that look random and are the same each time. */
function drawn(/** @type {number} */ count) {
  let state = 1;
  return Float64Array.from({ length: count }, () => {
    state = (state * 16807) % 2147483647;
    return state / 2147483647 - 0.5;
  });
}

/**
 * A A^T, which is symmetric.
 *
 * @param {number} n
 */
function symmetric(n) {
  const A = drawn(n * n);
  return Float64Array.from({ length: n * n }, (_, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    let sum = 0;
    for (let k = 0; k < n; k++) sum += A[i * n + k] * A[j * n + k];
    return sum - (i === j ? 0.3 : 0);
  });
}

test("P of each form is what the paper's equations make of M", () => {
  const M = Float32Array.of(1, 2, 3, 4);
  near(preconditioner(M, 2, 2, "factored", 1), [5, 11, 11, 25]);
  near(preconditioner(M, 2, 2, "factored", 0.5), [2.5, 5.5, 5.5, 12.5]);
  near(preconditioner(Float32Array.of(1, -2, 3), 3, 1, "low_rank", 1), [2, -2, 3, -2, 5, -6, 3, -6, 10]);
  near(preconditioner(M, 2, 2, "direct", 2), [2, 4, 6, 8]);
});

test("quantities are P less the identity, over its norm, and less its even diagonal and constant direction", () => {
  const P = Float64Array.of(3, 1, 1, 5);
  near(quantityOf(P, 2, "P"), [3, 1, 1, 5]);
  near(quantityOf(P, 2, "change"), [2, 1, 1, 4]);
  near(quantityOf(P, 2, "shape"), [3 / 6, 1 / 6, 1 / 6, 5 / 6]);
  near(quantityOf(P, 2, "rest"), [-1, 0, 0, 1]);
  near(P, [3, 1, 1, 5]);
});

test("nothing is left of a I + c 11^T", () => {
  const P = Float64Array.from({ length: 81 }, (_, at) => (at % 10 ? 0 : 1.7) - 0.3);
  near(quantityOf(P, 9, "rest"), new Float64Array(81));
});

test("Jacobi's eigenvectors are orthonormal, of their eigenvalues, and these descend", () => {
  for (const n of [1, 2, 9, 25]) {
    const A = symmetric(n);
    const pairs = eigen(A, n);
    pairs.forEach(({ value, vector }, at) => {
      const image = Float64Array.from({ length: n }, (_, i) => vector.reduce((sum, v, j) => sum + A[i * n + j] * v, 0));
      near(
        image,
        vector.map((v) => value * v),
        1e-11,
      );
      pairs.forEach((other, b) => {
        near([vector.reduce((sum, v, i) => sum + v * other.vector[i], 0)], [at === b ? 1 : 0], 1e-11);
      });
      assert.ok(at === 0 || pairs[at - 1].value >= value);
      assert.ok(Math.max(...vector) >= -Math.min(...vector) - 1e-9, "the largest entry is positive");
    });
  }
});

test("eigenvalues of a matrix that is known are exact, negative ones too", () => {
  const pairs = eigen(Float64Array.of(1, 2, 2, 1), 2);
  near(
    pairs.map(({ value }) => value),
    [3, -1],
    1e-14,
  );
});

test("of a matrix that is not finite nothing is known", () => {
  const [{ value, vector }] = eigen(Float64Array.of(Infinity, 0, 0, 1), 2);
  assert.ok(Number.isNaN(value) && vector.every(Number.isNaN));
});

test("each cosine pattern has the gain that P has along it", () => {
  near(
    gains(
      Float64Array.from({ length: 36 }, (_, at) => (at % 7 ? 0 : 1)),
      [2, 3],
    ),
    new Float64Array(6).fill(1),
  );
  near(gains(new Float64Array(36).fill(1 / 6), [2, 3]), [1, 0, 0, 0, 0, 0]);
  // 3 w w^T of the pattern that changes its sign from the upper row to the lower one.
  const w = [1, 1, 1, -1, -1, -1].map((sign) => sign / Math.sqrt(6));
  const P = Float64Array.from({ length: 36 }, (_, at) => 3 * w[Math.floor(at / 6)] * w[at % 6]);
  near(gains(P, [2, 3]), [0, 0, 0, 3, 0, 0]);
});

test("the largest size is of what is finite", () => {
  assert.equal(largest(Float64Array.of(1, -3, Number.NaN, Infinity)), 3);
  assert.equal(largest(new Float64Array()), 0);
});
