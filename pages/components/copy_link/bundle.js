// Made by scripts/web.sh build of sources with the checksum 364c3a9f9adc2c93f68680a57aeebac935c2cf45a976cb4da70aa7f84171c21f.
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

// lib/lifetime.js
function unlessLeaving(mount) {
  const sends = ["setStateValue", "setTriggerValue"].filter((name) => name in Object(mount));
  if (!sends.length) return mount;
  const all = (
    /** @type {Record<string, (...what: unknown[]) => void>} */
    mount
  );
  const quiet = sends.map((name) => {
    const send = (...what) => void (page.passage?.leaves() || all[name]?.(...what));
    return [name, send];
  });
  return { ...mount, ...Object.fromEntries(quiet) };
}
var inOrder = (show2) => (mount) => {
  let leave;
  const waiting = setTimeout(() => {
    leave = show2(unlessLeaving(mount));
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
