// @ts-check
import { contextOf } from "../lib/canvas.js";
import { make } from "../lib/dom.js";
import { cube } from "./cube.js";
import { Orbit } from "./orbit.js";
import { paletteOf, rasterize, tonesOf } from "./raster.js";
import { Relief } from "./relief.js";

/** @import { Context } from "../lib/canvas.js" */
/** @import { Colors } from "../lib/types.d.ts" */
/** @import { Line, Text } from "./cube.js" */
/** @import { Palette } from "./raster.js" */
/** @import { Area, SceneData, View } from "./types.d.ts" */

const PIECE = 0.5; // cells of the grid: a path follows the surface in pieces no longer
const PIECES = 400; // of one step at most
const UNSEEN = 0.7; // px that cannot be seen
const FONT = 12; // px
const FAINT = 0.35; // of what the surface hides
const CROSS = 5.5; // px from a minimum to the ends of its cross

/** @type {WeakMap<Colors, Palette>} */
const palettes = new WeakMap();

/**
 * The surface in three dimensions, on a canvas of its own: no WebGL, which browsers do without where there is no GPU. Its
 * image is kept until the viewer moves.
 */
export class Scene {
  /**
   * @param {Float32Array} grid [size, size]: heights from -0.5 to 0.5, NaN where there is no surface
   * @param {SceneData} data
   */
  constructor(grid, data) {
    this.data = data;
    this.key = data.key;
    this.relief = new Relief(grid, data.size);
    this.tones = tonesOf(grid, data.size);
    this.orbit = new Orbit();
    /** @type {Text[]} */
    this.texts = []; // as last drawn
    /** @type {HTMLCanvasElement | null} */
    this.image = null;
    /** @type {ImageData | null} */
    this.pixels = null;
    this.painted = ""; // what the image is of
  }

  /**
   * Column and row of a point of the plane.
   *
   * @param {number} x
   * @param {number} y
   */
  cell(x, y) {
    const [left, right, bottom, top] = this.data.box;
    const { last } = this.relief;
    return [((x - left) / (right - left)) * last, ((y - bottom) / (top - bottom)) * last];
  }

  /**
   * The view from where the viewer is, on a rectangle of the picture.
   *
   * @param {Area} area
   * @returns {View}
   */
  view(area) {
    const { relief, data, orbit } = this;
    const [left, right, bottom, top] = data.box;
    const projection = orbit.projection(area);
    const { last } = relief;
    const sight = { a: -projection.sine, b: -projection.cosine, rise: projection.rise / last };
    const margin = 1 / projection.upright; // less than a pixel hides nothing
    const most = projection.scale / last + projection.upright * Math.SQRT2 * relief.steepest; // px of a cell's width
    /** @param {number} x */
    const across = (x) => (x - left) / (right - left) - 0.5;
    /** @param {number} y */
    const along = (y) => (y - bottom) / (top - bottom) - 0.5;
    return {
      ...area,
      span: right - left,
      key: [orbit.key, area.width, area.height, this.key].join(),
      x: (x, y) => projection.x(across(x), along(y)),
      y: (x, y) => {
        const [u, v] = [across(x), along(y)];
        return projection.y(u, v, relief.height((u + 0.5) * last, (v + 0.5) * last));
      },
      hidden: (x, y) => {
        const [a, b] = this.cell(x, y);
        return relief.hides(a, b, relief.height(a, b), sight, margin);
      },
      pieces: (x0, y0, x1, y1) => {
        const cells = last * Math.hypot(across(x1) - across(x0), along(y1) - along(y0));
        if (cells * most < UNSEEN) return 0;
        return Math.min(PIECES, Math.ceil(cells / PIECE)) || 1;
      },
    };
  }

  /**
   * Draws surface, axes and minima.
   *
   * @param {Context} context
   * @param {View} view
   * @param {Colors} theme
   */
  draw(context, view, theme) {
    const ratio = context.getTransform().a;
    const wanted = [view.key, ratio, theme.paper].join();
    this.image ??= make("canvas");
    if (this.painted !== wanted)
      this.paint(this.image, view, theme, ratio, getComputedStyle(context.canvas).fontFamily);
    this.painted = wanted;
    context.drawImage(this.image, 0, 0, view.width, view.height);
  }

  /**
   * @param {HTMLCanvasElement} image
   * @param {View} view
   * @param {Colors} theme
   * @param {number} ratio pixels each way for one of the page's
   * @param {string} font
   */
  paint(image, view, theme, ratio, font) {
    const [width, height] = [Math.round(view.width * ratio), Math.round(view.height * ratio)];
    if (image.width !== width || image.height !== height) Object.assign(image, { width, height });
    const context = contextOf(image);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.putImageData(this.surface(view, theme, ratio, width, height), 0, 0);

    context.font = `${FONT}px ${font}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    const projection = this.orbit.projection(view);
    const { walls, edges, ticks, texts } = cube(
      projection,
      this.data.axes,
      view.width,
      (text) => context.measureText(text).width,
    );
    this.texts = texts;
    context.globalCompositeOperation = "destination-over"; // behind the surface
    stroke(context, [...edges, ...ticks], theme.muted, 1, 0.6);
    stroke(context, walls, theme.muted, 1, 0.22);
    context.globalCompositeOperation = "source-over";
    this.rim(context, view, theme);
    for (const [x, y] of this.data.minima) cross(context, view, x, y, theme);
    context.fillStyle = theme.muted;
    for (const { text, x, y } of texts) context.fillText(text, x, y);
  }

  /**
   * The surface's pixels.
   *
   * @param {View} view
   * @param {Colors} theme
   * @param {number} ratio
   * @param {number} width pixels
   * @param {number} height
   */
  surface(view, theme, ratio, width, height) {
    const { relief, tones, data, orbit } = this;
    const { size, last, grid } = relief;
    const { x, y, sine, cosine } = orbit.projection(view);
    const mesh = { size, x: new Float32Array(size * size), y: new Float32Array(size * size), heights: grid };
    for (let j = 0, at = 0; j < size; j++)
      for (let i = 0; i < size; i++, at++) {
        const [u, v] = [i / last - 0.5, j / last - 0.5];
        mesh.x[at] = ratio * x(u, v);
        mesh.y[at] = ratio * y(u, v, grid[at]);
      }
    if (this.pixels?.width !== width || this.pixels.height !== height) this.pixels = new ImageData(width, height);
    const pixels = new Uint32Array(this.pixels.data.buffer);
    pixels.fill(0);
    const palette = palettes.get(theme) ?? paletteOf(theme);
    palettes.set(theme, palette);
    rasterize(pixels, width, height, { ...mesh, tones, sine, cosine }, data.levels, palette, ratio);
    return this.pixels;
  }

  /**
   * The surface's edge, where it is seen: pixels alone have steps there.
   *
   * @param {Context} context
   * @param {View} view
   * @param {Colors} theme
   */
  rim(context, view, theme) {
    const [left, right, bottom, top] = this.data.box;
    const { last } = this.relief;
    /** @type {Line[]} */
    const lines = [];
    /**
     * @param {[number, number]} from
     * @param {[number, number]} to
     */
    const side = ([x0, y0], [x1, y1]) => {
      /** @param {number} n */
      const at = (n) => [x0 + ((x1 - x0) * n) / last, y0 + ((y1 - y0) * n) / last];
      for (let n = 0; n < last; n++) {
        const [[xa, ya], [xb, yb]] = [at(n), at(n + 1)];
        /** @type {Line} */
        const line = [view.x(xa, ya), view.y(xa, ya), view.x(xb, yb), view.y(xb, yb)];
        if (line.every(Number.isFinite) && !view.hidden?.((xa + xb) / 2, (ya + yb) / 2)) lines.push(line);
      }
    };
    side([left, bottom], [right, bottom]);
    side([right, bottom], [right, top]);
    side([right, top], [left, top]);
    side([left, top], [left, bottom]);
    stroke(context, lines, theme.level, 1.2, 1);
  }

  /**
   * The point of the plane over which the surface is seen at a point of the picture; null where it is not.
   *
   * @param {View} view
   * @param {number} px
   * @param {number} py
   * @returns {[number, number] | null}
   */
  under(view, px, py) {
    const projection = this.orbit.projection(view);
    const { last } = this.relief;
    const [u, v] = projection.floor(px, py);
    const sight = { a: -projection.sine, b: -projection.cosine, rise: projection.rise / last };
    const hit = this.relief.first((u + 0.5) * last, (v + 0.5) * last, sight);
    if (!hit) return null;
    const [left, right, bottom, top] = this.data.box;
    return [left + ((right - left) * hit[0]) / last, bottom + ((top - bottom) * hit[1]) / last];
  }
}

/**
 * Draws what the surface may hide: fainter where it does.
 *
 * @param {Context} context
 * @param {View} view
 * @param {number} x
 * @param {number} y
 * @param {() => void} draw
 */
export function behind(context, view, x, y, draw) {
  const alpha = context.globalAlpha;
  if (view.hidden?.(x, y)) context.globalAlpha *= FAINT;
  draw();
  context.globalAlpha = alpha;
}

/**
 * @param {Context} context
 * @param {Line[]} lines
 * @param {string} color
 * @param {number} width px
 * @param {number} alpha
 */
function stroke(context, lines, color, width, alpha) {
  context.beginPath();
  for (const [x0, y0, x1, y1] of lines) {
    context.moveTo(x0, y0);
    context.lineTo(x1, y1);
  }
  context.globalAlpha = alpha;
  context.strokeStyle = color;
  context.lineWidth = width;
  context.stroke();
  context.globalAlpha = 1;
}

/**
 * A minimum's cross, as seen from above.
 *
 * @param {Context} context
 * @param {View} view
 * @param {number} x
 * @param {number} y
 * @param {Colors} theme
 */
function cross(context, view, x, y, { ink, paper }) {
  const [px, py] = [view.x(x, y), view.y(x, y)];
  /** @type {Line[]} */
  const arms = [
    [px - CROSS, py, px + CROSS, py],
    [px, py - CROSS, px, py + CROSS],
  ];
  const alpha = view.hidden?.(x, y) ? FAINT : 1;
  stroke(context, arms, paper, 3.5, alpha);
  stroke(context, arms, ink, 1.5, alpha);
}
