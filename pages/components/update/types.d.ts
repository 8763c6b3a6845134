import type { Hex } from "../lib/types.d.ts";

/** pages/trajectories/update.py */
export interface UpdateData {
  runs: Run[];
}

export interface Run {
  name: string;
  color: Hex;
  /** The update in symbols. */
  formula: string;
}
