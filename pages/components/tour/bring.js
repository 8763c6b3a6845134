// @ts-check

const PERIOD = 100; // ms
const WAIT = 30_000; // ms at most until it is there
const SETTLING = 1_500; // ms that it is kept in view while the page around it still grows
const HANDS = ["wheel", "touchstart", "pointerdown", "keydown"];

/**
 * Brings a part of the page into view once it is there, unless the reader moves something before; returns how to end that.
 *
 * @param {string} selector
 */
export function bring(selector) {
  const begun = performance.now();
  let from = Infinity;
  const listening = new AbortController();
  const timer = setInterval(() => {
    const now = performance.now();
    const part = document.querySelector(selector);
    if (part?.checkVisibility({ visibilityProperty: true })) {
      from = Math.min(from, now);
      part.scrollIntoView({ block: "center" });
    }
    if (now - begun > WAIT || now - from > SETTLING) end();
  }, PERIOD);
  const end = () => {
    clearInterval(timer);
    listening.abort();
  };
  for (const hand of HANDS) addEventListener(hand, end, { signal: listening.signal, capture: true, passive: true });
  return end;
}
