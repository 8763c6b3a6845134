// @ts-check

/**
 * A number with three significant digits, as fop_core.figures.style.number writes it.
 *
 * @param {number} value
 */
export function short(value) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "not a number" : value > 0 ? "∞" : "−∞";
  const size = Math.abs(Number(value.toPrecision(3)));
  return written(value, size).replace("-", "−");
}

/**
 * @param {number} value
 * @param {number} size its own, rounded
 */
function written(value, size) {
  if (size === 0) return "0";
  if (size < 1e-4 || size >= 1e6) return value.toExponential(2).replace(/\.?0*e\+?/, "e");
  const digits = Math.max(0, 2 - Math.floor(Math.log10(size)));
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/**
 * A count with commas: 1,760.
 *
 * @param {number} value
 */
export const count = (value) => value.toLocaleString("en");

/**
 * @param {number} value
 * @param {number} low
 * @param {number} high
 */
export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
