// Marks as pixels: the same drawing on the screen and in the picture that is sent. Amber on black lines, so that a mark
// is seen on any ground.

const AMBER = "#ffc24b";
const INK = "#17211e";

/** The picture with its quarter turns, in a canvas of at most `longest` pixels on its longer side. */
export function turned(image, turns, longest = Infinity) {
  const scale = Math.min(1, longest / Math.max(image.naturalWidth, image.naturalHeight));
  const width = Math.max(1, Math.round(image.naturalWidth * scale));
  const height = Math.max(1, Math.round(image.naturalHeight * scale));
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = turns % 2 ? [height, width] : [width, height];
  const context = canvas.getContext("2d");
  context.translate(canvas.width / 2, canvas.height / 2);
  context.rotate((turns * Math.PI) / 2);
  context.drawImage(image, -width / 2, -height / 2, width, height);
  return canvas;
}

/** Draw numbered marks over a canvas; `number` of each is its own or its place. */
export function drawMarks(canvas, marks) {
  const context = canvas.getContext("2d");
  const unit = Math.max(canvas.width, canvas.height) / 100;
  const at = ([x, y]) => [x * canvas.width, y * canvas.height];
  marks.forEach((mark, index) => {
    const points = mark.points.map(at);
    const line = new Path2D();
    if (mark.kind === "box") {
      const [[ax, ay], [bx, by]] = points;
      line.rect(Math.min(ax, bx), Math.min(ay, by), Math.abs(bx - ax), Math.abs(by - ay));
    } else if (mark.kind === "arrow") arrow(line, ...points, 3 * unit);
    else if (mark.kind === "freehand") points.forEach(([x, y], place) => (place ? line.lineTo(x, y) : line.moveTo(x, y)));
    stroke(context, line, 0.55 * unit);
    if (mark.kind === "text") text(context, points[0], mark.note || "…", unit);
    else badge(context, points[0], String(mark.number ?? index + 1), unit, mark.kind === "pin");
  });
}

function stroke(context, line, width) {
  context.lineJoin = context.lineCap = "round";
  context.strokeStyle = INK;
  context.lineWidth = width * 2;
  context.stroke(line);
  context.strokeStyle = AMBER;
  context.lineWidth = width;
  context.stroke(line);
}

function arrow(line, [ax, ay], [bx, by], size) {
  const angle = Math.atan2(by - ay, bx - ax);
  line.moveTo(ax, ay);
  line.lineTo(bx, by);
  for (const side of [-0.5, 0.5]) {
    line.moveTo(bx, by);
    line.lineTo(bx - size * Math.cos(angle + side), by - size * Math.sin(angle + side));
  }
}

/** A number in a disc at a point; a pin stands on the point by its tip. */
function badge(context, [x, tip], number, unit, isPin) {
  const radius = 2 * unit;
  const y = isPin ? tip - 2 * radius : tip;
  context.beginPath();
  if (isPin) {
    context.moveTo(x, tip);
    context.arc(x, y, radius, 0.8 * Math.PI, 2.2 * Math.PI);
    context.closePath();
  } else context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = AMBER;
  context.fill();
  context.lineJoin = "round";
  context.lineWidth = 0.35 * unit;
  context.strokeStyle = INK;
  context.stroke();
  context.fillStyle = INK;
  context.font = `600 ${2.4 * unit}px sans-serif`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(number, x, y + 0.15 * unit);
}

function text(context, [x, y], words, unit) {
  context.font = `600 ${3 * unit}px sans-serif`;
  context.textAlign = "left";
  context.textBaseline = "middle";
  const width = context.measureText(words).width + 1.6 * unit;
  const left = Math.max(0, Math.min(x, context.canvas.width - width));
  context.fillStyle = INK;
  context.fillRect(left, y - 2.2 * unit, width, 4.4 * unit);
  context.fillStyle = AMBER;
  context.fillText(words, left + 0.8 * unit, y + 0.15 * unit);
}

/** Darken what a crop leaves out. */
export function drawCrop(canvas, [left, top, right, bottom]) {
  const context = canvas.getContext("2d");
  const { width, height } = canvas;
  const hole = new Path2D();
  hole.rect(0, 0, width, height);
  hole.rect(left * width, top * height, (right - left) * width, (bottom - top) * height);
  context.fillStyle = "rgb(0 0 0 / 62%)";
  context.fill(hole, "evenodd");
}

/** The crosshair of the keyboard. */
export function drawCrosshair(canvas, [x, y]) {
  const line = new Path2D();
  line.moveTo(x * canvas.width, 0);
  line.lineTo(x * canvas.width, canvas.height);
  line.moveTo(0, y * canvas.height);
  line.lineTo(canvas.width, y * canvas.height);
  stroke(canvas.getContext("2d"), line, Math.max(canvas.width, canvas.height) / 500);
}

/** What is inside a crop, in full size. */
export function cropped(canvas, [left, top, right, bottom]) {
  const width = Math.max(1, Math.round((right - left) * canvas.width));
  const height = Math.max(1, Math.round((bottom - top) * canvas.height));
  const piece = document.createElement("canvas");
  [piece.width, piece.height] = [width, height];
  piece.getContext("2d").drawImage(canvas, left * canvas.width, top * canvas.height, width, height, 0, 0, width, height);
  return piece;
}

/** A file of a canvas: exact for small pictures, JPEG for photographs that would be many megabytes. */
export function asFile(canvas, name) {
  const type = canvas.width * canvas.height > 1_500_000 ? "image/jpeg" : "image/png";
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(new File([blob], name, { type })) : reject(new Error("no picture"))), type, 0.93);
  });
}
