// @ts-check
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { emphasis } from "../lib/emphasis.js";
import { directionOf } from "./arrows.js";
import { flatView } from "./flat.js";
import { follow, marked, nearest, opacityOf } from "./paths.js";
import { Scene } from "./scene.js";

/** @import { Axis, SceneData } from "./types.d.ts" */

const AREA = { left: 40, top: 10, width: 400, height: 200 };
const flat = flatView(AREA, [-2, 2], [1, 5]);

const SIZE = 31;
/** @type {Axis} */
const NO_AXIS = { name: "", ticks: [] };
/** @type {SceneData} */
const SCENE = {
  size: SIZE,
  box: [-1, 1, 1, 5],
  key: "",
  axes: [NO_AXIS, NO_AXIS, NO_AXIS],
  levels: [0, 0.1],
  minima: [],
};
/**
 * A scene of heights of x and y.
 *
 * @param {(x: number, y: number) => number} height
 */
const sceneOf = (height) =>
  new Scene(
    Float32Array.from({ length: SIZE * SIZE }, (_, at) =>
      height(-1 + (2 * (at % SIZE)) / (SIZE - 1), 1 + (4 * Math.floor(at / SIZE)) / (SIZE - 1)),
    ),
    SCENE,
  );
const ridge = sceneOf((_, y) => (Math.abs(y - 3) < 0.2 ? 0.5 : -0.5));
ridge.orbit.yaw = 0;
ridge.orbit.pitch = 1;

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

test("the middle of a surface is in the middle of its picture, and what is higher is farther up", () => {
  const level = sceneOf(() => 0).view(AREA);
  near(level.x(0, 3), 200);
  near(level.y(0, 3), 100);
  assert.equal(level.span, 2);
  const high = sceneOf(() => 0.5);
  near(high.view(AREA).y(0, 3), 100 - high.orbit.projection(AREA).upright / 2);
});

test("a point of the picture is the point of the surface that is there, or none's", () => {
  const scene = sceneOf((x, y) => ((x + 1) * (y - 1)) / 8 - 0.5);
  const view = scene.view(AREA);
  for (const [x, y] of [
    [0.9, 4.8],
    [-0.3, 2.9],
    [0.013, 3.7],
  ]) {
    const [u, v] = scene.under(view, view.x(x, y), view.y(x, y)) ?? [];
    assert.ok(Math.abs(Number(u) - x) < 0.01 && Math.abs(Number(v) - y) < 0.01, `${u}, ${v} is not ${x}, ${y}`);
  }
  assert.equal(scene.under(view, -500, -500), null);
  const [, over] = ridge.under(ridge.view(AREA), ridge.view(AREA).x(0, 3.5), ridge.view(AREA).y(0, 3.5)) ?? [];
  assert.ok(Number(over) < 3.3, "what is behind the ridge is not what is clicked");
});

test("a surface hides what is behind its ridge, from that side alone", () => {
  const view = ridge.view(AREA);
  assert.deepEqual(
    [1.5, 2.5, 3, 3.5, 4.9].map((y) => view.hidden?.(0.1, y)),
    [false, false, false, true, false],
  );
  ridge.orbit.yaw = Math.PI;
  assert.deepEqual(
    [1.2, 2.5, 3.5].map((y) => ridge.view(AREA).hidden?.(0.1, y)),
    [false, true, false],
  );
  ridge.orbit.yaw = 0;
  ridge.orbit.pitch = 1.5;
  assert.equal(ridge.view(AREA).hidden?.(0.1, 3.5), false, "from above all is seen");
  ridge.orbit.pitch = 1;
  assert.equal(flat.hidden, undefined);
});

test("a path goes over the surface from point to point, and straight where that is flat", () => {
  const view = ridge.view(AREA);
  /** @type {number[]} */
  const heights = [];
  follow(view, 0, 2, 0, 4, (_px, py) => heights.push(py));
  assert.ok(heights.length > 10);
  assert.ok(Math.min(...heights) < view.y(0, 3) + 2, "up to the ridge");
  assert.equal(heights.at(-1), view.y(0, 4));
  let count = 0;
  follow(flat, 0, 2, 0, 4, (px, py) => {
    count++;
    assert.deepEqual([px, py], [flat.x(0, 4), flat.y(0, 4)]);
  });
  assert.equal(count, 1);
  follow(view, 0, 2, Number.NaN, 4, () => count++);
  assert.equal(count, 2, "what is no number has no way to it");
  assert.ok(Number(view.pieces?.(0, 0, 1e30, 0)) <= 400);
});

test("a way of no piece is shorter than can be seen", () => {
  const view = sceneOf((x, y) => 0.4 * Math.sin(40 * x) * Math.cos(17 * y)).view(AREA);
  let [none, some] = [0, 0];
  for (let n = 0; n < 5000; n++) {
    const [x, y, length, angle] = [(n * 0.377) % 2, (n * 0.731) % 4, 0.0001 * 1.002 ** n, n];
    const [x0, y0] = [x - 1, y + 1];
    const [x1, y1] = [x0 + length * Math.cos(angle), y0 + length * Math.sin(angle)];
    const far = Math.hypot(view.x(x1, y1) - view.x(x0, y0), view.y(x1, y1) - view.y(x0, y0));
    if (view.pieces?.(x0, y0, x1, y1) === 0) {
      assert.ok(far < 0.7, `${far} px`);
      none++;
    } else some++;
  }
  assert.ok(none > 500 && some > 500, `${none} of no piece, ${some} of some`);
});

test("steps 1, 10, 100 and so on have a symbol, where they were kept and are newly drawn", () => {
  const whole = { count: 200, steps: null };
  assert.deepEqual(marked(whole, 0, 199), [1, 10, 100]);
  assert.deepEqual(marked(whole, 1, 99), [10]);
  assert.deepEqual(marked({ count: 4, steps: [0, 1, 9, 100] }, 0, 3), [1, 3]);
});

test("a run is fainter while another is pointed at, while the hand is ahead of it, and most for both", () => {
  const late = opacityOf({ rule: "sgd", late: true });
  emphasis.point("fop");
  const opacities = [false, true].map((is) => opacityOf({ rule: "sgd", late: is }));
  assert.deepEqual([opacityOf({ rule: "fop" }), opacityOf({ rule: "fop", late: true })], [1, late]);
  emphasis.point(null);
  assert.ok(late < 0.5 && opacities[0] < 0.5);
  assert.equal(opacities[1], opacities[0] * late);
  assert.equal(opacityOf({ rule: "sgd" }), 1);
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

test("points and what hides them are where files in three dimensions have them", () => {
  const cases = JSON.parse(readFileSync(new URL("../../../tests/figures/solid.json", import.meta.url), "utf8"));
  const waves = Float32Array.from(
    { length: SIZE * SIZE },
    (_, at) => 0.5 * Math.sin(0.5 * (at % SIZE)) * Math.cos(0.35 * Math.floor(at / SIZE)),
  );
  for (const { orbit, width, height, points } of cases) {
    const scene = new Scene(waves, SCENE);
    Object.assign(scene.orbit, orbit);
    const view = scene.view({ left: 0, top: 0, width, height });
    for (const [x, y, px, py, hidden] of points) {
      near(view.x(x, y), px);
      near(view.y(x, y), py);
      assert.equal(view.hidden?.(x, y), hidden);
    }
  }
});
