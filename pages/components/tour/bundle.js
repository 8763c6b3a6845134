// Made by scripts/web.sh build of sources with the checksum 480c6a428cc3710fb7ae90bb3ce2e79e6d38e0fd04d2c6274fcd2312fd14dc0b.
// lib/dom.js
function part(root, selector, Kind) {
  const element = root.querySelector(selector);
  if (element instanceof Kind) return element;
  throw new Error(`the markup has no ${Kind.name} ${selector}`);
}
var box = (root, selector) => part(root, selector, HTMLElement);

// lib/page.js
globalThis.fopLab ??= {};
var page = globalThis.fopLab;

// lib/lifetime.js
function living(root, make) {
  const holder = (
    /** @type {Kept<T>} */
    root
  );
  holder.fop ??= make();
  return holder.fop;
}
function atUnmount(root, leave) {
  const holder = (
    /** @type {Kept<unknown>} */
    root
  );
  const call = {};
  holder.fopCall = call;
  return () => {
    if (holder.fopCall !== call) return;
    leave();
    holder.fop = void 0;
  };
}
function unlessLeaving(mount) {
  const sends = ["setStateValue", "setTriggerValue"].filter((name) => name in Object(mount));
  if (!sends.length) return mount;
  const all = (
    /** @type {Record<string, (...what: unknown[]) => void>} */
    mount
  );
  const quiet = sends.map((name) => {
    const send = (...what) => void (page.passage?.leaves() || all[name]?.(...what));
    return [name, send];
  });
  return { ...mount, ...Object.fromEntries(quiet) };
}
var inOrder = (show2) => (mount) => {
  let leave;
  const waiting = setTimeout(() => {
    leave = show2(unlessLeaving(mount));
  });
  return () => {
    clearTimeout(waiting);
    leave?.();
  };
};

// tour/bring.js
var PERIOD = 100;
var WAIT = 3e4;
var SETTLING = 1500;
var HANDS = ["wheel", "touchstart", "pointerdown", "keydown"];
function bring(selector) {
  const begun = performance.now();
  let from = Infinity;
  const listening = new AbortController();
  const timer = setInterval(() => {
    const now = performance.now();
    const part2 = document.querySelector(selector);
    if (part2?.checkVisibility({ visibilityProperty: true })) {
      from = Math.min(from, now);
      part2.scrollIntoView({ block: "center" });
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

// tour/stored.js
var KEY = "fop-tour";
var ENDED = "ended";
var INVITATION = 0;
function shown(stored, opening, here, count) {
  const stop = Number(stored);
  if (Number.isInteger(stop) && stop >= 1 && stop <= count) return here || stop;
  return stored !== ENDED && opening ? INVITATION : null;
}

// tour/tour.js
var WALKED = "fop-tour-walked";
var Tour = class _Tour {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.count = box(root, ".fop-tour-count");
    this.title = part(root, ".fop-tour-title", HTMLAnchorElement);
    this.sentence = box(root, ".fop-tour-sentence");
    this.attempt = box(root, ".fop-tour-attempt");
    this.back = part(root, ".fop-tour-back", HTMLAnchorElement);
    this.next = part(root, ".fop-tour-next", HTMLAnchorElement);
    this.skip = box(root, ".fop-tour-skip");
    this.stops = [];
    this.stop = INVITATION;
    this.brought = "";
    this.leaveIt = () => {
    };
    this.opening = _Tour.url("") === window.location.href;
    this.sizes = new ResizeObserver(() => this.makeRoom());
    this.sizes.observe(root);
    this.back.onclick = (event) => this.follow(event, this.stop - 1);
    this.next.onclick = (event) => this.follow(event, this.stop + 1);
    this.skip.onclick = () => this.end();
    this.offer = { begin: () => this.go(1) };
    page.tour = this.offer;
  }
  /** @param {TourData} data */
  show({ stops }) {
    this.stops = stops;
    const here = 1 + stops.findIndex(({ address }) => _Tour.url(address) === window.location.href);
    const stop = shown(window.localStorage.getItem(KEY), this.opening, here, stops.length);
    this.root.hidden = stop === null;
    if (stop !== null) {
      this.stop = stop;
      if (stop === INVITATION) this.invite();
      else {
        this.describe(stops[stop - 1]);
        if (stop === here) this.bring(stops[stop - 1]);
      }
    }
    this.makeRoom();
    if (stop === null) return;
    if (window.sessionStorage.getItem(WALKED)) this.root.focus({ preventScroll: true });
    window.sessionStorage.removeItem(WALKED);
  }
  invite() {
    this.root.setAttribute("aria-label", "Tour");
    this.count.textContent = "";
    this.title.textContent = "New here?";
    this.title.removeAttribute("href");
    this.sentence.textContent = `A tour of ${this.stops.length} stops, each with one thing to try.`;
    this.attempt.textContent = "";
    this.back.hidden = true;
    this.lead(this.next, 1, "Start the tour");
    this.skip.textContent = "No, thanks";
  }
  /** @param {Stop} stop */
  describe({ title, address, sentence, attempt }) {
    const last = this.stop === this.stops.length;
    const count = `Stop ${this.stop} of ${this.stops.length}`;
    this.root.setAttribute("aria-label", `Tour. ${count}`);
    this.count.textContent = count;
    this.title.textContent = title;
    this.title.href = _Tour.url(address);
    this.sentence.textContent = sentence;
    this.attempt.textContent = `Try: ${attempt}`;
    this.back.hidden = this.stop === 1;
    this.next.hidden = last;
    if (!this.back.hidden) this.lead(this.back, this.stop - 1, "Back");
    if (!last) this.lead(this.next, this.stop + 1, "Next");
    this.skip.textContent = last ? "End the tour" : "Skip the tour";
  }
  /** @param {Stop} stop is on the page: what it is about may be far below */
  bring({ address, part: part2 }) {
    if (this.brought === address) return;
    this.brought = address;
    this.leaveIt();
    if (part2) this.leaveIt = bring(part2);
  }
  /** @param {string} address of a stop */
  static url(address) {
    return new URL(`./${address}`, window.location.href).href;
  }
  /**
   * @param {HTMLAnchorElement} link
   * @param {number} stop
   * @param {string} words
   */
  lead(link, stop, words) {
    const { address, title } = this.stops[stop - 1];
    link.href = _Tour.url(address);
    link.textContent = words;
    link.title = title;
  }
  /**
   * Goes to a stop where a link to it was clicked; not where it is to be opened in another tab.
   *
   * @param {MouseEvent} event
   * @param {number} stop
   */
  follow(event, stop) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.go(stop);
  }
  /**
   * Goes to a stop; returns whether that is on the page as it is.
   *
   * @param {number} stop
   */
  go(stop) {
    window.localStorage.setItem(KEY, String(stop));
    const to = _Tour.url(this.stops[stop - 1].address);
    const here = to === window.location.href;
    window.sessionStorage.setItem(WALKED, "1");
    if (here) this.show({ stops: this.stops });
    else window.location.assign(to);
    return here;
  }
  end() {
    window.localStorage.setItem(KEY, ENDED);
    this.show({ stops: this.stops });
  }
  /** Has the page end above the bar, so that nothing is under it. */
  makeRoom() {
    const height = this.root.hidden ? 0 : this.root.offsetHeight;
    const { style } = document.documentElement;
    if (style.getPropertyValue("--fop-tour") === `${height}px`) return;
    style.setProperty("--fop-tour", `${height}px`);
    window.dispatchEvent(new Event("resize"));
  }
  leave() {
    this.sizes.disconnect();
    this.leaveIt();
    if (page.tour !== this.offer) return;
    page.tour = void 0;
    document.documentElement.style.removeProperty("--fop-tour");
  }
};

// tour/index.js
function show({ data, parentElement }) {
  const root = box(parentElement, ".fop-tour");
  const tour = living(root, () => new Tour(root));
  tour.show(data);
  return atUnmount(root, () => tour.leave());
}
var index_default = inOrder(show);
export {
  index_default as default
};
