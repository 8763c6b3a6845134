// @ts-check
import assert from "node:assert/strict";
import test from "node:test";
import { Across, across, same } from "./across.js";
import { page } from "./page.js";

test("pictures of one name are called at each change, and not for what they have already", () => {
  const its = new Across();
  let calls = 0;
  const end = its.follow(() => calls++);
  its.zoom("step", [1, 3]);
  its.zoom("step", [1, 3 + 1e-12]);
  assert.deepEqual([calls, its.rangeOf("step"), its.rangeOf("epoch")], [1, [1, 3], null]);
  const [one, other] = [{}, {}];
  its.point("step", 2, one);
  its.point("step", 2, one);
  assert.deepEqual([calls, its.atOf("step"), its.atOf("epoch"), its.by === one], [2, 2, null, true]);
  its.point("step", 2, other);
  assert.equal(calls, 3, "the same place in another picture");
  its.point("step", null, other);
  its.point("step", null, one);
  assert.deepEqual([calls, its.atOf("step"), its.rangeOf("step")], [4, null, [1, 3]]);
  end();
  its.zoom("step", null);
  assert.deepEqual([calls, its.rangeOf("step")], [4, null]);
});

test("another axis begins with all of it, and nobody points at it", () => {
  const its = new Across();
  its.zoom("step", [1, 3]);
  its.point("step", 2, its);
  its.point("epoch", 0.5, its);
  assert.deepEqual([its.rangeOf("epoch"), its.rangeOf("step"), its.atOf("step")], [null, null, null]);
});

test("a follower that fails keeps no other from following", () => {
  const its = new Across();
  const [before, reported] = [globalThis.reportError, /** @type {unknown[]} */ ([])];
  globalThis.reportError = (error) => reported.push(error);
  let called = false;
  its.follow(() => {
    throw new Error("gone");
  });
  its.follow(() => {
    called = true;
  });
  its.zoom("step", [0, 1]);
  globalThis.reportError = before;
  assert.ok(called && reported.length === 1);
});

test("parts of an axis are the same but for rounding, and all of it is no part", () => {
  assert.ok(same([0, 1], [1e-12, 1]) && same(null, null));
  assert.ok(!same([0, 1], [0, 1.01]) && !same([0, 1], null) && !same(null, [0, 1]));
});

test("all components of a page share one", () => {
  assert.equal(page.across, across);
});
