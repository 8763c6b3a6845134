// @ts-check
// The surface that a race is over, on a canvas: contours, axes and minima, as plotly draws them on the page.

import { cellCanvas, contextOf } from "../lib/canvas.js";
import { flatView } from "../player/flat.js";
import { fillBands, levelLines } from "./contours.js";

/** @import { Context } from "../lib/canvas.js" */
/** @import { Colors } from "../lib/types.d.ts" */
/** @import { Area, Box, FlatView } from "../player/types.d.ts" */
/** @import { EmbedData, Heights } from "./types.d.ts" */

const TICK = 4; // px
const FAINT = 0.8; // px of a level line
const CROSS = 5.5; // px of half a minimum's cross

/**
 * Draws the surface on a canvas as large as the picture with its margins.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {EmbedData} data
 * @param {Heights} heights
 * @param {Area} area of the picture, from the canvas's corner
 * @param {Colors} colors
 * @param {string} font
 */
export function drawGround(canvas, data, heights, area, colors, font) {
  const ratio = window.devicePixelRatio || 1;
  const context = contextOf(canvas);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, canvas.width, canvas.height);
  const [left, right, bottom, top] = data.view;
  const view = flatView(area, [left, right], [bottom, top]);
  context.save();
  context.beginPath();
  context.rect(area.left, area.top, area.width, area.height);
  context.clip();
  context.translate(area.left, area.top);
  surface(context, heights, view, colors, ratio);
  context.strokeStyle = colors.ink;
  context.lineWidth = 1.5;
  context.beginPath();
  for (const [x, y] of data.ground.minima) {
    const [px, py] = [view.x(x, y), view.y(x, y)];
    context.moveTo(px - CROSS, py);
    context.lineTo(px + CROSS, py);
    context.moveTo(px, py - CROSS);
    context.lineTo(px, py + CROSS);
  }
  context.stroke();
  context.restore();
  axes(context, data.ground.ticks, view, area, colors, font);
}

/**
 * @param {Context} context
 * @param {Heights} heights
 * @param {FlatView} view
 * @param {Colors} colors
 * @param {number} ratio
 */
function surface(context, heights, view, colors, ratio) {
  const [wide, high] = [Math.round(view.width * ratio), Math.round(view.height * ratio)];
  if (!wide || !high) return;
  const bands = cellCanvas(wide, high, (pixels) => fillBands(pixels, wide, high, heights, view, colors));
  context.drawImage(bands, 0, 0, view.width, view.height);
  const { values, size, box, top } = heights;
  const at = gridView(box, size);
  context.strokeStyle = colors.level;
  context.lineWidth = FAINT;
  context.beginPath();
  for (let level = 0; level <= top; level++)
    for (const [u0, v0, u1, v1] of levelLines(values, size, level)) {
      const [from, to] = [at(u0, v0), at(u1, v1)];
      context.moveTo(view.x(...from), view.y(...from));
      context.lineTo(view.x(...to), view.y(...to));
    }
  context.stroke();
}

/**
 * By a point of the grid, counted in cells, the point of the plane.
 *
 * @param {Box} box
 * @param {number} size
 * @returns {(u: number, v: number) => [number, number]}
 */
const gridView =
  ([left, right, bottom, top], size) =>
  (u, v) => [left + ((right - left) * u) / (size - 1), bottom + ((top - bottom) * v) / (size - 1)];

/**
 * @param {Context} context
 * @param {EmbedData["ground"]["ticks"]} ticks
 * @param {FlatView} view
 * @param {Area} area
 * @param {Colors} colors
 * @param {string} font
 */
function axes(context, ticks, view, { left, top, width, height }, colors, font) {
  context.font = `12px ${font}`;
  context.fillStyle = colors.muted;
  context.strokeStyle = colors.grid;
  context.lineWidth = 1;
  context.beginPath();
  context.textAlign = "center";
  context.textBaseline = "top";
  for (const [value, text] of ticks.x) {
    const x = left + view.x(value, 0);
    context.moveTo(x, top + height);
    context.lineTo(x, top + height + TICK);
    context.fillText(text, x, top + height + TICK + 3);
  }
  context.fillText("x", left + width / 2, top + height + 28);
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const [value, text] of ticks.y) {
    const y = top + view.y(0, value);
    context.moveTo(left, y);
    context.lineTo(left - TICK, y);
    context.fillText(text, left - TICK - 3, y);
  }
  context.fillText("y", left - 40, top + height / 2);
  context.stroke();
}
