// @ts-check
// What can be seen of a layer, and what is said of it.

import { count, short } from "../lib/numbers.js";
/** @import { Kernel, Matrix, Spectrum } from "./types.d.ts" */

/**
 * What a row or column is called: "centre left" of a 3 x 3 kernel, else its number from 1.
 *
 * @param {number} at
 * @param {Kernel | null} kernel
 */
export function position(at, kernel) {
  if (!kernel) return String(at + 1);
  const [high, wide] = kernel;
  const [row, column] = [Math.floor(at / wide), at % wide];
  if (high !== 3 || wide !== 3) return `(${row + 1}, ${column + 1})`;
  const words = [["top", "", "bottom"][row], ["left", "", "right"][column]].filter(Boolean);
  return words.join(" ") || "centre";
}

/**
 * What is said of a cell.
 *
 * @param {Matrix} matrix
 * @param {{ n: number, kernel: Kernel | null }} layer
 * @param {number} row
 * @param {number} column
 */
export function cellWords(matrix, { n, kernel }, row, column) {
  const value = short(matrix.values[row * matrix.columns + column]);
  if (!matrix.whole) {
    const scale = n / matrix.rows;
    /** @param {number} at */
    const span = (at) => `${Math.floor(at * scale) + 1}–${Math.ceil((at + 1) * scale)}`;
    return `mean of rows ${span(row)}, columns ${span(column)}: ${value}`;
  }
  if (!matrix.square) return `row ${position(row, kernel)}, column ${column + 1}: ${value}`;
  if (kernel) return `${position(column, kernel)} → ${position(row, kernel)}: ${value}`;
  return `row ${row + 1}, column ${column + 1}: ${value}`;
}

/**
 * What blue and orange stand for.
 *
 * @param {number} range
 * @param {number} most the largest size of a value
 */
export function spreadWords(range, most) {
  const beyond = most > range * (1 + 1e-6) ? " and beyond" : "";
  return `−${short(range)}${beyond} blue to ${short(range)}${beyond} orange`;
}

/**
 * What is said of P's eigenvalues.
 *
 * @param {string} name of the layer
 * @param {number} n
 * @param {Spectrum} spectrum
 * @param {number} [step] of the matrix that is shown
 */
export function spectrumWords(name, n, spectrum, step) {
  const { kind, least, most, rank } = spectrum;
  if (kind === "not finite") return `P of ${name} is not finite at step ${count(spectrum.step)}.`;
  const at = spectrum.step === step ? "" : ` (step ${count(spectrum.step)})`;
  const definite = kind === "positive definite" || kind === "numerically singular";
  const condition = definite ? short(spectrum.condition) : "not defined";
  const logdet = Number.isNaN(spectrum.logdet) ? "not defined" : short(spectrum.logdet);
  return (
    `P of ${name} is ${kind}${at}: eigenvalues ${short(least)} to ${short(most)}, ` +
    `condition ${condition}, effective rank ${short(rank)} of ${n}, log-determinant ${logdet}.`
  );
}
