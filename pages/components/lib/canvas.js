// @ts-check
import { make } from "./dom.js";

/** @typedef {CanvasRenderingContext2D} Pen */

/** @param {HTMLCanvasElement} canvas */
export function penOf(canvas) {
  const pen = canvas.getContext("2d");
  if (!pen) throw new Error("this browser gives a canvas no 2d context"); // no memory, or a canvas of no use
  return pen;
}

/**
 * A canvas of so many css px, as sharp as the screen, and its pen in these px.
 *
 * @param {number} width
 * @param {number} height
 * @returns {[HTMLCanvasElement, Pen]}
 */
export function canvas(width, height, made = make("canvas")) {
  const ratio = window.devicePixelRatio || 1;
  made.width = Math.round(width * ratio);
  made.height = Math.round(height * ratio);
  made.style.width = `${width}px`;
  made.style.height = `${height}px`;
  const pen = penOf(made);
  pen.scale(ratio, ratio);
  return [made, pen];
}

/**
 * A canvas of one pixel for each cell.
 *
 * @param {number} columns
 * @param {number} rows
 * @param {(pixels: Uint32Array) => void} fill row after row, the top one first
 */
export function cellCanvas(columns, rows, fill, made = make("canvas")) {
  if (made.width !== columns || made.height !== rows) Object.assign(made, { width: columns, height: rows });
  const image = new ImageData(columns, rows);
  fill(new Uint32Array(image.data.buffer));
  penOf(made).putImageData(image, 0, 0);
  return made;
}
