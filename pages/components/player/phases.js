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
 * @param {number} phases how many there are
 */
export function phaseAt(step, phases) {
  const nearest = Math.round(step * phases);
  const over = Math.abs(step * phases - nearest) < NEAR ? nearest : step * phases;
  const whole = Math.floor(over / phases);
  const index = Math.floor(over - whole * phases);
  return { whole, index, share: over - whole * phases - index };
}

/**
 * Where the heads are: they move in the last phase alone.
 *
 * @param {number} step
 * @param {number} phases how many there are
 */
export function headStep(step, phases) {
  const { whole, index, share } = phaseAt(step, phases);
  return index === phases - 1 ? whole + share : whole;
}

/**
 * The end of the next phase, or of the one before.
 *
 * @param {number} step
 * @param {number} phases how many there are
 * @param {number} by 1 or -1
 */
export function nextPhase(step, phases, by) {
  const over = step * phases;
  return (by > 0 ? Math.floor(over + NEAR) + 1 : Math.ceil(over - NEAR) - 1) / phases;
}

/** @type {Record<Phase, string>} */
const NAMES = {
  gradient: "the gradient g, followed downhill",
  momentum: "momentum, what past gradients add",
  preconditioned: "P g, the gradient turned and stretched by P",
  move: "the step Δθ",
};

/**
 * Which part of a step is shown last, in words: of the step before, where none of the next one is shown yet.
 *
 * @param {number} step
 * @param {Phase[]} phases
 * @param {(step: number) => boolean} isUndone whether a step is
 */
export function captionOf(step, phases, isUndone) {
  const { whole, index, share } = phaseAt(step, phases.length);
  const begun = index + (share > 0 ? 1 : 0);
  if (!begun && !whole) return `A step in ${phases.length} parts`;
  const of = begun ? whole : whole - 1;
  const number = begun || phases.length;
  const phase = phases[number - 1];
  const undone = phase === "move" && isUndone(of);
  const name = undone ? "undone, as the loss would not have fallen" : NAMES[phase];
  return `${number} of ${phases.length}: ${name}`;
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
