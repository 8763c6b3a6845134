// Draws data.figure on the one node of this place. Called when the place appears, and again with new data or another theme.

const library = (source) =>
  (window.fopPlotly ??= new Promise((loaded, failed) => {
    const script = document.createElement("script");
    script.src = new URL(source, document.baseURI).href;
    script.onload = () => loaded(window.Plotly);
    script.onerror = () => {
      window.fopPlotly = undefined; // another try with the next data
      failed(new Error(`no ${script.src}`));
    };
    document.head.appendChild(script);
  }));

// Light or dark, as the page's own background is.
function themeOf(node) {
  const canvas = document.createElement("canvas").getContext("2d");
  canvas.fillStyle = getComputedStyle(node).getPropertyValue("--st-background-color").trim() || "#fff";
  const [red, green, blue] = canvas.fillStyle.match(/[0-9a-f]{2}/gi).map((hex) => parseInt(hex, 16));
  return red + green + blue > 382 ? "light" : "dark";
}

// Lays the values of `over` on `under`, branch by branch.
function merge(under, over) {
  for (const [key, value] of Object.entries(over)) {
    if (value && typeof value === "object" && !Array.isArray(value)) merge((under[key] ??= {}), value);
    else under[key] = value;
  }
}

function themed(json, { template, roles }, font) {
  const figure = JSON.parse(json);
  figure.layout.template = template;
  merge(figure.layout, { font: { family: font }, hoverlabel: { font: { family: font } } });
  for (const trace of figure.data) merge(trace, roles[trace.meta] ?? {});
  return figure;
}

// What a mouse gets, and what a finger gets: to a finger the page scrolls, unless it has chosen to zoom.
const MOUSE = { displayModeBar: "hover", modeBarButtons: [["zoom2d", "pan2d", "resetScale2d", "toImage"]] };
const fingers = (Plotly, node) => ({
  displayModeBar: true,
  modeBarButtons: [
    [
      {
        name: "drag",
        title: "Zoom by drawing a box, or scroll the page",
        icon: Plotly.Icons.zoombox,
        click: () => Plotly.relayout(node, { dragmode: node._fullLayout.dragmode ? false : "zoom" }),
      },
      "resetScale2d",
    ],
  ],
});

const FINGER = window.matchMedia("(pointer: coarse)").matches;
const BUTTON = 48; // room for the buttons of a finger, above the picture

// Gives the space inside the margins its aspect.
function fit(place, node, { aspect, exact, margin: { l = 0, r = 0, t = 0, b = 0 }, heights: [shortest, tallest] }) {
  const above = FINGER ? BUTTON : t;
  const height = Math.round((place.clientWidth - l - r) / aspect + above + b);
  node.style.height = `${Math.min(tallest, Math.max(shortest, height))}px`;
  node.style.width = exact && height > tallest ? `${Math.round((tallest - above - b) * aspect + l + r)}px` : "100%";
}

export default function ({ data, parentElement }) {
  const place = parentElement.querySelector(".fop-plot");
  const node = place.querySelector(".fop-plot-node");

  place.setAttribute("aria-label", data.words);
  fit(place, node, data);
  node.fop ??= { shown: "", sizes: null, dragmode: false };
  node.fop.data = data;

  const draw = async () => {
    const Plotly = await library(data.source).catch(() => null);
    place.querySelector(".fop-plot-missing").hidden = Plotly !== null;
    node.hidden = Plotly === null;
    if (!Plotly) return;
    if (!node.isConnected || node.fop.data !== data) return; // gone, or newer data are on their way
    const theme = themeOf(node);
    const shown = theme + data.figure;
    if (node.fop.shown === shown) return;
    node.fop.shown = shown;
    const font = getComputedStyle(node).getPropertyValue("--st-font");
    const figure = themed(data.figure, data.themes[theme], font);
    if (FINGER) merge(figure.layout, { dragmode: node.fop.dragmode, margin: { t: BUTTON } });
    await Plotly.react(node, figure.data, figure.layout, {
      displaylogo: false,
      ...(FINGER ? fingers(Plotly, node) : MOUSE),
      doubleClick: "reset",
      toImageButtonOptions: { filename: data.name, scale: 3 },
    });
    node.dataset.drag = node._fullLayout.dragmode;
    node.dataset.theme = theme;
    if (!node.fop.sizes) watch(Plotly);
  };

  const watch = (Plotly) => {
    node.on("plotly_relayout", () => (node.fop.dragmode = node.dataset.drag = node._fullLayout.dragmode));
    let width = place.clientWidth;
    node.fop.sizes = new ResizeObserver(() => {
      if (!place.clientWidth || place.clientWidth === width) return;
      width = place.clientWidth;
      fit(place, node, node.fop.data);
      Plotly.Plots.resize(node);
    });
    node.fop.sizes.observe(place);
  };

  draw();
  return () => {
    node.fop.sizes?.disconnect();
    node.fop.data = null;
    window.Plotly?.purge(node);
  };
}
