// A picture to take away: a PNG that says in itself what it shows.

// Hands a PNG to the browser, which saves it.
async function savePicture(png, title, name) {
  const href = URL.createObjectURL(await titled(png, title));
  Object.assign(document.createElement("a"), { href, download: `${name}.png` }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60_000); // long after the browser has begun to read it
}

const IHDR = 33; // bytes of a PNG up to the end of its first chunk

// A PNG with a title, as its text chunk "iTXt" (UTF-8): a length, the kind, the text, and a checksum of both.
async function titled(png, title) {
  const body = new TextEncoder().encode(`iTXtTitle\0\0\0\0\0${title}`);
  const number = (value) => Uint8Array.from([value >>> 24, value >>> 16, value >>> 8, value]);
  const chunk = [number(body.length - 4), body, number(crc32(body))];
  return new Blob([png.slice(0, IHDR), ...chunk, png.slice(IHDR)], { type: "image/png" });
}

// The checksum of a PNG's chunks (ISO 3309).
function crc32(bytes) {
  let rest = ~0;
  for (const byte of bytes) {
    rest ^= byte;
    for (let bit = 0; bit < 8; bit++) rest = (rest >>> 1) ^ (rest & 1 && 0xedb88320);
  }
  return ~rest;
}
