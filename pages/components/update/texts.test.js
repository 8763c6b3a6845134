// @ts-check
import assert from "node:assert/strict";
import test from "node:test";
import { texts } from "./texts.js";

/** @import { Pair, Symmetric } from "../lib/types.d.ts" */

/** @type {Pair} */
const g = [162.987, -279.105];
/** @type {Symmetric} */
const P = [0.0009, -1.5e-7, 0.25];

test("each entry has three digits, a minus sign and no name", () => {
  assert.deepEqual(texts({ P, g, rate: 1, move: [-0.146688, 0.25], tried: null }), {
    P: ["0.000900", "−1.5e-7", "0.250"],
    g: ["163", "−279"],
    rate: ["1.00"],
    move: ["−0.147", "0.250"],
  });
});

test("without a P, and at the end of a run, nothing stands in for what is not there", () => {
  const { P: entries, move } = texts({ P: null, g, rate: 0.01, move: null, tried: null });
  assert.deepEqual([entries, move], [[], ["–", "–"]]);
});

test("a step that was undone is shown as it was tried", () => {
  assert.deepEqual(texts({ P, g, rate: 1, move: [0, 0], tried: [-10.5948, 10.6898] }).move, ["−10.6", "10.7"]);
});
