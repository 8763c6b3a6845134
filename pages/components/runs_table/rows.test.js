// @ts-check
import assert from "node:assert/strict";
import test from "node:test";
import { cellOf, chosenAfter, sortAfter, sorted } from "./rows.js";

/** @import { Cell } from "./types.d.ts" */

const ids = ["a", "b", "c", "d"];

/** @param {Cell[]} cells one for each id */
const rowOf = (cells) => (/** @type {string} */ id) => ({
  id,
  symbol: "",
  color: "",
  share: null,
  cells: ["state", cells[ids.indexOf(id)]],
});

test("a text alone is sorted by itself", () => {
  assert.deepEqual(cellOf("mnist"), { words: "mnist", value: "mnist" });
  assert.deepEqual(cellOf(["97.1 %", 0.971, "of 3"]), { words: "97.1 %", value: 0.971, hint: "of 3" });
});

test("numbers are sorted by size and texts by the numbers in them, what is not known last both ways", () => {
  const numbers = rowOf([
    ["10 s", 10],
    ["–", null],
    ["9 s", 9],
    ["100 s", 100],
  ]);
  assert.deepEqual(sorted(ids, numbers, 1, false), ["c", "a", "d", "b"]);
  assert.deepEqual(sorted(ids, numbers, 1, true), ["d", "a", "c", "b"]);
  const small = rowOf([
    ["", 0.5],
    ["", 0.25],
    ["", -1],
    ["", -2],
  ]);
  assert.deepEqual(sorted(ids, small, 1, false), ["d", "c", "b", "a"]);
  const texts = rowOf(["run 10", "run 9", "Run 1", "run 10"]);
  assert.deepEqual(sorted(ids, texts, 1, false), ["c", "b", "a", "d"], "equal ones as they came");
});

test("a head is clicked for one way, the other way, and none; numbers begin with the largest", () => {
  const first = sortAfter(null, "best", true);
  assert.deepEqual(first, { name: "best", down: true, flipped: false });
  const second = sortAfter(first, "best", true);
  assert.deepEqual(second, { name: "best", down: false, flipped: true });
  assert.equal(sortAfter(second, "best", true), null);
  assert.deepEqual(sortAfter(second, "name", false), { name: "name", down: false, flipped: false });
});

test("a click chooses one run alone, or none where it was alone", () => {
  const plain = { more: false, range: false };
  assert.deepEqual(chosenAfter(["a", "b"], "b", ids, plain), ["b"]);
  assert.deepEqual(chosenAfter(["b"], "b", ids, plain), []);
});

test("with more a click adds or takes one", () => {
  const more = { more: true, range: true };
  assert.deepEqual(chosenAfter(["a"], "c", ids, more), ["a", "c"]);
  assert.deepEqual(chosenAfter(["a", "c"], "a", ids, more), ["c"]);
});

test("with a range a click adds all from the last chosen one on, upwards too", () => {
  const range = { more: false, range: true };
  assert.deepEqual(chosenAfter(["b"], "d", ids, range), ["b", "c", "d"]);
  assert.deepEqual(chosenAfter(["a", "d"], "b", ids, range), ["a", "d", "b", "c"]);
  assert.deepEqual(chosenAfter([], "b", ids, range), ["b"]);
  assert.deepEqual(
    chosenAfter(["gone"], "b", ids, range),
    ["gone", "a", "b"],
    "of one that is not shown, from the top",
  );
});
