// Draws maps of cells side by side: hue says at which minimum a path ended, strength how soon. One crosshair is in all.
// A cell's kind is its minimum + 1 (0 for none) in the lower four bits, and how it ended above them.

const [CONVERGED, LIMIT, DIVERGED] = [0, 1, 2];
const [LEFT, RIGHT, TOP, BOTTOM] = [34, 8, 8, 22]; // px around the cells
const TITLE = 18; // px more for the title of an axis
const SHADES = 64;
const PALEST = 0.26; // of a colour, in the slowest
const COLUMNS = [0, 1, 2, 3, 4, 3, 3, 4, 4, 3]; // for so many maps

// Line and symbol as they are in the pictures.
function swatch({ color, dash, width, glyph }) {
  const holder = make("span");
  holder.innerHTML =
    `<svg width="30" height="12" viewBox="-15 -6 30 12" aria-hidden="true">` +
    `<path d="M-15 0H15" stroke="${color}" stroke-width="${width}" stroke-dasharray="${dash}"/>` +
    `<path d="${glyph}" fill="${color}" stroke="var(--st-background-color)"/></svg>`;
  return holder.firstChild;
}

// Stripes over the pen's rectangle, each so many px from the next.
function stripes(pen, side, apart, color, width) {
  pen.strokeStyle = color;
  pen.lineWidth = width;
  pen.beginPath();
  for (let at = -side; at < side; at += apart) {
    pen.moveTo(at, side);
    pen.lineTo(at + side, 0);
  }
  pen.stroke();
}

class Basins {
  constructor(root) {
    this.root = root;
    this.legend = root.querySelector(".fop-basins-legend");
    this.container = root.querySelector(".fop-basins-maps");
    this.spot = null; // shares of the width and the height
    this.fields = [];
    this.sizes = new ResizeObserver(() => this.fields[0]?.clientWidth !== this.width && this.draw());
    this.sizes.observe(this.container);
  }

  show(data, trigger) {
    Object.assign(this, { data, trigger });
    this.kinds = new Uint8Array(data.kinds);
    this.steps = new Uint16Array(data.steps);
    this.columns = data.x.cells.length;
    this.rows = data.y.cells.length;
    this.theme = data.themes[themeOf(this.root)];
    this.root.dataset.theme = themeOf(this.root);
    this.left = LEFT + (data.y.title ? TITLE : 0);
    this.bottom = BOTTOM + (data.x.title ? TITLE : 0);
    const shown = JSON.stringify([data.titles, data.maps.map((map) => map.color)]);
    if (this.shown !== shown) this.build();
    this.shown = shown;
    this.colors();
    this.key();
    this.fields.forEach((field, i) => field.setAttribute("aria-label", this.label(i)));
    this.draw();
    this.describe();
  }

  label(i) {
    return `${this.data.titles[i]}: map of ${this.columns} by ${this.rows}, ${this.data.maps[i].words}. ${this.data.opens}`;
  }

  build() {
    const { titles, maps } = this.data;
    this.container.style.setProperty("--columns", COLUMNS[titles.length] ?? 4);
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
        this.listen(field);
        this.fields.push(field);
        figure.append(title, field, make("p", "fop-basin-told"));
        return figure;
      }),
    );
  }

  listen(field) {
    const caption = () => field.nextSibling;
    const point = (event) => {
      const box = field.getBoundingClientRect();
      const x = (event.clientX - box.left - this.left) / this.side;
      const y = 1 - (event.clientY - box.top - TOP) / this.side;
      return x >= 0 && x < 1 && y >= 0 && y < 1 ? [x, y] : null;
    };
    field.onpointermove = (event) => this.move(point(event));
    field.onpointerleave = () => document.activeElement !== field && this.move(null);
    field.onclick = (event) => {
      this.move(point(event));
      this.open();
    };
    field.onfocus = () => {
      caption().setAttribute("aria-live", "polite");
      if (!this.spot && field.matches(":focus-visible")) this.move([0.5, 0.5]);
    };
    field.onblur = () => {
      caption().removeAttribute("aria-live");
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

  move(spot) {
    this.spot = spot;
    this.describe();
  }

  // Moves the crosshair by cells.
  step(across, up) {
    const [column, row] = this.cell(this.spot ?? [0.5, 0.5]);
    const within = (at, count) => (Math.min(count - 1, Math.max(0, at)) + 0.5) / count;
    this.move([within(column + across, this.columns), within(row + up, this.rows)]);
  }

  cell([x, y]) {
    return [Math.floor(x * this.columns), Math.floor(y * this.rows)];
  }

  open() {
    if (!this.spot) return;
    const [column, row] = this.cell(this.spot);
    this.trigger("open", { column, row });
  }

  // What is under the crosshair, in each map; without one, what there is of it all.
  describe() {
    const { data } = this;
    const cell = this.spot && this.cell(this.spot);
    this.fields.forEach((field, i) => {
      field.nextSibling.textContent = cell ? this.words(i, ...cell) : data.maps[i].words;
      const [across, up] = field.querySelectorAll(".fop-basin-line");
      across.hidden = up.hidden = !cell;
      if (!cell) return;
      const x = this.left + ((cell[0] + 0.5) / this.columns) * this.side;
      const y = TOP + (1 - (cell[1] + 0.5) / this.rows) * this.side;
      Object.assign(across.style, { width: `${this.side}px`, height: "1px" });
      Object.assign(up.style, { width: "1px", height: `${this.side}px` });
      across.style.transform = `translate(${this.left}px, ${y - 0.5}px)`;
      up.style.transform = `translate(${x - 0.5}px, ${TOP}px)`;
    });
  }

  words(map, column, row) {
    const { data } = this;
    const at = (map * this.rows + row) * this.columns + column;
    const [minimum, status] = [data.minima[(this.kinds[at] & 15) - 1]?.name, this.kinds[at] >> 4];
    const steps = this.steps[at].toLocaleString("en");
    const spot = data.spot.replace("{x}", data.x.cells[column]).replace("{y}", data.y.cells[row]);
    if (status === DIVERGED && !this.steps[at]) return `${spot}: f is not finite there`;
    if (status === DIVERGED) return `${spot}: diverged at step ${steps}`;
    if (status === LIMIT) return `${spot}: not converged in ${steps} steps${minimum ? `, but at minimum ${minimum}` : ""}`;
    return `${spot}: ${minimum ? `minimum ${minimum}` : "converged"} after ${steps} steps`;
  }

  // The colours of this theme: of each minimum from fast to slow, and of what has none.
  colors() {
    const { data, theme } = this;
    const [paper, ink, muted] = [theme.paper, theme.ink, theme.muted].map(rgb);
    this.idle = blend(ink, paper, 0.24);
    this.ground = blend(ink, paper, 0.06);
    this.ramps = [muted, ...data.minima.map((minimum) => rgb(minimum.color))].map((color) =>
      Array.from({ length: SHADES }, (_, i) => blend(color, paper, 1 - (1 - PALEST) * (i / (SHADES - 1)))),
    );
    const [low, high] = data.range.map(Math.log1p);
    this.shade = Uint8Array.from({ length: data.limit + 1 }, (_, steps) => {
      const share = (Math.log1p(steps) - low) / Math.max(high - low, 1e-9);
      return Math.round(Math.min(1, Math.max(0, share)) * (SHADES - 1));
    });
  }

  // What the colours mean: only what there is.
  key() {
    const { data } = this;
    const there = new Set(this.kinds);
    const any = (status, minimum) => [...there].some((kind) => kind >> 4 === status && (!minimum || kind & 15));
    const entry = (paint, width, words) => {
      const [made, pen] = canvas(width, 14);
      made.setAttribute("aria-hidden", "true");
      paint(pen);
      const item = make("li");
      item.append(made, words);
      return item;
    };
    const fill = (color, hatch) => (pen) => {
      pen.fillStyle = css(color);
      pen.fillRect(0, 0, 22, 14);
      if (hatch) this.hatch(pen, 22, hatch);
    };
    const used = data.minima.map((minimum, i) => [minimum, i + 1]).filter(([, i]) => [...there].some((k) => (k & 15) === i));
    const items = used.map(([{ name, note }, i]) => entry(fill(this.ramps[i][0]), 22, name + note));
    const bar = (pen) =>
      used.forEach(([, i], row) =>
        this.ramps[i].forEach((color, at) => {
          pen.fillStyle = css(color);
          pen.fillRect(at * (96 / SHADES), (14 / used.length) * row, 96 / SHADES + 1, 14);
        }),
      );
    const [low, high] = data.range.map((steps) => steps.toLocaleString("en"));
    if (any(CONVERGED)) items.push(entry(bar, 96, low === high ? `${low} steps` : `${low} to ${high} steps, logarithmic`));
    if (any(LIMIT, true)) items.push(entry(fill(this.ramps[used[0][1]][SHADES - 1], LIMIT), 22, "at a minimum, not converged"));
    if (there.has(LIMIT << 4)) items.push(entry(fill(this.idle), 22, `not converged in ${data.limit.toLocaleString("en")} steps`));
    if (any(DIVERGED)) items.push(entry(fill(this.ground, DIVERGED), 22, "diverged"));
    this.legend.replaceChildren(...items);
  }

  hatch(pen, side, status) {
    const { paper, ink } = this.theme;
    if (status === DIVERGED) stripes(pen, side, 6, css(blend(rgb(ink), rgb(paper), 0.62)), 1.2);
    else stripes(pen, side, 8, css(blend(rgb(ink), rgb(paper), 0.3)), 0.8);
  }

  draw() {
    if (!this.data || !this.root.isConnected || !this.fields[0]?.clientWidth) return;
    this.width = this.fields[0].clientWidth;
    this.side = this.width - this.left - RIGHT;
    this.fields.forEach((field, i) => this.paint(field, i));
    this.describe();
  }

  paint(field, map) {
    const { side } = this;
    const [made, pen] = canvas(this.width, side + TOP + this.bottom, field.querySelector("canvas"));
    const cells = this.image(map, (kind, steps) => {
      if (kind >> 4 === DIVERGED) return pixel(this.ground);
      if (kind >> 4 === LIMIT) return pixel(kind & 15 ? this.ramps[kind & 15][SHADES - 1] : this.idle);
      return pixel(this.ramps[kind & 15][this.shade[steps]]);
    });
    pen.imageSmoothingEnabled = this.columns > made.width;
    pen.drawImage(cells, this.left, TOP, side, side);
    for (const status of [LIMIT, DIVERGED]) {
      const [over, brush] = canvas(side, side);
      this.hatch(brush, side, status);
      brush.globalCompositeOperation = "destination-in";
      brush.imageSmoothingEnabled = false;
      const striped = (kind) => kind >> 4 === status && (status === DIVERGED || kind & 15);
      brush.drawImage(this.image(map, (kind) => (striped(kind) ? 0xff000000 : 0)), 0, 0, side, side);
      pen.drawImage(over, this.left, TOP, side, side);
    }
    this.marks(pen);
    made.dataset.drawn = `${this.columns}`;
  }

  // A picture of one pixel for each cell.
  image(map, color) {
    const { columns, rows } = this;
    const picture = new ImageData(columns, rows);
    const pixels = new Uint32Array(picture.data.buffer);
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++) {
        const at = (map * rows + row) * columns + column;
        pixels[(rows - 1 - row) * columns + column] = color(this.kinds[at], this.steps[at]);
      }
    const made = make("canvas");
    Object.assign(made, { width: columns, height: rows });
    made.getContext("2d").putImageData(picture, 0, 0);
    return made;
  }

  // Ticks, the minima, and the ring.
  marks(pen) {
    const { data, side, theme } = this;
    const font = getComputedStyle(this.root).getPropertyValue("--st-font") || "sans-serif";
    const [x, y] = [(share) => this.left + share * side, (share) => TOP + (1 - share) * side];
    pen.font = `12px ${font}`;
    pen.fillStyle = theme.muted;
    pen.strokeStyle = theme.muted;
    pen.lineWidth = 1;
    pen.beginPath();
    pen.textAlign = "center";
    pen.textBaseline = "top";
    let free = -Infinity;
    for (const [share, text] of data.x.ticks) {
      pen.moveTo(x(share), TOP + side);
      pen.lineTo(x(share), TOP + side + 3);
      const half = pen.measureText(text).width / 2;
      const middle = Math.min(x(share), this.width - half);
      if (middle - half < free) continue;
      pen.fillText(text, middle, TOP + side + 6);
      free = middle + half + 6;
    }
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    for (const [share, text] of data.y.ticks) {
      pen.moveTo(this.left - 3, y(share));
      pen.lineTo(this.left, y(share));
      pen.fillText(text, this.left - 6, Math.min(y(share), TOP + side - 5));
    }
    pen.stroke();
    pen.textAlign = "center";
    pen.fillText(data.x.title, x(0.5), TOP + side + 32);
    pen.save();
    pen.translate(9, y(0.5));
    pen.rotate(-Math.PI / 2);
    pen.fillText(data.y.title, 0, 0);
    pen.restore();
    const line = (path) => {
      for (const [color, width] of [[theme.paper, 4], [theme.ink, 1.5]]) {
        Object.assign(pen, { strokeStyle: color, lineWidth: width });
        pen.stroke(path);
      }
    };
    data.crosses.forEach(([u, v], i) => {
      if (!(u >= 0 && u <= 1 && v >= 0 && v <= 1)) return;
      line(new Path2D(`M${x(u) - 4} ${y(v) - 4}l8 8m0 -8l-8 8`));
      pen.font = `600 12px ${font}`;
      pen.textAlign = u > 0.9 ? "right" : "left";
      pen.fillStyle = theme.ink;
      Object.assign(pen, { strokeStyle: theme.paper, lineWidth: 3 });
      const beside = x(u) + (u > 0.9 ? -8 : 8);
      pen.strokeText(data.minima[i].name[0], beside, y(v));
      pen.fillText(data.minima[i].name[0], beside, y(v));
    });
    if (data.ring) {
      const ring = new Path2D();
      ring.arc(x(data.ring[0]), y(data.ring[1]), 6, 0, 2 * Math.PI);
      line(ring);
    }
  }

  leave() {
    this.sizes.disconnect();
    this.data = null;
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".fop-basins");
  root.fop ??= new Basins(root);
  root.fop.show(unpacked(data), setTriggerValue);
  return atUnmount(root, () => {
    root.fop.leave();
    root.fop = null;
  });
}
