"use strict";
// The points that a network learns from.  The emitted program is that of one sample; here it is run over all of
// them: losses and the parameters' gradients are added up, and the chosen sample is run last, so that every other
// value and gradient is that sample's.  So points can come and go, and no shape of the program changes.

class Samples {
  constructor(program, net) {
    this.program = program;
    this.net = net;
    this.chosen = 0;
    this.version = 0; // counts the changes of the points
    this.fill(net.sets[0].points, net.sets[0].targets);
  }

  // Take these points in place of those there were
  fill(points, targets) {
    this.all = points.map((point, i) => this.make(point, targets[i]));
    this.chosen = Math.min(this.chosen, this.all.length - 1);
    this.version += 1;
  }

  make(x, y) { // not run yet
    const { arrays } = this.net;
    return { x: globalThis[arrays.x].from(x), y: globalThis[arrays.y].from(y), features: [], sum: NaN, result: NaN };
  }

  // Which of the classes a sample belongs to, or null where targets are any numbers
  kind(sample) {
    const fits = (row) => row.every((t, i) => Math.abs(t - sample.y[i]) < 1e-6);
    const found = this.net.classes?.findIndex(fits) ?? -1;
    return found < 0 ? null : found;
  }

  add(x, y) {
    this.chosen = this.all.push(this.make(x, y)) - 1;
    this.version += 1;
  }

  remove(i) { // one stays: without any there is no loss
    if (this.all.length > 1) this.all.splice(i, 1);
    this.chosen = Math.min(this.chosen, this.all.length - 1);
    this.version += 1;
  }

  #put(v, sample) {
    v[this.net.x] = sample.x;
    v[this.net.y] = sample.y;
    return this.program.forward(v);
  }

  // The chosen sample's values; the loss of all points stands beside them
  forward(v) {
    let total = 0;
    for (const sample of this.all) total += this.#put(v, sample)[this.net.loss];
    v[this.net.all] = this.net.mean ? total / this.all.length : total;
    return this.show(v);
  }

  show(v) {
    return this.#put(v, this.all[this.chosen]);
  }

  #keep(v, sample) { // what the last layer saw of it, and made of it
    const { columns, x } = this.net;
    const last = columns.at(-1);
    sample.features = v[columns.length > 1 ? columns.at(-2).outputs : x].slice();
    sample.sum = v[last.sums][0];
    sample.result = v[last.outputs][0];
  }

  // The gradient of the loss of all points: by a parameter, the sum over the points; by any other value, that of
  // the chosen sample, whose loss is one of many in the mean
  backward(v) {
    const { gradient, parameters, mean } = this.net;
    const gradients = parameters.map((name) => gradient[name]);
    const factor = mean ? 1 / this.all.length : 1;
    const sums = parameters.map((name) => new Float64Array(v[name].length));
    for (const sample of this.all) {
      const g = this.program.backward(this.#put(v, sample));
      this.#keep(v, sample);
      gradients.forEach((name, k) => {
        const [part, sum] = [g[name], sums[k]];
        for (let i = 0; i < sum.length; i++) sum[i] += factor * part[i];
      });
    }
    const g = this.program.backward(this.show(v));
    const scaled = new Set(gradients.map((name) => g[name])); // some names share an array
    for (const [name, part] of Object.entries(g)) {
      if (typeof part === "number") g[name] = factor * part;
      else if (!scaled.has(part)) {
        scaled.add(part);
        for (let i = 0; i < part.length; i++) part[i] *= factor;
      }
    }
    gradients.forEach((name, k) => { g[name] = sums[k]; });
    return g;
  }
}
