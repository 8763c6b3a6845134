// Made by scripts/web.sh build of sources with the checksum e57ef8fb488ae2491bec3a32e2c6988fc23833651b1f7b554c74afe2c26ef19a.
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
function living(root, make) {
  const holder = (
    /** @type {Kept<T>} */
    root
  );
  holder.fop ??= make();
  return holder.fop;
}
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

// lib/payload.js
function unpacked(bytes) {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const data = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  let at = 4 + length;
  for (const [name, size] of Object.entries(data.arrays)) {
    data[name] = bytes.slice(at, at + size).buffer;
    at += size;
  }
  return data;
}

// lib/save.js
function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 6e4);
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

// download/courier/courier.js
var PATIENCE = 15e3;
var Courier = class {
  /**
   * @param {Orders} orders
   * @param {(blob: Blob, name: string) => void} save
   * @param {number} patience ms until a request that is not answered is sent again
   */
  constructor(orders2, save2, patience = PATIENCE) {
    this.orders = orders2;
    this.save = save2;
    this.patience = patience;
    this.again = 0;
    this.timer = void 0;
    this.send = null;
    this.parts = [];
    this.requested = null;
    this.unfollow = orders2.follow(() => {
      if (this.send) this.next();
    });
  }
  end() {
    clearTimeout(this.timer);
    this.unfollow();
  }
  /**
   * @param {CourierData} data
   * @param {Send} send
   */
  show({ answer, content }, send) {
    this.send = send;
    const order = this.orders.waiting.at(0);
    if (answer && order?.id === answer.id && answer.part === this.parts.length) this.take(answer, content);
    this.next();
  }
  /**
   * @param {Answer} answer
   * @param {ArrayBuffer} content
   */
  take(answer, content) {
    if (answer.name === void 0) {
      this.parts = [];
      this.orders.close(answer.error, true);
      return;
    }
    this.parts.push(content);
    if (this.parts.length < answer.count) return;
    this.save(new Blob(this.parts, { type: answer.kind }), answer.name);
    this.parts = [];
    this.orders.close(`Saved ${answer.name}`);
  }
  next() {
    const order = this.orders.waiting.at(0);
    this.ask(order ? { ...order, part: this.parts.length, again: this.again } : null);
  }
  /** @param {Request | null} request */
  ask(request) {
    const key = request && `${request.id} ${request.part}`;
    if (key === this.requested) return;
    this.requested = key;
    clearTimeout(this.timer);
    if (request) this.timer = setTimeout(() => this.repeat(), this.patience);
    this.send?.("request", request);
  }
  repeat() {
    this.again += 1;
    this.requested = null;
    this.next();
  }
};

// download/courier/index.js
function show({ data, parentElement, setStateValue }) {
  const root = box(parentElement, ".fop-courier");
  orders.arrive();
  const courier = living(root, () => new Courier(orders, save));
  const shown2 = unpacked(data);
  courier.show(shown2, setStateValue);
  return atUnmount(root, () => courier.end());
}
var index_default = inOrder(show);
export {
  index_default as default
};
