// @ts-check
import assert from "node:assert/strict";
import test from "node:test";
import { alone, Emphasis, emphasis, keyOf, toggled, within } from "./emphasis.js";
import { page } from "./page.js";

const RULES = ["sgd", "adam", "fop"];

test("a click hides a run and shows it again, and hiding the last one shows all", () => {
  const one = toggled([], "sgd", RULES);
  assert.equal(keyOf(one), "sgd");
  assert.equal(keyOf(toggled(one, "sgd", RULES)), "");
  const two = toggled(one, "fop", RULES);
  assert.equal(keyOf(two), "fop,sgd");
  assert.equal(keyOf(toggled(two, "adam", RULES)), "");
});

test("one run is shown alone, and all again where it is alone already", () => {
  const fop = alone(["fop"], "fop", RULES);
  assert.equal(keyOf(fop), "adam,sgd");
  assert.equal(keyOf(alone(fop, "sgd", RULES)), "adam,fop", "another one in its stead");
  assert.equal(keyOf(alone(fop, "fop", RULES)), "");
  assert.equal(keyOf(alone([], "fop", ["fop"])), "", "the only one is alone already");
});

test("what another race hides stays hidden, unless nothing would be left to see", () => {
  assert.equal(keyOf(within(["momentum", "sgd"], RULES)), "momentum,sgd");
  assert.equal(keyOf(within(["momentum", ...RULES], RULES)), "momentum");
  assert.equal(keyOf(toggled(["momentum"], "sgd", RULES)), "momentum,sgd");
});

test("a run fades while another is pointed at, but not for one that is hidden", () => {
  const its = new Emphasis();
  its.point("sgd");
  assert.equal(its.opacity("sgd"), 1);
  assert.ok(its.opacity("fop") < 0.5);
  its.point(null);
  its.hide(new Set(["sgd"]));
  its.point("sgd");
  assert.deepEqual([its.shows("sgd"), its.shows("fop"), its.opacity("fop")], [false, true, 1]);
});

test("a follower is called where something changes, and only there", () => {
  const its = new Emphasis();
  let calls = 0;
  const end = its.follow(() => calls++);
  its.hide(new Set());
  its.point(null);
  assert.equal(calls, 0);
  its.hide(new Set(["fop"]));
  its.point("sgd");
  its.point("sgd");
  assert.equal(calls, 2);
  end();
  its.point(null);
  assert.equal(calls, 2);
});

test("a page has one, which another bundle finds", () => {
  assert.equal(page.emphasis, emphasis);
});
