// Made by scripts/web.sh build of sources with the checksum a98e7889e426386b140948d6d0a3b8d86d2c99439c3908d14fe586c3b0f13cdf.
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

// lib/canvas.js
function contextOf(canvas) {
  const context = canvas.getContext("2d");
  if (!context) throw new Error("this browser gives a canvas no 2d context");
  return context;
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
    this.followers = /* @__PURE__ */ new Set();
  }
  /**
   * @param {number} step
   * @param {Record<string, number>} values
   */
  set(step, values) {
    Object.assign(this, { step, values });
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
    if (root.contains(at) ? at.tagName === "SELECT" : at.closest(FIELDS)) return;
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
  const script = document.createElement("script");
  script.src = new URL(source, document.baseURI).href;
  const fail = () => {
    page.plotly = void 0;
    failed(new Error(`no ${script.src}`));
  };
  script.onload = () => globalThis.Plotly ? loaded(globalThis.Plotly) : fail();
  script.onerror = fail;
  document.head.appendChild(script);
});
var purge = (node) => globalThis.Plotly?.purge(node);
var FINGER = window.matchMedia("(pointer: coarse)").matches;
var BUTTON = 48;
var settings = (Plotly, node, photograph2) => ({
  displaylogo: false,
  ...FINGER ? fingers(Plotly, node) : mouse(Plotly, photograph2),
  doubleClick: "reset"
});
function mouse(Plotly, photograph2) {
  const camera = { name: "camera", title: "Save the picture as a PNG", icon: Plotly.Icons.camera, click: photograph2 };
  return { displayModeBar: "hover", modeBarButtons: [["zoom2d", "pan2d", "resetScale2d", camera]] };
}
function fingers(Plotly, node) {
  const drag = {
    name: "drag",
    title: "Zoom by drawing a box, or scroll the page",
    icon: Plotly.Icons.zoombox,
    click: () => Plotly.relayout(node, { dragmode: dragmode(node) ? false : "zoom" })
  };
  return { displayModeBar: true, modeBarButtons: [[drag, "resetScale2d"]] };
}
var plotlyNode = (node) => (
  /** @type {PlotlyNode} */
  node
);

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
    const box2 = label.getBoundingClientRect();
    const [left, top] = [box2.left - origin.left, box2.top - origin.top];
    const style = getComputedStyle(label);
    context.fillStyle = style.backgroundColor;
    context.fillRect(left, top, box2.width, box2.height);
    context.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    context.fillStyle = style.color;
    context.fillText(label.textContent ?? "", left + parseFloat(style.paddingLeft), top + box2.height / 2);
  }
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
    const shown2 = JSON.stringify(runs.map((run) => run.label));
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
      const { label } = run;
      const node = this.nodes[index];
      const [px, py] = [view.x(...label.at), view.y(...label.at)];
      const inside2 = px >= -1 && py >= -1 && px <= view.width + 1 && py <= view.height + 1;
      const arrived = inside2 && step >= stepOf(run, run.count - 1);
      node.classList.toggle("fop-arrived", arrived);
      if (!arrived) return;
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
  }
};

// player/paths.js
var MARKS = [1, 10, 100, 1e3, 1e4, 1e5];
var FARTHEST = 1e5;
var NEAR = 10;
var near = (px) => clamp(px, -FARTHEST, FARTHEST);
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
function extend(context, run, view, last, paper) {
  const { x, y } = run;
  if (run.drawn < 0) Object.assign(run, { drawn: 0, length: 0, px: view.x(x[0], y[0]), py: view.y(x[0], y[0]) });
  if (last <= run.drawn) return;
  const line = new Path2D();
  line.moveTo(run.px, run.py);
  const before2 = run.length;
  const begin = run.drawn;
  for (let i = begin + 1; i <= last; i++) {
    const px = near(view.x(x[i], y[i]));
    const py = near(view.y(x[i], y[i]));
    const way = Math.hypot(px - run.px, py - run.py);
    if (way < 0.7 && i < last) continue;
    line.lineTo(px, py);
    run.px = px;
    run.py = py;
    run.length += way;
  }
  run.drawn = last;
  context.lineJoin = "round";
  context.setLineDash([]);
  context.strokeStyle = paper;
  context.lineWidth = run.width + 2;
  context.stroke(line);
  context.setLineDash(run.dash);
  context.lineDashOffset = before2;
  context.strokeStyle = run.color;
  context.lineWidth = run.width;
  context.stroke(line);
  context.setLineDash([]);
  for (const i of marked(run, begin, last))
    glyph(context, run, near(view.x(x[i], y[i])), near(view.y(x[i], y[i])), 1, paper);
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

// player/pointer.js
var DOUBLE = 400;
var GRAB = 16;
var FAR = 4;
var Pointer = class {
  /** @param {Player} player */
  constructor(player) {
    this.player = player;
    this.down = null;
    this.pressed = null;
    this.held = false;
    this.starts = 0;
    this.ending = new AbortController();
    const { signal } = this.ending;
    const { ground, paths } = player.parts;
    const first = { capture: true };
    const targets = [ground, paths];
    for (const target of targets) target.addEventListener("pointerdown", (event) => this.begin(event), first);
    for (const kind of ["mousedown", "touchstart"])
      ground.addEventListener(kind, (event) => this.held && event.stopPropagation(), first);
    window.addEventListener("pointermove", (event) => this.move(event), { ...first, signal });
    for (
      const kind of
      /** @type {const} */
      ["pointerup", "pointercancel"]
    )
      window.addEventListener(kind, (event) => this.finish(event), { ...first, signal });
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
    if (event.button || onButton(event)) return;
    const { view, px, py, inside: inside2 } = this.locate(event);
    if (!inside2) return;
    const { clientX: x, clientY: y, timeStamp: at } = event;
    const same = pressed && (player.zoomed || Math.hypot(x - pressed.x, y - pressed.y) < GRAB);
    const second = Boolean(same) && at - (pressed?.at ?? 0) < DOUBLE;
    this.pressed = { at, x, y };
    clearTimeout(this.starts);
    const { solid } = player;
    const { start } = player.data;
    const grabbed = !solid && Math.hypot(view.x(...start) - px, view.y(...start) - py) < GRAB;
    this.down = { x, y, second, grabbed, yaw: solid?.yaw ?? 0, pitch: solid?.pitch ?? 0 };
    if (grabbed) this.held = true;
  }
  /** @param {PointerEvent} event */
  move(event) {
    const { down, player } = this;
    if (!down) {
      if (event.pointerType === "mouse") this.showTip(event);
      return;
    }
    const { solid } = player;
    if (solid) {
      solid.yaw = down.yaw + (event.clientX - down.x) / 150;
      solid.pitch = clamp(down.pitch + (event.clientY - down.y) / 200, 0.25, 1.5);
      player.again();
    } else if (down.grabbed) {
      const { px, py } = this.locate(event);
      player.setStart(player.pointAt(px, py));
      event.preventDefault();
    }
  }
  /** @param {PointerEvent} event */
  finish(event) {
    const { down, player } = this;
    this.down = null;
    this.held = false;
    if (!down || event.type === "pointercancel") return;
    const { px, py } = this.locate(event);
    const far = Math.hypot(event.clientX - down.x, event.clientY - down.y) > FAR;
    if (far) this.pressed = null;
    if (far !== down.grabbed) return;
    const point = player.pointAt(px, py);
    if (!point?.every(Number.isFinite)) return;
    const start = () => {
      player.setStart(point);
      player.play(false);
      player.trigger("start", { x: point[0], y: point[1] });
    };
    if (down.second && !down.grabbed) return;
    if (player.zoomed && !down.grabbed) this.starts = setTimeout(start, DOUBLE);
    else start();
  }
  /**
   * Says what is under the mouse: a run's step, point and f.
   *
   * @param {PointerEvent} event
   */
  showTip(event) {
    const { player } = this;
    const { tip, stage } = player.parts;
    const over = event.target instanceof Node && stage.contains(event.target) && player.runs.length > 0;
    const located = over ? this.locate(event) : null;
    const hit = located?.inside ? nearest(player.runs, located.view, located.px, located.py) : null;
    tip.hidden = !hit;
    if (!located || !hit) return;
    const { run, index } = hit;
    const { view, px } = located;
    const [x, y] = [run.x[index], run.y[index]];
    const step = count(stepOf(run, index));
    tip.textContent = `${run.name}, step ${step}
(${short(x)}, ${short(y)})
f = ${short(run.losses[index])}`;
    const left = view.left + view.x(x, y) + (px > view.width / 2 ? -12 - tip.offsetWidth : 12);
    tip.style.transform = `translate(${left}px, ${view.top + view.y(x, y) + 12}px)`;
  }
  leave() {
    clearTimeout(this.starts);
    this.ending.abort();
  }
};

// lib/colors.js
function rgb(hex) {
  const part2 = (at) => parseInt(hex.slice(at, at + 2), 16);
  return [part2(1), part2(3), part2(5)];
}
function blend(over, under, share) {
  const part2 = (i) => Math.round(over[i] * share + under[i] * (1 - share));
  return [part2(0), part2(1), part2(2)];
}
var css = (color) => `rgb(${color.join()})`;

// player/scene.js
var NEAR2 = 14;
var Scene = class {
  /**
   * @param {Float32Array} grid [size, size]: heights from -0.5 to 0.5
   * @param {number} size
   * @param {Box} box
   * @param {string} key identifies the surface
   */
  constructor(grid, size, box2, key) {
    this.grid = grid;
    this.size = size;
    this.box = box2;
    this.key = key;
    this.yaw = -0.6;
    this.pitch = 0.95;
  }
  /**
   * A height of -0.5 to 0.5; a point outside the box has that of its edge.
   *
   * @param {number} x
   * @param {number} y
   */
  height(x, y) {
    const last = this.size - 1;
    const [left, right, bottom, top] = this.box;
    const u = clamp((x - left) / (right - left) * last, 0, last);
    const v = clamp((y - bottom) / (top - bottom) * last, 0, last);
    const [i, j] = [Math.min(Math.floor(u), last - 1), Math.min(Math.floor(v), last - 1)];
    const [a, b, at] = [u - i, v - j, j * this.size + i];
    const low = this.grid[at] * (1 - a) + this.grid[at + 1] * a;
    const high = this.grid[at + this.size] * (1 - a) + this.grid[at + this.size + 1] * a;
    return low * (1 - b) + high * b;
  }
  /**
   * The view of the present direction on a rectangle of the picture.
   *
   * @param {Area} area
   * @returns {View}
   */
  view({ left, top, width, height }) {
    const [x0, x1, y0, y1] = this.box;
    const [sine, cosine] = [Math.sin(this.yaw), Math.cos(this.yaw)];
    const [up, over] = [Math.cos(this.pitch), Math.sin(this.pitch)];
    const scale = 0.68 * Math.min(width, height);
    const turn = (x, y) => {
      const [u, v] = [(x - x0) / (x1 - x0) - 0.5, (y - y0) / (y1 - y0) - 0.5];
      return [cosine * u - sine * v, sine * u + cosine * v];
    };
    return {
      left,
      top,
      width,
      height,
      span: x1 - x0,
      key: [this.yaw, this.pitch, width, height].join(),
      x: (x, y) => width / 2 + scale * turn(x, y)[0],
      y: (x, y) => height / 2 - scale * (over * turn(x, y)[1] + up * 0.62 * this.height(x, y))
    };
  }
  /**
   * The point of the plane at a corner of the grid.
   *
   * @param {number} i column
   * @param {number} j row
   * @returns {[number, number]}
   */
  corner(i, j) {
    const [left, right, bottom, top] = this.box;
    const last = this.size - 1;
    return [left + (right - left) * i / last, bottom + (top - bottom) * j / last];
  }
  /**
   * Draws the surface, farther cells first.
   *
   * @param {Context} context
   * @param {View} view
   * @param {Colors} theme
   */
  draw(context, view, theme) {
    const { size, grid } = this;
    const last = size - 1;
    const [px, py] = [new Float32Array(size * size), new Float32Array(size * size)];
    for (let j = 0; j < size; j++)
      for (let i = 0; i < size; i++) {
        const [x, y] = this.corner(i, j);
        px[j * size + i] = view.x(x, y);
        py[j * size + i] = view.y(x, y);
      }
    const order = (forward) => Array.from({ length: last }, (_, i) => forward ? i : last - 1 - i);
    const rows = order(Math.cos(this.yaw) < 0);
    const columns = order(Math.sin(this.yaw) < 0);
    const along = Math.abs(Math.cos(this.yaw)) > Math.abs(Math.sin(this.yaw));
    const [low, full] = [rgb(theme.low), rgb(theme.high)];
    context.lineWidth = 0.6;
    const cell = (i, j) => {
      const at = j * size + i;
      const corners = [at, at + 1, at + size + 1, at + size];
      const high = (grid[at] + grid[at + 1] + grid[at + size] + grid[at + size + 1]) / 4;
      if (!Number.isFinite(high)) return;
      const slope = grid[at + 1] - grid[at] - (grid[at + size] - grid[at]);
      context.fillStyle = css(blend(full, low, clamp(high + 0.5 + 4 * slope, 0, 1)));
      context.strokeStyle = theme.level;
      context.beginPath();
      for (const corner of corners) context.lineTo(px[corner], py[corner]);
      context.closePath();
      context.fill();
      context.stroke();
    };
    if (along) for (const j of rows) for (const i of columns) cell(i, j);
    else for (const i of columns) for (const j of rows) cell(i, j);
  }
  /**
   * The point of the plane whose corner of the grid is nearest to a point of the picture; null where none is near.
   *
   * @param {View} view
   * @param {number} px
   * @param {number} py
   * @returns {[number, number] | null}
   */
  under(view, px, py) {
    let best = null;
    let nearest2 = NEAR2;
    for (let j = 0; j < this.size; j++)
      for (let i = 0; i < this.size; i++) {
        const [x, y] = this.corner(i, j);
        const away = Math.hypot(view.x(x, y) - px, view.y(x, y) - py);
        if (away < nearest2) [best, nearest2] = [[x, y], away];
      }
    return best;
  }
};

// player/player.js
var PLAY = "M7 4.5v15l12.5-7.5z";
var PAUSE = "M6.5 5h4v14h-4zM13.5 5h4v14h-4z";
var WHOLE = 7;
var RATE = 100;
var SLOW = 100;
var LARGEST = 720;
var HEAD = 1.5;
var runsOf = (data) => motions(data).map((motion, i) => {
  const { name, color, dash, width, bold, label, glyph: glyph2 } = data.runs[i];
  const style = { name, color, dash, width, bold, label, glyph: new Path2D(glyph2) };
  return { ...style, ...motion, drawn: -1, length: 0, px: 0, py: 0 };
});
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
    this.parts = partsOf(root);
    this.labels = new Labels(this.parts.labels);
    this.begun = false;
    this.gone = false;
    this.runs = [];
    this.step = Infinity;
    this.playing = false;
    this.changed = true;
    this.stale = true;
    this.viewed = "";
    this.theme = themeOf(root);
    this.newStart = null;
    this.scene = null;
    this.shown = "";
    this.whole = [0, 1];
    this.config = null;
    this.pointer = null;
    this.sizes = null;
    this.endKeys = this.controls();
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
  /** The surface in three dimensions; null where it is seen from above. */
  get solid() {
    return this.data.scene ? this.scene : null;
  }
  get colors() {
    return this.data.themes[this.theme].colors;
  }
  /** @param {number} step */
  go(step) {
    this.step = clamp(step, 0, this.end);
    this.changed = true;
  }
  /** @param {boolean} on */
  play(on) {
    if (on && this.step >= this.end) this.go(0);
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
    const { play, restart, back, on, scrub } = this.parts;
    const move = (by) => {
      this.play(false);
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
      " ": () => this.play(!this.playing),
      ArrowLeft: (event) => move(event.shiftKey ? -10 : -1),
      ArrowRight: (event) => move(event.shiftKey ? 10 : 1),
      Home: () => this.go(0),
      End: () => {
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
    this.parts.paths.setAttribute("aria-label", data.alt);
    this.parts.stage.classList.toggle("fop-3d", Boolean(data.scene));
    if (known?.race !== data.race) {
      const atEnd = !known || this.step >= this.end;
      this.runs = runsOf(data);
      this.go(atEnd ? Infinity : this.step);
      this.newStart = null;
      this.labels.forget();
    }
    if (known && data.clicks > known.clicks) {
      this.go(0);
      this.play(true);
    }
    this.runs.forEach((run, index) => {
      run.label = data.runs[index].label;
    });
    if (data.scene && this.scene?.key !== data.scene.key) {
      const { size, box: box2, key } = data.scene;
      const fresh = new Scene(floats(data.grid), size, box2, key);
      if (this.scene) Object.assign(fresh, { yaw: this.scene.yaw, pitch: this.scene.pitch });
      this.scene = fresh;
    }
    this.again();
    this.ground(data);
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
    this.fit();
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
    this.whole = JSON.parse(data.figure).layout.xaxis.range;
    if (!this.pointer) this.bind(Plotly);
    this.again();
  }
  /** The picture is a square, as large as the column allows. */
  fit() {
    const { stage, ground } = this.parts;
    const { l, r, t, b } = this.data.margin;
    const above = FINGER ? BUTTON : t;
    const side = Math.min(stage.clientWidth - l - r, LARGEST);
    ground.style.height = `${Math.round(side + above + b)}px`;
    ground.style.width = `${Math.round(side + l + r)}px`;
    ground.style.margin = "0 auto";
  }
  /** @param {Plotly} Plotly */
  bind(Plotly) {
    const { ground, stage } = this.parts;
    for (const event of ["plotly_relayout", "plotly_relayouting", "plotly_afterplot"])
      ground.on(event, () => {
        ground.dataset.drag = String(dragmode(ground));
        this.again();
      });
    let width = stage.clientWidth;
    this.sizes = new ResizeObserver(() => {
      if (!stage.clientWidth || stage.clientWidth === width) return;
      width = stage.clientWidth;
      this.fit();
      Plotly.Plots.resize(ground);
      this.again();
    });
    this.sizes.observe(stage);
    this.pointer = new Pointer(this);
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
    const { stage } = this.parts;
    const whole = { left: 0, top: 0, width: stage.clientWidth, height: stage.clientHeight };
    return this.solid ? this.solid.view(whole) : this.flat();
  }
  /** The view from above. */
  flat() {
    const { ground } = this.parts;
    const shown2 = this.axes();
    if (!shown2) throw new Error("the surface is not drawn yet");
    const { x, y } = shown2;
    const area = {
      left: ground.offsetLeft + x.offset,
      top: ground.offsetTop + y.offset,
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
    if (this.playing) {
      const passed = Math.min(SLOW, now - before2) / 1e3 * Number(this.parts.speed.value);
      if (this.data.log) this.share += passed / WHOLE;
      else this.go(this.step + passed * RATE);
      if (this.step >= this.end) this.play(false);
    }
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
  draw(ratio = window.devicePixelRatio || 1) {
    const { paths, heads, scrub, step } = this.parts;
    const { colors, end } = this;
    const view = this.view();
    const at = Math.min(this.step, end);
    this.drawPaths(fitted(paths, view, ratio), contextOf(paths), view, at);
    fitted(heads, view, ratio);
    const context = contextOf(heads);
    context.clearRect(0, 0, view.width, view.height);
    this.ring(context, view);
    const values = {};
    for (const run of this.runs) {
      const head = headAt(run, at);
      values[run.name] = run.losses[head.index];
      const [px, py] = [view.x(head.x, head.y), view.y(head.x, head.y)];
      if (!Number.isFinite(px + py)) continue;
      if (this.playing && !run.steps && head.index > 0) lead(context, run, view, head, px, py);
      arrows(context, run, view, head, colors.ink);
      glyph(context, run, px, py, HEAD, colors.paper);
    }
    this.labels.draw(context, this.runs, view, at);
    if (document.activeElement !== scrub || this.playing) scrub.value = String(1e3 * this.share);
    scrub.setAttribute("aria-valuetext", `step ${Math.floor(at)} of ${end}`);
    step.textContent = `step ${count(Math.floor(at))} of ${count(end)}`;
    clock.moving = at < end;
    clock.set(at, values);
  }
  /**
   * @param {boolean} emptied whether the canvas has lost what was on it
   * @param {Context} context
   * @param {View} view
   * @param {number} at which step
   */
  drawPaths(emptied, context, view, at) {
    const last = this.runs.map((run) => indexAt(run, at));
    if (emptied || view.key !== this.viewed || this.runs.some((run, i) => run.drawn > last[i])) {
      for (const run of this.runs) run.drawn = -1;
      this.stale = true;
      this.viewed = view.key;
    }
    if (this.stale) {
      context.clearRect(0, 0, view.width, view.height);
      this.solid?.draw(context, view, this.colors);
    }
    this.stale = false;
    this.runs.forEach((run, index) => {
      extend(context, run, view, last[index], this.colors.paper);
    });
  }
  /**
   * The start; the minima belong to the ground.
   *
   * @param {Context} context
   * @param {View} view
   */
  ring(context, view) {
    const [x, y] = this.newStart ?? this.data.start;
    context.beginPath();
    context.arc(view.x(x, y), view.y(x, y), this.pointer?.held ? 8 : 5, 0, 2 * Math.PI);
    context.fillStyle = this.colors.paper;
    context.strokeStyle = this.colors.ink;
    context.lineWidth = 2;
    context.fill();
    context.stroke();
  }
  leave() {
    this.gone = true;
    cancelAnimationFrame(this.frame);
    this.endKeys();
    this.pointer?.leave();
    this.sizes?.disconnect();
    purge(this.parts.ground);
    clock.moving = false;
    clock.set(Infinity, {});
  }
};
var partsOf = (root) => ({
  stage: box(root, ".fop-stage"),
  ground: plotlyNode(box(root, ".fop-ground")),
  paths: part(root, ".fop-paths", HTMLCanvasElement),
  heads: part(root, ".fop-heads", HTMLCanvasElement),
  labels: box(root, ".fop-labels"),
  tip: box(root, ".fop-tip"),
  play: box(root, ".fop-play"),
  restart: box(root, ".fop-restart"),
  back: box(root, ".fop-back"),
  on: box(root, ".fop-on"),
  scrub: part(root, ".fop-scrub", HTMLInputElement),
  step: box(root, ".fop-step"),
  speed: part(root, ".fop-speed", HTMLSelectElement),
  missing: box(root, ".fop-plot-missing")
});
function fitted(canvas, { left, top, width, height }, ratio) {
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  const changed = canvas.width !== wide || canvas.height !== high;
  if (changed) Object.assign(canvas, { width: wide, height: high });
  Object.assign(canvas.style, { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` });
  contextOf(canvas).setTransform(ratio, 0, 0, ratio, 0, 0);
  return changed;
}
function lead(context, run, view, { index }, px, py) {
  context.strokeStyle = run.color;
  context.lineWidth = run.width;
  context.beginPath();
  context.moveTo(view.x(run.x[index], run.y[index]), view.y(run.x[index], run.y[index]));
  context.lineTo(px, py);
  context.stroke();
}

// player/shown.js
function publish(player) {
  const shown2 = {
    view() {
      const drawn = player.solid ? null : player.axes();
      return { box: drawn && [...drawn.x.range, ...drawn.y.range], playing: player.playing };
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
function index_default({ data, parentElement, setTriggerValue }) {
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
export {
  index_default as default
};
