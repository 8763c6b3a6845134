// @ts-check
// Two ellipses a run: P in its colour, the inverse Hessian in ink.

import { clock } from "../lib/clock.js";
import { box } from "../lib/dom.js";
import { following } from "../lib/lifetime.js";
import { before } from "../lib/search.js";
import { svg } from "../lib/svg.js";
import { compared } from "./ellipses.js";

/** @import { Mount } from "../lib/types.d.ts" */
/** @import { Ellipse } from "./ellipses.js" */
/** @import { LearnedData, Run } from "./types.d.ts" */

/**
 * Returns the figure of a run and the parts that move.
 *
 * @param {Run} run
 */
function draw(run) {
  const picture = svg("svg", { viewBox: "-1.08 -1.08 2.16 2.16", role: "img" });
  const newton = svg("ellipse", { class: "fop-newton" });
  const learned = svg("ellipse", { class: "fop-P", stroke: run.color, fill: run.color });
  picture.append(
    svg("path", { class: "fop-axis", d: "M-1 0H1M0-1V1" }),
    svg("circle", { class: "fop-unit", r: 1 }),
    newton,
    learned,
  );
  const caption = document.createElement("figcaption");
  const name = document.createElement("div");
  name.className = "fop-name";
  name.style.setProperty("--run", run.color);
  name.textContent = run.name;
  const lines = [0, 1, 2].map(() => {
    const line = document.createElement("div");
    line.className = "fop-note";
    return line;
  });
  caption.append(name, ...lines);
  const figure = document.createElement("figure");
  figure.append(picture, caption);
  return { figure, picture, newton, learned, lines };
}

/**
 * @param {SVGEllipseElement} element
 * @param {Ellipse} ellipse
 */
function shape(element, { rx, ry, rotate }) {
  element.setAttribute("rx", String(rx));
  element.setAttribute("ry", String(ry));
  element.setAttribute("transform", `rotate(${rotate})`);
}

/**
 * @param {Run} run
 * @param {ReturnType<typeof draw>} parts
 * @param {number} step
 */
function show(run, { newton, learned, lines, picture }, step) {
  const at = before(run.steps, step);
  const shown = compared(run.P[at], run.H[at]);
  if (!shown) return;
  shape(learned, shown.learned);
  learned.classList.toggle("fop-indefinite", shown.indefinite);
  newton.style.display = shown.newton ? "" : "none";
  if (shown.newton) shape(newton, shown.newton);
  newton.classList.toggle("fop-indefinite", shown.negative);
  lines.forEach((line, i) => {
    line.textContent = shown.lines[i];
  });
  picture.setAttribute("aria-label", `${run.name}: ${shown.lines.join(". ")}`);
}

/** @param {Mount<LearnedData>} mount */
export default function ({ data: { runs }, parentElement }) {
  const root = box(parentElement, ".fop-learned");
  const drawn = runs.map(draw);
  root.replaceChildren(...drawn.map(({ figure }) => figure));
  const follow = () => {
    for (const [index, run] of runs.entries()) show(run, drawn[index], clock.step);
  };
  return following(root, () => clock.follow(follow));
}
