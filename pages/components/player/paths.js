// @ts-check
// Paths of runs on a canvas. While a race plays only what is new is drawn; a new view, or a step back, draws all again.

import { emphasis } from "../lib/emphasis.js";
import { clamp } from "../lib/numbers.js";
import { indexAt, stepOf } from "./race.js";

/** @import { Context } from "../lib/canvas.js" */
/** @import { Head } from "./arrows.js" */
/** @import { Motion, Run, View } from "./types.d.ts" */

const MARKS = [1, 10, 100, 1000, 10000, 100000]; // steps that have a symbol
const FARTHEST = 1e5; // px: what diverges is drawn far outside the picture, but at a point that every canvas can draw
const BEHIND = [1.5, 3]; // px of dots and gaps, where the surface hides a path
const FAINT = 0.6;
const NEAR = 10; // px within which a point is under the mouse
const LATE = 0.25; // how much is left of a run that follows later than the hand

/** @param {number} px */
const near = (px) => clamp(px, -FARTHEST, FARTHEST);

/**
 * How opaque all of a run is: less while another one is pointed at, and while the hand is ahead of it.
 *
 * @param {Pick<Run, "rule" | "late">} run
 */
export const opacityOf = ({ rule, late }) => emphasis.opacity(rule) * (late ? LATE : 1);

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
 * Visits the points of the picture on the way from one point of the plane to another: the second one alone, where the
 * plane is flat; else as many as follow the surface.
 *
 * @param {View} view
 * @param {number} x0
 * @param {number} y0
 * @param {number} x1
 * @param {number} y1
 * @param {(px: number, py: number, x: number, y: number) => void} visit
 */
export function follow(view, x0, y0, x1, y1, visit) {
  const pieces = view.pieces?.(x0, y0, x1, y1) || 1;
  for (let n = 1; n <= pieces; n++) {
    const share = n / pieces;
    const [x, y] = n < pieces ? [x0 + share * (x1 - x0), y0 + share * (y1 - y0)] : [x1, y1];
    visit(near(view.x(x, y)), near(view.y(x, y)), x, y);
  }
}

/**
 * Draws a run's path from its `drawn`-th point to its `last`; thin and dotted where the surface hides it.
 *
 * @param {Context} context
 * @param {Run} run
 * @param {View} view
 * @param {number} last
 * @param {string} paper
 */
export function extend(context, run, view, last, paper) {
  const { x, y } = run;
  if (run.drawn < 0)
    Object.assign(run, { drawn: 0, length: 0, hidden: 0, px: view.x(x[0], y[0]), py: view.y(x[0], y[0]) });
  if (last <= run.drawn) return;
  const [line, behind] = [new Path2D(), new Path2D()];
  /** @type {Path2D | null} */
  let drawn = null;
  const before = run.length;
  const begin = run.drawn;
  let from = begin;
  for (let i = begin + 1; i <= last; i++) {
    if (i < last && view.pieces?.(x[from], y[from], x[i], y[i]) === 0) continue;
    follow(view, x[from], y[from], x[i], y[i], (px, py, xn, yn) => {
      const way = Math.hypot(px - run.px, py - run.py);
      if (way < 0.7 && i < last) return; // nothing that can be seen
      const hidden = view.hidden?.(xn, yn) ?? false;
      const path = hidden ? behind : line;
      if (path !== drawn) path.moveTo(run.px, run.py);
      path.lineTo(px, py);
      drawn = path;
      run.px = px;
      run.py = py;
      run.length += way;
      if (hidden) run.hidden += way;
    });
    from = i;
  }
  run.drawn = last;
  context.lineDashOffset = before;
  const alpha = context.globalAlpha; // of a run that is faded itself
  if (run.hidden) {
    context.setLineDash(BEHIND);
    context.strokeStyle = run.color;
    context.globalAlpha = alpha * FAINT;
    context.lineWidth = 1.2;
    context.stroke(behind);
    context.globalAlpha = alpha;
  }
  context.lineJoin = "round";
  context.setLineDash([]);
  context.strokeStyle = paper;
  context.lineWidth = run.width + 2;
  context.stroke(line);
  context.setLineDash(run.dash);
  context.strokeStyle = run.color;
  context.lineWidth = run.width;
  context.stroke(line);
  context.setLineDash([]);
  for (const i of marked(run, begin, last)) {
    context.globalAlpha = view.hidden?.(x[i], y[i]) ? alpha * FAINT : alpha;
    glyph(context, run, near(view.x(x[i], y[i])), near(view.y(x[i], y[i])), 1, paper);
  }
  context.globalAlpha = alpha;
}

/**
 * Draws the piece of a path between its last whole step and its head.
 *
 * @param {Context} context
 * @param {Run} run
 * @param {View} view
 * @param {Head} head
 */
export function lead(context, run, view, { index, x, y }) {
  const [x0, y0] = [run.x[index], run.y[index]];
  context.strokeStyle = run.color;
  context.lineWidth = run.width;
  context.beginPath();
  context.moveTo(view.x(x0, y0), view.y(x0, y0));
  follow(view, x0, y0, x, y, (px, py) => context.lineTo(px, py));
  context.stroke();
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
