// @ts-check
// Bundles the components' JavaScript: pages/components/<name>/index.js with all that it imports becomes <name>/bundle.js.
// The player is also made a page of its own, fop_core/figures/player.html: what is installed has no pages/.
// plotly.js goes to static/ as it is: its cartesian build, with all that is drawn here in a third of the whole.
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

/** The page of the player alone: its frame, and what is put into it. */
const PAGE = { file: path.join(COMPONENTS, "../../fop_core/figures/player.html"), frame: "embed/page.html" };
const INTO_PAGE = {
  style: ["player/style.css", "embed/style.css"],
  markup: ["player/markup.html"],
  script: "embed/main.js",
};

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

/** @param {Map<string, string>} files by their paths from COMPONENTS */
function made(files) {
  const sum = createHash("sha256");
  const sources = [...files].sort(([one], [other]) => (one < other ? -1 : 1));
  for (const [file, text] of sources) sum.update(`${file}\n${text}\n`);
  return `Made by scripts/web.sh build of sources with the checksum ${sum.digest("hex")}.`;
}

/** @param {string} entry */
const firstLine = (entry) => `// ${made(gather(entry))}\n`;

/** Everything that the player's page is made of. */
function pageSources() {
  const files = gather(INTO_PAGE.script);
  for (const file of [PAGE.frame, ...INTO_PAGE.style, ...INTO_PAGE.markup])
    files.set(file, readFileSync(path.join(COMPONENTS, file), "utf8"));
  return files;
}

/** The player's page; {{title}}, {{description}} and {{race}} are Python's to fill in. */
async function wholePage() {
  const files = pageSources();
  const text = (/** @type {string[]} */ names) => names.map((name) => files.get(name)).join("");
  const script = await bundled(INTO_PAGE.script);
  if (/<\/script|\{\{\w+\}\}/i.test(script))
    throw new Error("the script cannot stand in a page: it has </script or {{x}}");
  /** @type {Record<string, string>} */
  const parts = {
    sum: `<!-- ${made(files)} -->`,
    style: text(INTO_PAGE.style),
    markup: text(INTO_PAGE.markup),
    script: script.slice(script.indexOf("\n") + 1),
  };
  return text([PAGE.frame]).replace(/\{\{(sum|style|markup|script)\}\}/g, (_, name) => parts[name]);
}

/** @param {string} entry */
async function bundled(entry) {
  const { build } = await import("esbuild");
  const { metafile, outputFiles } = await build({
    absWorkingDir: COMPONENTS,
    entryPoints: [entry],
    bundle: true,
    format: entry === INTO_PAGE.script ? "iife" : "esm",
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

/** plotly.js, of the version that package.json has. */
const PLOTLY = {
  file: path.join(COMPONENTS, "../../static/plotly-cartesian.min.js"),
  version: JSON.parse(readFileSync(path.join(COMPONENTS, "../../package.json"), "utf8")).devDependencies[
    "plotly.js-cartesian-dist-min"
  ],
};

/** What is made: where, how it begins to be known, and all of it. */
const outputs = [
  ...entries.map((entry) => ({
    file: path.join(COMPONENTS, path.dirname(entry), "bundle.js"),
    sum: () => firstLine(entry),
    text: () => bundled(entry),
  })),
  { file: PAGE.file, sum: () => made(pageSources()), text: wholePage },
  {
    file: PLOTLY.file,
    sum: () => `plotly.js (cartesian - minified) v${PLOTLY.version}\n`,
    text: () => readFileSync(fileURLToPath(import.meta.resolve("plotly.js-cartesian-dist-min")), "utf8"),
  },
];

const [task] = process.argv.slice(2);
let stale = 0;
for (const { file, sum, text } of outputs) {
  if (task === "build") {
    writeFileSync(file, await text());
    continue;
  }
  const there = existsSync(file) ? readFileSync(file, "utf8") : "";
  const fresh = task === "sums" ? there.includes(sum()) : there === (await text());
  if (fresh) continue;
  stale++;
  const name = path.relative(path.join(COMPONENTS, "../.."), file);
  console.error(`${name} is not what its sources make: run scripts/web.sh build`);
}
process.exitCode = stale ? 1 : 0;
