// @ts-check

/** @type {Record<string, number>} */
const WAYS = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };

/** @param {HTMLElement} group */
const buttonsOf = (group) => [...group.querySelectorAll("button")];

/**
 * Arrow keys move through a radio group and choose, as they do in a browser's own.
 *
 * @param {HTMLElement} group
 * @param {(at: number) => void} choose
 */
export function radios(group, choose) {
  group.onkeydown = (event) => {
    const way = WAYS[event.key];
    const buttons = buttonsOf(group);
    const { activeElement } = document;
    const at = activeElement instanceof HTMLButtonElement ? buttons.indexOf(activeElement) : -1;
    if (!way || at < 0) return;
    event.preventDefault();
    const to = (at + way + buttons.length) % buttons.length;
    choose(to);
    buttons[to].focus();
  };
}

/**
 * Marks one button of a radio group as chosen: the only one that the tab key comes to.
 *
 * @param {HTMLElement} group
 * @param {number} which
 */
export function check(group, which) {
  buttonsOf(group).forEach((button, i) => {
    button.setAttribute("aria-checked", String(i === which));
    button.tabIndex = i === which ? 0 : -1;
  });
}
