// @ts-check
import assert from "node:assert/strict";
import test from "node:test";
import { deflateSync } from "node:zlib";
import { crc32, titled } from "./png.js";

/**
 * @param {string} kind
 * @param {Uint8Array} content
 */
function chunk(kind, content) {
  const body = Buffer.concat([Buffer.from(kind), content]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(content.length);
  sum.writeInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

const SIGNATURE = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
const IHDR = chunk("IHDR", Buffer.from([0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]));
const CHUNKS = Buffer.concat([chunk("IDAT", deflateSync(Buffer.from([0, 255]))), chunk("IEND", Buffer.alloc(0))]);

test("the checksum is ISO 3309's", () => {
  assert.equal(crc32(Buffer.from("123456789")) >>> 0, 0xcbf43926);
  assert.equal(crc32(Buffer.from("IEND")) >>> 0, 0xae426082);
});

test("a title stands behind the header as a chunk of its own, and all else is as it was", async () => {
  const title = "A race on Booth, step 1,760 − ∇f";
  const image = titled(new Blob([SIGNATURE, IHDR, CHUNKS]), title);
  assert.equal(image.type, "image/png");
  const bytes = Buffer.from(await image.arrayBuffer());
  const head = Buffer.concat([SIGNATURE, IHDR]);
  const inserted = bytes.subarray(head.length, bytes.length - CHUNKS.length);
  assert.deepEqual(bytes.subarray(0, head.length), head);
  assert.deepEqual(bytes.subarray(bytes.length - CHUNKS.length), CHUNKS);
  // Keyword, a zero, no compression, its method, no language, no translated keyword, UTF-8.
  assert.deepEqual(inserted, chunk("iTXt", Buffer.from(`Title\0\0\0\0\0${title}`)));
});
