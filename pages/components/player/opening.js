// @ts-check
// The scene that the page opens with: it plays by itself once in a visit, and ends with what to try next.

import { clamp } from "../lib/numbers.js";
import { page } from "../lib/page.js";

/** @import { View } from "./types.d.ts" */

const AWAY = 14; // px from the start to the invitation

/**
 * How a race begins that is shown for the first time: by itself, where a reader who wants no motion sees most, or at its end.
 *
 * @param {{ opening: boolean, opened: boolean, still: boolean }} visit
 * @returns {"play" | "still" | "end"}
 */
export function beginning({ opening, opened, still }) {
  if (!opening || opened) return "end";
  return still ? "still" : "play";
}

/**
 * A step that shows what a run does: its middle one.
 *
 * @param {number} last
 */
export const telling = (last) => Math.floor(last / 2);

/**
 * The step that a link leads to, as `copy_link` ends it; null where it leads to none.
 *
 * @param {string} fragment of the address
 */
export function linked(fragment) {
  const step = /^#step=(\d{1,9})$/.exec(fragment);
  return step && Number(step[1]);
}

/** What the opening does on the page. */
export class Opening {
  /** @param {HTMLElement} invitation */
  constructor(invitation) {
    this.invitation = invitation;
    this.waits = false; // for the surface to be drawn
    this.plays = false;
  }

  /**
   * Returns how a race begins, which is shown for the first time.
   *
   * @param {boolean} opening
   */
  begin(opening) {
    const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    const way = beginning({ opening, opened: Boolean(page.opened), still });
    if (way !== "end") page.opened = true;
    this.waits = way === "play";
    this.invitation.hidden = way !== "still";
    return way;
  }

  /** Whether it is time to play, which is said once. */
  starts() {
    const { waits } = this;
    this.waits = false;
    this.plays = waits;
    return waits;
  }

  /** The race has been played to its end. */
  ended() {
    if (this.plays) this.invitation.hidden = false;
    this.plays = false;
  }

  /** The reader has begun to play, or the race is another one. */
  leave() {
    page.opened = true;
    Object.assign(this, { waits: false, plays: false });
    this.invitation.hidden = true;
  }

  /**
   * Puts the invitation below the start, or above it where there is no room below.
   *
   * @param {View} view
   * @param {[number, number]} start
   */
  draw(view, [x, y]) {
    const { invitation } = this;
    if (invitation.hidden) return;
    const { offsetWidth: width, offsetHeight: height } = invitation;
    const [px, py] = [view.x(x, y), view.y(x, y)];
    const below = py + AWAY + height <= view.height;
    const left = view.left + clamp(px - width / 2, 0, Math.max(0, view.width - width));
    const top = view.top + (below ? py + AWAY : py - AWAY - height);
    invitation.style.transform = `translate(${left}px, ${top}px)`;
  }
}
