// @ts-check
import assert from "node:assert/strict";
import test from "node:test";
import { inOrder } from "./lifetime.js";
import { page } from "./page.js";

/** @import { Passage } from "../menu/passage.js" */
/** @import { Send } from "./types.d.ts" */

const task = () => new Promise((done) => setTimeout(done));

test("a call whose cleanup comes at once draws nothing and takes nothing down", async () => {
  /** @type {string[]} */
  const log = [];
  const component = inOrder((/** @type {string} */ name) => {
    log.push(name);
    return () => log.push(`no ${name}`);
  });
  const newer = component("newer");
  const older = component("older"); // came late: Streamlit runs its cleanup in a microtask
  Promise.resolve().then(older);
  await task();
  assert.deepEqual(log, ["newer"]);
  newer();
  assert.deepEqual(log, ["newer", "no newer"]);
});

test("calls that come in their order are drawn in it", async () => {
  /** @type {number[]} */
  const log = [];
  const component = inOrder((/** @type {number} */ number) => {
    log.push(number);
  });
  component(1);
  component(2);
  await task();
  assert.deepEqual(log, [1, 2]);
});

test("nothing is said of a page while the reader leaves it", async () => {
  /** @type {unknown[]} */
  const said = [];
  /** @type {Send | undefined} */
  let send;
  const component = inOrder((/** @type {{ setTriggerValue: Send }} */ { setTriggerValue }) => {
    send = setTriggerValue;
  });
  component({ setTriggerValue: (...what) => void said.push(what) });
  await task();
  send?.("at", 1);
  let leaves = true;
  page.passage = /** @type {Passage} */ ({ leaves: () => leaves });
  send?.("at", 2);
  leaves = false;
  send?.("at", 3);
  assert.deepEqual(said, [
    ["at", 1],
    ["at", 3],
  ]);
});
