// What a layer learned, as matrices: P of M at a snapshot, quantities of it, its eigenvectors.

// P [n, n] of M [n, k], as fop_core.inspection.preconditioner has it, times a scale.
function preconditioner(M, n, k, form, scale) {
  const P = new Float64Array(n * n);
  if (form === "direct") return P.map((_, i) => M[i] * scale);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = form === "low_rank" && i === j ? 1 : 0;
      for (let a = i * k, b = j * k, end = a + k; a < end; a++, b++) sum += M[a] * M[b];
      P[i * n + j] = P[j * n + i] = sum * scale;
    }
  }
  return P;
}

// A quantity of P: itself, P - I, P over its norm, or what is left after a I + c 11^T is fitted.
function quantityOf(P, n, quantity) {
  const values = Float64Array.from(P);
  if (quantity === "change") for (let i = 0; i < n; i++) values[i * n + i] -= 1;
  if (quantity === "shape") {
    const norm = Math.sqrt(P.reduce((sum, value) => sum + value * value, 0));
    values.forEach((value, i) => (values[i] = value / norm));
  }
  if (quantity === "rest") {
    let [diagonal, all] = [0, 0];
    for (let i = 0; i < n; i++) diagonal += P[i * n + i];
    for (const value of P) all += value;
    const beside = (all - diagonal) / Math.max(n * (n - 1), 1);
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) values[i * n + j] -= i === j ? diagonal / n : beside;
  }
  return values;
}

// Eigenvalues, descending, and eigenvectors of a symmetric matrix, by Jacobi's rotations.
function eigen(matrix, n) {
  const A = Float64Array.from(matrix, (value, at) => (value + matrix[(at % n) * n + Math.floor(at / n)]) / 2);
  const V = new Float64Array(n * n);
  for (let i = 0; i < n; i++) V[i * n + i] = 1;
  const size = Math.sqrt(A.reduce((sum, value) => sum + value * value, 0));
  if (!Number.isFinite(size)) return Array.from({ length: n }, () => ({ value: NaN, vector: new Float64Array(n).fill(NaN) }));
  for (let sweep = 0; sweep < 40; sweep++) {
    let off = 0;
    for (let p = 0; p < n; p++) for (let q = 0; q < p; q++) off += A[p * n + q] ** 2;
    if (!(Math.sqrt(off) > 1e-13 * size)) break;
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        if (A[p * n + q] === 0) continue;
        const theta = (A[q * n + q] - A[p * n + p]) / (2 * A[p * n + q]);
        const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
        const c = 1 / Math.hypot(t, 1);
        const s = t * c;
        for (let i = 0; i < n; i++) {
          const [a, b] = [A[i * n + p], A[i * n + q]];
          A[i * n + p] = c * a - s * b;
          A[i * n + q] = s * a + c * b;
          const [v, w] = [V[i * n + p], V[i * n + q]];
          V[i * n + p] = c * v - s * w;
          V[i * n + q] = s * v + c * w;
        }
        for (let i = 0; i < n; i++) {
          const [a, b] = [A[p * n + i], A[q * n + i]];
          A[p * n + i] = c * a - s * b;
          A[q * n + i] = s * a + c * b;
        }
      }
    }
  }
  const order = [...Array(n).keys()].sort((a, b) => A[b * n + b] - A[a * n + a]);
  return order.map((column) => {
    const vector = Float64Array.from({ length: n }, (_, i) => V[i * n + column]);
    const biggest = vector.reduce((best, value) => (Math.abs(value) > Math.abs(best) + 1e-9 ? value : best), 0);
    return { value: A[column * n + column], vector: biggest < 0 ? vector.map((value) => -value) : vector };
  });
}

// By how much P lengthens the cosine patterns of a kernel of high x wide: v' P v, the constant one first.
function gains(P, [high, wide]) {
  const wave = (size) =>
    Array.from({ length: size }, (_, u) =>
      Array.from({ length: size }, (_, i) => Math.sqrt((u ? 2 : 1) / size) * Math.cos((Math.PI * (2 * i + 1) * u) / (2 * size))),
    );
  const [down, across] = [wave(high), wave(wide)];
  return Float64Array.from({ length: high * wide }, (_, at) => {
    const [u, v] = [Math.floor(at / wide), at % wide];
    const pattern = Float64Array.from({ length: high * wide }, (_, i) => down[u][Math.floor(i / wide)] * across[v][i % wide]);
    let sum = 0;
    for (let i = 0, n = high * wide; i < n; i++) for (let j = 0; j < n; j++) sum += pattern[i] * P[i * n + j] * pattern[j];
    return sum;
  });
}

// One layer of one run: what Python sent of it, and the matrices that follow.
class Layer {
  constructor(head, data) {
    Object.assign(this, head);
    const floats = (name) => (data[name] ? new Float32Array(data[name]) : null);
    this.M = floats(`${head.id}/M`);
    this.scale = floats(`${head.id}/scale`);
    this.spectrum = floats(`${head.id}/spectrum`);
    this.pictures = floats(`${head.id}/pictures`);
    this.thumbs = floats(`${head.id}/thumbs`);
    this.kept = new Map();
  }

  // A quantity at a step: { values, rows, columns, step, whole, square }, or null where nothing was kept. It is whole
  // where these are the true values, and square where rows and columns are the same positions.
  matrix(quantity, step) {
    const large = this.thumbs && !(this.steps.length && step >= this.steps[0]);
    if (large) return this.thumbnail(quantity, step);
    if (!this.steps.length || (quantity === "M" && !this.hasM)) return null;
    const at = before(this.steps, step);
    const key = `${quantity} ${at}`;
    let matrix = this.kept.get(key);
    if (!matrix) {
      const { n, k, form } = this;
      const M = this.form === "mean_removing" ? null : this.M.subarray(at * n * k, (at + 1) * n * k);
      const values =
        quantity === "M" ? Float64Array.from(M) : quantityOf(M ? preconditioner(M, n, k, form, this.scale[at]) : this.fixed(), n, quantity);
      matrix = { values, rows: n, columns: quantity === "M" ? k : n, step: this.steps[at], whole: true, square: quantity !== "M" };
      if (this.kept.size > 12) this.kept.delete(this.kept.keys().next().value);
      this.kept.set(key, matrix);
    }
    return matrix;
  }

  // I - c 11^T/n, of which nothing is learned.
  fixed() {
    const { n } = this;
    return Float64Array.from({ length: n * n }, (_, at) => (at % (n + 1) ? 0 : 1) - this.removed / n);
  }

  thumbnail(quantity, step) {
    const { side, thumbSteps } = this;
    const at = before(thumbSteps, step);
    const area = side * side;
    const values = Float64Array.from(this.thumbs.subarray(at * area, (at + 1) * area));
    return { values, rows: side, columns: side, step: thumbSteps[at], whole: false, square: true };
  }

  // The numbers of the spectrum at a step, or null.
  numbers(step) {
    if (!this.spectrum?.length) return null;
    const at = before(this.spectrumSteps, step);
    const [least, most, condition, rank, logdet, kind] = this.spectrum.subarray(at * 6, at * 6 + 6);
    return { least, most, condition, rank, logdet, kind: this.kinds[kind], step: this.spectrumSteps[at] };
  }
}
