// @ts-check

/**
 * A number with three significant digits, as fop_core.formatting.number writes it: 0.00500, 1e-6, 3.58, 1,230, −1.2e9.
 *
 * @param {number} value
 */
export function short(value) {
  const [sign, size] = [value < 0 ? "−" : "", Math.abs(value)];
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "not a number" : `${sign}∞`;
  if (value === 0) return "0";
  const [mantissa, power] = size.toExponential(2).split("e").map(Number);
  if (power < -4 || power >= 6) return `${sign}${mantissa}e${power}`;
  return sign + (power < 3 ? size.toFixed(2 - power) : count(Math.round(size)));
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
