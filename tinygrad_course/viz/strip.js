"use strict";
// The strip: one chosen number and everything about it: value, slider, gradient as a sum, nudge, and the loss
// plotted against this number with its tangent, whose slope is the gradient.

class Strip {
  #cost = 0.05; // milliseconds that a run of the program takes

  constructor(by, touched) {
    this.by = by;
    this.touched = touched; // told when a number is changed here
    this.of = null; // what is chosen: {graph, node, index, ...}
    by("value").addEventListener("change", () => this.put(Number(by("value").value)));
    by("slider").addEventListener("input", () => this.put(Number(by("slider").value)));
    by("less").addEventListener("click", () => this.nudge(-1));
    by("more").addEventListener("click", () => this.nudge(1));
    by("epsilon").addEventListener("change", () => this.fill());
    by("entry").addEventListener("change", () => this.choose(Number(by("entry").value)));
    by("map").addEventListener("click", (event) => this.#pick(event));
    by("values").addEventListener("toggle", () => this.fill());
  }

  // of: { graph, node, index, model (null in a replay), value, gradient, parts (of the gradient), call, choose }
  show(of) {
    const other = !this.of || of.graph !== this.of.graph || of.node !== this.of.node || of.index !== this.of.index;
    this.of = of;
    if (other) this.#prepare();
    this.fill();
  }

  get #name() { return this.of.graph.names?.[this.of.node]; }

  get #changeable() { return Boolean(this.of.model && this.#name && this.of.model.isInput(this.#name)); }

  get #one() { // the chosen number
    const x = this.of.value;
    return isArray(x) ? x.entry?.(this.of.index) : x;
  }

  get #slope() {
    const g = this.#gradient;
    return isArray(g) ? g.entry?.(this.of.index) : g;
  }

  get #gradient() { // inputs have one too, which the graph does not show
    const { node, graph, model, gradient } = this.of;
    if (!graph.nodes[node].constant || !model) return gradient;
    const g = model.grad(this.#name, this.of.index);
    return g;
  }

  put(x) {
    if (!this.#changeable || !Number.isFinite(x)) return this.fill();
    this.of.model.set(this.#name, this.of.index, x);
    this.touched();
    return undefined;
  }

  nudge(sign) { this.put(this.#one + sign * Number(this.by("epsilon").value)); }

  choose(index) {
    const { graph, node, value } = this.of;
    const size = isArray(value) && value.shape ? sizeOf(value.shape) : 1;
    this.of.choose(graph, node, Math.min(Math.max(Math.round(index) || 0, 0), size - 1));
  }

  #pick(event) { this.choose(entryUnder(this.by("map"), event, this.of.value.shape)); }

  #prepare() { // something else is chosen: how far does the slider go?
    const x = Number.isFinite(this.#one) ? this.#one : 0;
    const { value } = this.of;
    const others = isArray(value) ? Math.max(Math.abs(value.min), Math.abs(value.max)) : 2;
    const largest = Math.max(Math.abs(x), Number.isFinite(others) && others > 1e-3 ? others : 1);
    const reach = Number((isArray(value) ? 2.5 * largest : 1.5 * largest).toPrecision(1));
    this.range = [-reach, reach];
    Object.assign(this.by("slider"), { min: this.range[0], max: this.range[1], step: reach / 200 });
  }

  fill() {
    const { by, of } = this;
    if (!of) return;
    const node = of.graph.nodes[of.node];
    const array = isArray(of.value) && of.value.shape ? of.value : null;
    const place = array ? placeText(of.index, array.shape) : "";
    const x = this.#one;
    by("chosen").textContent = by("chosen").title = `${node.title || "number"}${place}`;
    by("kind").textContent = [node.operation ? of.call : node.kind, array && `${shapeText(array.shape)} ${array.dtype ?? ""}`,
      node.formula, node.kink && `kink: ${node.kink}`].filter(Boolean).join(" · ");
    by("arrays").hidden = !array;
    if (array) this.#fillArray(array, node);
    by("value").disabled = by("slider").disabled = !this.#changeable;
    if (document.activeElement !== by("value") || !this.#changeable) by("value").value = Number.isFinite(x) ? Number(x.toPrecision(6)) : "";
    by("value").placeholder = x === null || x === undefined ? "" : number(x);
    if (x < this.range[0] || x > this.range[1]) this.#prepare();
    by("slider").value = x ?? 0;
    by("slider").setAttribute("aria-valuetext", number(x ?? NaN));
    this.#fillGradient();
    this.#fillNudge(x);
  }

  #fillArray(array, node) {
    const { by, of } = this;
    Colours.heat(by("map"), array.cells);
    by("map").setAttribute("aria-label", `${node.title} as a heat map: ${inWords(array)}`);
    const { rows, cols } = array.cells;
    const cell = Math.min(84 / cols, 84 / rows, 26);
    Object.assign(by("map").style, { width: `${Math.max(cols * cell, 8)}px`, height: `${Math.max(rows * cell, 8)}px` });
    Object.assign(by("entry"), { max: sizeOf(array.shape) - 1, value: of.index });
    by("entry").setAttribute("aria-valuetext", placeText(of.index, array.shape));
    if (by("values").open) this.#fillTable(array);
  }

  #fillTable(array) { // the first entries, row by row
    const entries = array.array ?? array.values ?? [];
    const wide = array.shape.length > 1 ? array.shape[array.shape.length - 1] : entries.length;
    const body = make("table");
    const shown = Math.min(entries.length, 400);
    for (let start = 0; start < shown; start += wide) {
      const row = body.insertRow();
      for (const entry of entries.slice(start, Math.min(start + wide, shown))) row.insertCell().textContent = number(entry);
    }
    const size = sizeOf(array.shape);
    const parts = [body];
    if (shown < size) parts.push(make("p", `the first ${shown} of ${size.toLocaleString("en")}`));
    this.by("table").replaceChildren(...parts);
  }

  // The gradient, and the sum that it is
  #fillGradient() {
    const { by, of } = this;
    const slope = this.#slope;
    by("gradient").textContent = slope === undefined ? "grad –" : `grad ${brief(slope)}`;
    by("gradient").dataset.sign = !slope ? "" : slope < 0 ? "negative" : "positive";
    const lines = of.parts.slice(0, 40).map(({ target, local, contribution, upstream, added }) => {
      const c = isArray(contribution) ? contribution.entry?.(of.index) : contribution;
      const from = of.graph.nodes[target].title;
      const text = local === null || isArray(contribution) ? `${brief(c ?? contribution)} from ${from}`
        : `${number(local)} × ${number(upstream)} from ${from}`;
      return make("li", text, added ? {} : { class: "pending" });
    });
    if (of.parts.length > 40) lines.push(make("li", `and ${of.parts.length - 40} more`));
    if (of.differs) lines.push(make("li", "its .grad in Python holds more: earlier passes were added to it and not zeroed"));
    by("ledger").replaceChildren(...lines);
  }

  // What a small change does: as the gradient says, and really
  #fillNudge(x) {
    const { by, of } = this;
    const { model } = of;
    const able = this.#changeable && Number.isFinite(x) && model.loss !== null;
    by("nudge").hidden = by("plotted").hidden = !able;
    by("whynot").hidden = able;
    if (!able) {
      by("whynot").textContent = !model ? "" : !this.#name || !model.isInput(this.#name)
        ? "Computed from others: change an input or a parameter, and it follows."
        : model.loss === null ? "The result is no single number, so there is no loss to plot." : "";
      return;
    }
    const epsilon = Number(by("epsilon").value);
    const slope = model.grad(this.#name, of.index) ?? 0;
    const loss = model.loss;
    const n = Math.max(9, Math.min(49, Math.round((model.playing ? 2 : 6) / this.#cost)));
    const [low, high] = this.range;
    const grid = Array.from({ length: n }, (_, i) => low + ((high - low) * i) / (n - 1));
    const start = performance.now();
    const [nudged, ...losses] = model.probe(this.#name, of.index, [x + epsilon, ...grid]);
    this.#cost = Math.max(1e-3, (performance.now() - start) / (n + 2));
    by("predicted").textContent = signed(slope * epsilon);
    by("real").textContent = signed(nudged - loss);
    this.#plot(grid, losses, x, loss, slope);
  }

  #plot(grid, losses, x, loss, slope) {
    const { width, height, edge } = drawingArea(this.by("plot"));
    const seen = [...losses, loss].filter(Number.isFinite);
    this.by("here").toggleAttribute("hidden", !Number.isFinite(loss));
    if (!seen.length) seen.push(0);
    let [low, high] = [Math.min(...seen), Math.max(...seen)];
    if (!(high - low > 1e-12 * Math.abs(high))) [low, high] = [low - 0.5, high + 0.5];
    const margin = 0.08 * (high - low);
    const across = (n) => edge + ((n - grid[0]) / (grid[grid.length - 1] - grid[0])) * (width - 2 * edge);
    const up = (l) => height - edge - ((l - low + margin) / (high - low + 2 * margin)) * (height - 2 * edge);
    const curve = losses.map((l, i) => (Number.isFinite(l) ? `${i && Number.isFinite(losses[i - 1]) ? "L" : "M"}${across(grid[i]).toFixed(1)} ${up(l).toFixed(1)}` : "")).join("");
    const [left, right] = [grid[0], grid[grid.length - 1]];
    const ends = [left, right].map((n) => [across(n), up(loss + slope * (n - x))]);
    const drawn = ends.map((end) => end.map((part) => part.toFixed(1)).join(" "));
    const { by } = this;
    by("curve-line").setAttribute("d", curve);
    by("tangent").setAttribute("d", ends.flat().every(Number.isFinite) ? `M${drawn.join("L")}` : "");
    by("here").setAttribute("cx", across(x).toFixed(1));
    by("here").setAttribute("cy", up(Number.isFinite(loss) ? loss : low).toFixed(1));
    by("plot-text").textContent = `loss from ${round(left)} to ${round(right)}, tangent`;
    by("plot").setAttribute("aria-label", `The loss against ${by("chosen").textContent}, from ${number(left)} to ${number(right)}: `
      + `between ${number(Math.min(...seen))} and ${number(Math.max(...seen))}; the tangent at ${number(x)} has the slope ${number(slope)}`);
  }
}

function round(x) { return String(Number(x.toPrecision(3))); }

// A change: its sign and three digits
function signed(x) {
  if (!Number.isFinite(x)) return number(x);
  const text = Math.abs(x) >= 1e-3 || x === 0 ? x.toFixed(6) : x.toExponential(2);
  return x < 0 ? text : `+${text}`;
}
