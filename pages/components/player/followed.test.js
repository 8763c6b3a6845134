// @ts-check
import assert from "node:assert/strict";
import test from "node:test";
import { flatView } from "./flat.js";
import { jacobianOf } from "./followed.js";
import { Scene } from "./scene.js";

/** @import { Jacobian } from "../lib/ellipses.js" */

const AREA = { left: 40, top: 10, width: 400, height: 200 };

/**
 * @param {Jacobian} jacobian
 * @param {number[]} expected
 */
const near = (jacobian, expected) =>
  jacobian.forEach((entry, i) => {
    assert.ok(Math.abs(entry - expected[i]) < 1e-6 * (1 + Math.abs(expected[i])), `${jacobian} is not ${expected}`);
  });

/** @type {import("./types.d.ts").Box} */
const BOX = [-1, 1, 1, 5];
/** @type {[number, number]} */
const LEVELS = [0, 1];

test("a flat view has the same px for x and for y everywhere, y upwards", () => {
  const view = flatView(AREA, [-2, 2], [1, 5]);
  near(jacobianOf(view, 0, 3), [100, 0, 0, -50]);
  near(jacobianOf(view, 1.9, 1), [100, 0, 0, -50]);
});

test("a view of very different sizes each way has those px", () => {
  near(jacobianOf(flatView(AREA, [-1e6, 1e6], [0, 1e-3]), 0, 5e-4), [2e-4, 0, 0, -2e5]);
});

test("in three dimensions what is turned is turned there", () => {
  /** @type {[import("./types.d.ts").Axis, import("./types.d.ts").Axis, import("./types.d.ts").Axis]} */
  const axes = [
    { name: "x", ticks: [] },
    { name: "y", ticks: [] },
    { name: "f", ticks: [] },
  ];
  const data = { size: 3, box: BOX, key: "", axes, levels: LEVELS, minima: [] };
  const level = new Scene(new Float32Array(9), data);
  Object.assign(level.orbit, { yaw: Math.PI / 2, pitch: Math.PI / 2 });
  const { scale } = level.orbit.projection(AREA);
  near(jacobianOf(level.view(AREA), 0, 3), [0, -scale / 4, -scale / 2, 0]);
});
