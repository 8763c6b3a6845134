// What the camera's button saves: the surface with all that is drawn over it, at the step of the click.

const SHARP = 3; // pixels each way for one of the page's

async function photograph(player, Plotly) {
  const { ground } = player.parts;
  const [width, height] = [ground.offsetWidth, ground.offsetHeight];
  const step = Math.floor(Math.min(player.step, player.end));
  const { paper } = player.data.themes[player.theme].colors;
  const [over, front] = sheet(width, height);
  front.translate(-ground.offsetLeft, -ground.offsetTop);
  player.at(SHARP, () => layers(front, player.parts));
  const surface = new Image();
  surface.src = await Plotly.toImage(ground, { format: "png", scale: SHARP, width, height });
  await surface.decode();
  const [whole, pen] = sheet(width, height);
  pen.fillStyle = paper;
  pen.fillRect(0, 0, width, height);
  for (const image of [surface, over]) pen.drawImage(image, 0, 0, width, height);
  const drawn = await new Promise((resolve) => whole.toBlob(resolve));
  await savePicture(drawn, `${player.data.title}, step ${step}`, `${player.data.file}-step-${step}`);
}

function sheet(width, height) {
  const made = document.createElement("canvas");
  Object.assign(made, { width: width * SHARP, height: height * SHARP });
  const pen = made.getContext("2d");
  pen.scale(SHARP, SHARP);
  return [made, pen];
}

// Draws the two canvases and the labels where they stand on the stage.
function layers(pen, { stage, paths, heads, labels }) {
  for (const layer of [paths, heads]) {
    const { left, top, width, height } = layer.style;
    pen.drawImage(layer, ...[left, top, width, height].map(parseFloat));
  }
  const origin = stage.getBoundingClientRect();
  pen.textBaseline = "middle";
  for (const label of labels.querySelectorAll(".fop-arrived")) {
    const box = label.getBoundingClientRect();
    const [left, top] = [box.left - origin.left, box.top - origin.top];
    const style = getComputedStyle(label);
    pen.fillStyle = style.backgroundColor;
    pen.fillRect(left, top, box.width, box.height);
    pen.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    pen.fillStyle = style.color;
    pen.fillText(label.textContent, left + parseFloat(style.paddingLeft), top + box.height / 2);
  }
}
