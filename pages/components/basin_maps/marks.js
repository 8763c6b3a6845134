// @ts-check
/** @import { Context } from "../lib/canvas.js" */
/** @import { Colors } from "../lib/types.d.ts" */
/** @import { BasinsData } from "./types.d.ts" */

/**
 * Draws ticks, the minima, and the ring.
 *
 * @param {Context} context
 * @param {BasinsData} data
 * @param {Colors} theme
 * @param {{ left: number, top: number, side: number, width: number }} place of the cells, and the width of the whole, px
 * @param {string} font
 */
export function marks(context, data, theme, { left, top, side, width }, font) {
  /** @param {number} share */
  const x = (share) => left + share * side;
  /** @param {number} share */
  const y = (share) => top + (1 - share) * side;
  context.font = `12px ${font}`;
  context.fillStyle = theme.muted;
  context.strokeStyle = theme.muted;
  context.lineWidth = 1;
  context.beginPath();
  context.textAlign = "center";
  context.textBaseline = "top";
  let free = -Infinity;
  for (const [share, text] of data.x.ticks) {
    context.moveTo(x(share), top + side);
    context.lineTo(x(share), top + side + 3);
    const half = context.measureText(text).width / 2;
    const middle = Math.min(x(share), width - half);
    if (middle - half < free) continue;
    context.fillText(text, middle, top + side + 6);
    free = middle + half + 6;
  }
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const [share, text] of data.y.ticks) {
    context.moveTo(left - 3, y(share));
    context.lineTo(left, y(share));
    context.fillText(text, left - 6, Math.min(y(share), top + side - 5));
  }
  context.stroke();
  context.textAlign = "center";
  context.fillText(data.x.title, x(0.5), top + side + 32);
  context.save();
  context.translate(9, y(0.5));
  context.rotate(-Math.PI / 2);
  context.fillText(data.y.title, 0, 0);
  context.restore();
  /** @param {Path2D} path */
  const line = (path) => {
    for (const [strokeStyle, lineWidth] of /** @type {const} */ ([
      [theme.paper, 4],
      [theme.ink, 1.5],
    ])) {
      Object.assign(context, { strokeStyle, lineWidth });
      context.stroke(path);
    }
  };
  data.crosses.forEach(([u, v], i) => {
    if (!(u >= 0 && u <= 1 && v >= 0 && v <= 1)) return;
    line(new Path2D(`M${x(u) - 4} ${y(v) - 4}l8 8m0 -8l-8 8`));
    context.font = `600 12px ${font}`;
    context.textAlign = u > 0.9 ? "right" : "left";
    context.fillStyle = theme.ink;
    Object.assign(context, { strokeStyle: theme.paper, lineWidth: 3 });
    const beside = x(u) + (u > 0.9 ? -8 : 8);
    context.strokeText(data.minima[i].name[0], beside, y(v));
    context.fillText(data.minima[i].name[0], beside, y(v));
  });
  if (data.ring) {
    const ring = new Path2D();
    ring.arc(x(data.ring[0]), y(data.ring[1]), 6, 0, 2 * Math.PI);
    line(ring);
  }
}
