// @ts-check
// Heights on a grid, and what hides what. Points are in cells of the grid, 0 to size - 1 each way; heights are -0.5 to 0.5.

import { clamp } from "../lib/numbers.js";

/**
 * The way from the surface to the viewer, who is infinitely far: along columns and rows, a unit long, and upwards.
 *
 * @typedef {{ a: number, b: number, rise: number }} Sight
 */

const TOP = 0.5;
const PART = 0.25; // of a cell: how far apart a line of sight is compared with the surface

/** The surface. */
export class Relief {
  /**
   * @param {Float32Array} grid [size, size]: heights, NaN where there is no surface
   * @param {number} size
   */
  constructor(grid, size) {
    this.grid = grid;
    this.size = size;
    this.last = size - 1;
    this.steepest = steepest(grid, size);
  }

  /**
   * The height at a point, bilinear between corners of the grid; a point outside has that of the edge.
   *
   * @param {number} a column
   * @param {number} b row
   */
  height(a, b) {
    const { grid, size, last } = this;
    const [u, v] = [clamp(a, 0, last), clamp(b, 0, last)];
    const [i, j] = [Math.min(Math.floor(u), last - 1), Math.min(Math.floor(v), last - 1)];
    const [right, up, at] = [u - i, v - j, j * size + i];
    const low = grid[at] * (1 - right) + grid[at + 1] * right;
    const high = grid[at + size] * (1 - right) + grid[at + size + 1] * right;
    return low * (1 - up) + high * up;
  }

  /**
   * Whether the surface hides a point: whether it is above the way to the viewer where that crosses a line of the grid.
   *
   * @param {number} a
   * @param {number} b
   * @param {number} height of the point
   * @param {Sight} sight
   * @param {number} margin by how much it has to be above
   */
  hides(a, b, height, sight, margin) {
    const from = height + margin;
    return (
      this.crosses(a, b, sight.a, sight.b, 1, this.size, from, sight.rise) ||
      this.crosses(b, a, sight.b, sight.a, this.size, 1, from, sight.rise)
    );
  }

  /**
   * Whether the surface is above a way that crosses the lines across one of the grid's two directions.
   *
   * @param {number} p where the way begins, along that direction
   * @param {number} q and along the other one
   * @param {number} dp
   * @param {number} dq
   * @param {number} next from a point of the grid to the next one in that direction
   * @param {number} beside and in the other one
   * @param {number} height
   * @param {number} rise
   */
  crosses(p, q, dp, dq, next, beside, height, rise) {
    const { grid, last } = this;
    if (dp === 0) return false;
    const step = Math.sign(dp);
    const first = step > 0 ? Math.max(0, Math.floor(p) + 1) : Math.min(last, Math.ceil(p) - 1);
    for (let k = first; k >= 0 && k <= last; k += step) {
      const way = (k - p) / dp;
      const level = height + way * rise;
      if (level > TOP) return false;
      const across = q + way * dq;
      if (!(across >= 0 && across <= last)) continue;
      const j = Math.min(Math.floor(across), last - 1);
      const at = j * beside + k * next;
      const share = across - j;
      if (grid[at] * (1 - share) + grid[at + beside] * share > level) return true;
    }
    return false;
  }

  /**
   * The point of the surface that the viewer sees first along a line of sight; null where there is none.
   *
   * @param {number} a where the line is at height -0.5
   * @param {number} b
   * @param {Sight} sight
   * @returns {[number, number] | null}
   */
  first(a, b, sight) {
    const { last } = this;
    const length = (2 * TOP) / sight.rise;
    const parts = Math.ceil(length / PART);
    let before = Number.NaN;
    for (let n = 0; n <= parts; n++) {
      const way = length * (1 - n / parts);
      const [u, v] = [a + way * sight.a, b + way * sight.b];
      const inside = u >= 0 && u <= last && v >= 0 && v <= last;
      const above = inside ? this.height(u, v) - (way * sight.rise - TOP) : Number.NaN;
      if (above === 0 || above * before < 0) {
        const back = above === 0 ? 0 : ((length / parts) * above) / (above - before);
        return [clamp(u + back * sight.a, 0, last), clamp(v + back * sight.b, 0, last)];
      }
      before = above;
    }
    return null;
  }
}

/**
 * The largest difference of heights of two neighbours, along a column or a row.
 *
 * @param {Float32Array} grid
 * @param {number} size
 */
function steepest(grid, size) {
  let most = 0;
  for (let at = 0; at < grid.length; at++) {
    const across = at % size < size - 1 ? Math.abs(grid[at + 1] - grid[at]) : 0;
    const along = at + size < grid.length ? Math.abs(grid[at + size] - grid[at]) : 0;
    if (across > most) most = across;
    if (along > most) most = along;
  }
  return most;
}
