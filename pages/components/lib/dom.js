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

/**
 * Writes a text into an element that has nothing else. A node that is there is given the text: a new one would have the
 * browser ask anew, up to the page's root, what each `:has()` in a stylesheet says.
 *
 * @param {Element} element
 * @param {string} text
 */
export function write(element, text) {
  const { firstChild: node } = element;
  if (!(node instanceof Text) || node.nextSibling) element.textContent = text;
  else if (node.data !== text) node.data = text;
}
