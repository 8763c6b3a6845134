// @ts-check
import { inOrder } from "../lib/lifetime.js";

/** @import { Mount } from "../lib/types.d.ts" */

/**
 * Follows the link beside it, once, as a click would: one step of the browser's history, to which Back returns.
 *
 * @param {Mount<{ to: string }>} mount `to`: what the link leads to
 */
function show({ data, parentElement }) {
  if (parentElement.dataset.followed === data.to) return;
  const follow = () => {
    const link = document.querySelector(".st-key-follow a");
    if (!parentElement.isConnected) return;
    if (!(link instanceof HTMLElement)) {
      requestAnimationFrame(follow); // it comes with the same run of the page
      return;
    }
    parentElement.dataset.followed = data.to;
    link.click();
  };
  follow();
}

export default inOrder(show);
