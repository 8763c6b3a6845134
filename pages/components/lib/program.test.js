// @ts-check
import assert from "node:assert/strict";
import test from "node:test";
import { compiled, OPERATIONS, sourceOf } from "./program.js";

/** @param {string} name */
const number = (name) => OPERATIONS.findIndex(([known]) => known === name);

/**
 * The code of a program: of each step its operation and operands.
 *
 * @param {number} inputs
 * @param {number} numbers
 * @param {[string, ...number[]][]} steps
 * @param {number[]} outputs
 */
const code = (inputs, numbers, steps, outputs, single = 0) =>
  Int32Array.from([
    inputs,
    numbers,
    steps.length,
    outputs.length,
    ...steps.flatMap(([name, a, b = 0, c = 0]) => [2 * number(name) + single, a, b, c]),
    ...outputs,
  ]);

/**
 * @param {Int32Array} program
 * @param {number[]} numbers
 * @param {number[]} inputs
 */
function evaluated(program, numbers, inputs) {
  const { text, outputs } = sourceOf(program, Float64Array.from(numbers));
  const results = new Float64Array(outputs);
  compiled(text)(Float64Array.from(inputs), results);
  return [...results];
}

test("a program computes on its inputs and numbers, step by step", () => {
  const program = code(2, 1, [["multiply", 0, 2], ["add", 3, 1], ["less", 4, 0], ["select", 5, 1, 4]], [6, 4]); // biome-ignore format: one line
  assert.deepEqual(evaluated(program, [-0.5], [3, 1]), [1, -0.5]);
  assert.deepEqual(evaluated(program, [2], [3, 1]), [7, 7]);
});

test("a float32 is rounded after each operation", () => {
  const sum = code(2, 0, [["add", 0, 1]], [2], 1);
  assert.deepEqual(evaluated(sum, [], [1, 1e-9]), [1]);
  const [third] = evaluated(code(2, 0, [["divide", 0, 1]], [2], 1), [], [1, 3]);
  assert.equal(third, Math.fround(1 / 3));
});

test("numbers are kept to the last bit, the sign of a zero and infinities with them", () => {
  const numbers = [-0, 5e-324, 0.1 + 0.2, -1.7976931348623157e308, Infinity, -Infinity, NaN];
  const program = code(0, numbers.length, [], [...numbers.keys()]);
  assert.deepEqual(evaluated(program, numbers, []), numbers);
});

test("signs and powers are Python's", () => {
  const sign = code(1, 0, [["sign", 0]], [1]);
  assert.deepEqual([-2, -0, 0, 3, NaN].map((x) => evaluated(sign, [], [x])[0]), [-1, 0, 0, 1, NaN]); // biome-ignore format: one line
  const power = code(2, 0, [["power", 0, 1]], [2]);
  const pairs = [[1, NaN], [-1, Infinity], [-1, -Infinity], [NaN, 0], [-8, 1 / 3], [-0, -1], [2, 0.5]]; // biome-ignore format: one line
  assert.deepEqual(pairs.map((pair) => evaluated(power, [], pair)[0]), [1, 1, 1, 1, NaN, -Infinity, Math.SQRT2]); // biome-ignore format: one line
});

test("conditions are numbers where they are kept, and count as such", () => {
  const program = code(2, 0, [["less", 0, 1], ["not", 2], ["or", 2, 3], ["and", 2, 3], ["add", 0, 2]], [2, 4, 5, 6]); // biome-ignore format: one line
  assert.deepEqual(evaluated(program, [], [1, 2]), [1, 1, 0, 2]);
});

test("programs follow one another", () => {
  const one = code(1, 1, [["add", 0, 1]], [2]);
  const both = Int32Array.from([...one, ...code(1, 1, [["multiply", 0, 1]], [2])]);
  const first = sourceOf(both, Float64Array.of(1, 10));
  const second = sourceOf(both, Float64Array.of(1, 10), first.at, first.from);
  assert.deepEqual([first.at, first.from, second.at, second.from], [one.length, 1, both.length, 2]);
  assert.match(second.text, /v\[0\];\nconst r2=r0\*10;/);
});

test("the same text is the same function", () => {
  const { text } = sourceOf(code(1, 0, [["exp", 0]], [1]), new Float64Array());
  assert.equal(compiled(text), compiled(text));
});

test("a text has nothing but the table's, integers and numbers", () => {
  for (const [name] of OPERATIONS) {
    const { text } = sourceOf(code(3, 1, [[name, 0, 3, 2]], [4]), Float64Array.of(-1e-300));
    assert.match(text, /^[\w[\]=;\s.(),+\-*/<>!?:&|]*$/);
    assert.doesNotThrow(() => compiled(text));
  }
});

test("what is no program is refused", () => {
  const good = [1, 0, 1, 1, 0, 0, 0, 0, 1];
  assert.doesNotThrow(() => sourceOf(Int32Array.from(good), new Float64Array()));
  const bad = [
    [4, 2 * OPERATIONS.length], // an operation
    [4, -2],
    [5, 1], // an operand
    [6, -1],
    [8, 2], // an output
    [0, -1], // counts
    [1, 1],
    [2, 1000],
    [3, 2],
  ];
  for (const [at, entry] of bad)
    assert.throws(() => sourceOf(Int32Array.from(good.with(at, entry)), new Float64Array()), Error, `${at} ${entry}`);
});
