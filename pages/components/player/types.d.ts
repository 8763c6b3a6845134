import type { Hex, Themes } from "../lib/types.d.ts";

/** What the race's rules are in the browser: pages/trajectories/live.py. */
export interface LiveData {
  live: {
    /** Whether numbers are float32. */
    single: boolean;
    /** The race's step limit. */
    steps: number;
    /** Decimals of a start, x and y. */
    digits: [number, number];
    /** Settings that the hand may move, by their names in the page's form: values above 0. */
    settings: Record<string, number>;
    /** Of each run; null for one that stays in Python. */
    runs: (LiveHead | null)[];
  };
  /** int32: the program of the Hessian, then those of all runs, one after another. */
  code: ArrayBuffer;
  /** float64: the value of f below which a run has converged, then the numbers of all programs. */
  numbers: ArrayBuffer;
  /** float64: of each step what is added to the gradient, x and y. */
  noise?: ArrayBuffer;
  /** float64: of each step what the learning rate is multiplied by. */
  factors?: ArrayBuffer;
}

export interface LiveHead {
  /** Of steps. */
  programs: number;
  learns: boolean;
  lr?: LiveSetting;
  hyper_lr?: LiveSetting;
  /** Identifies the run but for these two. */
  key: string;
}

/** A number, or the name of a setting that the hand may move. */
export type LiveSetting = number | string;

/** A race over its surface: pages/trajectories/player.py. Arrays of float32 are of all runs, one after another. */
export interface PlayerData extends Partial<LiveData> {
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
  /** Rules of runs that are not shown, by the page's address. */
  hidden: string[];
  scale: Scale;
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
  scene?: SceneData;
  /** float32 [size, size]: heights from -0.5 to 0.5, NaN where there is no surface. */
  grid?: ArrayBuffer;
}

/** What heights of the surface's picture are of f: fop_core.figures.landscape.Landscape. */
export interface Scale {
  /** What the levels are at values of: "f", "f − f*". */
  quantity: string;
  /** What that is counted from. */
  base: number;
  /** Whether heights are its logarithms to base 10. */
  log: boolean;
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
  /** fop_core.figures.style.METHODS has it under this name. */
  rule: string;
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
  /** x, y, as the optimizer sees it: with its noise. */
  g: Columns;
  /** x, y; NaN where no step is taken. */
  moves: Columns;
  /** xx, xy, yy; null where no P is learned. */
  P: Columns | null;
  H: Columns | null;
  /** ε, where a schedule changes it. */
  rates: ArrayLike<number> | null;
  /** ε else; 1 where a rule has none. */
  rate: number;
  /** Whether past gradients move the point too. */
  momentum: boolean;
}

/** The entries of a vector or a matrix, each at all points. */
export type Columns = ArrayLike<number>[];

/** The points of a run that the browser has computed. */
export interface LiveMotion extends Motion {
  /** The last step. */
  step: number;
  status: "converged" | "step limit" | "diverged";
  /** x and y of g at each point, without noise. */
  g: Columns;
  /** What its steps are made of; whether past gradients move the point does not hang on the hand. */
  made: Omit<Terms, "momentum">;
}

/** A run on its way over the canvas. */
export interface Run extends Motion {
  rule: string;
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
  /** Whether it is of another start, or of other rates, than those under the hand. */
  late?: boolean;
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
