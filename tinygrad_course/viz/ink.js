"use strict";
// From strokes to the 28 by 28 pixels of MNIST: fitted into 20 by 20, centred where the ink's weight is.

const SIDE = 28;
const BOX = 20; // the longer side of a digit in MNIST

// Where the ink of a drawing is: its bounds, and its centre of mass; null for an empty sheet
function extentOfInk(ink, size) {
  let [left, right, top, bottom] = [size, -1, size, -1];
  let [total, x, y] = [0, 0, 0];
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      const dark = ink[i * size + j];
      if (dark === 0) continue;
      left = Math.min(left, j);
      right = Math.max(right, j);
      top = Math.min(top, i);
      bottom = Math.max(bottom, i);
      total += dark;
      x += dark * (j + 0.5);
      y += dark * (i + 0.5);
    }
  }
  if (total === 0) return null;
  const longer = Math.max(right - left, bottom - top) + 1;
  return { x: x / total, y: y / total, scale: Math.min(1, BOX / longer) };
}

// The pixels of a drawing, 0 to 1: each of its own pixels is spread over those that it falls on
function pixelsOf(ink, size, extent) {
  const pixels = new Float32Array(SIDE * SIDE);
  if (extent === null) return pixels;
  const { x, y, scale } = extent;
  const area = scale * scale;
  for (let i = 0; i < size; i++) {
    const down = (i + 0.5 - y) * scale + SIDE / 2 - 0.5;
    const row = Math.floor(down);
    for (let j = 0; j < size; j++) {
      const dark = ink[i * size + j];
      if (dark === 0) continue;
      const along = (j + 0.5 - x) * scale + SIDE / 2 - 0.5;
      const column = Math.floor(along);
      for (const [r, part] of [[row, 1 - down + row], [row + 1, down - row]]) {
        for (const [c, share] of [[column, 1 - along + column], [column + 1, along - column]]) {
          if (r >= 0 && r < SIDE && c >= 0 && c < SIDE) pixels[r * SIDE + c] += dark * area * part * share;
        }
      }
    }
  }
  return pixels.map((p) => Math.min(1, p));
}
