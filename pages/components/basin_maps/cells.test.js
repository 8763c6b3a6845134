// @ts-check
import assert from "node:assert/strict";
import test from "node:test";
import { CONVERGED, colorOf, DIVERGED, isStriped, LIMIT, palette, SHADES, shades, wordsOf } from "./cells.js";

const theme = {
  paper: "#FFFFFF",
  ink: "#000000",
  muted: "#808080",
  grid: "#E9ECF0",
  low: "#FFFFFF",
  high: "#D3DDE9",
  level: "",
};
const minima = [
  { name: "A (3.00, 2.00)", color: "#FF0000", note: "" },
  { name: "B (0.00, 0.00)", color: "#0000FF", note: "" },
];

/**
 * @param {number} minimum from 1; 0 for none
 * @param {number} status
 */
const kind = (minimum, status) => minimum | (status << 4);

/** @param {number} of @param {number} steps */
const words = (of, steps) => {
  const axis = { title: "", cells: ["−1.5", "0.0", "1.5"], ticks: [] };
  const data = {
    ...{ x: axis, y: axis, spot: "({x}, {y})", crosses: [], ring: null, titles: [], maps: [], opens: "" },
    ...{
      themes: { light: theme, dark: theme },
      minima,
      limit: 5000,
      kinds: new ArrayBuffer(),
      steps: new ArrayBuffer(),
    },
  };
  return wordsOf({ ...data, range: [1, 10] }, 0, 2, of, steps);
};

test("a cell says at which minimum its path ended, after how many steps, and why", () => {
  assert.equal(words(kind(1, CONVERGED), 1234), "(−1.5, 1.5): minimum A (3.00, 2.00) after 1,234 steps");
  assert.equal(words(0b10_0000, 3), "(−1.5, 1.5): diverged at step 3", "as Python numbers it");
  assert.equal(words(kind(0, CONVERGED), 7), "(−1.5, 1.5): converged after 7 steps");
  assert.equal(words(kind(0, LIMIT), 5000), "(−1.5, 1.5): not converged in 5,000 steps");
  assert.equal(words(kind(2, LIMIT), 5000), "(−1.5, 1.5): not converged in 5,000 steps, but at minimum B (0.00, 0.00)");
  assert.equal(words(kind(0, DIVERGED), 12), "(−1.5, 1.5): diverged at step 12");
  assert.equal(words(kind(0, DIVERGED), 0), "(−1.5, 1.5): f is not finite there");
});

test("a ramp goes from a minimum's own colour to a pale one", () => {
  const { ramps, idle, ground } = palette(minima, theme);
  assert.equal(ramps.length, 3);
  assert.deepEqual(ramps[1][0], [255, 0, 0]);
  assert.deepEqual(ramps[1][SHADES - 1], [255, 189, 189]);
  assert.deepEqual(ramps[0][0], [128, 128, 128], "of what has none");
  assert.deepEqual(
    [idle, ground],
    [
      [194, 194, 194],
      [240, 240, 240],
    ],
  );
});

test("shades go by the logarithm of steps, and stay at the ends of the range", () => {
  const shade = shades([0, 63], 100);
  assert.equal(shade.length, 101);
  assert.deepEqual([shade[0], shade[7], shade[63], shade[100]], [0, 32, 63, 63]);
  assert.deepEqual([...shades([5, 5], 9)].slice(4, 7), [0, 0, 63], "a range of one count");
});

test("each kind of cell has its colour and its stripes", () => {
  const colors = palette(minima, theme);
  const shade = shades([0, 63], 100);
  assert.equal(colorOf(colors, shade, kind(2, CONVERGED), 7), colors.ramps[2][32]);
  assert.equal(colorOf(colors, shade, kind(2, LIMIT), 100), colors.ramps[2][SHADES - 1]);
  assert.equal(colorOf(colors, shade, kind(0, LIMIT), 100), colors.idle);
  assert.equal(colorOf(colors, shade, kind(0, DIVERGED), 3), colors.ground);
  assert.deepEqual(
    [kind(2, CONVERGED), kind(2, LIMIT), kind(0, LIMIT), kind(0, DIVERGED)].map((each) => [
      isStriped(each, LIMIT),
      isStriped(each, DIVERGED),
    ]),
    [
      [false, false],
      [true, false],
      [false, false],
      [false, true],
    ],
  );
});
