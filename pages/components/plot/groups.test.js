// @ts-check
import assert from "node:assert/strict";
import test from "node:test";
import { groupsOf, leaveOut } from "./groups.js";

const figure = () => ({
  data: [{ legendgroup: "sgd", y: [1] }, { legendgroup: "fop", y: [2] }, { y: [3] }],
  layout: { annotations: [{ name: "fop", text: "FOP 543" }, { text: "a note" }], yaxis: { range: [0, 1] } },
});

test("traces and labels belong to the run that they are named after", () => {
  assert.deepEqual(groupsOf(figure()), { traces: ["sgd", "fop", ""], labels: ["fop", ""] });
  assert.deepEqual(groupsOf({ data: [], layout: {} }), { traces: [], labels: [] });
});

test("what belongs to a hidden run is left out, line and label, and nothing else changes", () => {
  const shown = figure();
  leaveOut(shown, new Set(["fop", "adam"]));
  const expected = figure();
  Object.assign(expected.data[1], { visible: false });
  Object.assign(expected.layout.annotations[0], { visible: false });
  assert.deepEqual(shown, expected);
  const all = figure();
  leaveOut(all, new Set());
  assert.deepEqual(all, figure());
});
