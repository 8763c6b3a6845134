// Made by scripts/web.sh build of sources with the checksum fc9e8baf47c1e0c7dd3c7a663335be0d87c300a02464b67ecf94b56289ab4bdb.
// lib/page.js
globalThis.fopLab ??= {};
var page = globalThis.fopLab;

// lib/clock.js
var Clock = class {
  constructor() {
    this.step = Infinity;
    this.moving = false;
    this.values = {};
    this.followers = /* @__PURE__ */ new Set();
  }
  /**
   * @param {number} step
   * @param {Record<string, number>} values
   */
  set(step, values) {
    Object.assign(this, { step, values });
    for (const follower of this.followers) {
      try {
        follower();
      } catch (error) {
        reportError(error);
      }
    }
  }
  /**
   * Calls a follower now and at each move; returns how to end that.
   *
   * @param {() => void} follower
   */
  follow(follower) {
    this.followers.add(follower);
    follower();
    return () => {
      this.followers.delete(follower);
    };
  }
};
page.clock ??= new Clock();
var clock = page.clock;

// lib/dom.js
function part(root, selector, Kind) {
  const element = root.querySelector(selector);
  if (element instanceof Kind) return element;
  throw new Error(`the markup has no ${Kind.name} ${selector}`);
}
var box = (root, selector) => part(root, selector, HTMLElement);

// lib/lifetime.js
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
function following(root, follow) {
  const holder = (
    /** @type {Kept<unknown>} */
    root
  );
  holder.fopUnfollow?.();
  const end = follow();
  holder.fopUnfollow = end;
  return atUnmount(root, end);
}

// lib/search.js
function before(steps, step) {
  let [low, high] = [0, steps.length - 1];
  while (low < high) {
    const middle = low + high + 1 >> 1;
    if (steps[middle] <= step) low = middle;
    else high = middle - 1;
  }
  return low;
}

// lib/svg.js
var SVG = "http://www.w3.org/2000/svg";
function svg(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  made.append(...children);
  return made;
}

// lib/numbers.js
function short(value) {
  const [sign, size] = [value < 0 ? "−" : "", Math.abs(value)];
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "not a number" : `${sign}∞`;
  if (value === 0) return "0";
  const [mantissa, power] = size.toExponential(2).split("e").map(Number);
  if (power < -4 || power >= 6) return `${sign}${mantissa}e${power}`;
  return sign + (power < 3 ? size.toFixed(2 - power) : count(Math.round(size)));
}
var count = (value) => value.toLocaleString("en");

// learned/ellipses.js
var DEGREE = 180 / Math.PI;
var NARROWEST = 0.012;
function ellipse(angle, a, b) {
  const wide = Math.max(a, b, 1e-300);
  return { rx: Math.max(a / wide, NARROWEST), ry: Math.max(b / wide, NARROWEST), rotate: -angle * DEGREE };
}
function between(one, other) {
  const turned = Math.abs(one - other) % Math.PI;
  return Math.min(turned, Math.PI - turned) * DEGREE;
}
function finite(axes) {
  if (!axes) return null;
  const [angle, large, small] = axes;
  return angle === null || large === null || small === null ? null : [angle, large, small];
}
var longer = (a, b) => b === 0 ? "∞" : short(Math.abs(a / b));
var isRound = (a, b) => Math.abs(Math.abs(a / b) - 1) < 0.02;
function compared(P, H) {
  const axes = finite(P);
  if (!axes) return null;
  const [turn, large, small] = axes;
  const indefinite = large < 0 || small < 0;
  const known = finite(H);
  const [steep, curved, flat] = known ?? [0, 0, 0];
  const sizes = [Math.abs(curved), Math.abs(flat)];
  const inverse = Math.min(...sizes) > 1e-10 * Math.max(...sizes);
  const negative = curved < 0 || flat < 0;
  const name = negative ? "|H|⁻¹" : "H⁻¹";
  const hessian = () => {
    if (!known) return "The Hessian is not finite here.";
    if (!inverse) return "H is singular here: it has an eigenvalue 0 and no inverse";
    if (negative) return `|H|⁻¹, dashed: here H has a negative eigenvalue, ${short(Math.min(curved, flat))}`;
    return `H⁻¹: ${longer(curved, flat)} times as long as wide`;
  };
  const apart = Math.round(between(turn, steep + Math.PI / 2));
  const away = inverse && !isRound(large, small) && !isRound(curved, flat) ? `, ${apart}° away from ${name}` : "";
  return {
    learned: ellipse(turn, Math.abs(large), Math.abs(small)),
    newton: inverse ? ellipse(steep + Math.PI / 2, sizes[0], sizes[1]) : null,
    // 1/|flat| and 1/|curved|, to one size
    indefinite,
    negative,
    lines: [
      `P: eigenvalues ${short(large)}, ${short(small)}${indefinite ? ", not positive definite" : ""}`,
      hessian(),
      `P: ${longer(large, small)} times as long as wide${away}`
    ]
  };
}

// learned/index.js
function draw(run) {
  const picture = svg("svg", { viewBox: "-1.08 -1.08 2.16 2.16", role: "img" });
  const newton = svg("ellipse", { class: "fop-newton" });
  const learned = svg("ellipse", { class: "fop-P", stroke: run.color, fill: run.color });
  picture.append(
    svg("path", { class: "fop-axis", d: "M-1 0H1M0-1V1" }),
    svg("circle", { class: "fop-unit", r: 1 }),
    newton,
    learned
  );
  const caption = document.createElement("figcaption");
  const name = document.createElement("div");
  name.className = "fop-name";
  name.style.setProperty("--run", run.color);
  name.textContent = run.name;
  const lines = [0, 1, 2].map(() => {
    const line = document.createElement("div");
    line.className = "fop-note";
    return line;
  });
  caption.append(name, ...lines);
  const figure = document.createElement("figure");
  figure.append(picture, caption);
  return { figure, picture, newton, learned, lines };
}
function shape(element, { rx, ry, rotate }) {
  element.setAttribute("rx", String(rx));
  element.setAttribute("ry", String(ry));
  element.setAttribute("transform", `rotate(${rotate})`);
}
function show(run, { newton, learned, lines, picture }, step) {
  const at = before(run.steps, step);
  const shown = compared(run.P[at], run.H[at]);
  if (!shown) return;
  shape(learned, shown.learned);
  learned.classList.toggle("fop-indefinite", shown.indefinite);
  newton.style.display = shown.newton ? "" : "none";
  if (shown.newton) shape(newton, shown.newton);
  newton.classList.toggle("fop-indefinite", shown.negative);
  lines.forEach((line, i) => {
    line.textContent = shown.lines[i];
  });
  picture.setAttribute("aria-label", `${run.name}: ${shown.lines.join(". ")}`);
}
function index_default({ data: { runs }, parentElement }) {
  const root = box(parentElement, ".fop-learned");
  const drawn = runs.map(draw);
  root.replaceChildren(...drawn.map(({ figure }) => figure));
  const follow = () => {
    for (const [index, run] of runs.entries()) show(run, drawn[index], clock.step);
  };
  return following(root, () => clock.follow(follow));
}
export {
  index_default as default
};
