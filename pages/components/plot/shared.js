// @ts-check
import { across } from "../lib/across.js";
import { box, make } from "../lib/dom.js";
import { merge } from "../lib/figure.js";
import { short } from "../lib/numbers.js";
import { acrossOf, axes, tracesOf } from "../lib/plotly.js";
import { afterKey, linesOf, valuesAt } from "./along.js";

/** @import { Figure, Plotly, PlotlyNode, Tree } from "../lib/types.d.ts" */

const GAP = 8; // px beside the cursor
const REACH = 0.03; // of what is shown: how far beyond its end a line's value is listed

/** The part that a picture takes in the axis across that it shares with others: zoom, cursor, values, keys. */
export class Shared {
  /**
   * @param {HTMLElement} root
   * @param {PlotlyNode} node
   */
  constructor(root, node) {
    this.root = root;
    this.node = node;
    this.cursor = box(root, ".fop-plot-cursor");
    this.values = box(root, ".fop-plot-values");
    this.name = ""; // of the axis; "" for none
    this.percent = false; // whether values are fractions, shown as percent
    /** What the values were last made of. */
    this.listed = "";
    this.clientX = 0; // of the pointer
    this.frame = 0;
  }

  /**
   * Gives a figure that is to be drawn what of the axis is shown.
   *
   * @param {Figure} figure
   */
  lay(figure) {
    const up = /** @type {Tree | undefined} */ (figure.layout.yaxis);
    this.percent = String(up?.tickformat ?? "").endsWith("%");
    const range = across.rangeOf(this.name);
    if (this.name && range) merge(figure.layout, { xaxis: { range: [...range], autorange: false } });
  }

  /** @param {Plotly} Plotly */
  watch(Plotly) {
    const { node, root } = this;
    node.on("plotly_relayout", (change = {}) => {
      const shown = acrossOf(node);
      if (!shown || !Object.keys(change).some((key) => key.startsWith("xaxis."))) return;
      across.zoom(this.name, shown.whole ? null : [shown.range[0], shown.range[1]]);
    });
    node.on("plotly_doubleclick", () => this.reset(Plotly));
    root.addEventListener("pointermove", ({ clientX, pointerType }) => {
      if (pointerType === "touch") return; // which scrolls
      this.clientX = clientX;
      this.frame ||= requestAnimationFrame(() => {
        this.frame = 0;
        across.point(this.name, this.at(this.clientX), this);
      });
    });
    root.addEventListener("pointerleave", () => this.leave());
    root.addEventListener("focus", () => this.values.setAttribute("aria-live", "polite"));
    root.addEventListener("blur", () => {
      this.values.removeAttribute("aria-live");
      this.leave();
    });
    root.addEventListener("keydown", (event) => this.key(event));
  }

  /**
   * Where on the axis a pixel is; null beside it.
   *
   * @param {number} clientX
   */
  at(clientX) {
    const shown = acrossOf(this.node);
    if (!shown) return null;
    const share = (clientX - this.node.getBoundingClientRect().left - shown.offset) / shown.length;
    const [begin, end] = shown.range;
    return share >= 0 && share <= 1 ? begin + share * (end - begin) : null;
  }

  /** Points nowhere. */
  leave() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    across.point(this.name, null, this);
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const shown = acrossOf(this.node);
    if (!shown || event.target !== this.root || event.ctrlKey || event.metaKey || event.altKey) return;
    const after = afterKey(event.key, across.atOf(this.name), shown.range);
    if (!after) return;
    event.preventDefault();
    event.stopPropagation();
    if (after.range !== shown.range) across.zoom(this.name, after.range);
    across.point(this.name, after.at, this.root);
  }

  /**
   * Shows all of the axis, in all pictures, and of this one all of the other axis.
   *
   * @param {Plotly} Plotly
   */
  reset(Plotly) {
    Plotly.relayout(this.node, { "xaxis.autorange": true, "yaxis.autorange": true });
    across.zoom(this.name, null);
  }

  /** @param {Plotly | null} Plotly once it is loaded */
  follow(Plotly) {
    const shown = acrossOf(this.node);
    if (!Plotly || !shown || this.node.hidden) return;
    const range = across.rangeOf(this.name);
    const there = shown.whole ? null : shown.range;
    if (JSON.stringify(range) !== JSON.stringify(there))
      Plotly.relayout(this.node, range ? { "xaxis.range": [...range] } : { "xaxis.autorange": true });
    this.point();
  }

  /** Draws the cursor, and what the lines are worth there unless this is the picture under the pointer. */
  point() {
    const [shown, up, at] = [acrossOf(this.node), axes(this.node)?.y, across.atOf(this.name)];
    const share = shown && at !== null ? (at - shown.range[0]) / (shown.range[1] - shown.range[0]) : Number.NaN;
    this.cursor.hidden = !(share >= 0 && share <= 1);
    if (!shown || !up || at === null || this.cursor.hidden) {
      this.list([], "");
      return;
    }
    const x = this.node.offsetLeft + shown.offset + share * shown.length;
    this.cursor.style.transform = `translateX(${x}px)`;
    this.cursor.style.top = `${up.offset}px`;
    this.cursor.style.height = `${up.length}px`;
    const reach = REACH * Math.abs(shown.range[1] - shown.range[0]);
    const values = across.by === this ? [] : valuesAt(linesOf(tracesOf(this.node)), at, shown.linear, reach);
    this.list(values, short(shown.type === "log" ? 10 ** at : at));
    const { offsetWidth } = this.values;
    const right = x + GAP + offsetWidth > this.root.clientWidth;
    this.values.style.transform = `translateX(${Math.max(0, right ? x - GAP - offsetWidth : x + GAP)}px)`;
    this.values.style.top = `${up.offset + GAP / 2}px`;
  }

  /**
   * @param {{ name: string, color: string, value: number }[]} values
   * @param {string} where they are, in words
   */
  list(values, where) {
    const listed = JSON.stringify([values, where]);
    this.values.hidden = !values.length;
    if (this.listed === listed) return;
    this.listed = listed;
    this.values.replaceChildren(
      make("li", "", where),
      ...values.map(({ name, color, value }) => {
        const line = make("li");
        line.style.setProperty("--fop-line", color);
        line.append(make("span", "", name), make("b", "", this.percent ? `${short(100 * value)} %` : short(value)));
        return line;
      }),
    );
  }
}
