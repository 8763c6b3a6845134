// @ts-check

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} name
 */
export function make(name, className = "", text = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

/**
 * A part of a component's markup, which has to be there.
 *
 * @template {Element} T
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => T} Kind
 * @returns {T}
 */
export function part(root, selector, Kind) {
  const element = root.querySelector(selector);
  if (element instanceof Kind) return element;
  throw new Error(`the markup has no ${Kind.name} ${selector}`);
}

/**
 * @param {ParentNode} root
 * @param {string} selector
 */
export const box = (root, selector) => part(root, selector, HTMLElement);
