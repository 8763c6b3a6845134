// Two ellipses a run: P in its colour, the inverse Hessian in ink. Both are drawn to one size: their shapes are compared.

const SVG = "http://www.w3.org/2000/svg";
const DEGREE = 180 / Math.PI;

function svg(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

// Returns the figure of a run and the parts that move.
function draw(run) {
  const picture = svg("svg", { viewBox: "-1.08 -1.08 2.16 2.16", role: "img" });
  const newton = svg("ellipse", { class: "fop-newton" });
  const learned = svg("ellipse", { class: "fop-P", stroke: run.color, fill: run.color });
  picture.append(
    svg("path", { class: "fop-axis", d: "M-1 0H1M0-1V1" }),
    svg("circle", { class: "fop-unit", r: 1 }),
    newton,
    learned,
  );
  const caption = document.createElement("figcaption");
  const name = document.createElement("div");
  name.className = "fop-name";
  name.style.color = run.color;
  name.textContent = run.name;
  const lines = [0, 1, 2].map(() => document.createElement("div"));
  lines.forEach((line) => (line.className = "fop-told"));
  caption.append(name, ...lines);
  const figure = document.createElement("figure");
  figure.append(picture, caption);
  return { figure, picture, newton, learned, lines };
}

// Sets an ellipse to the axes a >= b at an angle from the x axis; the y axis of the picture points down.
function shape(ellipse, angle, a, b) {
  const wide = Math.max(a, b, 1e-300);
  ellipse.setAttribute("rx", Math.max(a / wide, 0.012));
  ellipse.setAttribute("ry", Math.max(b / wide, 0.012));
  ellipse.setAttribute("transform", `rotate(${-angle * DEGREE})`);
}

// The angle between two directions of no sense, in degrees, 0 to 90.
function between(one, other) {
  const turned = Math.abs(one - other) % Math.PI;
  return Math.min(turned, Math.PI - turned) * DEGREE;
}

const longer = (a, b) => (b === 0 ? "∞" : short(Math.abs(a / b)));

function show(run, parts, step) {
  const at = before(run.steps, step);
  const [P, H] = [run.P[at], run.H[at]];
  const { newton, learned, lines, picture } = parts;
  if (!P || P.includes(null)) return;
  const [turn, large, small] = P;
  shape(learned, turn, Math.abs(large), Math.abs(small));
  learned.classList.toggle("fop-indefinite", large < 0 || small < 0);
  const sign = large < 0 || small < 0 ? ", not positive definite" : "";
  lines[0].textContent = `P: eigenvalues ${short(large)}, ${short(small)}${sign}`;
  const known = H && !H.includes(null);
  newton.style.display = known ? "" : "none";
  if (!known) {
    lines[1].textContent = "The Hessian is not finite here.";
    lines[2].textContent = "";
    return;
  }
  const [steep, ...curvatures] = H;
  // Rounding leaves an eigenvalue of 0 a little beside it.
  const least = 1e-10 * Math.max(...curvatures.map(Math.abs));
  const [curved, flat] = curvatures.map((value) => (Math.abs(value) <= least ? 0 : value));
  shape(newton, steep + Math.PI / 2, 1 / Math.max(Math.abs(flat), 1e-300), 1 / Math.max(Math.abs(curved), 1e-300));
  const indefinite = curved < 0 || flat < 0;
  const singular = !indefinite && (curved === 0 || flat === 0);
  newton.classList.toggle("fop-indefinite", indefinite);
  lines[1].textContent = indefinite
    ? `|H|⁻¹, dashed: here H has a negative eigenvalue, ${short(Math.min(curved, flat))}`
    : singular
      ? "H is singular here: it has an eigenvalue 0 and no inverse"
      : `H⁻¹: ${longer(curved, flat)} times as long as wide`;
  const round = singular || Math.abs(Math.abs(large / small) - 1) < 0.02 || Math.abs(Math.abs(curved / flat) - 1) < 0.02;
  const apart = between(turn, steep + Math.PI / 2);
  lines[2].textContent = round
    ? `P: ${longer(large, small)} times as long as wide`
    : `P: ${longer(large, small)} times as long as wide, ${Math.round(apart)}° away from ${indefinite ? "|H|⁻¹" : "H⁻¹"}`;
  picture.setAttribute("aria-label", `${run.name}: ${lines.map((line) => line.textContent).join(". ")}`);
}

export default function ({ data, parentElement }) {
  const place = parentElement.querySelector(".fop-learned");
  const drawn = data.runs.map(draw);
  place.replaceChildren(...drawn.map(({ figure }) => figure));
  place.fopUnfollow?.();
  place.fopUnfollow = clock.follow(() => data.runs.forEach((run, index) => show(run, drawn[index], clock.step)));
  return atUnmount(place, place.fopUnfollow);
}
