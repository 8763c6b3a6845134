// Made by scripts/web.sh build of sources with the checksum e2b01e7210797f1d298f441a9386fb3bb13ac67dea94ed27886232a7cd6659dd.
// lib/followers.js
var Followers = class extends Set {
  call() {
    for (const follower of this) {
      try {
        follower();
      } catch (error) {
        reportError(error);
      }
    }
  }
  /**
   * Calls a follower at each change from now on; returns how to end that.
   *
   * @param {() => void} follower
   */
  follow(follower) {
    this.add(follower);
    return () => {
      this.delete(follower);
    };
  }
};

// lib/page.js
globalThis.fopLab ??= {};
var page = globalThis.fopLab;

// lib/clock.js
var Clock = class {
  constructor() {
    this.step = Infinity;
    this.moving = false;
    this.leads = false;
    this.values = {};
    this.parts = null;
    this.run = "";
    this.fragment = "";
    this.followers = new Followers();
  }
  /**
   * @param {number} step
   * @param {Record<string, number>} values
   * @param {RunStep | null} parts
   */
  set(step, values, parts = null) {
    Object.assign(this, { step, values, parts });
    this.followers.call();
  }
  /**
   * Calls a follower now and at each move; returns how to end that.
   *
   * @param {() => void} follower
   */
  follow(follower) {
    const end = this.followers.follow(follower);
    follower();
    return end;
  }
};
page.clock ??= new Clock();
var clock = page.clock;

// lib/dom.js
function make(name, className = "", text = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}
function part(root, selector, Kind) {
  const element = root.querySelector(selector);
  if (element instanceof Kind) return element;
  throw new Error(`the markup has no ${Kind.name} ${selector}`);
}
var box = (root, selector) => part(root, selector, HTMLElement);
function write(element, text) {
  const { firstChild: node } = element;
  if (!(node instanceof Text) || node.nextSibling) element.textContent = text;
  else if (node.data !== text) node.data = text;
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

// lib/ellipses.js
var DEGREE = 180 / Math.PI;
function axesOf(matrix) {
  if (!matrix?.every(Number.isFinite)) return null;
  const [xx, xy, yy] = matrix;
  const mean = (xx + yy) / 2;
  const radius = Math.hypot((xx - yy) / 2, xy);
  const turn = Math.atan2(2 * xy, xx - yy) / 2;
  return mean >= 0 ? { angle: turn, large: mean + radius, small: mean - radius } : { angle: turn + Math.PI / 2, large: mean - radius, small: mean + radius };
}
function between(one, other) {
  const turned = Math.abs(one - other) % Math.PI;
  return Math.min(turned, Math.PI - turned) * DEGREE;
}
var longer = (a, b) => b === 0 ? "∞" : short(Math.abs(a / b));
var isRound = (a, b) => Math.abs(Math.abs(a / b) - 1) < 0.02;
function compared(P, H) {
  const axes = axesOf(P);
  if (!axes) return null;
  const { angle, large, small } = axes;
  const indefinite = large < 0 || small < 0;
  const known = axesOf(H);
  const { angle: steep, large: curved, small: flat } = known ?? { angle: 0, large: 0, small: 0 };
  const inverse = Math.abs(flat) > 1e-10 * Math.abs(curved);
  const negative = curved < 0 || flat < 0;
  const name = negative ? "|H|⁻¹" : "H⁻¹";
  const hessian = () => {
    if (!known) return "The Hessian is not finite here.";
    if (!inverse) return "H is singular here: it has an eigenvalue 0 and no inverse";
    if (negative) return `|H|⁻¹, dashed: here H has a negative eigenvalue, ${short(Math.min(curved, flat))}`;
    return `H⁻¹: ${longer(curved, flat)} times as long as wide`;
  };
  const apart = Math.round(between(angle, steep + Math.PI / 2));
  const away = inverse && !isRound(large, small) && !isRound(curved, flat) ? `, ${apart}° away from ${name}` : "";
  return {
    learned: { angle, long: Math.abs(large), wide: Math.abs(small) },
    // 1 / |flat| and 1 / |curved|, up to their size
    newton: inverse ? { angle: steep + Math.PI / 2, long: Math.abs(curved), wide: Math.abs(flat) } : null,
    indefinite,
    negative,
    lines: [
      `P: eigenvalues ${short(large)}, ${short(small)}${indefinite ? ", not positive definite" : ""}`,
      hessian(),
      `P: ${longer(large, small)} times as long as wide${away}`
    ]
  };
}

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

// update/texts.js
var NONE = "–";
function texts({ P, g, rate, move, tried }) {
  const added = tried ?? move;
  return {
    P: P ? P.map((entry) => short(entry)) : [],
    g: g.map((entry) => short(entry)),
    rate: [short(rate)],
    move: added ? added.map((entry) => short(entry)) : [NONE, NONE]
  };
}

// update/index.js
function show({ data: { runs }, parentElement }) {
  const root = box(parentElement, ".fop-update");
  const choice = part(root, ".fop-update-run", HTMLSelectElement);
  const formula = box(root, ".fop-formula");
  const added = box(root, ".fop-added");
  const numbers = [...root.querySelectorAll(".fop-number")].filter((each) => each instanceof HTMLElement);
  const notes = [...root.querySelectorAll(".fop-note")];
  choice.replaceChildren(
    ...runs.map(({ name }) => {
      const option = make("option", "", name);
      option.value = name;
      return option;
    })
  );
  root.hidden = !runs.length;
  let shown = "";
  choice.onchange = () => {
    clock.run = choice.value;
    shown = "";
  };
  const follow = () => {
    const { parts } = clock;
    const run = parts && runs.find(({ name }) => name === parts.run);
    if (!parts || !run) return;
    const wanted = `${parts.race} ${parts.run} ${parts.index}`;
    if (wanted === shown) return;
    shown = wanted;
    choice.value = run.name;
    root.style.setProperty("--fop-color", run.color);
    write(formula, run.formula);
    root.classList.toggle("fop-learns", parts.P !== null);
    const written = texts(parts);
    for (const number of numbers) {
      const { term = "", entry = "0" } = number.dataset;
      write(number, written[term]?.[Number(entry)] ?? "");
    }
    write(added, parts.tried ? "undone" : "Δθ");
    const lines = (parts.P && compared(parts.P, parts.H)?.lines) ?? [];
    notes.forEach((note, i) => {
      write(note, lines[i] ?? "");
    });
  };
  return following(root, () => clock.follow(follow));
}
var index_default = inOrder(show);
export {
  index_default as default
};
