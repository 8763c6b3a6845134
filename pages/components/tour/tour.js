// @ts-check
import { box, part } from "../lib/dom.js";
import { page } from "../lib/page.js";
import { bring } from "./bring.js";
import { ENDED, INVITATION, KEY, shown } from "./stored.js";

/** @import { Stop, TourData } from "./types.d.ts" */

const WALKED = "fop-tour-walked"; // in the session's storage: whether the tour itself has led to the page that loads

/** The bar at the foot of the page, which the page makes room for: one stop, or the invitation, or nothing. */
export class Tour {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.count = box(root, ".fop-tour-count");
    this.title = part(root, ".fop-tour-title", HTMLAnchorElement);
    this.sentence = box(root, ".fop-tour-sentence");
    this.attempt = box(root, ".fop-tour-attempt");
    this.back = part(root, ".fop-tour-back", HTMLAnchorElement);
    this.next = part(root, ".fop-tour-next", HTMLAnchorElement);
    this.skip = box(root, ".fop-tour-skip");
    /** @type {Stop[]} */
    this.stops = [];
    this.stop = INVITATION;
    this.brought = ""; // the address whose part has been brought into view
    this.leaveIt = () => {};
    this.opening = Tour.url("") === window.location.href; // whether the reader came to the app's own address
    this.sizes = new ResizeObserver(() => this.makeRoom());
    this.sizes.observe(root);
    this.back.onclick = (event) => this.follow(event, this.stop - 1);
    this.next.onclick = (event) => this.follow(event, this.stop + 1);
    this.skip.onclick = () => this.end();
    this.offer = { begin: () => this.go(1) };
    page.tour = this.offer;
  }

  /** @param {TourData} data */
  show({ stops }) {
    this.stops = stops;
    const here = 1 + stops.findIndex(({ address }) => Tour.url(address) === window.location.href);
    const stop = shown(window.localStorage.getItem(KEY), this.opening, here, stops.length);
    this.root.hidden = stop === null;
    if (stop !== null) {
      this.stop = stop;
      if (stop === INVITATION) this.invite();
      else {
        this.describe(stops[stop - 1]);
        if (stop === here) this.bring(stops[stop - 1]);
      }
    }
    this.makeRoom();
    if (stop === null) return;
    if (window.sessionStorage.getItem(WALKED)) this.root.focus({ preventScroll: true });
    window.sessionStorage.removeItem(WALKED);
  }

  invite() {
    this.root.setAttribute("aria-label", "Tour");
    this.count.textContent = "";
    this.title.textContent = "New here?";
    this.title.removeAttribute("href");
    this.sentence.textContent = `A tour of ${this.stops.length} stops, each with one thing to try.`;
    this.attempt.textContent = "";
    this.back.hidden = true;
    this.lead(this.next, 1, "Start the tour");
    this.skip.textContent = "No, thanks";
  }

  /** @param {Stop} stop */
  describe({ title, address, sentence, attempt }) {
    const last = this.stop === this.stops.length;
    const count = `Stop ${this.stop} of ${this.stops.length}`;
    this.root.setAttribute("aria-label", `Tour. ${count}`);
    this.count.textContent = count;
    this.title.textContent = title;
    this.title.href = Tour.url(address);
    this.sentence.textContent = sentence;
    this.attempt.textContent = `Try: ${attempt}`;
    this.back.hidden = this.stop === 1;
    this.next.hidden = last;
    if (!this.back.hidden) this.lead(this.back, this.stop - 1, "Back");
    if (!last) this.lead(this.next, this.stop + 1, "Next");
    this.skip.textContent = last ? "End the tour" : "Skip the tour";
  }

  /** @param {Stop} stop is on the page: what it is about may be far below */
  bring({ address, part }) {
    if (this.brought === address) return;
    this.brought = address;
    this.leaveIt();
    if (part) this.leaveIt = bring(part);
  }

  /** @param {string} address of a stop */
  static url(address) {
    return new URL(`./${address}`, window.location.href).href;
  }

  /**
   * @param {HTMLAnchorElement} link
   * @param {number} stop
   * @param {string} words
   */
  lead(link, stop, words) {
    const { address, title } = this.stops[stop - 1];
    link.href = Tour.url(address);
    link.textContent = words;
    link.title = title;
  }

  /**
   * Goes to a stop where a link to it was clicked; not where it is to be opened in another tab.
   *
   * @param {MouseEvent} event
   * @param {number} stop
   */
  follow(event, stop) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.go(stop);
  }

  /**
   * Goes to a stop; returns whether that is on the page as it is.
   *
   * @param {number} stop
   */
  go(stop) {
    window.localStorage.setItem(KEY, String(stop));
    const to = Tour.url(this.stops[stop - 1].address);
    const here = to === window.location.href;
    window.sessionStorage.setItem(WALKED, "1");
    if (here) this.show({ stops: this.stops });
    else window.location.assign(to);
    return here;
  }

  end() {
    window.localStorage.setItem(KEY, ENDED);
    this.show({ stops: this.stops });
  }

  /** Has the page end above the bar, so that nothing is under it. */
  makeRoom() {
    const height = this.root.hidden ? 0 : this.root.offsetHeight;
    const { style } = document.documentElement;
    if (style.getPropertyValue("--fop-tour") === `${height}px`) return;
    style.setProperty("--fop-tour", `${height}px`);
    window.dispatchEvent(new Event("resize")); // the player is as high as its window allows
  }

  leave() {
    this.sizes.disconnect();
    this.leaveIt();
    if (page.tour !== this.offer) return; // another page's bar is there already
    page.tour = undefined;
    document.documentElement.style.removeProperty("--fop-tour");
  }
}
