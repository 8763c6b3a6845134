// Made by scripts/web.sh build of sources with the checksum a8d6e0fcd78c4231c6797f044ed885be8bd2915fc0ddfb2ea1f263ed5b0e025b.
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

// lib/plotly.js
var loadPlotly = (source) => page.plotly ??= new Promise((loaded, failed) => {
  if (globalThis.Plotly) {
    loaded(globalThis.Plotly);
    return;
  }
  const begun = document.querySelector("script[data-plotly]");
  const script = begun instanceof HTMLScriptElement ? begun : document.createElement("script");
  const fail = () => {
    page.plotly = void 0;
    script.remove();
    failed(new Error(`no ${script.src}`));
  };
  script.onload = () => globalThis.Plotly ? loaded(globalThis.Plotly) : fail();
  script.onerror = fail;
  if (begun) return;
  script.src = new URL(source, document.baseURI).href;
  document.head.appendChild(script);
});
var FINGER = window.matchMedia("(pointer: coarse)").matches;

// runs_table/rows.js
var COLLATOR = new Intl.Collator("en", { numeric: true });
function cellOf(cell) {
  if (!Array.isArray(cell)) return { words: cell, value: cell };
  const [words, value, hint] = cell;
  return { words, value, hint };
}
function sorted(ids, rowOf, column, down) {
  const values = new Map(ids.map((id) => [id, cellOf(rowOf(id).cells[column]).value]));
  return [...ids].sort((one, other) => compared(values.get(one) ?? null, values.get(other) ?? null, down));
}
function compared(a, b, down) {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  const order = typeof a === "number" && typeof b === "number" ? a - b : COLLATOR.compare(String(a), String(b));
  return down ? -order : order;
}
function sortAfter(sort, name, number) {
  const again = sort?.name === name;
  if (again && sort.flipped) return null;
  return { name, flipped: again, down: number ? !again : again };
}
function pinsAfter(pins, id, count) {
  const after = new Map(pins);
  if (after.delete(id)) return after;
  const used = new Set(after.values());
  const free = Array.from({ length: count }, (_, color) => color).find((color) => !used.has(color));
  if (free !== void 0) after.set(id, free);
  return after;
}
function pinnedFirst(ids, pins) {
  if (!pins.size) return ids;
  const there = new Set(ids);
  return [...[...pins.keys()].filter((id) => there.has(id)), ...ids.filter((id) => !pins.has(id))];
}
function chosenAfter(chosen, id, ids, { more, range }) {
  const there = chosen.includes(id);
  if (more) {
    const others = chosen.filter((each) => each !== id);
    return there ? others : [...others, id];
  }
  const last = chosen.at(-1);
  if (range && last !== void 0) {
    const [from, to] = [ids.indexOf(last), ids.indexOf(id)].sort((a, b) => a - b);
    return [.../* @__PURE__ */ new Set([...chosen, ...ids.slice(Math.max(from, 0), to + 1)])];
  }
  return chosen.length === 1 && there ? [] : [id];
}

// runs_table/table.js
var PATIENCE = 4e3;
var STRETCH = 120;
var BEFORE = 2;
var MARGIN = 600;
function blankOf(columns, pins) {
  const node = make("tr");
  const tick = make("input");
  tick.type = "checkbox";
  node.insertCell().append(tick);
  const pin = make("button", "fop-runs-pin");
  pin.type = "button";
  pin.setAttribute("role", "switch");
  node.insertCell().append(pin);
  node.cells[1].hidden = !pins;
  for (const { name, number } of columns) {
    const cell = node.insertCell();
    cell.className = number ? "fop-runs-number" : "";
    if (name === "name") cell.append(Object.assign(make("button"), { type: "button" }));
    else if (name === "state") cell.append(make("span", "fop-runs-state"));
    else if (name === "progress") cell.append(make("span", "fop-runs-share"), "");
    else cell.append("");
  }
  return node;
}
var copyOf = (node) => (
  /** @type {T} */
  node.cloneNode(true)
);
var pinOf = (node) => part(node, ".fop-runs-pin", HTMLElement);
var tickOf = (node) => part(node, "input", HTMLInputElement);
function fill(node, row, columns) {
  node.style.setProperty("--fop-state", row.color);
  columns.forEach(({ name }, at) => {
    const cell = node.cells[at + BEFORE];
    const { words, hint } = cellOf(row.cells[at]);
    if (cell.lastChild) cell.lastChild.textContent = words;
    const mark = cell.firstElementChild;
    if (name === "name") {
      tickOf(node).setAttribute("aria-label", `Choose ${words}`);
      pinOf(node).setAttribute("aria-label", `Pin ${words}`);
    }
    if (mark instanceof HTMLElement && name === "state") mark.dataset.symbol = row.symbol;
    if (mark instanceof HTMLElement && name === "progress") {
      mark.style.setProperty("--share", `${100 * Number(row.share)}%`);
      mark.hidden = row.share === null || row.share >= 1;
    }
    if (hint || cell.title) cell.title = hint ?? "";
  });
}
var Table = class {
  /**
   * @param {HTMLElement} root
   * @param {TableData} data
   * @param {Send} send
   */
  constructor(root, data, send) {
    this.data = data;
    this.send = send;
    this.note = box(root, ".fop-runs-note");
    this.scroll = box(root, ".fop-runs-scroll");
    this.head = box(root, "thead tr");
    this.body = box(root, "tbody");
    this.met = false;
    this.rows = /* @__PURE__ */ new Map();
    this.order = [];
    this.sorted = [];
    this.chosen = /* @__PURE__ */ new Set();
    this.pins = /* @__PURE__ */ new Map();
    this.wanted = 0;
    this.sort = null;
    this.sent = -Infinity;
    this.pinned = -Infinity;
    this.full = false;
    this.limit = STRETCH;
    this.built = "";
    this.blank = make("tr");
    this.all = make("input");
    this.all.type = "checkbox";
    this.all.onchange = () => {
      const full = this.chosen.size >= Math.min(this.data.most, this.sorted.length);
      this.choose(this.all.checked && !full ? this.sorted : []);
    };
    this.body.onclick = (event) => this.click(event);
    this.scroll.onscroll = () => {
      const { scrollTop, clientHeight, scrollHeight } = this.scroll;
      if (this.limit >= this.rows.size || scrollTop + clientHeight < scrollHeight - MARGIN) return;
      this.limit += STRETCH;
      this.arrange();
    };
  }
  /**
   * @param {TableData} data
   * @param {Send} send
   */
  show(data, send) {
    this.data = data;
    this.send = send;
    this.columns(data.columns);
    this.order = data.rows.map(({ id }) => id);
    const ids = new Set(this.order);
    for (const id of this.rows.keys()) if (!ids.has(id)) this.rows.delete(id);
    for (const row of data.rows) {
      const text = JSON.stringify(row);
      const known = this.rows.get(row.id);
      if (!known) this.rows.set(row.id, { row, text, node: null, stale: true });
      else if (known.text !== text) Object.assign(known, { row, text, stale: true });
    }
    this.receive(data);
    if (!this.met) this.limit = Math.max(this.limit, 1 + this.order.findIndex((id) => this.chosen.has(id)));
    this.arrange();
    const first = this.met ? null : this.body.querySelector('[aria-selected="true"]');
    first?.scrollIntoView({ block: "nearest", inline: "nearest" });
    this.met = true;
  }
  /**
   * Takes over what the page says is chosen, once it knows what was chosen here.
   *
   * @param {TableData} data
   */
  receive({ chosen, wanted, pins }) {
    const known = JSON.stringify(pins) === JSON.stringify(Object.fromEntries(this.pins));
    if (known || performance.now() - this.pinned > PATIENCE) {
      this.pinned = -Infinity;
      this.pins = new Map(Object.entries(pins));
    }
    const same = JSON.stringify(chosen) === JSON.stringify([...this.chosen]);
    if (performance.now() - this.sent <= PATIENCE && !same) return;
    this.sent = -Infinity;
    if (!same) this.wanted = wanted;
    this.chosen = new Set(chosen);
  }
  /** @param {Column[]} columns */
  columns(columns) {
    const shown = JSON.stringify(columns);
    if (this.built === shown) return;
    this.built = shown;
    this.rows.clear();
    this.body.replaceChildren();
    const pins = this.data.colors.length > 0;
    this.blank = blankOf(columns, pins);
    if (this.sort && !columns.some(({ name }) => name === this.sort?.name)) this.sort = null;
    const corner = make("th");
    this.scroll.setAttribute("aria-label", this.data.what);
    this.all.setAttribute("aria-label", `Choose all ${this.data.what.toLowerCase()}`);
    corner.append(this.all);
    const pinned = make("th", "", "Pin");
    pinned.hidden = !pins;
    this.head.replaceChildren(corner, pinned, ...columns.map((column) => this.headOf(column)));
  }
  /** @param {Column} column */
  headOf({ name, label, number = false, help }) {
    const cell = make("th", number ? "fop-runs-number" : "");
    const button = make("button", "", label);
    button.type = "button";
    cell.dataset.name = name;
    if (help) cell.title = help;
    button.onclick = () => {
      this.sort = sortAfter(this.sort, name, number);
      this.arrange();
    };
    cell.append(button);
    return cell;
  }
  /** Puts the rows in order and up to date; nodes are moved only where the order has changed. */
  arrange() {
    this.sorted = this.inOrder();
    const nodes = this.sorted.slice(0, this.limit).map((id) => this.nodeOf(id));
    const now = this.body.children;
    if (now.length !== nodes.length || nodes.some((node, at) => node !== now[at])) {
      const [top, focused] = [this.scroll.scrollTop, document.activeElement];
      this.body.replaceChildren(...nodes);
      this.scroll.scrollTop = top;
      if (focused instanceof HTMLElement && this.body.contains(focused) && document.activeElement !== focused)
        focused.focus({ preventScroll: true });
    }
    for (const cell of this.head.querySelectorAll("th"))
      if (this.sort && this.sort.name === cell.dataset.name)
        cell.setAttribute("aria-sort", this.sort.down ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    this.mark();
  }
  /** @param {string} id */
  known(id) {
    const known = this.rows.get(id);
    if (!known) throw new Error(`the table has no run ${id}`);
    return known;
  }
  /**
   * The node of a run, up to date.
   *
   * @param {string} id
   */
  nodeOf(id) {
    const known = this.known(id);
    if (!known.node) {
      known.node = copyOf(this.blank);
      known.node.dataset.run = id;
    }
    if (known.stale) fill(known.node, known.row, this.data.columns);
    known.stale = false;
    return known.node;
  }
  inOrder() {
    const { sort } = this;
    if (!sort) return pinnedFirst(this.order, this.pins);
    const at = this.data.columns.findIndex(({ name }) => name === sort.name);
    return pinnedFirst(
      sorted(this.order, (id) => this.known(id).row, at, sort.down),
      this.pins
    );
  }
  /** @param {MouseEvent} event */
  click({ target, ctrlKey, metaKey, shiftKey }) {
    const node = target instanceof Element ? target.closest("tr") : null;
    if (!(target instanceof Element) || !node) return;
    if (target.closest("td")?.cellIndex === 1) return this.pin(String(node.dataset.run));
    const first = target.closest("td")?.cellIndex === 0;
    const click = { more: first || ctrlKey || metaKey, range: shiftKey };
    this.choose(chosenAfter([...this.chosen], String(node.dataset.run), this.sorted, click));
  }
  /** @param {string} id of a run that is pinned, or no longer */
  pin(id) {
    const { colors } = this.data;
    this.full = this.pins.size === colors.length && !this.pins.has(id);
    this.pins = pinsAfter(this.pins, id, colors.length);
    if (!this.full) {
      this.pinned = performance.now();
      this.send(
        "pinned",
        [...this.pins].map(([each, color]) => `${each}:${color}`)
      );
    }
    this.arrange();
  }
  /** @param {string[]} ids */
  choose(ids) {
    this.full = false;
    this.wanted = ids.length;
    this.chosen = new Set(ids.slice(0, this.data.most));
    this.sent = performance.now();
    this.mark();
    this.send("chosen", [...this.chosen]);
  }
  mark() {
    for (const node of this.body.querySelectorAll("tr")) {
      const on = this.chosen.has(String(node.dataset.run));
      const color = this.pins.get(String(node.dataset.run));
      pinOf(node).setAttribute("aria-checked", String(color !== void 0));
      pinOf(node).style.setProperty("--fop-pin", color === void 0 ? "" : this.data.colors[color]);
      const tick = tickOf(node);
      if (node.ariaSelected === `${on}` && tick.checked === on) continue;
      node.setAttribute("aria-selected", String(on));
      tick.checked = on;
    }
    const count = [...this.rows.keys()].filter((id) => this.chosen.has(id)).length;
    this.all.checked = count > 0 && count === this.rows.size;
    this.all.indeterminate = count > 0 && !this.all.checked;
    const { most, colors } = this.data;
    const over = this.wanted > most;
    this.note.hidden = !over && !this.full;
    this.note.textContent = this.full ? `${colors.length} runs are pinned, one in each colour. Unpin one of them first.` : `${most} of ${this.wanted} selected: no more than ${most} at once.${colors.length ? " Find, State and Tags narrow the table." : ""}`;
  }
};

// runs_table/index.js
function show({ data, parentElement, setTriggerValue }) {
  const root = box(parentElement, ".fop-runs");
  const shown = unpacked(data);
  living(root, () => new Table(root, shown, setTriggerValue)).show(shown, setTriggerValue);
  if (shown.plotly) loadPlotly(shown.plotly).catch(() => {
  });
}
var index_default = inOrder(show);
export {
  index_default as default
};
