// @ts-check
import { canvas } from "../lib/canvas.js";
import { box, make } from "../lib/dom.js";
import { short } from "../lib/numbers.js";
import { eigen, gains, largest } from "./algebra.js";
import { paint, READABLE } from "./paint.js";
import { position } from "./quantities.js";
import { INK, inkOn } from "./shades.js";

/** @import { Layer } from "./layer.js" */
/** @import { Kernel, Matrix } from "./types.d.ts" */

const CAPTIONS = {
  rows: "Each picture is a row of the matrix, laid out as the kernel is: what each position (dot) takes from all others.",
  gains:
    "vᵀP v: what P leaves of each cosine pattern v over the kernel. The constant one is top left, finer ones right and down.",
  vectors:
    "Patterns over the kernel and by how much P lengthens a gradient along each. Where numbers are equal, any mix of their patterns would do.",
  pixels:
    "Patterns over the image that P changes most, and by how much it lengthens a gradient along each; of the last snapshot.",
};
const MOST_VECTORS = 25;

/** @typedef {{ picture: HTMLCanvasElement, caption: HTMLElement, side: number }} Figure */
/** @typedef {NonNullable<Layer["pictures"]>} Pictures */

/**
 * A kernel's matrix as filters: each row and each eigenvector as a picture of the kernel, the gain of each frequency. Of a
 * layer whose inputs are an image, its leading eigenvectors as pictures of that image.
 */
export class Filters {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.rowsPart = box(root, ".fop-filters-rows");
    this.gainsPart = box(root, ".fop-filters-gains");
    this.vectorsPart = box(root, ".fop-filters-vectors");
    box(this.gainsPart, "p").textContent = CAPTIONS.gains;
    box(this.rowsPart, "p").textContent = CAPTIONS.rows;
    /** @type {Kernel | null} */
    this.kernel = null;
    /** @type {Pictures | null} */
    this.pictures = null;
    /** @type {Matrix | null} */
    this.filled = null; // what is drawn
    /** @type {Figure[]} */
    this.rows = [];
    /** @type {Figure[]} */
    this.frequencies = []; // one for all, or none
    /** @type {Figure[]} */
    this.vectors = [];
    this.gains = new Float64Array();
  }

  /**
   * Makes figures for a layer's pictures.
   *
   * @param {Layer} layer
   * @param {number} room px
   * @param {string} title of the matrix
   * @param {boolean} square whether it has a column for each position
   */
  lay(layer, room, title, square) {
    const { kernel, pictures } = layer;
    Object.assign(this, { kernel, pictures, filled: null });
    this.rowsPart.hidden = !kernel || !square;
    this.gainsPart.hidden = !kernel;
    box(this.rowsPart, "h4").textContent = `${title}, row by row`;
    box(this.vectorsPart, "p").textContent = kernel ? CAPTIONS.vectors : CAPTIONS.pixels;
    this.rows = [];
    this.frequencies = [];
    if (kernel) this.layKernel(kernel, room, square);
    const count = kernel ? Math.min(layer.n, MOST_VECTORS) : (pictures?.values.length ?? 0);
    const side = kernel ? 58 : 92;
    const columns = Math.max(2, Math.min(kernel ? 9 : 4, Math.floor((room + 12) / (side + 12))));
    this.vectors = figures(this.vectorsPart, count, columns, side);
  }

  /**
   * @param {Kernel} kernel
   * @param {number} room px
   * @param {boolean} square
   */
  layKernel([high, wide], room, square) {
    const narrow = Math.max(24, Math.min(64, Math.floor((room - 12 * (wide - 1)) / Math.max(wide, 3))));
    if (square) this.rows = figures(this.rowsPart, high * wide, wide, Math.min(narrow, wide > 5 ? 34 : 58));
    this.frequencies = figures(this.gainsPart, 1, 1, wide > 5 ? 34 * wide : Math.max(156, READABLE * wide));
  }

  /**
   * Draws a matrix, and P of the same snapshot.
   *
   * @param {Matrix | null} matrix
   * @param {Matrix | null} P
   * @param {number} range of the fullest colour
   */
  fill(matrix, P, range) {
    if (!matrix || this.filled === matrix) return;
    this.filled = matrix;
    const { kernel, pictures } = this;
    if (kernel && P) this.fillKernel(matrix, P, kernel, range);
    else if (!kernel && pictures) this.fillPictures(pictures);
  }

  /**
   * @param {Matrix} matrix
   * @param {Matrix} P
   * @param {Kernel} kernel
   * @param {number} range
   */
  fillKernel({ values, rows: n }, P, kernel, range) {
    this.rows.forEach((figure, i) => {
      const row = values.subarray(i * n, (i + 1) * n);
      draw(figure, row, kernel, range, `row of ${position(i, kernel)}`, i);
    });
    this.gains = gains(P.values, kernel);
    for (const figure of this.frequencies) this.gain(figure, kernel);
    const pairs = eigen(P.values, P.rows);
    this.vectors.forEach((figure, i) => {
      const { value, vector } = pairs[i];
      draw(figure, vector, kernel, largest(vector), `eigenvector ${i + 1}`);
      figure.caption.textContent = short(value);
    });
  }

  /** @param {Pictures} pictures */
  fillPictures({ vectors, image, values }) {
    const area = image[0] * image[1];
    this.vectors.forEach((figure, i) => {
      const vector = vectors.subarray(i * area, (i + 1) * area);
      draw(figure, vector, image, largest(vector), `eigenvector ${i + 1}`);
      figure.caption.textContent = short(values[i]);
    });
  }

  /**
   * Draws what P leaves of each frequency, white where that is all.
   *
   * @param {Figure} figure
   * @param {Kernel} kernel
   */
  gain({ picture, side }, [high, wide]) {
    const cell = side / wide;
    const [, context] = canvas(side, cell * high, picture);
    const less = this.gains.map((value) => value - 1);
    const most = Math.max(largest(less), 1);
    paint(context, { values: less, rows: high, columns: wide }, most, side, cell * high);
    picture.setAttribute("role", "img");
    picture.setAttribute("aria-label", `Gains ${[...this.gains].map(short).join(", ")}`);
    if (cell < READABLE) return;
    context.font = `${cell < 44 ? 10 : 12}px ${getComputedStyle(this.root).fontFamily}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    this.gains.forEach((value, at) => {
      context.fillStyle = inkOn(less[at], most);
      const text = !Number.isFinite(value) ? "–" : Math.abs(value) < 0.005 ? "0" : short(value);
      context.fillText(text, ((at % wide) + 0.5) * cell, (Math.floor(at / wide) + 0.5) * cell, cell - 2);
    });
  }
}

/**
 * @param {HTMLElement} part
 * @param {number} count
 * @param {number} columns
 * @param {number} side px of each
 * @returns {Figure[]}
 */
function figures(part, count, columns, side) {
  const field = box(part, ".fop-filters-field");
  field.style.gridTemplateColumns = `repeat(${columns}, ${side}px)`;
  const made = Array.from({ length: count }, () => {
    const [figure, picture, caption] = [make("figure"), make("canvas"), make("figcaption")];
    figure.append(picture, caption);
    return { figure, picture, caption, side };
  });
  field.replaceChildren(...made.map(({ figure }) => figure));
  return made;
}

/**
 * Draws values as a picture, with a dot on one of its cells.
 *
 * @param {Figure} figure
 * @param {Float32Array | Float64Array} values
 * @param {Kernel} size
 * @param {number} range of the fullest colour
 * @param {string} words
 * @param {number} dot -1 for none
 */
function draw({ picture, side }, values, [high, wide], range, words, dot = -1) {
  const height = Math.round((side * high) / wide);
  const [, context] = canvas(side, height, picture);
  paint(context, { values, rows: high, columns: wide }, range, side, height);
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", words);
  if (dot < 0) return;
  const cell = side / wide;
  context.fillStyle = INK;
  context.beginPath();
  context.arc(((dot % wide) + 0.5) * cell, (Math.floor(dot / wide) + 0.5) * cell, Math.max(1.2, cell / 9), 0, 7);
  context.fill();
}
