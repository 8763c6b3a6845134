// @ts-check
import { Followers } from "./followers.js";
import { page } from "./page.js";

/** @import { RunStep } from "./types.d.ts" */

/** The step at which a page is shown. The player or the cursor moves it, the other pictures follow. */
export class Clock {
  constructor() {
    /** Infinity where nothing moves it. */
    this.step = Infinity;
    /** Whether it is anywhere but at the end. */
    this.moving = false;
    /** Whether the player shows a race that Python has not run yet: values and tables are of the one before. */
    this.leads = false;
    /**
     * What is drawn at the step, by names.
     *
     * @type {Record<string, number>}
     */
    this.values = {};
    /**
     * What the step of one run is made of.
     *
     * @type {RunStep | null}
     */
    this.parts = null;
    /** The name of that run; "" leaves the choice to the player. */
    this.run = "";
    /** What a link to the page as it is ends with: "#step=" and the step where the player is anywhere but at the end. */
    this.fragment = "";
    this.followers = new Followers();
  }

  /**
   * @param {number} step
   * @param {Record<string, number>} values
   * @param {RunStep | null} parts
   */
  set(step, values, parts = null) {
    Object.assign(this, { step, values, parts });
    this.followers.call();
  }

  /**
   * Calls a follower now and at each move; returns how to end that.
   *
   * @param {() => void} follower
   */
  follow(follower) {
    const end = this.followers.follow(follower);
    follower();
    return end;
  }
}

page.clock ??= new Clock();

/** The page's own. */
export const clock = page.clock;
