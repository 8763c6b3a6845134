// Fills the table: two rows for each run.

const SVG = "http://www.w3.org/2000/svg";

function element(name, attributes = {}, ...children) {
  const made = name === "svg" || name === "path" ? document.createElementNS(SVG, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// Line and symbol as they are in the pictures.
const swatch = (row) =>
  element(
    "svg",
    { width: 30, height: 12, viewBox: "-15 -6 30 12", "aria-hidden": "true" },
    element("path", { d: "M-15 0H15", stroke: row.color, "stroke-width": row.width, "stroke-dasharray": row.dash }),
    element("path", { d: row.glyph, fill: row.color, stroke: "var(--st-background-color)" }),
  );

function published(row) {
  if (row.published === null) return element("td", { class: "fop-published" }, "–");
  const count = row.matches ? `${row.published} ✓` : `${row.published} ≠`;
  const words = row.matches ? "the same as published" : "not as published";
  return element("td", { class: "fop-published", title: words, "aria-label": `${row.published}, ${words}` }, count);
}

const body = (row, columns) =>
  element(
    "tbody",
    { class: { diverged: "fop-diverged", converged: "fop-converged" }[row.status] ?? "fop-limit" },
    element(
      "tr",
      { class: "fop-run" },
      element("th", { scope: "row" }, swatch(row), row.name),
      element("td", { class: "fop-steps" }, row.steps),
      published(row),
    ),
    element(
      "tr",
      { class: "fop-told" },
      element("td", { colspan: columns }, element("span", { class: "fop-now" }, row.reason), element("br"), row.end),
    ),
  );

// Tells f at the step where the player stands; at its end, how the runs ended.
function update(table, rows) {
  const cells = table.querySelectorAll(".fop-now");
  rows.forEach((row, index) => {
    const value = clock.values[row.name];
    cells[index].textContent = clock.moving && value !== undefined ? `Now f = ${short(value)}.` : row.reason;
  });
}

export default function ({ data, parentElement }) {
  const table = parentElement.querySelector(".fop-readout");
  const compared = data.rows.some((row) => row.published !== null);
  table.classList.toggle("fop-compared", compared);
  table.querySelectorAll("tbody").forEach((old) => old.remove());
  table.append(...data.rows.map((row) => body(row, compared ? 3 : 2)));
  table.fopUnfollow?.();
  table.fopUnfollow = clock.follow(() => update(table, data.rows));
  return atUnmount(table, table.fopUnfollow);
}
