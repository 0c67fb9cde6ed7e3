"use strict";
// The store of a live page: every number by its name in the program, what training has done, who is told.
// Whoever changes a number asks for a refresh; the program then runs once in the next frame of the screen.

const VIEWS = []; // views other than the graph register themselves here
const KEPT = 256e6; // so many bytes of history are kept; then every other step is forgotten
const RATES = { sgd: 0.1, momentum: 0.05, adam: 0.02 };

function decoded({ array, data }) { // a number, or the bytes of a typed array
  if (array === "number") return asNumber(data);
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  return new globalThis[array](bytes.buffer);
}

// The loss: of several results the sum, from which the gradients are too; null if one is no single number
function totalOf(values, names) {
  const losses = names.map((name) => (values[name]?.length === 1 ? values[name][0] : values[name]));
  return losses.every((loss) => typeof loss === "number") ? losses.reduce((sum, loss) => sum + loss, 0) : null;
}

const copied = (x) => (typeof x === "number" ? x : x.slice());

class Live {
  #listeners = new Set();
  #waiting = false;
  #saved = {};
  #first = []; // the history that the page came with
  #state = null; // the optimizer's
  #every = 1; // of so many steps one is kept
  #owed = 0; // parts of steps
  #touched = false;

  constructor(data, program) {
    Object.assign(this, { data, program, shapes: data.shapes, gradientOf: data.gradients });
    this.values = {};
    for (const [name, input] of Object.entries(data.inputs)) this.values[name] = decoded(input);
    for (const name of Object.keys(data.inputs)) this.#saved[name] = copied(this.values[name]);
    this.lossName = data.loss;
    this.gradients = {};
    this.chosen = null;
    this.method = "sgd";
    this.rate = RATES.sgd;
    this.speed = 1;
    this.playing = false;
    this.run();
    this.#first = (data.history || []).map((frame) => this.#entryOf(frame));
    this.#restart();
  }

  #entryOf(frame) { // a step of a recorded run
    const inputs = {};
    for (const [name, input] of Object.entries(frame.inputs)) inputs[name] = decoded({ ...this.data.inputs[name], data: input });
    return { inputs, loss: asNumber(frame.loss), label: frame.label, state: null, steps: Number(frame.label) || 0 };
  }

  // Numbers
  get loss() { return totalOf(this.values, this.data.results); }

  get trains() { return this.loss !== null && this.data.parameters.length > 0; }

  isInput(name) { return Object.hasOwn(this.data.inputs, name); }

  get(name, index = 0) {
    const x = this.values[name];
    return typeof x === "number" ? x : x[index];
  }

  grad(name, index = 0) {
    const g = this.gradients[this.gradientOf[name]];
    return g === undefined ? null : typeof g === "number" ? g : g[index];
  }

  #put(name, index, x) {
    if (typeof this.values[name] === "number") this.values[name] = x;
    else this.values[name][index] = x;
  }

  set(name, index, x) {
    this.#put(name, index, x);
    this.#touched = true;
    this.refresh();
  }

  run() { // forward and backward, now
    this.program.forward(this.values);
    this.gradients = this.program.backward(this.values);
  }

  compute() {
    this.run();
    if (this.history?.length) this.history[this.at].loss = this.loss;
    for (const listener of this.#listeners) listener(this);
  }

  refresh() { // the same in the next frame, however often it is asked for
    if (this.#waiting) return;
    this.#waiting = true;
    requestAnimationFrame(() => {
      this.#waiting = false;
      this.compute();
    });
  }

  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  choose(name, index = 0) {
    this.chosen = { name, index };
    for (const listener of this.#listeners) listener(this);
  }

  // The loss for other values of one number; afterwards everything is as it was
  probe(name, index, numbers) {
    const before = this.get(name, index);
    const losses = numbers.map((x) => {
      this.#put(name, index, x);
      this.program.forward(this.values);
      return this.loss;
    });
    this.#put(name, index, before);
    this.run();
    return losses;
  }

  // Training
  #parameters() {
    return Object.fromEntries(this.data.parameters.map((name) => [name, this.values[name]]));
  }

  #one() {
    const parameters = this.#parameters();
    const gradients = Object.fromEntries(
      this.data.parameters.map((name) => [name, this.gradients[this.gradientOf[name]]]).filter(([, g]) => g !== undefined),
    );
    for (const name of Object.keys(parameters)) if (!(name in gradients)) delete parameters[name];
    if (this.#state?.method !== this.method) this.#state = { method: this.method, of: trainingStart(this.method, parameters) };
    trainingStep(this.method, parameters, gradients, this.#state.of, this.rate);
    Object.assign(this.values, parameters);
    this.run();
    this.steps += 1;
  }

  step(n = 1) {
    if (!this.trains) return;
    this.#keepHere();
    this.history.length = this.at + 1; // another future begins
    for (let i = 0; i < n; i++) {
      this.#one();
      if (this.steps % this.#every === 0 || i === n - 1) this.history.push(this.#entry());
    }
    this.at = this.history.length - 1;
    this.#thin();
    this.refresh();
  }

  play(on) {
    if (on === this.playing) return;
    this.playing = on;
    if (on) requestAnimationFrame(() => this.#frame());
    else this.refresh();
  }

  #frame() {
    if (!this.playing) return;
    this.#owed += this.speed;
    const start = performance.now();
    let n = 0;
    while (this.#owed >= 1 && (n === 0 || performance.now() - start < 12)) { // the rest of a frame is for drawing
      this.#owed -= 1;
      n += 1;
      this.step();
    }
    this.#owed %= 1;
    if (!Number.isFinite(this.loss)) this.playing = false;
    requestAnimationFrame(() => this.#frame());
  }

  // History: what the parameters were after each step, and what the optimizer remembered
  #entry() {
    const inputs = Object.fromEntries(this.data.parameters.map((name) => [name, copied(this.values[name])]));
    return { inputs, loss: this.loss, state: structuredClone(this.#state), steps: this.steps, label: String(this.steps) };
  }

  #keepHere() { // numbers may have been changed by hand since
    if (!this.#touched) return;
    const here = this.history[this.at];
    const inputs = Object.fromEntries(Object.keys(here.inputs).map((name) => [name, copied(this.values[name])]));
    this.history[this.at] = { ...here, inputs, loss: this.loss };
    this.#touched = false;
  }

  #thin() {
    const size = (x) => (typeof x === "number" ? 16 : x.byteLength);
    const bytes = Object.values(this.history[0].inputs).reduce((sum, x) => sum + size(x), 0) * 3;
    if (this.history.length * bytes < KEPT) return;
    this.history = this.history.filter((_, i) => i % 2 === 0 || i === this.at);
    this.at = this.history.length - 1;
    this.#every *= 2;
  }

  goto(i) {
    this.play(false);
    this.#keepHere();
    this.at = Math.min(Math.max(i, 0), this.history.length - 1);
    const { inputs, state, steps } = this.history[this.at];
    for (const [name, x] of Object.entries(inputs)) this.values[name] = copied(x);
    this.#state = structuredClone(state);
    this.steps = steps;
    this.refresh();
  }

  #restart() {
    this.#state = null;
    this.#every = 1;
    this.#touched = false;
    this.steps = this.#first.length ? this.#first[this.#first.length - 1].steps : 0;
    this.history = this.#first.length ? [...this.#first] : [this.#entry()];
    this.at = this.history.length - 1;
  }

  reset() { // as it was saved
    this.play(false);
    for (const [name, x] of Object.entries(this.#saved)) this.values[name] = copied(x);
    this.run();
    this.#restart();
    this.refresh();
  }

  keep() { // everything was changed at once: what is now is the beginning
    this.play(false);
    this.#first = [];
    this.run();
    this.#restart();
    this.refresh();
  }
}

// The same graph number by number, for one sample: its leaves are entries of the store's arrays
class Lens {
  constructor(live, data, program) {
    Object.assign(this, { live, data, program, shapes: data.shapes, gradientOf: data.gradients, lossName: data.loss });
    this.sample = data.sample ?? 0;
    this.samples = data.samples;
    this.values = {};
    for (const [name, input] of Object.entries(data.inputs)) this.values[name] = decoded(input);
    this.run();
  }

  #place(name) { // [name in the store, entry]
    const link = this.data.links[name];
    return link && [link[0], link[1] + this.sample * link[2]];
  }

  run() {
    for (const name of Object.keys(this.data.links)) this.values[name] = this.live.get(...this.#place(name));
    this.#compute();
  }

  #compute() {
    this.program.forward(this.values);
    this.gradients = this.program.backward(this.values);
  }

  get loss() { return totalOf(this.values, this.data.results); }

  isInput(name) { return Object.hasOwn(this.data.links, name); }

  get(name) { return this.values[name]; }

  grad(name) { return this.gradients[this.gradientOf[name]] ?? null; }

  set(name, index, x) { this.live.set(...this.#place(name), x); }

  probe(name, index, numbers) {
    const before = this.values[name];
    const losses = numbers.map((x) => {
      this.values[name] = x;
      this.program.forward(this.values);
      return this.loss;
    });
    this.values[name] = before;
    this.#compute();
    return losses;
  }
}

// The store and the lens of a page, or why it has none
function startLive(data) {
  if (data.live.reason) return { live: null, lens: null, reason: data.live.reason };
  try {
    const program = VIEWS.reduce((so, view) => view.program?.(so, data) ?? so, PROGRAMS[data.live.program]);
    const live = new Live(data.live, program);
    const apart = data.graphs[1]?.lens;
    return { live, lens: apart ? new Lens(live, apart, PROGRAMS[apart.program]) : null };
  } catch (error) {
    return { live: null, lens: null, reason: `its program stopped: ${error.message}` };
  }
}
