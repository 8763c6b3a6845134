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
const menu = PATHS.map(() => new Element());
Object.assign(globalThis, { Element, document: { querySelectorAll: () => menu } });

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

/**
 * @param {Element} target
 * @param {object} keys
 */
function click(target, keys = {}) {
  browser.dispatchEvent(Object.defineProperty(Object.assign(new Event("click"), keys), "target", { value: target }));
}

test("a page is left from the click on its link in the menu on, until it is there", (t) => {
  assert.equal(passage.leaves(), false);
  click(menu[1]);
  passage.arrive("runs", PATHS); // a run of the page that is left, begun before
  assert.equal(passage.leaves(), true);
  browser.history.pushState({}, "", "/train");
  passage.arrive("train", PATHS);
  assert.equal(passage.leaves(), false);
  click(menu[2], { ctrlKey: true });
  click(new Element());
  assert.equal(passage.leaves(), false, "another tab, and a link of the page's own");
  click(menu[2]);
  t.mock.method(performance, "now", () => Number.MAX_SAFE_INTEGER);
  assert.equal(passage.leaves(), false, "it never came");
  assert.deepEqual(written, ["/train"]);
});

test("a page is left by Back until the one that it leads to is there", () => {
  click(menu[1]);
  back("/runs");
  assert.equal(passage.leaves(), true);
  passage.arrive("runs", PATHS);
  assert.equal(passage.leaves(), false);
});

test("a link ends the waiting, and so does time", (t) => {
  back("/train");
  click(new Element());
  browser.history.pushState({}, "", "/runs?x=4");
  back("/train");
  t.mock.method(performance, "now", () => Number.MAX_SAFE_INTEGER);
  browser.history.pushState({}, "", "/runs?x=5");
  assert.deepEqual(written, ["/runs?x=4", "/runs?x=5"]);
});
