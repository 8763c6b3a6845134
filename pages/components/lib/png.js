// @ts-check

const IHDR = 33; // bytes of a PNG up to the end of its first chunk

/**
 * A PNG that says in itself what it shows, by its text chunk "iTXt" (UTF-8): a length, the kind, the text, and a checksum
 * of both.
 *
 * @param {Blob} png
 * @param {string} title
 */
export function titled(png, title) {
  const body = new TextEncoder().encode(`iTXtTitle\0\0\0\0\0${title}`);
  const chunk = [bigEndian(body.length - 4), body, bigEndian(crc32(body))];
  return new Blob([png.slice(0, IHDR), ...chunk, png.slice(IHDR)], { type: "image/png" });
}

/** @param {number} value 32 bits of it */
const bigEndian = (value) => Uint8Array.from([value >>> 24, value >>> 16, value >>> 8, value]);

/**
 * The checksum of a PNG's chunks (ISO 3309), as 32 bits with a sign.
 *
 * @param {Uint8Array} bytes
 */
export function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 && 0xedb88320);
  }
  return ~crc;
}
