// @ts-check
import { contextOf } from "./canvas.js";

/**
 * Light or dark, as the page's own background is.
 *
 * @param {Element} node
 */
export function themeOf(node) {
  const context = contextOf(document.createElement("canvas"));
  context.fillStyle = getComputedStyle(node).getPropertyValue("--st-background-color").trim() || "#fff";
  return schemeOf(context.fillStyle);
}

/**
 * @param {string} color "#rrggbb", as a canvas writes every opaque colour
 * @returns {"light" | "dark"}
 */
export function schemeOf(color) {
  const parts = color.match(/[0-9a-f]{2}/gi) ?? [];
  const [red, green, blue] = parts.map((hex) => parseInt(hex, 16));
  return red + green + blue > 382 ? "light" : "dark";
}
