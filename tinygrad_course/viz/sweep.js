"use strict";
// What the network makes of every place of the input plane: its results, and the sum of every neuron, as pictures.

class Sweep {
  constructor(samples, net, side = 40) {
    Object.assign(this, { samples, net, side, row: 0, stale: side, here: new globalThis[net.arrays.x](2) });
    const grids = (size) => Array.from({ length: size }, () => new Float32Array(side * side));
    this.sums = net.columns.map(({ size }) => grids(size));
    this.results = grids(net.columns.at(-1).size);
    this.features = net.columns.length > 1 ? grids(net.columns.at(-2).size) : []; // the hidden space
    this.pens = new Map(); // of each picture
    this.fresh = new Set(); // the pictures that show the numbers as they are now
    this.look([-1, 1, -1, 1]);
  }

  look(box) { // left, right, bottom, top
    this.box = box;
    this.inputs = [0, 1].map((i) => Float32Array.from(this.results[0], (_, at) =>
      this.place(Math.floor(at / this.side), at % this.side)[i] - (box[2 * i] + box[2 * i + 1]) / 2));
    this.fresh.clear();
    this.stale = this.side;
  }

  place(row, column) {
    const [left, right, bottom, top] = this.box;
    return [left + (column + 0.5) / this.side * (right - left), top - (row + 0.5) / this.side * (top - bottom)];
  }

  // Go on for so long, a row at a time; rows are done in turn, so that all of them keep moving while it learns
  run(v, milliseconds) {
    const end = performance.now() + milliseconds;
    const { program } = this.samples;
    v[this.net.x] = this.here;
    do {
      for (let column = 0; column < this.side; column++) {
        [this.here[0], this.here[1]] = this.place(this.row, column);
        program.forward(v);
        this.#keep(v, this.row * this.side + column);
      }
      this.row = (this.row + 1) % this.side;
      this.stale = Math.max(this.stale - 1, 0);
    } while (this.stale && performance.now() < end);
    this.samples.show(v);
    this.fresh.clear();
  }

  #keep(v, at) {
    const { columns } = this.net;
    for (let k = 0; k < columns.length; k++) {
      const sums = v[columns[k].sums];
      for (let i = 0; i < this.sums[k].length; i++) this.sums[k][i][at] = sums[i];
    }
    const results = v[columns.at(-1).outputs];
    for (let i = 0; i < this.results.length; i++) this.results[i][at] = results[i];
    if (!this.features.length) return;
    const features = v[columns.at(-2).outputs];
    for (let i = 0; i < features.length; i++) this.features[i][at] = features[i];
  }

  // A picture is painted when it is asked for and the numbers have changed
  #painted(name, wide, tall, paint) {
    if (!this.pens.has(name)) this.pens.set(name, Colours.pen(wide, tall));
    const pen = this.pens.get(name);
    if (!this.fresh.has(name)) Colours.paint(pen, paint);
    this.fresh.add(name);
    return pen.canvas;
  }

  // Where a neuron fires, blue where its sum is positive; k = 0 are the inputs themselves
  picture(k, i) {
    const grid = k ? this.sums[k - 1][i] : this.inputs[i];
    return this.#painted(`${k} ${i}`, this.side, this.side, (pixels) =>
      Colours.heights(pixels, grid, 0, 0.7 * Sweep.most(grid), 0.8));
  }

  static most(grid) {
    let most = 1e-9;
    for (let at = 0; at < grid.length; at++) most = Math.max(most, Math.abs(grid[at]));
    return most;
  }

  // All neurons' small pictures, one below the other: of every second place in both directions
  atlas() {
    const [side, all] = [this.side / 2, [this.inputs, ...this.sums].flat()];
    const small = new Float32Array(side * side);
    return this.#painted("atlas", side, side * all.length, (pixels) => all.forEach((grid, n) => {
      for (let at = 0; at < small.length; at++) small[at] = grid[2 * (Math.floor(at / side) * this.side + at % side)];
      const part = pixels.subarray(n * small.length, (n + 1) * small.length);
      Colours.heights(part, small, 0, 0.7 * Sweep.most(small), 0.8);
    }));
  }

  // What the network answers: for one result how far it is from the border, for several whose is the largest
  decision() {
    const { results, net: { border, scale } } = this;
    return this.#painted("decision", this.side, this.side, results.length === 1
      ? (pixels) => Colours.heights(pixels, results[0], border, scale, 0.6)
      : (pixels) => this.#largest(pixels, results, scale));
  }

  #largest(pixels, results, scale) {
    const tints = results.map((grid, k) => Array.from({ length: 17 }, (_, strong) =>
      Colours.pixel(Colours.mix(Colours.of("--paper"), Colours.ofClass(k, results.length), 0.12 + 0.03 * strong))));
    for (let at = 0; at < pixels.length; at++) {
      let [first, second, best] = [-Infinity, -Infinity, 0];
      for (let k = 0; k < results.length; k++) {
        const result = results[k][at];
        if (result > first) [first, second, best] = [result, first, k];
        else if (result > second) second = result;
      }
      pixels[at] = tints[best][Math.round(16 * Math.min((first - second) / scale, 1)) || 0];
    }
  }

  // The line where a grid passes a height, as pieces [x, y, x, y] in parts of the side
  static border(grid, side, height) {
    const pieces = [];
    const at = (row, column) => grid[row * side + column] - height;
    for (let row = 0; row + 1 < side; row++) {
      for (let column = 0; column + 1 < side; column++) {
        const corners = [at(row, column), at(row, column + 1), at(row + 1, column + 1), at(row + 1, column)];
        const crossed = [];
        corners.forEach((a, n) => {
          const b = corners[(n + 1) % 4];
          if ((a > 0) === (b > 0)) return;
          const part = a / (a - b);
          const [x, y] = [[part, 0], [1, part], [1 - part, 1], [0, 1 - part]][n];
          crossed.push((column + x + 0.5) / side, (row + y + 0.5) / side);
        });
        for (let n = 0; n + 3 < crossed.length; n += 4) pieces.push(crossed.slice(n, n + 4));
      }
    }
    return pieces;
  }
}
