// Made by scripts/web.sh build of sources with the checksum 45cbdb7c198d1dd05c3d19718650c10675c409203906d89a9ab0578dfc6f13be.
// lib/dom.js
function part(root, selector, Kind) {
  const element = root.querySelector(selector);
  if (element instanceof Kind) return element;
  throw new Error(`the markup has no ${Kind.name} ${selector}`);
}
var box = (root, selector) => part(root, selector, HTMLElement);

// lib/lifetime.js
function atUnmount(root, leave) {
  const holder = (
    /** @type {Kept<unknown>} */
    root
  );
  const call = {};
  holder.fopCall = call;
  return () => {
    if (holder.fopCall !== call) return;
    leave();
    holder.fop = void 0;
  };
}
function following(root, follow) {
  const holder = (
    /** @type {Kept<unknown>} */
    root
  );
  holder.fopUnfollow?.();
  const end = follow();
  holder.fopUnfollow = end;
  return atUnmount(root, end);
}

// lib/page.js
globalThis.fopLab ??= {};
var page = globalThis.fopLab;

// lib/clock.js
var Clock = class {
  constructor() {
    this.step = Infinity;
    this.moving = false;
    this.values = {};
    this.parts = null;
    this.run = "";
    this.followers = /* @__PURE__ */ new Set();
  }
  /**
   * @param {number} step
   * @param {Record<string, number>} values
   * @param {RunStep | null} parts
   */
  set(step, values, parts = null) {
    Object.assign(this, { step, values, parts });
    for (const follower of this.followers) {
      try {
        follower();
      } catch (error) {
        reportError(error);
      }
    }
  }
  /**
   * Calls a follower now and at each move; returns how to end that.
   *
   * @param {() => void} follower
   */
  follow(follower) {
    this.followers.add(follower);
    follower();
    return () => {
      this.followers.delete(follower);
    };
  }
};
page.clock ??= new Clock();
var clock = page.clock;

// download/orders.js
var Orders = class {
  /**
   * @param {() => Order["screen"]} screen what it shows now
   * @param {() => string} path of the page that is shown
   */
  constructor(screen, path) {
    this.screen = screen;
    this.path = path;
    this.waiting = [];
    this.notes = {};
    this.followers = /* @__PURE__ */ new Set();
    this.page = "";
  }
  /** Forgets what was clicked on another page; on this one the buttons may have come before the courier. */
  arrive() {
    const path = this.path();
    if (path === this.page) return;
    this.page = path;
    this.waiting = this.waiting.filter((order) => order.page === path);
    this.notes = {};
    this.changed();
  }
  changed() {
    for (const follower of this.followers) follower();
  }
  /**
   * Calls a follower now and at each change; returns how to end that.
   *
   * @param {() => void} follower
   */
  follow(follower) {
    this.followers.add(follower);
    follower();
    return () => {
      this.followers.delete(follower);
    };
  }
  /**
   * Orders a button's file, of what the screen shows at this moment.
   *
   * @param {string} key of the button
   * @param {string} of what the file would be of
   */
  add(key, of) {
    const id = crypto.getRandomValues(new Uint32Array(2)).join("-");
    this.waiting.push({ id, key, of, screen: this.screen(), page: this.path() });
    delete this.notes[key];
    this.changed();
  }
  /**
   * The first one has come, or will not.
   *
   * @param {string} text what is said of it
   */
  close(text, failed = false) {
    const order = this.waiting.shift();
    if (!order) throw new Error(`no file is waited for, of which to say: ${text}`);
    this.notes[order.key] = { text, failed };
    this.changed();
  }
};
var shown = () => ({ ...page.screen, step: Number.isFinite(clock.step) ? clock.step : null });
page.orders ??= new Orders(shown, () => location.pathname);
var orders = page.orders;

// download/button/index.js
function index_default({ data, parentElement }) {
  const [button, note] = ["button", "p"].map((name) => box(parentElement, `.fop-download ${name}`));
  button.textContent = data.label;
  button.classList.toggle("fop-primary", data.primary);
  button.onclick = () => orders.add(data.key, data.of);
  const show = () => {
    const waits = orders.waiting.some(({ key }) => key === data.key);
    const { text = "", failed = false } = orders.notes[data.key] ?? {};
    button.setAttribute("aria-busy", String(waits));
    note.textContent = waits ? "Making the file …" : text;
    note.classList.toggle("fop-failed", failed && !waits);
  };
  return following(button, () => orders.follow(show));
}
export {
  index_default as default
};
