// @ts-check
import { blend, css, rgb } from "../lib/colors.js";
import { clamp } from "../lib/numbers.js";

/** @import { Context } from "../lib/canvas.js" */
/** @import { Colors } from "../lib/types.d.ts" */
/** @import { Area, Box, View } from "./types.d.ts" */

const NEAR = 14; // px within which a point of the surface is under a point of the picture

/** The surface in three dimensions, on a canvas of its own: no WebGL, so it is there wherever a canvas is. */
export class Scene {
  /**
   * @param {Float32Array} grid [size, size]: heights from -0.5 to 0.5
   * @param {number} size
   * @param {Box} box
   * @param {string} key identifies the surface
   */
  constructor(grid, size, box, key) {
    this.grid = grid;
    this.size = size;
    this.box = box;
    this.key = key;
    this.yaw = -0.6;
    this.pitch = 0.95;
  }

  /**
   * A height of -0.5 to 0.5; a point outside the box has that of its edge.
   *
   * @param {number} x
   * @param {number} y
   */
  height(x, y) {
    const last = this.size - 1;
    const [left, right, bottom, top] = this.box;
    const u = clamp(((x - left) / (right - left)) * last, 0, last);
    const v = clamp(((y - bottom) / (top - bottom)) * last, 0, last);
    const [i, j] = [Math.min(Math.floor(u), last - 1), Math.min(Math.floor(v), last - 1)];
    const [a, b, at] = [u - i, v - j, j * this.size + i];
    const low = this.grid[at] * (1 - a) + this.grid[at + 1] * a;
    const high = this.grid[at + this.size] * (1 - a) + this.grid[at + this.size + 1] * a;
    return low * (1 - b) + high * b;
  }

  /**
   * The view of the present direction on a rectangle of the picture.
   *
   * @param {Area} area
   * @returns {View}
   */
  view({ left, top, width, height }) {
    const [x0, x1, y0, y1] = this.box;
    const [sine, cosine] = [Math.sin(this.yaw), Math.cos(this.yaw)];
    const [up, over] = [Math.cos(this.pitch), Math.sin(this.pitch)];
    const scale = 0.68 * Math.min(width, height);
    /**
     * @param {number} x
     * @param {number} y
     */
    const turn = (x, y) => {
      const [u, v] = [(x - x0) / (x1 - x0) - 0.5, (y - y0) / (y1 - y0) - 0.5];
      return [cosine * u - sine * v, sine * u + cosine * v];
    };
    return {
      left,
      top,
      width,
      height,
      span: x1 - x0,
      key: [this.yaw, this.pitch, width, height].join(),
      x: (x, y) => width / 2 + scale * turn(x, y)[0],
      y: (x, y) => height / 2 - scale * (over * turn(x, y)[1] + up * 0.62 * this.height(x, y)),
    };
  }

  /**
   * The point of the plane at a corner of the grid.
   *
   * @param {number} i column
   * @param {number} j row
   * @returns {[number, number]}
   */
  corner(i, j) {
    const [left, right, bottom, top] = this.box;
    const last = this.size - 1;
    return [left + ((right - left) * i) / last, bottom + ((top - bottom) * j) / last];
  }

  /**
   * Draws the surface, farther cells first.
   *
   * @param {Context} context
   * @param {View} view
   * @param {Colors} theme
   */
  draw(context, view, theme) {
    const { size, grid } = this;
    const last = size - 1;
    const [px, py] = [new Float32Array(size * size), new Float32Array(size * size)];
    for (let j = 0; j < size; j++)
      for (let i = 0; i < size; i++) {
        const [x, y] = this.corner(i, j);
        px[j * size + i] = view.x(x, y);
        py[j * size + i] = view.y(x, y);
      }
    /** @param {boolean} forward */
    const order = (forward) => Array.from({ length: last }, (_, i) => (forward ? i : last - 1 - i));
    const rows = order(Math.cos(this.yaw) < 0);
    const columns = order(Math.sin(this.yaw) < 0);
    const along = Math.abs(Math.cos(this.yaw)) > Math.abs(Math.sin(this.yaw));
    const [low, full] = [rgb(theme.low), rgb(theme.high)];
    context.lineWidth = 0.6;
    /**
     * @param {number} i
     * @param {number} j
     */
    const cell = (i, j) => {
      const at = j * size + i;
      const corners = [at, at + 1, at + size + 1, at + size];
      const high = (grid[at] + grid[at + 1] + grid[at + size] + grid[at + size + 1]) / 4;
      if (!Number.isFinite(high)) return;
      const slope = grid[at + 1] - grid[at] - (grid[at + size] - grid[at]);
      context.fillStyle = css(blend(full, low, clamp(high + 0.5 + 4 * slope, 0, 1)));
      context.strokeStyle = theme.level;
      context.beginPath();
      for (const corner of corners) context.lineTo(px[corner], py[corner]);
      context.closePath();
      context.fill();
      context.stroke();
    };
    if (along) for (const j of rows) for (const i of columns) cell(i, j);
    else for (const i of columns) for (const j of rows) cell(i, j);
  }

  /**
   * The point of the plane whose corner of the grid is nearest to a point of the picture; null where none is near.
   *
   * @param {View} view
   * @param {number} px
   * @param {number} py
   * @returns {[number, number] | null}
   */
  under(view, px, py) {
    /** @type {[number, number] | null} */
    let best = null;
    let nearest = NEAR;
    for (let j = 0; j < this.size; j++)
      for (let i = 0; i < this.size; i++) {
        const [x, y] = this.corner(i, j);
        const away = Math.hypot(view.x(x, y) - px, view.y(x, y) - py);
        if (away < nearest) [best, nearest] = [[x, y], away];
      }
    return best;
  }
}
