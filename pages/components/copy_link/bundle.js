// Made by scripts/web.sh build of sources with the checksum c2ef3627f52f722988f69263bfbf459259975b5fd7f5b368c8cb8182ce7c2fb1.
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

// copy_link/index.js
var WORDS = "Copy link";
function show({ parentElement }) {
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
var index_default = inOrder(show);
export {
  index_default as default
};
