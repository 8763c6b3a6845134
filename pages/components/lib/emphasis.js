// @ts-check
import { Followers } from "./followers.js";
import { page } from "./page.js";

const FADED = 0.18; // how much is left of a run while another is pointed at

/** Which runs of a race a page shows, and which one is pointed at, by their rules. The legend sets it, pictures follow. */
export class Emphasis {
  constructor() {
    /** @type {ReadonlySet<string>} */
    this.hidden = new Set();
    /** @type {string | null} */
    this.pointed = null;
    this.followers = new Followers();
  }

  /** @param {string} rule */
  shows(rule) {
    return !this.hidden.has(rule);
  }

  /**
   * How opaque a run is: 1, or less while another one is pointed at.
   *
   * @param {string} rule
   */
  opacity(rule) {
    return this.pointed === null || this.pointed === rule ? 1 : FADED;
  }

  /** @param {ReadonlySet<string>} hidden */
  hide(hidden) {
    if (keyOf(hidden) === keyOf(this.hidden)) return;
    this.hidden = hidden;
    this.followers.call();
  }

  /** @param {string | null} rule nothing fades for one that is hidden */
  point(rule) {
    const pointed = rule !== null && this.shows(rule) ? rule : null;
    if (pointed === this.pointed) return;
    this.pointed = pointed;
    this.followers.call();
  }

  /**
   * Calls a follower at each change; returns how to end that.
   *
   * @param {() => void} follower
   */
  follow(follower) {
    return this.followers.follow(follower);
  }
}

/**
 * What identifies a set of rules.
 *
 * @param {Iterable<string>} rules
 */
export const keyOf = (rules) => [...rules].sort().join();

/**
 * Which of a race's rules are hidden: none where all would be, so that there always is something to see.
 *
 * @param {Iterable<string>} hidden
 * @param {string[]} rules of the race
 * @returns {ReadonlySet<string>} with those of other races left in it
 */
export function within(hidden, rules) {
  const kept = new Set(hidden);
  if (rules.every((rule) => kept.has(rule))) for (const rule of rules) kept.delete(rule);
  return kept;
}

/**
 * Hides a run, or shows it again; hiding the last one shows all.
 *
 * @param {Iterable<string>} hidden
 * @param {string} rule
 * @param {string[]} rules of the race
 */
export function toggled(hidden, rule, rules) {
  const next = new Set(hidden);
  if (!next.delete(rule)) next.add(rule);
  return within(next, rules);
}

/**
 * Shows one run alone; all, where it is alone already.
 *
 * @param {Iterable<string>} hidden
 * @param {string} rule
 * @param {string[]} rules of the race
 */
export function alone(hidden, rule, rules) {
  const next = new Set(hidden);
  const others = rules.filter((other) => other !== rule);
  const already = !next.has(rule) && others.every((other) => next.has(other));
  next.delete(rule);
  for (const other of others) {
    if (already) next.delete(other);
    else next.add(other);
  }
  return next;
}

page.emphasis ??= new Emphasis();

/** The page's own. */
export const emphasis = page.emphasis;
