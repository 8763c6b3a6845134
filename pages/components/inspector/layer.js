// @ts-check
import { before } from "../lib/search.js";
import { preconditioner, quantityOf } from "./algebra.js";

/** @import { Head, InspectorData, Matrix, Quantity, Spectrum } from "./types.d.ts" */

const KEPT = 12; // matrices besides the one that is asked for
const NUMBERS = 6; // of a spectrum

/** One layer of one run: what Python sent of it, and the matrices that follow. */
export class Layer {
  /**
   * @param {Head} head
   * @param {InspectorData} data
   */
  constructor(head, data) {
    this.head = head;
    this.name = head.name;
    this.title = head.title;
    this.form = head.form;
    this.n = head.n;
    this.kernel = head.kernel;
    this.steps = head.steps;
    this.marks = head.marks;
    this.hasM = head.hasM;
    this.ranges = head.ranges;
    this.thumbRange = head.thumbRange ?? 1;
    /**
     * @param {string} name
     * @returns {Float32Array | null}
     */
    const floats = (name) => {
      const array = data[`${head.id}/${name}`];
      return array ? new Float32Array(array) : null;
    };
    this.M = floats("M");
    this.scale = floats("scale");
    this.sentP = floats("P");
    this.spectrum = floats("spectrum");
    this.thumbs = floats("thumbs");
    const vectors = floats("pictures");
    const { image, pictured: values } = head;
    /** Eigenvectors as pictures of the images that are the layer's inputs; null without. */
    this.pictures = vectors && image && values ? { vectors, image, values } : null;
    /** @type {Map<string, Matrix>} */
    this.kept = new Map();
  }

  /**
   * A quantity at a step; null where nothing was kept.
   *
   * @param {Quantity} quantity
   * @param {number} step
   * @returns {Matrix | null}
   */
  matrix(quantity, step) {
    if (this.thumbs && !(this.steps.length && step >= this.steps[0])) return this.thumbnail(this.thumbs, step);
    if (!this.steps.length || (quantity === "M" && !this.hasM)) return null;
    const at = before(this.steps, step);
    const key = `${quantity} ${at}`;
    let matrix = this.kept.get(key);
    if (!matrix) {
      matrix = this.made(quantity, at);
      const oldest = this.kept.keys().next();
      if (this.kept.size > KEPT && !oldest.done) this.kept.delete(oldest.value);
      this.kept.set(key, matrix);
    }
    return matrix;
  }

  /**
   * @param {Quantity} quantity
   * @param {number} at which snapshot
   * @returns {Matrix}
   */
  made(quantity, at) {
    const { n } = this;
    const { k } = this.head;
    const about = { rows: n, step: this.steps[at], whole: true };
    if (quantity === "M") return { ...about, values: Float64Array.from(this.factor(at)), columns: k, square: false };
    return { ...about, values: quantityOf(this.P(at), n, quantity), columns: n, square: true };
  }

  /** @param {number} at which snapshot */
  factor(at) {
    if (!this.M) throw new Error(`no M of ${this.name} has come`);
    const size = this.n * this.head.k;
    return this.M.subarray(at * size, (at + 1) * size);
  }

  /** @param {number} at which snapshot */
  P(at) {
    if (this.sentP) return Float64Array.from(this.sentP.subarray(at * this.n ** 2, (at + 1) * this.n ** 2));
    if (!this.scale) throw new Error(`no scale of ${this.name} has come`);
    return preconditioner(this.factor(at), this.n, this.head.k, this.form, this.scale[at]);
  }

  /**
   * Means over areas of P - I, where M is too large to be kept at each snapshot.
   *
   * @param {Float32Array} thumbs
   * @param {number} step
   * @returns {Matrix}
   */
  thumbnail(thumbs, step) {
    const { side = 0, thumbSteps = [] } = this.head;
    const at = before(thumbSteps, step);
    const area = side * side;
    const values = Float64Array.from(thumbs.subarray(at * area, (at + 1) * area));
    return { values, rows: side, columns: side, step: thumbSteps[at], whole: false, square: true };
  }

  /**
   * What stands out in a matrix that is shown, in words.
   *
   * @param {Matrix | null} matrix
   */
  said(matrix) {
    const at = matrix?.whole ? this.steps.indexOf(matrix.step) : -1;
    return this.marks[at] ?? [];
  }

  /**
   * What is known of P's eigenvalues at a step; null where nothing is.
   *
   * @param {number} step
   * @returns {Spectrum | null}
   */
  numbers(step) {
    const { kinds, spectrumSteps = [] } = this.head;
    if (!this.spectrum?.length) return null;
    const at = before(spectrumSteps, step);
    const [least, most, condition, rank, logdet, kind] = this.spectrum.subarray(at * NUMBERS, (at + 1) * NUMBERS);
    return { least, most, condition, rank, logdet, kind: kinds[kind], step: spectrumSteps[at] };
  }
}
