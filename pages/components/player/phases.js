// @ts-check
// One step, taken apart: g, momentum, P g and the move, one after the other, each for an equal part of the step.

import { pulls, triedOf } from "./terms.js";

/** @import { Pair, Parts } from "../lib/types.d.ts" */
/** @import { Terms } from "./types.d.ts" */

/** @typedef {"gradient" | "momentum" | "preconditioned" | "move"} Phase */

/**
 * A part of a step.
 *
 * @typedef {object} Part
 * @property {Phase} phase
 * @property {Pair} from where it begins, from the point of the run
 * @property {Pair} vector in the plane
 * @property {boolean} adds whether the step is the sum of it and of others that do
 * @property {string} label
 */

const NEAR = 1e-6; // of a phase within which its end is reached

/**
 * The phases of a run's steps.
 *
 * @param {Pick<Terms, "P" | "momentum">} terms
 * @returns {Phase[]}
 */
export const phasesOf = ({ P, momentum }) => [
  "gradient",
  ...(momentum ? /** @type {Phase[]} */ (["momentum"]) : []),
  ...(P ? /** @type {Phase[]} */ (["preconditioned"]) : []),
  "move",
];

/**
 * Which step, which phase of it, and how much of that is over.
 *
 * @param {number} step need not be whole
 * @param {number} count of phases
 */
export function phaseAt(step, count) {
  const nearest = Math.round(step * count);
  const over = Math.abs(step * count - nearest) < NEAR ? nearest : step * count;
  const whole = Math.floor(over / count);
  const index = Math.floor(over - whole * count);
  return { whole, index, share: over - whole * count - index };
}

/**
 * Where the heads are: they move in the last phase alone.
 *
 * @param {number} step
 * @param {number} count of phases
 */
export function headStep(step, count) {
  const { whole, index, share } = phaseAt(step, count);
  return index === count - 1 ? whole + share : whole;
}

/**
 * The end of the next phase, or of the one before.
 *
 * @param {number} step
 * @param {number} count of phases
 * @param {number} by 1 or -1
 */
export function nextPhase(step, count, by) {
  const over = step * count;
  return (by > 0 ? Math.floor(over + NEAR) + 1 : Math.ceil(over - NEAR) - 1) / count;
}

/**
 * The parts of a step, in the order of its phases; none at the end of a run.
 *
 * What past gradients add is all of the step but its pull. It begins where P g does not, so that their sum is the step.
 *
 * @param {Parts} parts
 * @param {Phase[]} phases
 * @returns {Part[]}
 */
export function arrowsOf(parts, phases) {
  const { move } = parts;
  if (!move) return [];
  const { descent, preconditioned } = pulls(parts);
  const undone = triedOf(parts) !== null;
  const pull = preconditioned ?? descent;
  /** @type {Pair} */
  const kept = undone ? [0, 0] : [move[0] - pull[0], move[1] - pull[1]];
  /** @type {Pair} */
  const zero = [0, 0];
  const adds = phases.includes("momentum");
  /** @type {Record<Phase, Part>} */
  const all = {
    gradient: { phase: "gradient", from: zero, vector: descent, adds: adds && !preconditioned, label: "−ε g" },
    momentum: { phase: "momentum", from: preconditioned ? zero : descent, vector: kept, adds, label: "momentum" },
    preconditioned: { phase: "preconditioned", from: adds ? kept : zero, vector: pull, adds: true, label: "−ε P g" },
    move: {
      phase: "move",
      from: zero,
      vector: undone ? pull : move,
      adds: true,
      label: undone ? "undone: f does not fall" : "step",
    },
  };
  return phases.map((phase) => all[phase]);
}
