// The step at which everything on the page is shown: dragged, played, or moved by keys from snapshot to snapshot.

const PLAY = `<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M3 1.5v13l11-6.5z"/></svg>`;
const PAUSE = `<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M3 2h3.5v12H3zM9.5 2H13v12H9.5z"/></svg>`;
const REST = 350; // ms after which Python hears where the cursor stands
const LASTS = 8; // seconds to play all, unless that takes fewer than SLOWEST or more than FASTEST snapshots a second
const [SLOWEST, FASTEST] = [6, 60];
const SLOW = 100; // ms: a frame counts as no longer
const LEAP = 10; // snapshots of a page key, or of an arrow with shift
const EDGE = 8; // px of the track beside the first and the last step

class Cursor {
  constructor(root) {
    this.root = root;
    this.track = root.querySelector(".fop-cursor-track");
    this.line = root.querySelector(".fop-cursor-line");
    this.caption = root.querySelector(".fop-cursor-told");
    this.button = root.querySelector(".fop-cursor-play");
    this.sizes = new ResizeObserver(() => this.data && this.draw());
    this.sizes.observe(this.track);
    this.listen();
  }

  show(data, send) {
    const other = this.data?.key !== data.key;
    const moved = other || (data.at !== this.data.at && data.at !== this.sent);
    Object.assign(this, { data, send });
    this.last = data.steps.length - 1;
    if (other) this.pause();
    this.draw();
    if (moved) this.go(before(this.data.steps, data.at), false);
    else this.go(Math.min(this.at, this.last), false);
  }

  x(step) {
    const { steps } = this.data;
    const [first, end] = [steps[0], steps[this.last]];
    return EDGE + ((step - first) / Math.max(end - first, 1)) * (this.width - 2 * EDGE);
  }

  listen() {
    const { track, button } = this;
    const drag = (event) => {
      const share = (event.clientX - track.getBoundingClientRect().left - EDGE) / (this.width - 2 * EDGE);
      const { steps } = this.data;
      const step = steps[0] + share * (steps[this.last] - steps[0]);
      const sooner = before(steps, step);
      const after = Math.min(sooner + 1, this.last);
      this.pause();
      this.go(steps[after] - step < step - steps[sooner] ? after : sooner);
    };
    track.onpointerdown = (event) => {
      track.setPointerCapture(event.pointerId);
      track.onpointermove = drag;
      drag(event);
    };
    track.onpointerup = track.onpointercancel = () => (track.onpointermove = null);
    const to = (at) => {
      this.pause();
      this.go(at);
    };
    const by = (count) => (event) => to(this.at + count * (event.shiftKey ? LEAP : 1));
    this.endKeys = pageKeys(this.root, {
      " ": () => this.toggle(),
      ArrowLeft: by(-1),
      ArrowRight: by(1),
      Home: () => to(0),
      End: () => to(this.last),
    });
    const own = { ArrowDown: by(-1), ArrowUp: by(1), PageDown: () => to(this.at - LEAP), PageUp: () => to(this.at + LEAP) };
    track.onkeydown = (event) => {
      if (!(event.key in own)) return;
      event.preventDefault();
      own[event.key](event);
    };
    button.onclick = () => this.toggle();
    this.pause();
  }

  toggle() {
    if (this.playing) return this.pause();
    if (this.at >= this.last) this.go(0);
    this.playing = true;
    this.label();
    const rate = Math.min(FASTEST, Math.max(SLOWEST, this.data.steps.length / LASTS));
    let [at, before] = [this.at, null];
    const frame = (now) => {
      if (!this.playing || !this.root.isConnected) return;
      // A frame's time may lie before the click; where frames come late, playing takes longer instead of leaping.
      at += (Math.min(SLOW, Math.max(0, now - (before ?? now))) / 1000) * rate;
      before = now;
      const to = Math.min(this.last, Math.floor(at));
      if (to !== this.at) this.go(to);
      if (to >= this.last) this.pause();
      else requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  pause() {
    this.playing = false;
    this.label();
  }

  label() {
    this.button.innerHTML = this.playing ? PAUSE : PLAY;
    this.button.setAttribute("aria-label", this.playing ? "Pause" : "Play");
  }

  // Moves to a snapshot; `report`: whether Python gets it.
  go(to, report = true) {
    const { steps, captions } = this.data;
    this.at = Math.max(0, Math.min(this.last, to));
    const step = steps[this.at];
    this.line.style.transform = `translateX(${this.x(step)}px)`;
    this.caption.replaceChildren(...this.words(captions[this.at]));
    this.track.setAttribute("aria-valuemin", steps[0]);
    this.track.setAttribute("aria-valuemax", steps[this.last]);
    this.track.setAttribute("aria-valuenow", step);
    this.track.setAttribute("aria-valuetext", captions[this.at]);
    clock.moving = true;
    clock.set(step, {});
    if (!report) return;
    clearTimeout(this.rests);
    this.rests = setTimeout(() => {
      if (this.playing || !this.root.isConnected) return;
      this.sent = step;
      this.send("at", step);
    }, REST);
  }

  // The caption of a snapshot, the colour of its curve before each number that has one.
  words(caption) {
    const { colors } = this.data.themes[themeOf(this.root)];
    return caption.split(" · ").map((text, i) => {
      const part = make("span", "", i ? " · " : "");
      const curve = this.data.curves.find(({ name }) => text.startsWith(name));
      if (curve) {
        const line = make("i", "fop-cursor-key");
        line.style.background = curve.color || colors.muted;
        part.append(line);
      }
      part.append(text);
      return part;
    });
  }

  draw() {
    this.width = this.track.clientWidth;
    if (!this.width) return;
    const height = this.track.clientHeight;
    const [, pen] = canvas(this.width, height, this.track.querySelector("canvas"));
    const { colors } = this.data.themes[themeOf(this.root)];
    pen.fillStyle = colors.grid;
    pen.globalAlpha = 0.5;
    pen.fillRect(0, 0, this.width, height);
    pen.globalAlpha = 1;
    for (const { x, y, color, low, high } of this.data.curves) {
      pen.strokeStyle = color || colors.muted;
      pen.lineWidth = 1.5;
      pen.beginPath();
      let drawn = false; // a gap stays one
      x.forEach((step, i) => {
        const up = height - 8 - ((y[i] - low) / (high - low || 1)) * (height - 14);
        if (y[i] !== null) pen[drawn ? "lineTo" : "moveTo"](this.x(step), up);
        drawn = y[i] !== null;
      });
      pen.stroke();
    }
    pen.fillStyle = colors.muted;
    for (const step of this.data.steps) pen.fillRect(this.x(step) - 0.5, height - 4, 1, 4);
    if (this.at !== undefined) this.line.style.transform = `translateX(${this.x(this.data.steps[Math.min(this.at, this.last)])}px)`;
  }
}

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".fop-cursor");
  root.fop ??= new Cursor(root);
  root.fop.show(data, setStateValue);
  return atUnmount(root, () => {
    root.fop.sizes.disconnect();
    root.fop.endKeys();
    root.fop.pause();
    root.fop = undefined;
    clock.moving = false;
    clock.set(Infinity, {});
  });
}
