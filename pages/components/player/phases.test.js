// @ts-check
import assert from "node:assert/strict";
import test from "node:test";
import { arrowsOf, captionOf, headStep, nextPhase, phaseAt, phasesOf } from "./phases.js";

/** @import { Pair, Parts, Symmetric } from "../lib/types.d.ts" */
/** @import { Phase } from "./phases.js" */

const P = [[], [], []];
/** @type {Symmetric} */
const TWICE = [2, 0, 2];
/** @type {Parts} */
const PARTS = { g: [1, -2], P: null, H: null, rate: 0.5, move: [-1.5, 2] };

/**
 * @param {Parts} parts
 * @param {Phase[]} phases
 * @returns {[string, Pair, Pair][]}
 */
const drawn = (parts, phases) => arrowsOf(parts, phases).map(({ label, from, vector }) => [label, from, vector]);

test("a step has a phase for all that moves the point", () => {
  assert.deepEqual(phasesOf({ P: null, momentum: false }), ["gradient", "move"]);
  assert.deepEqual(phasesOf({ P: null, momentum: true }), ["gradient", "momentum", "move"]);
  assert.deepEqual(phasesOf({ P, momentum: false }), ["gradient", "preconditioned", "move"]);
  assert.deepEqual(phasesOf({ P, momentum: true }), ["gradient", "momentum", "preconditioned", "move"]);
});

test("phases share a step, and their ends are met whatever the rounding", () => {
  assert.deepEqual(phaseAt(3, 4), { whole: 3, index: 0, share: 0 });
  assert.deepEqual(phaseAt(3.125, 4), { whole: 3, index: 0, share: 0.5 });
  assert.deepEqual(phaseAt(3.75, 4), { whole: 3, index: 3, share: 0 });
  for (let at = 0; at < 3000; at++) {
    const { whole, index, share } = phaseAt(at / 3, 3);
    assert.deepEqual([whole, index, share], [Math.floor(at / 3), at % 3, 0]);
  }
});

test("heads stay until the last phase, and end where the next step begins", () => {
  assert.deepEqual(
    [0, 0.2, 0.5, 0.75, 0.875, 1].map((share) => headStep(7 + share, 4)),
    [7, 7, 7, 7, 7.5, 8],
  );
});

test("the keys go from one end of a phase to the next, and to that of a phase that has begun", () => {
  assert.equal(nextPhase(7, 4, 1), 7.25);
  assert.equal(nextPhase(7.3, 4, 1), 7.5);
  assert.equal(nextPhase(7.3, 4, -1), 7.25);
  assert.equal(nextPhase(7, 4, -1), 6.75);
  for (const count of [2, 3, 4]) {
    let step = 5;
    for (let i = 0; i < 100 * count; i++) step = nextPhase(step, count, 1);
    assert.equal(step, 105);
    for (let i = 0; i < 100 * count; i++) step = nextPhase(step, count, -1);
    assert.equal(step, 5);
  }
});

test("g and what past gradients add are the step, one after the other", () => {
  assert.deepEqual(drawn(PARTS, phasesOf({ P: null, momentum: true })), [
    ["−ε g", [0, 0], [-0.5, 1]],
    ["momentum", [-0.5, 1], [-1, 1]],
    ["step", [0, 0], [-1.5, 2]],
  ]);
});

test("with a P the step is the sum of momentum and P g, and g is beside them", () => {
  const parts = arrowsOf({ ...PARTS, P: TWICE }, phasesOf({ P, momentum: true }));
  assert.deepEqual(
    parts.map(({ label, from, vector }) => [label, from, vector]),
    [
      ["−ε g", [0, 0], [-0.5, 1]],
      ["momentum", [0, 0], [-0.5, 0]],
      ["−ε P g", [-0.5, 0], [-1, 2]],
      ["step", [0, 0], [-1.5, 2]],
    ],
  );
  assert.deepEqual(
    parts.map(({ adds }) => adds),
    [false, true, true, true],
  );
});

test("a step that is undone leads to where it was tried", () => {
  const parts = drawn({ ...PARTS, P: TWICE, move: [0, 0] }, phasesOf({ P, momentum: false }));
  assert.deepEqual(parts.at(-1), ["undone: f does not fall", [0, 0], [-1, 2]]);
});

test("at the end of a run there is no step to take apart", () => {
  assert.deepEqual(arrowsOf({ ...PARTS, move: null }, ["gradient", "move"]), []);
});

test("which part is shown is said, and that a step is undone", () => {
  /** @type {Phase[]} */
  const phases = ["gradient", "preconditioned", "move"];
  /** @param {number} step */
  const at = (step) => captionOf(step, phases, (of) => of === 0);
  assert.equal(at(0), "A step in 3 parts");
  assert.equal(at(0.1), "1 of 3: the gradient g, followed downhill");
  assert.equal(at(1 / 3), "1 of 3: the gradient g, followed downhill");
  assert.equal(at(0.5), "2 of 3: P g, the gradient turned and stretched by P");
  assert.equal(at(1), "3 of 3: undone, as the loss would not have fallen");
  assert.equal(at(5 / 3), "2 of 3: P g, the gradient turned and stretched by P");
  assert.equal(at(2), "3 of 3: the step Δθ");
});
