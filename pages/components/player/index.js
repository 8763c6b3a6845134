// Plays a race over a surface. Called when it appears, and again with new data or another theme; what lives
// through that (zoom, step, whether it plays) is kept on the element.

const PLAY = "M7 4.5v15l12.5-7.5z";
const PAUSE = "M6.5 5h4v14h-4zM13.5 5h4v14h-4z";
const WHOLE = 7; // seconds that a race takes at 1x in logarithmic time
const RATE = 100; // steps a second at 1x in linear time
const DOUBLE = 400; // ms between two clicks that are one double-click
const GRAB = 16; // px around the start within which it is grabbed

const numbers = (buffer, Kind = Float32Array) => new Kind(buffer ?? 0);

// The runs with their points, x and y apart.
function unpack(data) {
  const points = numbers(data.points);
  const losses = numbers(data.losses);
  const kept = numbers(data.kept, Uint32Array);
  const angles = numbers(data.angles);
  let [at, from, turn] = [0, 0, 0];
  const take = (count) => angles.subarray(turn, (turn += count));
  return data.runs.map((run) => {
    const { count } = run;
    const made = {
      ...run,
      glyph: new Path2D(run.glyph),
      x: points.subarray(2 * at, 2 * at + count),
      y: points.subarray(2 * at + count, 2 * (at + count)),
      losses: losses.subarray(at, at + count),
      steps: run.downsampled ? kept.subarray(from, (from += count)) : null,
      drawn: -1,
    };
    if (run.arrows)
      made.arrows = { gradient: take(count), preconditioned: run.learns ? take(count) : null };
    at += count;
    return made;
  });
}

class Player {
  constructor(root) {
    const find = (name) => root.querySelector(`.fop-${name}`);
    this.root = root;
    this.parts = Object.fromEntries(
      ["stage", "ground", "paths", "heads", "labels", "tip", "play", "restart", "back", "on", "scrub", "step", "speed"].map(
        (name) => [name, find(name)],
      ),
    );
    this.missing = root.querySelector(".fop-plot-missing");
    Object.assign(this, { runs: [], step: Infinity, playing: false, changed: true });
    this.controls();
    this.play(false);
    this.frame = requestAnimationFrame((now) => this.tick(now, now));
  }

  // The last step of the race.
  get end() {
    return Math.max(1, ...this.runs.map((run) => stepOf(run, run.count - 1)));
  }

  // How far the race is, 0 to 1, in the time that is chosen.
  get share() {
    const step = Math.min(this.step, this.end);
    return this.data.log ? Math.log1p(step) / Math.log1p(this.end) : step / this.end;
  }

  set share(share) {
    if (share >= 1) return this.go(this.end); // expm1(log1p(6221)) is less than 6221
    const kept = Math.max(0, share);
    this.go(this.data.log ? Math.expm1(kept * Math.log1p(this.end)) : kept * this.end);
  }

  go(step) {
    this.step = Math.min(this.end, Math.max(0, step));
    this.changed = true;
  }

  play(on) {
    if (on && this.step >= this.end) this.go(0);
    this.playing = on;
    const { play } = this.parts;
    play.querySelector("path").setAttribute("d", on ? PAUSE : PLAY);
    play.setAttribute("aria-label", on ? "Pause" : "Play");
    if (!on) this.again();
  }

  // Draws everything anew at the next frame, each run over the earlier ones.
  again() {
    for (const run of this.runs) run.drawn = -1;
    this.stale = true;
    this.changed = true;
  }

  controls() {
    const { play, restart, back, on, scrub } = this.parts;
    const move = (by) => {
      this.play(false);
      this.go(by > 0 ? Math.floor(this.step) + by : Math.ceil(Math.min(this.step, this.end)) + by);
    };
    play.onclick = () => this.play(!this.playing);
    restart.onclick = () => this.go(0);
    back.onclick = () => move(-1);
    on.onclick = () => move(1);
    scrub.oninput = () => {
      this.play(false);
      this.share = Number(scrub.value) / 1000;
    };
    const keys = {
      " ": () => this.play(!this.playing),
      ArrowLeft: (event) => move(event.shiftKey ? -10 : -1),
      ArrowRight: (event) => move(event.shiftKey ? 10 : 1),
      Home: () => this.go(0),
      End: () => {
        this.play(false);
        this.go(Infinity);
      },
    };
    this.endKeys = pageKeys(this.root, keys);
  }

  // New data, or the same in another theme.
  show(data, trigger) {
    const known = this.data;
    this.trigger = trigger;
    this.data = data;
    this.theme = themeOf(this.root);
    this.root.style.colorScheme = this.theme;
    this.parts.paths.setAttribute("aria-label", data.alt);
    this.parts.stage.classList.toggle("fop-3d", Boolean(data.scene));
    if (known?.race !== data.race) {
      const atEnd = !known || this.step >= this.end;
      this.runs = unpack(data);
      this.go(atEnd ? Infinity : this.step);
      this.moved = null;
      this.labelled = "";
    }
    if (known && data.clicks > known.clicks) {
      this.go(0);
      this.play(true);
    }
    this.runs.forEach((run, index) => Object.assign(run, { label: data.runs[index].label }));
    if (data.scene && this.scene?.key !== data.scene.key) {
      const kept = this.scene;
      this.scene = new Scene({ ...data.scene, grid: numbers(data.grid) });
      this.scene.key = data.scene.key;
      if (kept) Object.assign(this.scene, { yaw: kept.yaw, pitch: kept.pitch });
    }
    this.again();
    this.ground();
  }

  async ground() {
    const { data, theme, parts } = this;
    const Plotly = await library(data.source).catch(() => null);
    this.missing.hidden = Plotly !== null;
    parts.stage.hidden = Plotly === null;
    if (!Plotly || this.data !== data || !this.root.isConnected) return;
    this.fit();
    const node = parts.ground;
    const shown = theme + data.figure;
    node.style.visibility = data.scene ? "hidden" : "";
    if (this.shown === shown) return;
    this.shown = shown;
    const figure = themed(data.figure, data.themes[theme], getComputedStyle(node).getPropertyValue("--st-font"));
    if (FINGER) merge(figure.layout, { dragmode: node.dataset.drag === "zoom" ? "zoom" : false, margin: { t: BUTTON } });
    // Always the same: another one would have plotly make the whole picture anew.
    this.config ??= {
      displaylogo: false,
      ...(FINGER ? fingers(Plotly, node) : mouse(Plotly, () => photograph(this, Plotly))),
      doubleClick: "reset",
      doubleClickDelay: DOUBLE,
    };
    await Plotly.react(node, figure.data, figure.layout, this.config);
    node.dataset.drag = node._fullLayout.dragmode;
    node.dataset.theme = theme;
    this.whole = JSON.parse(data.figure).layout.xaxis.range; // plotly writes the zoomed one into its layout
    if (!this.bound) this.bind(Plotly);
    this.again();
  }

  // The picture is a square, as large as the column allows.
  fit() {
    const { stage, ground } = this.parts;
    const { l, r, t, b } = this.data.margin;
    const above = FINGER ? BUTTON : t;
    const side = Math.min(stage.clientWidth - l - r, 720);
    ground.style.height = `${Math.round(side + above + b)}px`;
    ground.style.width = `${Math.round(side + l + r)}px`;
    ground.style.margin = "0 auto";
  }

  bind(Plotly) {
    const { ground, stage, paths } = this.parts;
    this.bound = true;
    for (const event of ["plotly_relayout", "plotly_relayouting", "plotly_afterplot"])
      ground.on(event, () => {
        ground.dataset.drag = ground._fullLayout.dragmode;
        this.again();
      });
    let width = stage.clientWidth;
    this.sizes = new ResizeObserver(() => {
      if (!stage.clientWidth || stage.clientWidth === width) return;
      width = stage.clientWidth;
      this.fit();
      Plotly.Plots.resize(ground);
      this.again();
    });
    this.sizes.observe(stage);
    this.pointer(ground, paths);
  }

  // A click sets the start; so does dragging the ring that marks it. In 3D a drag turns the picture.
  pointer(ground, paths) {
    let down = null;
    const locate = (event) => {
      const view = this.view();
      const box = this.parts.stage.getBoundingClientRect();
      return { view, px: event.clientX - box.left - view.left, py: event.clientY - box.top - view.top };
    };
    const begin = (event) => {
      if (event.button || event.target.closest?.(".modebar")) return;
      const { view, px, py } = locate(event);
      if (px < 0 || py < 0 || px > view.width || py > view.height) return;
      const { pressed } = this;
      // Plotly counts two quick clicks as one double-click wherever they are; where nothing is zoomed they are two starts.
      const same = pressed && (this.zoomed || Math.hypot(event.clientX - pressed.x, event.clientY - pressed.y) < GRAB);
      const second = same && event.timeStamp - pressed.at < DOUBLE;
      this.pressed = { at: event.timeStamp, x: event.clientX, y: event.clientY };
      clearTimeout(this.starts);
      const [x, y] = this.data.start;
      const grabbed = !this.data.scene && Math.hypot(view.x(x, y) - px, view.y(x, y) - py) < GRAB;
      const turned = { yaw: this.scene?.yaw, pitch: this.scene?.pitch };
      down = { px, py, x: event.clientX, y: event.clientY, second, grabbed, view, ...turned };
      if (grabbed) this.held = true;
    };
    // Plotly begins a zoom by mousedown or touchstart: where the start is grabbed it must not hear of it.
    const keep = (event) => this.held && event.stopPropagation();
    const move = (event) => {
      if (!down) return event.pointerType === "mouse" && this.showTip(event, locate);
      if (this.data.scene) {
        this.scene.yaw = down.yaw + (event.clientX - down.x) / 150;
        this.scene.pitch = Math.min(1.5, Math.max(0.25, down.pitch + (event.clientY - down.y) / 200));
        this.again();
      } else if (down.grabbed) {
        const { view, px, py } = locate(event);
        this.moved = [view.toX(px), view.toY(py)];
        this.changed = true;
        event.preventDefault();
      }
    };
    const finish = (event) => {
      const from = down;
      down = null;
      this.held = false;
      if (!from || event.type === "pointercancel") return;
      const { view, px, py } = locate(event);
      const far = Math.hypot(event.clientX - from.x, event.clientY - from.y) > 4;
      if (far) this.pressed = null; // a drag is no first click
      if (far && !from.grabbed) return;
      const point = this.data.scene ? this.scene.under(view, px, py) : [view.toX(px), view.toY(py)];
      if (!point || !point.every(Number.isFinite)) return;
      if (!far && from.grabbed) return;
      const start = () => {
        this.moved = point;
        this.changed = true;
        this.play(false); // until the new race is here, which the machine runs sooner with nothing else to do
        this.trigger("start", { x: point[0], y: point[1] });
      };
      // A double-click shows the whole surface again and starts nothing; it has a meaning only where that is zoomed.
      if (from.second && !from.grabbed) return;
      if (this.zoomed && !from.grabbed) this.starts = setTimeout(() => this.data && start(), DOUBLE);
      else start();
    };
    for (const target of [ground, paths]) target.addEventListener("pointerdown", begin, true);
    for (const kind of ["mousedown", "touchstart"]) ground.addEventListener(kind, keep, true);
    this.listening = [
      ["pointermove", move],
      ["pointerup", finish],
      ["pointercancel", finish],
    ];
    for (const [kind, listener] of this.listening) window.addEventListener(kind, listener, true);
  }

  // Says what is under the mouse: a run's step, point and f.
  showTip(event, locate) {
    const { tip, stage } = this.parts;
    const over = stage.contains(event.target) && this.data.runs.length > 0;
    const { view, px, py } = over ? locate(event) : {};
    const hit = over && px >= 0 && py >= 0 && px <= view.width && py <= view.height && nearest(this.runs, view, px, py);
    tip.hidden = !hit;
    if (!hit) return;
    const { run, index } = hit;
    const [x, y] = [run.x[index], run.y[index]];
    const step = stepOf(run, index).toLocaleString("en");
    tip.textContent = `${run.name}, step ${step}\n(${short(x)}, ${short(y)})\nf = ${short(run.losses[index])}`;
    const left = view.left + view.x(x, y) + (px > view.width / 2 ? -12 - tip.offsetWidth : 12);
    tip.style.transform = `translate(${left}px, ${view.top + view.y(x, y) + 12}px)`;
  }

  // Whether a part of the surface fills the picture.
  get zoomed() {
    const { range } = this.parts.ground._fullLayout.xaxis;
    const width = this.whole[1] - this.whole[0];
    return !this.data.scene && range.some((end, i) => Math.abs(end - this.whole[i]) > 1e-6 * width);
  }

  // Where the points of the plane are in the picture, in px.
  view() {
    const { ground, stage } = this.parts;
    const { xaxis, yaxis } = ground._fullLayout;
    const plotArea = {
      left: ground.offsetLeft + xaxis._offset,
      top: ground.offsetTop + yaxis._offset,
      width: xaxis._length,
      height: yaxis._length,
    };
    if (this.data.scene) {
      const whole = { left: 0, top: 0, width: stage.clientWidth, height: stage.clientHeight };
      return this.scene.view(whole);
    }
    const [x0, x1] = xaxis.range;
    const [y0, y1] = yaxis.range;
    const [across, up] = [plotArea.width / (x1 - x0), plotArea.height / (y1 - y0)];
    return {
      ...plotArea,
      span: x1 - x0,
      key: [x0, x1, y0, y1, plotArea.width, plotArea.height, plotArea.left].join(),
      x: (x) => (x - x0) * across,
      y: (_, y) => (y1 - y) * up,
      toX: (px) => x0 + px / across,
      toY: (py) => y1 - py / up,
    };
  }

  tick(now, before) {
    this.frame = requestAnimationFrame((next) => this.tick(next, now));
    if (this.playing) {
      const passed = (Math.min(100, now - before) / 1000) * Number(this.parts.speed.value);
      if (this.data.log) this.share += passed / WHOLE;
      else this.go(this.step + passed * RATE);
      if (this.step >= this.end) this.play(false);
    }
    if (!this.changed || !this.shown || !this.parts.ground._fullLayout) return;
    this.changed = false;
    this.draw();
  }

  // Draws with so many pixels each way for one of the page's while something is done with it.
  at(ratio, act) {
    this.draw(ratio);
    act();
    this.draw();
  }

  draw(ratio = window.devicePixelRatio || 1) {
    const { paths, heads, scrub, step } = this.parts;
    const view = this.view();
    const colors = this.data.themes[this.theme].colors;
    const at = Math.min(this.step, this.end);
    const last = this.runs.map((run) => indexAt(run, at));
    if (fitCanvas(paths, view, ratio) || view.key !== this.viewed || this.runs.some((run, i) => run.drawn > last[i])) {
      for (const run of this.runs) run.drawn = -1;
      this.stale = true;
      this.viewed = view.key;
    }
    const pen = paths.getContext("2d");
    if (this.stale) {
      pen.clearRect(0, 0, view.width, view.height);
      if (this.data.scene) this.scene.draw(pen, view, colors);
    }
    this.stale = false;
    this.runs.forEach((run, index) => extend(pen, run, view, last[index], colors.paper));

    fitCanvas(heads, view, ratio);
    const top = heads.getContext("2d");
    top.clearRect(0, 0, view.width, view.height);
    this.ring(top, view, colors);
    const values = {};
    this.runs.forEach((run) => {
      const head = headAt(run, at);
      values[run.name] = run.losses[head.index];
      const [px, py] = [view.x(head.x, head.y), view.y(head.x, head.y)];
      if (!Number.isFinite(px + py)) return;
      if (this.playing && !run.steps && head.index > 0) this.lead(top, run, view, head, px, py);
      arrows(top, run, view, head, colors.ink);
      glyph(top, run, px, py, HEAD, colors.paper);
    });
    this.placeLabels(view, at, top);

    if (document.activeElement !== scrub || this.playing) scrub.value = 1000 * this.share;
    scrub.setAttribute("aria-valuetext", `step ${Math.floor(at)} of ${this.end}`);
    step.textContent = `step ${Math.floor(at).toLocaleString("en")} of ${this.end.toLocaleString("en")}`;
    clock.moving = at < this.end;
    clock.set(at, values);
  }

  // The piece of the path between its last whole step and its head.
  lead(pen, run, view, head, px, py) {
    pen.strokeStyle = run.color;
    pen.lineWidth = run.width;
    pen.beginPath();
    pen.moveTo(view.x(run.x[head.index], run.y[head.index]), view.y(run.x[head.index], run.y[head.index]));
    pen.lineTo(px, py);
    pen.stroke();
  }

  // The start; the minima belong to the ground.
  ring(pen, view, colors) {
    const [x, y] = this.moved ?? this.data.start;
    pen.beginPath();
    pen.arc(view.x(x, y), view.y(x, y), this.held ? 8 : 5, 0, 2 * Math.PI);
    pen.fillStyle = colors.paper;
    pen.strokeStyle = colors.ink;
    pen.lineWidth = 2;
    pen.fill();
    pen.stroke();
  }

  // Labels at the ends of the runs that have arrived, while the whole surface is in sight.
  placeLabels(view, at, pen) {
    const { labels } = this.parts;
    Object.assign(labels.style, { left: `${view.left}px`, top: `${view.top}px` });
    const shown = JSON.stringify(this.data.runs.map((run) => run.label));
    if (this.labelled !== shown) {
      this.labelled = shown;
      labels.replaceChildren(
        ...this.runs.map((run) => {
          const made = document.createElement("div");
          made.className = "fop-label";
          made.textContent = run.label.text;
          Object.assign(made.style, { color: run.color, fontWeight: run.bold ? 600 : 400 });
          return made;
        }),
      );
    }
    this.runs.forEach((run, index) => {
      const { label } = run;
      const node = labels.children[index];
      const [px, py] = [view.x(...label.at), view.y(...label.at)];
      const inside = px >= -1 && py >= -1 && px <= view.width + 1 && py <= view.height + 1;
      const arrived = inside && at >= stepOf(run, run.count - 1);
      node.classList.toggle("fop-arrived", arrived);
      if (!arrived) return;
      const shift = { left: "0", right: "-100%", center: "-50%" }[label.anchor];
      node.style.transform = `translate(${px + label.dx}px, ${py + label.dy}px) translate(${shift}, -50%)`;
      const length = Math.hypot(label.dx, label.dy);
      if (length < 10) return;
      pen.beginPath();
      pen.moveTo(px + (8 * label.dx) / length, py + (8 * label.dy) / length);
      pen.lineTo(px + label.dx, py + label.dy);
      pen.lineWidth = 1;
      pen.strokeStyle = run.color;
      pen.stroke();
    });
  }

  leave() {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.starts);
    this.endKeys();
    for (const [kind, listener] of this.listening ?? []) window.removeEventListener(kind, listener, true);
    this.sizes?.disconnect();
    this.data = null;
    window.Plotly?.purge(this.parts.ground);
    clock.moving = false;
    clock.set(Infinity, {});
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".fop-player");
  root.fop ??= new Player(root);
  root.fop.show(unpacked(data), setTriggerValue);
  return atUnmount(root, () => {
    root.fop.leave();
    root.fop = null;
  });
}
