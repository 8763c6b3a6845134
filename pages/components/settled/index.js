// @ts-check
import { inOrder } from "../lib/lifetime.js";
import { page } from "../lib/page.js";

/** @import { Mount } from "../lib/types.d.ts" */

const PAUSE = 50; // ms between two looks

/**
 * Says once that no placeholder of a widget is left on the page; not to a reader who leaves it.
 *
 * @param {Mount<null>} mount
 */
function show({ setTriggerValue }) {
  const ending = new AbortController();
  const end = () => {
    clearInterval(waiting);
    ending.abort();
  };
  const waiting = setInterval(() => {
    if (document.querySelector('[data-testid="stSkeleton"]') || page.passage?.leaves()) return;
    end();
    setTriggerValue("settled", true);
  }, PAUSE);
  const watched = { capture: true, signal: ending.signal };
  window.addEventListener("popstate", end, watched);
  window.addEventListener("click", ({ target }) => target instanceof Element && target.closest("a") && end(), watched);
  return end;
}

export default inOrder(show);
