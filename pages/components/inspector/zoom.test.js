// @ts-check
import assert from "node:assert/strict";
import test from "node:test";
import { around, cellAt, framed, resized, square } from "./zoom.js";

test("a square of cells stays within the matrix, and one as large as it is all of it", () => {
  assert.deepEqual(square(10, 20, 4, 40, 30), [8, 18, 4, 4]);
  assert.deepEqual(square(0, 40, 6, 40, 30), [0, 34, 6, 6]);
  assert.equal(square(10, 10, 30, 40, 30), null);
  assert.equal(square(10, 10, Infinity, 40, 30), null);
});

test("what a frame is drawn about is its middle and its longer side, at least four cells", () => {
  assert.deepEqual(framed([0, 0, 40, 40], [0.25, 0.5], [0.75, 0.6]), { x: 20, y: 22, size: 20 });
  assert.deepEqual(framed([10, 10, 10, 10], [0.5, 0.5], [0.6, 0.6]), { x: 15.5, y: 15.5, size: 4 });
});

test("a factor keeps the middle", () => {
  assert.deepEqual(resized([10, 20, 8, 8], 0.5), { x: 14, y: 24, size: 4 });
  assert.deepEqual(resized([10, 20, 8, 8], 2), { x: 14, y: 24, size: 16 });
});

test("a part moves no farther than the cell that left it", () => {
  assert.deepEqual(around([10, 10, 4, 4], 11, 12), [10, 10, 4, 4]);
  assert.deepEqual(around([10, 10, 4, 4], 9, 14), [11, 9, 4, 4]);
});

test("a point of the picture is a cell of the part that is shown", () => {
  assert.deepEqual(cellAt([10, 20, 4, 8], [0.5, 0.99]), [27, 12]);
  assert.equal(cellAt([0, 0, 4, 4], [1, 0.5]), null);
  assert.equal(cellAt([0, 0, 4, 4], [0.5, -0.01]), null);
});
