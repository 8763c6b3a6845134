// @ts-check
import { clock } from "../lib/clock.js";
import { write } from "../lib/dom.js";
import { emphasis } from "../lib/emphasis.js";
import { merge, themed } from "../lib/figure.js";
import { pageKeys } from "../lib/keys.js";
import { clamp, count } from "../lib/numbers.js";
import { axes, BUTTON, dragmode, FINGER, loadPlotly, purge, settings } from "../lib/plotly.js";
import { themeOf } from "../lib/theme.js";
import { drawBar } from "./bar.js";
import { photograph } from "./camera.js";
import { drawHeads, drawPaths } from "./drawing.js";
import { flatView } from "./flat.js";
import { Hand } from "./hand.js";
import { Labels } from "./labels.js";
import { Legend } from "./legend.js";
import { linked, Opening, telling } from "./opening.js";
import { partsOf } from "./parts.js";
import { captionOf, headStep, nextPhase, phasesOf } from "./phases.js";
import { DOUBLE, Pointer } from "./pointer.js";
import { endOf, floats, indexAt, motions, shareOf, stepAt, stepOf } from "./race.js";
import { Scene } from "./scene.js";
import { partsAt, shownOf, termsOf, triedOf } from "./terms.js";
import { Turning } from "./turning.js";
import { decoded, interpolated, Under } from "./under.js";

/** @import { Plotly, Send } from "../lib/types.d.ts" */
/** @import { Levels } from "./bar.js" */
/** @import { PlayerData, Run, View } from "./types.d.ts" */
/** @import { Encoded } from "./under.js" */

const PLAY = "M7 4.5v15l12.5-7.5z";
const PAUSE = "M6.5 5h4v14h-4zM13.5 5h4v14h-4z";
const WHOLE = 7; // seconds that a race takes at 1x in logarithmic time
const RATE = 100; // steps a second at 1x in linear time
const SLOW = 100; // ms: a frame counts as no longer
const LARGEST = 720; // px of the picture
// px of the page's window that are not the picture's, and the least that it gets of a low one: as static/app.css keeps its
// place.
const AROUND = 300;
const LOWEST = 300;
const PHASE = 0.9; // seconds at 1x of a part of a step that is taken apart

/**
 * @param {PlayerData} data
 * @returns {Run[]}
 */
const runsOf = (data) => {
  const terms = termsOf(data);
  return motions(data).map((motion, i) => {
    const { rule, name, color, dash, width, bold, label, glyph } = data.runs[i];
    const style = { rule, name, color, dash, width, bold, label, glyph: new Path2D(glyph) };
    return { ...style, ...motion, terms: terms[i], drawn: -1, length: 0, hidden: 0, px: 0, py: 0 };
  });
};

/**
 * The last step of a run.
 *
 * @param {Run} run
 */
const lastOf = (run) => stepOf(run, run.count - 1);

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
    this.opening = new Opening(this.parts.invitation);
    this.apart = false; // whether each step is taken apart
    this.run = ""; // whose steps are shown, as the reader has chosen
    this.legend = new Legend(this.parts.legend, (hidden) => this.trigger("hidden", hidden));
    this.under = new Under(this.parts.under);
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
    this.font = "";
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
    this.hand = new Hand(this);
    /** @type {ResizeObserver | null} */
    this.sizes = null;
    this.bounds = { left: 0, top: 0, width: 0, height: 0 }; // the ground's corner in the stage, and the stage's size, px
    this.ending = new AbortController();
    this.turning = new Turning(this);
    this.endKeys = this.controls();
    this.endEmphasis = emphasis.follow(() => this.again());
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

  /** Where all start, or will, once the race from there is here. */
  get start() {
    return this.newStart ?? this.data.start;
  }

  /** The surface in three dimensions; null where it is seen from above. */
  get solid() {
    return this.data.scene ? this.scene : null;
  }

  get colors() {
    return this.data.themes[this.theme].colors;
  }

  /** The run whose steps are shown, of those that the legend does not hide. */
  get followed() {
    return shownOf(
      this.runs.filter((run) => emphasis.shows(run.rule)),
      this.run,
    );
  }

  /** The phases of a step that is taken apart; null where none is. */
  get phases() {
    const terms = this.apart && this.followed?.terms;
    return terms ? phasesOf(terms) : null;
  }

  /** The step at which playing ends: where steps are taken apart, the last of their run. */
  get last() {
    return this.phases && this.followed ? lastOf(this.followed) : this.end;
  }

  /**
   * Takes each step apart, or none.
   *
   * @param {boolean} on
   */
  takeApart(on) {
    this.apart = on;
    this.parts.apart.setAttribute("aria-pressed", String(on));
    if (on && this.step < this.last) this.go(Math.floor(this.step));
    this.play(on);
  }

  /** @param {number} step */
  go(step) {
    this.step = clamp(step, 0, this.end);
    this.changed = true;
  }

  /** @param {boolean} on */
  play(on) {
    if (on && this.step >= this.last) this.go(0);
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
    const { play, restart, back, on, scrub, apart } = this.parts;
    for (const kind of ["pointerdown", "keydown", "input"])
      this.root.addEventListener(kind, () => this.opening.leave(), { capture: true, signal: this.ending.signal });
    apart.onclick = () => this.takeApart(!this.apart);
    /** @param {number} by */
    const move = (by) => {
      this.opening.leave();
      this.play(false);
      if (this.phases && Math.abs(by) === 1) return this.go(nextPhase(this.step, this.phases.length, by));
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
      " ": () => {
        this.opening.leave();
        this.play(!this.playing);
      },
      ArrowLeft: (event) => move(event.shiftKey ? -10 : -1),
      ArrowRight: (event) => move(event.shiftKey ? 10 : 1),
      Home: () => {
        this.opening.leave();
        this.go(0);
      },
      End: () => {
        this.opening.leave();
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
    this.font = getComputedStyle(this.root).fontFamily;
    this.turning.show(Boolean(data.scene));
    this.parts.stage.classList.toggle("fop-3d", Boolean(data.scene));
    if (known?.race !== data.race || this.hand.leads) {
      const atEnd = !known || this.step >= this.end;
      this.renew();
      this.go(atEnd ? Infinity : this.step);
      if (!known) this.open(data);
    }
    if (known && (known.race !== data.race || data.scene)) this.opening.leave();
    if (known && data.clicks > known.clicks) {
      this.go(0);
      this.play(true);
    }
    this.runs.forEach((run, index) => {
      run.label = data.runs[index].label;
    });
    this.legend.show(data.runs, data.hidden, known?.hidden.join() !== data.hidden.join());
    if (data.scene && this.scene?.key !== data.scene.key) {
      const fresh = new Scene(floats(data.grid), data.scene);
      if (this.scene) fresh.orbit = this.scene.orbit;
      this.scene = fresh;
    }
    this.hand.show(data);
    this.again();
    this.fit();
    this.ground(data);
  }

  /** Shows the race that the data have. */
  renew() {
    this.runs = runsOf(this.data);
    this.newStart = null;
    this.labels.forget();
    this.again();
  }

  /**
   * Shows a race for the first time.
   *
   * @param {PlayerData} data
   */
  open({ opening }) {
    const step = linked(location.hash);
    if (step !== null) {
      this.opening.leave();
      return this.go(step);
    }
    const way = this.opening.begin(opening);
    const { followed } = this;
    if (way !== "end") this.go(way === "still" && followed ? telling(lastOf(followed)) : 0);
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
    const drawn = JSON.parse(data.figure); // plotly writes what is zoomed into its own layout
    this.whole = drawn.layout.xaxis.range;
    this.survey(drawn, data);
    if (!this.pointer) this.bind(Plotly);
    this.again();
    if (this.opening.starts()) this.play(true);
  }

  /**
   * Takes over what the picture's grid says of the surface.
   *
   * @param {{ data: [{ z: Encoded, contours: Levels }], layout: Record<"xaxis" | "yaxis", { range: [number, number] }> }} figure
   * @param {PlayerData} data
   */
  survey({ data: [{ z, contours }], layout }, { scale }) {
    drawBar(this.parts.scale, contours, scale, this.colors);
    this.under.near = interpolated(decoded(z), [...layout.xaxis.range, ...layout.yaxis.range], scale);
  }

  /** px of the window that are not the picture's; the tour's bar has --fop-tour of them. */
  get around() {
    return AROUND + Number.parseFloat(document.documentElement.style.getPropertyValue("--fop-tour") || "0");
  }

  /** The picture is a square, as large as the column and the window allow. */
  fit() {
    const { stage, ground } = this.parts;
    const { l, r, t, b } = this.data.margin;
    if (stage.clientWidth <= l + r) return;
    const above = FINGER ? BUTTON : t;
    const room = Math.max(LOWEST, window.innerHeight - this.around);
    const side = Math.min(stage.clientWidth - l - r, LARGEST, room);
    ground.style.height = `${Math.round(side + above + b)}px`;
    ground.style.width = `${Math.round(side + l + r)}px`;
    ground.style.margin = "0 auto";
    // Kept, since to ask for it in a frame that has changed a text makes the browser lay out the page once more.
    const { offsetLeft: left, offsetTop: top } = ground;
    this.bounds = { left, top, width: stage.clientWidth, height: stage.clientHeight };
  }

  /** @param {Plotly} Plotly */
  bind(Plotly) {
    const { ground } = this.parts;
    for (const event of ["plotly_relayout", "plotly_relayouting", "plotly_afterplot"])
      ground.on(event, () => {
        ground.dataset.drag = String(dragmode(ground));
        this.again();
      });
    this.watch(() => {
      Plotly.Plots.resize(ground);
      this.again();
    });
    this.pointer = new Pointer(this);
    this.parts.camera.onclick = () => photograph(this, Plotly);
  }

  /**
   * Fits the picture from now on, and has it drawn where its size or the screen's sharpness is another one.
   *
   * @param {() => void} redraw
   */
  watch(redraw) {
    const { ground, stage } = this.parts;
    const sizes = () => [stage.clientWidth, ground.style.height, window.devicePixelRatio].join();
    let shown = sizes();
    const fit = () => {
      this.fit();
      if (!stage.clientWidth || sizes() === shown) return;
      shown = sizes();
      redraw();
    };
    this.sizes = new ResizeObserver(fit);
    this.sizes.observe(stage);
    window.addEventListener("resize", fit, { signal: this.ending.signal });
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
    const { width, height } = this.bounds;
    return this.solid ? this.solid.view({ left: 0, top: 0, width, height }) : this.flat();
  }

  /** The view from above. */
  flat() {
    const shown = this.axes();
    if (!shown) throw new Error("the surface is not drawn yet");
    const { x, y } = shown;
    const area = {
      left: this.bounds.left + x.offset,
      top: this.bounds.top + y.offset,
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
    if (this.run !== clock.run) {
      this.run = clock.run;
      this.changed = true;
    }
    if (this.playing) {
      const passed = (Math.min(SLOW, now - before) / 1000) * Number(this.parts.speed.value);
      const { phases } = this;
      if (phases) this.go(this.step + passed / PHASE / phases.length);
      else if (this.data.log) this.share += passed / WHOLE;
      else this.go(this.step + passed * RATE);
      if (this.step >= this.last) {
        this.play(false);
        this.opening.ended();
      }
    }
    this.hand.follow();
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

  /** Draws the step, and says it beside the slider and to the page's other pictures. */
  draw(ratio = window.devicePixelRatio || 1) {
    const { scrub, step } = this.parts;
    const { data, end, followed, hand, phases } = this;
    const view = this.view();
    const now = Math.min(this.step, end);
    const at = phases ? headStep(now, phases.length) : now;
    drawPaths(this, view, at, ratio);
    this.pointer?.checkTip(view);
    drawHeads(this, view, now, at, ratio);
    this.caption(view, now);

    if (document.activeElement !== scrub || this.playing) scrub.value = String(1000 * this.share);
    scrub.setAttribute("aria-valuetext", `step ${Math.floor(at)} of ${end}`);
    write(step, `step ${count(Math.floor(at))} of ${count(end)}`);
    const race = hand.leads ? `${data.race} ${hand.races}` : data.race;
    const parts = followed && partsAt(followed, Math.floor(at));
    const made = parts && { ...parts, tried: triedOf(parts), run: followed.name, race };
    clock.leads = hand.leads;
    clock.fragment = hand.leads || at >= end ? "" : `#step=${Math.floor(at)}`;
    if (hand.leads) return clock.set(clock.step, clock.values, made); // charts and table are of Python's race
    clock.moving = at < end;
    clock.set(at, Object.fromEntries(this.runs.map((run) => [run.name, run.losses[indexAt(run, at)]])), made);
  }

  /**
   * Says in the picture's lower left corner which part of a step is shown.
   *
   * @param {View} view
   * @param {number} now the step
   */
  caption({ left, top, height }, now) {
    const { part } = this.parts;
    const { followed: run, phases } = this;
    const shown = run && phases && now <= lastOf(run) ? phases : null;
    part.hidden = !shown;
    if (!run || !shown) return;
    const undone = (/** @type {number} */ step) => {
      const parts = partsAt(run, step);
      return parts !== null && triedOf(parts) !== null;
    };
    write(part, captionOf(now, shown, undone));
    part.setAttribute("aria-live", this.playing ? "off" : "polite");
    part.style.transform = `translate(${left + 6}px, calc(${top + height - 6}px - 100%))`;
  }

  leave() {
    this.gone = true;
    cancelAnimationFrame(this.frame);
    this.endKeys();
    this.endEmphasis();
    this.legend.leave();
    this.turning.leave();
    this.pointer?.leave();
    this.sizes?.disconnect();
    this.ending.abort();
    purge(this.parts.ground);
    Object.assign(clock, { moving: false, leads: false, fragment: "" });
    clock.set(Infinity, {});
  }
}
