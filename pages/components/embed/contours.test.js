// @ts-check
import assert from "node:assert/strict";
import test from "node:test";
import { flatView } from "../player/flat.js";
import { fillBands, levelLines, shareOf } from "./contours.js";

const colors = { paper: "#FFFFFF", ink: "", muted: "", grid: "", low: "#000000", high: "#FFFFFF", level: "" };

/**
 * A grid over the square from -1 to 1.
 *
 * @param {number} size
 * @param {(x: number, y: number) => number} f
 * @returns {import("./types.d.ts").Heights}
 */
function gridOf(size, f) {
  const at = (/** @type {number} */ i) => -1 + (2 * i) / (size - 1);
  const values = Array.from({ length: size * size }, (_, k) => f(at(k % size), at(Math.floor(k / size))));
  return { values, size, box: [-1, 1, -1, 1], top: Math.max(...values.filter(Number.isFinite)) };
}

test("between the points of a grid heights are what is linear each way, and outside there are none", () => {
  const f = (/** @type {number} */ x, /** @type {number} */ y) => 8 + 6 * x - 2 * y + x * y;
  const heights = gridOf(5, f);
  const side = 40;
  const view = flatView({ left: 0, top: 0, width: 80, height: 80 }, [-1.5, 1.5], [-1.2, 1.8]);
  const pixels = new Uint32Array(side * side);
  fillBands(pixels, side, side, heights, view, colors);
  for (let at = 0; at < pixels.length; at++) {
    const x = view.toX(2 * ((at % side) + 0.5));
    const y = view.toY(2 * (Math.floor(at / side) + 0.5));
    const grey = Math.round(255 * shareOf(f(x, y), heights.top));
    const inside = Math.abs(x) <= 1 && Math.abs(y) <= 1;
    assert.equal(pixels[at], inside ? ((255 << 24) | (grey * 0x10101)) >>> 0 : 0, `${x} ${y}`);
  }
});

test("the lines of a level lie on it, join, and go once around a hill", () => {
  const size = 41;
  const { values } = gridOf(size, (x, y) => 1 - x * x - y * y);
  const segments = levelLines(values, size, 0.503); // at no point of the grid
  /** @type {Record<string, number>} */
  const ends = {};
  let turned = 0;
  for (const [u0, v0, u1, v1] of segments) {
    for (const [u, v] of [
      [u0, v0],
      [u1, v1],
    ]) {
      const [x, y] = [u / 20 - 1, v / 20 - 1];
      assert.ok(Math.abs(Math.hypot(x, y) - Math.sqrt(0.497)) < 0.01);
      const key = `${u.toFixed(6)} ${v.toFixed(6)}`;
      ends[key] = (ends[key] ?? 0) + 1;
    }
    const angle = Math.atan2(v1 - 20, u1 - 20) - Math.atan2(v0 - 20, u0 - 20);
    turned += Math.abs(angle > Math.PI ? angle - 2 * Math.PI : angle < -Math.PI ? angle + 2 * Math.PI : angle);
  }
  assert.deepEqual([...new Set(Object.values(ends))], [2]);
  assert.ok(Math.abs(turned - 2 * Math.PI) < 1e-9);
});

test("each way in which a level can cross a cell parts the corners above it from those below", () => {
  for (let bits = 0; bits < 16; bits++) {
    const [ll, lr, ur, ul] = [0, 1, 2, 3].map((bit) => (bits >> bit) & 1);
    const segments = levelLines([ll, lr, ul, ur], 2, 0.5);
    const crossed = [ll !== lr, lr !== ur, ul !== ur, ll !== ul].filter(Boolean).length;
    assert.equal(segments.length, crossed / 2, `${bits}`);
    for (const [u0, v0, u1, v1] of segments)
      for (const at of [u0, v0, u1, v1]) assert.ok(at === 0 || at === 0.5 || at === 1);
  }
});

test("a cell with a corner that is no number has no line, and no colour", () => {
  const { values, ...grid } = gridOf(3, (x) => (x < -0.5 ? NaN : x));
  assert.ok(levelLines(values, 3, 0.5).every(([u0, , u1]) => u0 >= 1 && u1 >= 1));
  const pixels = new Uint32Array(64);
  fillBands(
    pixels,
    8,
    8,
    { values, ...grid },
    flatView({ left: 0, top: 0, width: 8, height: 8 }, [-1, 1], [-1, 1]),
    colors,
  );
  assert.ok(pixels.every((color, at) => (color === 0) === at % 8 < 4));
});

test("bands are one colour from level to level, and lighter the higher", () => {
  const heights = gridOf(65, (x) => 4 * x); // levels at 0, 1, 2, 3
  const pixels = new Uint32Array(64);
  fillBands(pixels, 64, 1, heights, flatView({ left: 0, top: 0, width: 64, height: 1 }, [-1, 1], [-1, 1]), colors);
  const greys = [...pixels].map((color) => color & 255);
  assert.equal(new Set(greys).size, 5); // all below the lowest level are one
  assert.deepEqual(
    greys,
    greys.toSorted((one, other) => one - other),
  );
  assert.deepEqual([greys[0], greys[63]], [Math.round(255 * shareOf(-4, 4)), Math.round(255 * shareOf(3.9, 4))]);
});
