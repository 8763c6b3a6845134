// @ts-check
import { short } from "../lib/numbers.js";

/** @import { RunStep } from "../lib/types.d.ts" */

const NONE = "–";

/**
 * What is written of a step: the entries of P, g, ε and Δθ.
 *
 * @param {Pick<RunStep, "P" | "g" | "rate" | "move" | "tried">} step
 * @returns {Record<string, string[]>}
 */
export function texts({ P, g, rate, move, tried }) {
  const added = tried ?? move;
  return {
    P: P ? P.map((entry) => short(entry)) : [],
    g: g.map((entry) => short(entry)),
    rate: [short(rate)],
    move: added ? added.map((entry) => short(entry)) : [NONE, NONE],
  };
}
