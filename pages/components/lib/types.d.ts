// What the components' modules speak of in common.

import type { Orders } from "../download/orders.js";
import type { Passage } from "../menu/passage.js";
import type { Across } from "./across.js";
import type { Clock } from "./clock.js";
import type { Emphasis } from "./emphasis.js";

/** What Streamlit calls a component's default function with. */
export interface Mount<Data> {
  data: Data;
  parentElement: HTMLElement;
  /** Gives Python a value that stays, as an attribute of the component's state. */
  setStateValue: Send;
  /** Gives Python a value that is there for one run of the page. */
  setTriggerValue: Send;
}

export type Send = (name: string, value: unknown) => void;

/** What the components of a page share at run time; see page.js. */
export interface Page {
  across: Across;
  clock: Clock;
  emphasis: Emphasis;
  orders: Orders;
  /** The way by Back and Forward. */
  passage: Passage;
  player: ShownPlayer | undefined;
  /** Which layer and matrix the inspector shows: what a file that is ordered now is of. */
  screen: Shown;
  /** Title of the page that the menu led to last. */
  title: string;
  plotly: Promise<Plotly>;
  /** Whether the player has played by itself in this visit, or the reader has touched it. */
  opened: boolean;
  /** The tour, while its bar is on the page: `begin` says whether its first stop is the page as it is. */
  tour: { begin: () => boolean };
}

/** A vector of the plane of x and y. */
export type Pair = [x: number, y: number];

/** A symmetric 2 x 2 matrix. */
export type Symmetric = [xx: number, xy: number, yy: number];

/** What a step of a run is made of. */
export interface Parts {
  /** The gradient, as the optimizer sees it. */
  g: Pair;
  P: Symmetric | null;
  H: Symmetric | null;
  /** ε */
  rate: number;
  /** What the step adds to the point; null at the end of the run, from where none is taken. */
  move: Pair | null;
}

/** What a step of a run is made of, and which. */
export interface RunStep extends Parts {
  run: string;
  /** What was to be added to the point, where the step was tried and undone. */
  tried: Pair | null;
  /** Of the run's points: with the same run and index nothing here has changed. */
  index: number;
  /** Which race it is of. */
  race: string;
}

/** What the player shows, for those who save it. */
export interface ShownPlayer {
  /**
   * The part of the plane, and the px of its square, null in three dimensions; there from where, and the picture's size; the
   * run whose steps are shown; and the rules of hidden ones.
   */
  view(): {
    box: number[] | null;
    side: number | null;
    orbit: {
      yaw: number;
      pitch: number;
      zoom: number;
      right: number;
      up: number;
      width: number;
      height: number;
    } | null;
    playing: boolean;
    run: string;
    hidden: string[];
  };
  /** Saves what is seen as a PNG; its name. */
  photograph(): Promise<string>;
}

export interface Shown {
  layer: string;
  see: string;
}

/** "#RRGGBB" */
export type Hex = string;
export type RGB = [red: number, green: number, blue: number];
export type Scheme = "light" | "dark";

/** fop_core.figures.style.Theme */
export interface Colors {
  paper: Hex;
  ink: Hex;
  muted: Hex;
  grid: Hex;
  low: Hex;
  high: Hex;
  level: string;
}

/** One of fop_core.figures.style.themes(). */
export interface Theme {
  template: object;
  /** What is laid on a trace, by its `meta`. */
  roles: Record<string, Tree>;
  colors: Colors;
}

export type Themes = Record<Scheme, Theme>;

/** Nested settings, as of a plotly figure. */
export interface Tree {
  [name: string]: unknown;
}

export interface Figure {
  data: Tree[];
  layout: Tree;
}

/** How an optimizer is drawn: line and symbol. */
export interface Style {
  color: Hex;
  /** As of stroke-dasharray; "" for a solid line. */
  dash: string;
  width: number;
  /** Path of the symbol. */
  glyph: string;
}

/** What is used of plotly.js: its public functions. */
export interface Plotly {
  Icons: Record<string, object>;
  Plots: { resize(node: HTMLElement): void };
  purge(node: HTMLElement): void;
  react(node: HTMLElement, data: Tree[], layout: Tree, config: object): Promise<unknown>;
  relayout(node: HTMLElement, change: Tree): Promise<unknown>;
  restyle(node: HTMLElement, change: Tree, traces: number[]): Promise<unknown>;
  toImage(node: HTMLElement, options: object): Promise<string>;
}

/** A node that plotly.js has drawn on. */
export interface PlotlyNode extends HTMLElement {
  on(event: string, listener: (detail?: Tree) => void): void;
}

declare global {
  var fopLab: Partial<Page> | undefined;
  var Plotly: Plotly | undefined;
}
