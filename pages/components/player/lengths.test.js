// @ts-check
import assert from "node:assert/strict";
import test from "node:test";
import { commonFactor, factorOf, factorText } from "./lengths.js";

test("an arrow that can be seen has its own length", () => {
  for (const length of [18, 40, 90]) assert.equal(factorOf(length), 1);
  assert.equal(factorText(1), "");
});

test("a longer or shorter one is brought between by a round number", () => {
  assert.deepEqual([91, 200, 16_000].map(factorOf), [1 / 2, 1 / 5, 1 / 200]);
  assert.deepEqual([17, 9, 2, 1e-3].map(factorOf), [2, 2, 10, 20_000]);
  for (let length = 1e-12; length < 1e12; length *= 1.7) {
    const drawn = length * factorOf(length);
    assert.ok(drawn >= 18 && drawn <= 90, `${length} px are drawn as ${drawn}`);
  }
});

test("arrows that are compared have the factor of the longest, and so the ratio of their lengths", () => {
  const [long, short] = /** @type {[number, number][]} */ ([
    [0, 200],
    [3, 4],
  ]);
  assert.equal(commonFactor([short, long]), 1 / 5);
  assert.equal(commonFactor([short]), 5);
  assert.equal(commonFactor([[Number.POSITIVE_INFINITY, 0], short, [Number.NaN, 1]]), 5);
  assert.equal(commonFactor([]), 1);
});

test("what has no length, or none that is a number, stays so", () => {
  assert.equal(factorOf(0), 1);
  assert.equal(factorOf(Number.NaN), 1);
});

test("the number is written beside it", () => {
  assert.deepEqual([1 / 2, 1 / 200, 2, 20_000, 5e9].map(factorText), [" ÷ 2", " ÷ 200", " × 2", " × 20,000", " × 5e9"]);
});
