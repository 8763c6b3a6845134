// @ts-check
// What the camera's button saves: the surface with all that is drawn over it, at the step of the click.

import { contextOf } from "../lib/canvas.js";
import { titled } from "../lib/png.js";
import { save } from "../lib/save.js";

/** @import { Context } from "../lib/canvas.js" */
/** @import { Plotly } from "../lib/types.d.ts" */
/** @import { Player } from "./player.js" */

const SHARP = 3; // pixels each way for one of the page's

/**
 * Saves the picture; returns the file's name.
 *
 * @param {Player} player
 * @param {Plotly} Plotly
 */
export async function photograph(player, Plotly) {
  const { ground, stage } = player.parts;
  const { title, file } = player.data;
  const { offsetWidth: width, offsetHeight: height } = player.solid ? stage : ground;
  const step = Math.floor(Math.min(player.step, player.end));
  const { paper } = player.colors;
  const [over, front] = sheet(width, height);
  if (!player.solid) front.translate(-ground.offsetLeft, -ground.offsetTop);
  player.drawn(SHARP, () => layers(front, player));
  const below = player.solid ? [] : [await surfaceOf(ground, Plotly)];
  const [whole, context] = sheet(width, height);
  context.fillStyle = paper;
  context.fillRect(0, 0, width, height);
  for (const image of [...below, over]) context.drawImage(image, 0, 0, width, height);
  /** @type {Blob | null} */
  const drawn = await new Promise((resolve) => whole.toBlob(resolve));
  if (!drawn) throw new Error(`the browser makes no PNG of ${whole.width} × ${whole.height} pixels`);
  const name = `${file}-step-${step}.png`;
  save(titled(drawn, `${title}, step ${step}`), name);
  return name;
}

/**
 * The surface from above; in three dimensions it is among the player's own canvases.
 *
 * @param {HTMLElement} ground
 * @param {Plotly} Plotly
 */
async function surfaceOf(ground, Plotly) {
  const { offsetWidth: width, offsetHeight: height } = ground;
  const surface = new Image();
  surface.src = await Plotly.toImage(ground, { format: "png", scale: SHARP, width, height });
  await surface.decode();
  return surface;
}

/**
 * @param {number} width
 * @param {number} height
 * @returns {[HTMLCanvasElement, Context]}
 */
function sheet(width, height) {
  const made = document.createElement("canvas");
  Object.assign(made, { width: width * SHARP, height: height * SHARP });
  const context = contextOf(made);
  context.scale(SHARP, SHARP);
  return [made, context];
}

/**
 * Draws the two canvases and the labels where they stand on the stage.
 *
 * @param {Context} context
 * @param {Player} player
 */
function layers(context, { parts: { stage, paths, heads, labels } }) {
  for (const layer of [paths, heads]) {
    const { left, top, width, height } = layer.style;
    context.drawImage(layer, parseFloat(left), parseFloat(top), parseFloat(width), parseFloat(height));
  }
  const origin = stage.getBoundingClientRect();
  context.textBaseline = "middle";
  for (const label of labels.querySelectorAll(".fop-arrived")) {
    if (!(label instanceof HTMLElement)) continue;
    const box = label.getBoundingClientRect();
    const [left, top] = [box.left - origin.left, box.top - origin.top];
    const style = getComputedStyle(label);
    context.globalAlpha = Number(label.style.opacity); // on the page it may be on its way there
    context.fillStyle = style.backgroundColor;
    context.fillRect(left, top, box.width, box.height);
    context.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    context.fillStyle = style.color;
    context.fillText(label.textContent ?? "", left + parseFloat(style.paddingLeft), top + box.height / 2);
  }
}
