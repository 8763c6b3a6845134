// Made by scripts/web.sh build of sources with the checksum 326b4d76b7e5b16c8fcd40d271688251bf92807bcdf3652d54c51292576d8f81.
// lib/dom.js
function part(root, selector, Kind) {
  const element = root.querySelector(selector);
  if (element instanceof Kind) return element;
  throw new Error(`the markup has no ${Kind.name} ${selector}`);
}
var box = (root, selector) => part(root, selector, HTMLElement);

// lib/page.js
globalThis.fopLab ??= {};
var page = globalThis.fopLab;

// menu/index.js
function index_default({ data, parentElement }) {
  box(parentElement, ".fop-menu-tour").onclick = () => {
    if (page.tour?.begin()) fold();
  };
  const before = page.title;
  page.title = data.page;
  if (before !== void 0 && before !== data.page) fold();
}
function fold() {
  if (!window.matchMedia("(max-width: 768px)").matches) return;
  const button = document.querySelector('[data-testid="stSidebarCollapseButton"] button');
  if (button instanceof HTMLElement) button.click();
}
export {
  index_default as default
};
