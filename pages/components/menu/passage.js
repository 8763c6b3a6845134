// @ts-check

const PATIENCE = 10_000; // ms that a page is waited for

/**
 * Keeps what the browser's Back and Forward lead to.
 *
 * Streamlit writes a page's address into the history when a run of it begins. A run of the page that is left, begun before
 * the server knew that it is left, would put its address behind the one that Back has led to: Forward would then lead
 * nowhere, and Back to and fro. So no other page is written from Back or Forward on until the one that they lead to is shown.
 */
export class Passage {
  /** @param {Window} window */
  constructor(window) {
    this.window = window;
    /** @type {string[]} */
    this.paths = [];
    /** @type {string | undefined} */
    this.goal = undefined;
    this.until = 0;
    const push = window.history.pushState.bind(window.history);
    window.history.pushState = (...what) => {
      const path = this.pathOf(String(what[2]).replace(/[?#].*/, ""));
      if (this.goal === undefined || path === this.goal || performance.now() > this.until) push(...what);
    };
    window.addEventListener("popstate", () => this.go(), true);
    window.addEventListener(
      "click",
      ({ target }) => target instanceof Element && target.closest("a") && this.end(),
      true,
    );
  }

  /** Waits for a run of the present address's page; none begins where a link has led to a part of the page. */
  go() {
    if (this.window.location.hash) return;
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
    if (path === this.goal) this.end();
  }

  /** Waits no more: a link leads elsewhere. */
  end() {
    this.goal = undefined;
  }
}
