// @ts-check
import { inOrder } from "../lib/lifetime.js";

/** @import { Mount } from "../lib/types.d.ts" */

const PAUSE = 50; // ms between two looks

/**
 * Says once that no placeholder of a widget is left on the page.
 *
 * @param {Mount<null>} mount
 */
function show({ setTriggerValue }) {
  const waiting = setInterval(() => {
    if (document.querySelector('[data-testid="stSkeleton"]')) return;
    clearInterval(waiting);
    setTriggerValue("settled", true);
  }, PAUSE);
  return () => clearInterval(waiting);
}

export default inOrder(show);
