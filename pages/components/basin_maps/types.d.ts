import type { Colors, Hex, Scheme, Style } from "../lib/types.d.ts";

/** Maps of cells side by side: pages/basins/widget.py. */
export interface BasinsData {
  x: Axis;
  y: Axis;
  /** What a cell's position is called, of {x} and {y}. */
  spot: string;
  /** Where the minima are, as shares of width and height. */
  crosses: [number, number][];
  ring: [number, number] | null;
  /** Of the maps. */
  titles: string[];
  maps: (Style & { words: string })[];
  /** What keys do. */
  opens: string;
  themes: Record<Scheme, Colors>;
  minima: Minimum[];
  /** Steps of the fastest and the slowest colour. */
  range: [number, number];
  /** The most steps. */
  limit: number;
  /** uint8 [maps, rows, columns]: the minimum + 1 (0 for none) in the lower four bits, and how it ended above them. */
  kinds: ArrayBuffer;
  /** uint16 [maps, rows, columns] */
  steps: ArrayBuffer;
}

export interface Axis {
  title: string;
  /** What each cell's position on it is called. */
  cells: string[];
  /** Shares of it, and which numbers stand there. */
  ticks: [number, string][];
}

export interface Minimum {
  name: string;
  color: Hex;
  note: string;
}
