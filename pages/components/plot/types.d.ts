import type { Themes } from "../lib/types.d.ts";

export interface PlotData {
  /** A plotly figure as JSON. */
  figure: string;
  themes: Themes;
  alt: string;
  /** Width / height of the space inside the margins. */
  aspect: number;
  /** The least and the most px of the whole. */
  heights: [number, number];
  /** Whether a line shows where the player is. */
  follows: boolean;
  frames: Frames | null;
  /** Figures with the same one have one axis across; "" for none. */
  across: string;
  /** Whether a click on a point is sent, as the point's own data: a key and where it stands. */
  clicks: boolean;
  margin: { l?: number; r?: number; t?: number; b?: number };
  /** Address of plotly.js. */
  source: string;
  /** Name of a picture that is saved, without its ending. */
  file: string;
  title: string;
}

/** fop_core.figures.learned_curves.Frames */
export interface Frames {
  /** Ascending; a frame holds from its step on. */
  steps: number[];
  traces: number[];
  /** Of each frame, of each trace, its heights. */
  y: Heights[][];
}

export type Heights = (number | null)[];
