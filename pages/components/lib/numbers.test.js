// @ts-check
import assert from "node:assert/strict";
import test from "node:test";
import { clamp, count, short } from "./numbers.js";

test("a number has three digits, commas, and a sign that is no hyphen", () => {
  const cases = /** @type {const} */ ([
    [0, "0"],
    [-0, "0"],
    [0.005, "0.00500"],
    [3.5844, "3.58"],
    [9.999, "10.0"],
    [-0.5, "−0.500"],
    [1230, "1,230"],
    [123456, "123,456"],
    [999499, "999,499"],
    [1e-4, "0.000100"],
    [0.00009994, "9.99e−5"],
    [1e-6, "1e−6"],
    [1.2e9, "1.2e9"],
    [-3.45e12, "−3.45e12"],
  ]);
  for (const [value, text] of cases) assert.equal(short(value), text);
});

test("what is no number is said in words and signs", () => {
  assert.deepEqual([Number.NaN, Infinity, -Infinity].map(short), ["not a number", "∞", "−∞"]);
});

test("counts have commas, and clamp keeps to its ends", () => {
  assert.equal(count(1234567), "1,234,567");
  assert.deepEqual(
    [-1, 0.5, 7].map((value) => clamp(value, 0, 3)),
    [0, 0.5, 3],
  );
  assert.equal(clamp(Infinity, 0, 6221), 6221);
});
