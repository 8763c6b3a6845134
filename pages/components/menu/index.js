// @ts-check
import { page } from "../lib/page.js";
/** @import { Mount } from "../lib/types.d.ts" */

/**
 * Folds the sidebar away once it has led to another page, where it would lie over that page.
 *
 * @param {Mount<{ page: string }>} mount `page`: title of the one that is shown
 */
export default function ({ data }) {
  const before = page.title;
  page.title = data.page;
  if (before === undefined || before === data.page || !window.matchMedia("(max-width: 768px)").matches) return;
  const fold = document.querySelector('[data-testid="stSidebarCollapseButton"] button');
  if (fold instanceof HTMLElement) fold.click();
}
