// What the pictures on a canvas share: elements, sharp canvases, colours.

const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
const blend = (over, under, share) => over.map((part, i) => Math.round(part * share + under[i] * (1 - share)));
const pixel = ([red, green, blue]) => ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
const css = (color) => `rgb(${color.join()})`;

function make(name, className = "", text = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

// A canvas of so many css px, and its pen in these.
function canvas(width, height, made = make("canvas")) {
  const ratio = window.devicePixelRatio || 1;
  made.width = Math.round(width * ratio);
  made.height = Math.round(height * ratio);
  made.style.width = `${width}px`;
  made.style.height = `${height}px`;
  const pen = made.getContext("2d");
  pen.scale(ratio, ratio);
  return [made, pen];
}
