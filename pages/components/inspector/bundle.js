// Made by scripts/web.sh build of sources with the checksum abfbbc8dcfd637d35dbe901e3c3dbedd5747cf9df720b437524c23fd38a26ceb.
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

// inspector/algebra.js
var SWEEPS = 40;
function preconditioner(M, n, k, form, scale) {
  const P = new Float64Array(n * n);
  if (form === "direct") return P.map((_, i) => M[i] * scale);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = form === "low_rank" && i === j ? 1 : 0;
      for (let a = i * k, b = j * k, end = a + k; a < end; a++, b++) sum += M[a] * M[b];
      P[i * n + j] = sum * scale;
      P[j * n + i] = sum * scale;
    }
  }
  return P;
}
var norm = (matrix) => Math.sqrt(matrix.reduce((sum, value) => sum + value * value, 0));
function quantityOf(P, n, quantity) {
  const values = Float64Array.from(P);
  if (quantity === "change") for (let i = 0; i < n; i++) values[i * n + i] -= 1;
  if (quantity === "shape") {
    const size = norm(P);
    return values.map((value) => value / size);
  }
  if (quantity === "rest") {
    let [diagonal, all] = [0, 0];
    for (let i = 0; i < n; i++) diagonal += P[i * n + i];
    for (const value of P) all += value;
    const beside = (all - diagonal) / Math.max(n * (n - 1), 1);
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) values[i * n + j] -= i === j ? diagonal / n : beside;
  }
  return values;
}
function eigen(matrix, n) {
  const A = Float64Array.from(matrix, (value, at) => (value + matrix[at % n * n + Math.floor(at / n)]) / 2);
  const size = norm(A);
  if (!Number.isFinite(size))
    return Array.from({ length: n }, () => ({ value: Number.NaN, vector: new Float64Array(n).fill(Number.NaN) }));
  const V = rotated(A, n, size);
  const order = [...Array(n).keys()].sort((a, b) => A[b * n + b] - A[a * n + a]);
  return order.map((column) => {
    const vector = Float64Array.from({ length: n }, (_, i) => V[i * n + column]);
    const biggest = vector.reduce((best, value) => Math.abs(value) > Math.abs(best) + 1e-9 ? value : best, 0);
    return { value: A[column * n + column], vector: biggest < 0 ? vector.map((value) => -value) : vector };
  });
}
function rotated(A, n, size) {
  const V = new Float64Array(n * n);
  for (let i = 0; i < n; i++) V[i * n + i] = 1;
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    let off = 0;
    for (let p = 0; p < n; p++) for (let q = 0; q < p; q++) off += A[p * n + q] ** 2;
    if (!(Math.sqrt(off) > 1e-13 * size)) break;
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        if (A[p * n + q] === 0) continue;
        const theta = (A[q * n + q] - A[p * n + p]) / (2 * A[p * n + q]);
        const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
        const c = 1 / Math.hypot(t, 1);
        const s = t * c;
        for (let i = 0; i < n; i++) {
          const [a, b] = [A[i * n + p], A[i * n + q]];
          A[i * n + p] = c * a - s * b;
          A[i * n + q] = s * a + c * b;
          const [v, w] = [V[i * n + p], V[i * n + q]];
          V[i * n + p] = c * v - s * w;
          V[i * n + q] = s * v + c * w;
        }
        for (let i = 0; i < n; i++) {
          const [a, b] = [A[p * n + i], A[q * n + i]];
          A[p * n + i] = c * a - s * b;
          A[q * n + i] = s * a + c * b;
        }
      }
    }
  }
  return V;
}
var cosines = (size) => Array.from(
  { length: size },
  (_, u) => Array.from(
    { length: size },
    (_2, i) => Math.sqrt((u ? 2 : 1) / size) * Math.cos(Math.PI * (2 * i + 1) * u / (2 * size))
  )
);
function gains(P, [high, wide]) {
  const [down, across] = [cosines(high), cosines(wide)];
  const n = high * wide;
  return Float64Array.from({ length: n }, (_, at) => {
    const [u, v] = [Math.floor(at / wide), at % wide];
    const pattern = Float64Array.from({ length: n }, (_2, i) => down[u][Math.floor(i / wide)] * across[v][i % wide]);
    let sum = 0;
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) sum += pattern[i] * P[i * n + j] * pattern[j];
    return sum;
  });
}
function largest(values) {
  let most = 0;
  for (const value of values) if (Math.abs(value) > most && Number.isFinite(value)) most = Math.abs(value);
  return most;
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

// inspector/shades.js
var [BLUE, WHITE, ORANGE] = ["#2A62C4", "#FFFFFF", "#D9541E"].map(rgb);
var STEPS = 255;
var SHADE = Uint32Array.from(
  { length: 2 * STEPS + 1 },
  (_, i) => pixel(blend(i < STEPS ? BLUE : ORANGE, WHITE, Math.abs(i - STEPS) / STEPS))
);
var MISSING = pixel([150, 150, 150]);
var BRIGHT = 0.72;
var INK = "#31333F";
var shade = (value, range) => Number.isFinite(value) ? SHADE[STEPS + Math.round(Math.max(-1, Math.min(1, value / (range || 1))) * STEPS)] : MISSING;
var inkOn = (value, range) => Math.abs(value) > BRIGHT * range ? "#fff" : INK;
function cellNumber(value) {
  if (Math.abs(value) < 5e-3) return "0";
  if (!Number.isFinite(value)) return "–";
  const text = value.toFixed(Math.abs(value) < 10 ? 2 : 1).replace("-", "−");
  return text.replace(/^(−?)0\./, "$1.");
}

// inspector/paint.js
var READABLE = 34;
var scratch = make("canvas");
function paint(context, { values, rows, columns }, range, width, height, part2 = [0, 0, columns, rows]) {
  const fill = (pixels) => {
    for (let i = 0; i < pixels.length; i++) pixels[i] = shade(values[i], range);
  };
  cellCanvas(columns, rows, fill, scratch);
  context.imageSmoothingEnabled = width < part2[2];
  context.drawImage(scratch, ...part2, 0, 0, width, height);
}

// inspector/quantities.js
function position(at, kernel) {
  if (!kernel) return String(at + 1);
  const [high, wide] = kernel;
  const [row, column] = [Math.floor(at / wide), at % wide];
  if (high !== 3 || wide !== 3) return `(${row + 1}, ${column + 1})`;
  const words = [["top", "", "bottom"][row], ["left", "", "right"][column]].filter(Boolean);
  return words.join(" ") || "centre";
}
function cellWords(matrix, { n, kernel }, row, column) {
  const value = short(matrix.values[row * matrix.columns + column]);
  if (!matrix.whole) {
    const scale = n / matrix.rows;
    const span = (at) => `${Math.floor(at * scale) + 1}–${Math.ceil((at + 1) * scale)}`;
    return `mean of rows ${span(row)}, columns ${span(column)}: ${value}`;
  }
  if (!matrix.square) return `row ${position(row, kernel)}, column ${column + 1}: ${value}`;
  if (kernel) return `${position(column, kernel)} → ${position(row, kernel)}: ${value}`;
  return `row ${row + 1}, column ${column + 1}: ${value}`;
}
function spreadWords(range, most) {
  const beyond = most > range * (1 + 1e-6) ? " and beyond" : "";
  return `−${short(range)}${beyond} blue to ${short(range)}${beyond} orange`;
}
function spectrumWords(name, n, spectrum, step) {
  const { kind, least, most, rank } = spectrum;
  if (kind === "not finite") return `P of ${name} is not finite at step ${count(spectrum.step)}.`;
  const at = spectrum.step === step ? "" : ` (step ${count(spectrum.step)})`;
  const definite = kind === "positive definite" || kind === "numerically singular";
  const condition = definite ? short(spectrum.condition) : "not defined";
  const logdet = Number.isNaN(spectrum.logdet) ? "not defined" : short(spectrum.logdet);
  return `P of ${name} is ${kind}${at}: eigenvalues ${short(least)} to ${short(most)}, condition ${condition}, effective rank ${short(rank)} of ${n}, log-determinant ${logdet}.`;
}

// inspector/filters.js
var CAPTIONS = {
  rows: "Each picture is a row of the matrix, laid out as the kernel is: what each position (dot) takes from all others.",
  gains: "vᵀP v: what P leaves of each cosine pattern v over the kernel. The constant one is top left, finer ones right and down.",
  vectors: "Patterns over the kernel and by how much P lengthens a gradient along each. Where numbers are equal, any mix of their patterns would do.",
  pixels: "Patterns over the image that P changes most, and by how much it lengthens a gradient along each; of the last snapshot."
};
var MOST_VECTORS = 25;
var Filters = class {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.rowsPart = box(root, ".fop-filters-rows");
    this.gainsPart = box(root, ".fop-filters-gains");
    this.vectorsPart = box(root, ".fop-filters-vectors");
    box(this.gainsPart, "p").textContent = CAPTIONS.gains;
    box(this.rowsPart, "p").textContent = CAPTIONS.rows;
    this.kernel = null;
    this.pictures = null;
    this.filled = null;
    this.rows = [];
    this.frequencies = [];
    this.vectors = [];
    this.gains = new Float64Array();
  }
  /**
   * Makes figures for a layer's pictures.
   *
   * @param {Layer} layer
   * @param {number} room px
   * @param {string} title of the matrix
   * @param {boolean} square whether it has a column for each position
   */
  lay(layer, room, title, square2) {
    const { kernel, pictures } = layer;
    Object.assign(this, { kernel, pictures, filled: null });
    this.rowsPart.hidden = !kernel || !square2;
    this.gainsPart.hidden = !kernel;
    box(this.rowsPart, "h4").textContent = `${title}, row by row`;
    box(this.vectorsPart, "p").textContent = kernel ? CAPTIONS.vectors : CAPTIONS.pixels;
    this.rows = [];
    this.frequencies = [];
    if (kernel) this.layKernel(kernel, room, square2);
    const count2 = kernel ? Math.min(layer.n, MOST_VECTORS) : pictures?.values.length ?? 0;
    const side = kernel ? 58 : 92;
    const columns = Math.max(2, Math.min(kernel ? 9 : 4, Math.floor((room + 12) / (side + 12))));
    this.vectors = figures(this.vectorsPart, count2, columns, side);
  }
  /**
   * @param {Kernel} kernel
   * @param {number} room px
   * @param {boolean} square
   */
  layKernel([high, wide], room, square2) {
    const narrow = Math.max(24, Math.min(64, Math.floor((room - 12 * (wide - 1)) / Math.max(wide, 3))));
    if (square2) this.rows = figures(this.rowsPart, high * wide, wide, Math.min(narrow, wide > 5 ? 34 : 58));
    this.frequencies = figures(this.gainsPart, 1, 1, wide > 5 ? 34 * wide : Math.max(156, READABLE * wide));
  }
  /**
   * Draws a matrix, and P of the same snapshot.
   *
   * @param {Matrix | null} matrix
   * @param {Matrix | null} P
   * @param {number} range of the fullest colour
   */
  fill(matrix, P, range) {
    if (!matrix || this.filled === matrix) return;
    this.filled = matrix;
    const { kernel, pictures } = this;
    if (kernel && P) this.fillKernel(matrix, P, kernel, range);
    else if (!kernel && pictures) this.fillPictures(pictures);
  }
  /**
   * @param {Matrix} matrix
   * @param {Matrix} P
   * @param {Kernel} kernel
   * @param {number} range
   */
  fillKernel({ values, rows: n }, P, kernel, range) {
    this.rows.forEach((figure, i) => {
      const row = values.subarray(i * n, (i + 1) * n);
      draw(figure, row, kernel, range, `row of ${position(i, kernel)}`, i);
    });
    this.gains = gains(P.values, kernel);
    for (const figure of this.frequencies) this.gain(figure, kernel);
    const pairs = eigen(P.values, P.rows);
    this.vectors.forEach((figure, i) => {
      const { value, vector } = pairs[i];
      draw(figure, vector, kernel, largest(vector), `eigenvector ${i + 1}`);
      figure.caption.textContent = short(value);
    });
  }
  /** @param {Pictures} pictures */
  fillPictures({ vectors, image, values }) {
    const area = image[0] * image[1];
    this.vectors.forEach((figure, i) => {
      const vector = vectors.subarray(i * area, (i + 1) * area);
      draw(figure, vector, image, largest(vector), `eigenvector ${i + 1}`);
      figure.caption.textContent = short(values[i]);
    });
  }
  /**
   * Draws what P leaves of each frequency, white where that is all.
   *
   * @param {Figure} figure
   * @param {Kernel} kernel
   */
  gain({ picture, side }, [high, wide]) {
    const cell = side / wide;
    const [, context] = canvas(side, cell * high, picture);
    const less = this.gains.map((value) => value - 1);
    const most = Math.max(largest(less), 1);
    paint(context, { values: less, rows: high, columns: wide }, most, side, cell * high);
    picture.setAttribute("role", "img");
    picture.setAttribute("aria-label", `Gains ${[...this.gains].map(short).join(", ")}`);
    if (cell < READABLE) return;
    context.font = `${cell < 44 ? 10 : 12}px ${getComputedStyle(this.root).fontFamily}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    this.gains.forEach((value, at) => {
      context.fillStyle = inkOn(less[at], most);
      const text = !Number.isFinite(value) ? "–" : Math.abs(value) < 5e-3 ? "0" : short(value);
      context.fillText(text, (at % wide + 0.5) * cell, (Math.floor(at / wide) + 0.5) * cell, cell - 2);
    });
  }
};
function figures(part2, count2, columns, side) {
  const field = box(part2, ".fop-filters-field");
  field.style.gridTemplateColumns = `repeat(${columns}, ${side}px)`;
  const made = Array.from({ length: count2 }, () => {
    const [figure, picture, caption] = [make("figure"), make("canvas"), make("figcaption")];
    figure.append(picture, caption);
    return { figure, picture, caption, side };
  });
  field.replaceChildren(...made.map(({ figure }) => figure));
  return made;
}
function draw({ picture, side }, values, [high, wide], range, words, dot = -1) {
  const height = Math.round(side * high / wide);
  const [, context] = canvas(side, height, picture);
  paint(context, { values, rows: high, columns: wide }, range, side, height);
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", words);
  if (dot < 0) return;
  const cell = side / wide;
  context.fillStyle = INK;
  context.beginPath();
  context.arc((dot % wide + 0.5) * cell, (Math.floor(dot / wide) + 0.5) * cell, Math.max(1.2, cell / 9), 0, 7);
  context.fill();
}

// inspector/zoom.js
var LEAST = 4;
function square(x, y, size, rows, columns) {
  if (size >= Math.min(rows, columns)) return null;
  const corner = (middle, cells) => clamp(Math.round(middle - size / 2), 0, cells - size);
  return [corner(x, columns), corner(y, rows), size, size];
}
function framed([left, top, wide, high], [x0, y0], [x1, y1]) {
  const size = Math.max(LEAST, Math.round(Math.max(Math.abs(x1 - x0) * wide, Math.abs(y1 - y0) * high)));
  return { x: left + wide * (x0 + x1) / 2, y: top + high * (y0 + y1) / 2, size };
}
var resized = ([left, top, wide, high], factor) => ({
  x: left + wide / 2,
  y: top + high / 2,
  size: Math.max(LEAST, Math.round(Math.min(wide, high) * factor))
});
function around([left, top, size, high], row, column) {
  const corner = (at, from) => Math.max(Math.min(at, from), at - size + 1);
  return [corner(column, left), corner(row, top), size, high];
}
function cellAt([left, top, wide, high], [x, y]) {
  if (x < 0 || y < 0 || x >= 1 || y >= 1) return null;
  return [Math.floor(top + y * high), Math.floor(left + x * wide)];
}

// inspector/heatmap.js
var ZOOMED = 12;
var MOST_NUMBERS = 400;
var WAYS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
var Heatmap = class {
  /** @param {boolean} large whether cells can be told apart: hovered, zoomed, with numbers in them */
  constructor(large) {
    this.node = make("figure", "fop-matrix");
    this.title = make("h4");
    this.field = make("div", "fop-matrix-field");
    this.picture = make("canvas");
    this.box = make("div", "fop-matrix-box");
    this.box.hidden = true;
    this.field.append(this.picture, this.box);
    this.caption = make("p", "fop-matrix-caption");
    this.marks = make("ul", "fop-matrix-marks");
    this.node.append(this.title, this.field, this.caption, this.marks);
    this.large = large;
    this.shown = { title: "", layer: { n: 0, kernel: null }, matrix: null, words: "", side: 0, range: 1 };
    this.width = 0;
    this.part = null;
    this.spot = null;
    this.keyed = false;
    this.from = null;
    if (large) this.listen();
  }
  /** @param {Shown} shown */
  show(shown) {
    const { title, matrix } = this.shown;
    const same = title === shown.title && matrix?.rows === shown.matrix?.rows;
    if (!same || matrix?.columns !== shown.matrix?.columns) this.part = null;
    this.shown = shown;
    this.title.textContent = shown.title;
    if (this.large) this.field.setAttribute("aria-label", `${shown.title}. Arrow keys go from entry to entry.`);
    this.mark(shown.marks ?? []);
    this.draw();
  }
  /** @param {string[]} marks */
  mark(marks) {
    const said = marks.join("\n");
    if (this.marks.dataset.said === said) return;
    this.marks.dataset.said = said;
    this.marks.replaceChildren(...marks.map((words) => make("li", "", words)));
  }
  get matrix() {
    return this.shown.matrix;
  }
  /**
   * The cells that are shown.
   *
   * @param {Matrix} matrix
   * @returns {Part}
   */
  visible(matrix) {
    return this.part ?? [0, 0, matrix.columns, matrix.rows];
  }
  draw() {
    const { title, layer, matrix, words, side, range } = this.shown;
    this.picture.hidden = !matrix;
    if (!matrix) {
      this.caption.textContent = "No matrix was kept here.";
      return;
    }
    const part2 = this.visible(matrix);
    const [, , wide, high] = part2;
    this.width = this.part || wide >= high ? side : Math.max(24, Math.round(side * wide / high));
    const [, context] = canvas(this.width, side, this.picture);
    paint(context, matrix, range, this.width, side, part2);
    const cell = this.width / wide;
    if (layer.kernel && matrix.whole && wide === matrix.columns) this.grid(context, layer.kernel, cell, matrix.square);
    if (this.large && cell >= READABLE && wide * high <= MOST_NUMBERS) this.numbers(context, matrix, cell, side / high);
    this.picture.setAttribute("role", "img");
    this.picture.setAttribute("aria-label", `${title}, ${words}`);
    this.field.dataset.step = String(matrix.step);
    if (this.spot && this.keyed) frame(context, part2, this.spot, cell, side / high);
    this.describe();
  }
  /**
   * Draws lines between the rows of a kernel.
   *
   * @param {Context} context
   * @param {Kernel} kernel
   * @param {number} cell px
   * @param {boolean} both whether columns are its positions too
   */
  grid(context, kernel, cell, both) {
    const { layer, side } = this.shown;
    context.strokeStyle = "rgba(120,128,140,0.55)";
    context.lineWidth = 1;
    context.beginPath();
    for (let at = kernel[1]; at < layer.n; at += kernel[1]) {
      const edge = Math.round(at * cell) + 0.5;
      context.moveTo(0, edge);
      context.lineTo(this.width, edge);
      if (both) {
        context.moveTo(edge, 0);
        context.lineTo(edge, side);
      }
    }
    context.stroke();
  }
  /**
   * @param {Context} context
   * @param {Matrix} matrix
   * @param {number} wide px of a cell
   * @param {number} high px of a cell
   */
  numbers(context, matrix, wide, high) {
    const [left, top, columns, rows] = this.visible(matrix).map(Math.round);
    context.font = `${Math.min(12, Math.max(9, wide / 4))}px ${getComputedStyle(this.node).fontFamily}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        const value = matrix.values[(top + i) * matrix.columns + left + j];
        context.fillStyle = inkOn(value, this.shown.range);
        context.fillText(cellNumber(value), (j + 0.5) * wide, (i + 0.5) * high);
      }
    }
  }
  listen() {
    const { field } = this;
    const at = (event) => {
      const box2 = this.picture.getBoundingClientRect();
      return [(event.clientX - box2.left) / box2.width, (event.clientY - box2.top) / box2.height];
    };
    field.onpointermove = (event) => {
      const point = at(event);
      this.spot = this.matrix && cellAt(this.visible(this.matrix), point);
      this.keyed = false;
      if (this.from) this.outline(this.from, point);
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
      if (!this.matrix || Math.abs(from[0] - to[0]) <= 0.02 || Math.abs(from[1] - to[1]) <= 0.02) return;
      this.zoom(framed(this.visible(this.matrix), from, to));
    };
    field.ondblclick = () => this.take(null);
    field.tabIndex = 0;
    field.setAttribute("role", "application");
    field.dataset.keys = "own";
    field.onkeydown = (event) => {
      if (!(event.key in WAYS) || !this.matrix) return;
      event.preventDefault();
      this.caption.setAttribute("aria-live", "polite");
      this.step(this.matrix, ...WAYS[event.key]);
    };
    field.onblur = () => {
      this.spot = null;
      if (this.matrix) this.draw();
    };
  }
  /**
   * Goes to a cell beside the one that is described, and takes a zoomed part along.
   *
   * @param {Matrix} matrix
   * @param {number} down
   * @param {number} right
   */
  step(matrix, down, right) {
    const [left, top] = this.visible(matrix);
    const [row, column] = this.spot ?? [top - down, left - right];
    this.spot = [clamp(row + down, 0, matrix.rows - 1), clamp(column + right, 0, matrix.columns - 1)];
    this.keyed = true;
    if (this.part) this.part = around(this.part, ...this.spot);
    this.draw();
  }
  get zooms() {
    return this.matrix !== null && Math.min(this.matrix.rows, this.matrix.columns) > ZOOMED;
  }
  /**
   * Shows the frame that a pointer draws.
   *
   * @param {Point} from
   * @param {Point} to
   */
  outline(from, [x, y]) {
    this.box.hidden = false;
    const percent = (share) => `${100 * share}%`;
    Object.assign(this.box.style, {
      left: percent(Math.min(x, from[0])),
      top: percent(Math.min(y, from[1])),
      width: percent(Math.abs(x - from[0])),
      height: percent(Math.abs(y - from[1]))
    });
  }
  /**
   * Shows so many cells about a point.
   *
   * @param {{ x: number, y: number, size: number }} wanted
   */
  zoom({ x, y, size }) {
    if (this.matrix) this.take(square(x, y, size, this.matrix.rows, this.matrix.columns));
  }
  /**
   * Zooms in or out; not at all where it makes no sense.
   *
   * @param {number} factor
   */
  by(factor) {
    if (this.matrix && this.zooms) this.zoom(resized(this.visible(this.matrix), factor));
  }
  /** @param {Part | null} part to show */
  take(part2) {
    this.part = part2;
    this.draw();
  }
  describe() {
    const { matrix, layer, words } = this.shown;
    this.caption.textContent = matrix && this.spot ? cellWords(matrix, layer, ...this.spot) : words;
  }
};
function frame(context, [left, top], [row, column], wide, high) {
  context.strokeStyle = INK;
  context.lineWidth = 2;
  context.strokeRect((column - left) * wide, (row - top) * high, wide, high);
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

// inspector/layer.js
var KEPT = 12;
var NUMBERS = 6;
var Layer = class {
  /**
   * @param {Head} head
   * @param {InspectorData} data
   */
  constructor(head, data) {
    this.head = head;
    this.name = head.name;
    this.title = head.title;
    this.form = head.form;
    this.n = head.n;
    this.kernel = head.kernel;
    this.steps = head.steps;
    this.marks = head.marks;
    this.hasM = head.hasM;
    this.ranges = head.ranges;
    this.thumbRange = head.thumbRange ?? 1;
    const floats = (name) => {
      const array = data[`${head.id}/${name}`];
      return array ? new Float32Array(array) : null;
    };
    this.M = floats("M");
    this.scale = floats("scale");
    this.sentP = floats("P");
    this.spectrum = floats("spectrum");
    this.thumbs = floats("thumbs");
    const vectors = floats("pictures");
    const { image, pictured: values } = head;
    this.pictures = vectors && image && values ? { vectors, image, values } : null;
    this.kept = /* @__PURE__ */ new Map();
  }
  /**
   * A quantity at a step; null where nothing was kept.
   *
   * @param {Quantity} quantity
   * @param {number} step
   * @returns {Matrix | null}
   */
  matrix(quantity, step) {
    if (this.thumbs && !(this.steps.length && step >= this.steps[0])) return this.thumbnail(this.thumbs, step);
    if (!this.steps.length || quantity === "M" && !this.hasM) return null;
    const at = before(this.steps, step);
    const key = `${quantity} ${at}`;
    let matrix = this.kept.get(key);
    if (!matrix) {
      matrix = this.made(quantity, at);
      const oldest = this.kept.keys().next();
      if (this.kept.size > KEPT && !oldest.done) this.kept.delete(oldest.value);
      this.kept.set(key, matrix);
    }
    return matrix;
  }
  /**
   * @param {Quantity} quantity
   * @param {number} at which snapshot
   * @returns {Matrix}
   */
  made(quantity, at) {
    const { n } = this;
    const { k } = this.head;
    const about = { rows: n, step: this.steps[at], whole: true };
    if (quantity === "M") return { ...about, values: Float64Array.from(this.factor(at)), columns: k, square: false };
    return { ...about, values: quantityOf(this.P(at), n, quantity), columns: n, square: true };
  }
  /** @param {number} at which snapshot */
  factor(at) {
    if (!this.M) throw new Error(`no M of ${this.name} has come`);
    const size = this.n * this.head.k;
    return this.M.subarray(at * size, (at + 1) * size);
  }
  /** @param {number} at which snapshot */
  P(at) {
    if (this.sentP) return Float64Array.from(this.sentP.subarray(at * this.n ** 2, (at + 1) * this.n ** 2));
    if (!this.scale) throw new Error(`no scale of ${this.name} has come`);
    return preconditioner(this.factor(at), this.n, this.head.k, this.form, this.scale[at]);
  }
  /**
   * Means over areas of P - I, where M is too large to be kept at each snapshot.
   *
   * @param {Float32Array} thumbs
   * @param {number} step
   * @returns {Matrix}
   */
  thumbnail(thumbs, step) {
    const { side = 0, thumbSteps = [] } = this.head;
    const at = before(thumbSteps, step);
    const area = side * side;
    const values = Float64Array.from(thumbs.subarray(at * area, (at + 1) * area));
    return { values, rows: side, columns: side, step: thumbSteps[at], whole: false, square: true };
  }
  /**
   * What stands out in a matrix that is shown, in words.
   *
   * @param {Matrix | null} matrix
   */
  said(matrix) {
    const at = matrix?.whole ? this.steps.indexOf(matrix.step) : -1;
    return this.marks[at] ?? [];
  }
  /**
   * What is known of P's eigenvalues at a step; null where nothing is.
   *
   * @param {number} step
   * @returns {Spectrum | null}
   */
  numbers(step) {
    const { kinds, spectrumSteps = [] } = this.head;
    if (!this.spectrum?.length) return null;
    const at = before(spectrumSteps, step);
    const [least, most, condition, rank, logdet, kind] = this.spectrum.subarray(at * NUMBERS, (at + 1) * NUMBERS);
    return { least, most, condition, rank, logdet, kind: kinds[kind], step: spectrumSteps[at] };
  }
};

// inspector/radios.js
var WAYS2 = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };
var buttonsOf = (group) => [...group.querySelectorAll("button")];
function radios(group, choose) {
  group.onkeydown = (event) => {
    const way = WAYS2[event.key];
    const buttons = buttonsOf(group);
    const { activeElement } = document;
    const at = activeElement instanceof HTMLButtonElement ? buttons.indexOf(activeElement) : -1;
    if (!way || at < 0) return;
    event.preventDefault();
    const to = (at + way + buttons.length) % buttons.length;
    choose(to);
    buttons[to].focus();
  };
}
function check(group, which) {
  buttonsOf(group).forEach((button, i) => {
    button.setAttribute("aria-checked", String(i === which));
    button.tabIndex = i === which ? 0 : -1;
  });
}

// inspector/previews.js
var CHIP = 40;
var Previews = class {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.previews = [];
    this.range = 1;
    this.revealed = null;
  }
  /**
   * @param {Layer[]} layers
   * @param {(layer: Layer, key: boolean) => void} choose `key`: whether a key has done it
   */
  build(layers, choose) {
    this.range = Math.max(...layers.map(({ ranges: ranges2 }) => ranges2.change ?? 0)) || 1;
    this.previews = layers.map((layer) => {
      const chip = make("button", "fop-chip");
      chip.type = "button";
      chip.setAttribute("role", "radio");
      const picture = layer.n ? make("canvas") : make("b");
      const line = make("i");
      line.style.background = layer.head.color;
      chip.append(picture, make("span", "", layer.title), line);
      chip.title = [layer.name, layer.head.words].filter(Boolean).join(". ");
      chip.onclick = () => choose(layer, false);
      return { chip, picture, layer, drawn: null };
    });
    this.root.replaceChildren(...this.previews.map(({ chip }) => chip));
    radios(this.root, (at) => choose(layers[at], true));
    this.revealed = null;
  }
  /**
   * Marks a layer as chosen, and scrolls the row to it.
   *
   * @param {number} which
   */
  choose(which) {
    check(this.root, which);
    const preview = this.previews[which];
    if (this.revealed === preview) return;
    this.revealed = preview;
    const [row, box2] = [this.root.getBoundingClientRect(), preview.chip.getBoundingClientRect()];
    const half = box2.width / 2;
    this.root.scrollLeft += Math.max(0, box2.right + half - row.right) - Math.max(0, row.left - box2.left + half);
  }
  /** @param {number} step */
  show(step) {
    for (const preview of this.previews) this.draw(preview, step);
  }
  /**
   * @param {Preview} preview
   * @param {number} step
   */
  draw(preview, step) {
    const { picture, layer } = preview;
    if (!(picture instanceof HTMLCanvasElement)) {
      picture.textContent = layer.M?.length ? short(layer.M[before(layer.steps, step)]) : "…";
      return;
    }
    const matrix = layer.matrix("change", step);
    if (!matrix || preview.drawn === matrix.values && picture.width) return;
    preview.drawn = matrix.values;
    const [, context] = canvas(CHIP, CHIP, picture);
    paint(context, matrix, matrix.whole ? this.range : layer.thumbRange, CHIP, CHIP);
  }
};

// inspector/inspector.js
var PAUSE = 300;
var VIEWS = { one: "One layer", all: "All layers" };
var RANGES = { one: "One range of colours", own: "Each its own" };
var Inspector = class {
  /**
   * @param {HTMLElement} root
   * @param {InspectorData} data
   * @param {Send} send
   */
  constructor(root, data, send) {
    this.root = root;
    const part2 = (name) => box(root, `.fop-${name}`);
    this.body = part2("inspector-body");
    this.matrices = part2("matrices");
    this.filters = new Filters(part2("filters"));
    this.numbers = part2("inspector-spectrum");
    this.means = part2("inspector-means");
    this.zoom = part2("zoom");
    this.switches = {
      see: part2("switch[data-name=see]"),
      view: part2("switch[data-name=view]"),
      range: part2("switch[data-name=range]")
    };
    this.previews = new Previews(part2("chips"));
    this.data = data;
    this.send = send;
    this.begun = false;
    this.sources = [];
    this.chosen = { ...data.chosen };
    this.received = "";
    this.answers = /* @__PURE__ */ new Set();
    this.sentAt = -Infinity;
    this.timer = 0;
    this.width = 0;
    this.side = 0;
    this.wanted = [];
    this.maps = [];
    this.shape = "";
    this.unfollow = () => {
    };
    this.sizes = new ResizeObserver(() => {
      if (root.clientWidth !== this.width) this.lay();
    });
    this.sizes.observe(root);
    const factors = [0.5, 2, Infinity];
    this.zoom.querySelectorAll("button").forEach((button, i) => {
      button.onclick = () => {
        for (const map of this.maps) map.by(factors[i]);
      };
    });
  }
  /**
   * @param {InspectorData} data
   * @param {Send} send
   */
  show(data, send) {
    const other = !this.begun || this.data.key !== data.key;
    Object.assign(this, { data, send, begun: true });
    if (other) {
      this.sources = data.sources.map(({ name, layers }) => ({
        name,
        layers: layers.map((head) => new Layer(head, data))
      }));
      this.chosen = { ...data.chosen };
      this.previews.build(this.layers, (layer, key) => {
        this.choose({ layer: layer.name, ...!key && this.chosen.view === "all" ? { view: "one" } : {} });
      });
    } else this.receive(data.chosen);
    this.received = JSON.stringify(data.chosen);
    this.lay();
    this.unfollow();
    this.unfollow = clock.follow(() => this.follow());
  }
  /**
   * Takes over what Python says was chosen, unless that is an answer to a choice which another has followed since.
   *
   * @param {Chosen} chosen
   */
  receive(chosen) {
    const text = JSON.stringify(chosen);
    if (text === JSON.stringify(this.chosen)) this.answers.clear();
    else if (text !== this.received && !this.answers.has(text)) this.chosen = { ...chosen };
  }
  get layers() {
    return this.sources[0].layers;
  }
  get layer() {
    return this.layers.find(({ name }) => name === this.chosen.layer) ?? this.layers[0];
  }
  /** The layer of another source that the chosen one is compared with. */
  get beside() {
    return this.sources.at(1)?.layers[0];
  }
  /** @param {Partial<Chosen>} change */
  choose(change) {
    Object.assign(this.chosen, change);
    this.lay();
    clearTimeout(this.timer);
    const send = () => {
      this.sentAt = performance.now();
      this.answers.add(JSON.stringify(this.chosen));
      this.send("chosen", { ...this.chosen });
    };
    if (performance.now() - this.sentAt > PAUSE) send();
    else this.timer = setTimeout(send, PAUSE);
  }
  /**
   * @template {"see" | "view" | "range"} Name
   * @param {Name} name
   * @param {[value: Chosen[Name], label: string, title: string][]} options
   */
  buildSwitch(name, options) {
    const node = this.switches[name];
    const values = options.map(([value]) => value);
    const built = values.join();
    if (node.dataset.built !== built) {
      node.dataset.built = built;
      node.replaceChildren(
        ...options.map(([value, label, title]) => {
          const button = make("button", "", label);
          button.type = "button";
          button.title = title;
          button.setAttribute("role", "radio");
          button.onclick = () => this.choose({ [name]: value });
          return button;
        })
      );
      radios(node, (at) => this.choose({ [name]: values[at] }));
    }
    check(node, values.indexOf(this.chosen[name]));
    node.hidden = values.length < 2;
  }
  /** Builds what the choice asks for; then the cursor fills it. */
  lay() {
    this.width = this.root.clientWidth;
    if (!this.width) return;
    const { layer, layers, chosen, beside } = this;
    const { matrices } = this.data;
    const matrix = layer.n > 0;
    const several = layers.filter(({ n }) => n > 0).length > 1 && !beside;
    if (!several) chosen.view = "one";
    if (chosen.see === "M" && !layer.hasM) chosen.see = "change";
    page.screen = { layer: layer.name, see: chosen.see };
    const options = (
      /** @type {Quantity[]} */
      Object.keys(matrices).filter((see) => see !== "M" || layer.hasM)
    );
    this.buildSwitch("see", matrix ? options.map((see) => [see, matrices[see].name, matrices[see].means]) : []);
    this.buildSwitch("view", matrix && several ? views : []);
    this.buildSwitch("range", matrix && (beside || chosen.view === "all") ? ranges : []);
    this.previews.choose(layers.indexOf(layer));
    const { formula } = layer.head;
    this.means.textContent = matrix ? `${matrices[chosen.see].means}.${formula ? ` ${formula}.` : ""}` : "";
    const all = chosen.view === "all" && matrix;
    const filtered = matrix && !all && !beside && (layer.kernel !== null || layer.pictures !== null);
    this.filters.root.hidden = !filtered;
    this.body.classList.toggle("fop-two", filtered);
    const room = filtered && this.width > 720 ? (this.width - 28) / 2 : this.width;
    this.wanted = all ? layers.filter(({ n }) => n > 0) : matrix ? [layer] : [];
    this.layMaps(all, matrix, room);
    this.zoom.hidden = all || !matrix || layer.n <= ZOOMED;
    if (filtered) this.filters.lay(layer, room, matrices[chosen.see].name, chosen.see !== "M");
    this.follow();
  }
  /**
   * Makes the pictures of the matrices.
   *
   * @param {boolean} all whether of all layers
   * @param {boolean} matrix whether there are any
   * @param {number} room px
   */
  layMaps(all, matrix, room) {
    const { beside, wanted } = this;
    const count2 = all ? wanted.length : beside ? 3 : 1;
    const columns = count2 === 1 ? 1 : Math.max(1, Math.min(count2, Math.floor((room + 18) / (all ? 200 : 260))));
    const most = count2 === 1 ? 460 : all ? 250 : 400;
    this.side = Math.floor(Math.min(most, (room - 18 * (columns - 1)) / columns - 2));
    const shape = `${count2} ${all} ${wanted.map(({ name }) => name)} ${beside?.name}`;
    if (shape === this.shape) return;
    this.shape = shape;
    this.maps = Array.from({ length: matrix ? count2 : 0 }, () => new Heatmap(!all));
    if (all)
      this.maps.forEach((map, i) => {
        map.node.classList.add("fop-choosable");
        map.field.onclick = () => this.choose({ layer: this.wanted[i].name, view: "one" });
      });
    this.matrices.replaceChildren(...this.maps.map(({ node }) => node));
  }
  /**
   * The range of a quantity over what is shown, all steps and layers of it.
   *
   * @param {Layer[]} layers
   */
  range(layers) {
    return Math.max(...layers.map((layer) => layer.ranges[this.chosen.see] ?? 0)) || 1;
  }
  /** Shows what there is at the cursor's step. */
  follow() {
    const { step } = clock;
    if (!this.width) return;
    const { layer, chosen, wanted, beside } = this;
    this.previews.show(step);
    const matrices = wanted.map((of) => of.matrix(chosen.see, step));
    const range = this.range(beside ? [layer, beside] : wanted);
    if (beside && wanted.length) this.showBoth(matrices[0], beside, range);
    else
      this.maps.forEach((map, i) => {
        const [of, matrix] = [wanted[i], matrices[i]];
        const { name } = this.data.matrices[matrix?.whole === false ? "change" : chosen.see];
        const title = chosen.view === "all" ? of.title : `${name} of ${of.name}`;
        map.show({
          title,
          layer: of,
          matrix,
          ...this.scaled(of, matrix, range),
          side: this.side,
          marks: of.said(matrix)
        });
      });
    if (!this.filters.root.hidden) this.filters.fill(matrices[0], layer.matrix("P", step), range);
    const spectrum = layer.numbers(step);
    this.numbers.textContent = spectrum ? spectrumWords(layer.name, layer.n, spectrum, layer.matrix(chosen.see, step)?.step) : layer.head.words;
  }
  /**
   * Shows a matrix, another one beside it, and the first less the second.
   *
   * @param {Matrix | null} first
   * @param {Layer} beside
   * @param {number} range
   */
  showBoth(first, beside, range) {
    const { layer, side, sources, maps } = this;
    const second = beside.matrix(this.chosen.see, clock.step);
    const less = difference(first, second);
    const title = (which, of) => `${sources[which].name}, ${of.title}`;
    maps[0].show({
      title: title(0, layer),
      layer,
      matrix: first,
      ...this.scaled(layer, first, range),
      side,
      marks: layer.said(first)
    });
    maps[1].show({
      title: title(1, beside),
      layer: beside,
      matrix: second,
      ...this.scaled(beside, second, range),
      side,
      marks: beside.said(second)
    });
    const scaled = this.scaled(layer, less, range, less ? largest(less.values) || 1 : 1);
    maps[2].show({ title: "The first less the second", layer, matrix: less, ...scaled, side });
    if (!less) maps[2].caption.textContent = "Their shapes differ.";
  }
  /**
   * The range of a matrix's colours, and what is said of it.
   *
   * @param {Layer} of
   * @param {Matrix | null} matrix
   * @param {number} shared the range of those that have the true values, where they share one
   * @param {number} own the range of this one, where each has its own
   */
  scaled(of, matrix, shared, own = this.range([of])) {
    const whole = this.chosen.range === "own" ? own : shared;
    const range = matrix?.whole === false ? of.thumbRange : whole;
    if (!matrix) return { range, words: "" };
    matrix.most ??= largest(matrix.values);
    const spread = spreadWords(range, matrix.most);
    if (this.chosen.view === "all") return { range, words: spread };
    const means = matrix.whole ? "" : ", means over areas of P − I";
    return { range, words: `Step ${count(matrix.step)}${means}. ${spread}.` };
  }
  leave() {
    this.sizes.disconnect();
    this.unfollow();
    clearTimeout(this.timer);
    page.screen = void 0;
  }
};
var ranges = [
  ["one", RANGES.one, "So that they can be compared"],
  ["own", RANGES.own, "So that the structure of a small one shows"]
];
var views = [
  ["one", VIEWS.one, ""],
  ["all", VIEWS.all, ""]
];
function difference(first, second) {
  if (!first || !second || first.rows !== second.rows || first.columns !== second.columns) return null;
  return { ...first, values: first.values.map((value, i) => value - second.values[i]), most: void 0 };
}

// inspector/index.js
function show({ data, parentElement, setStateValue }) {
  const root = box(parentElement, ".fop-inspector");
  const shown = unpacked(data);
  const inspector = living(root, () => new Inspector(root, shown, setStateValue));
  inspector.show(shown, setStateValue);
  return atUnmount(root, () => inspector.leave());
}
var index_default = inOrder(show);
export {
  index_default as default
};
