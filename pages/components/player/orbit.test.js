// @ts-check
import assert from "node:assert/strict";
import test from "node:test";
import { Orbit } from "./orbit.js";

const AREA = { left: 0, top: 0, width: 660, height: 716 };

/**
 * @param {number} value
 * @param {number} expected
 */
const near = (value, expected) => assert.ok(Math.abs(value - expected) < 1e-9, `${value} is not ${expected}`);

/** @param {(orbit: Orbit) => void} act */
function around(act) {
  for (let yaw = -3; yaw < 3.2; yaw += 0.37)
    for (const pitch of [0.25, 0.6, 0.95, 1.5]) act(Object.assign(new Orbit(), { yaw, pitch }));
}

test("the middle of the box is in the middle of the picture, and what is higher is farther up", () => {
  around((orbit) => {
    const { x, y } = orbit.projection(AREA);
    near(x(0, 0), 330);
    near(y(0, 0, 0), 358);
    assert.ok(y(0, 0, 0.5) < 352);
  });
});

test("from above the box is the plane, turned", () => {
  const above = Object.assign(new Orbit(), { yaw: 0, pitch: Math.PI / 2 });
  const width = above.scale(AREA);
  const { x, y } = above.projection(AREA);
  near(x(0.5, 0) - x(-0.5, 0), width);
  near(y(0, -0.5, 0) - y(0, 0.5, 0), width);
  above.yaw = Math.PI / 2;
  const turned = above.projection(AREA);
  near(turned.y(-0.5, 0, 0) - turned.y(0.5, 0, 0), width);
  near(turned.x(0, -0.5) - turned.x(0, 0.5), width);
});

test("the whole box is in the picture, with room for texts, from wherever it is seen", () => {
  for (const area of [AREA, { ...AREA, width: 358, height: 414 }, { ...AREA, width: 300, height: 300 }])
    around((orbit) => {
      const { x, y } = orbit.projection(area);
      for (const u of [-0.5, 0.5])
        for (const v of [-0.5, 0.5])
          for (const z of [-0.5, 0.5]) {
            assert.ok(x(u, v) > 39 && x(u, v) < area.width - 39);
            assert.ok(y(u, v, z) > 10 && y(u, v, z) < area.height - 10);
          }
    });
});

test("a point of the picture leads back to the box's floor, and towards the viewer nothing moves", () => {
  around((orbit) => {
    orbit.approach(3, AREA, 300, 400);
    const { x, y, floor, sine, cosine, rise } = orbit.projection(AREA);
    const [u, v] = floor(x(0.2, -0.3), y(0.2, -0.3, -0.5));
    near(u, 0.2);
    near(v, -0.3);
    near(x(0.2 - 0.1 * sine, -0.3 - 0.1 * cosine), x(0.2, -0.3));
    near(y(0.2 - 0.1 * sine, -0.3 - 0.1 * cosine, 0.1 * rise), y(0.2, -0.3, 0));
  });
});

test("coming nearer keeps the point of the picture where it is, and going back puts the whole in its middle", () => {
  const orbit = new Orbit();
  const [u, v] = orbit.projection(AREA).floor(300, 400);
  orbit.approach(2, AREA, 300, 400);
  orbit.approach(1.5, AREA, 300, 400);
  const { x, y } = orbit.projection(AREA);
  near(x(u, v), 300);
  near(y(u, v, -0.5), 400);
  near(orbit.scale(AREA), 3 * new Orbit().scale(AREA));
  orbit.approach(1e9, AREA, 0, 0);
  assert.equal(orbit.zoom, 12);
  orbit.approach(1e-9, AREA, 17, 3);
  near(orbit.projection(AREA).x(0, 0), 330);
  assert.deepEqual({ ...orbit }, { ...new Orbit(), right: orbit.right, up: orbit.up });
});

test("what is moved goes with the hand, and stays in the picture", () => {
  const orbit = new Orbit();
  orbit.approach(3, AREA);
  const before = orbit.projection(AREA);
  orbit.pan(20, 30, AREA);
  const after = orbit.projection(AREA);
  near(after.x(0, 0) - before.x(0, 0), 20);
  near(after.y(0, 0, 0) - before.y(0, 0, 0), 30);
  orbit.pan(1e6, -1e6, AREA);
  const { x, y } = orbit.projection(AREA);
  const inside = [-0.5, 0.5].some((u) => [-0.5, 0.5].some((v) => x(u, v) < AREA.width && y(u, v, -0.5) > 0));
  assert.ok(inside);
  const whole = new Orbit();
  whole.pan(50, 50, AREA);
  near(whole.projection(AREA).x(0, 0), 330); // where all of it is in sight nothing moves
});

test("it is turned all around, never from below, and a reset undoes all", () => {
  const orbit = new Orbit();
  orbit.turn(100, 9);
  assert.ok(Math.abs(orbit.yaw) < 2 * Math.PI && orbit.pitch < Math.PI / 2);
  orbit.turn(0, -9);
  assert.ok(orbit.pitch > 0);
  orbit.approach(4, AREA, 1, 1);
  orbit.reset();
  assert.deepEqual({ ...orbit }, { ...new Orbit() });
  assert.equal(orbit.key, new Orbit().key);
});
