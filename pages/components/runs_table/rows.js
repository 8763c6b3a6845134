// @ts-check
// The order of rows, and which are chosen after a click.

/** @import { Cell, Row, Sort, Value } from "./types.d.ts" */

const COLLATOR = new Intl.Collator("en", { numeric: true });

/**
 * @param {Cell} cell
 * @returns {{ words: string, value: Value, hint?: string }}
 */
export function cellOf(cell) {
  if (!Array.isArray(cell)) return { words: cell, value: cell };
  const [words, value, hint] = cell;
  return { words, value, hint };
}

/**
 * Ids in the order of one column's values.
 *
 * @param {string[]} ids in the order of those that are equal
 * @param {(id: string) => Row} rowOf
 * @param {number} column
 * @param {boolean} down
 */
export function sorted(ids, rowOf, column, down) {
  const values = new Map(ids.map((id) => [id, cellOf(rowOf(id).cells[column]).value]));
  return [...ids].sort((one, other) => compared(values.get(one) ?? null, values.get(other) ?? null, down));
}

/**
 * @param {Value} a
 * @param {Value} b
 * @param {boolean} down
 */
function compared(a, b, down) {
  if (a === null || b === null) return Number(a === null) - Number(b === null); // what is not known comes last
  const order = typeof a === "number" && typeof b === "number" ? a - b : COLLATOR.compare(String(a), String(b));
  return down ? -order : order;
}

/**
 * How a column is sorted after a click on its head: numbers the largest first, then the other way round, then not at all.
 *
 * @param {Sort | null} sort as it is
 * @param {string} name of the column
 * @param {boolean} number
 * @returns {Sort | null}
 */
export function sortAfter(sort, name, number) {
  const again = sort?.name === name;
  if (again && sort.flipped) return null;
  return { name, flipped: again, down: number ? !again : again };
}

/**
 * Which colour each pinned run has after a click on a run's pin: a new one has the first that is free.
 *
 * @param {Map<string, number>} pins in the order in which they were pinned
 * @param {string} id of the run
 * @param {number} count of colours
 * @returns {Map<string, number>} as they are where no colour is free
 */
export function pinsAfter(pins, id, count) {
  const after = new Map(pins);
  if (after.delete(id)) return after;
  const used = new Set(after.values());
  const free = Array.from({ length: count }, (_, color) => color).find((color) => !used.has(color));
  if (free !== undefined) after.set(id, free);
  return after;
}

/**
 * Ids with the pinned ones first, in the order in which they were pinned.
 *
 * @param {string[]} ids
 * @param {Map<string, number>} pins
 */
export function pinnedFirst(ids, pins) {
  if (!pins.size) return ids;
  const there = new Set(ids);
  return [...[...pins.keys()].filter((id) => there.has(id)), ...ids.filter((id) => !pins.has(id))];
}

/**
 * Ids that are chosen after a click on a row.
 *
 * @param {string[]} chosen as they are, the last one last
 * @param {string} id of the row
 * @param {string[]} ids of all, in their order
 * @param {{ more: boolean, range: boolean }} click whether the row is one more, and whether all up to it are
 */
export function chosenAfter(chosen, id, ids, { more, range }) {
  const there = chosen.includes(id);
  if (more) {
    const others = chosen.filter((each) => each !== id);
    return there ? others : [...others, id];
  }
  const last = chosen.at(-1);
  if (range && last !== undefined) {
    const [from, to] = [ids.indexOf(last), ids.indexOf(id)].sort((a, b) => a - b);
    return [...new Set([...chosen, ...ids.slice(Math.max(from, 0), to + 1)])];
  }
  return chosen.length === 1 && there ? [] : [id];
}
