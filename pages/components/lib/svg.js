// @ts-check
/** @import { Style } from "./types.d.ts" */

const SVG = "http://www.w3.org/2000/svg";

/**
 * @template {keyof SVGElementTagNameMap} K
 * @param {K} name
 * @param {Record<string, string | number>} attributes
 * @param {Element[]} children
 */
export function svg(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  made.append(...children);
  return made;
}

/**
 * An optimizer's line and symbol, as they are in the pictures.
 *
 * @param {Style} style
 */
export const swatch = ({ color, dash, width, glyph }) =>
  svg(
    "svg",
    { width: 30, height: 12, viewBox: "-15 -6 30 12", "aria-hidden": "true" },
    svg("path", { d: "M-15 0H15", stroke: color, "stroke-width": width, "stroke-dasharray": dash }),
    svg("path", { d: glyph, fill: color, stroke: "var(--st-background-color)" }),
  );
