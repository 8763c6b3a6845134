// Made by scripts/web.sh build of sources with the checksum 58cda13c92c5dccea3d1d9ae90eb7ac06331b619af23874179ff3b5ecea3af82.
// lib/dom.js
function part(root, selector, Kind) {
  const element = root.querySelector(selector);
  if (element instanceof Kind) return element;
  throw new Error(`the markup has no ${Kind.name} ${selector}`);
}
var box = (root, selector) => part(root, selector, HTMLElement);

// lib/lifetime.js
var inOrder = (show2) => (mount) => {
  let leave;
  const waiting = setTimeout(() => {
    leave = show2(mount);
  });
  return () => {
    clearTimeout(waiting);
    leave?.();
  };
};

// lib/page.js
globalThis.fopLab ??= {};
var page = globalThis.fopLab;

// menu/index.js
function show({ data, parentElement }) {
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
var index_default = inOrder(show);
export {
  index_default as default
};
