// @ts-check
// What the player draws at a step, on its two canvases: paths, over the surface in three dimensions; and what moves.

import { contextOf } from "../lib/canvas.js";
import { emphasis } from "../lib/emphasis.js";
import { arrows } from "./arrows.js";
import { drawParts, drawPulls, drawShapes, jacobianOf, radiusOf } from "./followed.js";
import { extend, glyph, lead, opacityOf } from "./paths.js";
import { arrowsOf, phaseAt } from "./phases.js";
import { headAt, indexAt } from "./race.js";
import { behind } from "./scene.js";
import { partsAt } from "./terms.js";

/** @import { Context } from "../lib/canvas.js" */
/** @import { Player } from "./player.js" */
/** @import { Area, Run, View } from "./types.d.ts" */

const HEAD = 1.5; // how much larger a head is than the symbols on its path

/**
 * Draws the paths as far as they are: what is new of them, or all of them where something else has changed.
 *
 * @param {Player} player
 * @param {View} view
 * @param {number} at where the heads are
 * @param {number} ratio pixels each way for one of the page's
 */
export function drawPaths(player, view, at, ratio) {
  const { runs, colors } = player;
  const emptied = fitted(player.parts.paths, view, ratio);
  const context = contextOf(player.parts.paths);
  const last = runs.map((run) => indexAt(run, at));
  if (emptied || view.key !== player.viewed || runs.some((run, i) => run.drawn > last[i])) {
    for (const run of runs) run.drawn = -1;
    player.stale = true;
    player.viewed = view.key;
  }
  if (player.stale) {
    context.clearRect(0, 0, view.width, view.height);
    player.solid?.draw(context, view, colors);
  }
  player.stale = false;
  runs.forEach((run, index) => {
    context.globalAlpha = opacityOf(run);
    if (emphasis.shows(run.rule)) extend(context, run, view, last[index], colors.paper);
  });
  context.globalAlpha = 1;
}

/**
 * Draws what moves with the step: heads with what rides on them, and labels; the start, which moves with the hand.
 *
 * @param {Player} player
 * @param {View} view
 * @param {number} now the step
 * @param {number} at where the heads are
 * @param {number} ratio pixels each way for one of the page's
 */
export function drawHeads(player, view, now, at, ratio) {
  const { colors, followed, phases, playing, runs } = player;
  fitted(player.parts.heads, view, ratio);
  const context = contextOf(player.parts.heads);
  context.clearRect(0, 0, view.width, view.height);
  drawStart(player, context, view);
  player.opening.draw(view, player.start);
  if (followed) {
    context.globalAlpha = opacityOf(followed);
    drawFollowed(player, context, view, followed, now, at);
  }
  for (const run of runs) {
    if (!emphasis.shows(run.rule)) continue;
    const head = headAt(run, at);
    const [px, py] = [view.x(head.x, head.y), view.y(head.x, head.y)];
    if (!Number.isFinite(px + py)) continue;
    context.globalAlpha = opacityOf(run);
    if ((playing || phases) && !run.steps && head.index > 0) lead(context, run, view, head);
    behind(context, view, head.x, head.y, () => {
      if (run !== followed || !run.terms) arrows(context, run, view, head, colors.ink);
      glyph(context, run, px, py, HEAD, colors.paper);
    });
  }
  context.globalAlpha = 1;
  player.labels.draw(context, runs, view, at);
}

/**
 * Draws what rides on the head of the run whose steps are shown: shapes and arrows, or the parts of a step.
 *
 * @param {Player} player
 * @param {Context} context
 * @param {View} view
 * @param {Run} run
 * @param {number} now the step
 * @param {number} at where the heads are
 */
function drawFollowed({ colors, font, phases }, context, view, run, now, at) {
  const parts = partsAt(run, at);
  if (!parts) return;
  const style = { colors, font };
  /** @param {{ x: number, y: number }} point */
  const located = ({ x, y }) => ({ color: run.color, x, y, px: view.x(x, y), py: view.y(x, y) });
  const head = located(headAt(run, at));
  if (!Number.isFinite(head.px + head.py)) return;
  const jacobian = jacobianOf(view, head.x, head.y);
  behind(context, view, head.x, head.y, () => {
    drawShapes(context, head, jacobian, parts, colors, radiusOf(view));
    if (!phases) return drawPulls(context, head, jacobian, parts, style);
    const { whole, ...phase } = phaseAt(now, phases.length);
    const step = partsAt(run, whole);
    const point = located(headAt(run, whole));
    if (step) drawParts(context, point, jacobianOf(view, point.x, point.y), arrowsOf(step, phases), phase, style);
  });
}

/**
 * The start; the minima belong to the surface.
 *
 * @param {Player} player
 * @param {Context} context
 * @param {View} view
 */
function drawStart({ start: [x, y], colors, pointer }, context, view) {
  context.beginPath();
  context.arc(view.x(x, y), view.y(x, y), pointer?.held ? 8 : 5, 0, 2 * Math.PI);
  context.fillStyle = colors.paper;
  context.strokeStyle = colors.ink;
  context.lineWidth = 2;
  behind(context, view, x, y, () => {
    context.fill();
    context.stroke();
  });
}

/**
 * Fits a canvas to a rectangle of the picture; returns whether that has emptied it.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {Area} area
 * @param {number} ratio pixels each way for one of the page's
 */
function fitted(canvas, { left, top, width, height }, ratio) {
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  const changed = canvas.width !== wide || canvas.height !== high;
  if (changed) Object.assign(canvas, { width: wide, height: high });
  Object.assign(canvas.style, { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` });
  contextOf(canvas).setTransform(ratio, 0, 0, ratio, 0, 0);
  return changed;
}
