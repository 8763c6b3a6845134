// @ts-check
// Which ellipses stand for P and for the inverse Hessian, how they lie in a picture, and what is said of them.

import { short } from "./numbers.js";

/** @import { Symmetric } from "./types.d.ts" */

const DEGREE = 180 / Math.PI;
const NARROWEST = 0.012; // of an ellipse, for its line to be seen

/** @typedef {{ angle: number, large: number, small: number }} Axes of the first eigenvector, and both eigenvalues */
/** @typedef {{ angle: number, long: number, wide: number }} Shape what a matrix makes of a circle; `long` >= `wide` >= 0 */
/** @typedef {{ rx: number, ry: number, turn: number }} Ellipse the larger axis is 1; turned as a canvas turns, y downwards */
/** @typedef {[xx: number, xy: number, yx: number, yy: number]} Jacobian px of a picture for x and for y of the plane */

/**
 * @typedef {object} Comparison
 * @property {Shape} learned P's
 * @property {Shape | null} newton that of the inverse Hessian, up to its size; null where there is none
 * @property {boolean} indefinite whether P has a negative eigenvalue
 * @property {boolean} negative whether H has one
 * @property {[P: string, H: string, apart: string]} lines P, the Hessian, how they differ
 */

/**
 * The axes of a symmetric matrix, the eigenvalue larger in size first; null where it is not finite.
 *
 * @param {Symmetric | null} matrix
 * @returns {Axes | null}
 */
export function axesOf(matrix) {
  if (!matrix?.every(Number.isFinite)) return null;
  const [xx, xy, yy] = matrix;
  const mean = (xx + yy) / 2;
  const radius = Math.hypot((xx - yy) / 2, xy);
  const turn = Math.atan2(2 * xy, xx - yy) / 2; // of the eigenvalue mean + radius
  return mean >= 0
    ? { angle: turn, large: mean + radius, small: mean - radius }
    : { angle: turn + Math.PI / 2, large: mean - radius, small: mean + radius };
}

/**
 * A shape of the plane as an ellipse of a picture, to one size.
 *
 * @param {Shape} shape
 * @param {Jacobian} jacobian of the picture, at the point where the shape is
 * @returns {Ellipse}
 */
export function ellipse({ angle, long, wide }, [xx, xy, yx, yy]) {
  const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
  const share = wide / Math.max(long, 1e-300);
  const [ax, ay] = [xx * cosine + xy * sine, yx * cosine + yy * sine];
  const [bx, by] = [share * (xy * cosine - xx * sine), share * (yy * cosine - yx * sine)];
  // Half axes are the singular values of [a b].
  const axes = axesOf([ax * ax + bx * bx, ax * ay + bx * by, ay * ay + by * by]);
  if (!axes || !(axes.large > 0)) return { rx: NARROWEST, ry: NARROWEST, turn: 0 };
  const narrow = Math.abs(ax * by - ay * bx) / axes.large; // their product over the larger one squared
  return { rx: 1, ry: Math.max(narrow, NARROWEST), turn: axes.angle };
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
 * Sets P beside the inverse Hessian, to compare their shapes. Null where P is not finite.
 *
 * @param {Symmetric | null} P
 * @param {Symmetric | null} H
 * @returns {Comparison | null}
 */
export function compared(P, H) {
  const axes = axesOf(P);
  if (!axes) return null;
  const { angle, large, small } = axes;
  const indefinite = large < 0 || small < 0;
  const known = axesOf(H);
  const { angle: steep, large: curved, small: flat } = known ?? { angle: 0, large: 0, small: 0 };
  // Rounding leaves an eigenvalue of 0 a little beside it.
  const inverse = Math.abs(flat) > 1e-10 * Math.abs(curved);
  const negative = curved < 0 || flat < 0;
  const name = negative ? "|H|⁻¹" : "H⁻¹";

  /** @returns {string} */
  const hessian = () => {
    if (!known) return "The Hessian is not finite here.";
    if (!inverse) return "H is singular here: it has an eigenvalue 0 and no inverse";
    if (negative) return `|H|⁻¹, dashed: here H has a negative eigenvalue, ${short(Math.min(curved, flat))}`;
    return `H⁻¹: ${longer(curved, flat)} times as long as wide`;
  };
  const apart = Math.round(between(angle, steep + Math.PI / 2));
  const away = inverse && !isRound(large, small) && !isRound(curved, flat) ? `, ${apart}° away from ${name}` : "";
  return {
    learned: { angle, long: Math.abs(large), wide: Math.abs(small) },
    // 1 / |flat| and 1 / |curved|, up to their size
    newton: inverse ? { angle: steep + Math.PI / 2, long: Math.abs(curved), wide: Math.abs(flat) } : null,
    indefinite,
    negative,
    lines: [
      `P: eigenvalues ${short(large)}, ${short(small)}${indefinite ? ", not positive definite" : ""}`,
      hessian(),
      `P: ${longer(large, small)} times as long as wide${away}`,
    ],
  };
}
