// @ts-check
// Texts at arrows that point nearly one way: none on another; as fop_core.figures.heads has it.

/** @typedef {{ left: number, y: number, width: number }} Line a line of text: its left edge, its middle, and its width, px */

/**
 * The middle of each text, moved up or down as little as keeps it off those before it.
 *
 * @param {Line[]} texts
 * @param {number} high px of a text
 * @returns {number[]}
 */
export function keptApart(texts, high) {
  /** @type {Line[]} */
  const placed = [];
  for (const text of texts) {
    const beside = placed.filter(({ left, width }) => left < text.left + text.width && text.left < left + width);
    const free = [text.y, ...beside.flatMap(({ y }) => [y + high, y - high])].filter((y) =>
      beside.every((other) => Math.abs(other.y - y) > high - 1e-9),
    );
    const y = free.reduce((best, each) => (Math.abs(each - text.y) < Math.abs(best - text.y) ? each : best));
    placed.push({ ...text, y });
  }
  return placed.map(({ y }) => y);
}
