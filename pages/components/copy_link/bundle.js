// Made by scripts/web.sh build of sources with the checksum 3bbd634c347d4ad7d5b435553b4df52fad3d68d8dd211386a8caf1b1c7215d3a.
// lib/dom.js
function part(root, selector, Kind) {
  const found = root.querySelector(selector);
  if (found instanceof Kind) return found;
  throw new Error(`the markup has no ${Kind.name} ${selector}`);
}
var box = (root, selector) => part(root, selector, HTMLElement);

// copy_link/index.js
var WORDS = "Copy link";
function index_default({ parentElement }) {
  const button = box(parentElement, ".fop-copy");
  let later = 0;
  button.onclick = async () => {
    try {
      await navigator.clipboard.writeText(location.href);
      button.textContent = "Copied";
      clearTimeout(later);
      later = setTimeout(() => {
        button.textContent = WORDS;
      }, 4e3);
    } catch {
      window.prompt("Copy this address:", location.href);
    }
  };
  return () => clearTimeout(later);
}
export {
  index_default as default
};
