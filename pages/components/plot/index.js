// Draws data.figure on the one node of this component. Called when it appears, and again with new data or another theme.

// Gives the space inside the margins its aspect.
function fit(root, node, { aspect, margin: { l = 0, r = 0, t = 0, b = 0 }, heights: [shortest, tallest] }) {
  const above = FINGER ? BUTTON : t;
  const height = Math.round((root.clientWidth - l - r) / aspect + above + b);
  node.style.height = `${Math.min(tallest, Math.max(shortest, height))}px`;
}

// Moves lines to other heights at once, past plotly, which takes 25 ms for it: its own state follows when they rest.
function bend(node, traces, heights) {
  const { xaxis, yaxis } = node._fullLayout;
  traces.forEach((index, which) => {
    const trace = node._fullData[index];
    const line = node.querySelector(`.trace${trace.uid} .js-line`);
    if (!line) return;
    let [path, pen] = ["", "M"];
    heights[which].forEach((y, i) => {
      const [across, up] = [xaxis.l2p(xaxis.d2l(trace.x[i])), y === null ? NaN : yaxis.l2p(yaxis.d2l(y))];
      if (Number.isFinite(up)) path += `${pen}${across.toFixed(1)},${up.toFixed(1)}`;
      pen = Number.isFinite(up) ? "L" : "M";
    });
    line.setAttribute("d", path);
  });
}

// Saves what is seen now, at the cursor's step where the picture shows that.
async function photograph(Plotly, node) {
  const { title, file, follows, frames } = node.fop.data;
  const { step } = clock;
  if (frames?.steps.length) await Plotly.restyle(node, { y: frames.y[before(frames.steps, step)] }, frames.traces);
  const [width, height] = [node.offsetWidth, node.offsetHeight];
  const image = await Plotly.toImage(node, { format: "png", scale: 3, width, height });
  const bytes = Uint8Array.from(atob(image.slice(image.indexOf(",") + 1)), (sign) => sign.charCodeAt(0));
  const at = (follows || frames) && Number.isFinite(step) ? Math.floor(step) : null;
  const named = at === null ? [title, file] : [`${title}, step ${at}`, `${file}-step-${at}`];
  await savePicture(new Blob([bytes]), ...named);
}

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".fop-plot");
  const node = root.querySelector(".fop-plot-node");

  root.setAttribute("aria-label", data.alt);
  fit(root, node, data);
  node.fop ??= { shown: "", sizes: null, dragmode: false };
  node.fop.data = data;

  const cursor = root.querySelector(".fop-plot-cursor");
  const follow = () => {
    const axis = node._fullLayout?.xaxis;
    if (!data.follows || !axis || node.hidden) return;
    const at = axis.type === "log" ? Math.log10(Math.max(clock.step, 1)) : clock.step;
    const share = (at - axis.range[0]) / (axis.range[1] - axis.range[0]);
    cursor.hidden = !(share >= 0 && share <= 1) || !clock.moving;
    if (cursor.hidden) return;
    cursor.style.transform = `translateX(${node.offsetLeft + axis._offset + share * axis._length}px)`;
    cursor.style.top = `${node._fullLayout.yaxis._offset}px`;
    cursor.style.height = `${node._fullLayout.yaxis._length}px`;
  };
  // Shows the frame of the player's step.
  const turn = () => {
    const frames = data.frames;
    if (!frames?.steps.length || node.fop.drawn !== data.figure || node.hidden) return; // the lines are still those before
    const at = before(frames.steps, clock.step);
    if (node.fop.frame === at) return;
    node.fop.frame = at;
    bend(node, frames.traces, frames.y[at]);
    clearTimeout(node.fop.rests);
    node.fop.rests = setTimeout(() => {
      if (node.isConnected && node.fop.data === data) window.Plotly.restyle(node, { y: frames.y[at] }, frames.traces);
    }, 250);
  };
  const answer = () => {
    follow();
    turn();
  };
  node.fop.unfollow?.();
  node.fop.unfollow = clock.follow(answer);

  const draw = async () => {
    const Plotly = await library(data.source).catch(() => null);
    root.querySelector(".fop-plot-missing").hidden = Plotly !== null;
    node.hidden = Plotly === null;
    if (!Plotly) return;
    await new Promise((next) => requestAnimationFrame(() => setTimeout(next))); // the player's next frame comes first
    if (!node.isConnected || node.fop.data !== data) return; // gone, or newer data are on their way
    const theme = themeOf(node);
    const shown = theme + data.figure;
    if (node.fop.shown === shown) return;
    node.fop.shown = shown;
    const font = getComputedStyle(node).getPropertyValue("--st-font");
    const figure = themed(data.figure, data.themes[theme], font);
    if (FINGER) merge(figure.layout, { dragmode: node.fop.dragmode, margin: { t: BUTTON } });
    // Always the same: another one would have plotly make the whole picture anew, zoom and all.
    node.fop.config ??= {
      displaylogo: false,
      ...(FINGER ? fingers(Plotly, node) : mouse(Plotly, () => photograph(Plotly, node))),
      doubleClick: "reset",
    };
    await Plotly.react(node, figure.data, figure.layout, node.fop.config);
    node.dataset.drag = node._fullLayout.dragmode;
    node.dataset.theme = theme;
    Object.assign(node.fop, { drawn: data.figure, frame: null });
    answer();
    if (!node.fop.sizes) watch(Plotly);
  };

  const watch = (Plotly) => {
    node.on("plotly_relayout", () => {
      node.fop.dragmode = node.dataset.drag = node._fullLayout.dragmode;
      for (const follower of clock.followers) follower();
    });
    let width = root.clientWidth;
    node.fop.sizes = new ResizeObserver(() => {
      if (!root.clientWidth || root.clientWidth === width) return;
      width = root.clientWidth;
      fit(root, node, node.fop.data);
      Plotly.Plots.resize(node);
    });
    node.fop.sizes.observe(root);
  };

  draw();
  return atUnmount(node, () => {
    node.fop.sizes?.disconnect();
    node.fop.unfollow?.();
    node.fop.data = null;
    window.Plotly?.purge(node);
  });
}
