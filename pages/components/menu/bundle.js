// Made by scripts/web.sh build of sources with the checksum bc7ab993a674030eac614802cda58c17bb0d73b1c1494076e1dc611b879c9cc5.
// lib/page.js
globalThis.fopLab ??= {};
var page = globalThis.fopLab;

// menu/index.js
function index_default({ data }) {
  const before = page.title;
  page.title = data.page;
  if (before === void 0 || before === data.page || !window.matchMedia("(max-width: 768px)").matches) return;
  const fold = document.querySelector('[data-testid="stSidebarCollapseButton"] button');
  if (fold instanceof HTMLElement) fold.click();
}
export {
  index_default as default
};
