// @ts-check
import { canvas } from "../lib/canvas.js";
import { make } from "../lib/dom.js";
import { short } from "../lib/numbers.js";
import { before } from "../lib/search.js";
import { paint } from "./paint.js";
import { check, radios } from "./radios.js";

/** @import { Layer } from "./layer.js" */

const CHIP = 40; // px of a preview

/** @typedef {{ chip: HTMLElement, picture: HTMLElement, layer: Layer, drawn: Float64Array | null }} Preview */

/** The layers to choose from, each with its matrix in small at the cursor. */
export class Previews {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    /** @type {Preview[]} */
    this.previews = [];
    this.range = 1; // one for all
    /** @type {Preview | null} */
    this.revealed = null;
  }

  /**
   * @param {Layer[]} layers
   * @param {(layer: Layer, key: boolean) => void} choose `key`: whether a key has done it
   */
  build(layers, choose) {
    this.range = Math.max(...layers.map(({ ranges }) => ranges.change ?? 0)) || 1;
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
    const [row, box] = [this.root.getBoundingClientRect(), preview.chip.getBoundingClientRect()];
    const half = box.width / 2;
    this.root.scrollLeft += Math.max(0, box.right + half - row.right) - Math.max(0, row.left - box.left + half);
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
    if (!matrix || (preview.drawn === matrix.values && picture.width)) return;
    preview.drawn = matrix.values;
    const [, context] = canvas(CHIP, CHIP, picture);
    paint(context, matrix, matrix.whole ? this.range : layer.thumbRange, CHIP, CHIP);
  }
}
