"use strict";
// The optimizers of a page, step for step as in Python's `optim`: SGD(lr), SGD(lr, momentum=0.9), Adam(lr).
// Parameters, gradients and state are plain objects of numbers and typed arrays, by the parameters' names.

const MOMENTUM = 0.9;
const [BETA1, BETA2, EPSILON] = [0.9, 0.999, 1e-8];

function zeros(x) {
  return typeof x === "number" ? 0 : new x.constructor(x.length);
}

// What a method remembers before its first step
function trainingStart(method, parameters) {
  const kept = () => Object.fromEntries(Object.entries(parameters).map(([name, x]) => [name, zeros(x)]));
  if (method === "momentum") return { step: 0, velocity: kept() };
  return method === "adam" ? { step: 0, mean: kept(), square: kept() } : { step: 0 };
}

// One step: numbers are replaced in `parameters`, arrays written into; `state` goes on
function trainingStep(method, parameters, gradients, state, rate) {
  state.step += 1;
  for (const name of Object.keys(parameters)) {
    const single = typeof parameters[name] === "number";
    const moved = single ? [parameters[name]] : parameters[name];
    const g = single ? [gradients[name]] : gradients[name];
    if (method === "sgd") sgdStep(moved, g, rate);
    else if (method === "momentum") kept(state, ["velocity"], name, (velocity) => momentumStep(moved, g, rate, velocity));
    else kept(state, ["mean", "square"], name, (mean, square) => adamStep(moved, g, rate, mean, square, state.step));
    if (single) parameters[name] = moved[0];
  }
}

// Hand parts of the state to a function that writes into arrays; numbers are put back
function kept(state, parts, name, change) {
  const single = typeof state[parts[0]][name] === "number";
  const given = parts.map((part) => (single ? [state[part][name]] : state[part][name]));
  change(...given);
  if (single) parts.forEach((part, k) => { state[part][name] = given[k][0]; });
}

function sgdStep(p, g, rate) {
  for (let i = 0; i < p.length; i++) p[i] -= rate * g[i];
}

function momentumStep(p, g, rate, velocity) {
  for (let i = 0; i < p.length; i++) {
    velocity[i] = MOMENTUM * velocity[i] + g[i];
    p[i] -= rate * velocity[i];
  }
}

function adamStep(p, g, rate, mean, square, step) {
  const [first, second] = [1 - BETA1 ** step, 1 - BETA2 ** step];
  for (let i = 0; i < p.length; i++) {
    mean[i] = BETA1 * mean[i] + (1 - BETA1) * g[i];
    square[i] = BETA2 * square[i] + (1 - BETA2) * g[i] * g[i];
    p[i] -= (rate * (mean[i] / first)) / (Math.sqrt(square[i] / second) + EPSILON);
  }
}
