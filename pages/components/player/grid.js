// @ts-check
// What a run needs at each pair of its two rates, and the rates that sliders and cells stand for.

import { blend, css, rgb } from "../lib/colors.js";
import { clamp, count } from "../lib/numbers.js";
/** @import { Colors, Hex } from "../lib/types.d.ts" */
/** @import { LiveMotion } from "./types.d.ts" */

export const [COLUMNS, ROWS] = [45, 30];
/** Powers of ten from which and to which the rates go: ε across, ρ up. */
export const ACROSS = /** @type {const} */ ([-4, 1]);
export const UP = /** @type {const} */ ([-5, 1]);
const FINE = 100; // positions of a slider to a decade
const LIMIT = 2000; // steps at a pair of rates
const PALEST = 0.2; // of a colour, in the slowest
const UNMET = { diverged: 0.4, "step limit": 0.12 }; // of the ink, where no run converges

/** @typedef {{ status: LiveMotion["status"], step: number }} Cell how a run ended, and when */

/**
 * The rate in the middle of a cell.
 *
 * @param {number} index
 * @param {number} cells
 * @param {readonly [number, number]} powers
 */
export const rateOf = (index, cells, [low, high]) =>
  Number((10 ** (low + ((index + 0.5) / cells) * (high - low))).toPrecision(3));

/**
 * How far along an axis a rate is, 0 to 1.
 *
 * @param {number} rate
 * @param {readonly [number, number]} powers
 */
export const shareOf = (rate, [low, high]) => (Math.log10(rate) - low) / (high - low);

/** What a run needs at each pair of rates, from the lowest ρ up; computed bit by bit. */
export class Grid {
  /**
   * @param {(lr: number, hyper_lr: number, limit: number) => Cell} run
   * @param {number} limit steps
   */
  constructor(run, limit) {
    this.run = run;
    this.limit = Math.min(limit, LIMIT);
    /** @type {Cell[]} */
    this.cells = [];
  }

  get done() {
    return this.cells.length === COLUMNS * ROWS;
  }

  /** @param {() => boolean} stop */
  advance(stop) {
    do {
      const at = this.cells.length;
      const [lr, hyper_lr] = ratesAt(at % COLUMNS, Math.floor(at / COLUMNS));
      const { status, step } = this.run(lr, hyper_lr, this.limit);
      this.cells.push({ status, step });
    } while (!this.done && !stop());
  }
}

/**
 * @param {number} column
 * @param {number} row the lowest is 0
 */
export const ratesAt = (column, row) => [rateOf(column, COLUMNS, ACROSS), rateOf(row, ROWS, UP)];

/**
 * The colour of a cell: strong where the run is fast.
 *
 * @param {Cell | undefined} cell
 * @param {number} fewest of all cells
 * @param {number} limit
 * @param {Hex} color the run's
 * @param {Colors} theme
 */
export function colorOf(cell, fewest, limit, color, { paper, ink }) {
  if (cell?.status !== "converged") return blend(rgb(ink), rgb(paper), cell ? UNMET[cell.status] : 0);
  const share = Math.log((cell.step + 1) / (fewest + 1)) / Math.max(1e-9, Math.log((limit + 1) / (fewest + 1)));
  return blend(rgb(color), rgb(paper), 1 - (1 - PALEST) * clamp(share, 0, 1));
}

/**
 * The colours of a map and what each stands for: the fewest steps and the most, between which all others are, then how
 * other runs end.
 *
 * @param {number} fewest
 * @param {number} limit
 * @param {Hex} color
 * @param {Colors} theme
 */
export function scaleOf(fewest, limit, color, theme) {
  /** @type {(status: Cell["status"], step: number, words: string) => { color: string, words: string }} */
  const entry = (status, step, words) => ({
    color: css(colorOf({ status, step }, fewest, limit, color, theme)),
    words,
  });
  return [
    entry("converged", fewest, count(fewest)),
    entry("converged", limit, `${count(limit)} steps`),
    entry("step limit", limit, "more"),
    entry("diverged", 0, "diverges"),
  ];
}

/**
 * What is said of a pair of rates.
 *
 * @param {Cell} cell
 */
export function wordsOf(cell) {
  if (cell.status === "converged") return `${count(cell.step)} steps`;
  return cell.status === "diverged" ? `diverges at step ${count(cell.step)}` : `more than ${count(cell.step)} steps`;
}

/** A rate at a position of its slider. @param {number} position */
export const rateAt = (position) => Number((10 ** (position / FINE)).toPrecision(3));

/** @param {number} rate */
export const positionOf = (rate) => Math.round(FINE * Math.log10(rate));
