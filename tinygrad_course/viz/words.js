"use strict";
// Numbers and arrays in words: the same fixed-width numbers as in Python's pictures.

const SVG = "http://www.w3.org/2000/svg";

function make(tag, text, properties = {}) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  for (const [name, value] of Object.entries(properties)) element.setAttribute(name, value);
  return element;
}

function makeSvg(tag, properties = {}) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(properties)) element.setAttribute(name, value);
  return element;
}

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

function shapeText(shape) {
  return `(${shape.join(", ")}${shape.length === 1 ? "," : ""})`;
}

function sizeOf(shape) {
  return shape.reduce((product, n) => product * n, 1);
}

function isArray(x) {
  return x !== null && typeof x === "object";
}

// A number, or the shape of an array; – for none
function brief(x) {
  if (x === null || x === undefined) return "–";
  if (!isArray(x)) return number(x);
  return x.parts ? x.parts.map(brief).join(", ") : shapeText(x.shape);
}

// A number, or shape, smallest, mean and largest entry
function inWords(x) {
  if (!isArray(x) || x.min === undefined) return brief(x);
  return `${brief(x)}: mean ${number(x.mean)}, min ${number(x.min)}, max ${number(x.max)}`;
}

// A number, or the mean of an array
function inShort(x) {
  return isArray(x) && x.mean !== undefined ? `mean ${number(x.mean)}` : brief(x);
}

function gradientText(gradient) {
  if (!isArray(gradient) || gradient.norm === undefined) return `grad ${brief(gradient)}`;
  return `‖grad‖ ${number(gradient.norm).replace(/^\+/, "")}`;
}

// Where an entry of a flat array is: 5 of shape (2, 4) is [1, 1]
function placeText(index, shape) {
  const place = [];
  for (const n of [...shape].reverse()) {
    place.unshift(index % n);
    index = Math.floor(index / n);
  }
  return `[${place.join(", ")}]`;
}

// The size of a small plot, in pixels of the screen, and the margin within it; measured when it changes, as
// measuring while other things are being changed is slow
const AREAS = new WeakMap();
const AREA_WATCHER = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    if (contentRect.width) keepArea(target, contentRect);
  }
});

function keepArea(svg, { width, height }) {
  const [wide, tall] = [Math.round(width) || 220, Math.round(height) || 100];
  svg.setAttribute("viewBox", `0 0 ${wide} ${tall}`);
  AREAS.set(svg, { width: wide, height: tall, edge: 9 });
}

function drawingArea(svg) {
  if (!AREAS.has(svg)) {
    keepArea(svg, svg.getBoundingClientRect());
    AREA_WATCHER.observe(svg);
  }
  return AREAS.get(svg);
}
