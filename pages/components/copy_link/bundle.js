// Made by scripts/web.sh build of sources with the checksum b79ef646f87f9bc2fb28cdeeb1b66e29287f1a835a4d0141a364319f96ce2a31.
// lib/followers.js
var Followers = class extends Set {
  call() {
    for (const follower of this) {
      try {
        follower();
      } catch (error) {
        reportError(error);
      }
    }
  }
  /**
   * Calls a follower at each change from now on; returns how to end that.
   *
   * @param {() => void} follower
   */
  follow(follower) {
    this.add(follower);
    return () => {
      this.delete(follower);
    };
  }
};

// lib/page.js
globalThis.fopLab ??= {};
var page = globalThis.fopLab;

// lib/clock.js
var Clock = class {
  constructor() {
    this.step = Infinity;
    this.moving = false;
    this.leads = false;
    this.values = {};
    this.parts = null;
    this.run = "";
    this.fragment = "";
    this.followers = new Followers();
  }
  /**
   * @param {number} step
   * @param {Record<string, number>} values
   * @param {RunStep | null} parts
   */
  set(step, values, parts = null) {
    Object.assign(this, { step, values, parts });
    this.followers.call();
  }
  /**
   * Calls a follower now and at each move; returns how to end that.
   *
   * @param {() => void} follower
   */
  follow(follower) {
    const end = this.followers.follow(follower);
    follower();
    return end;
  }
};
page.clock ??= new Clock();
var clock = page.clock;

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
    const link = new URL(location.href);
    link.hash = clock.fragment;
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
