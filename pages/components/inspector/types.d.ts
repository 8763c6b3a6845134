import type { Hex } from "../lib/types.d.ts";

/** The matrices of a run, and of a second one beside it: pages/preconditioners/inspector.py. */
export interface InspectorData {
  /** Identifies both. */
  key: string;
  sources: { name: string; layers: Head[] }[];
  chosen: Chosen;
  /** What can be seen of a layer. */
  matrices: Record<Quantity, { name: string; means: string }>;
  /** Under `<id of a layer>/<M, scale, P, spectrum, pictures or thumbs>`: float32; P where it is not made of M here. */
  [array: `${string}/${string}`]: ArrayBuffer;
}

export interface Chosen {
  layer: string;
  see: Quantity;
  view: "one" | "all";
  /** Whether matrices side by side have one range of colours, or each its own. */
  range: "one" | "own";
}

export type Quantity = "change" | "P" | "shape" | "rest" | "M";
export type Kernel = [high: number, wide: number];

/** What Python sends of a layer. */
export interface Head {
  /** What its arrays' names begin with. */
  id: string;
  name: string;
  title: string;
  /** Of its preconditioner: a name in fop_core/optim/forms.py. */
  form: string;
  /** P is [n, n]; 0 where it is no matrix. */
  n: number;
  /** M is [n, k]. */
  k: number;
  kernel: Kernel | null;
  color: Hex;
  words: string;
  hasM: boolean;
  /** Of the snapshots of M, ascending. */
  steps: number[];
  /** What stands out in P at each of them, in words. */
  marks: string[][];
  /** The largest size of an entry over all snapshots. */
  ranges: Partial<Record<Quantity, number>>;
  /** Names of what P can be, by the last number of a spectrum. */
  kinds: string[];
  formula: string;
  spectrumSteps?: number[];
  thumbSteps?: number[];
  /** Cells of a thumbnail each way. */
  side?: number;
  thumbRange?: number;
  /** Height and width of the images that are the layer's inputs. */
  image?: Kernel;
  /** Eigenvalues of `pictures`. */
  pictured?: number[];
}

/** Rows x columns of values, row after row. */
export interface Grid {
  values: Float64Array;
  rows: number;
  columns: number;
}

/** A quantity of a layer at a snapshot. */
export interface Matrix extends Grid {
  step: number;
  /** Whether these are the true values, not means over areas. */
  whole: boolean;
  /** Whether rows and columns are the same positions. */
  square: boolean;
  /** The largest size of a value, once it is known. */
  most?: number;
}

/** What is known of P's eigenvalues at a step. */
export interface Spectrum {
  least: number;
  most: number;
  condition: number;
  rank: number;
  logdet: number;
  kind: string;
  step: number;
}
