// @ts-check
// Fills the table: two rows for each run.

import { clock } from "../lib/clock.js";
import { box, write } from "../lib/dom.js";
import { emphasis } from "../lib/emphasis.js";
import { following, inOrder } from "../lib/lifetime.js";
import { short } from "../lib/numbers.js";
import { swatch } from "../lib/svg.js";

/** @import { Mount } from "../lib/types.d.ts" */
/** @import { ReadoutData, Row } from "./types.d.ts" */

const STATUS = { diverged: "fop-diverged", converged: "fop-converged", "step limit": "fop-limit" };

/**
 * @param {string} name
 * @param {Record<string, string | number>} attributes
 * @param {(Element | string)[]} children
 */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  made.append(...children);
  return made;
}

/** @param {Row} row */
function published({ published, matches }) {
  if (published === null) return element("td", { class: "fop-published" }, "–");
  const count = matches ? `${published} ✓` : `${published} ≠`;
  const words = matches ? "the same as published" : "not as published";
  return element("td", { class: "fop-published", title: words, "aria-label": `${published}, ${words}` }, count);
}

/**
 * @param {Row} row
 * @param {number} columns
 */
const body = (row, columns) =>
  element(
    "tbody",
    { class: STATUS[row.status] },
    element(
      "tr",
      { class: "fop-run" },
      element("th", { scope: "row" }, swatch(row), row.name),
      element("td", { class: "fop-steps" }, row.steps),
      published(row),
    ),
    element(
      "tr",
      { class: "fop-ending" },
      element("td", { colspan: columns }, element("span", { class: "fop-now" }, row.reason), element("br"), row.end),
    ),
  );

/**
 * Shows f at the player's step; at its end, how the runs ended. Fades while the player shows another race.
 *
 * @param {Element} table
 * @param {Row[]} rows
 */
function update(table, rows) {
  table.classList.toggle("fop-before", clock.leads);
  const cells = table.querySelectorAll(".fop-now");
  rows.forEach((row, index) => {
    const value = clock.values[row.name];
    write(cells[index], clock.moving && value !== undefined ? `Now f = ${short(value)}.` : row.reason);
  });
}

/**
 * Has the rows of runs that the legend hides, or that it fades, be faint: their counts stay to be compared with.
 *
 * @param {Element} table
 * @param {Row[]} rows
 */
function emphasize(table, rows) {
  const bodies = table.querySelectorAll("tbody");
  rows.forEach(({ rule }, index) => {
    const hidden = !emphasis.shows(rule);
    bodies[index].classList.toggle("fop-faint", hidden || emphasis.opacity(rule) < 1);
    bodies[index].title = hidden ? "Hidden: a click on its name below the player shows it again" : "";
  });
}

/** @param {Mount<ReadoutData>} mount */
function show({ data: { rows }, parentElement }) {
  const table = box(parentElement, ".fop-readout");
  const compared = rows.some((row) => row.published !== null);
  table.classList.toggle("fop-compared", compared);
  for (const old of table.querySelectorAll("tbody")) old.remove();
  table.append(...rows.map((row) => body(row, compared ? 3 : 2)));
  emphasize(table, rows);
  return following(table, () => {
    const ends = [clock.follow(() => update(table, rows)), emphasis.follow(() => emphasize(table, rows))];
    return () => {
      for (const end of ends) end();
    };
  });
}

export default inOrder(show);
