// @ts-check
import assert from "node:assert/strict";
import test from "node:test";

/** @import { Mount } from "../lib/types.d.ts" */

class Element extends EventTarget {
  /** @param {boolean} link */
  constructor(link) {
    super();
    this.link = link;
  }

  /** @param {string} name */
  closest(name) {
    return this.link && name === "a" ? this : null;
  }
}

const page = { placeholders: 1, querySelector: () => (page.placeholders ? {} : null) };
Object.assign(globalThis, { document: page, window: new EventTarget(), Element });
const { default: settled } = await import("./index.js");
const pause = () => new Promise((done) => setTimeout(done, 150));

/** @returns {{ said: string[], leave: () => void }} */
function mounted() {
  /** @type {string[]} */
  const said = [];
  const mount = { setTriggerValue: (/** @type {string} */ name) => said.push(name) };
  page.placeholders = 1;
  return { said, leave: settled(/** @type {Mount<null>} */ (/** @type {unknown} */ (mount))) };
}

/** @param {boolean} link */
function click(link) {
  const event = new Event("click");
  Object.defineProperty(event, "target", { value: new Element(link) });
  window.dispatchEvent(event);
}

test("it is said once that the last placeholder is gone", async () => {
  const { said } = mounted();
  await pause();
  assert.deepEqual(said, []);
  click(false);
  page.placeholders = 0;
  await pause();
  assert.deepEqual(said, ["settled"]);
});

for (const [way, go] of /** @type {const} */ ([
  ["a link", () => click(true)],
  ["the browser's Back", () => window.dispatchEvent(new Event("popstate"))],
]))
  test(`nothing is said to a reader who has left by ${way}`, async () => {
    const { said, leave } = mounted();
    await pause();
    go();
    page.placeholders = 0;
    await pause();
    assert.deepEqual(said, []);
    leave();
  });
