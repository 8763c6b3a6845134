// @ts-check
import { canvas, cellCanvas } from "../lib/canvas.js";
import { pixel } from "../lib/colors.js";
import { box, make, part } from "../lib/dom.js";
import { swatch } from "../lib/svg.js";
import { themeOf } from "../lib/theme.js";
import { colorOf, DIVERGED, isStriped, LIMIT, palette, shades, wordsOf } from "./cells.js";
import { legend } from "./legend.js";
import { marks } from "./marks.js";
import { hatch } from "./stripes.js";

/** @import { Send } from "../lib/types.d.ts" */
/** @import { Palette } from "./cells.js" */
/** @import { BasinsData } from "./types.d.ts" */

const [LEFT, RIGHT, TOP, BOTTOM] = [34, 8, 8, 22]; // px around the cells
const TITLE = 18; // px more for the title of an axis
const COLUMNS = [0, 1, 2, 3, 4, 3, 3, 4, 4, 3]; // for so many maps
const FINGERTIP = 22; // px from a tap within which another one is at the same point

/** @typedef {[across: number, up: number]} Spot shares of the width and the height */

/** Draws maps of cells side by side: hue says at which minimum a path ended, strength how soon. One crosshair is in all. */
export class Basins {
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
    /** @type {Spot | null} */
    this.spot = null;
    /**
     * Where a finger has tapped last: another tap there opens what the first one has described.
     *
     * @type {{ field: HTMLElement, spot: Spot } | null}
     */
    this.tapped = null;
    this.finger = false; // whether it was a finger that came down last
    /** @type {HTMLElement[]} */
    this.fields = []; // of the maps
    this.built = ""; // which maps
    this.kinds = new Uint8Array();
    this.steps = new Uint16Array();
    /** @type {Palette} */
    this.colors = palette([], this.theme);
    this.shade = new Uint8Array(); // by steps
    this.left = LEFT;
    this.bottom = BOTTOM;
    this.width = 0; // px of a map
    this.side = 0; // px of its cells
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
      }),
    );
  }

  /**
   * @param {HTMLElement} field
   * @param {HTMLElement} caption
   */
  listen(field, caption) {
    /**
     * @param {MouseEvent} event
     * @returns {Spot | null}
     */
    const point = (event) => {
      const box = field.getBoundingClientRect();
      const x = (event.clientX - box.left - this.left) / this.side;
      const y = 1 - (event.clientY - box.top - TOP) / this.side;
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
      /** @type {Record<string, [number, number]>} */
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
    const near = (/** @type {Spot} */ [x, y], /** @type {Spot} */ other) =>
      side * Math.hypot(x - other[0], y - other[1]) <= FINGERTIP;
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
    /**
     * @param {number} at
     * @param {number} count
     */
    const within = (at, count) => (Math.min(count - 1, Math.max(0, at)) + 0.5) / count;
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
      const x = this.left + ((cell[0] + 0.5) / this.columns) * this.side;
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
      const striped = this.image(map, (kind) => (isStriped(kind, status) ? 0xff000000 : 0));
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
}
