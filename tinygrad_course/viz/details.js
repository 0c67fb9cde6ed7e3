"use strict";
// Numbers and arrays in words and pictures: the same fixed-width numbers as in Python's pictures.

function asNumber(x) { // what JSON has no word for comes as a text
  return typeof x === "string" ? { nan: NaN, inf: Infinity, "-inf": -Infinity }[x] : x;
}

function number(x) {
  x = asNumber(x);
  if (Number.isNaN(x)) return "nan";
  const sign = x < 0 ? "-" : "+";
  const size = Math.abs(x);
  if (size === Infinity) return sign + "inf";
  if (size === 0 || (size >= 5e-5 && size < 1e4)) return sign + size.toFixed(4);
  return sign + size.toExponential(1).replace(/e([+-])(\d)$/, "e$10$2");
}

function shape(summary) {
  if (summary.parts) return summary.parts.map(brief).join(", ");
  return `(${summary.shape.join(", ")}${summary.shape.length === 1 ? "," : ""})`;
}

function isArray(x) {
  return x !== null && typeof x === "object";
}

// A number, or the shape of an array; – for none
function brief(x) {
  return x === null || x === undefined ? "–" : isArray(x) ? shape(x) : number(x);
}

// A number, or shape, smallest, mean and largest entry
function inWords(x) {
  if (!isArray(x) || x.min === undefined) return brief(x);
  return `${shape(x)}: mean ${number(x.mean)}, min ${number(x.min)}, max ${number(x.max)}`;
}

function size(x) {
  return x.shape.reduce((product, n) => product * n, 1);
}

function make(tag, text, properties = {}) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  for (const [name, value] of Object.entries(properties)) element.setAttribute(name, value);
  return element;
}

// A heat map: blue below zero, orange above, paper at zero
function heatMap(summary, title) {
  const rows = summary.heat;
  const [tall, wide] = [rows.length, rows[0].length];
  const cell = Math.max(2, Math.min(18, Math.floor(240 / Math.max(wide, tall))));
  const canvas = make("canvas", undefined, {
    width: wide * cell, height: tall * cell, role: "img", class: "heat",
    "aria-label": `${title} as a heat map: ${inWords(summary)}`,
  });
  const pen = canvas.getContext("2d");
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const [paper, below, above] = dark
    ? [[34, 39, 45], [86, 180, 233], [255, 159, 64]] : [[255, 255, 255], [0, 90, 170], [205, 80, 0]];
  rows.forEach((row, i) => row.forEach((percent, j) => {
    const end = percent < 0 ? below : above;
    const part = Math.abs(percent) / 100;
    pen.fillStyle = `rgb(${paper.map((p, k) => Math.round(p + (end[k] - p) * part)).join(" ")})`;
    pen.fillRect(j * cell, i * cell, cell, cell);
  }));
  return canvas;
}

// The entries of an array, row by row
function table(summary, title) {
  const wide = summary.shape.length > 1 ? summary.shape[summary.shape.length - 1] : summary.values.length;
  const box = make("div", undefined, { class: "values", tabindex: "0", role: "region", "aria-label": `Values of ${title}` });
  const body = make("table");
  for (let start = 0; start < summary.values.length; start += wide) {
    const row = body.insertRow();
    for (const entry of summary.values.slice(start, start + wide)) row.insertCell().textContent = number(entry);
  }
  box.append(body);
  const shown = summary.values.length;
  if (shown < size(summary)) box.append(make("p", `the first ${shown} of ${size(summary).toLocaleString("en")}`));
  return box;
}

function arrayPart(title, x) {
  const part = make("section");
  part.append(make("h3", title), make("p", inWords(x)));
  if (isArray(x) && x.heat && x.heat.length && x.heat[0].length) {
    const values = make("details");
    values.append(make("summary", "all values"), table(x, title));
    part.append(heatMap(x, title), values);
  }
  return part;
}

// The loss curve of a training run, with a mark that can be moved
function lossCurve(frames) {
  const [wide, tall, edge] = [260, 110, 8];
  const losses = frames.map((frame) => asNumber(frame.loss));
  const seen = losses.filter(Number.isFinite);
  const [low, high] = [Math.min(...seen), Math.max(...seen)];
  const x = (i) => edge + (i / Math.max(losses.length - 1, 1)) * (wide - 2 * edge);
  const y = (loss) => tall - edge - ((loss - low) / (high - low || 1)) * (tall - 2 * edge);
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${wide} ${tall}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `Loss curve, from ${number(losses[0])} to ${number(losses[losses.length - 1])}`);
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", losses.map((loss, i) => Number.isFinite(loss)
    ? `${i && Number.isFinite(losses[i - 1]) ? "L" : "M"}${x(i).toFixed(1)} ${y(loss).toFixed(1)}` : "").join(""));
  const mark = document.createElementNS(SVG, "circle");
  mark.setAttribute("r", "4.5");
  svg.append(line, mark);
  const scale = make("p", `loss from ${number(low)} to ${number(high)}`);
  const moveTo = (i) => {
    const loss = Number.isFinite(losses[i]) ? losses[i] : low;
    mark.setAttribute("cx", x(i).toFixed(1));
    mark.setAttribute("cy", y(loss).toFixed(1));
  };
  return { parts: [svg, scale], moveTo };
}
