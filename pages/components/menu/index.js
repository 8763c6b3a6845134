// @ts-check
import { box } from "../lib/dom.js";
import { inOrder } from "../lib/lifetime.js";
import { page } from "../lib/page.js";
import { Passage } from "./passage.js";

/** @import { Mount } from "../lib/types.d.ts" */

/**
 * Folds the sidebar away once it has led to another page, where it would lie over that page; begins the tour; and keeps
 * the browser's history.
 *
 * @param {Mount<{ page: string, path: string, paths: string[], run: string }>} mount `page`: title of the one that is shown;
 *   `path`: its own, of those of all pages; `run`: another one at each run, so that this is called at each
 */
function show({ data, parentElement }) {
  box(parentElement, ".fop-menu-tour").onclick = () => {
    if (page.tour?.begin()) fold();
  };
  page.passage ??= new Passage(window);
  page.passage.arrive(data.path, data.paths);
  const before = page.title;
  page.title = data.page;
  if (before !== undefined && before !== data.page) fold();
}

/** Folds the sidebar away where it lies over the page. */
function fold() {
  if (!window.matchMedia("(max-width: 768px)").matches) return;
  const button = document.querySelector('[data-testid="stSidebarCollapseButton"] button');
  if (button instanceof HTMLElement) button.click();
}

export default inOrder(show);
