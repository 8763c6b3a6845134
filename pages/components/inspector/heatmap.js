// @ts-check
import { canvas } from "../lib/canvas.js";
import { make } from "../lib/dom.js";
import { clamp } from "../lib/numbers.js";
import { paint, READABLE } from "./paint.js";
import { cellWords } from "./quantities.js";
import { cellNumber, INK, inkOn } from "./shades.js";
import { around, cellAt, framed, resized, square } from "./zoom.js";
/** @import { Context } from "../lib/canvas.js" */
/** @import { Kernel, Matrix } from "./types.d.ts" */
/** @import { Part, Point } from "./zoom.js" */

export const ZOOMED = 12; // rows from which on a zoom makes sense
const MOST_NUMBERS = 400; // cells
/** @type {Record<string, [down: number, right: number]>} */
const WAYS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/**
 * @typedef {object} Shown
 * @property {string} title
 * @property {{ n: number, kernel: Kernel | null }} layer
 * @property {Matrix | null} matrix null where none was kept
 * @property {string} words what is said of it as a whole
 * @property {string[]} [marks] what stands out in it
 * @property {number} side px
 * @property {number} range of the fullest colour
 */

/** A matrix as a picture: blue, white, orange, one range for all. Hovering shows a value; a large one can be zoomed. */
export class Heatmap {
  /** @param {boolean} large whether cells can be told apart: hovered, zoomed, with numbers in them */
  constructor(large) {
    this.node = make("figure", "fop-matrix");
    this.title = make("h4");
    this.field = make("div", "fop-matrix-field");
    this.picture = make("canvas");
    this.box = make("div", "fop-matrix-box");
    this.box.hidden = true;
    this.field.append(this.picture, this.box);
    this.caption = make("p", "fop-matrix-caption");
    this.marks = make("ul", "fop-matrix-marks");
    this.node.append(this.title, this.field, this.caption, this.marks);
    this.large = large;
    /** @type {Shown} */
    this.shown = { title: "", layer: { n: 0, kernel: null }, matrix: null, words: "", side: 0, range: 1 };
    this.width = 0; // px of the picture
    /** @type {Part | null} */
    this.part = null; // all where there is none
    /** @type {[row: number, column: number] | null} */
    this.spot = null; // the cell that is described
    this.keyed = false; // whether keys have brought it there
    /** @type {Point | null} */
    this.from = null; // where a frame is begun
    if (large) this.listen();
  }

  /** @param {Shown} shown */
  show(shown) {
    const { title, matrix } = this.shown;
    const same = title === shown.title && matrix?.rows === shown.matrix?.rows;
    if (!same || matrix?.columns !== shown.matrix?.columns) this.part = null;
    this.shown = shown;
    this.title.textContent = shown.title;
    if (this.large) this.field.setAttribute("aria-label", `${shown.title}. Arrow keys go from entry to entry.`);
    this.mark(shown.marks ?? []);
    this.draw();
  }

  /** @param {string[]} marks */
  mark(marks) {
    const said = marks.join("\n");
    if (this.marks.dataset.said === said) return;
    this.marks.dataset.said = said;
    this.marks.replaceChildren(...marks.map((words) => make("li", "", words)));
  }

  get matrix() {
    return this.shown.matrix;
  }

  /**
   * The cells that are shown.
   *
   * @param {Matrix} matrix
   * @returns {Part}
   */
  visible(matrix) {
    return this.part ?? [0, 0, matrix.columns, matrix.rows];
  }

  draw() {
    const { title, layer, matrix, words, side, range } = this.shown;
    this.picture.hidden = !matrix;
    if (!matrix) {
      this.caption.textContent = "No matrix was kept here.";
      return;
    }
    const part = this.visible(matrix);
    const [, , wide, high] = part;
    this.width = this.part || wide >= high ? side : Math.max(24, Math.round((side * wide) / high));
    const [, context] = canvas(this.width, side, this.picture);
    paint(context, matrix, range, this.width, side, part);
    const cell = this.width / wide;
    if (layer.kernel && matrix.whole && wide === matrix.columns) this.grid(context, layer.kernel, cell, matrix.square);
    if (this.large && cell >= READABLE && wide * high <= MOST_NUMBERS) this.numbers(context, matrix, cell, side / high);
    this.picture.setAttribute("role", "img");
    this.picture.setAttribute("aria-label", `${title}, ${words}`);
    this.field.dataset.step = String(matrix.step);
    if (this.spot && this.keyed) frame(context, part, this.spot, cell, side / high);
    this.describe();
  }

  /**
   * Draws lines between the rows of a kernel.
   *
   * @param {Context} context
   * @param {Kernel} kernel
   * @param {number} cell px
   * @param {boolean} both whether columns are its positions too
   */
  grid(context, kernel, cell, both) {
    const { layer, side } = this.shown;
    context.strokeStyle = "rgba(120,128,140,0.55)";
    context.lineWidth = 1;
    context.beginPath();
    for (let at = kernel[1]; at < layer.n; at += kernel[1]) {
      const edge = Math.round(at * cell) + 0.5;
      context.moveTo(0, edge);
      context.lineTo(this.width, edge);
      if (both) {
        context.moveTo(edge, 0);
        context.lineTo(edge, side);
      }
    }
    context.stroke();
  }

  /**
   * @param {Context} context
   * @param {Matrix} matrix
   * @param {number} wide px of a cell
   * @param {number} high px of a cell
   */
  numbers(context, matrix, wide, high) {
    const [left, top, columns, rows] = this.visible(matrix).map(Math.round);
    context.font = `${Math.min(12, Math.max(9, wide / 4))}px ${getComputedStyle(this.node).fontFamily}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        const value = matrix.values[(top + i) * matrix.columns + left + j];
        context.fillStyle = inkOn(value, this.shown.range);
        context.fillText(cellNumber(value), (j + 0.5) * wide, (i + 0.5) * high);
      }
    }
  }

  listen() {
    const { field } = this;
    /**
     * @param {PointerEvent} event
     * @returns {Point}
     */
    const at = (event) => {
      const box = this.picture.getBoundingClientRect();
      return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    };
    field.onpointermove = (event) => {
      const point = at(event);
      this.spot = this.matrix && cellAt(this.visible(this.matrix), point);
      this.keyed = false;
      if (this.from) this.outline(this.from, point);
      this.describe();
    };
    field.onpointerleave = () => {
      this.spot = null;
      this.describe();
    };
    field.onpointerdown = (event) => {
      if (!this.zooms || event.pointerType === "touch") return;
      this.from = at(event);
      field.setPointerCapture(event.pointerId);
    };
    field.onpointerup = (event) => {
      if (!this.from) return;
      const [from, to] = [this.from, at(event)];
      this.from = null;
      this.box.hidden = true;
      if (!this.matrix || Math.abs(from[0] - to[0]) <= 0.02 || Math.abs(from[1] - to[1]) <= 0.02) return;
      this.zoom(framed(this.visible(this.matrix), from, to));
    };
    field.ondblclick = () => this.take(null);
    field.tabIndex = 0;
    field.setAttribute("role", "application");
    field.dataset.keys = "own";
    field.onkeydown = (event) => {
      if (!(event.key in WAYS) || !this.matrix) return;
      event.preventDefault();
      this.caption.setAttribute("aria-live", "polite");
      this.step(this.matrix, ...WAYS[event.key]);
    };
    field.onblur = () => {
      this.spot = null;
      if (this.matrix) this.draw();
    };
  }

  /**
   * Goes to a cell beside the one that is described, and takes a zoomed part along.
   *
   * @param {Matrix} matrix
   * @param {number} down
   * @param {number} right
   */
  step(matrix, down, right) {
    const [left, top] = this.visible(matrix);
    const [row, column] = this.spot ?? [top - down, left - right];
    this.spot = [clamp(row + down, 0, matrix.rows - 1), clamp(column + right, 0, matrix.columns - 1)];
    this.keyed = true;
    if (this.part) this.part = around(this.part, ...this.spot);
    this.draw();
  }

  get zooms() {
    return this.matrix !== null && Math.min(this.matrix.rows, this.matrix.columns) > ZOOMED;
  }

  /**
   * Shows the frame that a pointer draws.
   *
   * @param {Point} from
   * @param {Point} to
   */
  outline(from, [x, y]) {
    this.box.hidden = false;
    /** @param {number} share */
    const percent = (share) => `${100 * share}%`;
    Object.assign(this.box.style, {
      left: percent(Math.min(x, from[0])),
      top: percent(Math.min(y, from[1])),
      width: percent(Math.abs(x - from[0])),
      height: percent(Math.abs(y - from[1])),
    });
  }

  /**
   * Shows so many cells about a point.
   *
   * @param {{ x: number, y: number, size: number }} wanted
   */
  zoom({ x, y, size }) {
    if (this.matrix) this.take(square(x, y, size, this.matrix.rows, this.matrix.columns));
  }

  /**
   * Zooms in or out; not at all where it makes no sense.
   *
   * @param {number} factor
   */
  by(factor) {
    if (this.matrix && this.zooms) this.zoom(resized(this.visible(this.matrix), factor));
  }

  /** @param {Part | null} part to show */
  take(part) {
    this.part = part;
    this.draw();
  }

  describe() {
    const { matrix, layer, words } = this.shown;
    this.caption.textContent = matrix && this.spot ? cellWords(matrix, layer, ...this.spot) : words;
  }
}

/**
 * A frame about a cell.
 *
 * @param {Context} context
 * @param {Part} part that is shown
 * @param {[row: number, column: number]} spot
 * @param {number} wide px of a cell
 * @param {number} high px of a cell
 */
function frame(context, [left, top], [row, column], wide, high) {
  context.strokeStyle = INK;
  context.lineWidth = 2;
  context.strokeRect((column - left) * wide, (row - top) * high, wide, high);
}
