// @ts-check
import assert from "node:assert/strict";
import test, { afterEach } from "node:test";
import { Orders } from "../orders.js";
import { Courier } from "./courier.js";

/** @import { Answer, Request } from "../types.d.ts" */

const NOTHING = new ArrayBuffer(0);

/** @param {string} text */
const bytes = (text) => new TextEncoder().encode(text).buffer;

/** @type {Courier[]} */
const couriers = [];
afterEach(() => {
  for (const courier of couriers.splice(0)) courier.end(); // a timer would keep the process
});

function opened() {
  const orders = new Orders(
    () => ({ step: 1 }),
    () => "/runs",
  );
  /** @type {{ name: string, blob: Blob }[]} */
  const saved = [];
  /** @type {(Request | null)[]} */
  const requests = [];
  const courier = new Courier(orders, (blob, name) => saved.push({ name, blob }));
  couriers.push(courier);
  const send = (/** @type {string} */ _, /** @type {unknown} */ value) => {
    requests.push(/** @type {Request | null} */ (value));
  };
  /**
   * @param {Answer | null} answer
   * @param {ArrayBuffer} content
   */
  const show = (answer, content = NOTHING) => courier.show({ answer, content }, send);
  return { orders, saved, requests, courier, show };
}

test("a file in two parts is asked for part by part, and saved whole", async () => {
  const { orders, saved, requests, show } = opened();
  show(null);
  orders.add("csv", "a run");
  const [{ id }] = orders.waiting;
  const answer = /** @type {const} */ ({ id, error: "", name: "a.csv", kind: "text/csv", count: 2 });
  show({ ...answer, part: 0 }, bytes("step,"));
  assert.equal(saved.length, 0);
  show({ ...answer, part: 0 }, bytes("step,")); // the page runs anew before it has heard of the second request
  show({ ...answer, part: 1 }, bytes("loss"));
  assert.deepEqual(
    requests.map((request) => request && [request.id, request.key, request.part]),
    [[id, "csv", 0], [id, "csv", 1], null],
  );
  assert.equal(saved[0].name, "a.csv");
  assert.equal(saved[0].blob.type, "text/csv");
  assert.equal(await saved[0].blob.text(), "step,loss");
  assert.deepEqual(orders.notes.csv, { text: "Saved a.csv", failed: false });
});

test("orders are brought one after another, and one that fails does not keep the next", () => {
  const { orders, saved, requests, show } = opened();
  show(null);
  orders.add("first", "");
  orders.add("second", "");
  const [first, second] = orders.waiting;
  show({ id: first.id, part: 0, error: "Not saved: full" });
  assert.deepEqual(orders.notes.first, { text: "Not saved: full", failed: true });
  show({ id: second.id, part: 0, error: "", name: "b.py", kind: "text/x-python", count: 1 }, bytes("x"));
  assert.deepEqual(
    saved.map(({ name }) => name),
    ["b.py"],
  );
  assert.deepEqual(
    requests.map((request) => request?.key),
    ["first", "second", undefined],
  );
});

test("an answer of an earlier visit is put away, and saves nothing", () => {
  const { saved, requests, courier, show } = opened();
  courier.requested = "7-7 0";
  show({ id: "7-7", part: 0, error: "", name: "old.csv", kind: "text/csv", count: 1 }, bytes("old"));
  assert.deepEqual(saved, []);
  assert.deepEqual(requests, [null]);
});

test("what is not answered is asked for again, and no more once it has come", async () => {
  const { orders, saved, requests, courier, show } = opened();
  courier.patience = 1;
  show(null);
  orders.add("csv", "a run");
  while (requests.length < 3) await new Promise((done) => setTimeout(done, 1));
  const [{ id }] = orders.waiting;
  assert.deepEqual(
    requests.slice(0, 3).map((request) => [request?.id, request?.part, request?.again]),
    [0, 1, 2].map((again) => [id, 0, again]),
  );
  show({ id, error: "", part: 0, name: "a.csv", kind: "text/csv", count: 1 }, bytes("loss"));
  assert.equal(saved.length, 1);
  const count = requests.length;
  await new Promise((done) => setTimeout(done, 20));
  assert.deepEqual([requests.length, requests.at(-1)], [count, null]);
});

test("nothing is asked for before there is someone to ask", () => {
  const { orders, requests, show } = opened();
  orders.add("csv", "");
  assert.deepEqual(requests, []);
  show(null);
  assert.equal(requests.length, 1);
});
