// Made by scripts/web.sh build of sources with the checksum 53f504ad84d58ef9c818a07ef85b01cd12ef28c14ed8dd5503fb8428073acf85.
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

// copy_link/index.js
var WORDS = "Copy link";
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
      }, 4e3);
    } catch {
      window.prompt("Copy this address:", link.href);
    }
  };
  return () => clearTimeout(later);
}
var index_default = inOrder(show);
export {
  index_default as default
};
