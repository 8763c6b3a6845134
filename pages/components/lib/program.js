// @ts-check
// Straight-line programs of Python's toy_functions/tracing.py as functions of JavaScript, with the same bits where IEEE 754
// decides them: + − × ÷ √, comparisons, choices. A sine or a power can differ from Python's in the last digits.
//
// The text of a function is made of the table below, of integers and of number literals alone, all of them from typed
// arrays: nothing that comes from elsewhere can become code.

/** @typedef {(inputs: Float64Array, outputs: Float64Array) => void} Program reads all inputs before it writes an output */

/** What each operation is in JavaScript; by name and in the order of OPERATIONS of tracing.py. */
export const OPERATIONS = /** @type {[name: string, text: (a: string, b: string, c: string) => string][]} */ ([
  ["add", (a, b) => `${a}+${b}`],
  ["subtract", (a, b) => `${a}-${b}`],
  ["multiply", (a, b) => `${a}*${b}`],
  ["divide", (a, b) => `${a}/${b}`],
  // As in C, 1 to any power is 1, and so is −1 to an infinite one.
  ["power", (a, b) => `${a}===1||(${a}===-1&&Math.abs(${b})===Infinity)?1:Math.pow(${a},${b})`],
  ["negate", (a) => `-${a}`],
  ["absolute", (a) => `Math.abs(${a})`],
  ["sqrt", (a) => `Math.sqrt(${a})`],
  ["exp", (a) => `Math.exp(${a})`],
  ["expm1", (a) => `Math.expm1(${a})`],
  ["log", (a) => `Math.log(${a})`],
  ["log2", (a) => `Math.log2(${a})`],
  ["log10", (a) => `Math.log10(${a})`],
  ["sin", (a) => `Math.sin(${a})`],
  ["cos", (a) => `Math.cos(${a})`],
  ["tan", (a) => `Math.tan(${a})`],
  ["asin", (a) => `Math.asin(${a})`],
  ["acos", (a) => `Math.acos(${a})`],
  ["atan", (a) => `Math.atan(${a})`],
  ["sinh", (a) => `Math.sinh(${a})`],
  ["cosh", (a) => `Math.cosh(${a})`],
  ["tanh", (a) => `Math.tanh(${a})`],
  ["sign", (a) => `${a}>0?1:${a}<0?-1:${a}===0?0:NaN`], // Math.sign keeps the sign of a zero
  ["less", (a, b) => `${a}<${b}`],
  ["less_equal", (a, b) => `${a}<=${b}`],
  ["equal", (a, b) => `${a}===${b}`],
  ["not_equal", (a, b) => `${a}!==${b}`],
  ["and", (a, b) => `${a}&&${b}`],
  ["or", (a, b) => `${a}||${b}`],
  ["not", (a) => `!${a}`],
  ["select", (a, b, c) => `${a}?${b}:${c}`],
  ["single", (a) => `Math.fround(${a})`],
]);

/** @param {number} number */
const literal = (number) => (Object.is(number, -0) || number < 0 ? `(-${Math.abs(number)})` : `${number}`);

/**
 * The program that begins at an index of the code and of its numbers, as StraightLine.packed of tracing.py writes it, as
 * the text of a function's body; and where the next one begins.
 *
 * @param {Int32Array} code
 * @param {Float64Array} numbers
 * @param {number} at
 * @param {number} from
 */
export function sourceOf(code, numbers, at = 0, from = 0) {
  const [inputs, constants, steps, outputs] = code.subarray(at, at + 4);
  const end = at + 4 + 4 * steps + outputs;
  if (!(Math.min(inputs, constants, steps, outputs) >= 0 && end <= code.length && from + constants <= numbers.length))
    throw new Error(`no program of ${inputs} inputs, ${constants} numbers and ${steps} operations is there`);
  /** @type {string[]} */
  const registers = [];
  /** @type {string[]} */
  const lines = [];
  /** @param {number} index */
  const register = (index) => {
    if (!(index >= 0 && index < registers.length)) throw new Error(`register ${index} has no number yet`);
    return registers[index];
  };
  /** @param {string} text */
  const keep = (text) => {
    const name = `r${registers.length}`;
    lines.push(`const ${name}=${text};`);
    registers.push(name);
  };
  for (let i = 0; i < inputs; i++) keep(`v[${i}]`);
  for (let i = 0; i < constants; i++) registers.push(literal(numbers[from + i]));
  for (let i = 0; i < steps; i++) {
    const [operation, a, b, c] = code.subarray(at + 4 + 4 * i, at + 8 + 4 * i);
    const known = OPERATIONS[operation >> 1];
    if (!known) throw new Error(`there is no operation ${operation >> 1}`);
    const text = known[1](register(a), register(b), register(c));
    keep(operation & 1 ? `Math.fround(${text})` : text);
  }
  for (let i = 0; i < outputs; i++) lines.push(`o[${i}]=${register(code[end - outputs + i])};`);
  return { text: lines.join("\n"), inputs, outputs, at: end, from: from + constants };
}

const KEPT = 64; // functions, which are quick once the browser has seen them often
/** @type {Map<string, Program>} */
const functions = new Map();

/**
 * The function of a program's text.
 *
 * @param {string} text of sourceOf
 */
export function compiled(text) {
  const program = functions.get(text) ?? /** @type {Program} */ (new Function("v", "o", text));
  functions.delete(text);
  functions.set(text, program); // the latest stand last
  for (const oldest of functions.keys()) {
    if (functions.size <= KEPT) break;
    functions.delete(oldest);
  }
  return program;
}
