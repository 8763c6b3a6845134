// @ts-check
/** @import { View } from "./types.d.ts" */

const REACH = 16; // px around the start within which it is grabbed
const FINGERTIP = 22; // and by a finger

/**
 * Whether a pointer grabs what is at a point of the plane: it is near in the picture, and the surface does not hide it.
 *
 * @param {View} view
 * @param {[number, number]} point
 * @param {number} px where the pointer is
 * @param {number} py
 * @param {boolean} finger
 */
export function grabs(view, [x, y], px, py, finger) {
  const away = Math.hypot(view.x(x, y) - px, view.y(x, y) - py);
  return away < (finger ? FINGERTIP : REACH) && !view.hidden?.(x, y);
}
