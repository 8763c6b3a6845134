// @ts-check
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { clamp, count, short } from "./numbers.js";

test("a number is written as fop_core.formatting.number writes it", () => {
  const cases = new URL("../../../tests/figures/numbers.json", import.meta.url);
  for (const [value, text] of JSON.parse(readFileSync(cases, "utf8"))) assert.equal(short(Number(value)), text);
});

test("counts have commas, and clamp keeps to its ends", () => {
  assert.equal(count(1234567), "1,234,567");
  assert.deepEqual(
    [-1, 0.5, 7].map((value) => clamp(value, 0, 3)),
    [0, 0.5, 3],
  );
  assert.equal(clamp(Infinity, 0, 6221), 6221);
});
