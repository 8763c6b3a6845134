// @ts-check
// Paths of runs on a canvas. While a race plays only what is new is drawn; a new view, or a step back, draws all again.

import { clamp } from "../lib/numbers.js";
import { indexAt, stepOf } from "./race.js";

/** @import { Context } from "../lib/canvas.js" */
/** @import { Motion, Run, View } from "./types.d.ts" */

const MARKS = [1, 10, 100, 1000, 10000, 100000]; // steps that have a symbol
const FARTHEST = 1e5; // px: what diverges is drawn far outside the picture, but at a point that every canvas can draw
const NEAR = 10; // px within which a point is under the mouse

/** @param {number} px */
const near = (px) => clamp(px, -FARTHEST, FARTHEST);

/**
 * Draws a run's symbol.
 *
 * @param {Context} context
 * @param {Pick<Run, "color" | "glyph">} run
 * @param {number} x px
 * @param {number} y px
 * @param {number} size 1 for its own
 * @param {string} paper
 */
export function glyph(context, run, x, y, size, paper) {
  context.save();
  context.translate(x, y);
  context.scale(size, size);
  context.lineWidth = 2 / size;
  context.strokeStyle = paper;
  context.fillStyle = run.color;
  context.stroke(run.glyph);
  context.fill(run.glyph);
  context.restore();
}

/**
 * Draws a run's path from its `drawn`-th point to its `last`.
 *
 * @param {Context} context
 * @param {Run} run
 * @param {View} view
 * @param {number} last
 * @param {string} paper
 */
export function extend(context, run, view, last, paper) {
  const { x, y } = run;
  if (run.drawn < 0) Object.assign(run, { drawn: 0, length: 0, px: view.x(x[0], y[0]), py: view.y(x[0], y[0]) });
  if (last <= run.drawn) return;
  const line = new Path2D();
  line.moveTo(run.px, run.py);
  const before = run.length;
  const begin = run.drawn;
  for (let i = begin + 1; i <= last; i++) {
    const px = near(view.x(x[i], y[i]));
    const py = near(view.y(x[i], y[i]));
    const way = Math.hypot(px - run.px, py - run.py);
    if (way < 0.7 && i < last) continue; // nothing that can be seen
    line.lineTo(px, py);
    run.px = px;
    run.py = py;
    run.length += way;
  }
  run.drawn = last;
  context.lineJoin = "round";
  context.setLineDash([]);
  context.strokeStyle = paper;
  context.lineWidth = run.width + 2;
  context.stroke(line);
  context.setLineDash(run.dash);
  context.lineDashOffset = before;
  context.strokeStyle = run.color;
  context.lineWidth = run.width;
  context.stroke(line);
  context.setLineDash([]);
  for (const i of marked(run, begin, last))
    glyph(context, run, near(view.x(x[i], y[i])), near(view.y(x[i], y[i])), 1, paper);
}

/**
 * The points after `begin` up to `last` that have a symbol: at steps 1, 10, 100, ...
 *
 * @param {Pick<Motion, "steps" | "count">} run
 * @param {number} begin
 * @param {number} last
 */
export const marked = (run, begin, last) =>
  MARKS.map((mark) => ({ mark, index: indexAt(run, mark) }))
    .filter(({ mark, index }) => index > begin && index <= last && stepOf(run, index) === mark)
    .map(({ index }) => index);

/**
 * The drawn point nearest to a point of the picture, of the topmost run where several are as near; null where none is near.
 *
 * @template {Pick<Run, "x" | "y" | "drawn">} R
 * @param {R[]} runs
 * @param {View} view
 * @param {number} px
 * @param {number} py
 * @returns {{ run: R, index: number } | null}
 */
export function nearest(runs, view, px, py) {
  /** @type {{ run: R, index: number } | null} */
  let best = null;
  let least = NEAR;
  for (const run of runs)
    for (let index = 0; index <= run.drawn; index++) {
      const away = Math.hypot(view.x(run.x[index], run.y[index]) - px, view.y(run.x[index], run.y[index]) - py);
      if (away <= least) [best, least] = [{ run, index }, away];
    }
  return best;
}
