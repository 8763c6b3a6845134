/** A tour: pages/components/tour/__init__.py. */
export interface TourData {
  stops: Stop[];
}

export interface Stop {
  title: string;
  /** From the app's own address on. */
  address: string;
  sentence: string;
  /** One thing to try. */
  attempt: string;
  /** Selects what it is about where that is far down the page, or "". */
  part: string;
}
