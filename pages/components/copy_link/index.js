// @ts-check
import { box } from "../lib/dom.js";
import { inOrder } from "../lib/lifetime.js";
import { page } from "../lib/page.js";

/** @import { Mount } from "../lib/types.d.ts" */

const WORDS = "Copy link";

/**
 * Copies the address, with the player's step. Where a page may not write to the clipboard, it is shown to copy by hand.
 *
 * @param {Mount<null>} mount
 */
function show({ parentElement }) {
  const button = box(parentElement, ".fop-copy");
  let later = 0;
  button.onclick = async () => {
    const link = new URL(location.href);
    link.hash = page.clock?.fragment ?? "";
    try {
      await navigator.clipboard.writeText(link.href);
      button.textContent = "Copied";
      clearTimeout(later);
      later = setTimeout(() => {
        button.textContent = WORDS;
      }, 4000);
    } catch {
      window.prompt("Copy this address:", link.href);
    }
  };
  return () => clearTimeout(later);
}

export default inOrder(show);
