// @ts-check
// The one module that knows plotly.js: how it is loaded, which buttons it shows, and, where its public functions do not do,
// its private names. A new release of plotly.js may change these; all of them are in PrivateNode and PrivateAxis.

import { page } from "./page.js";

/** @import { Plotly, PlotlyNode, Tree } from "./types.d.ts" */

/**
 * @typedef {object} PrivateNode
 * @property {{ xaxis: PrivateAxis, yaxis: PrivateAxis, dragmode: string | false }} [_fullLayout] what is drawn, all defaults
 *   filled in: the public `layout` has no axis in px, and holds a range only once a reader has zoomed
 * @property {{ uid: string, x: (string | number)[], y: unknown, line: unknown, _input: { name?: string } }[]} [_fullData]
 *   the traces as drawn, whose `uid` is in their elements' class: no public function leads from a trace to its element;
 *   `_input` is the trace as it was given, as a name is made up where there was none
 */

/**
 * @typedef {object} PrivateAxis
 * @property {string} type
 * @property {[number, number]} range logarithms where the type is "log"
 * @property {boolean} autorange
 * @property {number} _offset px from the node's edge to the axis's beginning
 * @property {number} _length px
 * @property {(value: string | number) => number} d2l what is in the data as a number that is linear along the axis
 * @property {(linear: number) => number} l2p such a number as px from the axis's beginning
 */

/**
 * An axis as it is drawn.
 *
 * @typedef {object} Axis
 * @property {string} type
 * @property {[number, number]} range
 * @property {number} offset px
 * @property {number} length px
 * @property {(value: string | number) => number} px where a value is, from the axis's beginning
 */

/**
 * @param {HTMLElement} node
 * @returns {HTMLElement & PrivateNode}
 */
const inside = (node) => node;

/**
 * @param {PrivateAxis} axis
 * @returns {Axis}
 */
const shown = (axis) => ({
  type: axis.type,
  range: axis.range,
  offset: axis._offset,
  length: axis._length,
  px: (value) => axis.l2p(axis.d2l(value)),
});

/**
 * The axes of the picture on a node; null where none is drawn.
 *
 * @param {HTMLElement} node
 */
export function axes(node) {
  const layout = inside(node)._fullLayout;
  return layout ? { x: shown(layout.xaxis), y: shown(layout.yaxis) } : null;
}

/**
 * The axis across, with what only plotly knows: whether all of it is shown, whatever comes, and a value as its range has it.
 *
 * @param {HTMLElement} node
 */
export function acrossOf(node) {
  const layout = inside(node)._fullLayout;
  if (!layout) return null;
  const { xaxis } = layout;
  return { ...shown(xaxis), whole: xaxis.autorange, linear: (/** @type {number} */ value) => xaxis.d2l(value) };
}

/**
 * What a drag does: "zoom", "pan", or false where it scrolls the page.
 *
 * @param {HTMLElement} node
 */
export const dragmode = (node) => inside(node)._fullLayout?.dragmode ?? false;

/**
 * The traces as drawn, with the names that they were given.
 *
 * @param {HTMLElement} node
 * @returns {Tree[]}
 */
export const tracesOf = (node) =>
  (inside(node)._fullData ?? []).map(({ _input, line, x, y }) => ({ name: _input.name, line, x, y }));

/**
 * The line of a trace: its element, and the x of its points; null where it is not drawn.
 *
 * @param {HTMLElement} node
 * @param {number} index of the trace
 */
export function lineOf(node, index) {
  const trace = inside(node)._fullData?.[index];
  const line = trace && node.querySelector(`.trace${trace.uid} .js-line`); // .js-line: the path of a trace's line
  return line ? { line, x: trace.x } : null;
}

/**
 * What is drawn of a trace, and of the label with an index; null where nothing is.
 *
 * @param {HTMLElement} node
 * @param {number} index
 * @returns {SVGElement | null}
 */
export const traceOf = (node, index) => {
  const uid = inside(node)._fullData?.[index]?.uid;
  return uid ? node.querySelector(`.trace${uid}`) : null;
};

/**
 * @param {HTMLElement} node
 * @param {number} index
 * @returns {SVGElement | null}
 */
export const labelOf = (node, index) => node.querySelector(`.annotation[data-index="${index}"]`);

/**
 * Whether an event is one of plotly's own buttons'.
 *
 * @param {Event} event
 */
export const onButton = ({ target }) => target instanceof Element && target.closest(".modebar") !== null;

/**
 * Loads plotly.js, once in a page, or waits for the page's own script; rejects where it is not there.
 *
 * @param {string} source
 * @returns {Promise<Plotly>}
 */
export const loadPlotly = (source) =>
  (page.plotly ??= new Promise((loaded, failed) => {
    if (globalThis.Plotly) {
      loaded(globalThis.Plotly);
      return;
    }
    const begun = document.querySelector("script[data-plotly]"); // by pages/shared/additions.py
    const script = begun instanceof HTMLScriptElement ? begun : document.createElement("script");
    const fail = () => {
      page.plotly = undefined; // another try with the next data
      script.remove();
      failed(new Error(`no ${script.src}`));
    };
    script.onload = () => (globalThis.Plotly ? loaded(globalThis.Plotly) : fail());
    script.onerror = fail;
    if (begun) return;
    script.src = new URL(source, document.baseURI).href;
    document.head.appendChild(script);
  }));

/**
 * Takes the picture off a node.
 *
 * @param {HTMLElement} node
 */
export const purge = (node) => globalThis.Plotly?.purge(node);

/** Whether the reader points with a finger: then the page scrolls, unless he has chosen to zoom. */
export const FINGER = window.matchMedia("(pointer: coarse)").matches;
/** px above a picture that the buttons of a finger need. */
export const BUTTON = 48;

/**
 * The settings of a picture.
 *
 * @param {Plotly} Plotly
 * @param {HTMLElement} node
 * @param {() => void} photograph
 * @param {(() => void) | null} reset shows all of it, where that is not for plotly alone
 */
export const settings = (Plotly, node, photograph, reset = null) => {
  const whole = reset ? { name: "whole", title: "Reset axes", icon: Plotly.Icons.home, click: reset } : "resetScale2d";
  return {
    displaylogo: false,
    ...(FINGER ? fingers(Plotly, node, whole) : mouse(Plotly, photograph, whole)),
    doubleClick: reset ? false : "reset",
  };
};

/**
 * @param {Plotly} Plotly
 * @param {() => void} photograph
 * @param {object | string} whole
 */
function mouse(Plotly, photograph, whole) {
  const camera = { name: "camera", title: "Save the picture as a PNG", icon: Plotly.Icons.camera, click: photograph };
  return { displayModeBar: "hover", modeBarButtons: [["zoom2d", "pan2d", whole, camera]] };
}

/**
 * @param {Plotly} Plotly
 * @param {HTMLElement} node
 * @param {object | string} whole
 */
function fingers(Plotly, node, whole) {
  const drag = {
    name: "drag",
    title: "Zoom by drawing a box, or scroll the page",
    icon: Plotly.Icons.zoombox,
    click: () => Plotly.relayout(node, { dragmode: dragmode(node) ? false : "zoom" }),
  };
  return { displayModeBar: true, modeBarButtons: [[drag, whole]] };
}

/**
 * @param {HTMLElement} node
 * @returns {PlotlyNode}
 */
export const plotlyNode = (node) => /** @type {PlotlyNode} */ (node);
