// @ts-check
import assert from "node:assert/strict";
import test from "node:test";
import { unpacked } from "./payload.js";

/**
 * As component.packed does.
 *
 * @param {object} data
 * @param {Record<string, Uint8Array>} arrays
 */
function packed(data, arrays) {
  const lengths = Object.fromEntries(Object.entries(arrays).map(([name, { length }]) => [name, length]));
  const head = new TextEncoder().encode(JSON.stringify({ ...data, arrays: lengths }));
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, head.length, true);
  return new Uint8Array([...length, ...head, ...Object.values(arrays).flatMap((array) => [...array])]);
}

test("JSON and arrays come out as they went in, wherever the bytes begin", () => {
  const floats = new Float32Array([1.5, -2]);
  const bytes = packed({ name: "−∇" }, { a: new Uint8Array(floats.buffer), b: new Uint8Array([7]) });
  for (const offset of [0, 1, 3]) {
    const shifted = new Uint8Array(bytes.length + offset + 5).fill(9);
    shifted.set(bytes, offset);
    /** @type {{ name: string, a: ArrayBuffer, b: ArrayBuffer }} */
    const data = unpacked(shifted.subarray(offset, offset + bytes.length));
    assert.equal(data.name, "−∇");
    assert.deepEqual(new Float32Array(data.a), floats);
    assert.deepEqual(new Uint8Array(data.b), new Uint8Array([7]));
  }
});
