// @ts-check
import assert from "node:assert/strict";
import test from "node:test";
import { Followers } from "./followers.js";

test("a follower is called at each change, and not once it has ended", () => {
  const its = new Followers();
  let calls = 0;
  const end = its.follow(() => calls++);
  assert.equal(calls, 0);
  its.call();
  its.call();
  end();
  its.call();
  assert.equal(calls, 2);
});

test("a follower that fails is reported and keeps no other from following", () => {
  /** @type {unknown[]} */
  const reported = [];
  globalThis.reportError = (error) => reported.push(error);
  const its = new Followers();
  const failure = new Error("by a test");
  its.follow(() => {
    throw failure;
  });
  let followed = 0;
  its.follow(() => followed++);
  its.call();
  assert.equal(followed, 1);
  assert.deepEqual(reported, [failure]);
});
