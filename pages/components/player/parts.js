// @ts-check
import { box, part } from "../lib/dom.js";
import { plotlyNode } from "../lib/plotly.js";

/**
 * The parts of the player's markup.
 *
 * @param {HTMLElement} root
 */
export const partsOf = (root) => ({
  stage: box(root, ".fop-stage"),
  ground: plotlyNode(box(root, ".fop-ground")),
  paths: part(root, ".fop-paths", HTMLCanvasElement),
  heads: part(root, ".fop-heads", HTMLCanvasElement),
  labels: box(root, ".fop-labels"),
  invitation: box(root, ".fop-invitation"),
  part: box(root, ".fop-part"),
  tip: box(root, ".fop-tip"),
  legend: box(root, ".fop-entries"),
  scale: box(root, ".fop-scale"),
  under: box(root, ".fop-under"),
  play: box(root, ".fop-play"),
  restart: box(root, ".fop-restart"),
  back: box(root, ".fop-back"),
  on: box(root, ".fop-on"),
  apart: box(root, ".fop-apart"),
  scrub: part(root, ".fop-scrub", HTMLInputElement),
  step: box(root, ".fop-step"),
  closer: part(root, ".fop-closer", HTMLButtonElement),
  farther: part(root, ".fop-farther", HTMLButtonElement),
  whole: part(root, ".fop-whole", HTMLButtonElement),
  camera: part(root, ".fop-camera", HTMLButtonElement),
  hint: box(root, ".fop-hint-keys"),
  speed: part(root, ".fop-speed", HTMLSelectElement),
  missing: box(root, ".fop-plot-missing"),
});
