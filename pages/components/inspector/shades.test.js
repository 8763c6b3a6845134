// @ts-check
import assert from "node:assert/strict";
import test from "node:test";
import { pixel } from "../lib/colors.js";
import { cellNumber, INK, inkOn, shade } from "./shades.js";

test("values go from blue over white to orange, and stay there beyond the range", () => {
  assert.equal(shade(-2, 2), pixel([0x2a, 0x62, 0xc4]));
  assert.equal(shade(0, 2), pixel([255, 255, 255]));
  assert.equal(shade(2, 2), pixel([0xd9, 0x54, 0x1e]));
  assert.equal(shade(99, 2), shade(2, 2));
  assert.notEqual(shade(1, 2), shade(2, 2));
  assert.equal(shade(0.5, 0), shade(0.5, 1), "a range of 0 counts as 1");
});

test("what is no number is grey, not white", () => {
  for (const value of [Number.NaN, Infinity]) assert.equal(shade(value, 2), pixel([150, 150, 150]));
});

test("numbers in cells are short, and white where the cell is dark", () => {
  assert.deepEqual([0.004, -0.25, 1.5, -12.34, Number.NaN].map(cellNumber), ["0", "−.25", "1.50", "−12.3", "–"]);
  assert.deepEqual([inkOn(0.7, 1), inkOn(-0.8, 1)], [INK, "#fff"]);
});
