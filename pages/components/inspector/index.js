// The matrices at the cursor: layers to choose from, one or all of them, two side by side; a kernel's as filters.

const CHIP = 40; // px of a preview
const NAMES = { change: "P − I", P: "P", shape: "P/‖P‖", rest: "P − aI − c11ᵀ", M: "M" };
const MEANS = {
  change: "P − I: what sets the step apart from plain gradient descent's (Figure 5a)",
  P: "P: what the gradient is multiplied by (Figure 5a)",
  shape: "P/‖P‖: P over its Frobenius norm, its shape whatever its size",
  rest: "P − aI − c11ᵀ: what is left after an even diagonal and the constant direction are fitted and taken out",
  M: "M: the factor that is learned",
};
const PAUSE = 300; // ms between two choices that Python hears of: of an arrow key held down it hears the last
const VIEWS = { one: "One layer", all: "All layers" };
// Arrow keys move through a radio group and choose, as they do in a browser's own.
function radios(group, choose) {
  group.onkeydown = (event) => {
    const way = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    const buttons = [...group.children];
    const at = buttons.indexOf(document.activeElement);
    if (!way || at < 0) return;
    event.preventDefault();
    const to = (at + way + buttons.length) % buttons.length;
    choose(to);
    buttons[to].focus();
  };
}

// Marks one button of a radio group as chosen: the only one that the tab key comes to.
function check(group, which) {
  [...group.children].forEach((button, i) => {
    button.setAttribute("aria-checked", String(i === which));
    button.tabIndex = i === which ? 0 : -1;
  });
}

class Inspector {
  constructor(root) {
    this.root = root;
    const part = (name) => root.querySelector(`.fop-${name}`);
    this.chips = part("chips");
    this.body = part("inspector-body");
    this.matrices = part("matrices");
    this.filters = new Filters(part("filters"));
    this.numbers = part("inspector-told");
    this.means = part("inspector-means");
    this.answers = new Set();
    this.sentAt = -Infinity;
    this.zoom = part("zoom");
    this.switches = Object.fromEntries([...root.querySelectorAll(".fop-switch")].map((node) => [node.dataset.name, node]));
    this.sizes = new ResizeObserver(() => this.data && root.clientWidth !== this.width && this.lay());
    this.sizes.observe(root);
    const factors = [0.5, 2, Infinity];
    [...this.zoom.children].forEach((button, i) => (button.onclick = () => this.maps.forEach((map) => map.by(factors[i]))));
  }

  show(data, send) {
    const other = this.data?.key !== data.key;
    Object.assign(this, { data, send });
    if (other) {
      this.sources = data.sources.map(({ name, layers }) => ({ name, layers: layers.map((head) => new Layer(head, data)) }));
      this.chosen = { ...data.chosen };
      this.previewed = Math.max(...this.layers.map(({ ranges }) => ranges.change ?? 0)) || 1;
      this.buildChips();
    } else this.adopt(data.chosen);
    this.received = JSON.stringify(data.chosen);
    this.lay();
    this.unfollow?.();
    this.unfollow = clock.follow(() => this.follow());
  }

  // Takes over what Python says was chosen, unless that is an answer to a choice which another has followed since.
  adopt(chosen) {
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

  choose(change) {
    Object.assign(this.chosen, change);
    this.lay();
    clearTimeout(this.rests);
    const send = () => {
      this.sentAt = performance.now();
      this.answers.add(JSON.stringify(this.chosen));
      this.send("chosen", { ...this.chosen });
    };
    if (performance.now() - this.sentAt > PAUSE) send();
    else this.rests = setTimeout(send, PAUSE);
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
      chip.title = [layer.name, layer.words].filter(Boolean).join(". ");
      chip.onclick = () => this.choose({ layer: layer.name, ...(this.chosen.view === "all" ? { view: "one" } : {}) });
      return { chip, picture, layer };
    });
    this.chips.replaceChildren(...this.previews.map(({ chip }) => chip));
    radios(this.chips, (at) => this.choose({ layer: this.layers[at].name }));
    this.revealed = null;
  }

  // Scrolls the row of layers to the chosen one.
  reveal(chip) {
    if (this.revealed === chip) return;
    this.revealed = chip;
    const [row, box] = [this.chips.getBoundingClientRect(), chip.getBoundingClientRect()];
    this.chips.scrollLeft += Math.max(0, box.right + box.width / 2 - row.right) - Math.max(0, row.left - box.left + box.width / 2);
  }

  buildSwitch(name, options) {
    const node = this.switches[name];
    const values = Object.keys(options);
    const built = values.join();
    if (node.dataset.built !== built) {
      node.dataset.built = built;
      node.replaceChildren(
        ...values.map((value) => {
          const button = make("button", "", options[value]);
          button.type = "button";
          button.title = MEANS[value] ?? "";
          button.setAttribute("role", "radio");
          button.onclick = () => this.choose({ [name]: value });
          return button;
        }),
      );
      radios(node, (at) => this.choose({ [name]: values[at] }));
    }
    check(node, values.indexOf(this.chosen[name]));
    node.hidden = values.length < 2;
  }

  // Builds what the choice asks for; then the cursor fills it.
  lay() {
    this.width = this.root.clientWidth;
    if (!this.width) return;
    const { layer, chosen, sources } = this;
    const matrix = layer.n > 0 && layer.form !== "scalar";
    const several = this.layers.filter(({ n }) => n > 0).length > 1 && !sources[1];
    if (!several) chosen.view = "one";
    if (chosen.see === "M" && !layer.hasM) chosen.see = "change";
    window.fopScreen = { layer: layer.name, see: chosen.see }; // a file that is saved now is of these
    this.buildSwitch("see", matrix ? Object.fromEntries(Object.entries(NAMES).filter(([name]) => name !== "M" || layer.hasM)) : {});
    this.buildSwitch("view", matrix && several ? VIEWS : {});
    check(this.chips, this.layers.indexOf(layer));
    this.reveal(this.chips.children[this.layers.indexOf(layer)]);
    this.means.textContent = matrix ? `${MEANS[chosen.see]}.${layer.formula ? ` ${layer.formula}.` : ""}` : "";
    const all = chosen.view === "all" && matrix;
    const beside = sources[1]?.layers[0];
    const filtered = matrix && !all && !beside && (layer.kernel || layer.pictures);
    this.filters.root.hidden = !filtered;
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
    if (filtered) this.filters.lay(layer, room, NAMES[chosen.see], chosen.see !== "M");
    this.follow();
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
    const matrices = wanted.map((of) => of.matrix(see, step));
    const [first] = matrices;
    const range = this.range(beside ? [layer, beside] : wanted);
    const limit = (of, part) => (part?.whole === false ? of.thumbRange : range);
    const words = (of, part) => {
      if (!part) return "";
      part.most ??= largest(part.values);
      const beyond = part.most > limit(of, part) * (1 + 1e-6) ? " and beyond" : "";
      const spread = `−${short(limit(of, part))}${beyond} blue to ${short(limit(of, part))}${beyond} orange`;
      if (chosen.view === "all") return spread;
      return part.whole ? `Step ${part.step.toLocaleString("en")}. ${spread}.` : `Step ${part.step.toLocaleString("en")}, means over areas of P − I. ${spread}.`;
    };
    if (beside && wanted.length) {
      const others = beside.matrix(see, step);
      const same = first && others && first.rows === others.rows && first.columns === others.columns;
      const less = same && { ...first, values: first.values.map((value, i) => value - others.values[i]), most: undefined };
      const title = (source, of) => `${source.name}, ${of.title}`;
      const side = this.side;
      this.maps[0].show({ title: title(this.sources[0], layer), layer, matrix: first, words: words(layer, first), side, range: limit(layer, first) });
      this.maps[1].show({ title: title(this.sources[1], beside), layer: beside, matrix: others, words: words(beside, others), side, range: limit(beside, others) });
      this.maps[2].show({ title: "The first less the second", layer, matrix: less || null, words: less ? words(layer, less) : "", side, range: limit(layer, first) });
      if (!same) this.maps[2].caption.textContent = "Their shapes differ.";
    } else {
      this.maps.forEach((map, i) => {
        const of = wanted[i];
        const name = matrices[i]?.whole === false ? NAMES.change : NAMES[see];
        const title = chosen.view === "all" ? of.title : `${name} of ${of.name}`;
        map.show({ title, layer: of, matrix: matrices[i], words: words(of, matrices[i]), side: this.side, range: limit(of, matrices[i]) });
      });
    }
    if (!this.filters.root.hidden) this.filters.fill(first, layer.matrix("P", step), range);
    this.showNumbers(step);
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
    const matrix = of.matrix("change", step);
    if (!matrix) return;
    if (chip.fopDrawn === matrix.values && picture.width) return;
    chip.fopDrawn = matrix.values;
    const [, pen] = canvas(CHIP, CHIP, picture);
    paint(pen, matrix, matrix.whole ? this.previewed : of.thumbRange, 0, 0, CHIP, CHIP);
  }

  showNumbers(step) {
    const { layer } = this;
    const spectrum = layer.numbers(step);
    if (!spectrum) {
      this.numbers.textContent = layer.words;
      return;
    }
    if (spectrum.kind === "not finite") {
      this.numbers.textContent = `P of ${layer.name} is not finite at step ${spectrum.step.toLocaleString("en")}.`;
      return;
    }
    const at = spectrum.step === layer.matrix(this.chosen.see, step)?.step ? "" : ` (step ${spectrum.step.toLocaleString("en")})`;
    const definite = ["positive definite", "numerically singular"].includes(spectrum.kind);
    const condition = definite ? short(spectrum.condition) : "not defined";
    const logdet = Number.isNaN(spectrum.logdet) ? "not defined" : short(spectrum.logdet);
    this.numbers.textContent =
      `P of ${layer.name} is ${spectrum.kind}${at}: eigenvalues ${short(spectrum.least)} to ${short(spectrum.most)}, ` +
      `condition ${condition}, effective rank ${short(spectrum.rank)} of ${layer.n}, log-determinant ${logdet}.`;
  }
}

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".fop-inspector");
  root.fop ??= new Inspector(root);
  root.fop.show(unpacked(data), setStateValue);
  return atUnmount(root, () => {
    root.fop.sizes.disconnect();
    root.fop.unfollow?.();
    clearTimeout(root.fop.rests);
    root.fop = undefined;
    window.fopScreen = undefined;
  });
}
