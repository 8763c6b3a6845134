// @ts-check
import assert from "node:assert/strict";
import test from "node:test";
import { before } from "./search.js";

test("the last index at or before a step is found in steps of any length", () => {
  for (let length = 1; length < 9; length++) {
    const steps = Array.from({ length }, (_, i) => 3 * i);
    for (let step = -1; step < 3 * length + 2; step++) {
      const expected = Math.max(
        0,
        steps.findLastIndex((each) => each <= step),
      );
      assert.equal(before(steps, step), expected, `${step} in ${steps}`);
    }
  }
});

test("Infinity stands for the last one", () => {
  assert.equal(before([0, 10, 20], Infinity), 2);
});
