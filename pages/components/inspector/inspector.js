// @ts-check
import { clock } from "../lib/clock.js";
import { box, make } from "../lib/dom.js";
import { count } from "../lib/numbers.js";
import { page } from "../lib/page.js";
import { largest } from "./algebra.js";
import { Filters } from "./filters.js";
import { Heatmap, ZOOMED } from "./heatmap.js";
import { Layer } from "./layer.js";
import { Previews } from "./previews.js";
import { spectrumWords, spreadWords } from "./quantities.js";
import { check, radios } from "./radios.js";

/** @import { Send } from "../lib/types.d.ts" */
/** @import { Chosen, InspectorData, Matrix, Quantity } from "./types.d.ts" */

const PAUSE = 300; // ms between two choices that Python gets: of an arrow key held down it gets the last
const VIEWS = { one: "One layer", all: "All layers" };
const RANGES = { one: "One range of colours", own: "Each its own" };

/** @typedef {{ name: string, layers: Layer[] }} Source */

/** The matrices at the cursor: layers to choose from, one or all of them, two side by side; a kernel's as filters. */
export class Inspector {
  /**
   * @param {HTMLElement} root
   * @param {InspectorData} data
   * @param {Send} send
   */
  constructor(root, data, send) {
    this.root = root;
    /** @param {string} name */
    const part = (name) => box(root, `.fop-${name}`);
    this.body = part("inspector-body");
    this.matrices = part("matrices");
    this.filters = new Filters(part("filters"));
    this.numbers = part("inspector-spectrum");
    this.means = part("inspector-means");
    this.zoom = part("zoom");
    this.switches = {
      see: part("switch[data-name=see]"),
      view: part("switch[data-name=view]"),
      range: part("switch[data-name=range]"),
    };
    this.previews = new Previews(part("chips"));
    this.data = data;
    this.send = send;
    this.begun = false; // whether it has been shown
    /** @type {Source[]} */
    this.sources = [];
    /** @type {Chosen} */
    this.chosen = { ...data.chosen };
    this.received = ""; // what Python said last was chosen
    /** @type {Set<string>} */
    this.answers = new Set(); // what it will say, of choices that another has followed since
    this.sentAt = -Infinity;
    this.timer = 0;
    this.width = 0; // px
    this.side = 0; // px of a matrix
    /** @type {Layer[]} */
    this.wanted = []; // whose matrices are shown
    /** @type {Heatmap[]} */
    this.maps = [];
    this.shape = ""; // for what they are built
    this.unfollow = () => {};
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
        layers: layers.map((head) => new Layer(head, data)),
      }));
      this.chosen = { ...data.chosen };
      this.previews.build(this.layers, (layer, key) => {
        this.choose({ layer: layer.name, ...(!key && this.chosen.view === "all" ? { view: "one" } : {}) });
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
        }),
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
    page.screen = { layer: layer.name, see: chosen.see }; // a file that is ordered now is of these
    const options = /** @type {Quantity[]} */ (Object.keys(matrices)).filter((see) => see !== "M" || layer.hasM);
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
    const count = all ? wanted.length : beside ? 3 : 1;
    const columns = count === 1 ? 1 : Math.max(1, Math.min(count, Math.floor((room + 18) / (all ? 200 : 260))));
    const most = count === 1 ? 460 : all ? 250 : 400;
    this.side = Math.floor(Math.min(most, (room - 18 * (columns - 1)) / columns - 2));
    const shape = `${count} ${all} ${wanted.map(({ name }) => name)} ${beside?.name}`;
    if (shape === this.shape) return;
    this.shape = shape;
    this.maps = Array.from({ length: matrix ? count : 0 }, () => new Heatmap(!all));
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
          marks: of.said(matrix),
        });
      });
    if (!this.filters.root.hidden) this.filters.fill(matrices[0], layer.matrix("P", step), range);
    const spectrum = layer.numbers(step);
    this.numbers.textContent = spectrum
      ? spectrumWords(layer.name, layer.n, spectrum, layer.matrix(chosen.see, step)?.step)
      : layer.head.words;
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
    const title = (/** @type {number} */ which, /** @type {Layer} */ of) => `${sources[which].name}, ${of.title}`;
    maps[0].show({
      title: title(0, layer),
      layer,
      matrix: first,
      ...this.scaled(layer, first, range),
      side,
      marks: layer.said(first),
    });
    maps[1].show({
      title: title(1, beside),
      layer: beside,
      matrix: second,
      ...this.scaled(beside, second, range),
      side,
      marks: beside.said(second),
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
    page.screen = undefined;
  }
}

/** @type {["one" | "own", string, string][]} */
const ranges = [
  ["one", RANGES.one, "So that they can be compared"],
  ["own", RANGES.own, "So that the structure of a small one shows"],
];

/** @type {["one" | "all", string, string][]} */
const views = [
  ["one", VIEWS.one, ""],
  ["all", VIEWS.all, ""],
];

/**
 * One matrix less another; null where their shapes differ.
 *
 * @param {Matrix | null} first
 * @param {Matrix | null} second
 * @returns {Matrix | null}
 */
function difference(first, second) {
  if (!first || !second || first.rows !== second.rows || first.columns !== second.columns) return null;
  return { ...first, values: first.values.map((value, i) => value - second.values[i]), most: undefined };
}
