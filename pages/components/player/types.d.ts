import type { Hex, Parts, Themes } from "../lib/types.d.ts";

/** A race over its surface: pages/trajectories/player.py. Arrays of float32 are of all runs, one after another. */
export interface PlayerData {
  /** The surface as a plotly figure in JSON. */
  figure: string;
  themes: Themes;
  margin: { l: number; r: number; t: number; b: number };
  /** Address of plotly.js. */
  source: string;
  alt: string;
  /** Identifies the race. */
  race: string;
  /** Name of a picture that is saved, without its ending. */
  file: string;
  title: string;
  start: [number, number];
  /** How often the reader has set a start. */
  clicks: number;
  /** Whether time is logarithmic. */
  log: boolean;
  /** Whether this is the scene that the page opens with. */
  opening: boolean;
  runs: RunHead[];
  /** float32: of each run its x, then its y. */
  points: ArrayBuffer;
  /** float32 */
  losses: ArrayBuffer;
  /** uint32: of runs of which not all points were kept, the steps of those that were. */
  kept?: ArrayBuffer;
  /** float32: of each run the angles of g, and of P g where a P is learned. */
  angles?: ArrayBuffer;
  /** float32: of each run the x, then the y of g. */
  gradients: ArrayBuffer;
  /** float32: likewise of what each step adds to the point. */
  moves: ArrayBuffer;
  /** float64: of each run that learns a P its xx, xy and yy, then those of H. */
  matrices: ArrayBuffer;
  /** float32: ε at each point, of the runs that have a schedule. */
  rates: ArrayBuffer;
  /** Where the surface is shown in three dimensions. */
  scene?: { size: number; box: Box; key: string };
  /** float32 [size, size]: heights from -0.5 to 0.5. */
  grid?: ArrayBuffer;
}

export type Box = [left: number, right: number, bottom: number, top: number];

export interface RunHead {
  name: string;
  color: Hex;
  /** As of setLineDash; none for a solid line. */
  dash: number[];
  width: number;
  /** Path of the symbol. */
  glyph: string;
  bold: boolean;
  /** Points. */
  count: number;
  downsampled: boolean;
  learns: boolean;
  arrows: boolean;
  /** ε without a schedule; 1 where there is none. */
  rate: number;
  scheduled: boolean;
  /** Whether past gradients move it too. */
  momentum: boolean;
  label: Label;
}

/** The label at the end of a run. */
export interface Label {
  text: string;
  /** The end. */
  at: [number, number];
  /** px from there. */
  dx: number;
  dy: number;
  anchor: "left" | "right" | "center";
}

/** The points of a run. */
export interface Motion {
  count: number;
  x: ArrayLike<number>;
  y: ArrayLike<number>;
  losses: ArrayLike<number>;
  /** Of the points, where not all were kept; null where point n is step n. */
  steps: ArrayLike<number> | null;
  /** Angles of g and of P g; null where none are shown, or no P is learned. */
  arrows: { gradient: ArrayLike<number>; preconditioned: ArrayLike<number> | null } | null;
  /** What its steps are made of; without it nothing of that is shown. */
  terms?: Terms;
}

/** Of all points of a run what the next step is made of. */
export interface Terms {
  /** x, y */
  g: Columns;
  /** x, y; NaN where no step is taken. */
  moves: Columns;
  /** xx, xy, yy; null where no P is learned. */
  P: Columns | null;
  H: Columns | null;
  /** ε, where a schedule changes it. */
  rates: ArrayLike<number> | null;
  /** ε else. */
  rate: number;
  /** Whether past gradients move the point too. */
  momentum: boolean;
}

/** The entries of a vector or a matrix, each at all points. */
export type Columns = ArrayLike<number>[];

/** What a step is made of, between two points perhaps, for the eye to follow. */
export interface Step extends Parts {
  index: number;
}

/** A run on its way over the canvas. */
export interface Run extends Motion {
  name: string;
  color: Hex;
  dash: number[];
  width: number;
  glyph: Path2D;
  bold: boolean;
  label: Label;
  /** The last point to which its path is drawn; -1 for none. */
  drawn: number;
  /** px of the path so far. */
  length: number;
  /** The path's end, px. */
  px: number;
  py: number;
}

/** A rectangle of the picture, px. */
export interface Area {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** Where the points of the plane are in a rectangle of the picture, px. */
export interface View extends Area {
  /** Width of the plane that is seen. */
  span: number;
  /** Identifies the view. */
  key: string;
  x(x: number, y: number): number;
  y(x: number, y: number): number;
}

/** A view from above, which leads back to the plane. */
export interface FlatView extends View {
  toX(px: number): number;
  toY(py: number): number;
}
