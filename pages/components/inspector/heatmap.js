// A matrix as a picture: blue, white, orange, one range for all. Hovering tells a value; a large one can be zoomed.

const [BLUE, WHITE, ORANGE] = ["#2A62C4", "#FFFFFF", "#D9541E"].map(rgb);
const STEPS = 255; // shades on each side of white
const SHADE = Uint32Array.from({ length: 2 * STEPS + 1 }, (_, i) =>
  pixel(blend(i < STEPS ? BLUE : ORANGE, WHITE, Math.abs(i - STEPS) / STEPS)),
);
const MISSING = pixel([150, 150, 150]);
const READABLE = 34; // px of a cell that has room for its number
const ZOOMED = 12; // rows from which on a zoom makes sense
const INK = "#31333F";
const BRIGHT = 0.72; // of the range, from which on a number is white

const shade = (value, range) =>
  Number.isFinite(value) ? SHADE[STEPS + Math.round(Math.max(-1, Math.min(1, value / (range || 1))) * STEPS)] : MISSING;

// The largest size of values that are finite.
const largest = (values) => values.reduce((most, value) => (Math.abs(value) > most && Number.isFinite(value) ? Math.abs(value) : most), 0);

const scratch = document.createElement("canvas");

// Draws rows x columns of values into a rectangle of the pen's, of which `part` [left, top, width, height] cells are shown.
function paint(pen, matrix, range, x, y, width, height, part = [0, 0, matrix.columns, matrix.rows]) {
  const { values, rows, columns } = matrix;
  if (scratch.width !== columns || scratch.height !== rows) [scratch.width, scratch.height] = [columns, rows];
  const image = new ImageData(columns, rows);
  const pixels = new Uint32Array(image.data.buffer);
  for (let i = 0; i < pixels.length; i++) pixels[i] = shade(values[i], range);
  scratch.getContext("2d").putImageData(image, 0, 0);
  pen.imageSmoothingEnabled = width < part[2];
  pen.drawImage(scratch, ...part, x, y, width, height);
}

// What a row or column is called: "centre left" of a 3 x 3 kernel, else its number from 1.
function position(at, kernel) {
  if (!kernel) return String(at + 1);
  const [high, wide] = kernel;
  const [row, column] = [Math.floor(at / wide), at % wide];
  if (high !== 3 || wide !== 3) return `(${row + 1}, ${column + 1})`;
  const words = [["top", "", "bottom"][row], ["left", "", "right"][column]].filter(Boolean);
  return words.join(" ") || "centre";
}

class Heatmap {
  constructor(large) {
    this.node = make("figure", "fop-matrix");
    this.title = make("h4");
    this.field = make("div", "fop-matrix-field");
    this.picture = make("canvas");
    this.box = make("div", "fop-matrix-box");
    this.box.hidden = true;
    this.field.append(this.picture, this.box);
    this.caption = make("p", "fop-matrix-told");
    this.node.append(this.title, this.field, this.caption);
    this.large = large;
    this.part = null;
    this.spot = null;
    if (large) this.listen();
  }

  show({ title, layer, matrix, words, side, range }) {
    const renewed = this.rows !== matrix?.rows || this.columns !== matrix?.columns || this.of !== title;
    Object.assign(this, { layer, matrix, words, side, range, rows: matrix?.rows, columns: matrix?.columns, of: title });
    if (renewed) this.part = null;
    this.title.textContent = title;
    this.draw();
  }

  get shown() {
    return this.part ?? [0, 0, this.columns, this.rows];
  }

  draw() {
    const { side, matrix } = this;
    if (!matrix) {
      this.picture.hidden = true;
      this.caption.textContent = "No matrix was kept here.";
      return;
    }
    this.picture.hidden = false;
    const [, , wide, high] = this.shown;
    const width = this.part || wide >= high ? side : Math.max(24, Math.round((side * wide) / high));
    this.width = width;
    const [, pen] = canvas(width, side, this.picture);
    paint(pen, matrix, this.range, 0, 0, width, side, this.shown);
    const cell = width / wide;
    if (this.layer.kernel && matrix.whole && wide === matrix.columns) this.grid(pen, cell);
    if (this.large && cell >= READABLE && wide * high <= 400) this.numbers(pen, cell, side / high);
    this.picture.setAttribute("role", "img");
    this.picture.setAttribute("aria-label", `${this.of}, ${this.words}`);
    this.field.dataset.step = matrix.step;
    if (this.spot && this.keyed) this.mark(pen, cell, side / high);
    this.describe();
  }

  // Lines between the rows of a kernel.
  grid(pen, cell) {
    const { kernel, n } = this.layer;
    pen.strokeStyle = "rgba(120,128,140,0.55)";
    pen.lineWidth = 1;
    pen.beginPath();
    for (let at = kernel[1]; at < n; at += kernel[1]) {
      const edge = Math.round(at * cell) + 0.5;
      pen.moveTo(0, edge);
      pen.lineTo(this.width, edge);
      if (this.matrix.square) {
        pen.moveTo(edge, 0);
        pen.lineTo(edge, this.side);
      }
    }
    pen.stroke();
  }

  // A frame about the cell that is described, where the keys have brought it.
  mark(pen, wide, high) {
    const [left, top] = this.shown;
    const [row, column] = this.spot;
    pen.strokeStyle = INK;
    pen.lineWidth = 2;
    pen.strokeRect((column - left) * wide, (row - top) * high, wide, high);
  }

  numbers(pen, wide, high) {
    const [left, top, columns, rows] = this.shown.map(Math.round);
    pen.font = `${Math.min(12, Math.max(9, wide / 4))}px ${getComputedStyle(this.node).fontFamily}`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        const value = this.matrix.values[(top + i) * this.columns + left + j];
        pen.fillStyle = Math.abs(value) > BRIGHT * this.range ? "#fff" : INK;
        if (Math.abs(value) < 0.005) {
          pen.fillText("0", (j + 0.5) * wide, (i + 0.5) * high);
          continue;
        }
        const text = Number.isFinite(value) ? value.toFixed(Math.abs(value) < 10 ? 2 : 1).replace("-", "−") : "–";
        pen.fillText(text.replace(/^(−?)0\./, "$1."), (j + 0.5) * wide, (i + 0.5) * high);
      }
    }
  }

  listen() {
    const { field } = this;
    const at = (event) => {
      const box = this.picture.getBoundingClientRect();
      return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    };
    field.onpointermove = (event) => {
      this.spot = this.cell(...at(event));
      this.keyed = false;
      if (this.from) this.outline(at(event));
      this.describe();
    };
    field.onpointerleave = () => {
      this.spot = null;
      this.describe();
    };
    field.onpointerdown = (event) => {
      if (!this.zooms || event.pointerType === "touch") return;
      this.from = at(event);
      field.setPointerCapture(event.pointerId);
    };
    field.onpointerup = (event) => {
      if (!this.from) return;
      const [from, to] = [this.from, at(event)];
      this.from = null;
      this.box.hidden = true;
      if (Math.abs(from[0] - to[0]) > 0.02 && Math.abs(from[1] - to[1]) > 0.02) this.zoom(from, to);
    };
    field.ondblclick = () => this.whole();
    field.tabIndex = 0;
    field.dataset.keys = "own";
    field.onkeydown = (event) => {
      const [down, right] = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key] ?? [];
      if (down === undefined || !this.matrix) return;
      event.preventDefault();
      this.caption.setAttribute("aria-live", "polite");
      this.step(down, right);
    };
    field.onblur = () => {
      this.spot = null;
      if (this.matrix) this.draw();
    };
  }

  // Goes to a cell beside the one that is described, and takes a zoomed part along.
  step(down, right) {
    const [left, top, wide, high] = this.shown;
    const within = (at, cells) => Math.max(0, Math.min(cells - 1, at));
    const [row, column] = this.spot ?? [top - down, left - right];
    this.spot = [within(row + down, this.rows), within(column + right, this.columns)];
    this.keyed = true;
    if (this.part) {
      const [to, size] = [this.spot, wide];
      const corner = (at, from) => Math.max(Math.min(at, from), at - size + 1);
      this.part = [corner(to[1], left), corner(to[0], top), size, high];
    }
    this.draw();
  }

  get zooms() {
    return this.matrix && Math.min(this.rows, this.columns) > ZOOMED;
  }

  outline([x, y]) {
    const [left, top] = [Math.min(x, this.from[0]), Math.min(y, this.from[1])];
    this.box.hidden = false;
    const percent = (share) => `${100 * share}%`;
    Object.assign(this.box.style, {
      left: percent(left),
      top: percent(top),
      width: percent(Math.abs(x - this.from[0])),
      height: percent(Math.abs(y - this.from[1])),
    });
  }

  // Shows the cells between two corners, as many across as down.
  zoom([x0, y0], [x1, y1]) {
    const [left, top, wide, high] = this.shown;
    const size = Math.max(4, Math.round(Math.max(Math.abs(x1 - x0) * wide, Math.abs(y1 - y0) * high)));
    this.zoomTo(left + (wide * (x0 + x1)) / 2, top + (high * (y0 + y1)) / 2, size);
  }

  zoomTo(x, y, size) {
    const most = Math.min(this.rows, this.columns);
    if (size >= most) return this.whole();
    const corner = (middle, cells) => Math.max(0, Math.min(cells - size, Math.round(middle - size / 2)));
    this.part = [corner(x, this.columns), corner(y, this.rows), size, size];
    this.draw();
    this.node.dispatchEvent(new Event("zoomed"));
  }

  by(factor) {
    if (!this.zooms) return;
    const [left, top, wide, high] = this.shown;
    this.zoomTo(left + wide / 2, top + high / 2, Math.max(4, Math.round(Math.min(wide, high) * factor)));
  }

  whole() {
    this.part = null;
    this.draw();
    this.node.dispatchEvent(new Event("zoomed"));
  }

  cell(x, y) {
    if (!this.matrix || x < 0 || y < 0 || x >= 1 || y >= 1) return null;
    const [left, top, wide, high] = this.shown;
    return [Math.floor(top + y * high), Math.floor(left + x * wide)];
  }

  describe() {
    const { matrix, layer } = this;
    if (!this.spot || !matrix) {
      this.caption.textContent = this.words;
      return;
    }
    const [row, column] = this.spot;
    const value = short(matrix.values[row * matrix.columns + column]);
    if (!matrix.whole) {
      const scale = layer.n / matrix.rows;
      const span = (at) => `${Math.floor(at * scale) + 1}–${Math.ceil((at + 1) * scale)}`;
      this.caption.textContent = `mean of rows ${span(row)}, columns ${span(column)}: ${value}`;
    } else if (!matrix.square) {
      this.caption.textContent = `row ${position(row, layer.kernel)}, column ${column + 1}: ${value}`;
    } else if (layer.kernel) {
      this.caption.textContent = `${position(column, layer.kernel)} → ${position(row, layer.kernel)}: ${value}`;
    } else this.caption.textContent = `row ${row + 1}, column ${column + 1}: ${value}`;
  }
}
