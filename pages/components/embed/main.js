// @ts-check
// A page that is one player and needs nothing else: no server, no network.

import { clock } from "../lib/clock.js";
import { box, make, part, write } from "../lib/dom.js";
import { short } from "../lib/numbers.js";
import { unpacked } from "../lib/payload.js";
import { EmbeddedPlayer } from "./embedded.js";

/** @import { EmbedData } from "./types.d.ts" */

/** @param {string} base64 */
const bytes = (base64) => Uint8Array.from(atob(base64.trim()), (letter) => letter.charCodeAt(0));

/** @type {EmbedData} */
const data = unpacked(bytes(part(document, "#fop-race", HTMLScriptElement).text));
const root = box(document, ".fop-player");
const player = new EmbeddedPlayer(root, data);
const show = () => player.show(data, () => {});

// Light or dark as the reader's system, until chosen.
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const toggle = part(document, ".fop-theme", HTMLButtonElement);
const scheme = () => document.documentElement.dataset.scheme ?? (dark.matches ? "dark" : "light");
toggle.onclick = () => {
  document.documentElement.dataset.scheme = scheme() === "dark" ? "light" : "dark";
  show();
};
dark.addEventListener("change", show);

const key = box(document, ".fop-key");
const losses = data.runs.map(({ name, last, ended }) => {
  const item = make("li");
  const loss = make("span", "fop-loss");
  item.append(make("span", "", name), loss);
  key.append(item);
  return { name, loss, last, ended };
});
clock.run = data.followed;
show();
player.go(data.step);
clock.follow(() => {
  for (const { name, loss, last, ended } of losses)
    write(loss, clock.step < last ? `f = ${short(clock.values[name])}` : ended);
});
