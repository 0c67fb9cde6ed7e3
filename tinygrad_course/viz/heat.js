"use strict";
// Colours, which mean one thing on the whole page: blue above zero, orange below, grey at zero.

const DARK = matchMedia("(prefers-color-scheme: dark)");
const TINTS = {
  light: { zero: [236, 239, 242], positive: [8, 104, 198], negative: [222, 96, 0] },
  dark: { zero: [52, 59, 67], positive: [92, 178, 250], negative: [255, 152, 66] },
};
const MOST_CELLS = 28; // a heat map has at most so many rows and columns

// Red, green and blue of a number, as strong as it is in relation to the largest
function tint(x, largest) {
  const { zero, positive, negative } = TINTS[DARK.matches ? "dark" : "light"];
  if (!Number.isFinite(x)) return Number.isNaN(x) ? [150, 0, 150] : tint(Math.sign(x), 1);
  const part = largest > 0 ? Math.min(Math.abs(x) / largest, 1) ** 0.8 : 0;
  const end = x < 0 ? negative : positive;
  return zero.map((z, k) => Math.round(z + (end[k] - z) * part));
}

function colour(x, largest) {
  return `rgb(${tint(x, largest).join(" ")})`;
}

// Rows and columns of an array's heat map: the last axis is the columns; large arrays are put into blocks
function extentOf(shape) {
  const wide = shape.length ? shape[shape.length - 1] : 1;
  const tall = sizeOf(shape) / (wide || 1);
  return { wide, tall, cols: Math.min(wide, MOST_CELLS), rows: Math.min(tall, MOST_CELLS) };
}

// The numbers of a heat map: entries, or means over blocks
function cellsOf(array, shape) {
  const { wide, tall, cols, rows } = extentOf(shape);
  if (cols === wide && rows === tall) return { rows, cols, cells: array };
  const cells = new Float64Array(rows * cols);
  const counts = new Float64Array(rows * cols);
  const column = Array.from({ length: wide }, (_, j) => Math.min(Math.floor((j * cols) / wide), cols - 1));
  for (let i = 0; i < tall; i++) {
    const start = Math.floor((i * rows) / tall) * cols;
    for (let j = 0; j < wide; j++) {
      cells[start + column[j]] += array[i * wide + j];
      counts[start + column[j]] += 1;
    }
  }
  return { rows, cols, cells: cells.map((sum, i) => sum / (counts[i] || 1)) };
}

function largestOf(cells) {
  let largest = 0;
  for (const x of cells) if (Math.abs(x) > largest && Math.abs(x) < Infinity) largest = Math.abs(x);
  return largest;
}

// Paint a heat map, a pixel a cell; the style sheet makes it as large as it is to be
function paint(canvas, { rows, cols, cells }, largest = largestOf(cells)) {
  if (!rows || !cols) return;
  if (canvas.width !== cols) canvas.width = cols;
  if (canvas.height !== rows) canvas.height = rows;
  const pen = canvas.getContext("2d");
  const image = pen.createImageData(cols, rows);
  for (let i = 0; i < rows * cols; i++) {
    const [r, g, b] = tint(cells[i], largest);
    image.data.set([r, g, b, 255], 4 * i);
  }
  pen.putImageData(image, 0, 0);
}

// The entry of an array whose cell is under the pointer; of a block of entries the first
function entryUnder(canvas, event, shape) {
  const box = canvas.getBoundingClientRect();
  const { wide, tall, rows, cols } = extentOf(shape);
  const row = Math.floor(((event.clientY - box.top) / box.height) * rows);
  const column = Math.floor(((event.clientX - box.left) / box.width) * cols);
  return Math.floor((row * tall) / rows) * wide + Math.floor((column * wide) / cols);
}
