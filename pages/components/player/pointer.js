// @ts-check
import { count, short } from "../lib/numbers.js";
import { onButton } from "../lib/plotly.js";
import { grabs } from "./grab.js";
import { nearest } from "./paths.js";
import { stepOf } from "./race.js";
/** @import { Player } from "./player.js" */
/** @import { Run, View } from "./types.d.ts" */

export const DOUBLE = 400; // ms between two clicks that are one double-click, plotly's and the legend's too
const SAME = 16; // px within which two clicks are at one place
const FAR = 4; // px from which on a click is a drag

/**
 * What the pointer pressed last.
 *
 * @typedef {{ id: number, x: number, y: number, second: boolean, grabbed: boolean }} Gesture
 */

/** A click sets the start; so does dragging the ring that marks it. In 3D a drag of anything else turns the picture. */
export class Pointer {
  /** @param {Player} player */
  constructor(player) {
    this.player = player;
    /** @type {Gesture | null} */
    this.down = null;
    /** @type {{ at: number, x: number, y: number } | null} */
    this.pressed = null; // the click before, which may be the first of two
    this.held = false; // whether the start is grabbed
    /** @type {{ key: string, run: Run, index: number, x: number, y: number } | null} */
    this.tipped = null; // the point that the tip is of, and in which view
    this.starts = 0; // when a click turns out to be no double-click
    this.ending = new AbortController();
    const { signal } = this.ending;
    const { ground, paths } = player.parts;
    const first = { capture: true };
    /** @type {HTMLElement[]} */
    const targets = [ground, paths];
    for (const target of targets) {
      target.addEventListener("pointerdown", (event) => this.begin(event), { ...first, signal });
      // Plotly begins a zoom by mousedown or touchstart, and a browser scrolls by the latter: not where the start is
      // grabbed. At mousemove Plotly asks what it hovers over, for which the browser has to lay out the page.
      for (const kind of ["mousedown", "mousemove", "touchstart"])
        target.addEventListener(kind, (event) => this.keep(event), { ...first, signal });
    }
    window.addEventListener("pointermove", (event) => this.move(event), { ...first, signal });
    for (const kind of /** @type {const} */ (["pointerup", "pointercancel"]))
      window.addEventListener(kind, (event) => this.finish(event), { ...first, signal });
  }

  /**
   * Keeps an event to itself, if the start is grabbed.
   *
   * @param {Event} event
   */
  keep(event) {
    if (!this.held) return;
    event.stopPropagation();
    if (event.type === "touchstart") event.preventDefault();
  }

  /**
   * Where an event is in the picture, px.
   *
   * @param {PointerEvent} event
   */
  locate({ clientX, clientY }) {
    const view = this.player.view();
    const box = this.player.parts.stage.getBoundingClientRect();
    const [px, py] = [clientX - box.left - view.left, clientY - box.top - view.top];
    return { view, px, py, inside: px >= 0 && py >= 0 && px <= view.width && py <= view.height };
  }

  /** @param {PointerEvent} event */
  begin(event) {
    const { player, pressed } = this;
    if (event.button || onButton(event) || this.held) return; // one finger drags the start, another does nothing
    const located = this.locate(event);
    const { view, px, py, inside } = located;
    if (!inside) return;
    const finger = event.pointerType === "touch";
    const grabbed = !player.turning.fingers.size && grabs(view, player.start, px, py, finger);
    if (player.solid && !grabbed && player.turning.begin(event)) {
      this.down = null; // two fingers are no click
      return;
    }
    this.showUnder(event, located);
    const { clientX: x, clientY: y, timeStamp: at } = event;
    // Plotly counts two quick clicks as one double-click wherever they are; where nothing is zoomed they are two starts.
    const same = pressed && (player.zoomed || Math.hypot(x - pressed.x, y - pressed.y) < SAME);
    const second = Boolean(same) && at - (pressed?.at ?? 0) < DOUBLE;
    this.pressed = { at, x, y };
    clearTimeout(this.starts);
    this.down = { id: event.pointerId, x, y, second, grabbed };
    if (!grabbed) return;
    this.held = true;
    this.hideTip(); // the start leaves it
    player.changed = true; // the ring is larger
  }

  /** @param {PointerEvent} event */
  move(event) {
    const { down, player } = this;
    if (player.turning.fingers.size) {
      player.turning.drag(event); // while it is turned nothing stays under the pointer
      return;
    }
    if (this.held && event.pointerId !== down?.id) return;
    const located = this.locate(event); // before a text changes: after that the browser would lay out the page for it
    this.showUnder(event, located);
    if (!down) {
      if (event.pointerType === "mouse") this.showTip(event, located);
      return;
    }
    if (down.grabbed) {
      const { px, py } = located;
      const point = player.pointAt(px, py);
      if (point) player.setStart(point); // beside the surface it stays where it was last
      player.hand.drag(point);
      event.preventDefault();
    }
  }

  /** @param {PointerEvent} event */
  finish(event) {
    const { down, player } = this;
    player.turning.end(event);
    if (this.held && event.pointerId !== down?.id) return;
    this.down = null;
    this.held = false;
    if (down?.grabbed && event.type === "pointercancel") player.hand.cancel();
    if (!down || event.type === "pointercancel") return;
    const { px, py } = this.locate(event);
    const far = Math.hypot(event.clientX - down.x, event.clientY - down.y) > FAR;
    if (far) this.pressed = null; // a drag is no first click
    if (down.grabbed && !far) player.hand.cancel();
    if (far !== down.grabbed) return; // a drag of anything else, or a click on the start
    const point = player.pointAt(px, py) ?? (down.grabbed ? player.newStart : null);
    if (!point?.every(Number.isFinite)) {
      if (down.grabbed) player.hand.cancel();
      return;
    }
    if (down.grabbed) player.hand.drag(point);
    const [x, y] = (down.grabbed && player.hand.start) || point; // as the hand has rounded it; a click has its own point
    const start = () => {
      player.setStart([x, y]);
      player.play(false); // until the new race is here, which the machine runs sooner with nothing else to do
      player.trigger("start", { x, y });
    };
    // A double-click shows the whole surface again and starts nothing; it has a meaning only where that is zoomed.
    if (down.second && !down.grabbed) return;
    if (player.zoomed && !down.grabbed) this.starts = setTimeout(start, DOUBLE);
    else start();
  }

  /**
   * Says what is under the mouse: a run's step, point and f.
   *
   * @param {PointerEvent} event
   * @param {ReturnType<Pointer["locate"]>} located where it is
   */
  showTip(event, located) {
    const { player } = this;
    const { tip, stage } = player.parts;
    const over = event.target instanceof Node && stage.contains(event.target) && player.runs.length > 0;
    const hit = over && located.inside ? nearest(player.runs, located.view, located.px, located.py) : null;
    if (!hit) return this.hideTip();
    const { run, index } = hit;
    const { view, px } = located;
    const [x, y] = [run.x[index], run.y[index]];
    this.tipped = { key: view.key, run, index, x, y };
    tip.hidden = false;
    const step = count(stepOf(run, index));
    tip.textContent = `${run.name}, step ${step}\n(${short(x)}, ${short(y)})\nf = ${short(run.losses[index])}`;
    const left = view.left + view.x(x, y) + (px > view.width / 2 ? -12 - tip.offsetWidth : 12);
    tip.style.transform = `translate(${left}px, ${view.top + view.y(x, y) + 12}px)`;
  }

  hideTip() {
    this.tipped = null;
    this.player.parts.tip.hidden = true;
  }

  /**
   * Takes the tip away where its point is not drawn there any more; called when paths have been drawn.
   *
   * @param {View} view
   */
  checkTip(view) {
    if (!this.tipped) return;
    const { key, run, index, x, y } = this.tipped;
    const there = this.player.runs.includes(run) && index <= run.drawn && run.x[index] === x && run.y[index] === y;
    if (!there || key !== view.key) this.hideTip();
  }

  /**
   * Says what the surface is under the pointer, a finger's too.
   *
   * @param {PointerEvent} event
   * @param {ReturnType<Pointer["locate"]>} located where it is
   */
  showUnder(event, located) {
    const { player } = this;
    const over = event.target instanceof Node && player.parts.stage.contains(event.target);
    if (!over && event.pointerType !== "mouse") return; // a finger that has left: what it touched last stays
    player.under.show(over && located.inside ? player.pointAt(located.px, located.py) : null);
  }

  leave() {
    clearTimeout(this.starts);
    this.ending.abort();
  }
}
