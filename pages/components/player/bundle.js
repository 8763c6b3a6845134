// Made by scripts/web.sh build of sources with the checksum e27adc0a91b2964ac59d682dba2368754642706a3bd42cfb4385d971f57e2007.
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
function write(element, text) {
  const { firstChild: node } = element;
  if (!(node instanceof Text) || node.nextSibling) element.textContent = text;
  else if (node.data !== text) node.data = text;
}

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
function within(hidden, rules) {
  const kept = new Set(hidden);
  if (rules.every((rule) => kept.has(rule))) for (const rule of rules) kept.delete(rule);
  return kept;
}
function toggled(hidden, rule, rules) {
  const next = new Set(hidden);
  if (!next.delete(rule)) next.add(rule);
  return within(next, rules);
}
function alone(hidden, rule, rules) {
  const next = new Set(hidden);
  const others = rules.filter((other) => other !== rule);
  const already = !next.has(rule) && others.every((other) => next.has(other));
  next.delete(rule);
  for (const other of others) {
    if (already) next.delete(other);
    else next.add(other);
  }
  return next;
}
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
var clamp = (value, low, high) => Math.min(high, Math.max(low, value));

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
var dragmode = (node) => inside(node)._fullLayout?.dragmode ?? false;
var onButton = ({ target }) => target instanceof Element && target.closest(".modebar") !== null;
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
var settings = (Plotly, node, photograph2, reset = null) => {
  const whole = reset ? { name: "whole", title: "Reset axes", icon: Plotly.Icons.home, click: reset } : "resetScale2d";
  return {
    displaylogo: false,
    ...FINGER ? fingers(Plotly, node, whole) : mouse(Plotly, photograph2, whole),
    doubleClick: reset ? false : "reset"
  };
};
function mouse(Plotly, photograph2, whole) {
  const camera = { name: "camera", title: "Save the picture as a PNG", icon: Plotly.Icons.camera, click: photograph2 };
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

// lib/canvas.js
function contextOf(canvas) {
  const context = canvas.getContext("2d");
  if (!context) throw new Error("this browser gives a canvas no 2d context");
  return context;
}
function cellCanvas(columns, rows, fill, made = make("canvas")) {
  if (made.width !== columns || made.height !== rows) Object.assign(made, { width: columns, height: rows });
  const image = new ImageData(columns, rows);
  fill(new Uint32Array(image.data.buffer));
  contextOf(made).putImageData(image, 0, 0);
  return made;
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

// lib/colors.js
function rgb(hex) {
  const part2 = (at) => parseInt(hex.slice(at, at + 2), 16);
  return [part2(1), part2(3), part2(5)];
}
function blend(over, under, share) {
  const part2 = (i) => Math.round(over[i] * share + under[i] * (1 - share));
  return [part2(0), part2(1), part2(2)];
}
var pixel = ([red, green, blue]) => (255 << 24 | blue << 16 | green << 8 | red) >>> 0;
var css = (color) => `rgb(${color.join()})`;

// player/bar.js
var MOST = 4;
var nameOf = (level, { log }) => {
  const text = short(log ? 10 ** level : level);
  return text.includes(".") && !text.includes("e") ? text.replace(/\.?0+$/, "") : text;
};
function bandsOf({ start, end, size }, scale) {
  const count2 = Math.round((end - start) / size) + 1;
  const levels = Array.from({ length: count2 }, (_, i) => ({ level: start + i * size, share: (i + 1) / (count2 + 1) }));
  const whole = levels.filter(({ level }) => Math.abs(level - Math.round(level)) < 1e-6);
  const named = scale.log && whole.length > 1 ? whole : levels;
  const every = Math.max(1, Math.ceil((named.length - 1) / (MOST - 1)));
  return {
    bands: count2 + 1,
    labels: named.filter((_, i) => i % every === 0).map(({ level, share }) => ({
      share,
      text: nameOf(scale.log && named === whole ? Math.round(level) : level, scale)
    }))
  };
}
function drawBar(root, levels, scale, colors) {
  root.hidden = levels.start === levels.end;
  const { bands, labels } = bandsOf(levels, scale);
  const [low, high] = [rgb(colors.low), rgb(colors.high)];
  const strip = make("div", "fop-bands");
  for (let i = 0; i < bands; i++) {
    const band = make("span");
    band.style.background = css(blend(high, low, i / (bands - 1)));
    strip.append(band);
  }
  const ticks = make("div", "fop-ticks");
  for (const { share, text } of labels) {
    const tick = make("span", "", text);
    tick.style.left = `${100 * share}%`;
    ticks.append(tick);
  }
  const title = `${scale.quantity}${scale.log ? ", log" : ""}`;
  const [first, last] = [labels[0], labels[labels.length - 1]];
  root.setAttribute(
    "aria-label",
    `Colours of the surface: ${scale.quantity} from ${first.text} to ${last.text}${scale.log ? ", logarithmic" : ""}`
  );
  const body = make("div", "fop-strip");
  body.append(strip, ticks);
  root.replaceChildren(make("span", "fop-quantity", title), body);
}

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

// player/camera.js
var SHARP = 3;
async function photograph(player, Plotly) {
  const { ground, stage } = player.parts;
  const { title, file } = player.data;
  const { offsetWidth: width, offsetHeight: height } = player.solid ? stage : ground;
  const step = Math.floor(Math.min(player.step, player.end));
  const { paper } = player.colors;
  const [over, front] = sheet(width, height);
  if (!player.solid) front.translate(-ground.offsetLeft, -ground.offsetTop);
  player.drawn(SHARP, () => layers(front, player));
  const below = player.solid ? [] : [await surfaceOf(ground, Plotly)];
  const [whole, context] = sheet(width, height);
  context.fillStyle = paper;
  context.fillRect(0, 0, width, height);
  for (const image of [...below, over]) context.drawImage(image, 0, 0, width, height);
  const drawn = await new Promise((resolve) => whole.toBlob(resolve));
  if (!drawn) throw new Error(`the browser makes no PNG of ${whole.width} × ${whole.height} pixels`);
  const name = `${file}-step-${step}.png`;
  save(titled(drawn, `${title}, step ${step}`), name);
  return name;
}
async function surfaceOf(ground, Plotly) {
  const { offsetWidth: width, offsetHeight: height } = ground;
  const surface = new Image();
  surface.src = await Plotly.toImage(ground, { format: "png", scale: SHARP, width, height });
  await surface.decode();
  return surface;
}
function sheet(width, height) {
  const made = document.createElement("canvas");
  Object.assign(made, { width: width * SHARP, height: height * SHARP });
  const context = contextOf(made);
  context.scale(SHARP, SHARP);
  return [made, context];
}
function layers(context, { parts: { stage, paths, heads, labels } }) {
  for (const layer of [paths, heads]) {
    const { left, top, width, height } = layer.style;
    context.drawImage(layer, parseFloat(left), parseFloat(top), parseFloat(width), parseFloat(height));
  }
  const origin = stage.getBoundingClientRect();
  context.textBaseline = "middle";
  for (const label of labels.querySelectorAll(".fop-arrived")) {
    if (!(label instanceof HTMLElement)) continue;
    const box2 = label.getBoundingClientRect();
    const [left, top] = [box2.left - origin.left, box2.top - origin.top];
    const style = getComputedStyle(label);
    context.globalAlpha = Number(label.style.opacity);
    context.fillStyle = style.backgroundColor;
    context.fillRect(left, top, box2.width, box2.height);
    context.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    context.fillStyle = style.color;
    context.fillText(label.textContent ?? "", left + parseFloat(style.paddingLeft), top + box2.height / 2);
  }
}

// player/arrows.js
function directionOf(view, { x, y }, angle) {
  const far = 1e-3 * view.span;
  const [x1, y1] = [x + far * Math.cos(angle), y + far * Math.sin(angle)];
  const [dx, dy] = [view.x(x1, y1) - view.x(x, y), view.y(x1, y1) - view.y(x, y)];
  const size = Math.hypot(dx, dy);
  return size > 0 ? [dx / size, dy / size] : null;
}
function arrow(context, view, head, angle, length, dash) {
  const direction = directionOf(view, head, angle);
  if (!direction) return;
  const [ux, uy] = direction;
  const [x0, y0] = [view.x(head.x, head.y), view.y(head.x, head.y)];
  const [x1, y1] = [x0 + length * ux, y0 + length * uy];
  context.setLineDash(dash);
  context.beginPath();
  context.moveTo(x0 + 8 * ux, y0 + 8 * uy);
  context.lineTo(x1, y1);
  context.stroke();
  context.setLineDash([]);
  context.beginPath();
  context.moveTo(x1 + 6 * ux, y1 + 6 * uy);
  context.lineTo(x1 - 3.5 * uy, y1 + 3.5 * ux);
  context.lineTo(x1 + 3.5 * uy, y1 - 3.5 * ux);
  context.fill();
}
function arrows(context, run, view, head, ink) {
  const { index } = head;
  if (!run.arrows || index + 1 >= run.count) return;
  const { gradient, preconditioned } = run.arrows;
  context.lineWidth = 1.6;
  context.strokeStyle = ink;
  context.fillStyle = ink;
  arrow(context, view, head, gradient[index] + Math.PI, 34, [2, 3]);
  context.strokeStyle = run.color;
  context.fillStyle = run.color;
  if (preconditioned) arrow(context, view, head, preconditioned[index] + Math.PI, 46, [5, 3]);
  const [dx, dy] = [run.x[index + 1] - run.x[index], run.y[index + 1] - run.y[index]];
  if (dx || dy) arrow(context, view, head, Math.atan2(dy, dx), 58, []);
}

// lib/ellipses.js
var DEGREE = 180 / Math.PI;
var NARROWEST = 0.012;
function axesOf(matrix) {
  if (!matrix?.every(Number.isFinite)) return null;
  const [xx, xy, yy] = matrix;
  const mean = (xx + yy) / 2;
  const radius = Math.hypot((xx - yy) / 2, xy);
  const turn = Math.atan2(2 * xy, xx - yy) / 2;
  return mean >= 0 ? { angle: turn, large: mean + radius, small: mean - radius } : { angle: turn + Math.PI / 2, large: mean - radius, small: mean + radius };
}
function ellipse({ angle, long, wide }, [xx, xy, yx, yy]) {
  const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
  const share = wide / Math.max(long, 1e-300);
  const [ax, ay] = [xx * cosine + xy * sine, yx * cosine + yy * sine];
  const [bx, by] = [share * (xy * cosine - xx * sine), share * (yy * cosine - yx * sine)];
  const axes2 = axesOf([ax * ax + bx * bx, ax * ay + bx * by, ay * ay + by * by]);
  if (!axes2 || !(axes2.large > 0)) return { rx: NARROWEST, ry: NARROWEST, turn: 0 };
  const narrow = Math.abs(ax * by - ay * bx) / axes2.large;
  return { rx: 1, ry: Math.max(narrow, NARROWEST), turn: axes2.angle };
}
function between(one, other) {
  const turned = Math.abs(one - other) % Math.PI;
  return Math.min(turned, Math.PI - turned) * DEGREE;
}
var longer = (a, b) => b === 0 ? "∞" : short(Math.abs(a / b));
var isRound = (a, b) => Math.abs(Math.abs(a / b) - 1) < 0.02;
function compared(P, H) {
  const axes2 = axesOf(P);
  if (!axes2) return null;
  const { angle, large, small } = axes2;
  const indefinite = large < 0 || small < 0;
  const known = axesOf(H);
  const { angle: steep, large: curved, small: flat } = known ?? { angle: 0, large: 0, small: 0 };
  const inverse = Math.abs(flat) > 1e-10 * Math.abs(curved);
  const negative = curved < 0 || flat < 0;
  const name = negative ? "|H|⁻¹" : "H⁻¹";
  const hessian = () => {
    if (!known) return "The Hessian is not finite here.";
    if (!inverse) return "H is singular here: it has an eigenvalue 0 and no inverse";
    if (negative) return `|H|⁻¹, dashed: here H has a negative eigenvalue, ${short(Math.min(curved, flat))}`;
    return `H⁻¹: ${longer(curved, flat)} times as long as wide`;
  };
  const apart2 = Math.round(between(angle, steep + Math.PI / 2));
  const away = inverse && !isRound(large, small) && !isRound(curved, flat) ? `, ${apart2}° away from ${name}` : "";
  return {
    learned: { angle, long: Math.abs(large), wide: Math.abs(small) },
    // 1 / |flat| and 1 / |curved|, up to their size
    newton: inverse ? { angle: steep + Math.PI / 2, long: Math.abs(curved), wide: Math.abs(flat) } : null,
    indefinite,
    negative,
    lines: [
      `P: eigenvalues ${short(large)}, ${short(small)}${indefinite ? ", not positive definite" : ""}`,
      hessian(),
      `P: ${longer(large, small)} times as long as wide${away}`
    ]
  };
}

// player/apart.js
function keptApart(texts, high) {
  const placed = [];
  for (const text of texts) {
    const beside = placed.filter(({ left, width }) => left < text.left + text.width && text.left < left + width);
    const free2 = [text.y, ...beside.flatMap(({ y: y2 }) => [y2 + high, y2 - high])].filter(
      (y2) => beside.every((other) => Math.abs(other.y - y2) > high - 1e-9)
    );
    const y = free2.reduce((best, each) => Math.abs(each - text.y) < Math.abs(best - text.y) ? each : best);
    placed.push({ ...text, y });
  }
  return placed.map(({ y }) => y);
}

// player/lengths.js
var LEAST = 18;
var MOST2 = 90;
function round(number) {
  const power = 10 ** Math.floor(Math.log10(number));
  return power * ([1, 2, 5].find((times) => times * power >= number) ?? 10);
}
function factorOf(length) {
  if (length > MOST2) return 1 / round(length / MOST2);
  return length > 0 && length < LEAST ? round(LEAST / length) : 1;
}
function commonFactor(vectors) {
  const lengths = vectors.map((vector) => Math.hypot(...vector)).filter(Number.isFinite);
  return factorOf(Math.max(0, ...lengths));
}
function factorText(factor) {
  if (factor === 1) return "";
  const times = Math.round(factor > 1 ? factor : 1 / factor);
  return ` ${factor > 1 ? "×" : "÷"} ${times < 1e6 ? count(times) : short(times)}`;
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

// player/race.js
var floats = (buffer) => new Float32Array(buffer ?? new ArrayBuffer(0));
function motions(data) {
  const points = floats(data.points);
  const losses = floats(data.losses);
  const kept = new Uint32Array(data.kept ?? new ArrayBuffer(0));
  const angles = floats(data.angles);
  let [at, from, turn] = [0, 0, 0];
  const steps = (count2) => {
    from += count2;
    return kept.subarray(from - count2, from);
  };
  const turns = (count2) => {
    turn += count2;
    return angles.subarray(turn - count2, turn);
  };
  return data.runs.map(({ count: count2, downsampled, learns, arrows: arrows2 }) => {
    const begin = at;
    at += count2;
    return {
      count: count2,
      x: points.subarray(2 * begin, 2 * begin + count2),
      y: points.subarray(2 * begin + count2, 2 * at),
      losses: losses.subarray(begin, at),
      steps: downsampled ? steps(count2) : null,
      arrows: arrows2 ? { gradient: turns(count2), preconditioned: learns ? turns(count2) : null } : null
    };
  });
}
var indexAt = ({ steps, count: count2 }, step) => steps ? before(steps, step) : Math.min(Math.floor(step), count2 - 1);
var stepOf = ({ steps }, index) => steps ? steps[index] : index;
var endOf = (runs) => Math.max(1, ...runs.map((run) => stepOf(run, run.count - 1)));
function headAt(run, step) {
  const index = indexAt(run, step);
  const { x, y } = run;
  if (index + 1 >= run.count || run.steps) return { index, x: x[index], y: y[index] };
  const share = Math.min(1, step - index);
  return { index, x: x[index] + share * (x[index + 1] - x[index]), y: y[index] + share * (y[index + 1] - y[index]) };
}
var shareOf = (step, end, log) => log ? Math.log1p(step) / Math.log1p(end) : step / end;
function stepAt(share, end, log) {
  if (share >= 1) return end;
  const kept = Math.max(0, share);
  return log ? Math.expm1(kept * Math.log1p(end)) : kept * end;
}

// player/terms.js
function termsOf(data) {
  const matrices = new Float64Array(data.matrices);
  const [gradients, moves, rates] = [data.gradients, data.moves, data.rates].map(floats);
  let [point, matrix, rated] = [0, 0, 0];
  return data.runs.map(({ count: count2, learns, rate, scheduled, momentum }) => {
    const pair = (array) => [array.subarray(point, point + count2), array.subarray(point + count2, point + 2 * count2)];
    const symmetric = () => [0, 1, 2].map(() => {
      matrix += count2;
      return matrices.subarray(matrix - count2, matrix);
    });
    const [g, steps] = [pair(gradients), pair(moves)];
    point += 2 * count2;
    const [P, H] = learns ? [symmetric(), symmetric()] : [null, null];
    if (scheduled) rated += count2;
    return { g, moves: steps, P, H, rates: scheduled ? rates.subarray(rated - count2, rated) : null, rate, momentum };
  });
}
var shownOf = (runs, name) => runs.find((run) => run.name === name) ?? runs.findLast((run) => run.terms?.P) ?? runs.at(-1) ?? null;
function partsAt(run, step) {
  const { terms, count: count2, steps } = run;
  if (!terms) return null;
  const index = indexAt(run, step);
  const share = steps || index + 1 >= count2 ? 0 : Math.min(1, step - index);
  const at = (column) => share ? column[index] + share * (column[index + 1] - column[index]) : column[index];
  const [gx, gy] = terms.g.map(at);
  const [dx, dy] = terms.moves.map((column) => column[index]);
  const matrix = (columns) => columns && [at(columns[0]), at(columns[1]), at(columns[2])];
  return {
    index,
    g: [gx, gy],
    P: matrix(terms.P),
    H: matrix(terms.H),
    rate: terms.rates ? terms.rates[index] : terms.rate,
    move: index + 1 < count2 && Number.isFinite(dx + dy) ? [dx, dy] : null
  };
}
function pulls({ g: [x, y], P, rate }) {
  const descent = [-rate * x, -rate * y];
  if (!P) return { descent, preconditioned: null };
  const [xx, xy, yy] = P;
  return { descent, preconditioned: [-rate * (xx * x + xy * y), -rate * (xy * x + yy * y)] };
}
function triedOf(parts) {
  const { descent, preconditioned } = pulls(parts);
  const pull = preconditioned ?? descent;
  return parts.move && !parts.move.some(Boolean) && pull.some(Boolean) ? pull : null;
}

// player/followed.js
var SHARE = 0.12;
var DASH = [4, 3];
var HIGH = 14;
function jacobianOf(view, x, y) {
  const far = 1e-3 * view.span;
  return [
    (view.x(x + far, y) - view.x(x - far, y)) / (2 * far),
    (view.x(x, y + far) - view.x(x, y - far)) / (2 * far),
    (view.y(x + far, y) - view.y(x - far, y)) / (2 * far),
    (view.y(x, y + far) - view.y(x, y - far)) / (2 * far)
  ];
}
var radiusOf = ({ width, height }) => SHARE * Math.min(width, height);
var pixels = ([xx, xy, yx, yy], [x, y]) => [xx * x + xy * y, yx * x + yy * y];
function drawShapes(context, { color, px, py }, jacobian, { P, H }, { ink }, radius) {
  const shown2 = compared(P, H);
  if (!shown2) return;
  const alpha = context.globalAlpha;
  const { learned, newton, indefinite, negative } = shown2;
  for (
    const [shape, paint, width, opacity, dashed] of
    /** @type {const} */
    [
      [learned, color, 4, 0.14, indefinite],
      [newton, ink, 1.5, 0.08, negative]
    ]
  ) {
    if (!shape) continue;
    const { rx, ry, turn } = ellipse(shape, jacobian);
    context.save();
    context.beginPath();
    context.ellipse(px, py, radius * rx, radius * ry, turn, 0, 2 * Math.PI);
    context.fillStyle = paint;
    context.globalAlpha = alpha * opacity;
    context.fill();
    context.globalAlpha = alpha;
    context.setLineDash(dashed ? DASH : []);
    context.strokeStyle = paint;
    context.lineWidth = width;
    context.stroke();
    context.restore();
  }
}
function arrow2(context, [x0, y0], [dx, dy], color, dash, label, { colors }) {
  const length = Math.hypot(dx, dy);
  if (!(length > 0) || !Number.isFinite(length)) return [];
  const [ux, uy] = [dx / length, dy / length];
  const [x1, y1] = [x0 + dx, y0 + dy];
  const neck = Math.max(0, length - 7);
  const tip = new Path2D();
  tip.moveTo(x1, y1);
  tip.lineTo(x0 + neck * ux - 4 * uy, y0 + neck * uy + 4 * ux);
  tip.lineTo(x0 + neck * ux + 4 * uy, y0 + neck * uy - 4 * ux);
  tip.closePath();
  const line = new Path2D();
  line.moveTo(x0, y0);
  line.lineTo(x0 + neck * ux, y0 + neck * uy);
  context.save();
  context.lineJoin = "round";
  context.strokeStyle = colors.paper;
  context.lineWidth = 4;
  context.stroke(line);
  context.lineWidth = 2;
  context.stroke(tip);
  Object.assign(context, { strokeStyle: color, fillStyle: color });
  context.setLineDash(dash);
  context.stroke(line);
  context.fill(tip);
  context.restore();
  const align = ux < -0.3 ? "right" : ux > 0.3 ? "left" : "center";
  const off = Math.max(length, LEAST);
  return label ? [{ text: label, x: x0 + (off + 6) * ux, y: y0 + (off + 12) * uy, align, color }] : [];
}
function write2(context, names, { colors, font }) {
  context.save();
  context.font = `600 12px ${font}`;
  context.textBaseline = "middle";
  context.strokeStyle = colors.paper;
  context.lineWidth = 3;
  const lines = names.map(({ text, x, y, align }) => {
    const { width } = context.measureText(text);
    return { left: x - { left: 0, center: width / 2, right: width }[align], y, width };
  });
  keptApart(lines, HIGH).forEach((y, i) => {
    const { text, x, align, color } = names[i];
    context.textAlign = align;
    context.fillStyle = color;
    context.strokeText(text, x, y);
    context.fillText(text, x, y);
  });
  context.restore();
}
var isNear = ([x, y], [u, v]) => Math.hypot(x - u, y - v) <= 1e-4 * Math.hypot(x, y);
function drawPulls(context, { color, px, py }, jacobian, parts, style) {
  const { descent, preconditioned } = pulls(parts);
  const { move } = parts;
  if (!move) return;
  const drawn = [[descent, style.colors.ink, [2, 3], "−ε g"]];
  if (preconditioned) drawn.push([preconditioned, color, [], "−ε P g"]);
  else if (!isNear(move, descent)) drawn.push([move, color, [], "step"]);
  const factor = commonFactor(drawn.map(([vector]) => pixels(jacobian, vector)));
  const names = drawn.flatMap(([vector, paint, dash, label]) => {
    const [dx, dy] = pixels(jacobian, vector);
    return arrow2(context, [px, py], [factor * dx, factor * dy], paint, dash, label + factorText(factor), style);
  });
  write2(context, names, style);
}
function drawParts(context, { color, px, py }, jacobian, parts, { index, share }, style) {
  const common = commonFactor(parts.filter(({ adds }) => adds).map(({ vector }) => pixels(jacobian, vector)));
  const names = parts.flatMap(({ phase, from, vector, adds, label }, i) => {
    const drawn = i < index ? 1 : i === index ? share : 0;
    if (!drawn) return [];
    const [dx, dy] = pixels(jacobian, vector);
    const factor = adds ? common : factorOf(Math.hypot(dx, dy));
    const [x, y] = pixels(jacobian, from);
    const grown = phase === "move" ? factor : factor * drawn;
    const named = phase === "move" || index < parts.length - 1 || !share;
    return arrow2(
      context,
      [px + factor * x, py + factor * y],
      [grown * dx, grown * dy],
      phase === "gradient" ? style.colors.ink : color,
      phase === "gradient" ? [2, 3] : phase === "move" ? [] : [5, 3],
      named ? label + factorText(factor) : "",
      style
    );
  });
  write2(context, names, style);
}

// player/paths.js
var MARKS = [1, 10, 100, 1e3, 1e4, 1e5];
var FARTHEST = 1e5;
var BEHIND = [1.5, 3];
var FAINT = 0.6;
var NEAR = 10;
var LATE = 0.25;
var near = (px) => clamp(px, -FARTHEST, FARTHEST);
var opacityOf = ({ rule, late }) => emphasis.opacity(rule) * (late ? LATE : 1);
function glyph(context, run, x, y, size, paper) {
  context.save();
  context.translate(x, y);
  context.scale(size, size);
  context.lineWidth = 2 / size;
  context.strokeStyle = paper;
  context.fillStyle = run.color;
  context.stroke(run.glyph);
  context.fill(run.glyph);
  context.restore();
}
function follow(view, x0, y0, x1, y1, visit) {
  const pieces = view.pieces?.(x0, y0, x1, y1) || 1;
  for (let n = 1; n <= pieces; n++) {
    const share = n / pieces;
    const [x, y] = n < pieces ? [x0 + share * (x1 - x0), y0 + share * (y1 - y0)] : [x1, y1];
    visit(near(view.x(x, y)), near(view.y(x, y)), x, y);
  }
}
function extend(context, run, view, last, paper) {
  const { x, y } = run;
  if (run.drawn < 0)
    Object.assign(run, { drawn: 0, length: 0, hidden: 0, px: view.x(x[0], y[0]), py: view.y(x[0], y[0]) });
  if (last <= run.drawn) return;
  const [line, behind2] = [new Path2D(), new Path2D()];
  let drawn = null;
  const before2 = run.length;
  const begin = run.drawn;
  let from = begin;
  for (let i = begin + 1; i <= last; i++) {
    if (i < last && view.pieces?.(x[from], y[from], x[i], y[i]) === 0) continue;
    follow(view, x[from], y[from], x[i], y[i], (px, py, xn, yn) => {
      const way = Math.hypot(px - run.px, py - run.py);
      if (way < 0.7 && i < last) return;
      const hidden = view.hidden?.(xn, yn) ?? false;
      const path = hidden ? behind2 : line;
      if (path !== drawn) path.moveTo(run.px, run.py);
      path.lineTo(px, py);
      drawn = path;
      run.px = px;
      run.py = py;
      run.length += way;
      if (hidden) run.hidden += way;
    });
    from = i;
  }
  run.drawn = last;
  context.lineDashOffset = before2;
  const alpha = context.globalAlpha;
  if (run.hidden) {
    context.setLineDash(BEHIND);
    context.strokeStyle = run.color;
    context.globalAlpha = alpha * FAINT;
    context.lineWidth = 1.2;
    context.stroke(behind2);
    context.globalAlpha = alpha;
  }
  context.lineJoin = "round";
  context.setLineDash([]);
  context.strokeStyle = paper;
  context.lineWidth = run.width + 2;
  context.stroke(line);
  context.setLineDash(run.dash);
  context.strokeStyle = run.color;
  context.lineWidth = run.width;
  context.stroke(line);
  context.setLineDash([]);
  for (const i of marked(run, begin, last)) {
    context.globalAlpha = view.hidden?.(x[i], y[i]) ? alpha * FAINT : alpha;
    glyph(context, run, near(view.x(x[i], y[i])), near(view.y(x[i], y[i])), 1, paper);
  }
  context.globalAlpha = alpha;
}
function lead(context, run, view, { index, x, y }) {
  const [x0, y0] = [run.x[index], run.y[index]];
  context.strokeStyle = run.color;
  context.lineWidth = run.width;
  context.beginPath();
  context.moveTo(view.x(x0, y0), view.y(x0, y0));
  follow(view, x0, y0, x, y, (px, py) => context.lineTo(px, py));
  context.stroke();
}
var marked = (run, begin, last) => MARKS.map((mark) => ({ mark, index: indexAt(run, mark) })).filter(({ mark, index }) => index > begin && index <= last && stepOf(run, index) === mark).map(({ index }) => index);
function nearest(runs, view, px, py) {
  let best = null;
  let least = NEAR;
  for (const run of runs)
    for (let index = 0; index <= run.drawn; index++) {
      const away = Math.hypot(view.x(run.x[index], run.y[index]) - px, view.y(run.x[index], run.y[index]) - py);
      if (away <= least) [best, least] = [{ run, index }, away];
    }
  return best;
}

// player/phases.js
var NEAR2 = 1e-6;
var phasesOf = ({ P, momentum }) => [
  "gradient",
  ...momentum ? (
    /** @type {Phase[]} */
    ["momentum"]
  ) : [],
  ...P ? (
    /** @type {Phase[]} */
    ["preconditioned"]
  ) : [],
  "move"
];
function phaseAt(step, phases) {
  const nearest2 = Math.round(step * phases);
  const over = Math.abs(step * phases - nearest2) < NEAR2 ? nearest2 : step * phases;
  const whole = Math.floor(over / phases);
  const index = Math.floor(over - whole * phases);
  return { whole, index, share: over - whole * phases - index };
}
function headStep(step, phases) {
  const { whole, index, share } = phaseAt(step, phases);
  return index === phases - 1 ? whole + share : whole;
}
function nextPhase(step, phases, by) {
  const over = step * phases;
  return (by > 0 ? Math.floor(over + NEAR2) + 1 : Math.ceil(over - NEAR2) - 1) / phases;
}
var NAMES = {
  gradient: "the gradient g, followed downhill",
  momentum: "momentum, what past gradients add",
  preconditioned: "P g, the gradient turned and stretched by P",
  move: "the step Δθ"
};
function captionOf(step, phases, isUndone) {
  const { whole, index, share } = phaseAt(step, phases.length);
  const begun = index + (share > 0 ? 1 : 0);
  if (!begun && !whole) return `A step in ${phases.length} parts`;
  const of = begun ? whole : whole - 1;
  const number = begun || phases.length;
  const phase = phases[number - 1];
  const undone = phase === "move" && isUndone(of);
  const name = undone ? "undone, as the loss would not have fallen" : NAMES[phase];
  return `${number} of ${phases.length}: ${name}`;
}
function arrowsOf(parts, phases) {
  const { move } = parts;
  if (!move) return [];
  const { descent, preconditioned } = pulls(parts);
  const undone = triedOf(parts) !== null;
  const pull = preconditioned ?? descent;
  const kept = undone ? [0, 0] : [move[0] - pull[0], move[1] - pull[1]];
  const zero = [0, 0];
  const adds = phases.includes("momentum");
  const all = {
    gradient: { phase: "gradient", from: zero, vector: descent, adds: adds && !preconditioned, label: "−ε g" },
    momentum: { phase: "momentum", from: preconditioned ? zero : descent, vector: kept, adds, label: "momentum" },
    preconditioned: { phase: "preconditioned", from: adds ? kept : zero, vector: pull, adds: true, label: "−ε P g" },
    move: {
      phase: "move",
      from: zero,
      vector: undone ? pull : move,
      adds: true,
      label: undone ? "undone: f does not fall" : "step"
    }
  };
  return phases.map((phase) => all[phase]);
}

// player/cube.js
var TICK = 5;
var GAP = 6;
var HIGH2 = 11;
var APART = 3;
var SIDES = (
  /** @type {const} */
  [-0.5, 0.5]
);
var STRIDES = [1, 2, 3, 4, 6, 8];
function cube(projection, axes2, width, measure) {
  const at = ([u, v, z]) => [projection.x(u, v), projection.y(u, v, z)];
  const line = (from, to) => {
    const [[x0, y0], [x1, y1]] = [at(from), at(to)];
    return [x0, y0, x1, y1];
  };
  const [xs, ys, zs] = axes2.map((axis) => axis.ticks.map(([where]) => where));
  const far = [projection.sine > 0 ? 0.5 : -0.5, projection.cosine > 0 ? 0.5 : -0.5];
  const walls = [
    ...xs.flatMap((t) => [line([t, -0.5, -0.5], [t, 0.5, -0.5]), line([t, far[1], -0.5], [t, far[1], 0.5])]),
    ...ys.flatMap((t) => [line([-0.5, t, -0.5], [0.5, t, -0.5]), line([far[0], t, -0.5], [far[0], t, 0.5])]),
    ...zs.flatMap((t) => [line([-0.5, far[1], t], [0.5, far[1], t]), line([far[0], -0.5, t], [far[0], 0.5, t])])
  ];
  const edges = [
    ...SIDES.flatMap((s) => [line([-0.5, s, -0.5], [0.5, s, -0.5]), line([s, -0.5, -0.5], [s, 0.5, -0.5])]),
    line([-0.5, far[1], 0.5], [0.5, far[1], 0.5]),
    line([far[0], -0.5, 0.5], [far[0], 0.5, 0.5]),
    line([far[0], far[1], -0.5], [far[0], far[1], 0.5]),
    line([-far[0], far[1], -0.5], [-far[0], far[1], 0.5]),
    line([far[0], -far[1], -0.5], [far[0], -far[1], 0.5])
  ];
  const left = projection.x(far[0], -far[1]) < projection.x(-far[0], far[1]) ? 1 : -1;
  const shown2 = [
    { axis: axes2[2], corner: (t) => corner(left * far[0], -left * far[1], t), out: [-1, 0] },
    { axis: axes2[0], corner: (t) => corner(t, -far[1], -0.5), out: outwards(0, -far[1]) },
    { axis: axes2[1], corner: (t) => corner(-far[0], t, -0.5), out: outwards(-far[0], 0) }
  ];
  function outwards(u, v) {
    const [x0, y0, x1, y1] = line([0, 0, -0.5], [u, v, -0.5]);
    const length = Math.hypot(x1 - x0, y1 - y0);
    return [(x1 - x0) / length, (y1 - y0) / length];
  }
  const texts = [];
  const ticks = [];
  const labelled = shown2.map(({ axis, corner: corner2, out: [ox, oy] }) => {
    const begin = TICK + GAP;
    const labels = axis.ticks.map(([where, text]) => {
      const [x, y] = at(corner2(where));
      ticks.push([x, y, x + TICK * ox, y + TICK * oy]);
      const wide = measure(text);
      return { text, width: wide, x: x + ox * (begin + wide / 2), y: y + oy * (begin + HIGH2 / 2) };
    });
    const widest = Math.max(0, ...labels.map((label) => label.width));
    return { name: nameOf2(axis.name, corner2, ox, oy, begin + Math.abs(ox) * widest + Math.abs(oy) * HIGH2), labels };
  });
  function nameOf2(name, corner2, ox, oy, away) {
    const wide = measure(name);
    if (oy) {
      const [x2, y2] = at(corner2(0));
      return { text: name, width: wide, x: x2 + ox * (away + wide / 2 + GAP), y: y2 + oy * (away + HIGH2 / 2 + GAP) };
    }
    const [x, y] = at(corner2(0.5));
    const [low, high] = [wide / 2 + GAP, width - wide / 2 - GAP];
    return { text: name, width: wide, x: x > 0 && x < width ? clamp(x, low, high) : x, y: y - HIGH2 };
  }
  for (const { name } of labelled) if (free(name, texts)) texts.push(name);
  for (const { labels } of labelled) {
    const stride = STRIDES.find((every) => apart(labels.filter((_, n) => n % every === 0))) ?? labels.length;
    for (const [n, label] of labels.entries()) if (n % stride === 0 && free(label, texts)) texts.push(label);
  }
  return { walls, edges, ticks, texts };
}
var corner = (u, v, z) => [u, v, z];
var free = (text, others) => others.every(
  (other) => Math.abs(text.x - other.x) >= (text.width + other.width) / 2 + APART || Math.abs(text.y - other.y) >= HIGH2 + 1
);
var apart = (texts) => texts.every((text, n) => free(text, texts.slice(0, n)));

// player/orbit.js
var YAW = -0.6;
var PITCH = 0.95;
var FLATTEST = 0.25;
var STEEPEST = 1.5;
var NEAREST = 12;
var TALL = 0.62;
var MARGIN = 46;
var DIAGONAL = Math.SQRT2;
var Orbit = class _Orbit {
  constructor() {
    this.yaw = YAW;
    this.pitch = PITCH;
    this.zoom = 1;
    this.right = 0;
    this.up = 0;
  }
  reset() {
    Object.assign(this, new _Orbit());
  }
  get key() {
    return [this.yaw, this.pitch, this.zoom, this.right, this.up].join();
  }
  /**
   * @param {number} yaw radians more
   * @param {number} pitch
   */
  turn(yaw, pitch) {
    this.yaw = (this.yaw + yaw) % (2 * Math.PI);
    this.pitch = clamp(this.pitch + pitch, FLATTEST, STEEPEST);
  }
  /**
   * Px of the box's width.
   *
   * @param {Pick<Area, "width" | "height">} area
   */
  scale({ width, height }) {
    return this.zoom * Math.max(1, Math.min(width, height) - 2 * MARGIN) / DIAGONAL;
  }
  /**
   * Comes nearer, or goes farther off; the point of the picture stays where it is, as far as the whole allows.
   *
   * @param {number} times
   * @param {Area} area
   * @param {number} px
   * @param {number} py
   */
  approach(times, area, px = area.width / 2, py = area.height / 2) {
    const before2 = this.scale(area);
    this.zoom = clamp(this.zoom * times, 1, NEAREST);
    const change = 1 / before2 - 1 / this.scale(area);
    this.shift((px - area.width / 2) * change, (area.height / 2 - py) * change);
  }
  /**
   * Moves what is in the picture by so many px to the right and down.
   *
   * @param {number} dx
   * @param {number} dy
   * @param {Area} area
   */
  pan(dx, dy, area) {
    const scale = this.scale(area);
    this.shift(-dx / scale, dy / scale);
  }
  /**
   * @param {number} right widths of the box
   * @param {number} up
   */
  shift(right, up) {
    const most = DIAGONAL * 0.5 * (1 - 1 / this.zoom);
    this.right = clamp(this.right + right, -most, most);
    this.up = clamp(this.up + up, -most, most);
  }
  /**
   * @param {Area} area
   * @returns {Projection}
   */
  projection(area) {
    const { right, up } = this;
    const [sine, cosine] = [Math.sin(this.yaw), Math.cos(this.yaw)];
    const [over, upright] = [Math.sin(this.pitch), Math.cos(this.pitch) * TALL];
    const scale = this.scale(area);
    const [left, top] = [area.width / 2 - scale * right, area.height / 2 + scale * up];
    return {
      sine,
      cosine,
      x: (u, v) => left + scale * (cosine * u - sine * v),
      y: (u, v, z) => top - scale * (over * (sine * u + cosine * v) + upright * z),
      floor: (px, py) => {
        const across = (px - left) / scale;
        const away = ((top - py) / scale + upright / 2) / over;
        return [cosine * across + sine * away, cosine * away - sine * across];
      },
      rise: over / upright,
      scale,
      upright: scale * upright
    };
  }
};

// player/raster.js
var TONES = 128;
var SHADES = 8;
var SLOPE = 4;
function tonesOf(heights, size) {
  const tones = new Float32Array(size * size);
  const last = size - 1;
  for (let j = 0; j < size; j++)
    for (let i = 0; i < size; i++) {
      const at = j * size + i;
      const [left, right, down, up] = [i > 0 ? 1 : 0, i < last ? 1 : 0, j > 0 ? size : 0, j < last ? size : 0];
      const across = (heights[at + right] - heights[at - left]) / (right + left);
      const along = (heights[at + up] - heights[at - down]) / (up + down) * size;
      const slope = across - along;
      tones[at] = clamp(heights[at] + 0.5 + (Number.isFinite(slope) ? SLOPE * slope : 0), 0, 1);
    }
  return tones;
}
function paletteOf({ low, high, level, muted }) {
  const [bottom, top, grey] = [rgb(low), rgb(high), rgb(muted)];
  const [red, green, blue, share] = (level.match(/[\d.]+/g) ?? []).map(Number);
  const palette = new Uint32Array(2 * SHADES * TONES);
  for (let under = 0; under < 2; under++)
    for (let shade = 0; shade < SHADES; shade++)
      for (let tone = 0; tone < TONES; tone++) {
        const plain = blend(top, bottom, tone / (TONES - 1));
        const side = under ? blend(grey, plain, 0.2) : plain;
        const line = blend([red, green, blue], side, share * shade / (SHADES - 1));
        palette[(under * SHADES + shade) * TONES + tone] = pixel(line);
      }
  return palette;
}
function rasterize(pixels2, width, height, mesh, [bottom, step], palette, line) {
  const { size, x, y, heights, tones, sine, cosine } = mesh;
  const last = size - 1;
  const triangle = (a, b, c) => {
    const [xa, ya, ha, ta] = [x[a], y[a], heights[a], tones[a]];
    const [xb, yb, xc, yc] = [x[b] - xa, y[b] - ya, x[c] - xa, y[c] - ya];
    const area = xb * yc - xc * yb;
    if (!area || !Number.isFinite(ha + heights[b] + heights[c])) return;
    const [hb, hc, tb, tc] = [heights[b] - ha, heights[c] - ha, tones[b] - ta, tones[c] - ta];
    const [lx, ly] = [(hb * yc - hc * yb) / area / step, (hc * xb - hb * xc) / area / step];
    const [tx, ty] = [(tb * yc - tc * yb) / area * (TONES - 1), (tc * xb - tb * xc) / area * (TONES - 1)];
    const slope = Math.hypot(lx, ly);
    const strength = slope > 0 ? clamp((1 / slope - 2 * line) / (3 * line), 0, 1) * (SHADES - 1) : 0;
    const side = area > 0 ? SHADES * TONES : 0;
    const [l0, t0] = [(ha - bottom) / step - lx * xa - ly * ya, ta * (TONES - 1) - tx * xa - ty * ya];
    let [p, q, r] = [a, b, c];
    if (y[q] < y[p]) [p, q] = [q, p];
    if (y[r] < y[q]) [q, r] = [r, q];
    if (y[q] < y[p]) [p, q] = [q, p];
    const end = Math.min(height, Math.ceil(y[r] - 0.5));
    for (let row = Math.max(0, Math.ceil(y[p] - 0.5)); row < end; row++) {
      const middle = row + 0.5;
      const one = x[p] + (middle - y[p]) * (x[r] - x[p]) / (y[r] - y[p]);
      const other = middle < y[q] ? x[p] + (middle - y[p]) * (x[q] - x[p]) / (y[q] - y[p]) : y[r] > y[q] ? x[q] + (middle - y[q]) * (x[r] - x[q]) / (y[r] - y[q]) : x[q];
      const stop = Math.min(width, Math.ceil(Math.max(one, other) - 0.5));
      let column = Math.max(0, Math.ceil(Math.min(one, other) - 0.5));
      let level = l0 + lx * (column + 0.5) + ly * middle;
      let tone = t0 + tx * (column + 0.5) + ty * middle;
      for (let at = row * width + column; column < stop; column++, at++) {
        let shade = 0;
        if (strength > 0) {
          const away = Math.abs(level - Math.round(level)) / slope;
          shade = Math.round(strength * Math.min(1, Math.max(0, line / 2 + 0.5 - away)));
        }
        const bound = Math.min(TONES - 1, Math.max(0, tone));
        pixels2[at] = palette[side + shade * TONES + Math.round(bound)];
        level += lx;
        tone += tx;
      }
    }
  };
  const order = (forward) => Array.from({ length: last }, (_, n) => forward ? n : last - 1 - n);
  const columns = order(sine < 0);
  for (const j of order(cosine < 0))
    for (const i of columns) {
      const at = j * size + i;
      const opposite = at + size + 1;
      if (sine > cosine) {
        triangle(at, at + 1, opposite);
        triangle(at, opposite, at + size);
      } else {
        triangle(at, opposite, at + size);
        triangle(at, at + 1, opposite);
      }
    }
}

// player/relief.js
var TOP = 0.5;
var PART = 0.25;
var Relief = class {
  /**
   * @param {Float32Array} grid [size, size]: heights, NaN where there is no surface
   * @param {number} size
   */
  constructor(grid, size) {
    this.grid = grid;
    this.size = size;
    this.last = size - 1;
    this.steepest = steepest(grid, size);
  }
  /**
   * The height at a point, bilinear between corners of the grid; a point outside has that of the edge.
   *
   * @param {number} a column
   * @param {number} b row
   */
  height(a, b) {
    const { grid, size, last } = this;
    const [u, v] = [clamp(a, 0, last), clamp(b, 0, last)];
    const [i, j] = [Math.min(Math.floor(u), last - 1), Math.min(Math.floor(v), last - 1)];
    const [right, up, at] = [u - i, v - j, j * size + i];
    const low = grid[at] * (1 - right) + grid[at + 1] * right;
    const high = grid[at + size] * (1 - right) + grid[at + size + 1] * right;
    return low * (1 - up) + high * up;
  }
  /**
   * Whether the surface hides a point: whether it is above the way to the viewer where that crosses a line of the grid.
   *
   * @param {number} a
   * @param {number} b
   * @param {number} height of the point
   * @param {Sight} sight
   * @param {number} margin by how much it has to be above
   */
  hides(a, b, height, sight, margin) {
    const from = height + margin;
    return this.crosses(a, b, sight.a, sight.b, 1, this.size, from, sight.rise) || this.crosses(b, a, sight.b, sight.a, this.size, 1, from, sight.rise);
  }
  /**
   * Whether the surface is above a way that crosses the lines across one of the grid's two directions.
   *
   * @param {number} p where the way begins, along that direction
   * @param {number} q and along the other one
   * @param {number} dp
   * @param {number} dq
   * @param {number} next from a point of the grid to the next one in that direction
   * @param {number} beside and in the other one
   * @param {number} height
   * @param {number} rise
   */
  crosses(p, q, dp, dq, next, beside, height, rise) {
    const { grid, last } = this;
    if (dp === 0) return false;
    const step = Math.sign(dp);
    const first = step > 0 ? Math.max(0, Math.floor(p) + 1) : Math.min(last, Math.ceil(p) - 1);
    for (let k = first; k >= 0 && k <= last; k += step) {
      const way = (k - p) / dp;
      const level = height + way * rise;
      if (level > TOP) return false;
      const across = q + way * dq;
      if (!(across >= 0 && across <= last)) continue;
      const j = Math.min(Math.floor(across), last - 1);
      const at = j * beside + k * next;
      const share = across - j;
      if (grid[at] * (1 - share) + grid[at + beside] * share > level) return true;
    }
    return false;
  }
  /**
   * The point of the surface that the viewer sees first along a line of sight; null where there is none.
   *
   * @param {number} a where the line is at height -0.5
   * @param {number} b
   * @param {Sight} sight
   * @returns {[number, number] | null}
   */
  first(a, b, sight) {
    const { last } = this;
    const length = 2 * TOP / sight.rise;
    const parts = Math.ceil(length / PART);
    let before2 = Number.NaN;
    for (let n = 0; n <= parts; n++) {
      const way = length * (1 - n / parts);
      const [u, v] = [a + way * sight.a, b + way * sight.b];
      const inside2 = u >= 0 && u <= last && v >= 0 && v <= last;
      const above = inside2 ? this.height(u, v) - (way * sight.rise - TOP) : Number.NaN;
      if (above === 0 || above * before2 < 0) {
        const back = above === 0 ? 0 : length / parts * above / (above - before2);
        return [clamp(u + back * sight.a, 0, last), clamp(v + back * sight.b, 0, last)];
      }
      before2 = above;
    }
    return null;
  }
};
function steepest(grid, size) {
  let most = 0;
  for (let at = 0; at < grid.length; at++) {
    const across = at % size < size - 1 ? Math.abs(grid[at + 1] - grid[at]) : 0;
    const along = at + size < grid.length ? Math.abs(grid[at + size] - grid[at]) : 0;
    if (across > most) most = across;
    if (along > most) most = along;
  }
  return most;
}

// player/scene.js
var PIECE = 0.5;
var PIECES = 400;
var UNSEEN = 0.7;
var FONT = 12;
var FAINT2 = 0.35;
var CROSS = 5.5;
var palettes = /* @__PURE__ */ new WeakMap();
var Scene = class {
  /**
   * @param {Float32Array} grid [size, size]: heights from -0.5 to 0.5, NaN where there is no surface
   * @param {SceneData} data
   */
  constructor(grid, data) {
    this.data = data;
    this.key = data.key;
    this.relief = new Relief(grid, data.size);
    this.tones = tonesOf(grid, data.size);
    this.orbit = new Orbit();
    this.texts = [];
    this.image = null;
    this.pixels = null;
    this.painted = "";
  }
  /**
   * Column and row of a point of the plane.
   *
   * @param {number} x
   * @param {number} y
   */
  cell(x, y) {
    const [left, right, bottom, top] = this.data.box;
    const { last } = this.relief;
    return [(x - left) / (right - left) * last, (y - bottom) / (top - bottom) * last];
  }
  /**
   * The view from where the viewer is, on a rectangle of the picture.
   *
   * @param {Area} area
   * @returns {View}
   */
  view(area) {
    const { relief, data, orbit } = this;
    const [left, right, bottom, top] = data.box;
    const projection = orbit.projection(area);
    const { last } = relief;
    const sight = { a: -projection.sine, b: -projection.cosine, rise: projection.rise / last };
    const margin = 1 / projection.upright;
    const most = projection.scale / last + projection.upright * Math.SQRT2 * relief.steepest;
    const across = (x) => (x - left) / (right - left) - 0.5;
    const along = (y) => (y - bottom) / (top - bottom) - 0.5;
    return {
      ...area,
      span: right - left,
      key: [orbit.key, area.width, area.height, this.key].join(),
      x: (x, y) => projection.x(across(x), along(y)),
      y: (x, y) => {
        const [u, v] = [across(x), along(y)];
        return projection.y(u, v, relief.height((u + 0.5) * last, (v + 0.5) * last));
      },
      hidden: (x, y) => {
        const [a, b] = this.cell(x, y);
        return relief.hides(a, b, relief.height(a, b), sight, margin);
      },
      pieces: (x0, y0, x1, y1) => {
        const cells = last * Math.hypot(across(x1) - across(x0), along(y1) - along(y0));
        if (cells * most < UNSEEN) return 0;
        return Math.min(PIECES, Math.ceil(cells / PIECE)) || 1;
      }
    };
  }
  /**
   * Draws surface, axes and minima.
   *
   * @param {Context} context
   * @param {View} view
   * @param {Colors} theme
   */
  draw(context, view, theme) {
    const ratio = context.getTransform().a;
    const wanted = [view.key, ratio, theme.paper].join();
    this.image ??= make("canvas");
    if (this.painted !== wanted)
      this.paint(this.image, view, theme, ratio, getComputedStyle(context.canvas).fontFamily);
    this.painted = wanted;
    context.drawImage(this.image, 0, 0, view.width, view.height);
  }
  /**
   * @param {HTMLCanvasElement} image
   * @param {View} view
   * @param {Colors} theme
   * @param {number} ratio pixels each way for one of the page's
   * @param {string} font
   */
  paint(image, view, theme, ratio, font) {
    const [width, height] = [Math.round(view.width * ratio), Math.round(view.height * ratio)];
    if (image.width !== width || image.height !== height) Object.assign(image, { width, height });
    const context = contextOf(image);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.putImageData(this.surface(view, theme, ratio, width, height), 0, 0);
    context.font = `${FONT}px ${font}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    const projection = this.orbit.projection(view);
    const { walls, edges, ticks, texts } = cube(
      projection,
      this.data.axes,
      view.width,
      (text) => context.measureText(text).width
    );
    this.texts = texts;
    context.globalCompositeOperation = "destination-over";
    stroke(context, [...edges, ...ticks], theme.muted, 1, 0.6);
    stroke(context, walls, theme.muted, 1, 0.22);
    context.globalCompositeOperation = "source-over";
    this.rim(context, view, theme);
    for (const [x, y] of this.data.minima) cross(context, view, x, y, theme);
    context.fillStyle = theme.muted;
    for (const { text, x, y } of texts) context.fillText(text, x, y);
  }
  /**
   * The surface's pixels.
   *
   * @param {View} view
   * @param {Colors} theme
   * @param {number} ratio
   * @param {number} width pixels
   * @param {number} height
   */
  surface(view, theme, ratio, width, height) {
    const { relief, tones, data, orbit } = this;
    const { size, last, grid } = relief;
    const { x, y, sine, cosine } = orbit.projection(view);
    const mesh = { size, x: new Float32Array(size * size), y: new Float32Array(size * size), heights: grid };
    for (let j = 0, at = 0; j < size; j++)
      for (let i = 0; i < size; i++, at++) {
        const [u, v] = [i / last - 0.5, j / last - 0.5];
        mesh.x[at] = ratio * x(u, v);
        mesh.y[at] = ratio * y(u, v, grid[at]);
      }
    if (this.pixels?.width !== width || this.pixels.height !== height) this.pixels = new ImageData(width, height);
    const pixels2 = new Uint32Array(this.pixels.data.buffer);
    pixels2.fill(0);
    const palette = palettes.get(theme) ?? paletteOf(theme);
    palettes.set(theme, palette);
    rasterize(pixels2, width, height, { ...mesh, tones, sine, cosine }, data.levels, palette, ratio);
    return this.pixels;
  }
  /**
   * The surface's edge, where it is seen: pixels alone have steps there.
   *
   * @param {Context} context
   * @param {View} view
   * @param {Colors} theme
   */
  rim(context, view, theme) {
    const [left, right, bottom, top] = this.data.box;
    const { last } = this.relief;
    const lines = [];
    const side = ([x0, y0], [x1, y1]) => {
      const at = (n) => [x0 + (x1 - x0) * n / last, y0 + (y1 - y0) * n / last];
      for (let n = 0; n < last; n++) {
        const [[xa, ya], [xb, yb]] = [at(n), at(n + 1)];
        const line = [view.x(xa, ya), view.y(xa, ya), view.x(xb, yb), view.y(xb, yb)];
        if (line.every(Number.isFinite) && !view.hidden?.((xa + xb) / 2, (ya + yb) / 2)) lines.push(line);
      }
    };
    side([left, bottom], [right, bottom]);
    side([right, bottom], [right, top]);
    side([right, top], [left, top]);
    side([left, top], [left, bottom]);
    stroke(context, lines, theme.level, 1.2, 1);
  }
  /**
   * The point of the plane over which the surface is seen at a point of the picture; null where it is not.
   *
   * @param {View} view
   * @param {number} px
   * @param {number} py
   * @returns {[number, number] | null}
   */
  under(view, px, py) {
    const projection = this.orbit.projection(view);
    const { last } = this.relief;
    const [u, v] = projection.floor(px, py);
    const sight = { a: -projection.sine, b: -projection.cosine, rise: projection.rise / last };
    const hit = this.relief.first((u + 0.5) * last, (v + 0.5) * last, sight);
    if (!hit) return null;
    const [left, right, bottom, top] = this.data.box;
    return [left + (right - left) * hit[0] / last, bottom + (top - bottom) * hit[1] / last];
  }
};
function behind(context, view, x, y, draw) {
  const alpha = context.globalAlpha;
  if (view.hidden?.(x, y)) context.globalAlpha *= FAINT2;
  draw();
  context.globalAlpha = alpha;
}
function stroke(context, lines, color, width, alpha) {
  context.beginPath();
  for (const [x0, y0, x1, y1] of lines) {
    context.moveTo(x0, y0);
    context.lineTo(x1, y1);
  }
  context.globalAlpha = alpha;
  context.strokeStyle = color;
  context.lineWidth = width;
  context.stroke();
  context.globalAlpha = 1;
}
function cross(context, view, x, y, { ink, paper }) {
  const [px, py] = [view.x(x, y), view.y(x, y)];
  const arms = [
    [px - CROSS, py, px + CROSS, py],
    [px, py - CROSS, px, py + CROSS]
  ];
  const alpha = view.hidden?.(x, y) ? FAINT2 : 1;
  stroke(context, arms, paper, 3.5, alpha);
  stroke(context, arms, ink, 1.5, alpha);
}

// player/drawing.js
var HEAD = 1.5;
function drawPaths(player, view, at, ratio) {
  const { runs, colors } = player;
  const emptied = fitted(player.parts.paths, view, ratio);
  const context = contextOf(player.parts.paths);
  const last = runs.map((run) => indexAt(run, at));
  if (emptied || view.key !== player.viewed || runs.some((run, i) => run.drawn > last[i])) {
    for (const run of runs) run.drawn = -1;
    player.stale = true;
    player.viewed = view.key;
  }
  if (player.stale) {
    context.clearRect(0, 0, view.width, view.height);
    player.solid?.draw(context, view, colors);
  }
  player.stale = false;
  runs.forEach((run, index) => {
    context.globalAlpha = opacityOf(run);
    if (emphasis.shows(run.rule)) extend(context, run, view, last[index], colors.paper);
  });
  context.globalAlpha = 1;
}
function drawHeads(player, view, now, at, ratio) {
  const { colors, followed, phases, playing, runs } = player;
  fitted(player.parts.heads, view, ratio);
  const context = contextOf(player.parts.heads);
  context.clearRect(0, 0, view.width, view.height);
  drawStart(player, context, view);
  player.opening.draw(view, player.start);
  if (followed) {
    context.globalAlpha = opacityOf(followed);
    drawFollowed(player, context, view, followed, now, at);
  }
  for (const run of runs) {
    if (!emphasis.shows(run.rule)) continue;
    const head = headAt(run, at);
    const [px, py] = [view.x(head.x, head.y), view.y(head.x, head.y)];
    if (!Number.isFinite(px + py)) continue;
    context.globalAlpha = opacityOf(run);
    if ((playing || phases) && !run.steps && head.index > 0) lead(context, run, view, head);
    behind(context, view, head.x, head.y, () => {
      if (run !== followed || !run.terms) arrows(context, run, view, head, colors.ink);
      glyph(context, run, px, py, HEAD, colors.paper);
    });
  }
  context.globalAlpha = 1;
  player.labels.draw(context, runs, view, at);
}
function drawFollowed({ colors, font, phases }, context, view, run, now, at) {
  const parts = partsAt(run, at);
  if (!parts) return;
  const style = { colors, font };
  const located = ({ x, y }) => ({ color: run.color, x, y, px: view.x(x, y), py: view.y(x, y) });
  const head = located(headAt(run, at));
  if (!Number.isFinite(head.px + head.py)) return;
  const jacobian = jacobianOf(view, head.x, head.y);
  behind(context, view, head.x, head.y, () => {
    drawShapes(context, head, jacobian, parts, colors, radiusOf(view));
    if (!phases) return drawPulls(context, head, jacobian, parts, style);
    const { whole, ...phase } = phaseAt(now, phases.length);
    const step = partsAt(run, whole);
    const point = located(headAt(run, whole));
    if (step) drawParts(context, point, jacobianOf(view, point.x, point.y), arrowsOf(step, phases), phase, style);
  });
}
function drawStart({ start: [x, y], colors, pointer }, context, view) {
  context.beginPath();
  context.arc(view.x(x, y), view.y(x, y), pointer?.held ? 8 : 5, 0, 2 * Math.PI);
  context.fillStyle = colors.paper;
  context.strokeStyle = colors.ink;
  context.lineWidth = 2;
  behind(context, view, x, y, () => {
    context.fill();
    context.stroke();
  });
}
function fitted(canvas, { left, top, width, height }, ratio) {
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  const changed = canvas.width !== wide || canvas.height !== high;
  if (changed) Object.assign(canvas, { width: wide, height: high });
  Object.assign(canvas.style, { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` });
  contextOf(canvas).setTransform(ratio, 0, 0, ratio, 0, 0);
  return changed;
}

// player/flat.js
function flatView(area, [x0, x1], [y0, y1]) {
  const [across, up] = [area.width / (x1 - x0), area.height / (y1 - y0)];
  return {
    ...area,
    span: x1 - x0,
    key: [x0, x1, y0, y1, area.width, area.height, area.left].join(),
    x: (x) => (x - x0) * across,
    y: (_, y) => (y1 - y) * up,
    toX: (px) => x0 + px / across,
    toY: (py) => y1 - py / up
  };
}

// player/grid.js
var [COLUMNS, ROWS] = [45, 30];
var ACROSS = (
  /** @type {const} */
  [-4, 1]
);
var UP = (
  /** @type {const} */
  [-5, 1]
);
var FINE = 100;
var LIMIT = 2e3;
var PALEST = 0.2;
var UNMET = { diverged: 0.4, "step limit": 0.12 };
var rateOf = (index, cells, [low, high]) => Number((10 ** (low + (index + 0.5) / cells * (high - low))).toPrecision(3));
var shareOf2 = (rate, [low, high]) => (Math.log10(rate) - low) / (high - low);
var Grid = class {
  /**
   * @param {(lr: number, hyper_lr: number, limit: number) => Cell} run
   * @param {number} limit steps
   */
  constructor(run, limit) {
    this.run = run;
    this.limit = Math.min(limit, LIMIT);
    this.cells = [];
  }
  get done() {
    return this.cells.length === COLUMNS * ROWS;
  }
  /** @param {() => boolean} stop */
  advance(stop) {
    do {
      const at = this.cells.length;
      const [lr, hyper_lr] = ratesAt(at % COLUMNS, Math.floor(at / COLUMNS));
      const { status, step } = this.run(lr, hyper_lr, this.limit);
      this.cells.push({ status, step });
    } while (!this.done && !stop());
  }
};
var ratesAt = (column, row) => [rateOf(column, COLUMNS, ACROSS), rateOf(row, ROWS, UP)];
function colorOf(cell, fewest, limit, color, { paper, ink }) {
  if (cell?.status !== "converged") return blend(rgb(ink), rgb(paper), cell ? UNMET[cell.status] : 0);
  const share = Math.log((cell.step + 1) / (fewest + 1)) / Math.max(1e-9, Math.log((limit + 1) / (fewest + 1)));
  return blend(rgb(color), rgb(paper), 1 - (1 - PALEST) * clamp(share, 0, 1));
}
function scaleOf(fewest, limit, color, theme) {
  const entry = (status, step, words) => ({
    color: css(colorOf({ status, step }, fewest, limit, color, theme)),
    words
  });
  return [
    entry("converged", fewest, count(fewest)),
    entry("converged", limit, `${count(limit)} steps`),
    entry("step limit", limit, "more"),
    entry("diverged", 0, "diverges")
  ];
}
function wordsOf(cell) {
  if (cell.status === "converged") return `${count(cell.step)} steps`;
  return cell.status === "diverged" ? `diverges at step ${count(cell.step)}` : `more than ${count(cell.step)} steps`;
}
var rateAt = (position) => Number((10 ** (position / FINE)).toPrecision(3));
var positionOf = (rate) => Math.round(FINE * Math.log10(rate));

// lib/program.js
var OPERATIONS = (
  /** @type {[name: string, text: (a: string, b: string, c: string) => string][]} */
  [
    ["add", (a, b) => `${a}+${b}`],
    ["subtract", (a, b) => `${a}-${b}`],
    ["multiply", (a, b) => `${a}*${b}`],
    ["divide", (a, b) => `${a}/${b}`],
    // As in C, 1 to any power is 1, and so is −1 to an infinite one.
    ["power", (a, b) => `${a}===1||(${a}===-1&&Math.abs(${b})===Infinity)?1:Math.pow(${a},${b})`],
    ["negate", (a) => `-${a}`],
    ["absolute", (a) => `Math.abs(${a})`],
    ["sqrt", (a) => `Math.sqrt(${a})`],
    ["exp", (a) => `Math.exp(${a})`],
    ["expm1", (a) => `Math.expm1(${a})`],
    ["log", (a) => `Math.log(${a})`],
    ["log2", (a) => `Math.log2(${a})`],
    ["log10", (a) => `Math.log10(${a})`],
    ["sin", (a) => `Math.sin(${a})`],
    ["cos", (a) => `Math.cos(${a})`],
    ["tan", (a) => `Math.tan(${a})`],
    ["asin", (a) => `Math.asin(${a})`],
    ["acos", (a) => `Math.acos(${a})`],
    ["atan", (a) => `Math.atan(${a})`],
    ["sinh", (a) => `Math.sinh(${a})`],
    ["cosh", (a) => `Math.cosh(${a})`],
    ["tanh", (a) => `Math.tanh(${a})`],
    ["sign", (a) => `${a}>0?1:${a}<0?-1:${a}===0?0:NaN`],
    // Math.sign keeps the sign of a zero
    ["less", (a, b) => `${a}<${b}`],
    ["less_equal", (a, b) => `${a}<=${b}`],
    ["equal", (a, b) => `${a}===${b}`],
    ["not_equal", (a, b) => `${a}!==${b}`],
    ["and", (a, b) => `${a}&&${b}`],
    ["or", (a, b) => `${a}||${b}`],
    ["not", (a) => `!${a}`],
    ["select", (a, b, c) => `${a}?${b}:${c}`],
    ["single", (a) => `Math.fround(${a})`]
  ]
);
var literal = (number) => Object.is(number, -0) || number < 0 ? `(-${Math.abs(number)})` : `${number}`;
function sourceOf(code, numbers, at = 0, from = 0) {
  const [inputs, constants, steps, outputs] = code.subarray(at, at + 4);
  const end = at + 4 + 4 * steps + outputs;
  if (!(Math.min(inputs, constants, steps, outputs) >= 0 && end <= code.length && from + constants <= numbers.length))
    throw new Error(`no program of ${inputs} inputs, ${constants} numbers and ${steps} operations is there`);
  const registers = [];
  const lines = [];
  const register = (index) => {
    if (!(index >= 0 && index < registers.length)) throw new Error(`register ${index} has no number yet`);
    return registers[index];
  };
  const keep = (text) => {
    const name = `r${registers.length}`;
    lines.push(`const ${name}=${text};`);
    registers.push(name);
  };
  for (let i = 0; i < inputs; i++) keep(`v[${i}]`);
  for (let i = 0; i < constants; i++) registers.push(literal(numbers[from + i]));
  for (let i = 0; i < steps; i++) {
    const [operation, a, b, c] = code.subarray(at + 4 + 4 * i, at + 8 + 4 * i);
    const known = OPERATIONS[operation >> 1];
    if (!known) throw new Error(`there is no operation ${operation >> 1}`);
    const text = known[1](register(a), register(b), register(c));
    keep(operation & 1 ? `Math.fround(${text})` : text);
  }
  for (let i = 0; i < outputs; i++) lines.push(`o[${i}]=${register(code[end - outputs + i])};`);
  return { text: lines.join("\n"), inputs, outputs, at: end, from: from + constants };
}
var KEPT = 64;
var functions = /* @__PURE__ */ new Map();
function compiled(text) {
  const program = functions.get(text) ?? /** @type {Program} */
  new Function("v", "o", text);
  functions.delete(text);
  functions.set(text, program);
  for (const oldest of functions.keys()) {
    if (functions.size <= KEPT) break;
    functions.delete(oldest);
  }
  return program;
}

// player/live.js
var INPUTS = 6;
var RESULTS = 5;
var ENTRIES = 4;
var MOST3 = 2e4;
var LiveRule = class _LiveRule {
  /**
   * @param {Compiled} start
   * @param {Compiled[]} steps
   * @param {boolean} learns
   * @param {Compiled} hessian
   */
  constructor(start, steps, learns, hessian) {
    this.start = start;
    this.steps = steps;
    this.first = RESULTS + (learns ? ENTRIES : 0);
    this.learns = learns;
    this.hessian = hessian;
    const all = [start, ...steps];
    this.inputs = new Float64Array(Math.max(...all.map((each) => each.inputs)));
    this.outputs = new Float64Array(Math.max(...all.map((each) => each.outputs)));
    this.room = -1;
    this.columns = [];
  }
  /** The same rule, with memory of its own. */
  copy() {
    return new _LiveRule(this.start, this.steps, this.learns, this.hessian);
  }
  /**
   * f and its gradient at a point.
   *
   * @param {boolean} single whether the race is one of float32
   * @param {number} x
   * @param {number} y
   */
  at(single, x, y) {
    const { inputs, outputs, start, steps } = this;
    inputs.fill(0);
    inputs[0] = single ? Math.fround(x) : x;
    inputs[1] = single ? Math.fround(y) : y;
    inputs[4] = inputs[5] = 1;
    start.evaluate(inputs, outputs);
    for (let i = 0; i < start.outputs; i++) inputs[INPUTS + i] = outputs[i];
    steps[0].evaluate(inputs, outputs);
    return { f: outputs[2], gx: outputs[3], gy: outputs[4] };
  }
  /** @param {number} limit steps */
  reserve(limit) {
    if (limit <= this.room) return;
    this.room = limit;
    this.columns = Array.from({ length: this.learns ? 14 : 8 }, () => new Float32Array(limit + 1));
  }
  /**
   * Runs a race. What it returns is good until the next call.
   *
   * @param {Circumstances} race
   * @param {Choice} choice
   * @returns {LiveMotion}
   */
  run({ single, target, noise, factors }, { start, lr, hyper_lr, limit }) {
    this.reserve(limit);
    const { inputs, outputs, steps, first, learns } = this;
    const [x, y, losses, gx, gy, dx, dy, rates, Pxx, Pxy, Pyy, Hxx, Hxy, Hyy] = this.columns;
    const last = steps.length - 1;
    inputs[0] = single ? Math.fround(start[0]) : start[0];
    inputs[1] = single ? Math.fround(start[1]) : start[1];
    inputs[4] = lr;
    inputs[5] = hyper_lr;
    this.start.evaluate(inputs, outputs);
    for (let i = 0; i < this.start.outputs; i++) inputs[INPUTS + i] = outputs[i];
    const bends = new Float64Array(3);
    const goal = single ? Math.fround(target) : target;
    let status = "step limit";
    let step = 0;
    for (; ; step++) {
      const program = steps[Math.min(step, last)];
      if (noise) {
        inputs[2] = noise[2 * step];
        inputs[3] = noise[2 * step + 1];
      }
      if (factors) inputs[4] = lr * factors[Math.min(step, factors.length - 1)];
      rates[step] = inputs[4];
      program.evaluate(inputs, outputs);
      const f = outputs[2];
      x[step] = inputs[0];
      y[step] = inputs[1];
      losses[step] = f;
      gx[step] = outputs[3];
      gy[step] = outputs[4];
      dx[step] = outputs[0] - inputs[0];
      dy[step] = outputs[1] - inputs[1];
      if (learns) {
        Pxx[step] = outputs[RESULTS];
        Pxy[step] = outputs[RESULTS + 1];
        Pyy[step] = outputs[RESULTS + 3];
        this.hessian.evaluate(inputs, bends);
        Hxx[step] = bends[0];
        Hxy[step] = bends[1];
        Hyy[step] = bends[2];
      }
      if (f < goal) {
        status = "converged";
        break;
      }
      const sum = single ? Math.fround(Math.fround(f + inputs[0]) + inputs[1]) : f + inputs[0] + inputs[1];
      if (!Number.isFinite(sum)) {
        status = "diverged";
        break;
      }
      if (step === limit) break;
      inputs[0] = outputs[0];
      inputs[1] = outputs[1];
      for (let i = first; i < program.outputs; i++) inputs[INPUTS + i - first] = outputs[i];
    }
    const drawn = [inputs[0], inputs[1], outputs[2]].every(Number.isFinite);
    const count2 = step + Number(drawn);
    const all = this.columns.map((column) => column.subarray(0, count2));
    const g = all.slice(3, 5);
    return {
      steps: null,
      arrows: null,
      step,
      status,
      count: count2,
      x: all[0],
      y: all[1],
      losses: all[2],
      g,
      made: {
        // From the last point no step is taken, and noise is of steps.
        g: noise ? g.map((column, i) => column.map((entry, at) => entry + (at < step ? noise[2 * at + i] : 0))) : g,
        moves: all.slice(5, 7),
        rate: lr,
        rates: factors && all[7],
        P: learns ? all.slice(8, 11) : null,
        H: learns ? all.slice(11) : null
      }
    };
  }
};
var LiveRace = class {
  /** @param {LiveData} data */
  constructor(data) {
    const code = new Int32Array(data.code);
    const numbers = new Float64Array(data.numbers);
    const { single, steps } = data.live;
    const doubles = (buffer) => buffer ? new Float64Array(buffer) : null;
    this.race = { single, target: numbers[0], noise: doubles(data.noise), factors: doubles(data.factors) };
    this.limit = Math.min(steps, MOST3);
    this.runs = data.live.runs;
    let [at, from] = [0, 1];
    const next = () => {
      const { text, inputs, outputs, ...end } = sourceOf(code, numbers, at, from);
      ({ at, from } = end);
      return { evaluate: compiled(text), inputs, outputs };
    };
    const hessian = next();
    this.rules = this.runs.map((run) => {
      if (!run) return null;
      const start = next();
      return new LiveRule(start, Array.from({ length: run.programs }, next), run.learns, hessian);
    });
    this.probe = this.rules.find((rule) => rule !== null)?.copy();
  }
  /**
   * Runs all rules that could be traced; null stands for another one.
   *
   * @param {[number, number]} start
   * @param {Record<string, number>} values of settings, by their names
   */
  run(start, values) {
    return this.rules.map((rule, i) => rule && this.runOne(rule, i, start, values));
  }
  /**
   * @param {LiveRule} rule
   * @param {number} index of the rule
   * @param {[number, number]} start
   * @param {Record<string, number>} values
   * @param {number} limit
   */
  runOne(rule, index, start, values, limit = this.limit) {
    const run = this.runs[index];
    const rateOf2 = (setting) => typeof setting === "string" ? values[setting] : setting ?? 0;
    const rates = { lr: rateOf2(run?.lr ?? 1), hyper_lr: rateOf2(run?.hyper_lr) };
    return rule.run(this.race, { start, limit, ...rates });
  }
  /**
   * f and its gradient at a point, as the rules see them without noise; null where f is no number, or no rule is traced.
   *
   * @param {number} x
   * @param {number} y
   * @returns {import("./under.js").Value | null}
   */
  surfaceAt(x, y) {
    const { probe } = this;
    if (!probe) return null;
    const { f, gx, gy } = probe.at(this.race.single, x, y);
    return Number.isFinite(f + gx + gy) ? { f, gx, gy } : null;
  }
};
function labelOf(name, { status, step }) {
  if (status === "converged") return `${name} ${count(step)}`;
  return status === "diverged" ? `${name} diverged at ${count(step)}` : `${name} > ${count(step)}`;
}
var rounded = ([x, y], [of_x, of_y]) => [Number(x.toFixed(of_x)), Number(y.toFixed(of_y))];
function anglesOf({ count: count2, g, made: { P } }) {
  const gradient = new Float32Array(count2);
  const preconditioned = P && new Float32Array(count2);
  const angle = (x, y) => x || y ? Math.atan2(y, x) : Number.NaN;
  for (let i = 0; i < count2; i++) {
    const [gx, gy] = [g[0][i], g[1][i]];
    gradient[i] = angle(gx, gy);
    if (preconditioned) preconditioned[i] = angle(P[0][i] * gx + P[1][i] * gy, P[1][i] * gx + P[2][i] * gy);
  }
  return { gradient, preconditioned };
}

// player/rates.js
var SLICE = 6;
var DOT = 5;
var WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
var RateMap = class {
  /** @param {Hand} hand */
  constructor(hand) {
    this.hand = hand;
    const { root } = hand.player;
    this.parts = {
      root: part(root, ".fop-map", HTMLDetailsElement),
      canvas: part(root, ".fop-map canvas", HTMLCanvasElement),
      words: box(root, ".fop-map output"),
      scale: box(root, ".fop-map-scale")
    };
    this.pressed = false;
    this.keyed = false;
    this.key = "";
    this.grid = null;
    this.due = false;
    this.controls();
  }
  controls() {
    const { root, canvas } = this.parts;
    root.ontoggle = () => this.renew();
    canvas.onpointerdown = (event) => {
      if (event.button) return;
      this.pressed = true;
      canvas.setPointerCapture(event.pointerId);
      this.drag(event);
    };
    canvas.onpointermove = (event) => this.pressed && this.drag(event);
    canvas.onpointerup = () => {
      if (!this.pressed) return;
      this.pressed = false;
      this.hand.commit(this.hand.names());
    };
    canvas.onpointercancel = () => {
      this.pressed = false;
      this.hand.cancel();
    };
    canvas.onkeydown = (event) => {
      const way = WAYS[event.key];
      if (!way || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      event.stopPropagation();
      this.keyed = true;
      this.step(way);
    };
    canvas.onkeyup = canvas.onblur = () => {
      if (!this.keyed) return;
      this.keyed = false;
      this.hand.commit(this.hand.names());
    };
  }
  /**
   * Moves the dot to the next cell.
   *
   * @param {[number, number]} way columns and rows
   */
  step([columns, rows]) {
    const [lr, hyper_lr] = this.hand.rates();
    const column = Math.floor(shareOf2(lr, ACROSS) * COLUMNS) + columns;
    const row = Math.floor(shareOf2(hyper_lr, UP) * ROWS) + rows;
    this.hand.put(this.hand.names(), ratesAt(clamp(column, 0, COLUMNS - 1), clamp(row, 0, ROWS - 1)));
  }
  /** @param {PointerEvent} event */
  drag({ clientX, clientY }) {
    const { left, top, width, height } = this.parts.canvas.getBoundingClientRect();
    const column = clamp(Math.floor((clientX - left) / width * COLUMNS), 0, COLUMNS - 1);
    const row = clamp(Math.floor((1 - (clientY - top) / height) * ROWS), 0, ROWS - 1);
    this.hand.put(this.hand.names(), ratesAt(column, row));
  }
  /** The race, the chosen run or its rates are others. */
  renew() {
    const { hand } = this;
    const [lr, hyper_lr] = hand.names();
    this.parts.root.hidden = !(lr && hyper_lr);
    if (!this.parts.root.open) return;
    const run = hand.mapped();
    this.due = true;
    if (this.key === run?.key) return;
    this.key = run?.key ?? "";
    this.grid = run && new Grid(run.run, run.steps);
  }
  /** Goes on with the map for a part of a frame, while nothing else moves, and draws what is new. */
  follow() {
    const { grid, hand } = this;
    if (!grid || !this.parts.root.open) return;
    if (!grid.done && !hand.leads && !hand.player.playing) {
      const end = performance.now() + SLICE;
      grid.advance(() => performance.now() > end);
      this.due = true;
    }
    if (this.due) this.draw(grid);
    this.due = false;
  }
  /**
   * Says below the map what its colours stand for.
   *
   * @param {ReturnType<typeof scaleOf>} entries
   */
  explain(entries) {
    const { scale } = this.parts;
    const [fast, slow, ...others] = entries;
    scale.querySelectorAll("span").forEach((node, i) => {
      write(node, entries[i].words);
    });
    const fills = [`linear-gradient(to right, ${fast.color}, ${slow.color})`, ...others.map(({ color }) => color)];
    scale.querySelectorAll("i").forEach((node, i) => {
      node.style.background = fills[i];
    });
  }
  /** @param {Grid} grid */
  draw({ cells, limit, run }) {
    const { canvas, words } = this.parts;
    const { hand } = this;
    const { colors, runs } = hand.player;
    const color = runs.find(({ name }) => name === hand.chosen)?.color ?? colors.ink;
    const converged = cells.filter(({ status }) => status === "converged").map(({ step }) => step);
    const fewest = Math.min(limit, ...converged);
    this.explain(scaleOf(fewest, limit, color, colors));
    const image = cellCanvas(COLUMNS, ROWS, (pixels2) => {
      for (let i = 0; i < pixels2.length; i++) {
        const [column, row] = [i % COLUMNS, ROWS - 1 - Math.floor(i / COLUMNS)];
        pixels2[i] = pixel(colorOf(cells[row * COLUMNS + column], fewest, limit, color, colors));
      }
    });
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    Object.assign(canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
    const context = contextOf(canvas);
    context.imageSmoothingEnabled = false;
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    context.scale(ratio, ratio);
    const [lr, hyper_lr] = hand.rates();
    const [across, up] = [shareOf2(lr, ACROSS), shareOf2(hyper_lr, UP)];
    write(words, `ε ${short(lr)}, ρ ${short(hyper_lr)}: ${wordsOf(run(lr, hyper_lr, limit))}`);
    if (![across, up].every((share) => share >= 0 && share <= 1)) return;
    context.beginPath();
    context.arc(across * width, (1 - up) * height, DOT, 0, 2 * Math.PI);
    context.fillStyle = colors.paper;
    context.strokeStyle = colors.ink;
    context.lineWidth = 2;
    context.fill();
    context.stroke();
  }
};

// player/hand.js
var RATES = (
  /** @type {const} */
  ["lr", "hyper_lr"]
);
var Hand = class {
  /** @param {Player} player */
  constructor(player) {
    this.player = player;
    this.parts = partsOf(player.root);
    this.race = null;
    this.start = null;
    this.values = {};
    this.sent = /* @__PURE__ */ new Set();
    this.due = false;
    this.races = 0;
    this.left = null;
    this.chosen = "";
    this.map = new RateMap(this);
    this.controls();
  }
  /** Whether the hand is on something. */
  get moves() {
    const { lr, hyper_lr } = this.parts.sliders;
    const sliding = [lr, hyper_lr].some(({ input }) => input.matches(":active"));
    return Boolean(this.player.pointer?.held) || this.map.pressed || sliding;
  }
  /** Whether what is drawn is not Python's. */
  get leads() {
    return this.start !== null || Object.keys(this.values).length > 0;
  }
  /** Answers to the sliders and the choice of a run. */
  controls() {
    const { choice, sliders } = this.parts;
    choice.onchange = () => {
      this.chosen = choice.value;
      this.label();
    };
    for (const rate of RATES) {
      const { input } = sliders[rate];
      input.oninput = () => this.set(this.nameOf(rate), Number(input.value));
      input.onchange = () => this.commit([this.nameOf(rate)]);
    }
  }
  /**
   * Python's race.
   *
   * @param {PlayerData} data
   */
  show(data) {
    const race = raceOf(data);
    this.race = race;
    this.player.under.exact = race?.probe ? (x, y) => race.surfaceAt(x, y) : null;
    if (this.moves) this.due = true;
    else this.forget();
    this.sent.clear();
    const { root, choice } = this.parts;
    const movable = data.runs.map(
      (_, i) => RATES.filter((rate) => typeof data.live?.runs[i]?.[rate] === "string").length
    );
    const names = data.runs.filter((_, i) => movable[i]).map(({ name }) => name);
    root.hidden = !names.length || !this.race;
    if (!names.includes(this.chosen)) this.chosen = data.runs[movable.lastIndexOf(Math.max(...movable))]?.name ?? "";
    if (names.join() !== Array.from(choice.options, ({ value }) => value).join())
      choice.replaceChildren(...names.map((name) => make("option", "", name)));
    choice.value = this.chosen;
    this.label();
  }
  /** Nothing is under the hand any more. */
  forget() {
    this.start = null;
    this.values = {};
    this.due = false;
    this.left = null;
  }
  /**
   * The start is dragged to a point.
   *
   * @param {[number, number] | null} point
   */
  drag(point) {
    const { live } = this.player.data;
    if (!live || !this.race || !point?.every(Number.isFinite)) return;
    this.start = rounded(point, live.digits);
    this.due = true;
  }
  /** What was done is not meant: Python's race is shown again, at the step that it was left at. */
  cancel() {
    const { left, player } = this;
    this.forget();
    player.renew();
    if (left !== null) player.go(left);
    this.label();
  }
  /**
   * The slider of a setting is moved. Where it was at first it has the setting's own value, which need not be one of its.
   *
   * @param {string} name
   * @param {number} position
   */
  set(name, position) {
    const known = this.player.data.live?.settings[name];
    if (known !== void 0) this.put([name], [position === positionOf(known) ? known : rateAt(position)]);
  }
  /**
   * Rates are moved. One that Python's race has is none that was moved: the page would not answer to it.
   *
   * @param {string[]} names of their settings; "" for none
   * @param {number[]} rates
   */
  put(names, rates) {
    names.forEach((name, i) => {
      if (rates[i] === this.player.data.live?.settings[name]) delete this.values[name];
      else if (name) this.values[name] = rates[i];
    });
    this.due = true;
    this.label();
  }
  /**
   * Has Python run the race with what was moved; also with what has been moved back before it has answered.
   *
   * @param {string[]} names of settings
   */
  commit(names) {
    const changed = names.filter((name) => name in this.values || this.sent.has(name));
    if (!changed.length) return;
    for (const name of changed) this.sent.add(name);
    const rates = changed.map((name) => [name, this.values[name] ?? this.player.data.live?.settings[name]]);
    this.player.trigger("rates", Object.fromEntries(rates));
  }
  /** The names of the settings that the sliders move; "" for none. */
  names() {
    return RATES.map((rate) => this.nameOf(rate));
  }
  /** The rates that the sliders stand at. */
  rates() {
    const { live } = this.player.data;
    return this.names().map((name) => this.values[name] ?? live?.settings[name] ?? Number.NaN);
  }
  /** How the chosen run runs from the race's start, at any rates; null where it has not both. */
  mapped() {
    const { race, player } = this;
    const { data } = player;
    const index = data.runs.findIndex(({ name }) => name === this.chosen);
    const [rule, key] = [race?.rules[index], data.live?.runs[index]?.key];
    const [lr, hyper_lr] = this.names();
    if (!race || !rule || !data.live || !key || !lr || !hyper_lr) return null;
    const own = rule.copy();
    const run = (at, rho, limit) => race.runOne(own, index, data.start, { [lr]: at, [hyper_lr]: rho }, limit);
    return { key, run, steps: data.live.steps };
  }
  /**
   * The name of the setting that a slider moves; "" for none.
   *
   * @param {typeof RATES[number]} rate
   */
  nameOf(rate) {
    const { data } = this.player;
    const setting = data.live?.runs[data.runs.findIndex(({ name }) => name === this.chosen)]?.[rate];
    return typeof setting === "string" ? setting : "";
  }
  /** Writes the values beside the sliders, and has these stand there. */
  label() {
    const [names, rates] = [this.names(), this.rates()];
    RATES.forEach((rate, i) => {
      const { row, input, output } = this.parts.sliders[rate];
      const value = rates[i];
      row.hidden = !names[i];
      if (!names[i]) return;
      write(output, short(value));
      input.setAttribute("aria-valuetext", short(value));
      if (!input.matches(":active")) input.value = String(positionOf(value));
    });
    this.map.renew();
  }
  /** Runs the race where the hand has it; once a frame. */
  follow() {
    const { player, race } = this;
    this.map.follow();
    if (!this.due || !race) return;
    this.due = false;
    if (!this.leads) return this.cancel();
    this.left ??= player.step < player.end ? player.step : Infinity;
    const { data } = player;
    this.races++;
    const motions2 = race.run(this.start ?? data.start, { ...data.live?.settings, ...this.values });
    player.runs.forEach((run, i) => {
      const motion = motions2[i];
      run.late = !motion;
      if (motion) lay(run, motion, data.runs[i].arrows);
    });
    if (this.start) player.setStart(this.start);
    player.play(false);
    player.go(Infinity);
  }
};
function lay(run, motion, arrows2) {
  const { x, y, count: points } = motion;
  const text = labelOf(run.name, motion);
  Object.assign(run, motion, {
    arrows: arrows2 ? anglesOf(motion) : null,
    terms: run.terms && { ...run.terms, ...motion.made },
    label: { ...run.label, text, at: [x[points - 1], y[points - 1]] }
  });
}
var isLive = (data) => data.live !== void 0;
function raceOf(data) {
  try {
    return isLive(data) ? new LiveRace(data) : null;
  } catch (error) {
    if (error instanceof EvalError) return null;
    throw error;
  }
}
function partsOf(root) {
  const slider = (name) => {
    const row = box(root, `.fop-hand-${name}`);
    return { row, input: part(row, "input", HTMLInputElement), output: part(row, "output", HTMLOutputElement) };
  };
  return {
    root: box(root, ".fop-hand"),
    choice: part(root, ".fop-hand-run", HTMLSelectElement),
    sliders: { lr: slider("lr"), hyper_lr: slider("hyper") }
  };
}

// player/labels.js
var SHIFT = { left: "0", right: "-100%", center: "-50%" };
var Labels = class {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.built = "";
    this.nodes = [];
  }
  /** Makes them anew at the next frame. */
  forget() {
    this.built = "";
  }
  /**
   * @param {Context} context for the lines that lead to labels which stand apart
   * @param {Run[]} runs
   * @param {View} view
   * @param {number} step
   */
  draw(context, runs, view, step) {
    Object.assign(this.root.style, { left: `${view.left}px`, top: `${view.top}px` });
    const shown2 = JSON.stringify(runs.map(({ color, bold }) => [color, bold]));
    if (this.built !== shown2) {
      this.built = shown2;
      this.nodes = runs.map((run) => {
        const node = make("div", "fop-label", run.label.text);
        Object.assign(node.style, { color: run.color, fontWeight: run.bold ? 600 : 400 });
        return node;
      });
      this.root.replaceChildren(...this.nodes);
    }
    runs.forEach((run, index) => {
      write(this.nodes[index], run.label.text);
    });
    runs.forEach((run, index) => {
      const { label } = run;
      const node = this.nodes[index];
      const [px, py] = [view.x(...label.at), view.y(...label.at)];
      const inside2 = px >= -1 && py >= -1 && px <= view.width + 1 && py <= view.height + 1;
      const arrived = inside2 && emphasis.shows(run.rule) && step >= stepOf(run, run.count - 1);
      node.classList.toggle("fop-arrived", arrived);
      const opacity = opacityOf(run);
      node.style.opacity = arrived ? String(opacity) : "";
      if (!arrived) return;
      context.globalAlpha = opacity;
      node.style.transform = `translate(${px + label.dx}px, ${py + label.dy}px) translate(${SHIFT[label.anchor]}, -50%)`;
      const length = Math.hypot(label.dx, label.dy);
      if (length < 10) return;
      context.beginPath();
      context.moveTo(px + 8 * label.dx / length, py + 8 * label.dy / length);
      context.lineTo(px + label.dx, py + label.dy);
      context.lineWidth = 1;
      context.strokeStyle = run.color;
      context.stroke();
    });
    context.globalAlpha = 1;
  }
};

// lib/sent.js
var Sent = class {
  constructor() {
    this.keys = [];
  }
  /** @param {string} key identifies what is sent */
  add(key) {
    this.keys.push(key);
  }
  /**
   * Whether what comes is what was sent, and not of another's making; forgets it and all that was sent before.
   *
   * @param {string} key
   */
  isEcho(key) {
    const at = this.keys.indexOf(key);
    this.keys.splice(0, at + 1);
    return at >= 0;
  }
};

// lib/svg.js
var SVG = "http://www.w3.org/2000/svg";
function svg(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  made.append(...children);
  return made;
}
var swatch = ({ color, dash, width, glyph: glyph2 }) => svg(
  "svg",
  { width: 30, height: 12, viewBox: "-15 -6 30 12", "aria-hidden": "true" },
  svg("path", { d: "M-15 0H15", stroke: color, "stroke-width": width, "stroke-dasharray": dash }),
  svg("path", { d: glyph2, fill: color, stroke: "var(--st-background-color)" })
);

// player/grab.js
var REACH = 16;
var FINGERTIP = 22;
function grabs(view, [x, y], px, py, finger) {
  const away = Math.hypot(view.x(x, y) - px, view.y(x, y) - py);
  return away < (finger ? FINGERTIP : REACH) && !view.hidden?.(x, y);
}

// player/pointer.js
var DOUBLE = 400;
var SAME = 16;
var FAR = 4;
var Pointer = class {
  /** @param {Player} player */
  constructor(player) {
    this.player = player;
    this.down = null;
    this.pressed = null;
    this.held = false;
    this.tipped = null;
    this.starts = 0;
    this.ending = new AbortController();
    const { signal } = this.ending;
    const { ground, paths } = player.parts;
    const first = { capture: true };
    const targets = [ground, paths];
    for (const target of targets) {
      target.addEventListener("pointerdown", (event) => this.begin(event), { ...first, signal });
      for (const kind of ["mousedown", "mousemove", "touchstart"])
        target.addEventListener(kind, (event) => this.keep(event), { ...first, signal });
    }
    window.addEventListener("pointermove", (event) => this.move(event), { ...first, signal });
    for (
      const kind of
      /** @type {const} */
      ["pointerup", "pointercancel"]
    )
      window.addEventListener(kind, (event) => this.finish(event), { ...first, signal });
  }
  /**
   * Keeps an event to itself, if the start is grabbed.
   *
   * @param {Event} event
   */
  keep(event) {
    if (!this.held) return;
    event.stopPropagation();
    if (event.type === "touchstart") event.preventDefault();
  }
  /**
   * Where an event is in the picture, px.
   *
   * @param {PointerEvent} event
   */
  locate({ clientX, clientY }) {
    const view = this.player.view();
    const box2 = this.player.parts.stage.getBoundingClientRect();
    const [px, py] = [clientX - box2.left - view.left, clientY - box2.top - view.top];
    return { view, px, py, inside: px >= 0 && py >= 0 && px <= view.width && py <= view.height };
  }
  /** @param {PointerEvent} event */
  begin(event) {
    const { player, pressed } = this;
    if (event.button || onButton(event) || this.held) return;
    const located = this.locate(event);
    const { view, px, py, inside: inside2 } = located;
    if (!inside2) return;
    const finger = event.pointerType === "touch";
    const grabbed = !player.turning.fingers.size && grabs(view, player.start, px, py, finger);
    if (player.solid && !grabbed && player.turning.begin(event)) {
      this.down = null;
      return;
    }
    this.showUnder(event, located);
    const { clientX: x, clientY: y, timeStamp: at } = event;
    const same = pressed && (player.zoomed || Math.hypot(x - pressed.x, y - pressed.y) < SAME);
    const second = Boolean(same) && at - (pressed?.at ?? 0) < DOUBLE;
    this.pressed = { at, x, y };
    clearTimeout(this.starts);
    this.down = { id: event.pointerId, x, y, second, grabbed };
    if (!grabbed) return;
    this.held = true;
    this.hideTip();
    player.changed = true;
  }
  /** @param {PointerEvent} event */
  move(event) {
    const { down, player } = this;
    if (player.turning.fingers.size) {
      player.turning.drag(event);
      return;
    }
    if (this.held && event.pointerId !== down?.id) return;
    const located = this.locate(event);
    this.showUnder(event, located);
    if (!down) {
      if (event.pointerType === "mouse") this.showTip(event, located);
      return;
    }
    if (down.grabbed) {
      const { px, py } = located;
      const point = player.pointAt(px, py);
      if (point) player.setStart(point);
      player.hand.drag(point);
      event.preventDefault();
    }
  }
  /** @param {PointerEvent} event */
  finish(event) {
    const { down, player } = this;
    player.turning.end(event);
    if (this.held && event.pointerId !== down?.id) return;
    this.down = null;
    this.held = false;
    if (down?.grabbed && event.type === "pointercancel") player.hand.cancel();
    if (!down || event.type === "pointercancel") return;
    const { px, py } = this.locate(event);
    const far = Math.hypot(event.clientX - down.x, event.clientY - down.y) > FAR;
    if (far) this.pressed = null;
    if (down.grabbed && !far) player.hand.cancel();
    if (far !== down.grabbed) return;
    const point = player.pointAt(px, py) ?? (down.grabbed ? player.newStart : null);
    if (!point?.every(Number.isFinite)) {
      if (down.grabbed) player.hand.cancel();
      return;
    }
    if (down.grabbed) player.hand.drag(point);
    const [x, y] = down.grabbed && player.hand.start || point;
    const start = () => {
      player.setStart([x, y]);
      player.play(false);
      player.trigger("start", { x, y });
    };
    if (down.second && !down.grabbed) return;
    if (player.zoomed && !down.grabbed) this.starts = setTimeout(start, DOUBLE);
    else start();
  }
  /**
   * Says what is under the mouse: a run's step, point and f.
   *
   * @param {PointerEvent} event
   * @param {ReturnType<Pointer["locate"]>} located where it is
   */
  showTip(event, located) {
    const { player } = this;
    const { tip, stage } = player.parts;
    const over = event.target instanceof Node && stage.contains(event.target) && player.runs.length > 0;
    const hit = over && located.inside ? nearest(player.runs, located.view, located.px, located.py) : null;
    if (!hit) return this.hideTip();
    const { run, index } = hit;
    const { view, px } = located;
    const [x, y] = [run.x[index], run.y[index]];
    this.tipped = { key: view.key, run, index, x, y };
    tip.hidden = false;
    const step = count(stepOf(run, index));
    tip.textContent = `${run.name}, step ${step}
(${short(x)}, ${short(y)})
f = ${short(run.losses[index])}`;
    const left = view.left + view.x(x, y) + (px > view.width / 2 ? -12 - tip.offsetWidth : 12);
    tip.style.transform = `translate(${left}px, ${view.top + view.y(x, y) + 12}px)`;
  }
  hideTip() {
    this.tipped = null;
    this.player.parts.tip.hidden = true;
  }
  /**
   * Takes the tip away where its point is not drawn there any more; called when paths have been drawn.
   *
   * @param {View} view
   */
  checkTip(view) {
    if (!this.tipped) return;
    const { key, run, index, x, y } = this.tipped;
    const there = this.player.runs.includes(run) && index <= run.drawn && run.x[index] === x && run.y[index] === y;
    if (!there || key !== view.key) this.hideTip();
  }
  /**
   * Says what the surface is under the pointer, a finger's too.
   *
   * @param {PointerEvent} event
   * @param {ReturnType<Pointer["locate"]>} located where it is
   */
  showUnder(event, located) {
    const { player } = this;
    const over = event.target instanceof Node && player.parts.stage.contains(event.target);
    if (!over && event.pointerType !== "mouse") return;
    player.under.show(over && located.inside ? player.pointAt(located.px, located.py) : null);
  }
  leave() {
    clearTimeout(this.starts);
    this.ending.abort();
  }
};

// player/legend.js
var SETTLED = 500;
var Legend = class {
  /**
   * @param {HTMLElement} root
   * @param {(hidden: string[]) => void} send tells the page which runs are hidden
   */
  constructor(root, send) {
    this.root = root;
    this.send = send;
    this.built = "";
    this.rules = [];
    this.buttons = /* @__PURE__ */ new Map();
    this.pressed = null;
    this.timer = 0;
    this.sent = new Sent();
    this.unfollow = emphasis.follow(() => this.mark());
  }
  /**
   * @param {Pick<RunHead, "rule" | "name" | "color" | "dash" | "width" | "glyph">[]} runs
   * @param {string[]} hidden by the page's address
   * @param {boolean} changed whether that is another one than before
   */
  show(runs, hidden, changed) {
    this.rules = runs.map(({ rule }) => rule);
    const built = JSON.stringify(runs.map(({ rule, name, color }) => [rule, name, color]));
    if (this.built !== built) this.build(runs);
    this.built = built;
    const old = this.sent.isEcho(keyOf(hidden)) || this.timer > 0;
    emphasis.hide(within(changed && !old ? hidden : emphasis.hidden, this.rules));
    this.mark();
  }
  /** @param {Pick<RunHead, "rule" | "name" | "color" | "dash" | "width" | "glyph">[]} runs */
  build(runs) {
    emphasis.point(null);
    this.buttons = new Map(runs.map((run) => [run.rule, this.button(run)]));
    this.root.replaceChildren(...this.buttons.values());
  }
  /** @param {Pick<RunHead, "rule" | "name" | "color" | "dash" | "width" | "glyph">} run */
  button({ rule, name, color, dash, width, glyph: glyph2 }) {
    const button = make("button", "fop-entry");
    button.type = "button";
    button.title = "Hide or show; twice or with Shift: this one alone";
    button.append(swatch({ color, dash: dash.join(), width, glyph: glyph2 }), make("span", "", name));
    button.onclick = (event) => this.toggle(rule, event.shiftKey, event.timeStamp);
    button.onkeydown = (event) => {
      if (event.key !== "Enter" || !event.shiftKey) return;
      event.preventDefault();
      this.toggle(rule, true, event.timeStamp);
    };
    button.onpointerenter = () => emphasis.point(rule);
    button.onpointerleave = () => emphasis.point(null);
    button.onfocus = () => button.matches(":focus-visible") && emphasis.point(rule);
    button.onblur = () => emphasis.point(null);
    return button;
  }
  /**
   * @param {string} rule
   * @param {boolean} only whether to show it alone
   * @param {number} at ms
   */
  toggle(rule, only, at) {
    const { pressed, rules } = this;
    const second = pressed?.rule === rule && at - pressed.at < DOUBLE;
    const before2 = second && pressed ? pressed.hidden : emphasis.hidden;
    this.pressed = second || only ? null : { rule, at, hidden: before2 };
    emphasis.hide(only || second ? alone(before2, rule, rules) : toggled(before2, rule, rules));
    emphasis.point(null);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.timer = 0;
      this.sent.add(keyOf(emphasis.hidden));
      this.send([...emphasis.hidden]);
    }, SETTLED);
  }
  /** Shows on the buttons what is hidden. */
  mark() {
    this.root.dataset.hidden = keyOf(emphasis.hidden);
    for (const [rule, button] of this.buttons) button.setAttribute("aria-pressed", String(emphasis.shows(rule)));
  }
  leave() {
    clearTimeout(this.timer);
    this.unfollow();
    emphasis.point(null);
  }
};

// player/opening.js
var AWAY = 14;
function beginning({ opening, opened, still }) {
  if (!opening || opened) return "end";
  return still ? "still" : "play";
}
var telling = (last) => Math.floor(last / 2);
function linked(fragment) {
  const step = /^#step=(\d{1,9})$/.exec(fragment);
  return step && Number(step[1]);
}
var Opening = class {
  /** @param {HTMLElement} invitation */
  constructor(invitation) {
    this.invitation = invitation;
    this.waits = false;
    this.plays = false;
  }
  /**
   * Returns how a race begins, which is shown for the first time.
   *
   * @param {boolean} opening
   */
  begin(opening) {
    const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    const way = beginning({ opening, opened: Boolean(page.opened), still });
    if (way !== "end") page.opened = true;
    this.waits = way === "play";
    this.invitation.hidden = way !== "still";
    return way;
  }
  /** Whether it is time to play, which is said once. */
  starts() {
    const { waits } = this;
    this.waits = false;
    this.plays = waits;
    return waits;
  }
  /** The race has been played to its end. */
  ended() {
    if (this.plays) this.invitation.hidden = false;
    this.plays = false;
  }
  /** The reader has begun to play, or the race is another one. */
  leave() {
    page.opened = true;
    Object.assign(this, { waits: false, plays: false });
    this.invitation.hidden = true;
  }
  /**
   * Puts the invitation below the start, or above it where there is no room below.
   *
   * @param {View} view
   * @param {[number, number]} start
   */
  draw(view, [x, y]) {
    const { invitation } = this;
    if (invitation.hidden) return;
    const { offsetWidth: width, offsetHeight: height } = invitation;
    const [px, py] = [view.x(x, y), view.y(x, y)];
    const below = py + AWAY + height <= view.height;
    const left = view.left + clamp(px - width / 2, 0, Math.max(0, view.width - width));
    const top = view.top + (below ? py + AWAY : py - AWAY - height);
    invitation.style.transform = `translate(${left}px, ${top}px)`;
  }
};

// player/parts.js
var partsOf2 = (root) => ({
  stage: box(root, ".fop-stage"),
  ground: plotlyNode(box(root, ".fop-ground")),
  paths: part(root, ".fop-paths", HTMLCanvasElement),
  heads: part(root, ".fop-heads", HTMLCanvasElement),
  labels: box(root, ".fop-labels"),
  invitation: box(root, ".fop-invitation"),
  part: box(root, ".fop-part"),
  tip: box(root, ".fop-tip"),
  legend: box(root, ".fop-entries"),
  scale: box(root, ".fop-scale"),
  under: box(root, ".fop-under"),
  play: box(root, ".fop-play"),
  restart: box(root, ".fop-restart"),
  back: box(root, ".fop-back"),
  on: box(root, ".fop-on"),
  apart: box(root, ".fop-apart"),
  scrub: part(root, ".fop-scrub", HTMLInputElement),
  step: box(root, ".fop-step"),
  closer: part(root, ".fop-closer", HTMLButtonElement),
  farther: part(root, ".fop-farther", HTMLButtonElement),
  whole: part(root, ".fop-whole", HTMLButtonElement),
  camera: part(root, ".fop-camera", HTMLButtonElement),
  hint: box(root, ".fop-hint-keys"),
  speed: part(root, ".fop-speed", HTMLSelectElement),
  missing: box(root, ".fop-plot-missing")
});

// player/turning.js
var TURN = 0.1;
var PAN = 24;
var STEP = 1.25;
var WHEEL = 1.002;
var NOTCH = 100;
var LINE = 16;
var TOUCHPAD = 3;
var YAW2 = 150;
var PITCH2 = 200;
var ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
var Turning = class {
  /** @param {Player} player */
  constructor(player) {
    this.player = player;
    this.fingers = /* @__PURE__ */ new Map();
    this.endKeys = null;
    const { paths, closer, farther, whole } = player.parts;
    closer.onclick = () => this.act((orbit, area) => orbit.approach(STEP, area));
    farther.onclick = () => this.act((orbit, area) => orbit.approach(1 / STEP, area));
    whole.onclick = () => this.act((orbit) => orbit.reset());
    paths.onkeydown = (event) => this.key(event);
    paths.onwheel = (event) => this.wheel(event);
    paths.onmousedown = (event) => {
      if (!player.solid) return;
      event.preventDefault();
      player.root.focus({ preventScroll: true });
    };
  }
  /**
   * Begins or ends.
   *
   * @param {boolean} on
   */
  show(on) {
    const { player } = this;
    const { paths, hint } = player.parts;
    this.endKeys?.();
    this.endKeys = on ? pageKeys(player.root, this.zooming()) : null;
    if (!on) this.fingers.clear();
    paths.setAttribute("role", on ? "application" : "img");
    paths.tabIndex = on ? 0 : -1;
    const axes2 = player.data.scene?.axes.map(({ name }) => name).join(", ");
    const more = on ? `. Axes: ${axes2}. ${hint.textContent}` : "";
    paths.setAttribute("aria-label", player.data.alt + more);
  }
  /**
   * Changes where the viewer is, and draws.
   *
   * @param {(orbit: Orbit, area: Area) => void} change
   */
  act(change) {
    const { solid } = this.player;
    if (!solid) return;
    change(solid.orbit, this.player.view());
    this.player.again();
  }
  /**
   * Keys of the page.
   *
   * @returns {Keys}
   */
  zooming() {
    const nearer = () => this.act((orbit, area) => orbit.approach(STEP, area));
    const farther = () => this.act((orbit, area) => orbit.approach(1 / STEP, area));
    return { "+": nearer, "=": nearer, "-": farther, "−": farther, 0: () => this.act((orbit) => orbit.reset()) };
  }
  /**
   * Keys of the picture, while that has the focus.
   *
   * @param {KeyboardEvent} event
   */
  key(event) {
    const arrow3 = ARROWS[event.key];
    if (!this.player.solid || !arrow3 || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const [across, up] = arrow3;
    if (event.shiftKey) this.act((orbit, area) => orbit.pan(-PAN * across, PAN * up, area));
    else this.act((orbit) => orbit.turn(TURN * across, TURN * up));
  }
  /**
   * The wheel scrolls the page, and with Ctrl, which two fingers on a touchpad stand for, it zooms; without, while the
   * picture has the focus.
   *
   * @param {WheelEvent} event
   */
  wheel(event) {
    const { player } = this;
    const { paths } = player.parts;
    if (!player.solid || !(event.ctrlKey || event.metaKey || document.activeElement === paths)) return;
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE : 1;
    const px = clamp(event.deltaY * lines * (event.ctrlKey ? TOUCHPAD : 1), -NOTCH, NOTCH);
    const box2 = paths.getBoundingClientRect();
    this.act((orbit, area) => orbit.approach(WHEEL ** -px, area, event.clientX - box2.left, event.clientY - box2.top));
  }
  /**
   * A finger, or the mouse, is down; returns whether it is a second one.
   *
   * @param {PointerEvent} event
   */
  begin(event) {
    this.fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    return this.fingers.size > 1;
  }
  /**
   * Turns by one finger, or by the mouse; with Shift moves what is in the picture; by two fingers moves and zooms.
   *
   * @param {PointerEvent} event
   */
  drag(event) {
    if (event.pointerType === "mouse" && !event.buttons) this.end(event);
    const before2 = this.fingers.get(event.pointerId);
    if (!before2) return;
    const now = { x: event.clientX, y: event.clientY };
    this.fingers.set(event.pointerId, now);
    const [dx, dy] = [now.x - before2.x, now.y - before2.y];
    const other = [...this.fingers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const times = distance(now, other) / Math.max(1, distance(before2, other));
      const box2 = this.player.parts.paths.getBoundingClientRect();
      this.act((orbit, area) => {
        orbit.approach(times, area, (now.x + other.x) / 2 - box2.left, (now.y + other.y) / 2 - box2.top);
        orbit.pan(dx / 2, dy / 2, area);
      });
    } else if (event.shiftKey) this.act((orbit, area) => orbit.pan(dx, dy, area));
    else this.act((orbit) => orbit.turn(dx / YAW2, dy / PITCH2));
  }
  /** @param {PointerEvent} event */
  end(event) {
    this.fingers.delete(event.pointerId);
  }
  leave() {
    this.endKeys?.();
  }
};
var distance = (a, b) => Math.hypot(a.x - b.x, a.y - b.y);

// player/under.js
var HINT = "Point at the surface: f and ∇f";
function decoded({ dtype, bdata }) {
  if (dtype !== "f4") throw new Error(`the heights are ${dtype}, not f4`);
  const bytes = Uint8Array.from(atob(bdata), (sign) => sign.charCodeAt(0));
  return new Float32Array(bytes.buffer);
}
var cubic = (t) => [
  [((2 - t) * t - 1) * t, (3 * t - 5) * t * t + 2, ((4 - 3 * t) * t + 1) * t, (t - 1) * t * t].map((w) => w / 2),
  [(4 - 3 * t) * t - 1, (9 * t - 10) * t, (8 - 9 * t) * t + 1, (3 * t - 2) * t].map((w) => w / 2)
];
function interpolated(heights, [left, right, bottom, top], { base, log }) {
  const size = Math.round(Math.sqrt(heights.length));
  const [across, up] = [(size - 1) / (right - left), (size - 1) / (top - bottom)];
  return (x, y) => {
    const [u, v] = [(x - left) * across, (y - bottom) * up];
    if (!(u >= 0 && v >= 0 && u <= size - 1 && v <= size - 1)) return null;
    const [i, j] = [u, v].map((at) => clamp(Math.floor(at), 1, size - 3));
    const [[wx, dx], [wy, dy]] = [cubic(u - i), cubic(v - j)];
    let [f, gx, gy] = [0, 0, 0];
    for (let row = 0; row < 4; row++)
      for (let column = 0; column < 4; column++) {
        const height = heights[(j - 1 + row) * size + i - 1 + column];
        const value = base + (log ? 10 ** height : height);
        f += wy[row] * wx[column] * value;
        gx += wy[row] * dx[column] * value * across;
        gy += dy[row] * wx[column] * value * up;
      }
    return Number.isFinite(f + gx + gy) ? { f, gx, gy } : null;
  };
}
function described([x, y], value, exact) {
  const at = `(${short(x)}, ${short(y)})`;
  if (!value) return `${at}: f is not known here`;
  const is = exact ? "=" : "≈";
  return `${at}: f ${is} ${short(value.f)}, ∇f ${is} (${short(value.gx)}, ${short(value.gy)})`;
}
var Under = class {
  /** @param {HTMLElement} line */
  constructor(line) {
    this.line = line;
    this.exact = null;
    this.near = null;
    this.show(null);
  }
  /** @param {[number, number] | null} point of the plane; null where the cursor is at none */
  show(point) {
    const surfaceAt = this.exact ?? this.near;
    write(this.line, point && surfaceAt ? described(point, surfaceAt(...point), this.exact !== null) : HINT);
    this.line.classList.toggle("fop-idle", !point);
  }
};

// player/player.js
var PLAY = "M7 4.5v15l12.5-7.5z";
var PAUSE = "M6.5 5h4v14h-4zM13.5 5h4v14h-4z";
var WHOLE = 7;
var RATE = 100;
var SLOW = 100;
var LARGEST = 720;
var AROUND = 300;
var LOWEST = 300;
var PHASE = 0.9;
var runsOf = (data) => {
  const terms = termsOf(data);
  return motions(data).map((motion, i) => {
    const { rule, name, color, dash, width, bold, label, glyph: glyph2 } = data.runs[i];
    const style = { rule, name, color, dash, width, bold, label, glyph: new Path2D(glyph2) };
    return { ...style, ...motion, terms: terms[i], drawn: -1, length: 0, hidden: 0, px: 0, py: 0 };
  });
};
var lastOf = (run) => stepOf(run, run.count - 1);
var Player = class {
  /**
   * @param {HTMLElement} root
   * @param {PlayerData} data
   * @param {Send} trigger
   */
  constructor(root, data, trigger) {
    this.root = root;
    this.data = data;
    this.trigger = trigger;
    this.parts = partsOf2(root);
    this.labels = new Labels(this.parts.labels);
    this.opening = new Opening(this.parts.invitation);
    this.apart = false;
    this.run = "";
    this.legend = new Legend(this.parts.legend, (hidden) => this.trigger("hidden", hidden));
    this.under = new Under(this.parts.under);
    this.begun = false;
    this.gone = false;
    this.runs = [];
    this.step = Infinity;
    this.playing = false;
    this.changed = true;
    this.stale = true;
    this.viewed = "";
    this.theme = themeOf(root);
    this.font = "";
    this.newStart = null;
    this.scene = null;
    this.shown = "";
    this.whole = [0, 1];
    this.config = null;
    this.pointer = null;
    this.hand = new Hand(this);
    this.sizes = null;
    this.bounds = { left: 0, top: 0, width: 0, height: 0 };
    this.ending = new AbortController();
    this.turning = new Turning(this);
    this.endKeys = this.controls();
    this.endEmphasis = emphasis.follow(() => this.again());
    this.play(false);
    this.frame = requestAnimationFrame((now) => this.tick(now, now));
  }
  /** The last step of the race. */
  get end() {
    return endOf(this.runs);
  }
  /** How far the race is, 0 to 1, in the time that is chosen. */
  get share() {
    return shareOf(Math.min(this.step, this.end), this.end, this.data.log);
  }
  set share(share) {
    this.go(stepAt(share, this.end, this.data.log));
  }
  /** Where all start, or will, once the race from there is here. */
  get start() {
    return this.newStart ?? this.data.start;
  }
  /** The surface in three dimensions; null where it is seen from above. */
  get solid() {
    return this.data.scene ? this.scene : null;
  }
  get colors() {
    return this.data.themes[this.theme].colors;
  }
  /** The run whose steps are shown, of those that the legend does not hide. */
  get followed() {
    return shownOf(
      this.runs.filter((run) => emphasis.shows(run.rule)),
      this.run
    );
  }
  /** The phases of a step that is taken apart; null where none is. */
  get phases() {
    const terms = this.apart && this.followed?.terms;
    return terms ? phasesOf(terms) : null;
  }
  /** The step at which playing ends: where steps are taken apart, the last of their run. */
  get last() {
    return this.phases && this.followed ? lastOf(this.followed) : this.end;
  }
  /**
   * Takes each step apart, or none.
   *
   * @param {boolean} on
   */
  takeApart(on) {
    this.apart = on;
    this.parts.apart.setAttribute("aria-pressed", String(on));
    if (on && this.step < this.last) this.go(Math.floor(this.step));
    this.play(on);
  }
  /** @param {number} step */
  go(step) {
    this.step = clamp(step, 0, this.end);
    this.changed = true;
  }
  /** @param {boolean} on */
  play(on) {
    if (on && this.step >= this.last) this.go(0);
    this.playing = on;
    const { play } = this.parts;
    play.querySelector("path")?.setAttribute("d", on ? PAUSE : PLAY);
    play.setAttribute("aria-label", on ? "Pause" : "Play");
    if (!on) this.again();
  }
  /** Draws everything anew at the next frame, each run over the earlier ones. */
  again() {
    for (const run of this.runs) run.drawn = -1;
    this.stale = true;
    this.changed = true;
  }
  /**
   * Marks a start that is not the race's yet.
   *
   * @param {[number, number] | null} point
   */
  setStart(point) {
    this.newStart = point;
    this.changed = true;
  }
  /** Answers to buttons and keys; returns how to give the page's keys back. */
  controls() {
    const { play, restart, back, on, scrub, apart: apart2 } = this.parts;
    for (const kind of ["pointerdown", "keydown", "input"])
      this.root.addEventListener(kind, () => this.opening.leave(), { capture: true, signal: this.ending.signal });
    apart2.onclick = () => this.takeApart(!this.apart);
    const move = (by) => {
      this.opening.leave();
      this.play(false);
      if (this.phases && Math.abs(by) === 1) return this.go(nextPhase(this.step, this.phases.length, by));
      this.go(by > 0 ? Math.floor(this.step) + by : Math.ceil(Math.min(this.step, this.end)) + by);
    };
    play.onclick = () => this.play(!this.playing);
    restart.onclick = () => this.go(0);
    back.onclick = () => move(-1);
    on.onclick = () => move(1);
    scrub.oninput = () => {
      this.play(false);
      this.share = Number(scrub.value) / 1e3;
    };
    return pageKeys(this.root, {
      " ": () => {
        this.opening.leave();
        this.play(!this.playing);
      },
      ArrowLeft: (event) => move(event.shiftKey ? -10 : -1),
      ArrowRight: (event) => move(event.shiftKey ? 10 : 1),
      Home: () => {
        this.opening.leave();
        this.go(0);
      },
      End: () => {
        this.opening.leave();
        this.play(false);
        this.go(Infinity);
      }
    });
  }
  /**
   * New data, or the same in another theme.
   *
   * @param {PlayerData} data
   * @param {Send} trigger
   */
  show(data, trigger) {
    const known = this.begun ? this.data : null;
    Object.assign(this, { data, trigger, begun: true });
    this.theme = themeOf(this.root);
    this.root.style.colorScheme = this.theme;
    this.font = getComputedStyle(this.root).fontFamily;
    this.turning.show(Boolean(data.scene));
    this.parts.stage.classList.toggle("fop-3d", Boolean(data.scene));
    if (known?.race !== data.race || this.hand.leads) {
      const atEnd = !known || this.step >= this.end;
      this.renew();
      this.go(atEnd ? Infinity : this.step);
      if (!known) this.open(data);
    }
    if (known && (known.race !== data.race || data.scene)) this.opening.leave();
    if (known && data.clicks > known.clicks) {
      this.go(0);
      this.play(true);
    }
    this.runs.forEach((run, index) => {
      run.label = data.runs[index].label;
    });
    this.legend.show(data.runs, data.hidden, known?.hidden.join() !== data.hidden.join());
    if (data.scene && this.scene?.key !== data.scene.key) {
      const fresh = new Scene(floats(data.grid), data.scene);
      if (this.scene) fresh.orbit = this.scene.orbit;
      this.scene = fresh;
    }
    this.hand.show(data);
    this.again();
    this.fit();
    this.ground(data);
  }
  /** Shows the race that the data have. */
  renew() {
    this.runs = runsOf(this.data);
    this.newStart = null;
    this.labels.forget();
    this.again();
  }
  /**
   * Shows a race for the first time.
   *
   * @param {PlayerData} data
   */
  open({ opening }) {
    const step = linked(location.hash);
    if (step !== null) {
      this.opening.leave();
      return this.go(step);
    }
    const way = this.opening.begin(opening);
    const { followed } = this;
    if (way !== "end") this.go(way === "still" && followed ? telling(lastOf(followed)) : 0);
  }
  /**
   * Draws the surface that the race is over.
   *
   * @param {PlayerData} data
   */
  async ground(data) {
    const { theme, parts } = this;
    const Plotly = await loadPlotly(data.source).catch(() => null);
    parts.missing.hidden = Plotly !== null;
    parts.stage.hidden = Plotly === null;
    if (!Plotly || this.gone || this.data !== data || !this.root.isConnected) return;
    const node = parts.ground;
    const shown2 = theme + data.figure;
    node.style.visibility = data.scene ? "hidden" : "";
    if (this.shown === shown2) return;
    this.shown = shown2;
    const figure = themed(data.figure, data.themes[theme], getComputedStyle(node).getPropertyValue("--st-font"));
    const zooms = node.dataset.drag === "zoom" && "zoom";
    if (FINGER) merge(figure.layout, { dragmode: zooms, margin: { t: BUTTON } });
    this.config ??= { ...settings(Plotly, node, () => photograph(this, Plotly)), doubleClickDelay: DOUBLE };
    await Plotly.react(node, figure.data, figure.layout, this.config);
    node.dataset.drag = String(dragmode(node));
    node.dataset.theme = theme;
    const drawn = JSON.parse(data.figure);
    this.whole = drawn.layout.xaxis.range;
    this.survey(drawn, data);
    if (!this.pointer) this.bind(Plotly);
    this.again();
    if (this.opening.starts()) this.play(true);
  }
  /**
   * Takes over what the picture's grid says of the surface.
   *
   * @param {{ data: [{ z: Encoded, contours: Levels }], layout: Record<"xaxis" | "yaxis", { range: [number, number] }> }} figure
   * @param {PlayerData} data
   */
  survey({ data: [{ z, contours }], layout }, { scale }) {
    drawBar(this.parts.scale, contours, scale, this.colors);
    this.under.near = interpolated(decoded(z), [...layout.xaxis.range, ...layout.yaxis.range], scale);
  }
  /** px of the window that are not the picture's; the tour's bar has --fop-tour of them. */
  get around() {
    return AROUND + Number.parseFloat(document.documentElement.style.getPropertyValue("--fop-tour") || "0");
  }
  /** The picture is a square, as large as the column and the window allow. */
  fit() {
    const { stage, ground } = this.parts;
    const { l, r, t, b } = this.data.margin;
    if (stage.clientWidth <= l + r) return;
    const above = FINGER ? BUTTON : t;
    const room = Math.max(LOWEST, window.innerHeight - this.around);
    const side = Math.min(stage.clientWidth - l - r, LARGEST, room);
    ground.style.height = `${Math.round(side + above + b)}px`;
    ground.style.width = `${Math.round(side + l + r)}px`;
    ground.style.margin = "0 auto";
    const { offsetLeft: left, offsetTop: top } = ground;
    this.bounds = { left, top, width: stage.clientWidth, height: stage.clientHeight };
  }
  /** @param {Plotly} Plotly */
  bind(Plotly) {
    const { ground } = this.parts;
    for (const event of ["plotly_relayout", "plotly_relayouting", "plotly_afterplot"])
      ground.on(event, () => {
        ground.dataset.drag = String(dragmode(ground));
        this.again();
      });
    this.watch(() => {
      Plotly.Plots.resize(ground);
      this.again();
    });
    this.pointer = new Pointer(this);
    this.parts.camera.onclick = () => photograph(this, Plotly);
  }
  /**
   * Fits the picture from now on, and has it drawn where its size or the screen's sharpness is another one.
   *
   * @param {() => void} redraw
   */
  watch(redraw) {
    const { ground, stage } = this.parts;
    const sizes = () => [stage.clientWidth, ground.style.height, window.devicePixelRatio].join();
    let shown2 = sizes();
    const fit = () => {
      this.fit();
      if (!stage.clientWidth || sizes() === shown2) return;
      shown2 = sizes();
      redraw();
    };
    this.sizes = new ResizeObserver(fit);
    this.sizes.observe(stage);
    window.addEventListener("resize", fit, { signal: this.ending.signal });
  }
  /** The axes of the view from above; null where the surface is not drawn yet. */
  axes() {
    return axes(this.parts.ground);
  }
  /** Whether a part of the surface fills the picture. */
  get zoomed() {
    const shown2 = this.axes();
    const width = this.whole[1] - this.whole[0];
    if (this.solid || !shown2) return false;
    return shown2.x.range.some((end, i) => Math.abs(end - this.whole[i]) > 1e-6 * width);
  }
  /**
   * Where the points of the plane are in the picture, in px.
   *
   * @returns {View}
   */
  view() {
    const { width, height } = this.bounds;
    return this.solid ? this.solid.view({ left: 0, top: 0, width, height }) : this.flat();
  }
  /** The view from above. */
  flat() {
    const shown2 = this.axes();
    if (!shown2) throw new Error("the surface is not drawn yet");
    const { x, y } = shown2;
    const area = {
      left: this.bounds.left + x.offset,
      top: this.bounds.top + y.offset,
      width: x.length,
      height: y.length
    };
    return flatView(area, x.range, y.range);
  }
  /**
   * The point of the plane at a point of the picture; null where there is none.
   *
   * @param {number} px
   * @param {number} py
   * @returns {[number, number] | null}
   */
  pointAt(px, py) {
    if (this.solid) return this.solid.under(this.view(), px, py);
    const flat = this.flat();
    return [flat.toX(px), flat.toY(py)];
  }
  /**
   * @param {number} now
   * @param {number} before when the last frame was
   */
  tick(now, before2) {
    this.frame = requestAnimationFrame((next) => this.tick(next, now));
    if (this.run !== clock.run) {
      this.run = clock.run;
      this.changed = true;
    }
    if (this.playing) {
      const passed = Math.min(SLOW, now - before2) / 1e3 * Number(this.parts.speed.value);
      const { phases } = this;
      if (phases) this.go(this.step + passed / PHASE / phases.length);
      else if (this.data.log) this.share += passed / WHOLE;
      else this.go(this.step + passed * RATE);
      if (this.step >= this.last) {
        this.play(false);
        this.opening.ended();
      }
    }
    this.hand.follow();
    if (!this.changed || !this.shown || !this.axes()) return;
    this.changed = false;
    this.draw();
  }
  /**
   * Draws with so many pixels each way for one of the page's while something is done with it.
   *
   * @param {number} ratio
   * @param {() => void} act
   */
  drawn(ratio, act) {
    this.draw(ratio);
    act();
    this.draw();
  }
  /** Draws the step, and says it beside the slider and to the page's other pictures. */
  draw(ratio = window.devicePixelRatio || 1) {
    const { scrub, step } = this.parts;
    const { data, end, followed, hand, phases } = this;
    const view = this.view();
    const now = Math.min(this.step, end);
    const at = phases ? headStep(now, phases.length) : now;
    drawPaths(this, view, at, ratio);
    this.pointer?.checkTip(view);
    drawHeads(this, view, now, at, ratio);
    this.caption(view, now);
    if (document.activeElement !== scrub || this.playing) scrub.value = String(1e3 * this.share);
    scrub.setAttribute("aria-valuetext", `step ${Math.floor(at)} of ${end}`);
    write(step, `step ${count(Math.floor(at))} of ${count(end)}`);
    const race = hand.leads ? `${data.race} ${hand.races}` : data.race;
    const parts = followed && partsAt(followed, Math.floor(at));
    const made = parts && { ...parts, tried: triedOf(parts), run: followed.name, race };
    clock.leads = hand.leads;
    clock.fragment = hand.leads || at >= end ? "" : `#step=${Math.floor(at)}`;
    if (hand.leads) return clock.set(clock.step, clock.values, made);
    clock.moving = at < end;
    clock.set(at, Object.fromEntries(this.runs.map((run) => [run.name, run.losses[indexAt(run, at)]])), made);
  }
  /**
   * Says in the picture's lower left corner which part of a step is shown.
   *
   * @param {View} view
   * @param {number} now the step
   */
  caption({ left, top, height }, now) {
    const { part: part2 } = this.parts;
    const { followed: run, phases } = this;
    const shown2 = run && phases && now <= lastOf(run) ? phases : null;
    part2.hidden = !shown2;
    if (!run || !shown2) return;
    const undone = (step) => {
      const parts = partsAt(run, step);
      return parts !== null && triedOf(parts) !== null;
    };
    write(part2, captionOf(now, shown2, undone));
    part2.setAttribute("aria-live", this.playing ? "off" : "polite");
    part2.style.transform = `translate(${left + 6}px, calc(${top + height - 6}px - 100%))`;
  }
  leave() {
    this.gone = true;
    cancelAnimationFrame(this.frame);
    this.endKeys();
    this.endEmphasis();
    this.legend.leave();
    this.turning.leave();
    this.pointer?.leave();
    this.sizes?.disconnect();
    this.ending.abort();
    purge(this.parts.ground);
    Object.assign(clock, { moving: false, leads: false, fragment: "" });
    clock.set(Infinity, {});
  }
};

// player/shown.js
function publish(player) {
  const shown2 = {
    view() {
      const drawn = player.solid ? null : player.axes();
      const box2 = drawn && [...drawn.x.range, ...drawn.y.range];
      const side = drawn ? drawn.x.length : null;
      const { width, height } = player.bounds;
      const orbit = player.solid && { ...player.solid.orbit, width, height };
      const hidden = [...emphasis.hidden];
      return { box: box2, side, orbit, playing: player.playing, run: player.followed?.name ?? "", hidden };
    },
    async photograph() {
      if (!globalThis.Plotly) throw new Error("the surface is not drawn yet");
      return photograph(player, globalThis.Plotly);
    }
  };
  page.player = shown2;
  return () => {
    if (page.player === shown2) page.player = void 0;
  };
}

// player/index.js
function show({ data, parentElement, setTriggerValue }) {
  const root = box(parentElement, ".fop-player");
  const shown2 = unpacked(data);
  const player = living(root, () => new Player(root, shown2, setTriggerValue));
  player.show(shown2, setTriggerValue);
  const withdraw = publish(player);
  return atUnmount(root, () => {
    withdraw();
    player.leave();
  });
}
var index_default = inOrder(show);
export {
  index_default as default
};
