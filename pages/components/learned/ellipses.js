// @ts-check
// Which ellipses stand for P and for the inverse Hessian, and what is said of them.

import { short } from "../lib/numbers.js";

/** @import { Axes } from "./types.d.ts" */

const DEGREE = 180 / Math.PI;
const NARROWEST = 0.012; // of an ellipse, for its line to be seen

/** @typedef {{ rx: number, ry: number, rotate: number }} Ellipse the larger axis is 1; degrees as SVG turns them */

/**
 * @typedef {object} Comparison
 * @property {Ellipse} learned P
 * @property {Ellipse | null} newton the inverse Hessian; null where there is none
 * @property {boolean} indefinite whether P has a negative eigenvalue
 * @property {boolean} negative whether H has one
 * @property {string[]} lines P, the Hessian, how they differ
 */

/**
 * The ellipse with axes a >= b at an angle from the x axis; the y axis of the picture points down.
 *
 * @param {number} angle
 * @param {number} a
 * @param {number} b
 * @returns {Ellipse}
 */
export function ellipse(angle, a, b) {
  const wide = Math.max(a, b, 1e-300);
  return { rx: Math.max(a / wide, NARROWEST), ry: Math.max(b / wide, NARROWEST), rotate: -angle * DEGREE };
}

/**
 * The angle between two directions of no sense, in degrees, 0 to 90.
 *
 * @param {number} one
 * @param {number} other
 */
export function between(one, other) {
  const turned = Math.abs(one - other) % Math.PI;
  return Math.min(turned, Math.PI - turned) * DEGREE;
}

/**
 * @param {Axes | undefined} axes
 * @returns {[number, number, number] | null}
 */
function finite(axes) {
  if (!axes) return null;
  const [angle, large, small] = axes;
  return angle === null || large === null || small === null ? null : [angle, large, small];
}

/**
 * @param {number} a
 * @param {number} b
 */
const longer = (a, b) => (b === 0 ? "∞" : short(Math.abs(a / b)));

/**
 * @param {number} a
 * @param {number} b
 */
const isRound = (a, b) => Math.abs(Math.abs(a / b) - 1) < 0.02;

/**
 * Sets P beside the inverse Hessian, both to one size: their shapes are compared. Null where P is not finite.
 *
 * @param {Axes | undefined} P
 * @param {Axes | undefined} H
 * @returns {Comparison | null}
 */
export function compared(P, H) {
  const axes = finite(P);
  if (!axes) return null;
  const [turn, large, small] = axes;
  const indefinite = large < 0 || small < 0;
  const known = finite(H);
  const [steep, curved, flat] = known ?? [0, 0, 0];
  const sizes = [Math.abs(curved), Math.abs(flat)];
  // Rounding leaves an eigenvalue of 0 a little beside it.
  const inverse = Math.min(...sizes) > 1e-10 * Math.max(...sizes);
  const negative = curved < 0 || flat < 0;
  const name = negative ? "|H|⁻¹" : "H⁻¹";

  /** @returns {string} */
  const hessian = () => {
    if (!known) return "The Hessian is not finite here.";
    if (!inverse) return "H is singular here: it has an eigenvalue 0 and no inverse";
    if (negative) return `|H|⁻¹, dashed: here H has a negative eigenvalue, ${short(Math.min(curved, flat))}`;
    return `H⁻¹: ${longer(curved, flat)} times as long as wide`;
  };
  const apart = Math.round(between(turn, steep + Math.PI / 2));
  const away = inverse && !isRound(large, small) && !isRound(curved, flat) ? `, ${apart}° away from ${name}` : "";
  return {
    learned: ellipse(turn, Math.abs(large), Math.abs(small)),
    newton: inverse ? ellipse(steep + Math.PI / 2, sizes[0], sizes[1]) : null, // 1/|flat| and 1/|curved|, to one size
    indefinite,
    negative,
    lines: [
      `P: eigenvalues ${short(large)}, ${short(small)}${indefinite ? ", not positive definite" : ""}`,
      hessian(),
      `P: ${longer(large, small)} times as long as wide${away}`,
    ],
  };
}
