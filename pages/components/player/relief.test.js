// @ts-check
import assert from "node:assert/strict";
import test from "node:test";
import { Relief } from "./relief.js";

const SIZE = 41;

/** Smooth hills, the same at every run. */
const hills = new Relief(
  Float32Array.from({ length: SIZE * SIZE }, (_, at) => {
    const [a, b] = [at % SIZE, Math.floor(at / SIZE)];
    return 0.2 * Math.sin(a / 4) + 0.2 * Math.cos(b / 5 + a / 11) + 0.05;
  }),
  SIZE,
);

/**
 * A wall along row 10, as high as 0.4, on a floor of -0.5.
 *
 * @param {number} at
 */
const wall = (at) => (Math.floor(at / 21) === 10 ? 0.4 : -0.5);
const walled = new Relief(
  Float32Array.from({ length: 21 * 21 }, (_, at) => wall(at)),
  21,
);

/**
 * @param {number} value
 * @param {number} expected
 */
const near = (value, expected, margin = 1e-6) =>
  assert.ok(Math.abs(value - expected) < margin, `${value} is not ${expected}`);

/** @param {(a: number, b: number, height: number, sight: import("./relief.js").Sight) => void} act */
function everywhere(act) {
  for (const yaw of [0.1, 1, 2.2, 3.9, 5.5])
    for (const rise of [0.01, 0.03, 0.08])
      for (let a = 1.3; a < SIZE - 1; a += 3.1)
        for (let b = 1.2; b < SIZE - 1; b += 2.7)
          act(a, b, hills.height(a, b), { a: -Math.sin(yaw), b: -Math.cos(yaw), rise });
}

test("heights between the corners of a grid are bilinear, and outside those of its edge", () => {
  const tent = new Relief(Float32Array.of(0, 0, 0, 0, 0.4, 0, 0, 0, 0), 3);
  for (const a of [0.5, 1.5]) for (const b of [0.5, 1.5]) near(tent.height(a, b), 0.1);
  near(tent.height(1, 1), 0.4);
  const slope = new Relief(Float32Array.of(0, 0.1, 0.2, 0.3), 2);
  near(slope.height(0.3, 0.6), 0.03 + 0.12);
  near(slope.height(9, 0.5), 0.2);
  near(slope.height(0.5, -9), 0.05);
});

test("a wall hides what is behind it and below the way over it", () => {
  const sight = (/** @type {number} */ rise) => ({ a: 0, b: -1, rise });
  assert.ok(walled.hides(5.5, 15, -0.5, sight(0.1), 0));
  assert.ok(!walled.hides(5.5, 15, -0.5, sight(0.19), 0), "the way is over the wall");
  assert.ok(!walled.hides(5.5, 5, -0.5, sight(0.1), 0), "it stands behind");
  assert.ok(!walled.hides(5.5, 15, 0.45, sight(0.1), 0), "the point is higher");
  assert.ok(!walled.hides(5.5, 15, -0.5, sight(0.17), 0.1), "what is above by less than the margin hides nothing");
  assert.ok(!walled.hides(25, 15, -0.5, sight(0.1), 0), "there is no wall beside the grid");
  assert.ok(walled.hides(5.5, 35, -0.5, sight(0.01), 0), "a point outside may be behind it too");
  assert.ok(walled.hides(2, 13, -0.5, { a: Math.SQRT1_2, b: -Math.SQRT1_2, rise: 0.1 }, 0), "aslant");
});

test("a gap in the surface hides nothing", () => {
  const gap = new Relief(
    Float32Array.from({ length: 21 * 21 }, (_, at) => (wall(at) > 0 && at % 21 < 8 ? Number.NaN : wall(at))),
    21,
  );
  const sight = { a: 0, b: -1, rise: 0.1 };
  assert.ok(!gap.hides(5, 15, -0.5, sight, 0));
  assert.ok(gap.hides(15, 15, -0.5, sight, 0));
});

test("what is hidden is what the surface is above of somewhere on the way to the viewer", () => {
  const margin = 0.01;
  let [hidden, clear] = [0, 0];
  everywhere((a, b, height, sight) => {
    let most = Number.NEGATIVE_INFINITY;
    for (let way = 0; way < 2 * SIZE; way += 0.05) {
      const [u, v] = [a + way * sight.a, b + way * sight.b];
      if (u < 0 || v < 0 || u > SIZE - 1 || v > SIZE - 1) break;
      most = Math.max(most, hills.height(u, v) - height - way * sight.rise);
    }
    if (Math.abs(most - margin) < 0.004) return; // between two lines of the grid a surface may be a bit higher
    assert.equal(hills.hides(a, b, height, sight, margin), most > margin);
    if (most > margin) hidden++;
    else clear++;
  });
  assert.ok(hidden > 300 && clear > 300, `${hidden} hidden, ${clear} not`);
});

test("the first point along a line of sight is the one that nothing hides", () => {
  let [count, nearer, missed] = [0, 0, 0];
  everywhere((a, b, height, sight) => {
    const way = (height + 0.5) / sight.rise;
    const first = hills.first(a - way * sight.a, b - way * sight.b, sight);
    if (!first) {
      missed++; // a line that touches the surface and no more
      return;
    }
    const [u, v] = first;
    const along = (u - a) * sight.a + (v - b) * sight.b; // from the point towards the viewer
    near(a + along * sight.a, u, 1e-6);
    near(b + along * sight.b, v, 1e-6);
    near(hills.height(u, v), height + along * sight.rise, 0.01);
    if (along < -0.1) missed++;
    else if (hills.hides(a, b, height, sight, 0.01)) nearer += along > 0.1 ? 1 : 0;
    else if (!hills.hides(a, b, height, sight, -0.01)) {
      near(along, 0, 0.1);
      count++;
    }
  });
  assert.ok(count > 100 && nearer > 100 && missed < 10, `${count}, ${nearer} nearer, ${missed} missed`);
  assert.equal(hills.first(-30, -30, { a: -1, b: 0, rise: 0.1 }), null);
});
