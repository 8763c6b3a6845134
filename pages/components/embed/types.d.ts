import type { Box, PlayerData, RunHead } from "../player/types.d.ts";

/** A race in a page of its own: fop_core/figures/web.py. What belongs to plotly or to Python is empty. */
export interface EmbedData extends PlayerData {
  /** What the race is, and what was run. */
  description: string;
  /** The step at which it begins to be shown. */
  step: number;
  /** Name of the run whose steps are shown; "" for the player's own choice. */
  followed: string;
  /** The part of the plane that is shown; a square. */
  view: Box;
  ground: {
    size: number;
    box: Box;
    /** The highest height. */
    top: number;
    /** What the lowest level is, and how far it is to the next. */
    bottom: number;
    step: number;
    minima: [number, number][];
    /** Numbers beside the axes, and what is written there. */
    ticks: { x: [number, string][]; y: [number, string][] };
  };
  /** float32 [size, size]: heights in levels, the lowest at 0, the first row at the bottom; NaN where f is no number. */
  heights: ArrayBuffer;
  /** With the last step of each, and what is said of it from then on. */
  runs: (RunHead & { last: number; ended: string })[];
}

/** A surface on a grid. */
export interface Heights {
  values: ArrayLike<number>;
  size: number;
  box: Box;
  top: number;
}
