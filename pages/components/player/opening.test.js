// @ts-check
import assert from "node:assert/strict";
import test from "node:test";
import { beginning, linked, telling } from "./opening.js";

test("the opening plays once in a visit, and stands still for who wants no motion", () => {
  const first = { opening: true, opened: false, still: false };
  assert.equal(beginning(first), "play");
  assert.equal(beginning({ ...first, opened: true }), "end");
  assert.equal(beginning({ ...first, still: true }), "still");
  assert.equal(beginning({ ...first, still: true, opened: true }), "end");
});

test("a race of the reader's is shown at its end", () => {
  for (const still of [false, true]) assert.equal(beginning({ opening: false, opened: false, still }), "end");
});

test("a run is stood still in its middle", () => {
  assert.deepEqual([0, 1, 29, 30].map(telling), [0, 0, 14, 15]);
});

test("a link's step is read, and nothing else that an address may end with", () => {
  assert.deepEqual(["#step=240", "#step=0"].map(linked), [240, 0]);
  for (const other of ["", "#", "#step=", "#step=-1", "#step=1.5", "#step=1234567890", "#steps=3", "#step=3;"])
    assert.equal(linked(other), null);
});
