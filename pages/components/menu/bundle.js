// Made by scripts/web.sh build of sources with the checksum 753d606d20d0bb73f6617ec353b177a73cbe99a01110f0527352859ebd0ed24b.
// lib/dom.js
function part(root, selector, Kind) {
  const element = root.querySelector(selector);
  if (element instanceof Kind) return element;
  throw new Error(`the markup has no ${Kind.name} ${selector}`);
}
var box = (root, selector) => part(root, selector, HTMLElement);

// lib/page.js
globalThis.fopLab ??= {};
var page = globalThis.fopLab;

// lib/lifetime.js
function unlessLeaving(mount) {
  const sends = ["setStateValue", "setTriggerValue"].filter((name) => name in Object(mount));
  if (!sends.length) return mount;
  const all = (
    /** @type {Record<string, (...what: unknown[]) => void>} */
    mount
  );
  const quiet = sends.map((name) => {
    const send = (...what) => void (page.passage?.leaves() || all[name]?.(...what));
    return [name, send];
  });
  return { ...mount, ...Object.fromEntries(quiet) };
}
var inOrder = (show2) => (mount) => {
  let leave;
  const waiting = setTimeout(() => {
    leave = show2(unlessLeaving(mount));
  });
  return () => {
    clearTimeout(waiting);
    leave?.();
  };
};

// menu/passage.js
var PATIENCE = 1e4;
var Passage = class {
  /** @param {Window} window */
  constructor(window2) {
    this.window = window2;
    this.paths = [];
    this.goal = void 0;
    this.linked = void 0;
    this.until = 0;
    const push = window2.history.pushState.bind(window2.history);
    window2.history.pushState = (...what) => {
      const path = this.pathOf(String(what[2]).replace(/[?#].*/, ""));
      if (this.goal === void 0 || path === this.goal || performance.now() > this.until) push(...what);
    };
    window2.addEventListener("popstate", () => this.go(), true);
    window2.addEventListener("click", (event) => this.follow(event), true);
  }
  /**
   * A link ends the waiting; one of the menu, which has the pages in their order, is waited for.
   *
   * @param {MouseEvent} event
   */
  follow({ target, ctrlKey, metaKey, shiftKey }) {
    const link = target instanceof Element && target.closest("a");
    if (!link) return;
    this.end();
    if (ctrlKey || metaKey || shiftKey) return;
    const links = [...document.querySelectorAll(".st-key-menu a")];
    this.linked = this.paths[links.indexOf(link)];
    this.until = performance.now() + PATIENCE;
  }
  /** Returns whether the reader is on the way to a page that is not shown yet. */
  leaves() {
    return (this.goal ?? this.linked) !== void 0 && performance.now() <= this.until;
  }
  /** Waits for a run of the present address's page; none begins where a link has led to a part of the page. */
  go() {
    if (this.window.location.hash) return;
    this.linked = void 0;
    this.goal = this.pathOf(this.window.location.pathname);
    this.until = performance.now() + PATIENCE;
  }
  /**
   * Returns a page's own path.
   *
   * @param {string} pathname of an address
   */
  pathOf(pathname) {
    const last = pathname.split("/").at(-1) ?? "";
    return this.paths.includes(last) ? last : "";
  }
  /**
   * Notes that a run of a page is shown.
   *
   * @param {string} path its own, as in its address
   * @param {string[]} paths those of all pages
   */
  arrive(path, paths) {
    this.paths = paths;
    if (path === (this.goal ?? this.linked)) this.end();
  }
  /** Waits no more: that page is shown, or a link leads elsewhere. */
  end() {
    this.goal = this.linked = void 0;
  }
};

// menu/index.js
function show({ data, parentElement }) {
  box(parentElement, ".fop-menu-tour").onclick = () => {
    if (page.tour?.begin()) fold();
  };
  page.passage ??= new Passage(window);
  page.passage.arrive(data.path, data.paths);
  const before = page.title;
  page.title = data.page;
  if (before !== void 0 && before !== data.page) fold();
}
function fold() {
  if (!window.matchMedia("(max-width: 768px)").matches) return;
  const button = document.querySelector('[data-testid="stSidebarCollapseButton"] button');
  if (button instanceof HTMLElement) button.click();
}
var index_default = inOrder(show);
export {
  index_default as default
};
