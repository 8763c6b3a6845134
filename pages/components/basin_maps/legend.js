// @ts-check
import { canvas } from "../lib/canvas.js";
import { css } from "../lib/colors.js";
import { make } from "../lib/dom.js";
import { count } from "../lib/numbers.js";
import { CONVERGED, DIVERGED, LIMIT, minimumOf, SHADES, statusOf } from "./cells.js";
import { hatch } from "./stripes.js";
/** @import { Context } from "../lib/canvas.js" */
/** @import { Colors, RGB } from "../lib/types.d.ts" */
/** @import { Palette } from "./cells.js" */
/** @import { BasinsData } from "./types.d.ts" */

/**
 * What the colours mean: entries for what there is only.
 *
 * @param {BasinsData} data
 * @param {Uint8Array} kinds
 * @param {Palette} colors
 * @param {Colors} theme
 */
export function legend(data, kinds, { ramps, idle, ground }, theme) {
  const there = [...new Set(kinds)];
  /** @param {number} status */
  const any = (status) => there.some((kind) => statusOf(kind) === status);
  /**
   * @param {RGB} color
   * @param {number} [status] whose stripes are over it
   */
  const fill = (color, status) => (/** @type {Context} */ context) => {
    context.fillStyle = css(color);
    context.fillRect(0, 0, 22, 14);
    if (status) hatch(context, 22, status, theme);
  };
  const used = data.minima
    .map((minimum, i) => ({ minimum, ramp: ramps[i + 1], number: i + 1 }))
    .filter(({ number }) => there.some((kind) => minimumOf(kind) === number));
  const items = used.map(({ minimum: { name, note }, ramp }) => entry(fill(ramp[0]), 22, name + note));
  /** @param {Context} context */
  const bar = (context) =>
    used.forEach(({ ramp }, row) => {
      ramp.forEach((color, at) => {
        context.fillStyle = css(color);
        context.fillRect(at * (96 / SHADES), (14 / used.length) * row, 96 / SHADES + 1, 14);
      });
    });
  const [low, high] = data.range.map(count);
  if (any(CONVERGED))
    items.push(entry(bar, 96, low === high ? `${low} steps` : `${low} to ${high} steps, logarithmic`));
  if (there.some((kind) => statusOf(kind) === LIMIT && minimumOf(kind)))
    items.push(entry(fill(used[0].ramp[SHADES - 1], LIMIT), 22, "at a minimum, not converged"));
  if (there.includes(LIMIT << 4)) items.push(entry(fill(idle), 22, `not converged in ${count(data.limit)} steps`));
  if (any(DIVERGED)) items.push(entry(fill(ground, DIVERGED), 22, "diverged"));
  return items;
}

/**
 * @param {(context: Context) => void} paint
 * @param {number} width px
 * @param {string} words
 */
function entry(paint, width, words) {
  const [made, context] = canvas(width, 14);
  made.setAttribute("aria-hidden", "true");
  paint(context);
  const item = make("li");
  item.append(made, words);
  return item;
}
