// @ts-check
import { page } from "./page.js";

/** @typedef {[number, number]} Range */

/**
 * One axis across that several pictures of a page have: what of it is shown, and where on it a reader points. Pictures know
 * it by a name, and those of another name are left alone. Numbers are as on the axis: logarithms on a logarithmic one.
 */
export class Across {
  constructor() {
    this.name = "";
    /**
     * What of it is shown; null for all.
     *
     * @type {Range | null}
     */
    this.range = null;
    /**
     * Where on it a reader points; null for nowhere.
     *
     * @type {number | null}
     */
    this.at = null;
    /** In which picture he does, so that it alone shows no values beside its own. */
    this.by = /** @type {object | null} */ (null);
    /** @type {Set<() => void>} */
    this.followers = new Set();
  }

  /**
   * What of a name's axis is shown; null for all.
   *
   * @param {string} name
   */
  rangeOf(name) {
    return this.name === name ? this.range : null;
  }

  /**
   * Where on a name's axis a reader points; null for nowhere.
   *
   * @param {string} name
   */
  atOf(name) {
    return this.name === name ? this.at : null;
  }

  /**
   * @param {string} name
   * @param {Range | null} range
   */
  zoom(name, range) {
    if (same(this.rangeOf(name), range)) return;
    this.enter(name);
    this.range = range;
    this.call();
  }

  /**
   * @param {string} name
   * @param {number | null} at
   * @param {object} by the picture that is pointed at
   */
  point(name, at, by) {
    if (this.atOf(name) === at && (at === null || this.by === by)) return;
    this.enter(name);
    this.at = at;
    this.by = by;
    this.call();
  }

  /**
   * Forgets the axis of another name.
   *
   * @param {string} name
   */
  enter(name) {
    if (this.name !== name) Object.assign(this, { name, range: null, at: null, by: null });
  }

  call() {
    for (const follower of this.followers) {
      try {
        follower();
      } catch (error) {
        reportError(error); // one picture that cannot follow keeps no other from it
      }
    }
  }

  /**
   * Calls a follower at each change; returns how to end that.
   *
   * @param {() => void} follower
   */
  follow(follower) {
    this.followers.add(follower);
    return () => {
      this.followers.delete(follower);
    };
  }
}

/**
 * Whether two parts of an axis are the same, but for rounding.
 *
 * @param {Range | null} one
 * @param {Range | null} other
 */
export function same(one, other) {
  if (one === null || other === null) return one === other;
  const least = 1e-9 * Math.abs(one[1] - one[0]);
  return Math.abs(one[0] - other[0]) <= least && Math.abs(one[1] - other[1]) <= least;
}

page.across ??= new Across();

/** The page's own. */
export const across = page.across;
