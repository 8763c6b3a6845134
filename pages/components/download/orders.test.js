// @ts-check
import assert from "node:assert/strict";
import test from "node:test";
import { Orders } from "./orders.js";

function opened() {
  const now = { screen: { layer: "0.weight", see: "P", step: 40 }, path: "/preconditioners" };
  const orders = new Orders(
    () => ({ ...now.screen }),
    () => now.path,
  );
  return { now, orders };
}

test("an order is of what the screen shows at the click, not later", () => {
  const { now, orders } = opened();
  orders.add("figure", "a run");
  now.screen.step = 60;
  orders.add("figure", "a run");
  assert.deepEqual(
    orders.waiting.map(({ key, of, screen, page }) => [key, of, screen.layer, screen.step, page]),
    [
      ["figure", "a run", "0.weight", 40, "/preconditioners"],
      ["figure", "a run", "0.weight", 60, "/preconditioners"],
    ],
  );
  assert.equal(new Set(orders.waiting.map(({ id }) => id)).size, 2);
});

test("an order has the colours of the page, and a click that orders nothing can be answered too", () => {
  const { orders } = opened();
  orders.add("figure", "a run", "dark");
  assert.deepEqual(orders.waiting[0].screen, { layer: "0.weight", see: "P", step: 40, theme: "dark" });
  orders.note("camera", "Saved race.png");
  assert.deepEqual(orders.notes.camera, { text: "Saved race.png", failed: false });
  assert.equal(orders.waiting.length, 1);
});

test("what came of an order is said until the next click of its button", () => {
  const { orders } = opened();
  orders.add("figure", "");
  orders.close("Not saved: full", true);
  assert.deepEqual(orders.notes, { figure: { text: "Not saved: full", failed: true } });
  orders.add("figure", "");
  assert.deepEqual(orders.notes, {});
  orders.close("Saved figure.pdf");
  assert.deepEqual(orders.notes.figure, { text: "Saved figure.pdf", failed: false });
  assert.throws(() => orders.close("Saved again"), /no file is waited for/);
});

test("on another page orders and notes of this one are forgotten; those clicked before it arrived are not", () => {
  const { now, orders } = opened();
  orders.arrive();
  orders.add("old", "");
  orders.add("older", "");
  orders.close("Saved old");
  now.path = "/runs";
  orders.add("early", "");
  orders.arrive();
  assert.deepEqual(
    orders.waiting.map(({ key }) => key),
    ["early"],
  );
  assert.deepEqual(orders.notes, {});
  orders.arrive();
  assert.equal(orders.waiting.length, 1);
});

test("followers hear of every change until they end", () => {
  const { orders } = opened();
  let changes = 0;
  const end = orders.follow(() => changes++);
  orders.arrive();
  orders.add("figure", "");
  orders.close("Saved");
  end();
  orders.add("figure", "");
  assert.equal(changes, 4);
});
