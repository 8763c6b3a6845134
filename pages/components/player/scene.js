// The surface in three dimensions, on a canvas of its own: no WebGL, so it is there wherever a canvas is.

class Scene {
  constructor({ grid, size, box }) {
    Object.assign(this, { grid, size, box, yaw: -0.6, pitch: 0.95 });
  }

  // Heights lie in [-0.5, 0.5]; a point outside the box has that of its edge.
  height(x, y) {
    const last = this.size - 1;
    const [left, right, bottom, top] = this.box;
    const u = Math.min(last, Math.max(0, ((x - left) / (right - left)) * last));
    const v = Math.min(last, Math.max(0, ((y - bottom) / (top - bottom)) * last));
    const [i, j] = [Math.min(Math.floor(u), last - 1), Math.min(Math.floor(v), last - 1)];
    const [a, b, at] = [u - i, v - j, j * this.size + i];
    const low = this.grid[at] * (1 - a) + this.grid[at + 1] * a;
    const high = this.grid[at + this.size] * (1 - a) + this.grid[at + this.size + 1] * a;
    return low * (1 - b) + high * b;
  }

  // Returns the view of the present direction on a rectangle of the picture.
  view({ left, top, width, height }) {
    const [x0, x1, y0, y1] = this.box;
    const [sine, cosine] = [Math.sin(this.yaw), Math.cos(this.yaw)];
    const [up, over] = [Math.cos(this.pitch), Math.sin(this.pitch)];
    const scale = 0.68 * Math.min(width, height);
    const turn = (x, y) => {
      const [u, v] = [(x - x0) / (x1 - x0) - 0.5, (y - y0) / (y1 - y0) - 0.5];
      return [cosine * u - sine * v, sine * u + cosine * v];
    };
    return {
      left,
      top,
      width,
      height,
      span: x1 - x0,
      key: [this.yaw, this.pitch, width, height].join(),
      x: (x, y) => width / 2 + scale * turn(x, y)[0],
      y: (x, y) => height / 2 - scale * (over * turn(x, y)[1] + up * 0.62 * this.height(x, y)),
    };
  }

  // Draws the surface, farther cells first.
  draw(pen, view, theme) {
    const { size, grid, box } = this;
    const last = size - 1;
    const px = new Float32Array(size * size);
    const py = new Float32Array(size * size);
    for (let j = 0; j < size; j++)
      for (let i = 0; i < size; i++) {
        const x = box[0] + ((box[1] - box[0]) * i) / last;
        const y = box[2] + ((box[3] - box[2]) * j) / last;
        px[j * size + i] = view.x(x, y);
        py[j * size + i] = view.y(x, y);
      }
    const order = (forward) => Array.from({ length: last }, (_, i) => (forward ? i : last - 1 - i));
    const rows = order(Math.cos(this.yaw) < 0);
    const columns = order(Math.sin(this.yaw) < 0);
    const along = Math.abs(Math.cos(this.yaw)) > Math.abs(Math.sin(this.yaw));
    pen.lineWidth = 0.6;
    const cell = (i, j) => {
      const at = j * size + i;
      const corners = [at, at + 1, at + size + 1, at + size];
      const high = (grid[at] + grid[at + 1] + grid[at + size] + grid[at + size + 1]) / 4;
      if (!Number.isFinite(high)) return;
      const slope = grid[at + 1] - grid[at] - (grid[at + size] - grid[at]);
      pen.fillStyle = mix(theme.low, theme.high, Math.min(1, Math.max(0, high + 0.5 + 4 * slope)));
      pen.strokeStyle = theme.level;
      pen.beginPath();
      corners.forEach((corner) => pen.lineTo(px[corner], py[corner]));
      pen.closePath();
      pen.fill();
      pen.stroke();
    };
    if (along) for (const j of rows) for (const i of columns) cell(i, j);
    else for (const i of columns) for (const j of rows) cell(i, j);
  }

  // Returns the point of the surface under a place of the picture, the nearest to the eye; null where there is none.
  under(view, px, py) {
    let best = null;
    let nearest = 14;
    const last = this.size - 1;
    for (let j = 0; j <= last; j++)
      for (let i = 0; i <= last; i++) {
        const x = this.box[0] + ((this.box[1] - this.box[0]) * i) / last;
        const y = this.box[2] + ((this.box[3] - this.box[2]) * j) / last;
        const away = Math.hypot(view.x(x, y) - px, view.y(x, y) - py);
        if (away < nearest) [best, nearest] = [[x, y], away];
      }
    return best;
  }
}

// A colour between two of six hexadecimal digits.
function mix(one, other, share) {
  const parts = [1, 3, 5].map((at) => {
    const [a, b] = [one, other].map((color) => parseInt(color.slice(at, at + 2), 16));
    return Math.round(a + share * (b - a));
  });
  return `rgb(${parts.join()})`;
}
