// @ts-check
import assert from "node:assert/strict";
import test from "node:test";
import { directionOf } from "./arrows.js";
import { flatView } from "./flat.js";
import { marked, nearest } from "./paths.js";
import { Scene } from "./scene.js";

/** @import { Box } from "./types.d.ts" */

const AREA = { left: 40, top: 10, width: 400, height: 200 };
const flat = flatView(AREA, [-2, 2], [1, 5]);

/** @type {Box} */
const BOX = [-1, 1, 1, 5];
/**
 * What bilinear cells have exactly.
 *
 * @param {number} x
 * @param {number} y
 */
const saddle = (x, y) => ((x + 1) * (y - 1)) / 8 - 0.5;
const scene = new Scene(
  Float32Array.from({ length: 9 }, (_, at) => saddle((at % 3) - 1, 1 + 2 * Math.floor(at / 3))),
  3,
  BOX,
  "",
);

/**
 * @param {number} value
 * @param {number} expected
 */
const near = (value, expected) => assert.ok(Math.abs(value - expected) < 1e-9, `${value} is not ${expected}`);

test("a flat view has y upwards, and leads back to the plane", () => {
  assert.deepEqual([flat.x(-2, 1), flat.y(-2, 1)], [0, 200]);
  assert.deepEqual([flat.x(2, 5), flat.y(2, 5)], [400, 0]);
  near(flat.toX(flat.x(0.3, 1)), 0.3);
  near(flat.toY(flat.y(0.3, 1)), 1);
  assert.equal(flat.span, 4);
  assert.notEqual(flat.key, flatView(AREA, [-2, 2], [1, 6]).key);
});

test("heights between the corners of a grid are bilinear, and outside those of its edge", () => {
  for (const [x, y] of [
    [-1, 1],
    [-0.3, 2.9],
    [0.6, 4.5],
    [1, 5],
  ])
    near(scene.height(x, y), saddle(x, y));
  const tent = new Scene(Float32Array.of(0, 0, 0, 0, 0.4, 0, 0, 0, 0), 3, BOX, "");
  for (const x of [-0.5, 0.5]) for (const y of [2, 4]) assert.ok(Math.abs(tent.height(x, y) - 0.1) < 1e-7);
  near(scene.height(9, 2), saddle(1, 2));
  near(scene.height(0.5, -9), saddle(0.5, 1));
});

test("the middle of a surface is in the middle of its picture, and what is higher is farther up", () => {
  const level = new Scene(new Float32Array(9), 3, BOX, "").view(AREA);
  near(level.x(0, 3), 200);
  near(level.y(0, 3), 100);
  assert.equal(level.span, 2);
  const high = new Scene(new Float32Array(9).fill(0.5), 3, BOX, "").view(AREA);
  near(high.y(0, 3), 100 - 0.68 * 200 * Math.cos(0.95) * 0.62 * 0.5);
});

test("a surface seen from above is its plane, turned", () => {
  const above = new Scene(new Float32Array(9), 3, BOX, "");
  Object.assign(above, { yaw: 0, pitch: Math.PI / 2 });
  const view = above.view(AREA);
  near(view.x(1, 3) - view.x(-1, 3), 0.68 * 200);
  near(view.y(0, 1) - view.y(0, 5), 0.68 * 200);
  above.yaw = Math.PI / 2;
  const turned = above.view(AREA);
  near(turned.y(-1, 3) - turned.y(1, 3), 0.68 * 200);
  near(turned.x(0, 1) - turned.x(0, 5), 0.68 * 200);
});

test("a point of the picture is the nearest corner's, or none's", () => {
  const view = scene.view(AREA);
  for (const corner of /** @type {[number, number][]} */ ([
    [1, 5],
    [-1, 3],
  ]))
    assert.deepEqual(scene.under(view, view.x(...corner) + 3, view.y(...corner) - 3), corner);
  assert.equal(scene.under(view, -500, -500), null);
});

test("steps 1, 10, 100 and so on have a symbol, where they were kept and are newly drawn", () => {
  const whole = { count: 200, steps: null };
  assert.deepEqual(marked(whole, 0, 199), [1, 10, 100]);
  assert.deepEqual(marked(whole, 1, 99), [10]);
  assert.deepEqual(marked({ count: 4, steps: [0, 1, 9, 100] }, 0, 3), [1, 3]);
});

test("the mouse is over the nearest drawn point, of runs as near over the topmost", () => {
  const below = { x: [0, 1], y: [2, 2], drawn: 1 };
  const above = { x: [0, 1.1], y: [2, 2], drawn: 0 };
  const at = (/** @type {number} */ x, /** @type {number} */ y) =>
    nearest([below, above], flat, flat.x(x, y), flat.y(x, y));
  assert.deepEqual(at(0, 2), { run: above, index: 0 });
  assert.deepEqual(at(1.09, 2), { run: below, index: 1 }, "what is not drawn yet is not there");
  assert.equal(at(0.5, 2), null);
});

test("an angle of the plane is a direction of the picture, where it has one", () => {
  const square = flatView({ ...AREA, width: 200 }, [0, 1], [0, 1]);
  const [ux, uy] = directionOf(square, { x: 0.5, y: 0.5 }, Math.PI / 2) ?? [];
  near(Number(ux), 0);
  near(Number(uy), -1);
  const [vx, vy] = directionOf(flat, { x: 0, y: 0 }, Math.PI / 4) ?? [];
  near(Number(vx), 2 / Math.sqrt(5)); // x is drawn twice as wide as y is high
  near(Number(vy), -1 / Math.sqrt(5));
  assert.equal(directionOf(square, { x: 0, y: 0 }, Number.NaN), null);
});
