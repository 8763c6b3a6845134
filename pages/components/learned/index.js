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
  const [steep, curved, flat] = known ? H : [0, 0, 0];
  const sizes = [curved, flat].map(Math.abs);
  // Rounding leaves an eigenvalue of 0 a little beside it.
  const inverse = Math.min(...sizes) > 1e-10 * Math.max(...sizes);
  const indefinite = curved < 0 || flat < 0;
  newton.style.display = inverse ? "" : "none";
  if (inverse) shape(newton, steep + Math.PI / 2, ...sizes); // 1/|flat| and 1/|curved|, to one size
  newton.classList.toggle("fop-indefinite", indefinite);
  if (!known) lines[1].textContent = "The Hessian is not finite here.";
  else if (!inverse) lines[1].textContent = "H is singular here: it has an eigenvalue 0 and no inverse";
  else if (indefinite)
    lines[1].textContent = `|H|⁻¹, dashed: here H has a negative eigenvalue, ${short(Math.min(curved, flat))}`;
  else lines[1].textContent = `H⁻¹: ${longer(curved, flat)} times as long as wide`;
  const round = (a, b) => Math.abs(Math.abs(a / b) - 1) < 0.02;
  const apart = Math.round(between(turn, steep + Math.PI / 2));
  const away = inverse && !round(large, small) && !round(curved, flat);
  lines[2].textContent =
    `P: ${longer(large, small)} times as long as wide` + (away ? `, ${apart}° away from ${indefinite ? "|H|⁻¹" : "H⁻¹"}` : "");
  picture.setAttribute("aria-label", `${run.name}: ${lines.map((line) => line.textContent).join(". ")}`);
}

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".fop-learned");
  const drawn = data.runs.map(draw);
  root.replaceChildren(...drawn.map(({ figure }) => figure));
  root.fopUnfollow?.();
  root.fopUnfollow = clock.follow(() => data.runs.forEach((run, index) => show(run, drawn[index], clock.step)));
  return atUnmount(root, root.fopUnfollow);
}
