// @ts-check
// How the reader turns the surface and comes nearer: by mouse, by one finger or two, by keys and by buttons.

import { pageKeys } from "../lib/keys.js";
import { clamp } from "../lib/numbers.js";

/** @import { Keys } from "../lib/keys.js" */
/** @import { Player } from "./player.js" */
/** @import { Orbit } from "./orbit.js" */
/** @import { Area } from "./types.d.ts" */

const TURN = 0.1; // radians of a key
const PAN = 24; // px of a key
const STEP = 1.25; // times nearer by a key or a button
const WHEEL = 1.002; // and by a px of the wheel
const NOTCH = 100; // px of the wheel that count at once
const LINE = 16; // px of a line, by which some wheels count
const TOUCHPAD = 3; // times the px that two fingers on a touchpad send
const YAW = 150; // px of a radian
const PITCH = 200;

/** @type {Record<string, [across: number, up: number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/** @typedef {{ x: number, y: number }} Point */

/** Answers to what turns the surface, while it is shown. */
export class Turning {
  /** @param {Player} player */
  constructor(player) {
    this.player = player;
    /** @type {Map<number, Point>} */
    this.fingers = new Map(); // and the mouse: where they are, by their numbers
    /** @type {(() => void) | null} */
    this.endKeys = null;
    const { paths, closer, farther, whole } = player.parts;
    closer.onclick = () => this.act((orbit, area) => orbit.approach(STEP, area));
    farther.onclick = () => this.act((orbit, area) => orbit.approach(1 / STEP, area));
    whole.onclick = () => this.act((orbit) => orbit.reset());
    paths.onkeydown = (event) => this.key(event);
    paths.onwheel = (event) => this.wheel(event);
    // The picture is focused by Tab alone: after a click arrow keys go on stepping through the race.
    paths.onmousedown = (event) => {
      if (!player.solid) return;
      event.preventDefault();
      player.root.focus({ preventScroll: true });
    };
  }

  /**
   * Begins or ends.
   *
   * @param {boolean} on
   */
  show(on) {
    const { player } = this;
    const { paths, hint } = player.parts;
    this.endKeys?.();
    this.endKeys = on ? pageKeys(player.root, this.zooming()) : null;
    if (!on) this.fingers.clear();
    paths.setAttribute("role", on ? "application" : "img");
    paths.tabIndex = on ? 0 : -1;
    const axes = player.data.scene?.axes.map(({ name }) => name).join(", ");
    const more = on ? `. Axes: ${axes}. ${hint.textContent}` : "";
    paths.setAttribute("aria-label", player.data.alt + more);
  }

  /**
   * Changes where the viewer is, and draws.
   *
   * @param {(orbit: Orbit, area: Area) => void} change
   */
  act(change) {
    const { solid } = this.player;
    if (!solid) return;
    change(solid.orbit, this.player.view());
    this.player.again();
  }

  /**
   * Keys of the page.
   *
   * @returns {Keys}
   */
  zooming() {
    const nearer = () => this.act((orbit, area) => orbit.approach(STEP, area));
    const farther = () => this.act((orbit, area) => orbit.approach(1 / STEP, area));
    return { "+": nearer, "=": nearer, "-": farther, "−": farther, 0: () => this.act((orbit) => orbit.reset()) };
  }

  /**
   * Keys of the picture, while that has the focus.
   *
   * @param {KeyboardEvent} event
   */
  key(event) {
    const arrow = ARROWS[event.key];
    if (!this.player.solid || !arrow || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault(); // the page steps through the race by them
    const [across, up] = arrow;
    if (event.shiftKey) this.act((orbit, area) => orbit.pan(-PAN * across, PAN * up, area));
    else this.act((orbit) => orbit.turn(TURN * across, TURN * up));
  }

  /**
   * The wheel scrolls the page, and with Ctrl, which two fingers on a touchpad stand for, it zooms; without, while the
   * picture has the focus.
   *
   * @param {WheelEvent} event
   */
  wheel(event) {
    const { player } = this;
    const { paths } = player.parts;
    if (!player.solid || !(event.ctrlKey || event.metaKey || document.activeElement === paths)) return;
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE : 1;
    const px = clamp(event.deltaY * lines * (event.ctrlKey ? TOUCHPAD : 1), -NOTCH, NOTCH);
    const box = paths.getBoundingClientRect();
    this.act((orbit, area) => orbit.approach(WHEEL ** -px, area, event.clientX - box.left, event.clientY - box.top));
  }

  /**
   * A finger, or the mouse, is down; returns whether it is a second one.
   *
   * @param {PointerEvent} event
   */
  begin(event) {
    this.fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    return this.fingers.size > 1;
  }

  /**
   * Turns by one finger, or by the mouse; with Shift moves what is in the picture; by two fingers moves and zooms.
   *
   * @param {PointerEvent} event
   */
  drag(event) {
    if (event.pointerType === "mouse" && !event.buttons) this.end(event); // it was released outside of the window
    const before = this.fingers.get(event.pointerId);
    if (!before) return;
    const now = { x: event.clientX, y: event.clientY };
    this.fingers.set(event.pointerId, now);
    const [dx, dy] = [now.x - before.x, now.y - before.y];
    const other = [...this.fingers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const times = distance(now, other) / Math.max(1, distance(before, other));
      const box = this.player.parts.paths.getBoundingClientRect();
      this.act((orbit, area) => {
        orbit.approach(times, area, (now.x + other.x) / 2 - box.left, (now.y + other.y) / 2 - box.top);
        orbit.pan(dx / 2, dy / 2, area);
      });
    } else if (event.shiftKey) this.act((orbit, area) => orbit.pan(dx, dy, area));
    else this.act((orbit) => orbit.turn(dx / YAW, dy / PITCH));
  }

  /** @param {PointerEvent} event */
  end(event) {
    this.fingers.delete(event.pointerId);
  }

  leave() {
    this.endKeys?.();
  }
}

/**
 * @param {Point} a
 * @param {Point} b
 */
const distance = (a, b) => Math.hypot(a.x - b.x, a.y - b.y);
