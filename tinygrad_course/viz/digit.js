"use strict";
// The page itself: strokes become pixels, pixels go through the program, and everything shown follows.

const STRONGEST = 6; // so many hidden neurons are shown with their weights
const BRUSH = 23;
const data = JSON.parse(document.getElementById("data").textContent);
const by = (id) => document.getElementById(id);
const sheet = by("ink").getContext("2d", { willReadFrequently: true });
const size = by("ink").width;
const { names } = data;
const values = Object.fromEntries(Object.entries(data.inputs).map(([name, input]) => [name, unpacked(input)]));
const state = { image: null, extent: null, picked: null, loaded: false, from: null };

function bytesOf(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

function unpacked({ array, data: given }) {
  return array === "number" ? given : new globalThis[array](bytesOf(given).buffer);
}

// Both passes for an image (784 numbers from 0 to 1), explained for one answer, or for the likeliest
function look(image, answer = null) {
  values[names.pixels].set(image);
  PROGRAM.forward(values);
  const logits = Array.from(values[names.logits]);
  const top = Math.max(...logits);
  const parts = logits.map((x) => Math.exp(x - top));
  const total = parts.reduce((sum, x) => sum + x, 0);
  const likeliest = logits.indexOf(top);
  const chosen = answer ?? likeliest;
  values[names.chosen][0] = chosen;
  PROGRAM.forward(values);
  const slopes = PROGRAM.backward(values)[names.slopes];
  return { logits, probabilities: parts.map((x) => x / total), likeliest, chosen, slopes, active: values[names.active] };
}

// Drawing
let waiting = false;

function changed() { // once a frame is enough
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    show();
  });
}

function inkOf() {
  const { data: rgba } = sheet.getImageData(0, 0, size, size);
  const ink = new Float32Array(size * size);
  for (let i = 0; i < ink.length; i++) ink[i] = rgba[4 * i + 3] / 255;
  return ink;
}

function placeOf(event) {
  const box = by("ink").getBoundingClientRect();
  return [((event.clientX - box.left) / box.width) * size, ((event.clientY - box.top) / box.height) * size];
}

function stroke(from, to) {
  sheet.strokeStyle = getComputedStyle(document.body).color;
  sheet.lineWidth = BRUSH;
  sheet.lineCap = sheet.lineJoin = "round";
  sheet.beginPath();
  sheet.moveTo(...from);
  sheet.lineTo(...to);
  sheet.stroke();
}

function drawn() {
  const ink = inkOf();
  state.extent = extentOfInk(ink, size);
  state.image = state.extent && pixelsOf(ink, size, state.extent);
  mark(null);
  changed();
}

by("ink").addEventListener("pointerdown", (event) => {
  by("ink").setPointerCapture(event.pointerId);
  if (state.loaded) clear();
  state.from = placeOf(event);
  stroke(state.from, state.from);
  drawn();
  event.preventDefault();
});
by("ink").addEventListener("pointermove", (event) => {
  if (state.from === null) return;
  for (const each of event.getCoalescedEvents?.() ?? [event]) {
    const to = placeOf(each);
    stroke(state.from, to);
    state.from = to;
  }
  drawn();
});
for (const end of ["pointerup", "pointercancel"]) by("ink").addEventListener(end, () => { state.from = null; });

function clear() {
  sheet.clearRect(0, 0, size, size);
  Object.assign(state, { image: null, extent: null, picked: null, loaded: false });
  mark(null);
  changed();
}

// A test image is put into the network as it is, and painted onto the sheet
function load(sample, button) {
  clear();
  const image = Float32Array.from(bytesOf(sample.pixels), (p) => p / 255);
  Object.assign(state, { image, extent: { x: size / 2, y: size / 2, scale: SIDE / size }, loaded: true });
  const cell = size / SIDE;
  sheet.fillStyle = getComputedStyle(document.body).color;
  image.forEach((p, k) => {
    sheet.globalAlpha = p;
    sheet.fillRect((k % SIDE) * cell, Math.floor(k / SIDE) * cell, cell, cell);
  });
  sheet.globalAlpha = 1;
  mark(button);
  by("note").textContent = sample.says;
}

function mark(button) {
  for (const other of by("samples").children) other.setAttribute("aria-pressed", String(other === button));
  if (button === null) by("note").textContent = "";
}

// What is shown
function show() {
  const empty = state.image === null;
  by("hint").hidden = !empty;
  const seen = look(empty ? new Float32Array(SIDE * SIDE) : state.image, state.picked);
  const percent = Math.round(100 * seen.probabilities[seen.likeliest]);
  by("says").textContent = empty ? "" : `It is a ${seen.likeliest}, says the network, with ${percent} %.`;
  for (const element of document.querySelectorAll(".answer")) element.textContent = empty ? "answer" : seen.chosen;
  [...by("bars").children].forEach((bar, k) => showBar(bar, k, empty ? null : seen));
  paintInk(by("seen"), empty ? new Float32Array(SIDE * SIDE) : state.image);
  showSlopes(empty || !by("overlay").checked ? null : seen.slopes);
  showNeurons(seen, empty);
}

function showBar(bar, k, seen) {
  const part = seen ? seen.probabilities[k] : 0;
  const text = seen ? `${(100 * part).toFixed(part < 0.0995 ? 1 : 0)} %` : "–";
  bar.querySelector("progress").value = part;
  bar.querySelector(".part").textContent = text;
  bar.setAttribute("aria-pressed", String(seen !== null && k === seen.chosen));
  bar.setAttribute("aria-label", `${k}: ${text}`);
}

function paintInk(canvas, image) {
  Colours.heat(canvas, { rows: SIDE, cols: SIDE, cells: image }, 1);
}

// The gradient for every pixel, where that pixel is on the sheet
function showSlopes(slopes) {
  const over = by("slopes");
  const pen = over.getContext("2d");
  pen.clearRect(0, 0, over.width, over.height);
  if (slopes === null) return;
  const largest = largestOf(slopes);
  const small = document.createElement("canvas");
  small.width = small.height = SIDE;
  const picture = new ImageData(SIDE, SIDE);
  slopes.forEach((g, k) => {
    const strength = largest ? Math.abs(g) / largest : 0;
    picture.data.set([...Colours.tint(Math.sign(g), 1), Math.round(190 * strength)], 4 * k);
  });
  small.getContext("2d").putImageData(picture, 0, 0);
  const { x, y, scale } = state.extent;
  const factor = over.width / size;
  const wide = (SIDE / scale) * factor;
  pen.imageSmoothingEnabled = false;
  pen.drawImage(small, x * factor - wide / 2, y * factor - wide / 2, wide, wide);
}

function showNeurons(seen, empty) {
  const cols = Math.ceil(Math.sqrt(data.hidden));
  const cells = new Float32Array(cols * Math.ceil(data.hidden / cols));
  if (!empty) cells.set(seen.active);
  Colours.heat(by("active"), { rows: cells.length / cols, cols, cells });
  const alive = empty ? 0 : seen.active.filter((a) => a > 0).length;
  by("active").setAttribute("aria-label", `Activations of the hidden neurons: ${alive} of ${data.hidden} are active`);
  const order = Array.from(seen.active.keys()).sort((a, b) => seen.active[b] - seen.active[a]);
  const outputs = values[names.outputs];
  [...by("strongest").children].forEach((figure, k) => {
    const neuron = order[k];
    const first = neuron * SIDE * SIDE;
    figure.hidden = empty;
    Colours.heat(figure.firstChild, { rows: SIDE, cols: SIDE, cells: values[names.weights].subarray(first, first + SIDE * SIDE) });
    figure.firstChild.setAttribute("aria-label", `The weights of neuron ${neuron + 1}`);
    const weight = outputs[seen.chosen * data.hidden + neuron];
    const [a, w, product] = [seen.active[neuron], weight, seen.active[neuron] * weight];
    figure.lastChild.textContent = `#${neuron + 1}: ${a.toFixed(2)} × ${w.toFixed(2)} = ${(product < 0 ? "" : "+") + product.toFixed(2)}`;
  });
}

// Once, at the start
for (let k = 0; k < 10; k++) {
  const bar = make("button", undefined, { type: "button" });
  bar.append(make("span", k, { class: "digit" }), make("progress", undefined, { max: 1, "aria-hidden": "true" }), make("span", "", { class: "part" }));
  bar.addEventListener("click", () => {
    state.picked = state.picked === k ? null : k;
    show();
  });
  by("bars").append(bar);
}
for (const sample of data.samples) {
  const button = make("button", undefined, { type: "button", "aria-label": sample.says, title: sample.says });
  button.append(make("canvas", undefined, { class: "heat" }));
  button.addEventListener("click", () => load(sample, button));
  by("samples").append(button);
}

function paintSamples() {
  [...by("samples").children].forEach((button, k) => {
    paintInk(button.firstChild, Float32Array.from(bytesOf(data.samples[k].pixels), (p) => p / 255));
  });
}
paintSamples();
for (let k = 0; k < STRONGEST; k++) {
  const figure = make("figure");
  figure.append(make("canvas", undefined, { class: "heat", role: "img" }), make("figcaption"));
  by("strongest").append(figure);
}
by("count").textContent = data.hidden;
by("clear").addEventListener("click", clear);
by("overlay").addEventListener("change", show);
SCHEME.subscribe(() => {
  sheet.globalCompositeOperation = "source-in"; // the same ink in the other colour
  sheet.fillStyle = getComputedStyle(document.body).color;
  sheet.fillRect(0, 0, size, size);
  sheet.globalCompositeOperation = "source-over";
  paintSamples();
  show();
});
show();
