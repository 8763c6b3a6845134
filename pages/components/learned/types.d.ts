import type { Hex } from "../lib/types.d.ts";

export interface LearnedData {
  runs: Run[];
}

/** A run that learned a P: pages/trajectories/learned.py. */
export interface Run {
  name: string;
  color: Hex;
  /** Ascending; what P and H have of each. */
  steps: number[];
  P: Axes[];
  H: Axes[];
}

/** A symmetric 2 x 2 matrix: angle of its first eigenvector, both eigenvalues. All null where it is not finite. */
export type Axes = [angle: number | null, large: number | null, small: number | null];
