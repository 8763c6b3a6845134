// Made by scripts/web.sh build of sources with the checksum 50f25492ac3a4b5ee87a7146a00e743a34ba2f86e08b5707495819211087445e.
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
  const element2 = root.querySelector(selector);
  if (element2 instanceof Kind) return element2;
  throw new Error(`the markup has no ${Kind.name} ${selector}`);
}
var box = (root, selector) => part(root, selector, HTMLElement);
function write(element2, text) {
  const { firstChild: node } = element2;
  if (!(node instanceof Text) || node.nextSibling) element2.textContent = text;
  else if (node.data !== text) node.data = text;
}

// lib/emphasis.js
var FADED = 0.18;
var Emphasis = class {
  constructor() {
    this.hidden = /* @__PURE__ */ new Set();
    this.pointed = null;
    this.followers = new Followers();
  }
  /** @param {string} rule */
  shows(rule) {
    return !this.hidden.has(rule);
  }
  /**
   * How opaque a run is: 1, or less while another one is pointed at.
   *
   * @param {string} rule
   */
  opacity(rule) {
    return this.pointed === null || this.pointed === rule ? 1 : FADED;
  }
  /** @param {ReadonlySet<string>} hidden */
  hide(hidden) {
    if (keyOf(hidden) === keyOf(this.hidden)) return;
    this.hidden = hidden;
    this.followers.call();
  }
  /** @param {string | null} rule nothing fades for one that is hidden */
  point(rule) {
    const pointed = rule !== null && this.shows(rule) ? rule : null;
    if (pointed === this.pointed) return;
    this.pointed = pointed;
    this.followers.call();
  }
  /**
   * Calls a follower at each change; returns how to end that.
   *
   * @param {() => void} follower
   */
  follow(follower) {
    return this.followers.follow(follower);
  }
};
var keyOf = (rules) => [...rules].sort().join();
page.emphasis ??= new Emphasis();
var emphasis = page.emphasis;

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

// lib/numbers.js
function short(value) {
  const [sign, size] = [value < 0 ? "−" : "", Math.abs(value)];
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "not a number" : `${sign}∞`;
  if (value === 0) return "0";
  const [mantissa, power] = size.toExponential(2).split("e").map(Number);
  if (power < -4 || power >= 6) return `${sign}${mantissa}e${power}`;
  return sign + (power < 3 ? size.toFixed(2 - power) : count(Math.round(size)));
}
var count = (value) => value.toLocaleString("en");

// lib/svg.js
var SVG = "http://www.w3.org/2000/svg";
function svg(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  made.append(...children);
  return made;
}
var swatch = ({ color, dash, width, glyph }) => svg(
  "svg",
  { width: 30, height: 12, viewBox: "-15 -6 30 12", "aria-hidden": "true" },
  svg("path", { d: "M-15 0H15", stroke: color, "stroke-width": width, "stroke-dasharray": dash }),
  svg("path", { d: glyph, fill: color, stroke: "var(--st-background-color)" })
);

// readout/index.js
var STATUS = { diverged: "fop-diverged", converged: "fop-converged", "step limit": "fop-limit" };
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  made.append(...children);
  return made;
}
function published({ published: published2, matches }) {
  if (published2 === null) return element("td", { class: "fop-published" }, "–");
  const count2 = matches ? `${published2} ✓` : `${published2} ≠`;
  const words = matches ? "the same as published" : "not as published";
  return element("td", { class: "fop-published", title: words, "aria-label": `${published2}, ${words}` }, count2);
}
var body = (row, columns) => element(
  "tbody",
  { class: STATUS[row.status] },
  element(
    "tr",
    { class: "fop-run" },
    element("th", { scope: "row" }, swatch(row), row.name),
    element("td", { class: "fop-steps" }, row.steps),
    published(row)
  ),
  element(
    "tr",
    { class: "fop-ending" },
    element("td", { colspan: columns }, element("span", { class: "fop-now" }, row.reason), element("br"), row.end)
  )
);
function update(table, rows) {
  table.classList.toggle("fop-before", clock.leads);
  const cells = table.querySelectorAll(".fop-now");
  rows.forEach((row, index) => {
    const value = clock.values[row.name];
    write(cells[index], clock.moving && value !== void 0 ? `Now f = ${short(value)}.` : row.reason);
  });
}
function emphasize(table, rows) {
  const bodies = table.querySelectorAll("tbody");
  rows.forEach(({ rule }, index) => {
    const hidden = !emphasis.shows(rule);
    bodies[index].classList.toggle("fop-faint", hidden || emphasis.opacity(rule) < 1);
    bodies[index].title = hidden ? "Hidden: a click on its name below the player shows it again" : "";
  });
}
function show({ data: { rows }, parentElement }) {
  const table = box(parentElement, ".fop-readout");
  const compared = rows.some((row) => row.published !== null);
  table.classList.toggle("fop-compared", compared);
  for (const old of table.querySelectorAll("tbody")) old.remove();
  table.append(...rows.map((row) => body(row, compared ? 3 : 2)));
  emphasize(table, rows);
  return following(table, () => {
    const ends = [clock.follow(() => update(table, rows)), emphasis.follow(() => emphasize(table, rows))];
    return () => {
      for (const end of ends) end();
    };
  });
}
var index_default = inOrder(show);
export {
  index_default as default
};
