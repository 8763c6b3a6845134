// @ts-check
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Passage } from "./passage.js";

const PATHS = ["", "train", "runs"];

class Element extends EventTarget {
  /** @param {string} name */
  closest(name) {
    return name === "a" ? this : null;
  }
}
Object.assign(globalThis, { Element });

/** @type {string[]} */
let written;
/** @type {EventTarget & { location: { pathname: string, hash: string }, history: { pushState: (...what: unknown[]) => void } }} */
let browser;
/** @type {Passage} */
let passage;

/** @param {string} pathname */
function back(pathname) {
  browser.location.pathname = pathname;
  browser.dispatchEvent(new Event("popstate"));
}

beforeEach(() => {
  written = [];
  const history = { pushState: (/** @type {unknown[]} */ ...what) => void written.push(String(what[2])) };
  browser = Object.assign(new EventTarget(), { location: { pathname: "/runs", hash: "" }, history });
  passage = new Passage(/** @type {Window} */ (/** @type {unknown} */ (browser)));
  passage.arrive("runs", PATHS);
});

test("a page writes its address", () => {
  browser.history.pushState({}, "", "/runs?x=1");
  assert.deepEqual(written, ["/runs?x=1"]);
});

test("the page that is left writes nothing behind the one that Back has led to", () => {
  back("/lab/train");
  browser.history.pushState({}, "", "/lab/runs");
  passage.arrive("runs", PATHS);
  browser.history.pushState({}, "", "/lab/runs");
  passage.arrive("train", PATHS);
  browser.history.pushState({}, "", "/lab/train?x=1");
  assert.deepEqual(written, ["/lab/train?x=1"]);
});

test("the page that Back has led to may write its own address at once", () => {
  back("/train");
  browser.history.pushState({}, "", "/train?x=1#part");
  browser.history.pushState({}, "", "/lab");
  back("/lab");
  browser.history.pushState({}, "", "/runs");
  browser.history.pushState({}, "", "/lab?x=2");
  assert.deepEqual(written, ["/train?x=1#part", "/lab?x=2"]);
});

test("a part of a page is not waited for", () => {
  browser.location.hash = "#stMain";
  back("/train");
  browser.history.pushState({}, "", "/runs?x=1");
  assert.deepEqual(written, ["/runs?x=1"]);
});

test("a link ends the waiting, and so does time", (t) => {
  back("/train");
  const event = new Event("click");
  Object.defineProperty(event, "target", { value: new Element() });
  browser.dispatchEvent(event);
  browser.history.pushState({}, "", "/runs?x=4");
  back("/train");
  t.mock.method(performance, "now", () => Number.MAX_SAFE_INTEGER);
  browser.history.pushState({}, "", "/runs?x=5");
  assert.deepEqual(written, ["/runs?x=4", "/runs?x=5"]);
});
