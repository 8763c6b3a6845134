// @ts-check
import assert from "node:assert/strict";
import test from "node:test";
import { cellOf, chosenAfter, pinnedFirst, pinsAfter, sortAfter, sorted } from "./rows.js";

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

test("a pin takes the first free colour, keeps it, and gives it back", () => {
  const one = pinsAfter(new Map(), "a", 3);
  const two = pinsAfter(one, "b", 3);
  assert.deepEqual([...two], [["a", 0], ["b", 1]]); // biome-ignore format: pairs
  const later = pinsAfter(two, "a", 3);
  assert.deepEqual([...later], [["b", 1]], "b keeps its colour");
  assert.deepEqual([...pinsAfter(later, "c", 3)], [["b", 1], ["c", 0]]); // biome-ignore format: pairs
  assert.deepEqual([...pinsAfter(new Map([["a", 0]]), "b", 1)], [["a", 0]], "no colour is free");
  assert.deepEqual([...one], [["a", 0]], "what was before stays as it was");
});

test("pinned runs come first, as they were pinned, and the rest as it was", () => {
  const pins = new Map([["c", 0], ["gone", 1], ["a", 2]]); // biome-ignore format: pairs
  assert.deepEqual(pinnedFirst(["a", "b", "c", "d"], pins), ["c", "a", "b", "d"]);
  assert.deepEqual(pinnedFirst(["b"], new Map()), ["b"]);
});
