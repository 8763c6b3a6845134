// @ts-check
import { canvas } from "../lib/canvas.js";
import { clock } from "../lib/clock.js";
import { box, make, part } from "../lib/dom.js";
import { pageKeys } from "../lib/keys.js";
import { before } from "../lib/search.js";
import { themeOf } from "../lib/theme.js";
import { nearest, passed, xOf } from "./track.js";

/** @import { Context } from "../lib/canvas.js" */
/** @import { Send } from "../lib/types.d.ts" */
/** @import { CursorData, Curve } from "./types.d.ts" */

const PLAY = `<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M3 1.5v13l11-6.5z"/></svg>`;
const PAUSE = `<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M3 2h3.5v12H3zM9.5 2H13v12H9.5z"/></svg>`;
const DEBOUNCE = 350; // ms without a move after which Python gets the step
const LEAP = 10; // snapshots of a page key, or of an arrow with shift

/** The step at which everything on the page is shown: dragged, played, or moved by keys from snapshot to snapshot. */
export class Cursor {
  /**
   * @param {HTMLElement} root
   * @param {CursorData} data
   * @param {Send} send
   */
  constructor(root, data, send) {
    this.root = root;
    this.track = box(root, ".fop-cursor-track");
    this.picture = part(this.track, "canvas", HTMLCanvasElement);
    this.line = box(root, ".fop-cursor-line");
    this.caption = box(root, ".fop-cursor-caption");
    this.button = box(root, ".fop-cursor-play");
    this.data = data;
    this.send = send;
    this.begun = false; // whether it has been shown
    this.playing = false;
    this.at = 0; // which snapshot
    this.width = 0; // px of the track
    this.timer = 0;
    /**
     * The step that Python got last.
     *
     * @type {number | null}
     */
    this.sent = null;
    this.sizes = new ResizeObserver(() => this.draw());
    this.sizes.observe(this.track);
    this.endKeys = this.listen();
  }

  /** The last snapshot. */
  get last() {
    return this.data.steps.length - 1;
  }

  /**
   * @param {CursorData} data
   * @param {Send} send
   */
  show(data, send) {
    const known = this.begun ? this.data : null;
    const other = known?.key !== data.key;
    const jumped = other || (data.at !== known.at && data.at !== this.sent);
    Object.assign(this, { data, send, begun: true });
    if (other) this.pause();
    this.draw();
    if (jumped) this.go(before(data.steps, data.at), false);
    else this.go(Math.min(this.at, this.last), false);
  }

  /** @param {number} step */
  x(step) {
    return xOf(step, this.data.steps, this.width);
  }

  /** Answers to pointer and keys; returns how to give the page's keys back. */
  listen() {
    const { track, button } = this;
    /** @param {PointerEvent} event */
    const drag = (event) => {
      const x = event.clientX - track.getBoundingClientRect().left;
      to(nearest(x, this.data.steps, this.width));
    };
    track.onpointerdown = (event) => {
      track.setPointerCapture(event.pointerId);
      track.onpointermove = drag;
      drag(event);
    };
    const end = () => {
      track.onpointermove = null;
    };
    track.onpointerup = end;
    track.onpointercancel = end;
    /** @param {number} at */
    const to = (at) => {
      this.pause();
      this.go(at);
    };
    const by = (/** @type {number} */ count) => (/** @type {KeyboardEvent} */ event) =>
      to(this.at + count * (event.shiftKey ? LEAP : 1));
    /** @type {import("../lib/keys.js").Keys} */
    const own = {
      ArrowDown: by(-1),
      ArrowUp: by(1),
      PageDown: () => to(this.at - LEAP),
      PageUp: () => to(this.at + LEAP),
    };
    track.onkeydown = (event) => {
      if (!(event.key in own)) return;
      event.preventDefault();
      own[event.key](event);
    };
    button.onclick = () => this.toggle();
    this.pause();
    return pageKeys(this.root, {
      " ": () => this.toggle(),
      ArrowLeft: by(-1),
      ArrowRight: by(1),
      Home: () => to(0),
      End: () => to(this.last),
    });
  }

  toggle() {
    if (this.playing) {
      this.pause();
      return;
    }
    if (this.at >= this.last) this.go(0);
    this.playing = true;
    this.label();
    let at = this.at;
    /** @type {number | null} */
    let earlier = null;
    /** @param {number} now */
    const frame = (now) => {
      if (!this.playing || !this.root.isConnected) return;
      at += passed(now - (earlier ?? now), this.data.steps.length);
      earlier = now;
      const to = Math.min(this.last, Math.floor(at));
      if (to !== this.at) this.go(to);
      if (to >= this.last) this.pause();
      else requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  pause() {
    this.playing = false;
    this.label();
  }

  label() {
    this.button.innerHTML = this.playing ? PAUSE : PLAY;
    this.button.setAttribute("aria-label", this.playing ? "Pause" : "Play");
  }

  /**
   * Moves to a snapshot.
   *
   * @param {number} to
   * @param {boolean} report whether Python gets it
   */
  go(to, report = true) {
    const { track } = this;
    const { steps, captions } = this.data;
    this.at = Math.max(0, Math.min(this.last, to));
    const step = steps[this.at];
    this.line.style.transform = `translateX(${this.x(step)}px)`;
    this.caption.replaceChildren(...this.words(captions[this.at]));
    track.setAttribute("aria-valuemin", String(steps[0]));
    track.setAttribute("aria-valuemax", String(steps[this.last]));
    track.setAttribute("aria-valuenow", String(step));
    track.setAttribute("aria-valuetext", captions[this.at]);
    clock.moving = true;
    clock.set(step, {});
    if (!report) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (this.playing || !this.root.isConnected) return;
      this.sent = step;
      this.send("at", step);
    }, DEBOUNCE);
  }

  /**
   * The caption of a snapshot, the colour of its curve before each number that has one.
   *
   * @param {string} caption
   */
  words(caption) {
    const { colors } = this.data.themes[themeOf(this.root)];
    return caption.split(" · ").map((text, i) => {
      const words = make("span", "", i ? " · " : "");
      const curve = this.data.curves.find(({ name }) => text.startsWith(name));
      if (curve) {
        const line = make("i", "fop-cursor-key");
        line.style.background = curve.color || colors.muted;
        words.append(line);
      }
      words.append(text);
      return words;
    });
  }

  draw() {
    this.width = this.track.clientWidth;
    if (!this.width) return;
    const { steps, curves, falls, themes } = this.data;
    const height = this.track.clientHeight;
    const [, context] = canvas(this.width, height, this.picture);
    const { colors } = themes[themeOf(this.root)];
    context.fillStyle = colors.grid;
    context.globalAlpha = 0.5;
    context.fillRect(0, 0, this.width, height);
    context.globalAlpha = 1;
    for (const curve of curves) this.curve(context, curve, height, curve.color || colors.muted);
    context.fillStyle = colors.muted;
    for (const step of steps) context.fillRect(this.x(step) - 0.5, height - 4, 1, 4);
    for (const step of falls) for (let y = 0; y < height; y += 7) context.fillRect(this.x(step) - 0.5, y, 1, 4); // dashed, as in the charts
    this.line.style.transform = `translateX(${this.x(steps[Math.min(this.at, this.last)])}px)`;
  }

  /**
   * @param {Context} context
   * @param {Curve} curve
   * @param {number} height px of the track
   * @param {string} color
   */
  curve(context, { x, y, low, high }, height, color) {
    context.strokeStyle = color;
    context.lineWidth = 1.5;
    context.beginPath();
    let drawn = false; // a gap stays one
    x.forEach((step, i) => {
      const value = y[i];
      if (value !== null) {
        const up = height - 8 - ((value - low) / (high - low || 1)) * (height - 14);
        context[drawn ? "lineTo" : "moveTo"](this.x(step), up);
      }
      drawn = value !== null;
    });
    context.stroke();
  }

  leave() {
    this.sizes.disconnect();
    this.endKeys();
    this.pause();
    clock.moving = false;
    clock.set(Infinity, {});
  }
}
