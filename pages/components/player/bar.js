// @ts-check
// The colour bar: which f a colour of the surface stands for.

import { blend, css, rgb } from "../lib/colors.js";
import { make } from "../lib/dom.js";
import { short } from "../lib/numbers.js";

/** @import { Colors } from "../lib/types.d.ts" */
/** @import { Scale } from "./types.d.ts" */

/** @typedef {{ start: number, end: number, size: number }} Levels of the contour: the lowest, the highest, from one to the next */

const MOST = 4; // labels

/**
 * What a level is called: f - f* there, or f.
 *
 * @param {number} level
 * @param {Pick<Scale, "log">} scale
 */
export const nameOf = (level, { log }) => {
  const text = short(log ? 10 ** level : level);
  return text.includes(".") && !text.includes("e") ? text.replace(/\.?0+$/, "") : text;
};

/**
 * The bands between levels, the first below the lowest and the last above the highest, and which levels are labelled:
 * whole powers of ten, where there are two.
 *
 * @param {Levels} levels
 * @param {Pick<Scale, "log">} scale
 * @returns {{ bands: number, labels: { share: number, text: string }[] }} share: how far along the bar
 */
export function bandsOf({ start, end, size }, scale) {
  const count = Math.round((end - start) / size) + 1; // levels
  const levels = Array.from({ length: count }, (_, i) => ({ level: start + i * size, share: (i + 1) / (count + 1) }));
  const whole = levels.filter(({ level }) => Math.abs(level - Math.round(level)) < 1e-6);
  const named = scale.log && whole.length > 1 ? whole : levels;
  const every = Math.max(1, Math.ceil((named.length - 1) / (MOST - 1)));
  return {
    bands: count + 1,
    labels: named
      .filter((_, i) => i % every === 0)
      .map(({ level, share }) => ({
        share,
        text: nameOf(scale.log && named === whole ? Math.round(level) : level, scale),
      })),
  };
}

/**
 * Fills the bar.
 *
 * @param {HTMLElement} root
 * @param {Levels} levels
 * @param {Scale} scale
 * @param {Colors} colors
 */
export function drawBar(root, levels, scale, colors) {
  root.hidden = levels.start === levels.end; // f is the same everywhere, or no number
  const { bands, labels } = bandsOf(levels, scale);
  const [low, high] = [rgb(colors.low), rgb(colors.high)];
  const strip = make("div", "fop-bands");
  for (let i = 0; i < bands; i++) {
    const band = make("span");
    band.style.background = css(blend(high, low, i / (bands - 1)));
    strip.append(band);
  }
  const ticks = make("div", "fop-ticks");
  for (const { share, text } of labels) {
    const tick = make("span", "", text);
    tick.style.left = `${100 * share}%`;
    ticks.append(tick);
  }
  const title = `${scale.quantity}${scale.log ? ", log" : ""}`;
  const [first, last] = [labels[0], labels[labels.length - 1]];
  root.setAttribute(
    "aria-label",
    `Colours of the surface: ${scale.quantity} from ${first.text} to ${last.text}${scale.log ? ", logarithmic" : ""}`,
  );
  const body = make("div", "fop-strip");
  body.append(strip, ticks);
  root.replaceChildren(make("span", "fop-quantity", title), body);
}
