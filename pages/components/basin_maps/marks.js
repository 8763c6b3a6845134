// @ts-check
/** @import { Pen } from "../lib/canvas.js" */
/** @import { Colors } from "../lib/types.d.ts" */
/** @import { BasinsData } from "./types.d.ts" */

/**
 * Draws ticks, the minima, and the ring.
 *
 * @param {Pen} pen
 * @param {BasinsData} data
 * @param {Colors} theme
 * @param {{ left: number, top: number, side: number, width: number }} place of the cells, and the width of the whole, px
 * @param {string} font
 */
export function marks(pen, data, theme, { left, top, side, width }, font) {
  /** @param {number} share */
  const x = (share) => left + share * side;
  /** @param {number} share */
  const y = (share) => top + (1 - share) * side;
  pen.font = `12px ${font}`;
  pen.fillStyle = theme.muted;
  pen.strokeStyle = theme.muted;
  pen.lineWidth = 1;
  pen.beginPath();
  pen.textAlign = "center";
  pen.textBaseline = "top";
  let free = -Infinity;
  for (const [share, text] of data.x.ticks) {
    pen.moveTo(x(share), top + side);
    pen.lineTo(x(share), top + side + 3);
    const half = pen.measureText(text).width / 2;
    const middle = Math.min(x(share), width - half);
    if (middle - half < free) continue;
    pen.fillText(text, middle, top + side + 6);
    free = middle + half + 6;
  }
  pen.textAlign = "right";
  pen.textBaseline = "middle";
  for (const [share, text] of data.y.ticks) {
    pen.moveTo(left - 3, y(share));
    pen.lineTo(left, y(share));
    pen.fillText(text, left - 6, Math.min(y(share), top + side - 5));
  }
  pen.stroke();
  pen.textAlign = "center";
  pen.fillText(data.x.title, x(0.5), top + side + 32);
  pen.save();
  pen.translate(9, y(0.5));
  pen.rotate(-Math.PI / 2);
  pen.fillText(data.y.title, 0, 0);
  pen.restore();
  /** @param {Path2D} path */
  const line = (path) => {
    for (const [strokeStyle, lineWidth] of /** @type {const} */ ([
      [theme.paper, 4],
      [theme.ink, 1.5],
    ])) {
      Object.assign(pen, { strokeStyle, lineWidth });
      pen.stroke(path);
    }
  };
  data.crosses.forEach(([u, v], i) => {
    if (!(u >= 0 && u <= 1 && v >= 0 && v <= 1)) return;
    line(new Path2D(`M${x(u) - 4} ${y(v) - 4}l8 8m0 -8l-8 8`));
    pen.font = `600 12px ${font}`;
    pen.textAlign = u > 0.9 ? "right" : "left";
    pen.fillStyle = theme.ink;
    Object.assign(pen, { strokeStyle: theme.paper, lineWidth: 3 });
    const beside = x(u) + (u > 0.9 ? -8 : 8);
    pen.strokeText(data.minima[i].name[0], beside, y(v));
    pen.fillText(data.minima[i].name[0], beside, y(v));
  });
  if (data.ring) {
    const ring = new Path2D();
    ring.arc(x(data.ring[0]), y(data.ring[1]), 6, 0, 2 * Math.PI);
    line(ring);
  }
}
