// @ts-check
import { across } from "../lib/across.js";
import { clock } from "../lib/clock.js";
import { box } from "../lib/dom.js";
import { emphasis, keyOf } from "../lib/emphasis.js";
import { merge, themed } from "../lib/figure.js";
import {
  axes,
  BUTTON,
  dragmode,
  FINGER,
  labelOf,
  lineOf,
  loadPlotly,
  plotlyNode,
  purge,
  settings,
  traceOf,
} from "../lib/plotly.js";
import { titled } from "../lib/png.js";
import { save } from "../lib/save.js";
import { before } from "../lib/search.js";
import { themeOf } from "../lib/theme.js";
import { height, pathOf, shareAt } from "./geometry.js";
import { groupsOf, leaveOut } from "./groups.js";
import { Shared } from "./shared.js";

/** @import { Plotly, Send } from "../lib/types.d.ts" */
/** @import { Frames, PlotData } from "./types.d.ts" */

const DEBOUNCE = 250; // ms after which plotly's own state follows the lines
const PATIENCE = 120; // frames that a chart waits for the player's surface at most: it may have failed

/** Resolves once the next frame has been drawn. */
const frame = () => new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)));

/**
 * Resolves after the frame that follows the player's first, or the page's where there is no player: by then the surface
 * and its paths are on the screen.
 */
async function afterPlayer() {
  for (let frames = 0; frames < PATIENCE; frames++) {
    const draws = !document.querySelector(".fop-ground:not([data-theme])"); // in the frame that comes, or has drawn
    await frame();
    if (draws) break;
  }
  await frame();
}

/** A figure on one node, to which new data come; zoom and hover stay. */
export class Chart {
  /**
   * @param {HTMLElement} root
   * @param {PlotData} data
   */
  constructor(root, data) {
    this.root = root;
    this.node = plotlyNode(box(root, ".fop-plot-node"));
    this.cursor = box(root, ".fop-plot-cursor");
    this.missing = box(root, ".fop-plot-missing");
    /** @type {PlotData | null} */
    this.data = data;
    this.shown = ""; // theme, figure, and which runs are hidden
    /** Whose its traces and labels are. */
    this.groups = groupsOf({ data: [], layout: {} });
    this.hidden = ""; // of these, as drawn
    /** @type {string | false} */
    this.dragmode = false; // a finger's
    /** The figure whose lines are there. */
    this.drawn = "";
    /**
     * Its frame that is shown; null for the figure's own.
     *
     * @type {number | null}
     */
    this.frame = null;
    this.timer = 0;
    this.left = 0; // px of the node, in the root
    /** @type {Plotly | null} */
    this.plotly = null; // once it is loaded
    /** @type {object | null} */
    this.config = null;
    /** @type {ResizeObserver | null} */
    this.sizes = null;
    this.unfollow = () => {};
    this.shared = new Shared(root, this.node);
    /** @type {Send} */
    this.send = () => {};
  }

  /**
   * @param {PlotData} data
   * @param {Send} send
   */
  show(data, send) {
    this.data = data;
    this.send = send;
    this.root.setAttribute("aria-label", data.alt);
    this.fit(data);
    this.unfollow();
    this.shared.name = data.across;
    if (data.across) this.root.tabIndex = 0; // for its keys
    const ends = [clock.follow(() => this.follow(data)), emphasis.follow(() => this.emphasize(data))];
    if (data.across) ends.push(across.follow(() => this.shared.follow(this.plotly)));
    this.unfollow = () => {
      for (const end of ends) end();
    };
    this.draw(data);
  }

  /** @param {PlotData} data */
  fit(data) {
    this.node.style.height = `${height(data, this.root.clientWidth, FINGER ? BUTTON : undefined)}px`;
  }

  /** @param {PlotData} data */
  follow(data) {
    if (data.follows) this.mark();
    if (data.frames) this.turn(data, data.frames);
  }

  /**
   * Hides and fades runs as the legend says.
   *
   * @param {PlotData} data
   */
  emphasize(data) {
    if (this.hidden === keyOf(emphasis.hidden)) this.fade();
    else this.draw(data);
  }

  /** Fades the runs that are not pointed at. Plotly has no part in it: it takes 25 ms. */
  fade() {
    /**
     * @param {string[]} groups
     * @param {typeof traceOf} elementOf
     */
    const fade = (groups, elementOf) => {
      groups.forEach((group, i) => {
        const element = group && elementOf(this.node, i);
        if (element) element.style.opacity = String(emphasis.opacity(group));
      });
    };
    fade(this.groups.traces, traceOf);
    fade(this.groups.labels, labelOf);
  }

  /** Shows where the player is, on an axis of steps. */
  mark() {
    const { cursor, node } = this;
    const shown = axes(node);
    if (!shown || node.hidden) return;
    const share = shareAt(shown.x, clock.step);
    cursor.hidden = !(share >= 0 && share <= 1) || !clock.moving;
    if (cursor.hidden) return;
    cursor.style.transform = `translateX(${this.left + shown.x.offset + share * shown.x.length}px)`;
    cursor.style.top = `${shown.y.offset}px`;
    cursor.style.height = `${shown.y.length}px`;
  }

  /**
   * Shows the frame of the player's step.
   *
   * @param {PlotData} data
   * @param {Frames} frames
   */
  turn(data, frames) {
    const { node } = this;
    if (!frames.steps.length || this.drawn !== data.figure || node.hidden) return; // the lines are still those before
    const at = before(frames.steps, clock.step);
    if (this.frame === at) return;
    this.frame = at;
    this.bend(frames, at);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (node.isConnected && this.data === data) this.plotly?.restyle(node, { y: frames.y[at] }, frames.traces);
    }, DEBOUNCE);
  }

  /**
   * Moves lines to the heights of a frame at once, past plotly, which takes 25 ms for it: its own state follows when they
   * have stopped.
   *
   * @param {Frames} frames
   * @param {number} at
   */
  bend({ traces, y }, at) {
    const shown = axes(this.node);
    if (!shown) return;
    traces.forEach((index, which) => {
      const trace = lineOf(this.node, index);
      trace?.line.setAttribute("d", pathOf(trace.x, y[at][which], shown));
    });
  }

  /** @param {PlotData} data */
  async draw(data) {
    const { node } = this;
    const Plotly = await loadPlotly(data.source).catch(() => null);
    this.missing.hidden = Plotly !== null;
    node.hidden = Plotly === null;
    if (!Plotly) return;
    this.plotly = Plotly;
    await afterPlayer();
    if (!node.isConnected || this.data !== data) return; // gone, or newer data are on their way
    const theme = themeOf(node);
    this.hidden = keyOf(emphasis.hidden);
    const shown = `${theme} ${this.hidden} ${data.figure}`;
    if (this.shown === shown) return;
    this.shown = shown;
    const figure = themed(data.figure, data.themes[theme], getComputedStyle(node).getPropertyValue("--st-font"));
    this.groups = groupsOf(figure);
    leaveOut(figure, emphasis.hidden);
    if (FINGER) merge(figure.layout, { dragmode: this.dragmode, margin: { t: BUTTON } });
    // Always the same: another one would have plotly make the whole picture anew, zoom and all.
    const reset = data.across ? () => this.shared.reset(Plotly) : null;
    this.config ??= settings(Plotly, node, () => this.photograph(Plotly), reset);
    this.shared.lay(figure);
    await Plotly.react(node, figure.data, figure.layout, this.config);
    this.noteDrag();
    node.dataset.theme = theme;
    this.drawn = data.figure;
    this.frame = null;
    this.follow(data);
    if (!this.sizes) this.watch(Plotly);
    if (data.across) this.shared.follow(Plotly);
  }

  noteDrag() {
    const drag = dragmode(this.node);
    this.node.dataset.drag = String(drag);
    return drag;
  }

  /** @param {Plotly} Plotly */
  watch(Plotly) {
    const { node, root } = this;
    const measure = () => {
      this.left = node.offsetLeft; // to ask for it at each step would make the browser lay out the page each time
    };
    node.on("plotly_afterplot", () => {
      measure();
      this.fade();
    });
    if (this.data?.across) this.shared.watch(Plotly);
    node.on("plotly_click", (click) => {
      const [point] = /** @type {{ customdata?: unknown }[]} */ (click?.points ?? []);
      const clicked = point?.customdata;
      if (this.data?.clicks && clicked !== undefined) this.send("clicked", clicked);
    });
    node.on("plotly_relayout", () => {
      this.dragmode = this.noteDrag();
      clock.followers.call();
    });
    let width = root.clientWidth;
    this.sizes = new ResizeObserver(() => {
      measure();
      if (!this.data || !root.clientWidth || root.clientWidth === width) return;
      width = root.clientWidth;
      this.fit(this.data);
      Plotly.Plots.resize(node);
    });
    this.sizes.observe(root);
  }

  /**
   * Saves what is seen now, at the cursor's step where the picture shows that.
   *
   * @param {Plotly} Plotly
   */
  async photograph(Plotly) {
    const { data, node } = this;
    if (!data) return;
    const { title, file, follows, frames } = data;
    const { step } = clock;
    if (frames?.steps.length) await Plotly.restyle(node, { y: frames.y[before(frames.steps, step)] }, frames.traces);
    const [width, height] = [node.offsetWidth, node.offsetHeight];
    const image = await Plotly.toImage(node, { format: "png", scale: 3, width, height });
    const bytes = Uint8Array.from(atob(image.slice(image.indexOf(",") + 1)), (sign) => sign.charCodeAt(0));
    const at = (follows || frames) && Number.isFinite(step) ? Math.floor(step) : null;
    const [named, stem] = at === null ? [title, file] : [`${title}, step ${at}`, `${file}-step-${at}`];
    save(titled(new Blob([bytes]), named), `${stem}.png`);
  }

  leave() {
    this.sizes?.disconnect();
    this.unfollow();
    this.data = null;
    purge(this.node);
  }
}
