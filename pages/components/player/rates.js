// @ts-check
// A map of a run's two rates: how many steps it needs at each pair of them, run in the browser from the race's start.

import { cellCanvas, contextOf } from "../lib/canvas.js";
import { pixel } from "../lib/colors.js";
import { box, part, write } from "../lib/dom.js";
import { clamp, short } from "../lib/numbers.js";
import { ACROSS, COLUMNS, colorOf, Grid, ROWS, ratesAt, scaleOf, shareOf, UP, wordsOf } from "./grid.js";

/** @import { Hand } from "./hand.js" */

const SLICE = 6; // ms of a frame in which the map goes on
const DOT = 5; // px
/** @type {Record<string, [number, number]>} */
const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }; // columns and rows

/** The map on the page, with a dot at the rates that are set. */
export class RateMap {
  /** @param {Hand} hand */
  constructor(hand) {
    this.hand = hand;
    const { root } = hand.player;
    this.parts = {
      root: part(root, ".fop-map", HTMLDetailsElement),
      canvas: part(root, ".fop-map canvas", HTMLCanvasElement),
      words: box(root, ".fop-map output"),
      scale: box(root, ".fop-map-scale"),
    };
    this.pressed = false;
    this.keyed = false; // an arrow key is down
    this.key = ""; // of the grid
    /** @type {Grid | null} */
    this.grid = null;
    this.due = false; // whether it is to be drawn
    this.controls();
  }

  controls() {
    const { root, canvas } = this.parts;
    root.ontoggle = () => this.renew();
    canvas.onpointerdown = (event) => {
      if (event.button) return;
      this.pressed = true;
      canvas.setPointerCapture(event.pointerId);
      this.drag(event);
    };
    canvas.onpointermove = (event) => this.pressed && this.drag(event);
    canvas.onpointerup = () => {
      if (!this.pressed) return;
      this.pressed = false;
      this.hand.commit(this.hand.names());
    };
    canvas.onpointercancel = () => {
      this.pressed = false;
      this.hand.cancel();
    };
    canvas.onkeydown = (event) => {
      const way = WAYS[event.key];
      if (!way || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      event.stopPropagation(); // which would be the player's step
      this.keyed = true;
      this.step(way);
    };
    canvas.onkeyup = canvas.onblur = () => {
      if (!this.keyed) return;
      this.keyed = false;
      this.hand.commit(this.hand.names());
    };
  }

  /**
   * Moves the dot to the next cell.
   *
   * @param {[number, number]} way columns and rows
   */
  step([columns, rows]) {
    const [lr, hyper_lr] = this.hand.rates();
    const column = Math.floor(shareOf(lr, ACROSS) * COLUMNS) + columns;
    const row = Math.floor(shareOf(hyper_lr, UP) * ROWS) + rows;
    this.hand.put(this.hand.names(), ratesAt(clamp(column, 0, COLUMNS - 1), clamp(row, 0, ROWS - 1)));
  }

  /** @param {PointerEvent} event */
  drag({ clientX, clientY }) {
    const { left, top, width, height } = this.parts.canvas.getBoundingClientRect();
    const column = clamp(Math.floor(((clientX - left) / width) * COLUMNS), 0, COLUMNS - 1);
    const row = clamp(Math.floor((1 - (clientY - top) / height) * ROWS), 0, ROWS - 1);
    this.hand.put(this.hand.names(), ratesAt(column, row));
  }

  /** The race, the chosen run or its rates are others. */
  renew() {
    const { hand } = this;
    const [lr, hyper_lr] = hand.names();
    this.parts.root.hidden = !(lr && hyper_lr);
    if (!this.parts.root.open) return;
    const run = hand.mapped();
    this.due = true;
    if (this.key === run?.key) return;
    this.key = run?.key ?? "";
    this.grid = run && new Grid(run.run, run.steps);
  }

  /** Goes on with the map for a part of a frame, while nothing else moves, and draws what is new. */
  follow() {
    const { grid, hand } = this;
    if (!grid || !this.parts.root.open) return;
    if (!grid.done && !hand.leads && !hand.player.playing) {
      const end = performance.now() + SLICE;
      grid.advance(() => performance.now() > end);
      this.due = true;
    }
    if (this.due) this.draw(grid);
    this.due = false;
  }

  /**
   * Says below the map what its colours stand for.
   *
   * @param {ReturnType<typeof scaleOf>} entries
   */
  explain(entries) {
    const { scale } = this.parts;
    const [fast, slow, ...others] = entries;
    scale.querySelectorAll("span").forEach((node, i) => {
      write(node, entries[i].words);
    });
    const fills = [`linear-gradient(to right, ${fast.color}, ${slow.color})`, ...others.map(({ color }) => color)];
    scale.querySelectorAll("i").forEach((node, i) => {
      node.style.background = fills[i];
    });
  }

  /** @param {Grid} grid */
  draw({ cells, limit, run }) {
    const { canvas, words } = this.parts;
    const { hand } = this;
    const { colors, runs } = hand.player;
    const color = runs.find(({ name }) => name === hand.chosen)?.color ?? colors.ink;
    const converged = cells.filter(({ status }) => status === "converged").map(({ step }) => step);
    const fewest = Math.min(limit, ...converged);
    this.explain(scaleOf(fewest, limit, color, colors));
    const image = cellCanvas(COLUMNS, ROWS, (pixels) => {
      for (let i = 0; i < pixels.length; i++) {
        const [column, row] = [i % COLUMNS, ROWS - 1 - Math.floor(i / COLUMNS)];
        pixels[i] = pixel(colorOf(cells[row * COLUMNS + column], fewest, limit, color, colors));
      }
    });
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    Object.assign(canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
    const context = contextOf(canvas);
    context.imageSmoothingEnabled = false;
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    context.scale(ratio, ratio);
    const [lr, hyper_lr] = hand.rates();
    const [across, up] = [shareOf(lr, ACROSS), shareOf(hyper_lr, UP)];
    write(words, `ε ${short(lr)}, ρ ${short(hyper_lr)}: ${wordsOf(run(lr, hyper_lr, limit))}`);
    if (![across, up].every((share) => share >= 0 && share <= 1)) return;
    context.beginPath();
    context.arc(across * width, (1 - up) * height, DOT, 0, 2 * Math.PI);
    context.fillStyle = colors.paper;
    context.strokeStyle = colors.ink;
    context.lineWidth = 2;
    context.fill();
    context.stroke();
  }
}
