// @ts-check
import { contextOf } from "../lib/canvas.js";
import { clock } from "../lib/clock.js";
import { box, part } from "../lib/dom.js";
import { merge, themed } from "../lib/figure.js";
import { pageKeys } from "../lib/keys.js";
import { clamp, count } from "../lib/numbers.js";
import { axes, BUTTON, dragmode, FINGER, loadPlotly, plotlyNode, purge, settings } from "../lib/plotly.js";
import { themeOf } from "../lib/theme.js";
import { arrows } from "./arrows.js";
import { photograph } from "./camera.js";
import { flatView } from "./flat.js";
import { Labels } from "./labels.js";
import { extend, glyph } from "./paths.js";
import { DOUBLE, Pointer } from "./pointer.js";
import { endOf, floats, headAt, indexAt, motions, shareOf, stepAt } from "./race.js";
import { Scene } from "./scene.js";

/** @import { Context } from "../lib/canvas.js" */
/** @import { Plotly, Send } from "../lib/types.d.ts" */
/** @import { Head } from "./arrows.js" */
/** @import { Area, PlayerData, Run, View } from "./types.d.ts" */

const PLAY = "M7 4.5v15l12.5-7.5z";
const PAUSE = "M6.5 5h4v14h-4zM13.5 5h4v14h-4z";
const WHOLE = 7; // seconds that a race takes at 1x in logarithmic time
const RATE = 100; // steps a second at 1x in linear time
const SLOW = 100; // ms: a frame counts as no longer
const LARGEST = 720; // px of the picture
const HEAD = 1.5; // how much larger a head is than the symbols on its path

/**
 * @param {PlayerData} data
 * @returns {Run[]}
 */
const runsOf = (data) =>
  motions(data).map((motion, i) => {
    const { name, color, dash, width, bold, label, glyph } = data.runs[i];
    const style = { name, color, dash, width, bold, label, glyph: new Path2D(glyph) };
    return { ...style, ...motion, drawn: -1, length: 0, px: 0, py: 0 };
  });

/** A race over its surface, in two or three dimensions. */
export class Player {
  /**
   * @param {HTMLElement} root
   * @param {PlayerData} data
   * @param {Send} trigger
   */
  constructor(root, data, trigger) {
    this.root = root;
    this.data = data;
    this.trigger = trigger;
    this.parts = partsOf(root);
    this.labels = new Labels(this.parts.labels);
    this.begun = false; // whether it has been shown
    this.gone = false;
    /** @type {Run[]} */
    this.runs = [];
    this.step = Infinity;
    this.playing = false;
    this.changed = true; // since the last frame
    this.stale = true; // whether paths are to be drawn from their beginnings
    this.viewed = ""; // for which view they are drawn
    this.theme = themeOf(root);
    /** @type {[number, number] | null} */
    this.newStart = null; // a new start, until its race is here
    /** @type {Scene | null} */
    this.scene = null;
    this.shown = ""; // theme and figure of the ground
    /** @type {[number, number]} */
    this.whole = [0, 1]; // range of x where nothing is zoomed
    /** @type {object | null} */
    this.config = null;
    /** @type {Pointer | null} */
    this.pointer = null; // once the ground is there
    /** @type {ResizeObserver | null} */
    this.sizes = null;
    this.endKeys = this.controls();
    this.play(false);
    this.frame = requestAnimationFrame((now) => this.tick(now, now));
  }

  /** The last step of the race. */
  get end() {
    return endOf(this.runs);
  }

  /** How far the race is, 0 to 1, in the time that is chosen. */
  get share() {
    return shareOf(Math.min(this.step, this.end), this.end, this.data.log);
  }

  set share(share) {
    this.go(stepAt(share, this.end, this.data.log));
  }

  /** The surface in three dimensions; null where it is seen from above. */
  get solid() {
    return this.data.scene ? this.scene : null;
  }

  get colors() {
    return this.data.themes[this.theme].colors;
  }

  /** @param {number} step */
  go(step) {
    this.step = clamp(step, 0, this.end);
    this.changed = true;
  }

  /** @param {boolean} on */
  play(on) {
    if (on && this.step >= this.end) this.go(0);
    this.playing = on;
    const { play } = this.parts;
    play.querySelector("path")?.setAttribute("d", on ? PAUSE : PLAY);
    play.setAttribute("aria-label", on ? "Pause" : "Play");
    if (!on) this.again();
  }

  /** Draws everything anew at the next frame, each run over the earlier ones. */
  again() {
    for (const run of this.runs) run.drawn = -1;
    this.stale = true;
    this.changed = true;
  }

  /**
   * Marks a start that is not the race's yet.
   *
   * @param {[number, number] | null} point
   */
  setStart(point) {
    this.newStart = point;
    this.changed = true;
  }

  /** Answers to buttons and keys; returns how to give the page's keys back. */
  controls() {
    const { play, restart, back, on, scrub } = this.parts;
    /** @param {number} by */
    const move = (by) => {
      this.play(false);
      this.go(by > 0 ? Math.floor(this.step) + by : Math.ceil(Math.min(this.step, this.end)) + by);
    };
    play.onclick = () => this.play(!this.playing);
    restart.onclick = () => this.go(0);
    back.onclick = () => move(-1);
    on.onclick = () => move(1);
    scrub.oninput = () => {
      this.play(false);
      this.share = Number(scrub.value) / 1000;
    };
    return pageKeys(this.root, {
      " ": () => this.play(!this.playing),
      ArrowLeft: (event) => move(event.shiftKey ? -10 : -1),
      ArrowRight: (event) => move(event.shiftKey ? 10 : 1),
      Home: () => this.go(0),
      End: () => {
        this.play(false);
        this.go(Infinity);
      },
    });
  }

  /**
   * New data, or the same in another theme.
   *
   * @param {PlayerData} data
   * @param {Send} trigger
   */
  show(data, trigger) {
    const known = this.begun ? this.data : null;
    Object.assign(this, { data, trigger, begun: true });
    this.theme = themeOf(this.root);
    this.root.style.colorScheme = this.theme;
    this.parts.paths.setAttribute("aria-label", data.alt);
    this.parts.stage.classList.toggle("fop-3d", Boolean(data.scene));
    if (known?.race !== data.race) {
      const atEnd = !known || this.step >= this.end;
      this.runs = runsOf(data);
      this.go(atEnd ? Infinity : this.step);
      this.newStart = null;
      this.labels.forget();
    }
    if (known && data.clicks > known.clicks) {
      this.go(0);
      this.play(true);
    }
    this.runs.forEach((run, index) => {
      run.label = data.runs[index].label;
    });
    if (data.scene && this.scene?.key !== data.scene.key) {
      const { size, box, key } = data.scene;
      const fresh = new Scene(floats(data.grid), size, box, key);
      if (this.scene) Object.assign(fresh, { yaw: this.scene.yaw, pitch: this.scene.pitch });
      this.scene = fresh;
    }
    this.again();
    this.ground(data);
  }

  /**
   * Draws the surface that the race is over.
   *
   * @param {PlayerData} data
   */
  async ground(data) {
    const { theme, parts } = this;
    const Plotly = await loadPlotly(data.source).catch(() => null);
    parts.missing.hidden = Plotly !== null;
    parts.stage.hidden = Plotly === null;
    if (!Plotly || this.gone || this.data !== data || !this.root.isConnected) return;
    this.fit();
    const node = parts.ground;
    const shown = theme + data.figure;
    node.style.visibility = data.scene ? "hidden" : "";
    if (this.shown === shown) return;
    this.shown = shown;
    const figure = themed(data.figure, data.themes[theme], getComputedStyle(node).getPropertyValue("--st-font"));
    const zooms = node.dataset.drag === "zoom" && "zoom";
    if (FINGER) merge(figure.layout, { dragmode: zooms, margin: { t: BUTTON } });
    // Always the same: another one would have plotly make the whole picture anew.
    this.config ??= { ...settings(Plotly, node, () => photograph(this, Plotly)), doubleClickDelay: DOUBLE };
    await Plotly.react(node, figure.data, figure.layout, this.config);
    node.dataset.drag = String(dragmode(node));
    node.dataset.theme = theme;
    this.whole = JSON.parse(data.figure).layout.xaxis.range; // plotly writes the zoomed one into its layout
    if (!this.pointer) this.bind(Plotly);
    this.again();
  }

  /** The picture is a square, as large as the column allows. */
  fit() {
    const { stage, ground } = this.parts;
    const { l, r, t, b } = this.data.margin;
    const above = FINGER ? BUTTON : t;
    const side = Math.min(stage.clientWidth - l - r, LARGEST);
    ground.style.height = `${Math.round(side + above + b)}px`;
    ground.style.width = `${Math.round(side + l + r)}px`;
    ground.style.margin = "0 auto";
  }

  /** @param {Plotly} Plotly */
  bind(Plotly) {
    const { ground, stage } = this.parts;
    for (const event of ["plotly_relayout", "plotly_relayouting", "plotly_afterplot"])
      ground.on(event, () => {
        ground.dataset.drag = String(dragmode(ground));
        this.again();
      });
    let width = stage.clientWidth;
    this.sizes = new ResizeObserver(() => {
      if (!stage.clientWidth || stage.clientWidth === width) return;
      width = stage.clientWidth;
      this.fit();
      Plotly.Plots.resize(ground);
      this.again();
    });
    this.sizes.observe(stage);
    this.pointer = new Pointer(this);
  }

  /** The axes of the view from above; null where the surface is not drawn yet. */
  axes() {
    return axes(this.parts.ground);
  }

  /** Whether a part of the surface fills the picture. */
  get zoomed() {
    const shown = this.axes();
    const width = this.whole[1] - this.whole[0];
    if (this.solid || !shown) return false;
    return shown.x.range.some((end, i) => Math.abs(end - this.whole[i]) > 1e-6 * width);
  }

  /**
   * Where the points of the plane are in the picture, in px.
   *
   * @returns {View}
   */
  view() {
    const { stage } = this.parts;
    const whole = { left: 0, top: 0, width: stage.clientWidth, height: stage.clientHeight };
    return this.solid ? this.solid.view(whole) : this.flat();
  }

  /** The view from above. */
  flat() {
    const { ground } = this.parts;
    const shown = this.axes();
    if (!shown) throw new Error("the surface is not drawn yet");
    const { x, y } = shown;
    const area = {
      left: ground.offsetLeft + x.offset,
      top: ground.offsetTop + y.offset,
      width: x.length,
      height: y.length,
    };
    return flatView(area, x.range, y.range);
  }

  /**
   * The point of the plane at a point of the picture; null where there is none.
   *
   * @param {number} px
   * @param {number} py
   * @returns {[number, number] | null}
   */
  pointAt(px, py) {
    if (this.solid) return this.solid.under(this.view(), px, py);
    const flat = this.flat();
    return [flat.toX(px), flat.toY(py)];
  }

  /**
   * @param {number} now
   * @param {number} before when the last frame was
   */
  tick(now, before) {
    this.frame = requestAnimationFrame((next) => this.tick(next, now));
    if (this.playing) {
      const passed = (Math.min(SLOW, now - before) / 1000) * Number(this.parts.speed.value);
      if (this.data.log) this.share += passed / WHOLE;
      else this.go(this.step + passed * RATE);
      if (this.step >= this.end) this.play(false);
    }
    if (!this.changed || !this.shown || !this.axes()) return;
    this.changed = false;
    this.draw();
  }

  /**
   * Draws with so many pixels each way for one of the page's while something is done with it.
   *
   * @param {number} ratio
   * @param {() => void} act
   */
  drawn(ratio, act) {
    this.draw(ratio);
    act();
    this.draw();
  }

  draw(ratio = window.devicePixelRatio || 1) {
    const { paths, heads, scrub, step } = this.parts;
    const { colors, end } = this;
    const view = this.view();
    const at = Math.min(this.step, end);
    this.drawPaths(fitted(paths, view, ratio), contextOf(paths), view, at);

    fitted(heads, view, ratio);
    const context = contextOf(heads);
    context.clearRect(0, 0, view.width, view.height);
    this.ring(context, view);
    /** @type {Record<string, number>} */
    const values = {};
    for (const run of this.runs) {
      const head = headAt(run, at);
      values[run.name] = run.losses[head.index];
      const [px, py] = [view.x(head.x, head.y), view.y(head.x, head.y)];
      if (!Number.isFinite(px + py)) continue;
      if (this.playing && !run.steps && head.index > 0) lead(context, run, view, head, px, py);
      arrows(context, run, view, head, colors.ink);
      glyph(context, run, px, py, HEAD, colors.paper);
    }
    this.labels.draw(context, this.runs, view, at);

    if (document.activeElement !== scrub || this.playing) scrub.value = String(1000 * this.share);
    scrub.setAttribute("aria-valuetext", `step ${Math.floor(at)} of ${end}`);
    step.textContent = `step ${count(Math.floor(at))} of ${count(end)}`;
    clock.moving = at < end;
    clock.set(at, values);
  }

  /**
   * @param {boolean} emptied whether the canvas has lost what was on it
   * @param {Context} context
   * @param {View} view
   * @param {number} at which step
   */
  drawPaths(emptied, context, view, at) {
    const last = this.runs.map((run) => indexAt(run, at));
    if (emptied || view.key !== this.viewed || this.runs.some((run, i) => run.drawn > last[i])) {
      for (const run of this.runs) run.drawn = -1;
      this.stale = true;
      this.viewed = view.key;
    }
    if (this.stale) {
      context.clearRect(0, 0, view.width, view.height);
      this.solid?.draw(context, view, this.colors);
    }
    this.stale = false;
    this.runs.forEach((run, index) => {
      extend(context, run, view, last[index], this.colors.paper);
    });
  }

  /**
   * The start; the minima belong to the ground.
   *
   * @param {Context} context
   * @param {View} view
   */
  ring(context, view) {
    const [x, y] = this.newStart ?? this.data.start;
    context.beginPath();
    context.arc(view.x(x, y), view.y(x, y), this.pointer?.held ? 8 : 5, 0, 2 * Math.PI);
    context.fillStyle = this.colors.paper;
    context.strokeStyle = this.colors.ink;
    context.lineWidth = 2;
    context.fill();
    context.stroke();
  }

  leave() {
    this.gone = true;
    cancelAnimationFrame(this.frame);
    this.endKeys();
    this.pointer?.leave();
    this.sizes?.disconnect();
    purge(this.parts.ground);
    clock.moving = false;
    clock.set(Infinity, {});
  }
}

/** @param {HTMLElement} root */
const partsOf = (root) => ({
  stage: box(root, ".fop-stage"),
  ground: plotlyNode(box(root, ".fop-ground")),
  paths: part(root, ".fop-paths", HTMLCanvasElement),
  heads: part(root, ".fop-heads", HTMLCanvasElement),
  labels: box(root, ".fop-labels"),
  tip: box(root, ".fop-tip"),
  play: box(root, ".fop-play"),
  restart: box(root, ".fop-restart"),
  back: box(root, ".fop-back"),
  on: box(root, ".fop-on"),
  scrub: part(root, ".fop-scrub", HTMLInputElement),
  step: box(root, ".fop-step"),
  speed: part(root, ".fop-speed", HTMLSelectElement),
  missing: box(root, ".fop-plot-missing"),
});

/**
 * Fits a canvas to a rectangle of the picture; returns whether that has emptied it.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {Area} area
 * @param {number} ratio pixels each way for one of the page's
 */
function fitted(canvas, { left, top, width, height }, ratio) {
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  const changed = canvas.width !== wide || canvas.height !== high;
  if (changed) Object.assign(canvas, { width: wide, height: high });
  Object.assign(canvas.style, { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` });
  contextOf(canvas).setTransform(ratio, 0, 0, ratio, 0, 0);
  return changed;
}

/**
 * The piece of a path between its last whole step and its head.
 *
 * @param {Context} context
 * @param {Run} run
 * @param {View} view
 * @param {Head} head
 * @param {number} px
 * @param {number} py
 */
function lead(context, run, view, { index }, px, py) {
  context.strokeStyle = run.color;
  context.lineWidth = run.width;
  context.beginPath();
  context.moveTo(view.x(run.x[index], run.y[index]), view.y(run.x[index], run.y[index]));
  context.lineTo(px, py);
  context.stroke();
}
