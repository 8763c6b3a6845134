// @ts-check
import { make } from "../lib/dom.js";
import { alone, emphasis, keyOf, toggled, within } from "../lib/emphasis.js";
import { Sent } from "../lib/sent.js";
import { swatch } from "../lib/svg.js";
import { DOUBLE } from "./pointer.js";

/** @import { RunHead } from "./types.d.ts" */

const SETTLED = 500; // ms after the last press until the address gets what is hidden

/** The runs' names: a press hides a run, two or one with Shift show it alone, and pointing at it fades the others. */
export class Legend {
  /**
   * @param {HTMLElement} root
   * @param {(hidden: string[]) => void} send tells the page which runs are hidden
   */
  constructor(root, send) {
    this.root = root;
    this.send = send;
    this.built = ""; // of which runs
    /** @type {string[]} */
    this.rules = [];
    /** @type {Map<string, HTMLButtonElement>} */
    this.buttons = new Map();
    /** @type {{ rule: string, at: number, hidden: ReadonlySet<string> } | null} */
    this.pressed = null; // the press before, and what was hidden before it
    this.timer = 0; // until what the reader has hidden is sent
    this.sent = new Sent();
    this.unfollow = emphasis.follow(() => this.mark());
  }

  /**
   * @param {Pick<RunHead, "rule" | "name" | "color" | "dash" | "width" | "glyph">[]} runs
   * @param {string[]} hidden by the page's address
   * @param {boolean} changed whether that is another one than before
   */
  show(runs, hidden, changed) {
    this.rules = runs.map(({ rule }) => rule);
    const built = JSON.stringify(runs.map(({ rule, name, color }) => [rule, name, color]));
    if (this.built !== built) this.build(runs);
    this.built = built;
    // What the reader has pressed since is newer than what the address says.
    const old = this.sent.isEcho(keyOf(hidden)) || this.timer > 0;
    emphasis.hide(within(changed && !old ? hidden : emphasis.hidden, this.rules));
    this.mark();
  }

  /** @param {Pick<RunHead, "rule" | "name" | "color" | "dash" | "width" | "glyph">[]} runs */
  build(runs) {
    emphasis.point(null); // the button that was pointed at is gone
    this.buttons = new Map(runs.map((run) => [run.rule, this.button(run)]));
    this.root.replaceChildren(...this.buttons.values());
  }

  /** @param {Pick<RunHead, "rule" | "name" | "color" | "dash" | "width" | "glyph">} run */
  button({ rule, name, color, dash, width, glyph }) {
    const button = make("button", "fop-entry");
    button.type = "button";
    button.title = "Hide or show; twice or with Shift: this one alone";
    button.append(swatch({ color, dash: dash.join(), width, glyph }), make("span", "", name));
    button.onclick = (event) => this.toggle(rule, event.shiftKey, event.timeStamp);
    button.onkeydown = (event) => {
      if (event.key !== "Enter" || !event.shiftKey) return;
      event.preventDefault(); // the click that some browsers make of it knows nothing of Shift
      this.toggle(rule, true, event.timeStamp);
    };
    button.onpointerenter = () => emphasis.point(rule);
    button.onpointerleave = () => emphasis.point(null);
    button.onfocus = () => button.matches(":focus-visible") && emphasis.point(rule);
    button.onblur = () => emphasis.point(null);
    return button;
  }

  /**
   * @param {string} rule
   * @param {boolean} only whether to show it alone
   * @param {number} at ms
   */
  toggle(rule, only, at) {
    const { pressed, rules } = this;
    const second = pressed?.rule === rule && at - pressed.at < DOUBLE;
    // The first of two presses has hidden or shown it already: what was before counts.
    const before = second && pressed ? pressed.hidden : emphasis.hidden;
    this.pressed = second || only ? null : { rule, at, hidden: before };
    emphasis.hide(only || second ? alone(before, rule, rules) : toggled(before, rule, rules));
    emphasis.point(null);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.timer = 0;
      this.sent.add(keyOf(emphasis.hidden));
      this.send([...emphasis.hidden]);
    }, SETTLED);
  }

  /** Shows on the buttons what is hidden. */
  mark() {
    this.root.dataset.hidden = keyOf(emphasis.hidden);
    for (const [rule, button] of this.buttons) button.setAttribute("aria-pressed", String(emphasis.shows(rule)));
  }

  leave() {
    clearTimeout(this.timer);
    this.unfollow();
    emphasis.point(null);
  }
}
