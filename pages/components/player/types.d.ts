import type { Hex, Themes } from "../lib/types.d.ts";

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
  runs: RunHead[];
  /** float32: of each run its x, then its y. */
  points: ArrayBuffer;
  /** float32 */
  losses: ArrayBuffer;
  /** uint32: of runs of which not all points were kept, the steps of those that were. */
  kept?: ArrayBuffer;
  /** float32: of each run the angles of g, and of P g where a P is learned. */
  angles?: ArrayBuffer;
  /** Where the surface is shown in three dimensions. */
  scene?: SceneData;
  /** float32 [size, size]: heights from -0.5 to 0.5, NaN where there is no surface. */
  grid?: ArrayBuffer;
}

export interface SceneData {
  size: number;
  box: Box;
  /** Identifies the surface. */
  key: string;
  /** Of x, of y, and of heights. */
  axes: [Axis, Axis, Axis];
  /** Heights of the level lines. */
  levels: [bottom: number, step: number];
  minima: [number, number][];
}

/** An axis of the box around the surface: fop_core.figures.relief.Axis. */
export interface Axis {
  name: string;
  /** Where along the axis, from -0.5 to 0.5. */
  ticks: [at: number, text: string][];
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
  /** px of these that the surface hides. */
  hidden: number;
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
  /** Whether the surface hides what is at a point of it; never, where it is flat. */
  hidden?(x: number, y: number): boolean;
  /**
   * In how many straight pieces the way from one point to another follows the surface: 0 where it is too short to be seen;
   * one, where the surface is flat.
   */
  pieces?(x0: number, y0: number, x1: number, y1: number): number;
}

/** A view from above, which leads back to the plane. */
export interface FlatView extends View {
  toX(px: number): number;
  toY(py: number): number;
}
