// @ts-check
// Bundles the components' JavaScript: pages/components/<name>/index.js with all that it imports becomes <name>/bundle.js.
//
//   node scripts/bundle.mjs build   writes the bundles
//   node scripts/bundle.mjs check   fails where a build would write something else
//   node scripts/bundle.mjs sums    fails where a source has changed since its bundle was written; needs no npm
//
// A bundle's first line has a checksum of its sources, which tests/pages/test_bundles.py knows too. Bundles are not
// minified: a change of one can be read in a diff, and a browser's debugger shows the code as it was written.

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const COMPONENTS = fileURLToPath(new URL("../pages/components", import.meta.url));
const IMPORTED = /^(?:import|export|\}) ?[^\n]*"(\.[^"\n]+)";$/gm; // of an import that Biome has formatted

/** Where a component begins: `<name>/index.js`, from COMPONENTS. */
const entries = readdirSync(COMPONENTS, { recursive: true, encoding: "utf8" })
  .filter((file) => path.basename(file) === "index.js")
  .sort();

/**
 * Adds a file and all that it imports, by their paths from COMPONENTS.
 *
 * @param {string} file
 * @param {Map<string, string>} sources
 */
function gather(file, sources = new Map()) {
  if (sources.has(file)) return sources;
  const text = readFileSync(path.join(COMPONENTS, file), "utf8");
  sources.set(file, text);
  for (const [, imported] of text.matchAll(IMPORTED))
    gather(path.posix.join(path.posix.dirname(file), imported), sources);
  return sources;
}

/** @param {string} entry */
function firstLine(entry) {
  const sum = createHash("sha256");
  const sources = [...gather(entry)].sort(([one], [other]) => (one < other ? -1 : 1));
  for (const [file, text] of sources) sum.update(`${file}\n${text}\n`);
  return `// Made by scripts/web.sh build of sources with the checksum ${sum.digest("hex")}.\n`;
}

/** @param {string} entry */
async function bundled(entry) {
  const { build } = await import("esbuild");
  const { metafile, outputFiles } = await build({
    absWorkingDir: COMPONENTS,
    entryPoints: [entry],
    bundle: true,
    format: "esm",
    target: "es2022",
    charset: "utf8",
    metafile: true,
    write: false,
  });
  const known = [...gather(entry).keys()].sort().join();
  const read = Object.keys(metafile.inputs).sort().join();
  if (read !== known) throw new Error(`${entry}: esbuild has read ${read}, and the checksum is of ${known}`);
  return firstLine(entry) + outputFiles[0].text;
}

const [task] = process.argv.slice(2);
let stale = 0;
for (const entry of entries) {
  const bundle = path.join(COMPONENTS, path.dirname(entry), "bundle.js");
  if (task === "build") {
    writeFileSync(bundle, await bundled(entry));
    continue;
  }
  const there = existsSync(bundle) ? readFileSync(bundle, "utf8") : "";
  const fresh = task === "sums" ? there.startsWith(firstLine(entry)) : there === (await bundled(entry));
  if (fresh) continue;
  stale++;
  console.error(
    `pages/components/${path.dirname(entry)}/bundle.js is not what its sources make: run scripts/web.sh build`,
  );
}
process.exitCode = stale ? 1 : 0;
