import type { Scheme, Shown, ShownPlayer } from "../lib/types.d.ts";

/** A file that was clicked for; Python's _request takes it with the number of the part that is wanted. */
export interface Order {
  id: string;
  /** Of the button. */
  key: string;
  /** What the file would be of: a click on what is no longer shown is refused. */
  of: string;
  screen: Partial<Shown> & Partial<ReturnType<ShownPlayer["view"]>> & { step: number | null; theme?: Scheme };
  /** Path of the page on which it was clicked. */
  page: string;
}

/** `again`: how often it was asked for in vain. */
export type Request = Order & { part: number; again: number };

/** What Python says of a request: an error, or a part of the file. */
export type Answer = { id: string; part: number } & (
  | { error: ""; name: string; kind: string; count: number }
  | { error: string; name?: undefined; kind?: undefined; count?: undefined }
);

export interface CourierData {
  answer: Answer | null;
  content: ArrayBuffer;
}

export interface ButtonData {
  label: string;
  key: string;
  of: string;
  primary: boolean;
  /** Whether the player makes the file. */
  camera: boolean;
}
