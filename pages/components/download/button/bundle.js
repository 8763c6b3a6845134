// Made by scripts/web.sh build of sources with the checksum 4301baed113b8c38751f12eb7f008fb601ef6c01ee13147a80e5c926d850ca2f.
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

// lib/canvas.js
function contextOf(canvas) {
  const context = canvas.getContext("2d");
  if (!context) throw new Error("this browser gives a canvas no 2d context");
  return context;
}

// lib/theme.js
function themeOf(node) {
  const context = contextOf(document.createElement("canvas"));
  context.fillStyle = getComputedStyle(node).getPropertyValue("--st-background-color").trim() || "#fff";
  return schemeOf(context.fillStyle);
}
function schemeOf(color) {
  const parts = color.match(/[0-9a-f]{2}/gi) ?? [];
  const [red, green, blue] = parts.map((hex) => parseInt(hex, 16));
  return red + green + blue > 382 ? "light" : "dark";
}

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
    this.followers = new Followers();
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
    this.followers.call();
  }
  /**
   * Calls a follower now and at each change; returns how to end that.
   *
   * @param {() => void} follower
   */
  follow(follower) {
    const end = this.followers.follow(follower);
    follower();
    return end;
  }
  /**
   * Orders a button's file, of what the screen shows at this moment.
   *
   * @param {string} key of the button
   * @param {string} of what the file would be of
   * @param {Scheme} [theme] of the page
   */
  add(key, of, theme) {
    const id = crypto.getRandomValues(new Uint32Array(2)).join("-");
    this.waiting.push({ id, key, of, screen: { ...this.screen(), theme }, page: this.path() });
    delete this.notes[key];
    this.changed();
  }
  /**
   * Says what came of a click that ordered nothing.
   *
   * @param {string} key of the button
   * @param {string} text
   */
  note(key, text, failed = false) {
    this.notes[key] = { text, failed };
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
    this.note(order.key, text, failed);
  }
};
var shown = () => ({ ...page.screen, ...page.player?.view(), step: Number.isFinite(clock.step) ? clock.step : null });
page.orders ??= new Orders(shown, () => location.pathname);
var orders = page.orders;

// download/button/index.js
function show({ data, parentElement }) {
  const [button, note] = ["button", "p"].map((name) => box(parentElement, `.fop-download ${name}`));
  button.textContent = data.label;
  button.classList.toggle("fop-primary", data.primary);
  const photograph = async () => {
    const saved = await page.player?.photograph().catch((error) => error);
    if (typeof saved === "string") orders.note(data.key, `Saved ${saved}`);
    else orders.note(data.key, `Not saved: ${saved?.message ?? "the player is not shown"}`, true);
  };
  button.onclick = data.camera ? photograph : () => orders.add(data.key, data.of, themeOf(button));
  const update = () => {
    const waits = orders.waiting.some(({ key }) => key === data.key);
    const { text = "", failed = false } = orders.notes[data.key] ?? {};
    button.setAttribute("aria-busy", String(waits));
    note.textContent = waits ? "Making the file …" : text;
    note.classList.toggle("fop-failed", failed && !waits);
  };
  return following(button, () => orders.follow(update));
}
var index_default = inOrder(show);
export {
  index_default as default
};
