// @ts-check
import assert from "node:assert/strict";
import test from "node:test";
import { bandsOf, nameOf } from "./bar.js";

test("a bar has a band below its lowest level and one above its highest, and labels at powers of ten", () => {
  const { bands, labels } = bandsOf({ start: -1, end: 2.2, size: 0.2 }, { log: true });
  assert.equal(bands, 18);
  assert.deepEqual(
    labels.map(({ text }) => text),
    ["0.1", "1", "10", "100"],
  );
  assert.equal(labels[0].share, 1 / 18, "the lowest level is where the second band begins");
  assert.equal(labels[1].share, 6 / 18);
});

test("levels of f itself, and those within one power of ten, are labelled by what they are", () => {
  const plain = bandsOf({ start: -12, end: 12, size: 2 }, { log: false });
  assert.equal(plain.bands, 14);
  assert.deepEqual(
    plain.labels.map(({ text }) => text),
    ["−12", "−4", "4", "12"],
  );
  const narrow = bandsOf({ start: 0.2, end: 0.4, size: 0.1 }, { log: true });
  assert.deepEqual(
    narrow.labels.map(({ text }) => text),
    ["1.58", "2", "2.51"],
  );
});

test("many powers of ten have few labels, and one level has one", () => {
  const { labels } = bandsOf({ start: -8, end: 7, size: 1 }, { log: true });
  assert.deepEqual(
    labels.map(({ text }) => text),
    ["1e-8", "0.001", "100", "1e7"],
  );
  assert.deepEqual(bandsOf({ start: 0, end: 0, size: 1 }, { log: false }), {
    bands: 2,
    labels: [{ share: 0.5, text: "0" }],
  });
});

test("a level's name has no zeros at its end but those of a whole number", () => {
  assert.deepEqual(
    [nameOf(2, { log: true }), nameOf(-1, { log: true }), nameOf(50, { log: false }), nameOf(1.5, { log: false })],
    ["100", "0.1", "50", "1.5"],
  );
});
