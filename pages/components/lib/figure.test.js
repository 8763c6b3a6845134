// @ts-check
import assert from "node:assert/strict";
import test from "node:test";
import { merge, themed } from "./figure.js";

test("values are laid on branch by branch, lists and null as a whole", () => {
  const under = { font: { size: 12 }, list: [1, 2], kept: true };
  merge(under, { font: { family: "serif" }, list: [3], none: null, fresh: { deep: 1 } });
  assert.deepEqual(under, {
    font: { size: 12, family: "serif" },
    list: [3],
    kept: true,
    none: null,
    fresh: { deep: 1 },
  });
});

test("what has no branches is not overwritten in silence", () => {
  assert.throws(() => merge({ title: "text" }, { title: { text: "other" } }), /title has no branches/);
});

test("a trace takes the role that its meta names, and the layout the theme's template and the page's font", () => {
  const json = JSON.stringify({ data: [{ meta: "ink", line: { width: 2 } }, { meta: "other" }], layout: {} });
  const colors = { paper: "", ink: "", muted: "", grid: "", low: "", high: "", level: "" };
  const template = { layout: {} };
  const figure = themed(json, { template, roles: { ink: { line: { color: "#000" } } }, colors }, "serif");
  assert.deepEqual(figure.data, [{ meta: "ink", line: { width: 2, color: "#000" } }, { meta: "other" }]);
  assert.deepEqual(figure.layout, { template, font: { family: "serif" }, hoverlabel: { font: { family: "serif" } } });
});
