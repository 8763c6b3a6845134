// Made by scripts/web.sh build of sources with the checksum d40fb7635c5b797af829a71d8aebdf7b04fbbd7d871a75ec7416e93819e5bbaf.
// lib/dom.js
function part(root, selector, Kind) {
  const element = root.querySelector(selector);
  if (element instanceof Kind) return element;
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
