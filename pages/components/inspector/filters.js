// A kernel's matrix as filters: each row and each eigenvector as a picture of the kernel, the gain of each frequency.
// Of a layer whose inputs are an image, its leading eigenvectors as pictures of that image.

const CAPTIONS = {
  rows: "Each picture is a row of the matrix, laid out as the kernel is: what each position (dot) takes from all others.",
  gains: "vᵀP v for each cosine pattern v over the kernel, what P leaves of it: the constant one top left, finer to the right and down.",
  vectors: "Patterns over the kernel and by how much P lengthens a gradient along each. Where numbers are equal, any mix of their patterns would do.",
  pixels: "Patterns over the image that P changes most, and by how much it lengthens a gradient along each; of the last snapshot.",
};

class Filters {
  constructor(root) {
    this.root = root;
    [this.rowsPart, this.gainsPart, this.vectorsPart] = root.children;
    this.gainsPart.querySelector("p").textContent = CAPTIONS.gains;
    this.rowsPart.querySelector("p").textContent = CAPTIONS.rows;
  }

  // Makes figures for a layer's pictures; `title`: of the matrix, of which `square` has a column for each position.
  lay(layer, room, title, square) {
    const { kernel, image } = layer;
    Object.assign(this, { layer, filled: null });
    this.rowsPart.hidden = !kernel || !square;
    this.gainsPart.hidden = !kernel;
    this.rowsPart.querySelector("h4").textContent = `${title}, row by row`;
    this.vectorsPart.querySelector("p").textContent = kernel ? CAPTIONS.vectors : CAPTIONS.pixels;
    const [high, wide] = kernel ?? image;
    const narrow = Math.max(24, Math.min(64, Math.floor((room - 12 * (wide - 1)) / Math.max(wide, 3))));
    this.rows = kernel && square ? this.figures(this.rowsPart, high * wide, wide, Math.min(narrow, wide > 5 ? 34 : 58)) : [];
    [this.gained] = kernel ? this.figures(this.gainsPart, 1, 1, wide > 5 ? 34 * wide : Math.max(156, READABLE * wide)) : [];
    const count = kernel ? Math.min(layer.n, 25) : layer.pictured.length;
    const side = kernel ? 58 : 92;
    const columns = Math.max(2, Math.min(kernel ? 9 : 4, Math.floor((room + 12) / (side + 12))));
    this.vectors = this.figures(this.vectorsPart, count, columns, side);
  }

  figures(part, count, columns, side) {
    const field = part.querySelector(".fop-filters-field");
    field.style.gridTemplateColumns = `repeat(${columns}, ${side}px)`;
    const figures = Array.from({ length: count }, () => {
      const figure = make("figure");
      figure.append(make("canvas"), make("figcaption"));
      return figure;
    });
    field.replaceChildren(...figures);
    return figures.map((figure) => ({ picture: figure.firstChild, caption: figure.lastChild, side }));
  }

  // Draws the matrix of a step, whose P has the same snapshot.
  fill(matrix, P, range) {
    if (!matrix || this.filled === matrix) return;
    this.filled = matrix;
    const { layer } = this;
    if (!layer.kernel) return this.patterns();
    this.rows.forEach((figure, i) => {
      this.draw(figure, matrix.values.subarray(i * layer.n, (i + 1) * layer.n), layer.kernel, range, `row of ${position(i, layer.kernel)}`, i);
    });
    this.gain(P.values);
    const pairs = eigen(P.values, layer.n);
    this.vectors.forEach((figure, i) => {
      const { value, vector } = pairs[i];
      this.draw(figure, vector, layer.kernel, largest(vector), `eigenvector ${i + 1}`);
      figure.caption.textContent = short(value);
    });
  }

  patterns() {
    const { image, pictures, pictured } = this.layer;
    const area = image[0] * image[1];
    this.vectors.forEach((figure, i) => {
      const vector = pictures.subarray(i * area, (i + 1) * area);
      this.draw(figure, vector, image, largest(vector), `eigenvector ${i + 1}`);
      figure.caption.textContent = short(pictured[i]);
    });
  }

  // Draws values as a picture, with a dot on one of its cells.
  draw({ picture, side }, values, [high, wide], scale, words, dot = -1) {
    const height = Math.round((side * high) / wide);
    const [, pen] = canvas(side, height, picture);
    paint(pen, { values, rows: high, columns: wide }, scale, 0, 0, side, height);
    picture.setAttribute("role", "img");
    picture.setAttribute("aria-label", words);
    if (dot < 0) return;
    const cell = side / wide;
    pen.fillStyle = INK;
    pen.beginPath();
    pen.arc(((dot % wide) + 0.5) * cell, (Math.floor(dot / wide) + 0.5) * cell, Math.max(1.2, cell / 9), 0, 7);
    pen.fill();
  }

  // Draws what P leaves of each frequency, white where that is all.
  gain(P) {
    const { kernel } = this.layer;
    const [high, wide] = kernel;
    this.gains = gains(P, kernel);
    const { picture, side } = this.gained;
    const cell = side / wide;
    const [, pen] = canvas(side, cell * high, picture);
    const less = this.gains.map((value) => value - 1);
    const most = Math.max(largest(less), 1);
    paint(pen, { values: less, rows: high, columns: wide }, most, 0, 0, side, cell * high);
    picture.setAttribute("role", "img");
    picture.setAttribute("aria-label", `Gains ${[...this.gains].map(short).join(", ")}`);
    if (cell < READABLE) return;
    pen.font = `${cell < 44 ? 10 : 12}px ${getComputedStyle(this.root).fontFamily}`;
    [pen.textAlign, pen.textBaseline] = ["center", "middle"];
    this.gains.forEach((value, at) => {
      pen.fillStyle = Math.abs(less[at]) > BRIGHT * most ? "#fff" : INK;
      const text = !Number.isFinite(value) ? "–" : Math.abs(value) < 0.005 ? "0" : short(value);
      pen.fillText(text, ((at % wide) + 0.5) * cell, (Math.floor(at / wide) + 0.5) * cell, cell - 2);
    });
  }
}
