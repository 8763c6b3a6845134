// @ts-check
import { make } from "./dom.js";

/** @typedef {CanvasRenderingContext2D} Context */

/** @param {HTMLCanvasElement} canvas */
export function contextOf(canvas) {
  const context = canvas.getContext("2d");
  if (!context) throw new Error("this browser gives a canvas no 2d context"); // no memory, or a canvas of no use
  return context;
}

/**
 * A canvas of so many css px, as sharp as the screen, and its context in these px.
 *
 * @param {number} width
 * @param {number} height
 * @returns {[HTMLCanvasElement, Context]}
 */
export function canvas(width, height, made = make("canvas")) {
  const ratio = window.devicePixelRatio || 1;
  made.width = Math.round(width * ratio);
  made.height = Math.round(height * ratio);
  made.style.width = `${width}px`;
  made.style.height = `${height}px`;
  const context = contextOf(made);
  context.scale(ratio, ratio);
  return [made, context];
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
  contextOf(made).putImageData(image, 0, 0);
  return made;
}
