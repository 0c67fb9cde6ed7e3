"use strict";
// Where the page's numbers come from: a frame that Python recorded, or the program that runs in the page.
// Both answer the same questions: value and gradient of a node, what flows along an edge.

const MOST_CELLS = 28; // a heat map has at most so many rows and columns

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

// The entry of an array whose cell is under the pointer; of a block of entries the first
function entryUnder(canvas, event, shape) {
  const box = canvas.getBoundingClientRect();
  const { wide, tall, rows, cols } = extentOf(shape);
  const row = Math.floor(((event.clientY - box.top) / box.height) * rows);
  const column = Math.floor(((event.clientX - box.left) / box.width) * cols);
  return Math.floor((row * tall) / rows) * wide + Math.floor((column * wide) / cols);
}

// An array with what is said of it, computed when it is asked for
class Tensor {
  #stats = null;

  constructor(array, shape) {
    this.array = array;
    this.shape = shape;
  }

  #all() {
    if (this.#stats) return this.#stats;
    let [min, max, sum, squares] = [Infinity, -Infinity, 0, 0];
    for (const x of this.array) {
      if (!(x >= min)) min = x; // nan goes through
      if (!(x <= max)) max = x;
      sum += x;
      squares += x * x;
    }
    this.#stats = { min, max, mean: sum / this.array.length, norm: Math.sqrt(squares) };
    return this.#stats;
  }

  get min() { return this.array.length ? this.#all().min : undefined; }
  get max() { return this.#all().max; }
  get mean() { return this.#all().mean; }
  get norm() { return this.array.length ? this.#all().norm : undefined; }
  get cells() { return cellsOf(this.array, this.shape); }
  entry(index) { return this.array[index]; }

  plus(other) {
    return other === null ? this : new Tensor(this.array.map((x, i) => x + other.array[i]), this.shape);
  }
}

// The summary of an array that Python made: its first entries, and its heat map in per cent
class Summary {
  constructor(data) {
    Object.assign(this, data);
    for (const key of ["min", "max", "mean", "norm"]) if (key in data) this[key] = asNumber(data[key]);
  }

  get cells() {
    const rows = this.heat || [];
    return { rows: rows.length, cols: rows.length ? rows[0].length : 0, cells: rows.flat() };
  }

  entry(index) { return this.values && index < this.values.length ? asNumber(this.values[index]) : undefined; }
}

const wrapped = (x) => (isArray(x) ? new Summary(x) : asNumber(x));

// A frame as it was recorded
class Recorded {
  constructor(frame) { this.frame = frame; }

  value(node) { return wrapped(this.frame.data[node]); }
  grad(node) { return wrapped(this.frame.grad[node]); }
  seed(node) { return wrapped(this.frame.seeds[node]); }

  step(edge) { // [local derivative or null, contribution, gradient before, gradient after]
    return this.frame.steps[edge].map(wrapped);
  }

  differs(node) { return this.frame.differs.includes(node); }
}

// What the program has computed; `model` has values and gradients by the program's names
class Alive {
  constructor(graph, model) {
    this.graph = graph;
    this.model = model;
    this.into = graph.nodes.map(() => []); // for each node the edges that bring it gradient, in order
    for (const [kind, edge] of graph.events) if (kind === "backward") this.into[graph.edges[edge][0]].push(edge);
  }

  #read(from, name) {
    const x = from[name];
    if (x === undefined) return null;
    return typeof x === "number" ? x : new Tensor(x, this.model.shapes[name]);
  }

  value(node) { return this.#read(this.model.values, this.graph.names[node]); }

  grad(node) { return this.#read(this.model.gradients, this.graph.gradients[node]); }

  seed(node) { // a result's gradient with respect to itself
    const x = this.value(node);
    return isArray(x) ? new Tensor(x.array.map(() => 1), x.shape) : 1;
  }

  contribution(edge) { return this.#read(this.model.gradients, this.graph.contributions[edge]); }

  step(edge) {
    const [source, target] = this.graph.edges[edge];
    const contribution = this.contribution(edge);
    const upstream = this.grad(target);
    const single = !isArray(contribution) && !isArray(upstream);
    let before = this.graph.roots.includes(source) ? this.seed(source) : null;
    for (const earlier of this.into[source]) {
      if (earlier === edge) break;
      before = sumOf(this.contribution(earlier), before);
    }
    const local = single && upstream ? contribution / upstream : null;
    return [local, contribution, before, sumOf(contribution, before)];
  }

  differs() { return false; }
}

function sumOf(x, before) {
  if (before === null) return x;
  return isArray(x) ? x.plus(before) : x + before;
}
