import type { Style } from "../lib/types.d.ts";

export interface ReadoutData {
  rows: Row[];
}

/** What the table says of a run: pages/trajectories/readout.py. */
export interface Row extends Style {
  /** As of a player's run. */
  rule: string;
  name: string;
  status: "converged" | "diverged" | "step limit";
  steps: string;
  reason: string;
  end: string;
  /** Count of steps; null where none was published. */
  published: string | null;
  matches: boolean;
}
