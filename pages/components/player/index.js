// @ts-check
import { box } from "../lib/dom.js";
import { atUnmount, inOrder, living } from "../lib/lifetime.js";
import { unpacked } from "../lib/payload.js";
import { Player } from "./player.js";
import { publish } from "./shown.js";

/** @import { Mount } from "../lib/types.d.ts" */
/** @import { PlayerData } from "./types.d.ts" */

/**
 * Plays a race over a surface. Called when it appears, and again with new data or another theme; what lives through that
 * (zoom, step, whether it plays) is kept on the element.
 *
 * @param {Mount<Uint8Array>} mount
 */
function show({ data, parentElement, setTriggerValue }) {
  const root = box(parentElement, ".fop-player");
  /** @type {PlayerData} */
  const shown = unpacked(data);
  const player = living(root, () => new Player(root, shown, setTriggerValue));
  player.show(shown, setTriggerValue);
  const withdraw = publish(player);
  return atUnmount(root, () => {
    withdraw();
    player.leave();
  });
}

export default inOrder(show);
