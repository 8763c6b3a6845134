// @ts-check
// What the player shows, for the buttons that save it: other components, which know it by the page alone.

import { emphasis } from "../lib/emphasis.js";
import { page } from "../lib/page.js";
import { photograph } from "./camera.js";

/** @import { ShownPlayer } from "../lib/types.d.ts" */
/** @import { Player } from "./player.js" */

/**
 * Has a player be the page's; returns how to end that.
 *
 * @param {Player} player
 */
export function publish(player) {
  /** @type {ShownPlayer} */
  const shown = {
    view() {
      const drawn = player.solid ? null : player.axes();
      const box = drawn && [...drawn.x.range, ...drawn.y.range];
      const side = drawn ? drawn.x.length : null;
      const { width, height } = player.bounds;
      const orbit = player.solid && { ...player.solid.orbit, width, height };
      const hidden = [...emphasis.hidden];
      return { box, side, orbit, playing: player.playing, run: player.followed?.name ?? "", hidden };
    },
    async photograph() {
      if (!globalThis.Plotly) throw new Error("the surface is not drawn yet");
      return photograph(player, globalThis.Plotly);
    },
  };
  page.player = shown;
  return () => {
    if (page.player === shown) page.player = undefined;
  };
}
