// @ts-check
import assert from "node:assert/strict";
import test from "node:test";
import { afterKey, linesOf, valuesAt } from "./along.js";

const same = (/** @type {number} */ x) => x;

test("lines are the traces that have a name", () => {
  const traces = [
    { name: "FOP", line: { color: "#D9541E" }, x: [1], y: [2] },
    { x: [1], y: [2] },
    { name: "no points" },
    { name: "typed", x: new Float64Array([1]), y: new Float64Array([3]) },
  ];
  assert.deepEqual(
    linesOf(traces).map(({ name, color }) => [name, color]),
    [
      ["FOP", "#D9541E"],
      ["typed", ""],
    ],
  );
});

test("a line is worth what its nearest point is, between its ends or near them, where that is a number", () => {
  const line = (/** @type {string} */ name, /** @type {unknown[]} */ x, /** @type {unknown[]} */ y) => {
    return { name, color: "", x, y };
  };
  const lines = [
    line("near", [0, 10, 20], [1, 2, 3]),
    line("gap", [0, 10, 20], [1, null, Number.NaN]),
    line("hole", [null, 9, null], [5, 6, 7]),
    line("far", [100], [8]),
  ];
  assert.deepEqual(
    valuesAt(lines, 11, same, 5).map(({ name, value }) => [name, value]),
    [
      ["near", 2],
      ["hole", 6],
    ],
  );
  assert.deepEqual(
    valuesAt(lines, 1, Math.log10, 0.01).map(({ value }) => value),
    [2],
    "where the axis has the logarithm of 10",
  );
  const many = Array.from({ length: 9 }, (_, i) => line(`${i}`, [0], [i]));
  assert.equal(valuesAt(many, 0, same, 1).length, 6);
});

test("keys go along the axis, zoom around the place and back to all of it", () => {
  assert.deepEqual(afterKey("ArrowRight", null, [0, 100]), { at: 50, range: [0, 100] }, "in the middle first");
  assert.deepEqual(afterKey("ArrowRight", 50, [0, 100]), { at: 52, range: [0, 100] });
  assert.deepEqual(afterKey("ArrowLeft", 1, [0, 100]), { at: 0, range: [0, 100] });
  assert.deepEqual(afterKey("+", 20, [0, 100]), { at: 20, range: [10, 60] });
  assert.deepEqual(afterKey("-", 20, [10, 60]), { at: 20, range: [0, 100] });
  assert.deepEqual(afterKey("0", 20, [10, 60]), { at: 20, range: null });
  assert.deepEqual(afterKey("Escape", 20, [10, 60]), { at: null, range: [10, 60] });
  assert.deepEqual(afterKey("ArrowLeft", 900, [0, 100]), { at: 98, range: [0, 100] }, "one that is out of sight");
  assert.equal(afterKey("a", 20, [0, 100]), null);
});
