// @ts-check

// What has keys of its own while it is focused, and what Space presses.
const FIELDS = `input, textarea, select, [contenteditable=""], [contenteditable=true], [role=dialog], [role=menu],
  [role=listbox], [role=radiogroup], [role=tablist], [role=slider], [role=grid], [role=application], [data-keys=own]`;
const PRESSED = "button, a, summary, select, [role=button], [role=checkbox], [role=switch]";

/** @typedef {Record<string, (event: KeyboardEvent) => void>} Keys what each key does, by KeyboardEvent.key */

/**
 * Gives keys of the window to a component, but those that another element has a use for; returns how to end that.
 *
 * @param {Element} root
 * @param {Keys} keys
 */
export function pageKeys(root, keys) {
  /** @param {KeyboardEvent} event */
  const listener = (event) => {
    const at = document.activeElement ?? document.body;
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
    if (at.closest(root.contains(at) ? "select, [data-keys=own]" : FIELDS)) return;
    if (event.key === " " && at.closest(PRESSED)) return;
    event.preventDefault();
    keys[event.key](event);
  };
  window.addEventListener("keydown", listener);
  return () => window.removeEventListener("keydown", listener);
}
