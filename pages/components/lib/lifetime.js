// @ts-check
import { page } from "./page.js";

/**
 * What a component keeps on an element from one call to the next: Streamlit calls it again with new data, or another theme.
 *
 * @template T
 * @typedef {Element & { fop?: T, fopCall?: object, fopUnfollow?: () => void }} Kept
 */

/**
 * Returns what lives on an element as its property `fop`, made at the first call.
 *
 * @template T
 * @param {Element} root
 * @param {() => T} make
 */
export function living(root, make) {
  const holder = /** @type {Kept<T>} */ (root);
  holder.fop ??= make();
  return holder.fop;
}

/**
 * The cleanup that a component returns. Of two calls in quick succession Streamlit may run the first one's cleanup after
 * the second call has drawn: then it must take nothing down.
 *
 * @param {Element} root
 * @param {() => void} leave
 */
export function atUnmount(root, leave) {
  const holder = /** @type {Kept<unknown>} */ (root);
  const call = {};
  holder.fopCall = call;
  return () => {
    if (holder.fopCall !== call) return;
    leave();
    holder.fop = undefined;
  };
}

/**
 * Follows something in place of what an earlier call on this element followed; returns the component's cleanup.
 *
 * @param {Element} root
 * @param {() => (() => void)} follow begins, and returns how to end it
 */
export function following(root, follow) {
  const holder = /** @type {Kept<unknown>} */ (root);
  holder.fopUnfollow?.();
  const end = follow();
  holder.fopUnfollow = end;
  return atUnmount(root, end);
}

/**
 * Returns a mount that says nothing to Python while the reader is on the way to another page: what it says is of the page
 * that is left, and where the server has not begun with the other one yet, Streamlit would stay.
 *
 * @template M
 * @param {M} mount
 * @returns {M}
 */
function unlessLeaving(mount) {
  const sends = ["setStateValue", "setTriggerValue"].filter((name) => name in Object(mount));
  if (!sends.length) return mount;
  const all = /** @type {Record<string, (...what: unknown[]) => void>} */ (mount);
  const quiet = sends.map((name) => {
    const send = (/** @type {unknown[]} */ ...what) => void (page.passage?.leaves() || all[name]?.(...what));
    return [name, send];
  });
  return { ...mount, ...Object.fromEntries(quiet) };
}

/**
 * A component whose older calls never undo newer ones.
 *
 * Streamlit imports a component's module at each call. While that is loaded, several imports may wait, and Chromium lets
 * them go on in any order (of 200 such groups of three, 155 were not in theirs). It runs the cleanup of a call that is
 * not the newest at once, before any other task: so each call waits for the next task, and draws if it still counts.
 *
 * @template M
 * @param {(mount: M) => (() => void) | void} show draws; returns its cleanup
 * @returns {(mount: M) => () => void}
 */
export const inOrder = (show) => (mount) => {
  /** @type {(() => void) | void} */
  let leave;
  const waiting = setTimeout(() => {
    leave = show(unlessLeaving(mount));
  });
  return () => {
    clearTimeout(waiting);
    leave?.();
  };
};
