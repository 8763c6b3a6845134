// @ts-check
// P of M, quantities of P, its eigenvectors, and what it does to patterns over a kernel. Matrices lie row after row.

/** @import { Kernel, Quantity } from "./types.d.ts" */

const SWEEPS = 40;

/**
 * P [n, n] of M [n, k], as fop_core.inspection.preconditioner has it, times a scale.
 *
 * @param {Float32Array} M
 * @param {number} n
 * @param {number} k
 * @param {string} form
 * @param {number} scale
 */
export function preconditioner(M, n, k, form, scale) {
  const P = new Float64Array(n * n);
  if (form === "direct") return P.map((_, i) => M[i] * scale);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = form === "low_rank" && i === j ? 1 : 0;
      for (let a = i * k, b = j * k, end = a + k; a < end; a++, b++) sum += M[a] * M[b];
      P[i * n + j] = sum * scale;
      P[j * n + i] = sum * scale;
    }
  }
  return P;
}

/** @param {Float64Array} matrix */
const norm = (matrix) => Math.sqrt(matrix.reduce((sum, value) => sum + value * value, 0));

/**
 * A quantity of P: itself, P - I, P over its norm, or what is left after a I + c 11^T is fitted.
 *
 * @param {Float64Array} P
 * @param {number} n
 * @param {Quantity} quantity
 */
export function quantityOf(P, n, quantity) {
  const values = Float64Array.from(P);
  if (quantity === "change") for (let i = 0; i < n; i++) values[i * n + i] -= 1;
  if (quantity === "shape") {
    const size = norm(P);
    return values.map((value) => value / size);
  }
  if (quantity === "rest") {
    let [diagonal, all] = [0, 0];
    for (let i = 0; i < n; i++) diagonal += P[i * n + i];
    for (const value of P) all += value;
    const beside = (all - diagonal) / Math.max(n * (n - 1), 1);
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) values[i * n + j] -= i === j ? diagonal / n : beside;
  }
  return values;
}

/**
 * Eigenvalues, descending, and eigenvectors of a symmetric matrix, by Jacobi's rotations. A vector's largest entry is
 * positive; of a matrix that is not finite all are NaN.
 *
 * @param {Float64Array} matrix [n, n]
 * @param {number} n
 */
export function eigen(matrix, n) {
  const A = Float64Array.from(matrix, (value, at) => (value + matrix[(at % n) * n + Math.floor(at / n)]) / 2);
  const size = norm(A);
  if (!Number.isFinite(size))
    return Array.from({ length: n }, () => ({ value: Number.NaN, vector: new Float64Array(n).fill(Number.NaN) }));
  const V = rotated(A, n, size);
  const order = [...Array(n).keys()].sort((a, b) => A[b * n + b] - A[a * n + a]);
  return order.map((column) => {
    const vector = Float64Array.from({ length: n }, (_, i) => V[i * n + column]);
    const biggest = vector.reduce((best, value) => (Math.abs(value) > Math.abs(best) + 1e-9 ? value : best), 0);
    return { value: A[column * n + column], vector: biggest < 0 ? vector.map((value) => -value) : vector };
  });
}

/**
 * Makes A diagonal in place; returns the rotation, whose columns are the eigenvectors.
 *
 * @param {Float64Array} A symmetric
 * @param {number} n
 * @param {number} size its norm
 */
function rotated(A, n, size) {
  const V = new Float64Array(n * n);
  for (let i = 0; i < n; i++) V[i * n + i] = 1;
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    let off = 0;
    for (let p = 0; p < n; p++) for (let q = 0; q < p; q++) off += A[p * n + q] ** 2;
    if (!(Math.sqrt(off) > 1e-13 * size)) break;
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        if (A[p * n + q] === 0) continue;
        const theta = (A[q * n + q] - A[p * n + p]) / (2 * A[p * n + q]);
        const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
        const c = 1 / Math.hypot(t, 1);
        const s = t * c;
        for (let i = 0; i < n; i++) {
          const [a, b] = [A[i * n + p], A[i * n + q]];
          A[i * n + p] = c * a - s * b;
          A[i * n + q] = s * a + c * b;
          const [v, w] = [V[i * n + p], V[i * n + q]];
          V[i * n + p] = c * v - s * w;
          V[i * n + q] = s * v + c * w;
        }
        for (let i = 0; i < n; i++) {
          const [a, b] = [A[p * n + i], A[q * n + i]];
          A[p * n + i] = c * a - s * b;
          A[q * n + i] = s * a + c * b;
        }
      }
    }
  }
  return V;
}

/**
 * The orthonormal cosines over so many positions, the constant one first.
 *
 * @param {number} size
 */
const cosines = (size) =>
  Array.from({ length: size }, (_, u) =>
    Array.from(
      { length: size },
      (_, i) => Math.sqrt((u ? 2 : 1) / size) * Math.cos((Math.PI * (2 * i + 1) * u) / (2 * size)),
    ),
  );

/**
 * By how much P lengthens the cosine patterns of a kernel: v' P v, the constant one first.
 *
 * @param {Float64Array} P
 * @param {Kernel} kernel
 */
export function gains(P, [high, wide]) {
  const [down, across] = [cosines(high), cosines(wide)];
  const n = high * wide;
  return Float64Array.from({ length: n }, (_, at) => {
    const [u, v] = [Math.floor(at / wide), at % wide];
    const pattern = Float64Array.from({ length: n }, (_, i) => down[u][Math.floor(i / wide)] * across[v][i % wide]);
    let sum = 0;
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) sum += pattern[i] * P[i * n + j] * pattern[j];
    return sum;
  });
}

/**
 * The largest size of values that are finite; 0 of none.
 *
 * @param {Float32Array | Float64Array} values
 */
export function largest(values) {
  let most = 0;
  for (const value of values) if (Math.abs(value) > most && Number.isFinite(value)) most = Math.abs(value);
  return most;
}
