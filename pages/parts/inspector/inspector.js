// The matrices at the cursor: layers to choose from, one or all of them, two side by side; a kernel's as filters.

const CHIP = 40; // px of a preview
const NAMES = { change: "P − I", P: "P", shape: "P/‖P‖", rest: "P − aI − c11ᵀ", M: "M" };
const MEANS = {
  change: "what was learned: P − I, I the identity with which training began",
  P: "what the gradient is multiplied by",
  shape: "P over its Frobenius norm",
  rest: "what is left of P after aI + c11ᵀ is fitted: no diagonal's and no constant direction's part",
  M: "the factor that is learned",
};
const VIEWS = { one: "One layer", all: "All layers" };
const TOLD = {
  rows: "Each picture is a row of the matrix, laid out as the kernel is: what each position (dot) takes from all others.",
  gains: "By how much P lengthens each cosine pattern over the kernel: the constant one at the top left, finer to the right and down.",
  vectors: "Patterns over the kernel and by how much P lengthens a gradient along each.",
  pixels: "Patterns over the image that P changes most, and by how much it lengthens a gradient along each; of the last snapshot.",
};

class Inspector {
  constructor(root) {
    this.root = root;
    const part = (name) => root.querySelector(`.fop-${name}`);
    this.chips = part("chips");
    this.body = part("inspector-body");
    this.matrices = part("matrices");
    this.filters = part("filters");
    this.told = part("inspector-told");
    this.zoom = part("zoom");
    this.switches = Object.fromEntries([...root.querySelectorAll(".fop-switch")].map((node) => [node.dataset.name, node]));
    this.sizes = new ResizeObserver(() => this.data && root.clientWidth !== this.width && this.lay());
    this.sizes.observe(root);
    const factors = [0.5, 2, Infinity];
    [...this.zoom.children].forEach((button, i) => (button.onclick = () => this.maps.forEach((map) => map.by(factors[i]))));
  }

  show(data, tell) {
    const other = this.data?.key !== data.key;
    Object.assign(this, { data, tell });
    if (other) {
      this.sources = data.sources.map(({ name, layers }) => ({ name, layers: layers.map((head) => new Layer(head, data)) }));
      this.chosen = { ...data.chosen };
      this.buildChips();
    } else if (JSON.stringify(data.chosen) !== JSON.stringify(this.given)) this.chosen = { ...data.chosen };
    this.given = data.chosen;
    this.lay();
    this.unfollow?.();
    this.unfollow = clock.follow(() => this.follow());
  }

  get layers() {
    return this.sources[0].layers;
  }

  get layer() {
    return this.layers.find(({ name }) => name === this.chosen.layer) ?? this.layers[0];
  }

  choose(change) {
    Object.assign(this.chosen, change);
    this.lay();
    this.tell("chosen", { ...this.chosen });
  }

  buildChips() {
    this.previews = this.layers.map((layer) => {
      const chip = make("button", "fop-chip");
      chip.type = "button";
      chip.setAttribute("role", "radio");
      const picture = layer.form === "scalar" || !layer.n ? make("b") : make("canvas");
      const line = make("i");
      line.style.background = layer.color;
      chip.append(picture, make("span", "", layer.title), line);
      chip.title = layer.words;
      chip.onclick = () => this.choose({ layer: layer.name, ...(this.chosen.view === "all" ? { view: "one" } : {}) });
      return { chip, picture, layer };
    });
    this.chips.replaceChildren(...this.previews.map(({ chip }) => chip));
  }

  buildSwitch(name, options) {
    const node = this.switches[name];
    const built = JSON.stringify([options, this.chosen[name]]);
    if (node.dataset.built === built) return;
    node.dataset.built = built;
    node.replaceChildren(
      ...Object.entries(options).map(([value, text]) => {
        const button = make("button", "", text);
        button.type = "button";
        button.title = MEANS[value] ?? "";
        button.setAttribute("role", "radio");
        button.setAttribute("aria-checked", String(value === this.chosen[name]));
        button.onclick = () => this.choose({ [name]: value });
        return button;
      }),
    );
    node.hidden = Object.keys(options).length < 2;
  }

  // Builds what the choice asks for; then the cursor fills it.
  lay() {
    this.width = this.root.clientWidth;
    if (!this.width) return;
    const { layer, chosen, sources } = this;
    const matrix = layer.n > 0 && layer.form !== "scalar";
    const several = this.layers.filter(({ n }) => n > 0).length > 1 && !sources[1];
    if (!several) chosen.view = "one";
    this.buildSwitch("see", matrix ? Object.fromEntries(Object.entries(NAMES).filter(([name]) => name !== "M" || layer.M)) : {});
    this.buildSwitch("view", matrix && several ? VIEWS : {});
    if (chosen.see === "M" && !layer.M) chosen.see = "change";
    for (const { chip, layer: of } of this.previews) {
      chip.setAttribute("aria-checked", String(of === layer));
      chip.tabIndex = of === layer ? 0 : -1;
      chip.onkeydown = (event) => this.step(event);
    }
    const all = chosen.view === "all" && matrix;
    const beside = sources[1]?.layers[0];
    const filtered = matrix && !all && !beside && (layer.kernel || layer.pictures);
    this.filters.hidden = !filtered;
    this.body.classList.toggle("fop-two", Boolean(filtered));
    const room = filtered && this.width > 720 ? (this.width - 28) / 2 : this.width;
    this.wanted = all ? this.layers.filter(({ n }) => n > 0) : matrix ? [layer] : [];
    const count = all ? this.wanted.length : beside ? 3 : 1;
    const columns = count === 1 ? 1 : Math.max(1, Math.min(count, Math.floor((room + 18) / (all ? 200 : 260))));
    this.side = Math.floor(Math.min(count === 1 ? 460 : all ? 250 : 400, (room - 18 * (columns - 1)) / columns - 2));
    const shape = `${count} ${all} ${this.wanted.map(({ name }) => name)} ${beside?.name}`;
    if (shape !== this.shape) {
      this.shape = shape;
      this.maps = Array.from({ length: matrix ? count : 0 }, () => new Heatmap(!all));
      this.maps.forEach((map, i) => {
        if (!all) return;
        map.node.classList.add("fop-choosable");
        map.field.onclick = () => this.choose({ layer: this.wanted[i].name, view: "one" });
      });
      this.matrices.replaceChildren(...this.maps.map(({ node }) => node));
    }
    this.zoom.hidden = all || !matrix || layer.n <= ZOOMED;
    this.filled = null;
    if (filtered) this.layFilters(room);
    this.follow();
  }

  step(event) {
    const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!way) return;
    event.preventDefault();
    const at = this.layers.indexOf(this.layer) + way;
    if (!this.layers[at]) return;
    this.choose({ layer: this.layers[at].name });
    this.previews[at].chip.focus();
  }

  // The range of a quantity over what is shown, all steps and layers of it.
  range(layers) {
    return Math.max(...layers.map((layer) => layer.ranges[this.chosen.see] ?? 0)) || 1;
  }

  follow() {
    const { step } = clock;
    if (!this.data || !this.width) return;
    const { layer, chosen, wanted } = this;
    const { see } = chosen;
    for (const { chip, picture, layer: of } of this.previews) this.preview(chip, picture, of, step);
    const beside = this.sources[1]?.layers[0];
    const seen = wanted.map((of) => of.seen(see, step));
    const range = this.range(beside ? [layer, beside] : wanted);
    const limit = (of, part) => (part?.whole === false ? of.thumbRange : range);
    const words = (of, part) => {
      if (!part) return "";
      const beyond = of.clipped ? " and beyond" : "";
      const spread = `−${short(limit(of, part))}${beyond} blue to ${short(limit(of, part))}${beyond} orange`;
      if (chosen.view === "all") return spread;
      return part.whole ? `Step ${part.step.toLocaleString("en")}. ${spread}.` : `Step ${part.step.toLocaleString("en")}, means over areas of P − I. ${spread}.`;
    };
    if (beside && wanted.length) {
      const others = beside.seen(see, step);
      const same = seen[0] && others && seen[0].rows === others.rows && seen[0].columns === others.columns;
      const less = same && { ...seen[0], values: seen[0].values.map((value, i) => value - others.values[i]) };
      const title = (source, of) => `${source.name}, ${of.title}`;
      const side = this.side;
      this.maps[0].show({ title: title(this.sources[0], layer), layer, seen: seen[0], words: words(layer, seen[0]), side, range: limit(layer, seen[0]) });
      this.maps[1].show({ title: title(this.sources[1], beside), layer: beside, seen: others, words: words(beside, others), side, range: limit(beside, others) });
      this.maps[2].show({ title: "The first less the second", layer, seen: less || null, words: less ? words(layer, seen[0]) : "", side, range: limit(layer, seen[0]) });
      if (!same) this.maps[2].told.textContent = "Their shapes differ.";
    } else {
      this.maps.forEach((map, i) => {
        const of = wanted[i];
        const title = this.chosen.view === "all" ? of.title : `${NAMES[see]} of ${of.name}`;
        map.show({ title, layer: of, seen: seen[i], words: words(of, seen[i]), side: this.side, range: limit(of, seen[i]) });
      });
    }
    if (!this.filters.hidden) this.fill(seen[0], range);
    this.tellNumbers(step);
  }

  preview(chip, picture, of, step) {
    if (of.form === "scalar") {
      picture.textContent = of.steps.length ? short(of.M[before(of.steps, step)]) : "–";
      return;
    }
    if (!of.n) {
      picture.textContent = "…";
      return;
    }
    const seen = of.seen("change", step);
    if (!seen) return;
    if (chip.fopSeen === seen.values && picture.width) return;
    chip.fopSeen = seen.values;
    const [, pen] = canvas(CHIP, CHIP, picture);
    paint(pen, seen, seen.whole ? this.range0 ?? (this.range0 = Math.max(...this.layers.map(({ ranges }) => ranges.change ?? 0)) || 1) : of.thumbRange, 0, 0, CHIP, CHIP);
  }

  // Places for the rows and the eigenvectors of a kernel's matrix, or for patterns over an image.
  layFilters(room) {
    const { layer } = this;
    const [rows, gained, vectors] = [...this.filters.children];
    rows.hidden = gained.hidden = !layer.kernel;
    gained.querySelector("p").textContent = TOLD.gains;
    rows.querySelector("h4").textContent = `${NAMES[this.chosen.see]}, row by row`;
    rows.querySelector("p").textContent = TOLD.rows;
    vectors.querySelector("p").textContent = layer.kernel ? TOLD.vectors : TOLD.pixels;
    vectors.querySelector("h4").textContent = "Eigenvectors of P";
    const [high, wide] = layer.kernel ?? layer.image;
    const place = (section, count, columns, side) => {
      const field = section.querySelector(".fop-filters-field");
      field.style.gridTemplateColumns = `repeat(${columns}, ${side}px)`;
      const figures = Array.from({ length: count }, () => {
        const figure = make("figure");
        figure.append(make("canvas"), make("figcaption"));
        return figure;
      });
      field.replaceChildren(...figures);
      return figures.map((figure) => ({ picture: figure.firstChild, caption: figure.lastChild, side }));
    };
    const narrow = Math.max(24, Math.min(64, Math.floor((room - 12 * (wide - 1)) / Math.max(wide, 3))));
    this.rows = layer.kernel ? place(rows, high * wide, wide, Math.min(narrow, wide > 5 ? 34 : 58)) : [];
    this.gained = layer.kernel ? place(gained, 1, 1, wide > 5 ? 34 * wide : 156) : [];
    const count = layer.kernel ? Math.min(layer.n, 25) : layer.pictured.length;
    const side = layer.kernel ? 58 : 92;
    const columns = Math.max(2, Math.min(layer.kernel ? 9 : 4, Math.floor((room + 12) / (side + 12))));
    this.vectors = place(vectors, count, columns, side);
  }

  fill(seen, range) {
    const { layer } = this;
    if (!seen) return;
    if (this.filled === seen) return;
    this.filled = seen;
    const draw = ({ picture, side }, values, [high, wide], scale, dot = -1) => {
      const [, pen] = canvas(side, Math.round((side * high) / wide), picture);
      paint(pen, { values, rows: high, columns: wide }, scale, 0, 0, side, (side * high) / wide);
      if (dot < 0) return;
      const cell = side / wide;
      pen.fillStyle = "#31333F";
      pen.beginPath();
      pen.arc(((dot % wide) + 0.5) * cell, (Math.floor(dot / wide) + 0.5) * cell, Math.max(1.2, cell / 9), 0, 7);
      pen.fill();
    };
    if (layer.kernel) {
      if (seen.columns === layer.n) {
        this.rows.forEach((place, i) => draw(place, seen.values.subarray(i * layer.n, (i + 1) * layer.n), layer.kernel, range, i));
      }
      const P = layer.seen("P", clock.step);
      this.gain(P.values);
      eigen(P.values, layer.n)
        .slice(0, this.vectors.length)
        .forEach(({ value, vector }, i) => {
          const most = vector.reduce((size, part) => Math.max(size, Math.abs(part)), 0);
          draw(this.vectors[i], vector, layer.kernel, most);
          this.vectors[i].caption.textContent = short(value);
        });
    } else {
      const area = layer.image[0] * layer.image[1];
      this.vectors.forEach((place, i) => {
        const vector = layer.pictures.subarray(i * area, (i + 1) * area);
        draw(place, vector, layer.image, vector.reduce((size, part) => Math.max(size, Math.abs(part)), 0));
        place.caption.textContent = short(layer.pictured[i]);
      });
    }
  }

  // Draws by how much P lengthens each frequency, white where it leaves it as it is.
  gain(P) {
    const { kernel } = this.layer;
    const [high, wide] = kernel;
    this.gains = gains(P, kernel);
    const { picture, side } = this.gained[0];
    const cell = side / wide;
    const [, pen] = canvas(side, cell * high, picture);
    const most = this.gains.reduce((size, value) => Math.max(size, Math.abs(value - 1)), 0);
    paint(pen, { values: this.gains.map((value) => value - 1), rows: high, columns: wide }, Math.max(most, 1), 0, 0, side, cell * high);
    picture.setAttribute("role", "img");
    picture.setAttribute("aria-label", `Gains ${[...this.gains].map(short).join(", ")}`);
    if (cell < READABLE) return;
    pen.font = `12px ${getComputedStyle(this.root).fontFamily}`;
    [pen.textAlign, pen.textBaseline] = ["center", "middle"];
    this.gains.forEach((value, at) => {
      pen.fillStyle = Math.abs(value - 1) > 0.72 * Math.max(most, 1) ? "#fff" : "#31333F";
      const text = Math.abs(value) < 0.005 ? "0" : short(value);
      pen.fillText(text, ((at % wide) + 0.5) * cell, (Math.floor(at / wide) + 0.5) * cell);
    });
  }

  tellNumbers(step) {
    const { layer } = this;
    const found = layer.numbers(step);
    if (!found) {
      this.told.textContent = layer.words;
      return;
    }
    const at = found.step === layer.seen(this.chosen.see, step)?.step ? "" : ` (step ${found.step.toLocaleString("en")})`;
    this.told.textContent =
      `P of ${layer.name} is ${found.kind}${at}: eigenvalues ${short(found.least)} to ${short(found.most)}, ` +
      `condition ${short(found.condition)}, effective rank ${short(found.rank)} of ${layer.n}, log-determinant ${short(found.logdet)}.`;
  }
}

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".fop-inspector");
  root.fop ??= new Inspector(root);
  root.fop.show(unpacked(data), setStateValue);
  return () => {
    root.fop.sizes.disconnect();
    root.fop.unfollow?.();
    root.fop = undefined;
  };
}
