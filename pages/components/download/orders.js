// @ts-check
import { clock } from "../lib/clock.js";
import { Followers } from "../lib/followers.js";
import { page } from "../lib/page.js";
/** @import { Scheme } from "../lib/types.d.ts" */
/** @import { Order } from "./types.d.ts" */

/**
 * The files that were clicked for and are not here yet, first come first served. The buttons add to them, the courier
 * brings them; both come and go (a menu closes), so this stays with the page.
 */
export class Orders {
  /**
   * @param {() => Order["screen"]} screen what it shows now
   * @param {() => string} path of the page that is shown
   */
  constructor(screen, path) {
    this.screen = screen;
    this.path = path;
    /** @type {Order[]} */
    this.waiting = [];
    /**
     * By a button's key what came of its last click.
     *
     * @type {Record<string, { text: string, failed: boolean }>}
     */
    this.notes = {};
    this.followers = new Followers();
    /** Path of the page whose notes they are. */
    this.page = "";
  }

  /** Forgets what was clicked on another page; on this one the buttons may have come before the courier. */
  arrive() {
    const path = this.path();
    if (path === this.page) return;
    this.page = path;
    this.waiting = this.waiting.filter((order) => order.page === path);
    this.notes = {};
    this.changed();
  }

  changed() {
    this.followers.call();
  }

  /**
   * Calls a follower now and at each change; returns how to end that.
   *
   * @param {() => void} follower
   */
  follow(follower) {
    const end = this.followers.follow(follower);
    follower();
    return end;
  }

  /**
   * Orders a button's file, of what the screen shows at this moment.
   *
   * @param {string} key of the button
   * @param {string} of what the file would be of
   * @param {Scheme} [theme] of the page
   */
  add(key, of, theme) {
    const id = crypto.getRandomValues(new Uint32Array(2)).join("-");
    this.waiting.push({ id, key, of, screen: { ...this.screen(), theme }, page: this.path() });
    delete this.notes[key];
    this.changed();
  }

  /**
   * Says what came of a click that ordered nothing.
   *
   * @param {string} key of the button
   * @param {string} text
   */
  note(key, text, failed = false) {
    this.notes[key] = { text, failed };
    this.changed();
  }

  /**
   * The first one has come, or will not.
   *
   * @param {string} text what is said of it
   */
  close(text, failed = false) {
    const order = this.waiting.shift();
    if (!order) throw new Error(`no file is waited for, of which to say: ${text}`);
    this.note(order.key, text, failed);
  }
}

/** What the page shows: the inspector's choice, the player's view, and the clock's step where one moves it. */
const shown = () => ({ ...page.screen, ...page.player?.view(), step: Number.isFinite(clock.step) ? clock.step : null });

page.orders ??= new Orders(shown, () => location.pathname);

/** The page's own. */
export const orders = page.orders;
