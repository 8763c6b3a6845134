// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { Sent } from "./sent.js";

test("what was sent is known once it comes back, however late", () => {
  const sent = new Sent();
  sent.add("sgd");
  sent.add("fop,sgd");
  assert.equal(sent.isEcho("adam"), false);
  assert.equal(sent.isEcho("sgd"), true);
  assert.equal(sent.isEcho("sgd"), false);
  assert.equal(sent.isEcho("fop,sgd"), true);
});

test("an answer to what was sent last is one to all before it", () => {
  const sent = new Sent();
  sent.add("sgd");
  sent.add("");
  assert.equal(sent.isEcho(""), true);
  assert.equal(sent.isEcho("sgd"), false);
});
