// @ts-check
import assert from "node:assert/strict";
import test from "node:test";
import { Layer } from "./layer.js";

/** @import { Head, InspectorData, Quantity } from "./types.d.ts" */

/** @type {Head} */
const HEAD = {
  ...{ id: "0/0", name: "1.weight", title: "1", form: "factored", n: 2, k: 1, kernel: null, color: "#000000" },
  ...{ words: "", hasM: true, steps: [0, 10, 20], ranges: {}, kinds: ["indefinite", "positive definite"] },
  ...{ formula: "", marks: [] },
};

/**
 * @param {Partial<Head>} head
 * @param {Record<string, number[]>} arrays by the part of their names after the layer's id
 */
function layer(head, arrays) {
  /** @type {InspectorData} */
  const data = {
    key: "",
    sources: [],
    chosen: { layer: "", see: "P", view: "one", range: "one" },
    matrices: /** @type {any} */ ({}),
  };
  for (const [name, values] of Object.entries(arrays)) data[`0/0/${name}`] = Float32Array.from(values).buffer;
  return new Layer({ ...HEAD, ...head }, data);
}

const learned = { M: [1, 0, 1, 2, 3, 4], scale: [1, 1, 0.5] };

test("a matrix is that of the last snapshot at or before a step", () => {
  const its = layer({}, learned);
  const values = [5, 10, 19, Infinity].map((step) => its.matrix("P", step)).map((P) => [P?.step, ...(P?.values ?? [])]);
  assert.deepEqual(values, [
    [0, 1, 0, 0, 0],
    [10, 1, 2, 2, 4],
    [10, 1, 2, 2, 4],
    [20, 4.5, 6, 6, 8],
  ]);
});

test("M is as wide as it was learned, and no square; P is one", () => {
  const its = layer({ n: 3, k: 2, steps: [0, 10] }, { M: [1, 0, 0, 1, 0, 0, 1, 2, 3, 4, 5, 6], scale: [1, 1] });
  const M = its.matrix("M", 10);
  assert.deepEqual([M?.rows, M?.columns, M?.square, M?.whole], [3, 2, false, true]);
  assert.deepEqual([...(M?.values ?? [])], [1, 2, 3, 4, 5, 6]);
  const P = its.matrix("P", 10);
  assert.deepEqual([P?.rows, P?.columns, P?.square, P?.whole], [3, 3, true, true]);
  assert.deepEqual([...(P?.values ?? [])], [5, 11, 17, 11, 25, 39, 17, 39, 61]);
});

test("a matrix is made once, and no more than a few are kept", () => {
  const steps = Array.from({ length: 40 }, (_, i) => i);
  const its = layer({ steps }, { M: steps.flatMap((i) => [i, 1]), scale: steps.map(() => 1) });
  assert.equal(its.matrix("P", 3), its.matrix("P", 3));
  for (const step of steps) its.matrix("P", step);
  assert.ok(its.kept.size <= 13, `${its.kept.size} are kept`);
  assert.equal(its.matrix("P", 3)?.values[0], 9, "one that was not kept is made anew");
});

test("where only P was kept, or nothing, there is no M", () => {
  assert.equal(layer({ hasM: false }, learned).matrix("M", 10), null);
  assert.equal(layer({ steps: [] }, {}).matrix("P", 10), null);
});

test("a P that was sent is not made of M", () => {
  const its = layer({ steps: [0, 10] }, { ...learned, P: [1, 2, 3, 4, 5, 6, 7, 8] });
  assert.deepEqual([...(its.matrix("change", 99)?.values ?? [])], [4, 6, 7, 7]);
});

test("before the first whole matrix of a large layer there are means over its areas", () => {
  const its = layer(
    { steps: [20], thumbSteps: [0, 10, 20], side: 2, thumbRange: 3, n: 4 },
    { M: [1, 1, 1, 1], scale: [1], thumbs: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12] },
  );
  assert.deepEqual(its.matrix("rest", 15), {
    ...{ values: Float64Array.of(5, 6, 7, 8), rows: 2, columns: 2 },
    ...{ step: 10, whole: false, square: true },
  });
  assert.equal(its.thumbRange, 3);
  for (const quantity of /** @type {Quantity[]} */ (["P", "rest"])) assert.equal(its.matrix(quantity, 20)?.whole, true);
});

test("numbers of the spectrum have their names, or there are none", () => {
  const its = layer({ spectrumSteps: [0, 10] }, { spectrum: [1, 2, 3, 4, 5, 0, 6, 7, 8, 9, 10, 1] });
  assert.deepEqual(its.numbers(12), {
    ...{ least: 6, most: 7, condition: 8, rank: 9, logdet: 10 },
    ...{ kind: "positive definite", step: 10 },
  });
  assert.equal(layer({}, learned).numbers(12), null);
});

test("patterns over an image are there where Python has sent their image and their values", () => {
  const arrays = { pictures: [1, 2, 3, 4] };
  const { pictures } = layer({ image: [1, 2], pictured: [3, 2] }, arrays);
  assert.deepEqual([...(pictures?.vectors ?? [])], [1, 2, 3, 4]);
  assert.deepEqual(
    [pictures?.image, pictures?.values],
    [
      [1, 2],
      [3, 2],
    ],
  );
  assert.equal(layer({ pictured: [3, 2] }, arrays).pictures, null);
  assert.equal(layer({ image: [1, 2], pictured: [3, 2] }, {}).pictures, null);
});

test("marks are of the very snapshot that is shown, and of no thumbnail", () => {
  const its = layer({ marks: [[], ["P ≈ I here"], []] }, learned);
  assert.deepEqual(
    [5, 10, 19, 20].map((step) => its.said(its.matrix("P", step))),
    [[], ["P ≈ I here"], ["P ≈ I here"], []],
  );
  const small = layer({ marks: [[], ["no"], []], thumbSteps: [10], side: 1, steps: [20] }, { ...learned, thumbs: [0] });
  assert.deepEqual(small.said(small.matrix("P", 10)), []);
  assert.deepEqual(its.said(null), []);
});
