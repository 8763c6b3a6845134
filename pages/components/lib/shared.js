// What the pictures of a page share: plotly.js, light and dark, numbers, and the clock. It stands before each one's own script.

// Takes apart what component.packed put together. Each array is a copy: bytes arrive at odd offsets.
function unpacked(bytes) {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const data = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  let at = 4 + length;
  for (const [name, size] of Object.entries(data.arrays)) data[name] = bytes.slice(at, (at += size)).buffer;
  return data;
}

// The cleanup that a component returns. Of two calls in quick succession Streamlit may run the first one's cleanup after
// the second call has drawn: then it must take nothing down.
function atUnmount(root, leave) {
  const call = (root.fopCall = {});
  return () => {
    if (root.fopCall === call) leave();
  };
}

// What has keys of its own while it is focused, and what Space presses.
const FIELDS = `input, textarea, select, [contenteditable=""], [contenteditable=true], [role=dialog], [role=menu],
  [role=listbox], [role=radiogroup], [role=tablist], [role=slider], [role=grid], [role=application], [data-keys=own]`;
const PRESSED = "button, a, summary, select, [role=button], [role=checkbox], [role=switch]";

// Gives keys of the window to a component, but those that another element has a use for; returns how to end that.
function pageKeys(root, keys) {
  const listener = (event) => {
    const at = document.activeElement ?? document.body;
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
    if (root.contains(at) ? at.tagName === "SELECT" : at.closest(FIELDS)) return;
    if (event.key === " " && at.closest(PRESSED)) return;
    event.preventDefault();
    keys[event.key](event);
  };
  window.addEventListener("keydown", listener);
  return () => window.removeEventListener("keydown", listener);
}

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

// Three significant digits, as fop_core.figures.style.number writes them.
function short(value) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "not a number" : value > 0 ? "∞" : "−∞";
  const size = Math.abs(Number(value.toPrecision(3)));
  const text =
    size === 0
      ? "0"
      : size >= 1e-4 && size < 1e6
        ? value.toLocaleString("en", {
            minimumFractionDigits: Math.max(0, 2 - Math.floor(Math.log10(size))),
            maximumFractionDigits: Math.max(0, 2 - Math.floor(Math.log10(size))),
          })
        : value.toExponential(2).replace(/\.?0*e\+?/, "e");
  return text.replace("-", "−");
}

// The last index in ascending steps at or before a step.
function before(steps, step) {
  let [low, high] = [0, steps.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (steps[middle] <= step) low = middle;
    else high = middle - 1;
  }
  return low;
}

// The step at which a race is shown. The player moves it, the other pictures follow.
const clock = (window.fopClock ??= {
  step: Infinity,
  values: {},
  followers: new Set(),
  set(step, values) {
    Object.assign(this, { step, values });
    for (const follower of this.followers) {
      try {
        follower();
      } catch (error) {
        reportError(error); // one picture that cannot follow keeps no other from it
      }
    }
  },
  follow(follower) {
    this.followers.add(follower);
    follower();
    return () => this.followers.delete(follower);
  },
});

// What a mouse gets, and what a finger gets: to a finger the page scrolls, unless it has chosen to zoom.
const mouse = (Plotly, photograph) => {
  const camera = { name: "camera", title: "Save the picture as a PNG", icon: Plotly.Icons.camera, click: photograph };
  return { displayModeBar: "hover", modeBarButtons: [["zoom2d", "pan2d", "resetScale2d", camera]] };
};
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
