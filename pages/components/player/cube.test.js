// @ts-check
import assert from "node:assert/strict";
import test from "node:test";
import { cube, HIGH } from "./cube.js";
import { Orbit } from "./orbit.js";

/** @import { Axis } from "./types.d.ts" */

/**
 * @param {string} name
 * @param {string[]} texts
 * @returns {Axis}
 */
const axis = (name, texts) => ({ name, ticks: texts.map((text, n) => [n / (texts.length - 1) - 0.5, text]) });

/** @type {[Axis, Axis, Axis]} */
const AXES = [
  axis("x", ["−10", "−5", "0", "5", "10"]),
  axis("y", ["−2", "−1", "0", "1", "2"]),
  axis("f − f*, log scale", ["0.001", "0.01", "0.1", "1", "10", "100", "1,000"]),
];
const measure = (/** @type {string} */ text) => 6.5 * text.length;

/**
 * @param {number} yaw
 * @param {number} pitch
 * @param {number} width
 */
const viewed = (yaw, pitch, width) => {
  const area = { left: 0, top: 0, width, height: width + 56 };
  const projection = Object.assign(new Orbit(), { yaw, pitch }).projection(area);
  return { ...cube(projection, AXES, width, measure), projection };
};

test("no two texts of the axes touch, and all are in the picture, from wherever the box is seen", () => {
  for (const width of [660, 358])
    for (let yaw = -3.1; yaw < 3.2; yaw += 0.23)
      for (const pitch of [0.25, 0.6, 0.95, 1.2, 1.5]) {
        const { texts } = viewed(yaw, pitch, width);
        for (const [n, one] of texts.entries()) {
          assert.ok(one.x - one.width / 2 >= 0 && one.x + one.width / 2 <= width, `${one.text} at ${one.x}`);
          assert.ok(one.y - HIGH / 2 >= 0 && one.y + HIGH / 2 <= width + 56, `${one.text} at ${one.y}`);
          for (const other of texts.slice(0, n))
            assert.ok(
              Math.abs(one.x - other.x) > (one.width + other.width) / 2 || Math.abs(one.y - other.y) > HIGH,
              `${one.text} on ${other.text} from ${yaw}, ${pitch}`,
            );
        }
        for (const { name } of AXES) assert.ok(texts.some(({ text }) => text === name));
        assert.ok(texts.length >= 8, `${texts.length} from ${yaw}, ${pitch}`);
      }
});

test("as the page opens each axis has its ticks", () => {
  const { texts } = viewed(-0.6, 0.95, 660);
  for (const { ticks } of AXES)
    for (const [, text] of ticks.slice(0, 3)) assert.ok(texts.some((it) => it.text === text));
});

test("x and y are at the near edges of the floor, heights upright on the left", () => {
  const { texts, projection } = viewed(-0.6, 0.95, 660);
  const at = (/** @type {string} */ text) => texts.find((it) => it.text === text) ?? assert.fail(text);
  const middle = projection.y(0, 0, -0.5);
  assert.ok(at("x").y > middle && at("y").y > middle);
  const heights = ["0.01", "0.1", "100"].map(at);
  for (const { x, width } of heights)
    assert.ok(x + width / 2 < Math.min(projection.x(-0.5, -0.5), projection.x(-0.5, 0.5)));
  assert.ok(heights[0].y > heights[1].y && heights[1].y > heights[2].y);
  const [one, other] = [at("−5"), at("5")];
  assert.ok(Math.abs((one.x + other.x) / 2 - at("0").x) < 40);
});

test("walls are behind the surface: the two that the viewer looks at from inside", () => {
  for (const yaw of [-0.6, 0.8, 2.4, -2.4]) {
    const { edges, projection } = viewed(yaw, 0.6, 660);
    const { sine, cosine, x, y } = projection;
    const [u, v] = [Math.sign(sine) / 2, Math.sign(cosine) / 2]; // the corner that is farthest off
    const upright = edges.some(([x0, y0, x1, y1]) =>
      [x0 - x(u, v), x1 - x(u, v), y0 - y(u, v, -0.5), y1 - y(u, v, 0.5)].every((way) => Math.abs(way) < 1e-9),
    );
    assert.ok(upright);
    const front = edges.some(([x0, , x1]) => Math.abs(x0 - x(-u, -v)) + Math.abs(x1 - x(-u, -v)) < 1e-9);
    assert.ok(!front, "the nearest edge would cross the picture");
  }
});

test("an axis without ticks has its name", () => {
  const area = { left: 0, top: 0, width: 400, height: 456 };
  const none = cube(new Orbit().projection(area), [AXES[0], AXES[1], { name: "f", ticks: [] }], 400, measure);
  assert.ok(none.texts.some(({ text }) => text === "f"));
});
