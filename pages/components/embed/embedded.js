// @ts-check
// The player without the page: its surface is on a canvas, and nobody runs another race.

import { make } from "../lib/dom.js";
import { drawBar } from "../player/bar.js";
import { Player } from "../player/player.js";
import { Pointer } from "../player/pointer.js";
import { floats } from "../player/race.js";
import { interpolated } from "../player/under.js";
import { drawGround } from "./ground.js";

/** @import { Axis } from "../lib/plotly.js" */
/** @import { EmbedData, Heights } from "./types.d.ts" */

const AROUND = 160; // px of the window that the title, the margins and the bar of buttons take

/** Says what is under the mouse or a finger, and takes no start. */
class Reader extends Pointer {
  /**
   * @override
   * @param {PointerEvent} event
   */
  begin(event) {
    this.showUnder(event, this.locate(event));
  }
}

/** The player over another surface: `axes`, `ground` and `bind` are what knows plotly there. */
export class EmbeddedPlayer extends Player {
  /**
   * @param {HTMLElement} root
   * @param {EmbedData} data
   */
  constructor(root, data) {
    super(root, data, () => {});
    this.race = data;
    const { size, box, top } = data.ground;
    /** @type {Heights} */
    this.heights = { values: floats(data.heights), size, box, top };
    this.canvas = make("canvas");
    this.parts.ground.append(this.canvas);
  }

  /** @override */
  get around() {
    return AROUND;
  }

  /** Where the picture, a square, is on its canvas. */
  get area() {
    const { l, r, b } = this.data.margin;
    const { offsetWidth, offsetHeight } = this.parts.ground;
    const side = offsetWidth - l - r;
    return { left: l, top: offsetHeight - b - side, width: side, height: side };
  }

  /** @override */
  axes() {
    if (!this.race || !this.shown) return null;
    const { left, top, width, height } = this.area;
    const [x0, x1, y0, y1] = this.race.view;
    return { x: axis([x0, x1], left, width), y: axis([y0, y1], top, height) };
  }

  /**
   * Draws the surface in the theme and the size of now.
   *
   * @override
   */
  async ground() {
    this.fit();
    if (!this.pointer) this.bind();
    const { ground } = this.parts;
    const { canvas, area } = this;
    if (area.width <= 0) return; // a frame that is hidden, or not laid out yet: once it is wider this is called again
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [ground.offsetWidth, ground.offsetHeight];
    Object.assign(canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
    Object.assign(canvas.style, { display: "block", width: `${width}px`, height: `${height}px` });
    drawGround(canvas, this.race, this.heights, area, this.colors, getComputedStyle(this.root).fontFamily);
    ground.dataset.theme = this.theme;
    this.shown = this.theme;
    const { scale, ground: grid } = this.race;
    const levels = Math.max(0, Math.floor(grid.top)); // the lowest is above a surface that is all but even
    drawBar(
      this.parts.scale,
      { start: grid.bottom, end: grid.bottom + levels * grid.step, size: grid.step },
      scale,
      this.colors,
    );
    const heights = Float32Array.from(this.heights.values, (level) => grid.bottom + level * grid.step);
    this.under.near = interpolated(heights, grid.box, scale);
    this.again();
  }

  /** @override */
  bind() {
    this.watch(() => this.ground());
    this.pointer = new Reader(this);
    this.parts.stage.onclick = () => this.play(!this.playing);
  }
}

/**
 * @param {[number, number]} range
 * @param {number} offset px
 * @param {number} length px
 * @returns {Axis}
 */
const axis = (range, offset, length) => ({
  type: "linear",
  range,
  offset,
  length,
  px: (value) => ((Number(value) - range[0]) / (range[1] - range[0])) * length,
});
