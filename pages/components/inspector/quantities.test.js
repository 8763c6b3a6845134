// @ts-check
import assert from "node:assert/strict";
import test from "node:test";
import { cellWords, position, spectrumWords, spreadWords } from "./quantities.js";

/** @import { Kernel } from "./types.d.ts" */

const matrix = {
  ...{ values: Float64Array.of(0, 0.25, -0.5, 1), rows: 2, columns: 2, step: 10, whole: true, square: true },
};
/** @type {Kernel} */
const THREE = [3, 3];

test("positions of a 3 x 3 kernel have names, of others numbers", () => {
  assert.deepEqual(
    [0, 1, 2, 3, 4, 8].map((at) => position(at, THREE)),
    ["top left", "top", "top right", "left", "centre", "bottom right"],
  );
  assert.equal(position(7, [5, 5]), "(2, 3)");
  assert.equal(position(7, [3, 5]), "(2, 3)");
  assert.equal(position(7, null), "8");
});

test("a cell says its position and its value", () => {
  assert.equal(cellWords(matrix, { n: 2, kernel: null }, 1, 0), "row 2, column 1: −0.500");
  assert.equal(cellWords(matrix, { n: 9, kernel: THREE }, 0, 1), "top → top left: 0.250");
  assert.equal(cellWords({ ...matrix, square: false }, { n: 9, kernel: THREE }, 1, 1), "row top, column 2: 1.00");
  assert.equal(
    cellWords({ ...matrix, whole: false }, { n: 5, kernel: null }, 0, 1),
    "mean of rows 1–3, columns 3–5: 0.250",
    "an area that another one overlaps",
  );
});

test("a range that values pass says so", () => {
  assert.equal(spreadWords(0.5, 0.5), "−0.500 blue to 0.500 orange");
  assert.equal(spreadWords(0.5, 0.6), "−0.500 and beyond blue to 0.500 and beyond orange");
});

test("a spectrum is described as far as it is defined", () => {
  const spectrum = { least: 0.5, most: 2, condition: 4, rank: 1.6, logdet: 0, kind: "positive definite", step: 1000 };
  assert.equal(
    spectrumWords("3.weight", 2, spectrum, 1000),
    "P of 3.weight is positive definite: eigenvalues 0.500 to 2.00, condition 4.00, effective rank 1.60 of 2, log-determinant 0.",
  );
  assert.match(spectrumWords("3.weight", 2, spectrum, 1200), /definite \(step 1,000\): /);
  const indefinite = { ...spectrum, kind: "indefinite", logdet: Number.NaN };
  assert.match(spectrumWords("a", 2, indefinite, 1000), /condition not defined, .*log-determinant not defined\.$/);
  assert.equal(spectrumWords("a", 2, { ...spectrum, kind: "not finite" }, 1000), "P of a is not finite at step 1,000.");
});
