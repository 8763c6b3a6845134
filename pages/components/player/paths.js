// Paths of runs on a canvas. While a race plays only what is new is drawn; a new view, or a step back, draws all again.

const MARKS = [1, 10, 100, 1000, 10000, 100000];
const HEAD = 1.5; // how much larger a head is than the symbols on its path

// The last of a run's points at or before a step: `steps` says which were kept, where not all were.
function indexAt(run, step) {
  if (!run.steps) return Math.min(Math.floor(step), run.count - 1);
  let low = 0;
  let high = run.count - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (run.steps[middle] <= step) low = middle;
    else high = middle - 1;
  }
  return low;
}

const stepOf = (run, index) => (run.steps ? run.steps[index] : index);

// Fits a canvas to a rectangle of the picture, with so many pixels each way for one of the page's.
function fitCanvas(canvas, { left, top, width, height }, ratio) {
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  const changed = canvas.width !== wide || canvas.height !== high;
  if (changed) Object.assign(canvas, { width: wide, height: high });
  Object.assign(canvas.style, { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` });
  canvas.getContext("2d").setTransform(ratio, 0, 0, ratio, 0, 0);
  return changed;
}

function glyph(pen, run, x, y, size, paper) {
  pen.save();
  pen.translate(x, y);
  pen.scale(size, size);
  pen.lineWidth = 2 / size;
  pen.strokeStyle = paper;
  pen.fillStyle = run.color;
  pen.stroke(run.glyph);
  pen.fill(run.glyph);
  pen.restore();
}

// Draws a run's path from its `drawn`-th point to its `last`; a view gives the place of a point, in px.
function extend(pen, run, view, last, paper) {
  const { x, y } = run;
  if (run.drawn < 0) Object.assign(run, { drawn: 0, length: 0, px: view.x(x[0], y[0]), py: view.y(x[0], y[0]) });
  if (last <= run.drawn) return;
  const line = new Path2D();
  line.moveTo(run.px, run.py);
  const before = run.length;
  const begin = run.drawn;
  for (let i = begin + 1; i <= last; i++) {
    const px = clamp(view.x(x[i], y[i]));
    const py = clamp(view.y(x[i], y[i]));
    const way = Math.hypot(px - run.px, py - run.py);
    if (way < 0.7 && i < last) continue; // nothing that can be seen
    line.lineTo(px, py);
    Object.assign(run, { px, py, length: run.length + way });
  }
  run.drawn = last;
  pen.lineJoin = "round";
  pen.setLineDash([]);
  pen.strokeStyle = paper;
  pen.lineWidth = run.width + 2;
  pen.stroke(line);
  pen.setLineDash(run.dash);
  pen.lineDashOffset = before;
  pen.strokeStyle = run.color;
  pen.lineWidth = run.width;
  pen.stroke(line);
  pen.setLineDash([]);
  for (const mark of MARKS) {
    const index = indexAt(run, mark);
    if (index > begin && index <= last && stepOf(run, index) === mark)
      glyph(pen, run, clamp(view.x(x[index], y[index])), clamp(view.y(x[index], y[index])), 1, paper);
  }
}

// What diverges is drawn far outside the picture, but not at a place that no canvas knows.
const clamp = (value) => Math.min(1e5, Math.max(-1e5, value));

// Where a run stands at a step that need not be whole: on the line between two points.
function headAt(run, step) {
  const index = indexAt(run, step);
  const { x, y } = run;
  if (index + 1 >= run.count || run.steps) return { index, x: x[index], y: y[index] };
  const share = Math.min(1, step - index);
  return { index, x: x[index] + share * (x[index + 1] - x[index]), y: y[index] + share * (y[index + 1] - y[index]) };
}

// An arrow of a fixed length from (px, py) along an angle in the plane of x and y.
function arrow(pen, view, head, angle, length, dash) {
  const far = 1e-3 * view.span;
  const [x0, y0] = [view.x(head.x, head.y), view.y(head.x, head.y)];
  const [dx, dy] = [
    view.x(head.x + far * Math.cos(angle), head.y + far * Math.sin(angle)) - x0,
    view.y(head.x + far * Math.cos(angle), head.y + far * Math.sin(angle)) - y0,
  ];
  const size = Math.hypot(dx, dy);
  if (!(size > 0)) return;
  const [ux, uy] = [dx / size, dy / size];
  const [x1, y1] = [x0 + length * ux, y0 + length * uy];
  pen.setLineDash(dash);
  pen.beginPath();
  pen.moveTo(x0 + 8 * ux, y0 + 8 * uy);
  pen.lineTo(x1, y1);
  pen.stroke();
  pen.setLineDash([]);
  pen.beginPath();
  pen.moveTo(x1 + 6 * ux, y1 + 6 * uy);
  pen.lineTo(x1 - 3.5 * uy, y1 + 3.5 * ux);
  pen.lineTo(x1 + 3.5 * uy, y1 - 3.5 * ux);
  pen.fill();
}

// Three arrows at a head: against g, against P g where a P is learned, and the way it goes, which is the velocity's.
function arrows(pen, run, view, head, ink) {
  if (!run.arrows || head.index + 1 >= run.count) return;
  pen.lineWidth = 1.6;
  pen.strokeStyle = pen.fillStyle = ink;
  arrow(pen, view, head, run.arrows.gradient[head.index] + Math.PI, 34, [2, 3]);
  pen.strokeStyle = pen.fillStyle = run.color;
  if (run.arrows.preconditioned) arrow(pen, view, head, run.arrows.preconditioned[head.index] + Math.PI, 46, [5, 3]);
  const [dx, dy] = [run.x[head.index + 1] - run.x[head.index], run.y[head.index + 1] - run.y[head.index]];
  if (dx || dy) arrow(pen, view, head, Math.atan2(dy, dx), 58, []);
}

// The drawn point nearest to a place of the picture, of the topmost run where several are as near; null beyond 10 px.
function nearest(runs, view, px, py) {
  let best = null;
  let least = 10;
  for (const run of runs)
    for (let index = 0; index <= run.drawn; index++) {
      const away = Math.hypot(view.x(run.x[index], run.y[index]) - px, view.y(run.x[index], run.y[index]) - py);
      if (away <= least) [best, least] = [{ run, index }, away];
    }
  return best;
}
