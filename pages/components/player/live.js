// @ts-check
// Races run in the browser, by the programs that Python's toy_functions/live.py has traced: while the reader's hand moves.
// They begin, go on and end as toy_functions/racing.py has it.

import { count } from "../lib/numbers.js";
import { compiled, sourceOf } from "../lib/program.js";

/** @import { Program } from "../lib/program.js" */
/** @import { LiveData, LiveMotion, LiveSetting, Motion } from "./types.d.ts" */

/** @typedef {{ evaluate: Program, inputs: number, outputs: number }} Compiled a program, and how many numbers it takes and gives */

/** @typedef {{ start: [number, number], lr: number, hyper_lr: number, limit: number }} Choice what the hand chooses */

const INPUTS = 6; // x, y, noise x, noise y, lr, hyper_lr: before the numbers of a state
const RESULTS = 5; // x, y, f, f_x, f_y: before P and the next state
const ENTRIES = 4; // of P
const MOST = 20_000; // steps of a run; one that needs more ends on its way, until Python has all of it

/** One rule of a race. */
export class LiveRule {
  /**
   * @param {Compiled} start
   * @param {Compiled[]} steps
   * @param {boolean} learns
   * @param {Compiled} hessian
   */
  constructor(start, steps, learns, hessian) {
    this.start = start;
    this.steps = steps;
    this.first = RESULTS + (learns ? ENTRIES : 0); // where the next state begins in what a step gives
    this.learns = learns;
    this.hessian = hessian;
    const all = [start, ...steps];
    this.inputs = new Float64Array(Math.max(...all.map((each) => each.inputs)));
    this.outputs = new Float64Array(Math.max(...all.map((each) => each.outputs)));
    this.room = -1; // steps that there is memory for
    /** @type {Float32Array[]} */
    this.columns = [];
  }

  /** The same rule, with memory of its own. */
  copy() {
    return new LiveRule(this.start, this.steps, this.learns, this.hessian);
  }

  /**
   * f and its gradient at a point.
   *
   * @param {boolean} single whether the race is one of float32
   * @param {number} x
   * @param {number} y
   */
  at(single, x, y) {
    const { inputs, outputs, start, steps } = this;
    inputs.fill(0);
    inputs[0] = single ? Math.fround(x) : x;
    inputs[1] = single ? Math.fround(y) : y;
    inputs[4] = inputs[5] = 1; // rates, which f does not hang on
    start.evaluate(inputs, outputs);
    for (let i = 0; i < start.outputs; i++) inputs[INPUTS + i] = outputs[i];
    steps[0].evaluate(inputs, outputs);
    return { f: outputs[2], gx: outputs[3], gy: outputs[4] };
  }

  /** @param {number} limit steps */
  reserve(limit) {
    if (limit <= this.room) return;
    this.room = limit;
    this.columns = Array.from({ length: this.learns ? 14 : 8 }, () => new Float32Array(limit + 1));
  }

  /**
   * Runs a race. What it returns is good until the next call.
   *
   * @param {Circumstances} race
   * @param {Choice} choice
   * @returns {LiveMotion}
   */
  run({ single, target, noise, factors }, { start, lr, hyper_lr, limit }) {
    this.reserve(limit);
    const { inputs, outputs, steps, first, learns } = this;
    const [x, y, losses, gx, gy, dx, dy, rates, Pxx, Pxy, Pyy, Hxx, Hxy, Hyy] = this.columns;
    const last = steps.length - 1;
    inputs[0] = single ? Math.fround(start[0]) : start[0];
    inputs[1] = single ? Math.fround(start[1]) : start[1];
    inputs[4] = lr;
    inputs[5] = hyper_lr;
    this.start.evaluate(inputs, outputs);
    for (let i = 0; i < this.start.outputs; i++) inputs[INPUTS + i] = outputs[i];
    const bends = new Float64Array(3);
    const goal = single ? Math.fround(target) : target;
    /** @type {LiveMotion["status"]} */
    let status = "step limit";
    let step = 0;
    for (; ; step++) {
      const program = steps[Math.min(step, last)];
      if (noise) {
        inputs[2] = noise[2 * step];
        inputs[3] = noise[2 * step + 1];
      }
      if (factors) inputs[4] = lr * factors[Math.min(step, factors.length - 1)];
      rates[step] = inputs[4];
      program.evaluate(inputs, outputs);
      const f = outputs[2];
      x[step] = inputs[0];
      y[step] = inputs[1];
      losses[step] = f;
      gx[step] = outputs[3];
      gy[step] = outputs[4];
      dx[step] = outputs[0] - inputs[0];
      dy[step] = outputs[1] - inputs[1];
      if (learns) {
        Pxx[step] = outputs[RESULTS];
        Pxy[step] = outputs[RESULTS + 1];
        Pyy[step] = outputs[RESULTS + 3];
        this.hessian.evaluate(inputs, bends);
        Hxx[step] = bends[0];
        Hxy[step] = bends[1];
        Hyy[step] = bends[2];
      }
      if (f < goal) {
        status = "converged";
        break;
      }
      const sum = single ? Math.fround(Math.fround(f + inputs[0]) + inputs[1]) : f + inputs[0] + inputs[1];
      if (!Number.isFinite(sum)) {
        status = "diverged";
        break;
      }
      if (step === limit) break;
      inputs[0] = outputs[0];
      inputs[1] = outputs[1];
      for (let i = first; i < program.outputs; i++) inputs[INPUTS + i - first] = outputs[i];
    }
    // The numbers themselves, not as they are drawn: those that are too large for a float32 have a point in Python too.
    const drawn = [inputs[0], inputs[1], outputs[2]].every(Number.isFinite);
    const count = step + Number(drawn);
    const all = this.columns.map((column) => column.subarray(0, count));
    const g = all.slice(3, 5);
    return {
      steps: null,
      arrows: null,
      step,
      status,
      count,
      x: all[0],
      y: all[1],
      losses: all[2],
      g,
      made: {
        // From the last point no step is taken, and noise is of steps.
        g: noise ? g.map((column, i) => column.map((entry, at) => entry + (at < step ? noise[2 * at + i] : 0))) : g,
        moves: all.slice(5, 7),
        rate: lr,
        rates: factors && all[7],
        P: learns ? all.slice(8, 11) : null,
        H: learns ? all.slice(11) : null,
      },
    };
  }
}

/**
 * What is the same for all rules of a race.
 *
 * @typedef {{
 *   single: boolean,
 *   target: number,
 *   noise: Float64Array | null,
 *   factors: Float64Array | null,
 * }} Circumstances
 */

/** The rules of a race that could be traced. */
export class LiveRace {
  /** @param {LiveData} data */
  constructor(data) {
    const code = new Int32Array(data.code);
    const numbers = new Float64Array(data.numbers);
    const { single, steps } = data.live;
    /** @param {ArrayBuffer | undefined} buffer */
    const doubles = (buffer) => (buffer ? new Float64Array(buffer) : null);
    /** @type {Circumstances} */
    this.race = { single, target: numbers[0], noise: doubles(data.noise), factors: doubles(data.factors) };
    this.limit = Math.min(steps, MOST);
    this.runs = data.live.runs;
    let [at, from] = [0, 1];
    const next = () => {
      const { text, inputs, outputs, ...end } = sourceOf(code, numbers, at, from);
      ({ at, from } = end);
      return { evaluate: compiled(text), inputs, outputs };
    };
    const hessian = next();
    this.rules = this.runs.map((run) => {
      if (!run) return null;
      const start = next();
      return new LiveRule(start, Array.from({ length: run.programs }, next), run.learns, hessian);
    });
    this.probe = this.rules.find((rule) => rule !== null)?.copy(); // what is drawn of a run stays
  }

  /**
   * Runs all rules that could be traced; null stands for another one.
   *
   * @param {[number, number]} start
   * @param {Record<string, number>} values of settings, by their names
   */
  run(start, values) {
    return this.rules.map((rule, i) => rule && this.runOne(rule, i, start, values));
  }

  /**
   * @param {LiveRule} rule
   * @param {number} index of the rule
   * @param {[number, number]} start
   * @param {Record<string, number>} values
   * @param {number} limit
   */
  runOne(rule, index, start, values, limit = this.limit) {
    const run = this.runs[index];
    /** @param {LiveSetting | undefined} setting */
    const rateOf = (setting) => (typeof setting === "string" ? values[setting] : (setting ?? 0));
    const rates = { lr: rateOf(run?.lr ?? 1), hyper_lr: rateOf(run?.hyper_lr) };
    return rule.run(this.race, { start, limit, ...rates });
  }

  /**
   * f and its gradient at a point, as the rules see them without noise; null where f is no number, or no rule is traced.
   *
   * @param {number} x
   * @param {number} y
   * @returns {import("./under.js").Value | null}
   */
  surfaceAt(x, y) {
    const { probe } = this;
    if (!probe) return null;
    const { f, gx, gy } = probe.at(this.race.single, x, y);
    return Number.isFinite(f + gx + gy) ? { f, gx, gy } : null;
  }
}

/**
 * What stands at the end of a run; as fop_core.figures.trajectories.Run.label.
 *
 * @param {string} name
 * @param {Pick<LiveMotion, "status" | "step">} motion
 */
export function labelOf(name, { status, step }) {
  if (status === "converged") return `${name} ${count(step)}`;
  return status === "diverged" ? `${name} diverged at ${count(step)}` : `${name} > ${count(step)}`;
}

/**
 * A start to as many decimals as the page keeps of it.
 *
 * @param {[number, number]} point
 * @param {[number, number]} digits
 * @returns {[number, number]}
 */
export const rounded = ([x, y], [of_x, of_y]) => [Number(x.toFixed(of_x)), Number(y.toFixed(of_y))];

/**
 * The angles of g, and of P g, at each point.
 *
 * @param {Pick<LiveMotion, "count" | "g" | "made">} motion
 * @returns {Motion["arrows"]}
 */
export function anglesOf({ count, g, made: { P } }) {
  const gradient = new Float32Array(count);
  const preconditioned = P && new Float32Array(count);
  /** @type {(x: number, y: number) => number} */
  const angle = (x, y) => (x || y ? Math.atan2(y, x) : Number.NaN);
  for (let i = 0; i < count; i++) {
    const [gx, gy] = [g[0][i], g[1][i]];
    gradient[i] = angle(gx, gy);
    if (preconditioned) preconditioned[i] = angle(P[0][i] * gx + P[1][i] * gy, P[1][i] * gx + P[2][i] * gy);
  }
  return { gradient, preconditioned };
}
