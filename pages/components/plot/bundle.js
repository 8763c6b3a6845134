// Made by scripts/web.sh build of sources with the checksum 8776c7c0fa8677cf9719f5dcd4c363d995fea47aae21b3ac9c53c5b7c16fb636.
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

// lib/across.js
var Across = class {
  constructor() {
    this.name = "";
    this.range = null;
    this.at = null;
    this.by = /** @type {object | null} */
    null;
    this.followers = /* @__PURE__ */ new Set();
  }
  /**
   * What of a name's axis is shown; null for all.
   *
   * @param {string} name
   */
  rangeOf(name) {
    return this.name === name ? this.range : null;
  }
  /**
   * Where on a name's axis a reader points; null for nowhere.
   *
   * @param {string} name
   */
  atOf(name) {
    return this.name === name ? this.at : null;
  }
  /**
   * @param {string} name
   * @param {Range | null} range
   */
  zoom(name, range) {
    if (same(this.rangeOf(name), range)) return;
    this.enter(name);
    this.range = range;
    this.call();
  }
  /**
   * @param {string} name
   * @param {number | null} at
   * @param {object} by the picture that is pointed at
   */
  point(name, at, by) {
    if (this.atOf(name) === at && (at === null || this.by === by)) return;
    this.enter(name);
    this.at = at;
    this.by = by;
    this.call();
  }
  /**
   * Forgets the axis of another name.
   *
   * @param {string} name
   */
  enter(name) {
    if (this.name !== name) Object.assign(this, { name, range: null, at: null, by: null });
  }
  call() {
    for (const follower of this.followers) {
      try {
        follower();
      } catch (error) {
        reportError(error);
      }
    }
  }
  /**
   * Calls a follower at each change; returns how to end that.
   *
   * @param {() => void} follower
   */
  follow(follower) {
    this.followers.add(follower);
    return () => {
      this.followers.delete(follower);
    };
  }
};
function same(one, other) {
  if (one === null || other === null) return one === other;
  const least = 1e-9 * Math.abs(one[1] - one[0]);
  return Math.abs(one[0] - other[0]) <= least && Math.abs(one[1] - other[1]) <= least;
}
page.across ??= new Across();
var across = page.across;

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

// lib/figure.js
var isTree = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
function merge(under, over) {
  for (const [key, value] of Object.entries(over)) {
    if (!isTree(value)) {
      under[key] = value;
      continue;
    }
    const branch = under[key] ?? {};
    if (!isTree(branch)) throw new Error(`${key} has no branches that ${JSON.stringify(value)} could be laid on`);
    under[key] = branch;
    merge(branch, value);
  }
}
function themed(json, { template, roles }, font) {
  const figure = JSON.parse(json);
  figure.layout.template = template;
  merge(figure.layout, { font: { family: font }, hoverlabel: { font: { family: font } } });
  for (const trace of figure.data) merge(trace, roles[String(trace.meta)] ?? {});
  return figure;
}

// lib/plotly.js
var inside = (node) => node;
var shown = (axis) => ({
  type: axis.type,
  range: axis.range,
  offset: axis._offset,
  length: axis._length,
  px: (value) => axis.l2p(axis.d2l(value))
});
function axes(node) {
  const layout = inside(node)._fullLayout;
  return layout ? { x: shown(layout.xaxis), y: shown(layout.yaxis) } : null;
}
function acrossOf(node) {
  const layout = inside(node)._fullLayout;
  if (!layout) return null;
  const { xaxis } = layout;
  return { ...shown(xaxis), whole: xaxis.autorange, linear: (value) => xaxis.d2l(value) };
}
var dragmode = (node) => inside(node)._fullLayout?.dragmode ?? false;
var tracesOf = (node) => (inside(node)._fullData ?? []).map(({ _input, line, x, y }) => ({ name: _input.name, line, x, y }));
function lineOf(node, index) {
  const trace = inside(node)._fullData?.[index];
  const line = trace && node.querySelector(`.trace${trace.uid} .js-line`);
  return line ? { line, x: trace.x } : null;
}
var traceOf = (node, index) => {
  const uid = inside(node)._fullData?.[index]?.uid;
  return uid ? node.querySelector(`.trace${uid}`) : null;
};
var labelOf = (node, index) => node.querySelector(`.annotation[data-index="${index}"]`);
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
var purge = (node) => globalThis.Plotly?.purge(node);
var FINGER = window.matchMedia("(pointer: coarse)").matches;
var BUTTON = 48;
var settings = (Plotly, node, photograph, reset = null) => {
  const whole = reset ? { name: "whole", title: "Reset axes", icon: Plotly.Icons.home, click: reset } : "resetScale2d";
  return {
    displaylogo: false,
    ...FINGER ? fingers(Plotly, node, whole) : mouse(Plotly, photograph, whole),
    doubleClick: reset ? false : "reset"
  };
};
function mouse(Plotly, photograph, whole) {
  const camera = { name: "camera", title: "Save the picture as a PNG", icon: Plotly.Icons.camera, click: photograph };
  return { displayModeBar: "hover", modeBarButtons: [["zoom2d", "pan2d", whole, camera]] };
}
function fingers(Plotly, node, whole) {
  const drag = {
    name: "drag",
    title: "Zoom by drawing a box, or scroll the page",
    icon: Plotly.Icons.zoombox,
    click: () => Plotly.relayout(node, { dragmode: dragmode(node) ? false : "zoom" })
  };
  return { displayModeBar: true, modeBarButtons: [[drag, whole]] };
}
var plotlyNode = (node) => (
  /** @type {PlotlyNode} */
  node
);

// lib/png.js
var IHDR = 33;
function titled(png, title) {
  const body = new TextEncoder().encode(`iTXtTitle\0\0\0\0\0${title}`);
  const chunk = [bigEndian(body.length - 4), body, bigEndian(crc32(body))];
  return new Blob([png.slice(0, IHDR), ...chunk, png.slice(IHDR)], { type: "image/png" });
}
var bigEndian = (value) => Uint8Array.from([value >>> 24, value >>> 16, value >>> 8, value]);
function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc >>> 1 ^ (crc & 1 && 3988292384);
  }
  return ~crc;
}

// lib/save.js
function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 6e4);
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

// plot/geometry.js
function height({ aspect, margin: { l = 0, r = 0, t = 0, b = 0 }, heights: [least, most] }, width, above = t) {
  return Math.min(most, Math.max(least, Math.round((width - l - r) / aspect + above + b)));
}
function pathOf(x, heights, axes2) {
  let [path, command] = ["", "M"];
  heights.forEach((y, i) => {
    const [across2, up] = [axes2.x.px(x[i]), y === null ? Number.NaN : axes2.y.px(y)];
    if (Number.isFinite(up)) path += `${command}${across2.toFixed(1)},${up.toFixed(1)}`;
    command = Number.isFinite(up) ? "L" : "M";
  });
  return path;
}
function shareAt({ type, range: [begin, end] }, step) {
  const at = type === "log" ? Math.log10(Math.max(step, 1)) : step;
  return (at - begin) / (end - begin);
}

// plot/groups.js
var groupsOf = ({ data, layout }) => ({
  traces: data.map(({ legendgroup }) => String(legendgroup ?? "")),
  labels: labelsOf(layout).map(({ name }) => String(name ?? ""))
});
function leaveOut(figure, hidden) {
  const { traces, labels } = groupsOf(figure);
  figure.data.forEach((trace, i) => {
    if (hidden.has(traces[i])) trace.visible = false;
  });
  labelsOf(figure.layout).forEach((label, i) => {
    if (hidden.has(labels[i])) label.visible = false;
  });
}
var labelsOf = ({ annotations }) => Array.isArray(annotations) ? annotations : [];

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

// plot/along.js
var MOST = 6;
var STEPS = 50;
var CLOSER = 0.5;
var linesOf = (traces) => traces.filter(({ name, x, y }) => typeof name === "string" && name && isList(x) && isList(y)).map(({ name, line, x, y }) => ({
  name: String(name),
  color: String(
    /** @type {Tree | undefined} */
    line?.color ?? ""
  ),
  x: (
    /** @type {ArrayLike<unknown>} */
    x
  ),
  y: (
    /** @type {ArrayLike<unknown>} */
    y
  )
}));
var isList = (value) => Array.isArray(value) || ArrayBuffer.isView(value);
function valuesAt(lines, at, coordinate, reach) {
  const values = [];
  for (const { name, color, x, y } of lines) {
    let [nearest, value, least, most] = [Infinity, Number.NaN, Infinity, -Infinity];
    for (let i = 0; i < x.length; i++) {
      if (x[i] === null || y[i] === null || !Number.isFinite(Number(y[i]))) continue;
      const across2 = coordinate(Number(x[i]));
      if (!Number.isFinite(across2)) continue;
      [least, most] = [Math.min(least, across2), Math.max(most, across2)];
      const away = Math.abs(across2 - at);
      if (away <= nearest) [nearest, value] = [away, Number(y[i])];
    }
    if (at >= least - reach && at <= most + reach) values.push({ name, color, value });
  }
  return values.slice(0, MOST);
}
function afterKey(key, at, range) {
  const [begin, end] = range;
  const here = at === null ? (begin + end) / 2 : Math.min(end, Math.max(begin, at));
  const step = (end - begin) / STEPS;
  const scaled = (share) => {
    const next = [here - share * (here - begin), here + share * (end - here)];
    return next;
  };
  switch (key) {
    case "ArrowLeft":
      return { at: at === null ? here : Math.max(begin, here - step), range };
    case "ArrowRight":
      return { at: at === null ? here : Math.min(end, here + step), range };
    case "+":
    case "=":
      return { at: here, range: scaled(CLOSER) };
    case "-":
      return { at: here, range: scaled(1 / CLOSER) };
    case "0":
      return { at, range: null };
    case "Escape":
      return { at: null, range };
    default:
      return null;
  }
}

// plot/shared.js
var GAP = 8;
var REACH = 0.03;
var Shared = class {
  /**
   * @param {HTMLElement} root
   * @param {PlotlyNode} node
   */
  constructor(root, node) {
    this.root = root;
    this.node = node;
    this.cursor = box(root, ".fop-plot-cursor");
    this.values = box(root, ".fop-plot-values");
    this.name = "";
    this.percent = false;
    this.listed = "";
    this.clientX = 0;
    this.frame = 0;
  }
  /**
   * Gives a figure that is to be drawn what of the axis is shown.
   *
   * @param {Figure} figure
   */
  lay(figure) {
    const up = (
      /** @type {Tree | undefined} */
      figure.layout.yaxis
    );
    this.percent = String(up?.tickformat ?? "").endsWith("%");
    const range = across.rangeOf(this.name);
    if (this.name && range) merge(figure.layout, { xaxis: { range: [...range], autorange: false } });
  }
  /** @param {Plotly} Plotly */
  watch(Plotly) {
    const { node, root } = this;
    node.on("plotly_relayout", (change = {}) => {
      const shown2 = acrossOf(node);
      if (!shown2 || !Object.keys(change).some((key) => key.startsWith("xaxis."))) return;
      across.zoom(this.name, shown2.whole ? null : [shown2.range[0], shown2.range[1]]);
    });
    node.on("plotly_doubleclick", () => this.reset(Plotly));
    root.addEventListener("pointermove", ({ clientX, pointerType }) => {
      if (pointerType === "touch") return;
      this.clientX = clientX;
      this.frame ||= requestAnimationFrame(() => {
        this.frame = 0;
        across.point(this.name, this.at(this.clientX), this);
      });
    });
    root.addEventListener("pointerleave", () => this.leave());
    root.addEventListener("focus", () => this.values.setAttribute("aria-live", "polite"));
    root.addEventListener("blur", () => {
      this.values.removeAttribute("aria-live");
      this.leave();
    });
    root.addEventListener("keydown", (event) => this.key(event));
  }
  /**
   * Where on the axis a pixel is; null beside it.
   *
   * @param {number} clientX
   */
  at(clientX) {
    const shown2 = acrossOf(this.node);
    if (!shown2) return null;
    const share = (clientX - this.node.getBoundingClientRect().left - shown2.offset) / shown2.length;
    const [begin, end] = shown2.range;
    return share >= 0 && share <= 1 ? begin + share * (end - begin) : null;
  }
  /** Points nowhere. */
  leave() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    across.point(this.name, null, this);
  }
  /** @param {KeyboardEvent} event */
  key(event) {
    const shown2 = acrossOf(this.node);
    if (!shown2 || event.target !== this.root || event.ctrlKey || event.metaKey || event.altKey) return;
    const after = afterKey(event.key, across.atOf(this.name), shown2.range);
    if (!after) return;
    event.preventDefault();
    event.stopPropagation();
    if (after.range !== shown2.range) across.zoom(this.name, after.range);
    across.point(this.name, after.at, this.root);
  }
  /**
   * Shows all of the axis, in all pictures, and of this one all of the other axis.
   *
   * @param {Plotly} Plotly
   */
  reset(Plotly) {
    Plotly.relayout(this.node, { "xaxis.autorange": true, "yaxis.autorange": true });
    across.zoom(this.name, null);
  }
  /** @param {Plotly | null} Plotly once it is loaded */
  follow(Plotly) {
    const shown2 = acrossOf(this.node);
    if (!Plotly || !shown2 || this.node.hidden) return;
    const range = across.rangeOf(this.name);
    const there = shown2.whole ? null : shown2.range;
    if (JSON.stringify(range) !== JSON.stringify(there))
      Plotly.relayout(this.node, range ? { "xaxis.range": [...range] } : { "xaxis.autorange": true });
    this.point();
  }
  /** Draws the cursor, and what the lines are worth there unless this is the picture under the pointer. */
  point() {
    const [shown2, up, at] = [acrossOf(this.node), axes(this.node)?.y, across.atOf(this.name)];
    const share = shown2 && at !== null ? (at - shown2.range[0]) / (shown2.range[1] - shown2.range[0]) : Number.NaN;
    this.cursor.hidden = !(share >= 0 && share <= 1);
    if (!shown2 || !up || at === null || this.cursor.hidden) {
      this.list([], "");
      return;
    }
    const x = this.node.offsetLeft + shown2.offset + share * shown2.length;
    this.cursor.style.transform = `translateX(${x}px)`;
    this.cursor.style.top = `${up.offset}px`;
    this.cursor.style.height = `${up.length}px`;
    const reach = REACH * Math.abs(shown2.range[1] - shown2.range[0]);
    const values = across.by === this ? [] : valuesAt(linesOf(tracesOf(this.node)), at, shown2.linear, reach);
    this.list(values, short(shown2.type === "log" ? 10 ** at : at));
    const { offsetWidth } = this.values;
    const right = x + GAP + offsetWidth > this.root.clientWidth;
    this.values.style.transform = `translateX(${Math.max(0, right ? x - GAP - offsetWidth : x + GAP)}px)`;
    this.values.style.top = `${up.offset + GAP / 2}px`;
  }
  /**
   * @param {{ name: string, color: string, value: number }[]} values
   * @param {string} where they are, in words
   */
  list(values, where) {
    const listed = JSON.stringify([values, where]);
    this.values.hidden = !values.length;
    if (this.listed === listed) return;
    this.listed = listed;
    this.values.replaceChildren(
      make("li", "", where),
      ...values.map(({ name, color, value }) => {
        const line = make("li");
        line.style.setProperty("--fop-line", color);
        line.append(make("span", "", name), make("b", "", this.percent ? `${short(100 * value)} %` : short(value)));
        return line;
      })
    );
  }
};

// plot/chart.js
var DEBOUNCE = 250;
var PATIENCE = 120;
var frame = () => new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)));
async function afterPlayer() {
  for (let frames = 0; frames < PATIENCE; frames++) {
    const draws = !document.querySelector(".fop-ground:not([data-theme])");
    await frame();
    if (draws) break;
  }
  await frame();
}
var Chart = class {
  /**
   * @param {HTMLElement} root
   * @param {PlotData} data
   */
  constructor(root, data) {
    this.root = root;
    this.node = plotlyNode(box(root, ".fop-plot-node"));
    this.cursor = box(root, ".fop-plot-cursor");
    this.missing = box(root, ".fop-plot-missing");
    this.data = data;
    this.shown = "";
    this.groups = groupsOf({ data: [], layout: {} });
    this.hidden = "";
    this.dragmode = false;
    this.drawn = "";
    this.frame = null;
    this.timer = 0;
    this.left = 0;
    this.plotly = null;
    this.config = null;
    this.sizes = null;
    this.unfollow = () => {
    };
    this.shared = new Shared(root, this.node);
    this.send = () => {
    };
  }
  /**
   * @param {PlotData} data
   * @param {Send} send
   */
  show(data, send) {
    this.data = data;
    this.send = send;
    this.root.setAttribute("aria-label", data.alt);
    this.fit(data);
    this.unfollow();
    this.shared.name = data.across;
    if (data.across) this.root.tabIndex = 0;
    const ends = [clock.follow(() => this.follow(data)), emphasis.follow(() => this.emphasize(data))];
    if (data.across) ends.push(across.follow(() => this.shared.follow(this.plotly)));
    this.unfollow = () => {
      for (const end of ends) end();
    };
    this.draw(data);
  }
  /** @param {PlotData} data */
  fit(data) {
    this.node.style.height = `${height(data, this.root.clientWidth, FINGER ? BUTTON : void 0)}px`;
  }
  /** @param {PlotData} data */
  follow(data) {
    if (data.follows) this.mark();
    if (data.frames) this.turn(data, data.frames);
  }
  /**
   * Hides and fades runs as the legend says.
   *
   * @param {PlotData} data
   */
  emphasize(data) {
    if (this.hidden === keyOf(emphasis.hidden)) this.fade();
    else this.draw(data);
  }
  /** Fades the runs that are not pointed at. Plotly has no part in it: it takes 25 ms. */
  fade() {
    const fade = (groups, elementOf) => {
      groups.forEach((group, i) => {
        const element = group && elementOf(this.node, i);
        if (element) element.style.opacity = String(emphasis.opacity(group));
      });
    };
    fade(this.groups.traces, traceOf);
    fade(this.groups.labels, labelOf);
  }
  /** Shows where the player is, on an axis of steps. */
  mark() {
    const { cursor, node } = this;
    const shown2 = axes(node);
    if (!shown2 || node.hidden) return;
    const share = shareAt(shown2.x, clock.step);
    cursor.hidden = !(share >= 0 && share <= 1) || !clock.moving;
    if (cursor.hidden) return;
    cursor.style.transform = `translateX(${this.left + shown2.x.offset + share * shown2.x.length}px)`;
    cursor.style.top = `${shown2.y.offset}px`;
    cursor.style.height = `${shown2.y.length}px`;
  }
  /**
   * Shows the frame of the player's step.
   *
   * @param {PlotData} data
   * @param {Frames} frames
   */
  turn(data, frames) {
    const { node } = this;
    if (!frames.steps.length || this.drawn !== data.figure || node.hidden) return;
    const at = before(frames.steps, clock.step);
    if (this.frame === at) return;
    this.frame = at;
    this.bend(frames, at);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (node.isConnected && this.data === data) this.plotly?.restyle(node, { y: frames.y[at] }, frames.traces);
    }, DEBOUNCE);
  }
  /**
   * Moves lines to the heights of a frame at once, past plotly, which takes 25 ms for it: its own state follows when they
   * have stopped.
   *
   * @param {Frames} frames
   * @param {number} at
   */
  bend({ traces, y }, at) {
    const shown2 = axes(this.node);
    if (!shown2) return;
    traces.forEach((index, which) => {
      const trace = lineOf(this.node, index);
      trace?.line.setAttribute("d", pathOf(trace.x, y[at][which], shown2));
    });
  }
  /** @param {PlotData} data */
  async draw(data) {
    const { node } = this;
    const Plotly = await loadPlotly(data.source).catch(() => null);
    this.missing.hidden = Plotly !== null;
    node.hidden = Plotly === null;
    if (!Plotly) return;
    this.plotly = Plotly;
    await afterPlayer();
    if (!node.isConnected || this.data !== data) return;
    const theme = themeOf(node);
    this.hidden = keyOf(emphasis.hidden);
    const shown2 = `${theme} ${this.hidden} ${data.figure}`;
    if (this.shown === shown2) return;
    this.shown = shown2;
    const figure = themed(data.figure, data.themes[theme], getComputedStyle(node).getPropertyValue("--st-font"));
    this.groups = groupsOf(figure);
    leaveOut(figure, emphasis.hidden);
    if (FINGER) merge(figure.layout, { dragmode: this.dragmode, margin: { t: BUTTON } });
    const reset = data.across ? () => this.shared.reset(Plotly) : null;
    this.config ??= settings(Plotly, node, () => this.photograph(Plotly), reset);
    this.shared.lay(figure);
    await Plotly.react(node, figure.data, figure.layout, this.config);
    this.noteDrag();
    node.dataset.theme = theme;
    this.drawn = data.figure;
    this.frame = null;
    this.follow(data);
    if (!this.sizes) this.watch(Plotly);
    if (data.across) this.shared.follow(Plotly);
  }
  noteDrag() {
    const drag = dragmode(this.node);
    this.node.dataset.drag = String(drag);
    return drag;
  }
  /** @param {Plotly} Plotly */
  watch(Plotly) {
    const { node, root } = this;
    const measure = () => {
      this.left = node.offsetLeft;
    };
    node.on("plotly_afterplot", () => {
      measure();
      this.fade();
    });
    if (this.data?.across) this.shared.watch(Plotly);
    node.on("plotly_click", (click) => {
      const [point] = (
        /** @type {{ customdata?: unknown }[]} */
        click?.points ?? []
      );
      const clicked = point?.customdata;
      if (this.data?.clicks && clicked !== void 0) this.send("clicked", clicked);
    });
    node.on("plotly_relayout", () => {
      this.dragmode = this.noteDrag();
      clock.followers.call();
    });
    let width = root.clientWidth;
    this.sizes = new ResizeObserver(() => {
      measure();
      if (!this.data || !root.clientWidth || root.clientWidth === width) return;
      width = root.clientWidth;
      this.fit(this.data);
      Plotly.Plots.resize(node);
    });
    this.sizes.observe(root);
  }
  /**
   * Saves what is seen now, at the cursor's step where the picture shows that.
   *
   * @param {Plotly} Plotly
   */
  async photograph(Plotly) {
    const { data, node } = this;
    if (!data) return;
    const { title, file, follows, frames } = data;
    const { step } = clock;
    if (frames?.steps.length) await Plotly.restyle(node, { y: frames.y[before(frames.steps, step)] }, frames.traces);
    const [width, height2] = [node.offsetWidth, node.offsetHeight];
    const image = await Plotly.toImage(node, { format: "png", scale: 3, width, height: height2 });
    const bytes = Uint8Array.from(atob(image.slice(image.indexOf(",") + 1)), (sign) => sign.charCodeAt(0));
    const at = (follows || frames) && Number.isFinite(step) ? Math.floor(step) : null;
    const [named, stem] = at === null ? [title, file] : [`${title}, step ${at}`, `${file}-step-${at}`];
    save(titled(new Blob([bytes]), named), `${stem}.png`);
  }
  leave() {
    this.sizes?.disconnect();
    this.unfollow();
    this.data = null;
    purge(this.node);
  }
};

// plot/index.js
function show({ data, parentElement, setTriggerValue }) {
  const root = box(parentElement, ".fop-plot");
  const chart = living(box(root, ".fop-plot-node"), () => new Chart(root, data));
  chart.show(data, setTriggerValue);
  return atUnmount(chart.node, () => chart.leave());
}
var index_default = inOrder(show);
export {
  index_default as default
};
