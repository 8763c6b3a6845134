// @ts-check
import assert from "node:assert/strict";
import test from "node:test";
import { schemeOf } from "./theme.js";

test("a background is light or dark by the sum of its parts", () => {
  assert.deepEqual(["#ffffff", "#0e1117", "#808080", "#7f7f80", "#ff8000"].map(schemeOf), [
    "light",
    "dark",
    "light",
    "dark",
    "light",
  ]);
});
