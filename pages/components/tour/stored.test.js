// @ts-check
import assert from "node:assert/strict";
import test from "node:test";
import { ENDED, INVITATION, shown } from "./stored.js";

test("who opens the app for the first time is invited, and nobody who came by a link", () => {
  assert.equal(shown(null, true, 1, 5), INVITATION);
  assert.equal(shown(null, false, 2, 5), null);
});

test("a tour that has begun is shown wherever the reader goes, until it is ended", () => {
  for (const opening of [true, false]) {
    assert.equal(shown("3", opening, 0, 5), 3);
    assert.equal(shown(ENDED, opening, 2, 5), null);
  }
});

test("what another version of the tour may have kept is no stop", () => {
  for (const stored of ["6", "0", "-1", "1.5", "x", ""]) {
    assert.equal(shown(stored, false, 0, 5), null);
    assert.equal(shown(stored, true, 1, 5), INVITATION);
  }
});

test("the browser's Back from one stop to another shows that one", () => {
  assert.equal(shown("4", false, 3, 5), 3);
});
