// @ts-check

/**
 * Takes apart what component.packed put together: four bytes with the length of the JSON, the JSON, then the arrays, whose
 * lengths it has as "arrays". Each array is a copy: bytes arrive at odd offsets.
 *
 * @template T what a component takes: the JSON, and an ArrayBuffer under each array's name
 * @param {Uint8Array} bytes
 * @returns {T}
 */
export function unpacked(bytes) {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const data = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  let at = 4 + length;
  for (const [name, size] of Object.entries(data.arrays)) {
    data[name] = bytes.slice(at, at + size).buffer;
    at += size;
  }
  return data;
}
