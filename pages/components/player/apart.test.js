// @ts-check
import assert from "node:assert/strict";
import test from "node:test";
import { keptApart } from "./apart.js";

test("texts that are apart stay where they are", () => {
  const texts = [
    { left: 0, y: 0, width: 60 },
    { left: 70, y: 0, width: 60 },
    { left: 0, y: 20, width: 60 },
  ];
  assert.deepEqual(keptApart(texts, 14), [0, 0, 20]);
});

test("one on another moves as little as it must, up or down", () => {
  const first = { left: 0, y: 0, width: 60 };
  assert.deepEqual(keptApart([first, { left: 50, y: 5, width: 60 }], 14), [0, 14]);
  assert.deepEqual(keptApart([first, { left: 50, y: -5, width: 60 }], 14), [0, -14]);
});

test("however many there are, none is on another", () => {
  const texts = [3, 1, 4, 1, 5, 9, 2, 6].map((y, i) => ({ left: 7 * i, y, width: 60 }));
  const kept = keptApart(texts, 14);
  kept.forEach((y, i) => {
    kept.slice(0, i).forEach((other, j) => {
      assert.ok(7 * (i - j) >= 60 || Math.abs(y - other) > 14 - 1e-9, `${i} on ${j}`);
    });
  });
});
