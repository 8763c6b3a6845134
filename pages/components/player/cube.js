// @ts-check
// The box around the surface: its edges, the lines of its walls, and which of its edges have the axes' ticks and names.

import { clamp } from "../lib/numbers.js";

/** @import { Axis } from "./types.d.ts" */
/** @import { Projection } from "./orbit.js" */

/** @typedef {[number, number, number]} Corner u, v and z of the box, -0.5 to 0.5 */
/** @typedef {[x0: number, y0: number, x1: number, y1: number]} Line px */
/** @typedef {{ text: string, x: number, y: number, width: number }} Text its middle and its width, px */

/**
 * @typedef {object} Cube
 * @property {Line[]} walls lines of the floor and of the two walls behind the surface
 * @property {Line[]} edges
 * @property {Line[]} ticks
 * @property {Text[]} texts no two on one another
 */

const TICK = 5; // px
const GAP = 6;
export const HIGH = 11; // px of a text
const APART = 3; // px at least between two texts
const SIDES = /** @type {const} */ ([-0.5, 0.5]);
const STRIDES = [1, 2, 3, 4, 6, 8];

/**
 * @param {Projection} projection
 * @param {[Axis, Axis, Axis]} axes of x, of y, and of heights
 * @param {number} width px of the picture
 * @param {(text: string) => number} measure px of a text's width
 * @returns {Cube}
 */
export function cube(projection, axes, width, measure) {
  /** @param {Corner} corner */
  const at = ([u, v, z]) => [projection.x(u, v), projection.y(u, v, z)];
  /**
   * @param {Corner} from
   * @param {Corner} to
   * @returns {Line}
   */
  const line = (from, to) => {
    const [[x0, y0], [x1, y1]] = [at(from), at(to)];
    return [x0, y0, x1, y1];
  };
  const [xs, ys, zs] = axes.map((axis) => axis.ticks.map(([where]) => where));
  const far = [projection.sine > 0 ? 0.5 : -0.5, projection.cosine > 0 ? 0.5 : -0.5];
  const walls = [
    ...xs.flatMap((t) => [line([t, -0.5, -0.5], [t, 0.5, -0.5]), line([t, far[1], -0.5], [t, far[1], 0.5])]),
    ...ys.flatMap((t) => [line([-0.5, t, -0.5], [0.5, t, -0.5]), line([far[0], t, -0.5], [far[0], t, 0.5])]),
    ...zs.flatMap((t) => [line([-0.5, far[1], t], [0.5, far[1], t]), line([far[0], -0.5, t], [far[0], 0.5, t])]),
  ];
  const edges = [
    ...SIDES.flatMap((s) => [line([-0.5, s, -0.5], [0.5, s, -0.5]), line([s, -0.5, -0.5], [s, 0.5, -0.5])]),
    line([-0.5, far[1], 0.5], [0.5, far[1], 0.5]),
    line([far[0], -0.5, 0.5], [far[0], 0.5, 0.5]),
    line([far[0], far[1], -0.5], [far[0], far[1], 0.5]),
    line([-far[0], far[1], -0.5], [-far[0], far[1], 0.5]),
    line([far[0], -far[1], -0.5], [far[0], -far[1], 0.5]),
  ];

  const left = projection.x(far[0], -far[1]) < projection.x(-far[0], far[1]) ? 1 : -1;
  const shown = [
    { axis: axes[2], corner: (/** @type {number} */ t) => corner(left * far[0], -left * far[1], t), out: [-1, 0] },
    { axis: axes[0], corner: (/** @type {number} */ t) => corner(t, -far[1], -0.5), out: outwards(0, -far[1]) },
    { axis: axes[1], corner: (/** @type {number} */ t) => corner(-far[0], t, -0.5), out: outwards(-far[0], 0) },
  ];

  /**
   * The direction in the picture from the floor's middle to that of one of its sides.
   *
   * @param {number} u
   * @param {number} v
   */
  function outwards(u, v) {
    const [x0, y0, x1, y1] = line([0, 0, -0.5], [u, v, -0.5]);
    const length = Math.hypot(x1 - x0, y1 - y0);
    return [(x1 - x0) / length, (y1 - y0) / length];
  }

  /** @type {Text[]} */
  const texts = [];
  /** @type {Line[]} */
  const ticks = [];
  const labelled = shown.map(({ axis, corner, out: [ox, oy] }) => {
    const begin = TICK + GAP;
    const labels = axis.ticks.map(([where, text]) => {
      const [x, y] = at(corner(where));
      ticks.push([x, y, x + TICK * ox, y + TICK * oy]);
      const wide = measure(text);
      return { text, width: wide, x: x + ox * (begin + wide / 2), y: y + oy * (begin + HIGH / 2) };
    });
    const widest = Math.max(0, ...labels.map((label) => label.width));
    return { name: nameOf(axis.name, corner, ox, oy, begin + Math.abs(ox) * widest + Math.abs(oy) * HIGH), labels };
  });

  /**
   * @param {string} name
   * @param {(t: number) => Corner} corner
   * @param {number} ox
   * @param {number} oy
   * @param {number} away px from the axis
   * @returns {Text}
   */
  function nameOf(name, corner, ox, oy, away) {
    const wide = measure(name);
    if (oy) {
      const [x, y] = at(corner(0));
      return { text: name, width: wide, x: x + ox * (away + wide / 2 + GAP), y: y + oy * (away + HIGH / 2 + GAP) };
    }
    // Above the upright axis, and inside the picture if that is.
    const [x, y] = at(corner(0.5));
    const [low, high] = [wide / 2 + GAP, width - wide / 2 - GAP];
    return { text: name, width: wide, x: x > 0 && x < width ? clamp(x, low, high) : x, y: y - HIGH };
  }

  for (const { name } of labelled) if (free(name, texts)) texts.push(name);
  for (const { labels } of labelled) {
    const stride = STRIDES.find((every) => apart(labels.filter((_, n) => n % every === 0))) ?? labels.length;
    for (const [n, label] of labels.entries()) if (n % stride === 0 && free(label, texts)) texts.push(label);
  }
  return { walls, edges, ticks, texts };
}

/**
 * @param {number} u
 * @param {number} v
 * @param {number} z
 * @returns {Corner}
 */
const corner = (u, v, z) => [u, v, z];

/**
 * @param {Text} text
 * @param {Text[]} others
 */
const free = (text, others) =>
  others.every(
    (other) =>
      Math.abs(text.x - other.x) >= (text.width + other.width) / 2 + APART || Math.abs(text.y - other.y) >= HIGH + 1,
  );

/** @param {Text[]} texts */
const apart = (texts) => texts.every((text, n) => free(text, texts.slice(0, n)));
