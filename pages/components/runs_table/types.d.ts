import type { Hex } from "../lib/types.d.ts";

export interface TableData {
  /** What its rows are, "Runs". */
  what: string;
  columns: Column[];
  rows: Row[];
  /** Ids of the runs that are chosen. */
  chosen: string[];
  /** How many were to be, which may be more than can be. */
  wanted: number;
  most: number;
  /** Which of the colours each pinned run has, by its id, in the order in which they were pinned. */
  pins: Record<string, number>;
  /** That a run can be pinned with; where there are none, none can be. */
  colors: Hex[];
  /** Address of plotly.js, where it will be needed; else "". */
  plotly: string;
}

export interface Column {
  name: string;
  label: string;
  number?: boolean;
  help?: string;
}

/** A run: pages/runs/table.py. */
export interface Row {
  id: string;
  symbol: string;
  /** Of its state. */
  color: Hex;
  /** How far it is, 0 to 1. */
  share: number | null;
  /** One for each column. */
  cells: Cell[];
}

export type Value = string | number | null;

/** A text that is sorted by itself, or a text, what it is sorted by, and what hovering shows. */
export type Cell = string | [words: string, value: Value, hint?: string];

export interface Sort {
  /** Of a column. */
  name: string;
  down: boolean;
  /** Whether it is the second way round of this column. */
  flipped: boolean;
}
