import type { Hex, Themes } from "../lib/types.d.ts";

export interface CursorData {
  /** Identifies the run. */
  key: string;
  /** Of the snapshots, ascending. */
  steps: number[];
  /** What each snapshot is; parts are apart by " · ". */
  captions: string[];
  curves: Curve[];
  /** Steps at which the learning rate fell. */
  falls: number[];
  /** The cursor's step. */
  at: number;
  themes: Themes;
}

export interface Curve {
  name: string;
  x: number[];
  /** Null for a gap. */
  y: (number | null)[];
  /** "" for the theme's muted one. */
  color: Hex | "";
  low: number;
  high: number;
}
