// Made by scripts/web.sh build of sources with the checksum 29fdd3f443971fcbb88e891c43b8e1e57e3dc555004cc13b28fe392236d7f6a2.
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
function cellCanvas(columns, rows, fill, made = make("canvas")) {
  if (made.width !== columns || made.height !== rows) Object.assign(made, { width: columns, height: rows });
  const image = new ImageData(columns, rows);
  fill(new Uint32Array(image.data.buffer));
  contextOf(made).putImageData(image, 0, 0);
  return made;
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

// lib/numbers.js
var count = (value) => value.toLocaleString("en");

// basin_maps/cells.js
var [CONVERGED, LIMIT, DIVERGED] = [0, 1, 2];
var SHADES = 64;
var PALEST = 0.26;
var minimumOf = (kind) => kind & 15;
var statusOf = (kind) => kind >> 4;
function palette(minima, theme) {
  const [paper, ink, muted] = [theme.paper, theme.ink, theme.muted].map(rgb);
  return {
    idle: blend(ink, paper, 0.24),
    ground: blend(ink, paper, 0.06),
    ramps: [muted, ...minima.map((minimum) => rgb(minimum.color))].map(
      (color) => Array.from({ length: SHADES }, (_, i) => blend(color, paper, 1 - (1 - PALEST) * (i / (SHADES - 1))))
    )
  };
}
function shades(range, limit) {
  const [low, high] = range.map(Math.log1p);
  return Uint8Array.from({ length: limit + 1 }, (_, steps) => {
    const share = (Math.log1p(steps) - low) / Math.max(high - low, 1e-9);
    return Math.round(Math.min(1, Math.max(0, share)) * (SHADES - 1));
  });
}
function colorOf({ ramps, idle, ground }, shade, kind, steps) {
  const [minimum, status] = [minimumOf(kind), statusOf(kind)];
  if (status === DIVERGED) return ground;
  if (status === LIMIT) return minimum ? ramps[minimum][SHADES - 1] : idle;
  return ramps[minimum][shade[steps]];
}
var isStriped = (kind, status) => statusOf(kind) === status && (status === DIVERGED || minimumOf(kind) > 0);
function wordsOf(data, column, row, kind, steps) {
  const minimum = data.minima[minimumOf(kind) - 1]?.name;
  const status = statusOf(kind);
  const spot = data.spot.replace("{x}", data.x.cells[column]).replace("{y}", data.y.cells[row]);
  if (status === DIVERGED) return `${spot}: ${steps ? `diverged at step ${count(steps)}` : "f is not finite there"}`;
  if (status === LIMIT)
    return `${spot}: not converged in ${count(steps)} steps${minimum ? `, but at minimum ${minimum}` : ""}`;
  return `${spot}: ${minimum ? `minimum ${minimum}` : "converged"} after ${count(steps)} steps`;
}

// basin_maps/stripes.js
function hatch(context, side, status, { paper, ink }) {
  const shade = (share) => css(blend(rgb(ink), rgb(paper), share));
  if (status === DIVERGED) stripes(context, side, 6, shade(0.62), 1.2);
  else stripes(context, side, 8, shade(0.3), 0.8);
}
function stripes(context, side, apart, color, width) {
  context.strokeStyle = color;
  context.lineWidth = width;
  context.beginPath();
  for (let at = -side; at < side; at += apart) {
    context.moveTo(at, side);
    context.lineTo(at + side, 0);
  }
  context.stroke();
}

// basin_maps/legend.js
function legend(data, kinds, { ramps, idle, ground }, theme) {
  const there = [...new Set(kinds)];
  const any = (status) => there.some((kind) => statusOf(kind) === status);
  const fill = (color, status) => (context) => {
    context.fillStyle = css(color);
    context.fillRect(0, 0, 22, 14);
    if (status) hatch(context, 22, status, theme);
  };
  const used = data.minima.map((minimum, i) => ({ minimum, ramp: ramps[i + 1], number: i + 1 })).filter(({ number }) => there.some((kind) => minimumOf(kind) === number));
  const items = used.map(({ minimum: { name, note }, ramp }) => entry(fill(ramp[0]), 22, name + note));
  const bar = (context) => used.forEach(({ ramp }, row) => {
    ramp.forEach((color, at) => {
      context.fillStyle = css(color);
      context.fillRect(at * (96 / SHADES), 14 / used.length * row, 96 / SHADES + 1, 14);
    });
  });
  const [low, high] = data.range.map(count);
  if (any(CONVERGED))
    items.push(entry(bar, 96, low === high ? `${low} steps` : `${low} to ${high} steps, logarithmic`));
  if (there.some((kind) => statusOf(kind) === LIMIT && minimumOf(kind)))
    items.push(entry(fill(used[0].ramp[SHADES - 1], LIMIT), 22, "at a minimum, not converged"));
  if (there.includes(LIMIT << 4)) items.push(entry(fill(idle), 22, `not converged in ${count(data.limit)} steps`));
  if (any(DIVERGED)) items.push(entry(fill(ground, DIVERGED), 22, "diverged"));
  return items;
}
function entry(paint, width, words) {
  const [made, context] = canvas(width, 14);
  made.setAttribute("aria-hidden", "true");
  paint(context);
  const item = make("li");
  item.append(made, words);
  return item;
}

// basin_maps/marks.js
function marks(context, data, theme, { left, top, side, width }, font) {
  const x = (share) => left + share * side;
  const y = (share) => top + (1 - share) * side;
  context.font = `12px ${font}`;
  context.fillStyle = theme.muted;
  context.strokeStyle = theme.muted;
  context.lineWidth = 1;
  context.beginPath();
  context.textAlign = "center";
  context.textBaseline = "top";
  let free = -Infinity;
  for (const [share, text] of data.x.ticks) {
    context.moveTo(x(share), top + side);
    context.lineTo(x(share), top + side + 3);
    const half = context.measureText(text).width / 2;
    const middle = Math.min(x(share), width - half);
    if (middle - half < free) continue;
    context.fillText(text, middle, top + side + 6);
    free = middle + half + 6;
  }
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const [share, text] of data.y.ticks) {
    context.moveTo(left - 3, y(share));
    context.lineTo(left, y(share));
    context.fillText(text, left - 6, Math.min(y(share), top + side - 5));
  }
  context.stroke();
  context.textAlign = "center";
  context.fillText(data.x.title, x(0.5), top + side + 32);
  context.save();
  context.translate(9, y(0.5));
  context.rotate(-Math.PI / 2);
  context.fillText(data.y.title, 0, 0);
  context.restore();
  const line = (path) => {
    for (
      const [strokeStyle, lineWidth] of
      /** @type {const} */
      [
        [theme.paper, 4],
        [theme.ink, 1.5]
      ]
    ) {
      Object.assign(context, { strokeStyle, lineWidth });
      context.stroke(path);
    }
  };
  data.crosses.forEach(([u, v], i) => {
    if (!(u >= 0 && u <= 1 && v >= 0 && v <= 1)) return;
    line(new Path2D(`M${x(u) - 4} ${y(v) - 4}l8 8m0 -8l-8 8`));
    context.font = `600 12px ${font}`;
    context.textAlign = u > 0.9 ? "right" : "left";
    context.fillStyle = theme.ink;
    Object.assign(context, { strokeStyle: theme.paper, lineWidth: 3 });
    const beside = x(u) + (u > 0.9 ? -8 : 8);
    context.strokeText(data.minima[i].name[0], beside, y(v));
    context.fillText(data.minima[i].name[0], beside, y(v));
  });
  if (data.ring) {
    const ring = new Path2D();
    ring.arc(x(data.ring[0]), y(data.ring[1]), 6, 0, 2 * Math.PI);
    line(ring);
  }
}

// basin_maps/basins.js
var [LEFT, RIGHT, TOP, BOTTOM] = [34, 8, 8, 22];
var TITLE = 18;
var COLUMNS = [0, 1, 2, 3, 4, 3, 3, 4, 4, 3];
var FINGERTIP = 22;
var Basins = class {
  /**
   * @param {HTMLElement} root
   * @param {BasinsData} data
   * @param {Send} trigger
   */
  constructor(root, data, trigger) {
    this.root = root;
    this.legend = box(root, ".fop-basins-legend");
    this.container = box(root, ".fop-basins-maps");
    this.data = data;
    this.trigger = trigger;
    this.theme = data.themes[themeOf(root)];
    this.gone = false;
    this.spot = null;
    this.tapped = null;
    this.finger = false;
    this.fields = [];
    this.built = "";
    this.kinds = new Uint8Array();
    this.steps = new Uint16Array();
    this.colors = palette([], this.theme);
    this.shade = new Uint8Array();
    this.left = LEFT;
    this.bottom = BOTTOM;
    this.width = 0;
    this.side = 0;
    this.sizes = new ResizeObserver(() => {
      if (this.fields.at(0)?.clientWidth !== this.width) this.draw();
    });
    this.sizes.observe(this.container);
  }
  /**
   * @param {BasinsData} data
   * @param {Send} trigger
   */
  show(data, trigger) {
    const scheme = themeOf(this.root);
    Object.assign(this, { data, trigger, theme: data.themes[scheme] });
    this.kinds = new Uint8Array(data.kinds);
    this.steps = new Uint16Array(data.steps);
    this.root.dataset.theme = scheme;
    this.left = LEFT + (data.y.title ? TITLE : 0);
    this.bottom = BOTTOM + (data.x.title ? TITLE : 0);
    const maps = JSON.stringify([data.titles, data.maps.map((map) => map.color)]);
    if (this.built !== maps) this.build();
    this.built = maps;
    this.colors = palette(data.minima, this.theme);
    this.shade = shades(data.range, data.limit);
    this.legend.replaceChildren(...legend(data, this.kinds, this.colors, this.theme));
    this.fields.forEach((field, i) => {
      field.setAttribute("aria-label", this.label(i));
    });
    this.draw();
    this.describe();
  }
  get columns() {
    return this.data.x.cells.length;
  }
  get rows() {
    return this.data.y.cells.length;
  }
  /** @param {number} map */
  label(map) {
    const { titles, maps, opens } = this.data;
    return `${titles[map]}: map of ${this.columns} by ${this.rows}, ${maps[map].words}. ${opens}`;
  }
  build() {
    const { titles, maps } = this.data;
    this.container.style.setProperty("--columns", String(COLUMNS[titles.length] ?? 4));
    this.fields = [];
    this.container.replaceChildren(
      ...maps.map((map, i) => {
        const figure = make("figure", "fop-basin");
        const title = make("h4");
        title.append(swatch(map), titles[i]);
        const field = make("div", "fop-basin-field");
        field.append(make("canvas"), make("div", "fop-basin-line"), make("div", "fop-basin-line"));
        field.tabIndex = 0;
        field.setAttribute("role", "application");
        const caption = make("p", "fop-basin-caption");
        this.listen(field, caption);
        this.fields.push(field);
        figure.append(title, field, caption);
        return figure;
      })
    );
  }
  /**
   * @param {HTMLElement} field
   * @param {HTMLElement} caption
   */
  listen(field, caption) {
    const point = (event) => {
      const box2 = field.getBoundingClientRect();
      const x = (event.clientX - box2.left - this.left) / this.side;
      const y = 1 - (event.clientY - box2.top - TOP) / this.side;
      return x >= 0 && x < 1 && y >= 0 && y < 1 ? [x, y] : null;
    };
    field.onpointermove = (event) => this.move(point(event));
    field.onpointerleave = () => {
      if (document.activeElement !== field) this.move(null);
    };
    field.onpointerdown = ({ pointerType }) => {
      this.finger = pointerType === "touch";
    };
    field.onclick = (event) => {
      if (!this.finger) {
        this.move(point(event));
        this.open();
      } else this.tap(field, point(event));
    };
    field.onfocus = () => {
      caption.setAttribute("aria-live", "polite");
      if (!this.spot && field.matches(":focus-visible")) this.move([0.5, 0.5]);
    };
    field.onblur = () => {
      caption.removeAttribute("aria-live");
      this.tapped = null;
      this.move(null);
    };
    field.onkeydown = (event) => {
      const by = event.shiftKey ? 1 : Math.max(1, Math.round(this.columns / 48));
      const ways = { ArrowLeft: [-by, 0], ArrowRight: [by, 0], ArrowUp: [0, by], ArrowDown: [0, -by] };
      if (event.key in ways) this.step(...ways[event.key]);
      else if (event.key === "Enter" || event.key === " ") this.open();
      else if (event.key === "Escape") this.move(null);
      else return;
      event.preventDefault();
    };
  }
  /**
   * A finger cannot point without a tap: the first one describes, and another at the same point opens the race.
   *
   * @param {HTMLElement} field
   * @param {Spot | null} spot
   */
  tap(field, spot) {
    const { tapped, side } = this;
    const near = ([x, y], other) => side * Math.hypot(x - other[0], y - other[1]) <= FINGERTIP;
    const again = spot && tapped?.field === field && near(spot, tapped.spot) ? tapped.spot : null;
    this.tapped = spot && { field, spot: again ?? spot };
    this.move(again ?? spot);
    if (again) this.open();
  }
  /** @param {Spot | null} spot */
  move(spot) {
    this.spot = spot;
    this.describe();
  }
  /**
   * Moves the crosshair by cells.
   *
   * @param {number} across
   * @param {number} up
   */
  step(across, up) {
    const [column, row] = this.cell(this.spot ?? [0.5, 0.5]);
    const within = (at, count2) => (Math.min(count2 - 1, Math.max(0, at)) + 0.5) / count2;
    this.move([within(column + across, this.columns), within(row + up, this.rows)]);
  }
  /**
   * @param {Spot} spot
   * @returns {[column: number, row: number]}
   */
  cell([x, y]) {
    return [Math.floor(x * this.columns), Math.floor(y * this.rows)];
  }
  open() {
    if (!this.spot) return;
    const [column, row] = this.cell(this.spot);
    this.trigger("open", { column, row });
  }
  /** What is under the crosshair, in each map; without one, what there is of it all. */
  describe() {
    const cell = this.spot && this.cell(this.spot);
    this.fields.forEach((field, i) => {
      const [across, up] = field.querySelectorAll("div");
      const again = this.tapped?.field === field && this.tapped.spot === this.spot ? ". Tap again to open it." : "";
      if (field.nextSibling)
        field.nextSibling.textContent = cell ? this.words(i, ...cell) + again : this.data.maps[i].words;
      across.hidden = !cell;
      up.hidden = !cell;
      if (!cell) return;
      const x = this.left + (cell[0] + 0.5) / this.columns * this.side;
      const y = TOP + (1 - (cell[1] + 0.5) / this.rows) * this.side;
      Object.assign(across.style, { width: `${this.side}px`, height: "1px" });
      Object.assign(up.style, { width: "1px", height: `${this.side}px` });
      across.style.transform = `translate(${this.left}px, ${y - 0.5}px)`;
      up.style.transform = `translate(${x - 0.5}px, ${TOP}px)`;
    });
  }
  /**
   * @param {number} map
   * @param {number} column
   * @param {number} row
   */
  words(map, column, row) {
    const at = (map * this.rows + row) * this.columns + column;
    return wordsOf(this.data, column, row, this.kinds[at], this.steps[at]);
  }
  draw() {
    const width = this.fields.at(0)?.clientWidth;
    if (this.gone || !this.root.isConnected || !width) return;
    this.width = width;
    this.side = width - this.left - RIGHT;
    this.fields.forEach((field, i) => {
      this.paint(part(field, "canvas", HTMLCanvasElement), i);
    });
    this.describe();
  }
  /**
   * @param {HTMLCanvasElement} picture
   * @param {number} map
   */
  paint(picture, map) {
    const { root, side, left, width } = this;
    const [, context] = canvas(width, side + TOP + this.bottom, picture);
    const cells = this.image(map, (kind, steps) => pixel(colorOf(this.colors, this.shade, kind, steps)));
    context.imageSmoothingEnabled = this.columns > picture.width;
    context.drawImage(cells, left, TOP, side, side);
    for (const status of [LIMIT, DIVERGED]) {
      const [over, overContext] = canvas(side, side);
      hatch(overContext, side, status, this.theme);
      overContext.globalCompositeOperation = "destination-in";
      overContext.imageSmoothingEnabled = false;
      const striped = this.image(map, (kind) => isStriped(kind, status) ? 4278190080 : 0);
      overContext.drawImage(striped, 0, 0, side, side);
      context.drawImage(over, left, TOP, side, side);
    }
    const font = getComputedStyle(root).getPropertyValue("--st-font") || "sans-serif";
    marks(context, this.data, this.theme, { left, top: TOP, side, width }, font);
    picture.dataset.drawn = `${this.columns}`;
  }
  /**
   * A picture of one pixel for each cell, whose first row is the lowest.
   *
   * @param {number} map
   * @param {(kind: number, steps: number) => number} color as of ImageData
   */
  image(map, color) {
    const { columns, rows } = this;
    return cellCanvas(columns, rows, (pixels) => {
      for (let row = 0; row < rows; row++)
        for (let column = 0; column < columns; column++) {
          const at = (map * rows + row) * columns + column;
          pixels[(rows - 1 - row) * columns + column] = color(this.kinds[at], this.steps[at]);
        }
    });
  }
  leave() {
    this.sizes.disconnect();
    this.gone = true;
  }
};

// basin_maps/index.js
function show({ data, parentElement, setTriggerValue }) {
  const root = box(parentElement, ".fop-basins");
  const shown = unpacked(data);
  const basins = living(root, () => new Basins(root, shown, setTriggerValue));
  basins.show(shown, setTriggerValue);
  return atUnmount(root, () => basins.leave());
}
var index_default = inOrder(show);
export {
  index_default as default
};
