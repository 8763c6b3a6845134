// @ts-check
import assert from "node:assert/strict";
import test from "node:test";
import { flatView } from "./flat.js";
import { grabs } from "./grab.js";
import { Scene } from "./scene.js";

const SIZE = 61;
const AREA = { left: 0, top: 0, width: 640, height: 640 };

/**
 * A surface over -2 to 2 each way.
 *
 * @param {(x: number, y: number) => number} height
 */
const sceneOf = (height) =>
  new Scene(
    Float32Array.from({ length: SIZE * SIZE }, (_, at) =>
      height(-2 + (4 * (at % SIZE)) / (SIZE - 1), -2 + (4 * Math.floor(at / SIZE)) / (SIZE - 1)),
    ),
    {
      size: SIZE,
      box: [-2, 2, -2, 2],
      key: "",
      axes: [
        { name: "x", ticks: [] },
        { name: "y", ticks: [] },
        { name: "f", ticks: [] },
      ],
      levels: [-0.5, 0.1],
      minima: [],
    },
  );
const hills = sceneOf((x, y) => 0.25 * Math.sin(3 * x) + 0.25 * Math.cos(2.5 * y + x));

test("the start is grabbed from near it, by a finger from farther", () => {
  const view = flatView(AREA, [-2, 2], [-2, 2]);
  const [px, py] = [view.x(1, 0.5), view.y(1, 0.5)];
  /** @type {(away: number, finger: boolean) => boolean} */
  const from = (away, finger) => grabs(view, [1, 0.5], px + 0.6 * away, py - 0.8 * away, finger);
  assert.deepEqual([from(0, false), from(15, false), from(17, false)], [true, true, false]);
  assert.deepEqual([from(21, true), from(23, true)], [true, false]);
});

test("what the surface hides is not grabbed through it, nor what has no height", () => {
  const wall = sceneOf((_, y) => (Math.abs(y) < 0.15 ? 0.1 : -0.5));
  Object.assign(wall.orbit, { yaw: 0, pitch: 0.9 });
  const view = wall.view(AREA);
  /** @type {(y: number) => boolean} */
  const grabbed = (y) => grabs(view, [0.2, y], view.x(0.2, y), view.y(0.2, y), false);
  assert.deepEqual([-1, 0, 0.6, 1.9].map(grabbed), [true, true, false, true]);
  wall.orbit.yaw = Math.PI;
  const behind = wall.view(AREA);
  assert.ok(grabs(behind, [0.2, 0.6], behind.x(0.2, 0.6), behind.y(0.2, 0.6), false), "from the other side it is seen");
  const gap = sceneOf((x) => (x > 0 ? Number.NaN : 0));
  assert.ok(!grabs(gap.view(AREA), [1, 0], 320, 320, false));
});

test("what is dragged over hills is where the pointer is, from wherever they are seen, and beside them nowhere", () => {
  let [on, beside, most] = [0, 0, 0];
  for (const yaw of [-0.6, 0.4, 1.7, 3.3, 5])
    for (const pitch of [0.25, 0.6, 0.95, 1.5]) {
      Object.assign(hills.orbit, { yaw, pitch });
      const view = hills.view(AREA);
      for (let px = 3; px < AREA.width; px += 23)
        for (let py = 5; py < AREA.height; py += 19) {
          const point = hills.under(view, px, py);
          if (!point) {
            beside++;
            continue;
          }
          on++;
          most = Math.max(most, Math.hypot(view.x(...point) - px, view.y(...point) - py));
        }
    }
  assert.ok(on > 3000 && beside > 3000, `${on} on the surface, ${beside} beside it`);
  assert.ok(most < 0.5, `${most} px away`);
});
