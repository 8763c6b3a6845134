// @ts-check

const PATIENCE = 10_000; // ms that a page is waited for

/**
 * Keeps what the browser's Back and Forward lead to.
 *
 * Streamlit writes a page's address into the history when a run of it begins. A run of the page that is left, begun before
 * the server knew that it is left, would put its address behind the one that Back has led to: Forward would then lead
 * nowhere, and Back to and fro. So no other page is written from Back or Forward on until the one that they lead to is shown.
 *
 * It also knows whether a page is awaited to which a link of the menu leads.
 */
export class Passage {
  /** @param {Window} window */
  constructor(window) {
    this.window = window;
    /** @type {string[]} */
    this.paths = [];
    /** @type {string | undefined} */
    this.goal = undefined;
    /** @type {string | undefined} */
    this.linked = undefined;
    this.until = 0;
    const push = window.history.pushState.bind(window.history);
    window.history.pushState = (...what) => {
      const path = this.pathOf(String(what[2]).replace(/[?#].*/, ""));
      if (this.goal === undefined || path === this.goal || performance.now() > this.until) push(...what);
    };
    window.addEventListener("popstate", () => this.go(), true);
    window.addEventListener("click", (event) => this.follow(event), true);
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
    if (ctrlKey || metaKey || shiftKey) return; // into another tab
    const links = [...document.querySelectorAll(".st-key-menu a")];
    this.linked = this.paths[links.indexOf(link)];
    this.until = performance.now() + PATIENCE;
  }

  /** Returns whether the reader is on the way to a page that is not shown yet. */
  leaves() {
    return (this.goal ?? this.linked) !== undefined && performance.now() <= this.until;
  }

  /** Waits for a run of the present address's page; none begins where a link has led to a part of the page. */
  go() {
    if (this.window.location.hash) return;
    this.linked = undefined;
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
    this.goal = this.linked = undefined;
  }
}
