// @ts-check
import assert from "node:assert/strict";
import test from "node:test";
import { Clock, clock } from "./clock.js";
import { page } from "./page.js";

test("a follower is called at once, at each move, and not once it has ended", () => {
  const its = new Clock();
  /** @type {[number, number | undefined][]} */
  const drawn = [];
  const end = its.follow(() => drawn.push([its.step, its.values.SGD]));
  its.set(3, { SGD: 0.5 });
  end();
  its.set(4, {});
  assert.deepEqual(drawn, [
    [Infinity, undefined],
    [3, 0.5],
  ]);
});

test("a page has one clock, which another bundle finds", () => {
  assert.equal(globalThis.fopLab, page);
  assert.equal(page.clock, clock);
});
