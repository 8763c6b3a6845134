// @ts-check
// The reader's hand on a race: while it drags the start, or moves a rate, the paths follow. Once it rests, Python's race
// takes over.

import { box, make, part, write } from "../lib/dom.js";
import { short } from "../lib/numbers.js";
import { positionOf, rateAt } from "./grid.js";
import { anglesOf, LiveRace, labelOf, rounded } from "./live.js";
import { RateMap } from "./rates.js";

/** @import { Player } from "./player.js" */
/** @import { LiveData, LiveMotion, PlayerData, Run } from "./types.d.ts" */

const RATES = /** @type {const} */ (["lr", "hyper_lr"]);

export class Hand {
  /** @param {Player} player */
  constructor(player) {
    this.player = player;
    this.parts = partsOf(player.root);
    /** @type {LiveRace | null} */
    this.race = null;
    /** @type {[number, number] | null} */
    this.start = null; // under the hand, until Python's race is here
    /** @type {Record<string, number>} */
    this.values = {}; // likewise, of settings
    /** @type {Set<string>} */
    this.sent = new Set(); // settings to which Python has not answered
    this.due = false; // whether the race is to be run again
    this.races = 0; // that have been run here
    /** @type {number | null} */
    this.left = null; // the step at which the hand took Python's race over, Infinity for its end
    this.chosen = ""; // the run whose rates the sliders are
    this.map = new RateMap(this);
    this.controls();
  }

  /** Whether the hand is on something. */
  get moves() {
    const { lr, hyper_lr } = this.parts.sliders;
    const sliding = [lr, hyper_lr].some(({ input }) => input.matches(":active"));
    return Boolean(this.player.pointer?.held) || this.map.pressed || sliding;
  }

  /** Whether what is drawn is not Python's. */
  get leads() {
    return this.start !== null || Object.keys(this.values).length > 0;
  }

  /** Answers to the sliders and the choice of a run. */
  controls() {
    const { choice, sliders } = this.parts;
    choice.onchange = () => {
      this.chosen = choice.value;
      this.label();
    };
    for (const rate of RATES) {
      const { input } = sliders[rate];
      input.oninput = () => this.set(this.nameOf(rate), Number(input.value));
      input.onchange = () => this.commit([this.nameOf(rate)]);
    }
  }

  /**
   * Python's race.
   *
   * @param {PlayerData} data
   */
  show(data) {
    const race = raceOf(data);
    this.race = race;
    this.player.under.exact = race?.probe ? (x, y) => race.surfaceAt(x, y) : null;
    if (this.moves) this.due = true;
    else this.forget();
    this.sent.clear();
    const { root, choice } = this.parts;
    const movable = data.runs.map(
      (_, i) => RATES.filter((rate) => typeof data.live?.runs[i]?.[rate] === "string").length,
    );
    const names = data.runs.filter((_, i) => movable[i]).map(({ name }) => name);
    root.hidden = !names.length || !this.race;
    // One with both rates, FOP's if it races: it stands last.
    if (!names.includes(this.chosen)) this.chosen = data.runs[movable.lastIndexOf(Math.max(...movable))]?.name ?? "";
    if (names.join() !== Array.from(choice.options, ({ value }) => value).join())
      choice.replaceChildren(...names.map((name) => make("option", "", name)));
    choice.value = this.chosen;
    this.label();
  }

  /** Nothing is under the hand any more. */
  forget() {
    this.start = null;
    this.values = {};
    this.due = false;
    this.left = null;
  }

  /**
   * The start is dragged to a point.
   *
   * @param {[number, number] | null} point
   */
  drag(point) {
    const { live } = this.player.data;
    if (!live || !this.race || !point?.every(Number.isFinite)) return;
    this.start = rounded(point, live.digits);
    this.due = true;
  }

  /** What was done is not meant: Python's race is shown again, at the step that it was left at. */
  cancel() {
    const { left, player } = this;
    this.forget();
    player.renew();
    if (left !== null) player.go(left);
    this.label();
  }

  /**
   * The slider of a setting is moved. Where it was at first it has the setting's own value, which need not be one of its.
   *
   * @param {string} name
   * @param {number} position
   */
  set(name, position) {
    const known = this.player.data.live?.settings[name];
    if (known !== undefined) this.put([name], [position === positionOf(known) ? known : rateAt(position)]);
  }

  /**
   * Rates are moved. One that Python's race has is none that was moved: the page would not answer to it.
   *
   * @param {string[]} names of their settings; "" for none
   * @param {number[]} rates
   */
  put(names, rates) {
    names.forEach((name, i) => {
      if (rates[i] === this.player.data.live?.settings[name]) delete this.values[name];
      else if (name) this.values[name] = rates[i];
    });
    this.due = true;
    this.label();
  }

  /**
   * Has Python run the race with what was moved; also with what has been moved back before it has answered.
   *
   * @param {string[]} names of settings
   */
  commit(names) {
    const changed = names.filter((name) => name in this.values || this.sent.has(name));
    if (!changed.length) return;
    for (const name of changed) this.sent.add(name);
    const rates = changed.map((name) => [name, this.values[name] ?? this.player.data.live?.settings[name]]);
    this.player.trigger("rates", Object.fromEntries(rates));
  }

  /** The names of the settings that the sliders move; "" for none. */
  names() {
    return RATES.map((rate) => this.nameOf(rate));
  }

  /** The rates that the sliders stand at. */
  rates() {
    const { live } = this.player.data;
    return this.names().map((name) => this.values[name] ?? live?.settings[name] ?? Number.NaN);
  }

  /** How the chosen run runs from the race's start, at any rates; null where it has not both. */
  mapped() {
    const { race, player } = this;
    const { data } = player;
    const index = data.runs.findIndex(({ name }) => name === this.chosen);
    const [rule, key] = [race?.rules[index], data.live?.runs[index]?.key];
    const [lr, hyper_lr] = this.names();
    if (!race || !rule || !data.live || !key || !lr || !hyper_lr) return null;
    const own = rule.copy(); // what is drawn of the run stays
    /** @type {(at: number, rho: number, limit: number) => LiveMotion} */
    const run = (at, rho, limit) => race.runOne(own, index, data.start, { [lr]: at, [hyper_lr]: rho }, limit);
    return { key, run, steps: data.live.steps };
  }

  /**
   * The name of the setting that a slider moves; "" for none.
   *
   * @param {typeof RATES[number]} rate
   */
  nameOf(rate) {
    const { data } = this.player;
    const setting = data.live?.runs[data.runs.findIndex(({ name }) => name === this.chosen)]?.[rate];
    return typeof setting === "string" ? setting : "";
  }

  /** Writes the values beside the sliders, and has these stand there. */
  label() {
    const [names, rates] = [this.names(), this.rates()];
    RATES.forEach((rate, i) => {
      const { row, input, output } = this.parts.sliders[rate];
      const value = rates[i];
      row.hidden = !names[i];
      if (!names[i]) return;
      write(output, short(value));
      input.setAttribute("aria-valuetext", short(value));
      if (!input.matches(":active")) input.value = String(positionOf(value));
    });
    this.map.renew();
  }

  /** Runs the race where the hand has it; once a frame. */
  follow() {
    const { player, race } = this;
    this.map.follow();
    if (!this.due || !race) return;
    this.due = false;
    if (!this.leads) return this.cancel();
    this.left ??= player.step < player.end ? player.step : Infinity;
    const { data } = player;
    this.races++;
    const motions = race.run(this.start ?? data.start, { ...data.live?.settings, ...this.values });
    player.runs.forEach((run, i) => {
      const motion = motions[i];
      run.late = !motion;
      if (motion) lay(run, motion, data.runs[i].arrows);
    });
    if (this.start) player.setStart(this.start);
    player.play(false);
    player.go(Infinity);
  }
}

/**
 * Gives a run other points.
 *
 * @param {Run} run
 * @param {LiveMotion} motion
 * @param {boolean} arrows
 */
function lay(run, motion, arrows) {
  const { x, y, count: points } = motion;
  const text = labelOf(run.name, motion);
  Object.assign(run, motion, {
    arrows: arrows ? anglesOf(motion) : null,
    terms: run.terms && { ...run.terms, ...motion.made },
    label: { ...run.label, text, at: [x[points - 1], y[points - 1]] },
  });
}

/**
 * @param {PlayerData} data
 * @returns {data is PlayerData & LiveData}
 */
const isLive = (data) => data.live !== undefined;

/**
 * The race to run here; null where the data have none, or where a server in between forbids functions of text: then Python
 * alone runs races.
 *
 * @param {PlayerData} data
 */
function raceOf(data) {
  try {
    return isLive(data) ? new LiveRace(data) : null;
  } catch (error) {
    if (error instanceof EvalError) return null;
    throw error;
  }
}

/** @param {HTMLElement} root */
function partsOf(root) {
  /** @param {string} name */
  const slider = (name) => {
    const row = box(root, `.fop-hand-${name}`);
    return { row, input: part(row, "input", HTMLInputElement), output: part(row, "output", HTMLOutputElement) };
  };
  return {
    root: box(root, ".fop-hand"),
    choice: part(root, ".fop-hand-run", HTMLSelectElement),
    sliders: { lr: slider("lr"), hyper_lr: slider("hyper") },
  };
}
