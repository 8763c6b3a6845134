// @ts-check
import assert from "node:assert/strict";
import test from "node:test";
import { blend, css, pixel, rgb } from "./colors.js";

test("a colour is read, mixed and written in the order red, green, blue", () => {
  assert.deepEqual(rgb("#2A62C4"), [0x2a, 0x62, 0xc4]);
  assert.equal(css([1, 20, 255]), "rgb(1,20,255)");
  assert.deepEqual(blend([100, 0, 255], [0, 100, 255], 0.25), [25, 75, 255]);
});

test("a pixel's bytes are red, green, blue, opaque", () => {
  assert.deepEqual([...new Uint8Array(Uint32Array.of(pixel([1, 2, 254])).buffer)], [1, 2, 254, 255]);
});
