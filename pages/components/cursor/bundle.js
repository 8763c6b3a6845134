// Made by scripts/web.sh build of sources with the checksum d721e49aa7c2ed52430c3b50f74fcef93dcd345a2248e8c54c8f7239b82991af.
// lib/dom.js
function make(name, className = "", text = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}
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
function living(root, make2) {
  const holder = (
    /** @type {Kept<T>} */
    root
  );
  holder.fop ??= make2();
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

// lib/canvas.js
function contextOf(canvas2) {
  const context = canvas2.getContext("2d");
  if (!context) throw new Error("this browser gives a canvas no 2d context");
  return context;
}
function canvas(width, height, made = make("canvas")) {
  const ratio = window.devicePixelRatio || 1;
  made.width = Math.round(width * ratio);
  made.height = Math.round(height * ratio);
  made.style.width = `${width}px`;
  made.style.height = `${height}px`;
  const context = contextOf(made);
  context.scale(ratio, ratio);
  return [made, context];
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

// lib/keys.js
var FIELDS = `input, textarea, select, [contenteditable=""], [contenteditable=true], [role=dialog], [role=menu],
  [role=listbox], [role=radiogroup], [role=tablist], [role=slider], [role=grid], [role=application], [data-keys=own]`;
var PRESSED = "button, a, summary, select, [role=button], [role=checkbox], [role=switch]";
function pageKeys(root, keys) {
  const listener = (event) => {
    const at = document.activeElement ?? document.body;
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
    if (at.closest(root.contains(at) ? "select, [data-keys=own]" : FIELDS)) return;
    if (event.key === " " && at.closest(PRESSED)) return;
    event.preventDefault();
    keys[event.key](event);
  };
  window.addEventListener("keydown", listener);
  return () => window.removeEventListener("keydown", listener);
}

// lib/search.js
function before(steps, step) {
  let [low, high] = [0, steps.length - 1];
  while (low < high) {
    const middle = low + high + 1 >> 1;
    if (steps[middle] <= step) low = middle;
    else high = middle - 1;
  }
  return low;
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

// cursor/track.js
var EDGE = 8;
var LASTS = 8;
var [SLOWEST, FASTEST] = [6, 60];
var SLOW = 100;
function xOf(step, steps, width) {
  const [first, end] = [steps[0], steps[steps.length - 1]];
  return EDGE + (step - first) / Math.max(end - first, 1) * (width - 2 * EDGE);
}
function nearest(x, steps, width) {
  const last = steps.length - 1;
  const step = steps[0] + (x - EDGE) / (width - 2 * EDGE) * (steps[last] - steps[0]);
  const sooner = before(steps, step);
  const after = Math.min(sooner + 1, last);
  return steps[after] - step < step - steps[sooner] ? after : sooner;
}
var rate = (count) => Math.min(FASTEST, Math.max(SLOWEST, count / LASTS));
var passed = (ms, count) => Math.min(SLOW, Math.max(0, ms)) / 1e3 * rate(count);

// cursor/cursor.js
var PLAY = `<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M3 1.5v13l11-6.5z"/></svg>`;
var PAUSE = `<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M3 2h3.5v12H3zM9.5 2H13v12H9.5z"/></svg>`;
var DEBOUNCE = 350;
var LEAP = 10;
var Cursor = class {
  /**
   * @param {HTMLElement} root
   * @param {CursorData} data
   * @param {Send} send
   */
  constructor(root, data, send) {
    this.root = root;
    this.track = box(root, ".fop-cursor-track");
    this.picture = part(this.track, "canvas", HTMLCanvasElement);
    this.line = box(root, ".fop-cursor-line");
    this.caption = box(root, ".fop-cursor-caption");
    this.button = box(root, ".fop-cursor-play");
    this.data = data;
    this.send = send;
    this.begun = false;
    this.playing = false;
    this.at = 0;
    this.width = 0;
    this.timer = 0;
    this.sent = null;
    this.sizes = new ResizeObserver(() => this.draw());
    this.sizes.observe(this.track);
    this.endKeys = this.listen();
  }
  /** The last snapshot. */
  get last() {
    return this.data.steps.length - 1;
  }
  /**
   * @param {CursorData} data
   * @param {Send} send
   */
  show(data, send) {
    const known = this.begun ? this.data : null;
    const other = known?.key !== data.key;
    const jumped = other || data.at !== known.at && data.at !== this.sent;
    Object.assign(this, { data, send, begun: true });
    if (other) this.pause();
    this.draw();
    if (jumped) this.go(before(data.steps, data.at), false);
    else this.go(Math.min(this.at, this.last), false);
  }
  /** @param {number} step */
  x(step) {
    return xOf(step, this.data.steps, this.width);
  }
  /** Answers to pointer and keys; returns how to give the page's keys back. */
  listen() {
    const { track, button } = this;
    const drag = (event) => {
      const x = event.clientX - track.getBoundingClientRect().left;
      to(nearest(x, this.data.steps, this.width));
    };
    track.onpointerdown = (event) => {
      track.setPointerCapture(event.pointerId);
      track.onpointermove = drag;
      drag(event);
    };
    const end = () => {
      track.onpointermove = null;
    };
    track.onpointerup = end;
    track.onpointercancel = end;
    const to = (at) => {
      this.pause();
      this.go(at);
    };
    const by = (count) => (event) => to(this.at + count * (event.shiftKey ? LEAP : 1));
    const own = {
      ArrowDown: by(-1),
      ArrowUp: by(1),
      PageDown: () => to(this.at - LEAP),
      PageUp: () => to(this.at + LEAP)
    };
    track.onkeydown = (event) => {
      if (!(event.key in own)) return;
      event.preventDefault();
      own[event.key](event);
    };
    button.onclick = () => this.toggle();
    this.pause();
    return pageKeys(this.root, {
      " ": () => this.toggle(),
      ArrowLeft: by(-1),
      ArrowRight: by(1),
      Home: () => to(0),
      End: () => to(this.last)
    });
  }
  toggle() {
    if (this.playing) {
      this.pause();
      return;
    }
    if (this.at >= this.last) this.go(0);
    this.playing = true;
    this.label();
    let at = this.at;
    let earlier = null;
    const frame = (now) => {
      if (!this.playing || !this.root.isConnected) return;
      at += passed(now - (earlier ?? now), this.data.steps.length);
      earlier = now;
      const to = Math.min(this.last, Math.floor(at));
      if (to !== this.at) this.go(to);
      if (to >= this.last) this.pause();
      else requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }
  pause() {
    this.playing = false;
    this.label();
  }
  label() {
    this.button.innerHTML = this.playing ? PAUSE : PLAY;
    this.button.setAttribute("aria-label", this.playing ? "Pause" : "Play");
  }
  /**
   * Moves to a snapshot.
   *
   * @param {number} to
   * @param {boolean} report whether Python gets it
   */
  go(to, report = true) {
    const { track } = this;
    const { steps, captions } = this.data;
    this.at = Math.max(0, Math.min(this.last, to));
    const step = steps[this.at];
    this.line.style.transform = `translateX(${this.x(step)}px)`;
    this.caption.replaceChildren(...this.words(captions[this.at]));
    track.setAttribute("aria-valuemin", String(steps[0]));
    track.setAttribute("aria-valuemax", String(steps[this.last]));
    track.setAttribute("aria-valuenow", String(step));
    track.setAttribute("aria-valuetext", captions[this.at]);
    clock.moving = true;
    clock.set(step, {});
    if (!report) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (this.playing || !this.root.isConnected) return;
      this.sent = step;
      this.send("at", step);
    }, DEBOUNCE);
  }
  /**
   * The caption of a snapshot, the colour of its curve before each number that has one.
   *
   * @param {string} caption
   */
  words(caption) {
    const { colors } = this.data.themes[themeOf(this.root)];
    return caption.split(" · ").map((text, i) => {
      const words = make("span", "", i ? " · " : "");
      const curve = this.data.curves.find(({ name }) => text.startsWith(name));
      if (curve) {
        const line = make("i", "fop-cursor-key");
        line.style.background = curve.color || colors.muted;
        words.append(line);
      }
      words.append(text);
      return words;
    });
  }
  draw() {
    this.width = this.track.clientWidth;
    if (!this.width) return;
    const { steps, curves, falls, themes } = this.data;
    const height = this.track.clientHeight;
    const [, context] = canvas(this.width, height, this.picture);
    const { colors } = themes[themeOf(this.root)];
    context.fillStyle = colors.grid;
    context.globalAlpha = 0.5;
    context.fillRect(0, 0, this.width, height);
    context.globalAlpha = 1;
    for (const curve of curves) this.curve(context, curve, height, curve.color || colors.muted);
    context.fillStyle = colors.muted;
    for (const step of steps) context.fillRect(this.x(step) - 0.5, height - 4, 1, 4);
    for (const step of falls) for (let y = 0; y < height; y += 7) context.fillRect(this.x(step) - 0.5, y, 1, 4);
    this.line.style.transform = `translateX(${this.x(steps[Math.min(this.at, this.last)])}px)`;
  }
  /**
   * @param {Context} context
   * @param {Curve} curve
   * @param {number} height px of the track
   * @param {string} color
   */
  curve(context, { x, y, low, high }, height, color) {
    context.strokeStyle = color;
    context.lineWidth = 1.5;
    context.beginPath();
    let drawn = false;
    x.forEach((step, i) => {
      const value = y[i];
      if (value !== null) {
        const up = height - 8 - (value - low) / (high - low || 1) * (height - 14);
        context[drawn ? "lineTo" : "moveTo"](this.x(step), up);
      }
      drawn = value !== null;
    });
    context.stroke();
  }
  leave() {
    this.sizes.disconnect();
    this.endKeys();
    this.pause();
    clock.moving = false;
    clock.set(Infinity, {});
  }
};

// cursor/index.js
function show({ data, parentElement, setStateValue }) {
  const root = box(parentElement, ".fop-cursor");
  const cursor = living(root, () => new Cursor(root, data, setStateValue));
  cursor.show(data, setStateValue);
  return atUnmount(root, () => cursor.leave());
}
var index_default = inOrder(show);
export {
  index_default as default
};
