// @ts-check
import assert from "node:assert/strict";
import test from "node:test";
import { Orbit } from "./orbit.js";
import { paletteOf, rasterize, SHADES, TONES, tonesOf } from "./raster.js";

/** Numbers in place of colours: 1 more than where in a palette they stand. */
const NUMBERS = Uint32Array.from({ length: 2 * SHADES * TONES }, (_, at) => at + 1);
const N = 230;
const NO_LEVELS = /** @type {[number, number]} */ ([1e6, 1e6]);

/**
 * Side (1 from below), shade and tone of a pixel of NUMBERS; null where there is none.
 *
 * @param {number} pixel
 */
function read(pixel) {
  if (!pixel) return null;
  const at = pixel - 1;
  return { under: Math.floor(at / (SHADES * TONES)), shade: Math.floor(at / TONES) % SHADES, tone: at % TONES };
}

/**
 * The mesh of a function over the box, as an orbit sees it on a picture.
 *
 * @param {number} size
 * @param {(u: number, v: number) => number} value
 * @param {Orbit} orbit
 * @param {{ left: number, top: number, width: number, height: number }} area
 */
function meshOf(size, value, orbit, area) {
  const { x, y, sine, cosine } = orbit.projection(area);
  const at = Array.from({ length: size * size }, (_, n) => [
    (n % size) / (size - 1) - 0.5,
    Math.floor(n / size) / (size - 1) - 0.5,
  ]);
  const heights = Float32Array.from(at, ([u, v]) => value(u, v));
  return {
    size,
    heights,
    x: Float32Array.from(at, ([u, v]) => x(u, v)),
    y: Float32Array.from(at, ([u, v], n) => y(u, v, heights[n])),
    tones: Float32Array.from(at, ([u, v]) => 0.5 + 0.4 * u - 0.5 * v),
    away: at.map(([u, v]) => sine * u + cosine * v),
    sine,
    cosine,
  };
}

test("a level square has each of its pixels, and no other", () => {
  const mesh = {
    size: 3,
    x: Float32Array.of(2, 7, 12, 2, 7, 12, 2, 7, 12),
    y: Float32Array.of(11, 11, 11, 6, 6, 6, 1, 1, 1),
    heights: new Float32Array(9),
    tones: new Float32Array(9).fill(0.5),
    sine: 0,
    cosine: 1,
  };
  const pixels = new Uint32Array(14 * 14);
  rasterize(pixels, 14, 14, mesh, NO_LEVELS, NUMBERS, 1);
  for (let row = 0; row < 14; row++)
    for (let column = 0; column < 14; column++) {
      const inside = column >= 2 && column < 12 && row >= 1 && row < 11;
      assert.equal(pixels[row * 14 + column] > 0, inside, `${column}, ${row}`);
    }
  assert.equal(read(pixels[3 * 14 + 3])?.under, 0, "its upper side");
});

test("of what lies over one another the nearest is in the picture, as comparing all depths has it", () => {
  const area = { left: 0, top: 0, width: N, height: N };
  const value = (/** @type {number} */ u, /** @type {number} */ v) => 0.45 * Math.sin(9 * u + 2) * Math.cos(7 * v);
  let [compared, folded] = [0, 0];
  for (const [yaw, pitch] of [
    [-0.6, 0.5],
    [0.9, 0.3],
    [2.2, 0.7],
    [-2.5, 0.25],
  ]) {
    const mesh = meshOf(13, value, Object.assign(new Orbit(), { yaw, pitch }), area);
    const { size, x, y, tones, away } = mesh;
    const pixels = new Uint32Array(N * N);
    rasterize(pixels, N, N, mesh, NO_LEVELS, NUMBERS, 1);
    const triangles = Array.from({ length: size - 1 }, (_, j) =>
      Array.from({ length: size - 1 }, (_, i) => {
        const at = j * size + i;
        return [
          [at, at + 1, at + size + 1],
          [at, at + size + 1, at + size],
        ];
      }).flat(),
    ).flat();
    for (let row = 0; row < N; row += 2)
      for (let column = 0; column < N; column += 2) {
        const [px, py] = [column + 0.5, row + 0.5];
        /** @type {{ away: number, tone: number, under: number }[]} */
        const hits = [];
        let edge = false;
        for (const [a, b, c] of triangles) {
          const area2 = (x[b] - x[a]) * (y[c] - y[a]) - (x[c] - x[a]) * (y[b] - y[a]);
          const wb = ((px - x[a]) * (y[c] - y[a]) - (x[c] - x[a]) * (py - y[a])) / area2;
          const wc = ((x[b] - x[a]) * (py - y[a]) - (px - x[a]) * (y[b] - y[a])) / area2;
          const wa = 1 - wb - wc;
          const least = Math.min(wa, wb, wc);
          if (Math.abs(least) < 1e-3) edge = true;
          if (least > 0)
            hits.push({
              away: wa * away[a] + wb * away[b] + wc * away[c],
              tone: (wa * tones[a] + wb * tones[b] + wc * tones[c]) * (TONES - 1),
              under: area2 > 0 ? 1 : 0,
            });
        }
        if (edge) continue;
        compared++;
        if (hits.length > 1) folded++;
        const nearest = hits.sort((one, other) => one.away - other.away)[0];
        const drawn = read(pixels[row * N + column]);
        assert.equal(drawn?.under, nearest?.under, `${column}, ${row}`);
        if (drawn) assert.ok(Math.abs(drawn.tone - nearest.tone) <= 1, `${drawn.tone} is not ${nearest.tone}`);
      }
  }
  assert.ok(compared > 10_000 && folded > 300, `${compared} pixels, ${folded} of several depths`);
});

test("level lines are where the surface has their heights, and fade where they are too dense", () => {
  const mesh = {
    size: 2,
    x: Float32Array.of(0, 100, 0, 100),
    y: Float32Array.of(20, 20, 0, 0),
    heights: Float32Array.of(-0.5, 0.5, -0.5, 0.5),
    tones: new Float32Array(4).fill(0.5),
    sine: 0,
    cosine: 1,
  };
  /** @param {[number, number]} levels */
  const shades = (levels) => {
    const pixels = new Uint32Array(100 * 20);
    rasterize(pixels, 100, 20, mesh, levels, NUMBERS, 1);
    return Array.from(pixels.subarray(700, 800), (pixel) => read(pixel)?.shade);
  };
  const lines = shades([-0.25, 0.25]);
  for (const x of [25, 50, 75]) assert.ok(Number(lines[x]) + Number(lines[x - 1]) >= SHADES - 1, `${x}`);
  for (const x of [12, 37, 62, 90]) assert.equal(lines[x], 0);
  assert.deepEqual(new Set(shades([-0.5, 0.01])), new Set([0]));
});

test("what is no number is a gap, and what is outside of the picture is cut off", () => {
  const mesh = {
    size: 3,
    x: Float32Array.of(-10, 5, 20, -10, 5, 20, -10, 5, 20),
    y: Float32Array.of(20, 20, 20, 5, 5, 5, -10, -10, -10),
    heights: Float32Array.of(0, 0, 0, 0, 0, 0, 0, 0, Number.NaN),
    tones: new Float32Array(9).fill(0.5),
    sine: 0,
    cosine: 1,
  };
  const pixels = new Uint32Array(10 * 10);
  rasterize(pixels, 10, 10, mesh, NO_LEVELS, NUMBERS, 1);
  assert.ok(pixels[9 * 10] > 0);
  assert.equal(pixels[9], 0, "at the upper right");
  assert.ok(pixels[0] > 0 && pixels[99] > 0);
});

test("tones are lighter upwards and on the slope that has the light, and none is of a gap", () => {
  const up = tonesOf(Float32Array.of(-0.05, -0.05, 0.05, 0.05), 2);
  const light = tonesOf(Float32Array.of(0, 0.05, 0, 0.05), 2);
  const dark = tonesOf(Float32Array.of(0.05, 0, 0.05, 0), 2);
  assert.ok(up[2] > up[0]);
  assert.ok(light[0] > dark[1]);
  const gap = tonesOf(Float32Array.of(0, Number.NaN, 0, 0.1), 2);
  assert.ok(gap.every((tone, at) => at === 1 || (tone >= 0 && tone <= 1)));
});

test("a palette goes from the theme's low to its high, and to the level lines' colour", () => {
  const theme = { paper: "", ink: "", muted: "#808080", grid: "", low: "#000000", high: "#FFFFFF" };
  const palette = paletteOf({ ...theme, level: "rgba(255,0,0,1)" });
  assert.equal(palette[0], 0xff000000);
  assert.equal(palette[TONES - 1], 0xffffffff);
  assert.equal(palette[(SHADES - 1) * TONES], 0xff0000ff);
});
