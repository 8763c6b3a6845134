// @ts-check
/** @import { Area, FlatView } from "./types.d.ts" */

/**
 * The plane from above.
 *
 * @param {Area} area
 * @param {[number, number]} xRange
 * @param {[number, number]} yRange
 * @returns {FlatView}
 */
export function flatView(area, [x0, x1], [y0, y1]) {
  const [across, up] = [area.width / (x1 - x0), area.height / (y1 - y0)];
  return {
    ...area,
    span: x1 - x0,
    key: [x0, x1, y0, y1, area.width, area.height, area.left].join(),
    x: (x) => (x - x0) * across,
    y: (_, y) => (y1 - y) * up,
    toX: (px) => x0 + px / across,
    toY: (py) => y1 - py / up,
  };
}
