// @ts-check
// From which side the surface is seen, how near, and where its points are in the picture. There is no perspective.

import { clamp } from "../lib/numbers.js";

/** @import { Area } from "./types.d.ts" */

/**
 * Where points of the unit box around the surface are in a picture. u, v and z are -0.5 to 0.5: along x, along y, upwards.
 *
 * @typedef {object} Projection
 * @property {number} sine of the angle that the box is turned by
 * @property {number} cosine
 * @property {(u: number, v: number) => number} x px
 * @property {(u: number, v: number, z: number) => number} y px
 * @property {(px: number, py: number) => [u: number, v: number]} floor the point of the box's floor at a point of the picture
 * @property {number} rise of the way to the viewer, whose direction in the plane is (-sine, -cosine), for a unit of it
 * @property {number} scale px of the box's width
 * @property {number} upright px of a unit of height
 */

const YAW = -0.6;
const PITCH = 0.95;
const FLATTEST = 0.25;
const STEEPEST = 1.5; // nearly from above, where heights are still seen
const NEAREST = 12; // times the whole
const TALL = 0.62; // the box's height in its widths
const MARGIN = 46; // px for the axes' texts
const DIAGONAL = Math.SQRT2;

/** Where the viewer is. */
export class Orbit {
  constructor() {
    this.yaw = YAW;
    this.pitch = PITCH;
    this.zoom = 1;
    this.right = 0; // of the box's middle is the picture's, in widths of the box
    this.up = 0;
  }

  reset() {
    Object.assign(this, new Orbit());
  }

  get key() {
    return [this.yaw, this.pitch, this.zoom, this.right, this.up].join();
  }

  /**
   * @param {number} yaw radians more
   * @param {number} pitch
   */
  turn(yaw, pitch) {
    this.yaw = (this.yaw + yaw) % (2 * Math.PI);
    this.pitch = clamp(this.pitch + pitch, FLATTEST, STEEPEST);
  }

  /**
   * Px of the box's width.
   *
   * @param {Pick<Area, "width" | "height">} area
   */
  scale({ width, height }) {
    return (this.zoom * Math.max(1, Math.min(width, height) - 2 * MARGIN)) / DIAGONAL;
  }

  /**
   * Comes nearer, or goes farther off; the point of the picture stays where it is, as far as the whole allows.
   *
   * @param {number} times
   * @param {Area} area
   * @param {number} px
   * @param {number} py
   */
  approach(times, area, px = area.width / 2, py = area.height / 2) {
    const before = this.scale(area);
    this.zoom = clamp(this.zoom * times, 1, NEAREST);
    const change = 1 / before - 1 / this.scale(area);
    this.shift((px - area.width / 2) * change, (area.height / 2 - py) * change);
  }

  /**
   * Moves what is in the picture by so many px to the right and down.
   *
   * @param {number} dx
   * @param {number} dy
   * @param {Area} area
   */
  pan(dx, dy, area) {
    const scale = this.scale(area);
    this.shift(-dx / scale, dy / scale);
  }

  /**
   * @param {number} right widths of the box
   * @param {number} up
   */
  shift(right, up) {
    const most = DIAGONAL * 0.5 * (1 - 1 / this.zoom);
    this.right = clamp(this.right + right, -most, most);
    this.up = clamp(this.up + up, -most, most);
  }

  /**
   * @param {Area} area
   * @returns {Projection}
   */
  projection(area) {
    const { right, up } = this;
    const [sine, cosine] = [Math.sin(this.yaw), Math.cos(this.yaw)];
    const [over, upright] = [Math.sin(this.pitch), Math.cos(this.pitch) * TALL];
    const scale = this.scale(area);
    const [left, top] = [area.width / 2 - scale * right, area.height / 2 + scale * up];
    return {
      sine,
      cosine,
      x: (u, v) => left + scale * (cosine * u - sine * v),
      y: (u, v, z) => top - scale * (over * (sine * u + cosine * v) + upright * z),
      floor: (px, py) => {
        const across = (px - left) / scale;
        const away = ((top - py) / scale + upright / 2) / over;
        return [cosine * across + sine * away, cosine * away - sine * across];
      },
      rise: over / upright,
      scale,
      upright: scale * upright,
    };
  }
}
