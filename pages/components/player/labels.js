// @ts-check
import { make, write } from "../lib/dom.js";
import { emphasis } from "../lib/emphasis.js";
import { opacityOf } from "./paths.js";
import { stepOf } from "./race.js";

/** @import { Context } from "../lib/canvas.js" */
/** @import { Run, View } from "./types.d.ts" */

const SHIFT = { left: "0", right: "-100%", center: "-50%" };

/** Labels at the ends of the runs that have arrived, while these are in sight. */
export class Labels {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.built = "";
    /** @type {HTMLElement[]} */
    this.nodes = [];
  }

  /** Makes them anew at the next frame. */
  forget() {
    this.built = "";
  }

  /**
   * @param {Context} context for the lines that lead to labels which stand apart
   * @param {Run[]} runs
   * @param {View} view
   * @param {number} step
   */
  draw(context, runs, view, step) {
    Object.assign(this.root.style, { left: `${view.left}px`, top: `${view.top}px` });
    const shown = JSON.stringify(runs.map(({ color, bold }) => [color, bold]));
    if (this.built !== shown) {
      this.built = shown;
      this.nodes = runs.map((run) => {
        const node = make("div", "fop-label", run.label.text);
        Object.assign(node.style, { color: run.color, fontWeight: run.bold ? 600 : 400 });
        return node;
      });
      this.root.replaceChildren(...this.nodes);
    }
    runs.forEach((run, index) => {
      write(this.nodes[index], run.label.text);
    });
    runs.forEach((run, index) => {
      const { label } = run;
      const node = this.nodes[index];
      const [px, py] = [view.x(...label.at), view.y(...label.at)];
      const inside = px >= -1 && py >= -1 && px <= view.width + 1 && py <= view.height + 1;
      const arrived = inside && emphasis.shows(run.rule) && step >= stepOf(run, run.count - 1);
      node.classList.toggle("fop-arrived", arrived);
      const opacity = opacityOf(run);
      node.style.opacity = arrived ? String(opacity) : "";
      if (!arrived) return;
      context.globalAlpha = opacity;
      node.style.transform = `translate(${px + label.dx}px, ${py + label.dy}px) translate(${SHIFT[label.anchor]}, -50%)`;
      const length = Math.hypot(label.dx, label.dy);
      if (length < 10) return;
      context.beginPath();
      context.moveTo(px + (8 * label.dx) / length, py + (8 * label.dy) / length);
      context.lineTo(px + label.dx, py + label.dy);
      context.lineWidth = 1;
      context.strokeStyle = run.color;
      context.stroke();
    });
    context.globalAlpha = 1;
  }
}
