"use strict";
// The network as the lecture draws it: a circle for each neuron, with its half of the input plane inside and its
// bias written over it, and a line for each weight, whose width and colour show the weight or its gradient.

class Network {
  static FEW = 12; // so many weights have their numbers written beside their lines
  static ROOMY = 22; // a circle of this radius is large enough
  static PARTS = [0.36, 0.46, 0.28, 0.55, 0.63, 0.7]; // of its line, where its number may stand

  // `choose(name, index)` is told what was clicked, `see(column, i)` which neuron the pointer is on (or null)
  constructor(stage, net, choose, see) {
    Object.assign(this, { stage, net, choose, see, shows: "weight", chosen: null, frame: 0 });
    stage.setAttribute("role", "group");
    stage.setAttribute("aria-label", "The network: arrow keys move, Enter chooses");
    this.behind = makeSvg("svg", { class: "net" }); // the lines
    this.canvas = make("canvas", undefined, { "aria-hidden": "true" }); // what is inside the circles
    this.pen = this.canvas.getContext("2d");
    this.front = makeSvg("svg", { class: "net front" }); // the circles
    stage.append(this.behind, this.canvas, this.front);
    this.columns = [
      { size: net.columns[0].inputs, called: "input", name: (i) => `x${Network.below(i + 1)}` },
      ...net.columns.map((column, k) => ({ ...column, called: "neuron", name: this.#namer(k) })),
    ];
    this.#makeNeurons();
    this.#makeLines();
    stage.addEventListener("click", (event) => this.#click(event.target.closest("[data-at]")));
    stage.addEventListener("keydown", (event) => this.#key(event));
    for (const kind of ["pointerover", "focusin"]) {
      stage.addEventListener(kind, (event) => this.#seen(event.target.closest("[data-at]")));
    }
    for (const kind of ["pointerleave", "focusout"]) stage.addEventListener(kind, () => this.#seen(null));
    this.lay();
  }

  // What fits into a circle: +0.12, -30, +3e-4
  static short(x) {
    if (!Number.isFinite(x)) return Number.isNaN(x) ? "nan" : x < 0 ? "-inf" : "+inf";
    const size = Math.abs(x);
    if (size < 0.00995) return size < 1e-99 ? "0" : (x < 0 ? "-" : "+") + size.toExponential(0);
    const digits = size >= 9.95 ? Number(size < 99.5 && !Number.isInteger(x)) : 2;
    return (x < 0 ? "-" : "+") + size.toFixed(digits);
  }

  static below(i) { // 12 as ₁₂
    return [...String(i)].map((digit) => "₀₁₂₃₄₅₆₇₈₉"[digit]).join("");
  }

  #namer(k) {
    const last = this.net.columns.length - 1;
    if (k === last) return (i) => (this.net.columns[k].size === 1 ? "ŷ" : `ŷ${Network.below(i + 1)}`);
    return (i) => (last === 1 ? "h" : "hgfeabcd"[k % 8]) + Network.below(i + 1);
  }

  static #button(kind, at, ...parts) { // `at` says where in the network it stands: column, neuron, input
    const group = makeSvg("g", { class: kind, role: "button", tabindex: "-1", "data-at": at });
    group.append(...parts);
    return group;
  }

  #makeNeurons() {
    this.neurons = this.columns.map((column, k) => Array.from({ length: column.size }, (_, i) => {
      const ring = makeSvg("circle", { class: "ring" });
      const inside = makeSvg("text", { class: "inside" });
      const name = makeSvg("text", { class: "name" });
      name.textContent = column.name(i);
      const group = Network.#button("neuron", `${k} ${i}`, ring, inside, name);
      return { group, ring, inside, name };
    }));
    this.titles = this.columns.map((column) => {
      const title = makeSvg("text", { class: "title" });
      title.append(makeSvg("tspan"), makeSvg("tspan", { dy: "15" }));
      title.lastChild.textContent = column.activation ?? "";
      return title;
    });
    this.neurons[0][0].group.setAttribute("tabindex", "0");
  }

  #makeLines() {
    this.lines = [];
    const few = this.net.columns.reduce((sum, column) => sum + column.size * column.inputs, 0) <= Network.FEW;
    this.net.columns.forEach((column, k) => {
      for (let i = 0; i < column.size; i++) {
        for (let j = 0; j < column.inputs; j++) {
          const seen = makeSvg("line", { class: "seen" });
          const wide = makeSvg("line", { class: "wide" });
          const group = Network.#button("weight", `${k + 1} ${i} ${j}`, seen, wide);
          const text = few ? makeSvg("text", { class: "number" }) : null;
          this.lines.push({ k: k + 1, i, j, at: i * column.inputs + j, column, seen, wide, group, text, width: -1 });
        }
      }
    });
    this.widest = few ? 7 : this.lines.length > 100 ? 3 : 5; // pixels
    const texts = this.lines.map(({ text }) => text).filter(Boolean);
    this.behind.append(...this.lines.map(({ group }) => group), ...texts);
    this.front.append(...this.titles, ...this.neurons.flat().map(({ group }) => group));
    const buttons = [...this.stage.querySelectorAll("[data-at]")];
    this.byKey = new Map(buttons.map((element) => [element.dataset.at, element]));
  }

  // Where everything is, for the stage as large as it is now
  lay() {
    const { width, height } = this.stage.getBoundingClientRect();
    if (!width || !height) return;
    const dense = window.devicePixelRatio || 1;
    Object.assign(this.canvas, { width: width * dense, height: height * dense });
    this.pen.setTransform(dense, 0, 0, dense, 0, 0);
    for (const svg of [this.behind, this.front]) svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const most = Math.max(...this.columns.map(({ size }) => size));
    const [top, tall] = [54, height - 58]; // below the titles
    const apart = (width - 20) / this.columns.length;
    const radiusIn = (lanes) => Math.min(44, apart / (2.1 * lanes + 1.9), lanes * 0.42 * tall / (most + lanes - 1));
    const lanes = [1, 2, 3, 4].reduce((best, n) => // a crowded column stands in several
      (radiusIn(best) < Network.ROOMY && radiusIn(n) > radiusIn(best) ? n : best));
    this.radius = Math.max(5, radiusIn(lanes));
    this.ring = Math.max(2.5, 0.11 * this.radius); // as wide
    this.columns.forEach((column, k) => {
      const x = 10 + (k + 0.5) * apart;
      const room = tall - 2 * this.radius - 4;
      const step = Math.min(room / Math.max(column.size - 1, 1), 3.6 * this.radius);
      const crowded = 2.1 * this.radius > step && column.size > 1 ? lanes : 1;
      const first = top + tall / 2 - step * (column.size - 1) / 2;
      this.neurons[k].forEach((neuron, i) => {
        neuron.x = x + (i % crowded - (crowded - 1) / 2) * 2.1 * this.radius;
        neuron.y = first + i * step;
        this.#place(neuron, crowded === 1 && step > 2 * this.radius + 16);
      });
      this.titles[k].setAttribute("y", 14);
      for (const line of this.titles[k].children) line.setAttribute("x", x);
      const count = `${column.size} ${column.called}${column.size > 1 ? "s" : ""}`;
      this.titles[k].firstChild.textContent = apart < 100 ? column.size : count;
    });
    const taken = this.neurons.flat().map(({ x, y }) => [x, y, this.radius + 18, this.radius + 4]);
    for (const line of this.lines) this.#run(line, taken);
  }

  #place({ group, ring, inside, name, x, y }, roomy) {
    group.setAttribute("transform", `translate(${x.toFixed(1)} ${y.toFixed(1)})`);
    ring.setAttribute("r", this.radius.toFixed(1));
    ring.setAttribute("stroke-width", this.ring.toFixed(1));
    inside.toggleAttribute("hidden", this.radius < 16);
    inside.setAttribute("font-size", Math.max(11, Math.min(15, 0.5 * this.radius)).toFixed(1));
    name.toggleAttribute("hidden", !roomy);
    name.setAttribute("y", (-this.radius - 6).toFixed(1));
  }

  #run({ k, i, j, seen, wide, text }, taken) { // from circle to circle
    const [from, to] = [this.neurons[k - 1][j], this.neurons[k][i]];
    const [dx, dy] = [to.x - from.x, to.y - from.y];
    const cut = (this.radius + 3) / Math.hypot(dx, dy);
    for (const line of [seen, wide]) {
      line.setAttribute("x1", (from.x + cut * dx).toFixed(1));
      line.setAttribute("y1", (from.y + cut * dy).toFixed(1));
      line.setAttribute("x2", (to.x - cut * dx).toFixed(1));
      line.setAttribute("y2", (to.y - cut * dy).toFixed(1));
    }
    if (!text) return;
    const spots = Network.PARTS.map((part) => [from.x + part * dx, from.y + part * dy - 5]);
    const [x, y] = spots.find(([across, down]) => taken.every(([a, b, reach, tall]) =>
      Math.abs(a - across) >= reach || Math.abs(b - down) >= tall)) ?? spots[0];
    taken.push([x, y, 42, 15]); // so large is a number
    text.setAttribute("x", x.toFixed(1));
    text.setAttribute("y", y.toFixed(1));
  }

  // Show the values and gradients as they are; the pictures inside the circles are those of the sweep, if any
  show({ values, gradients, playing }, sweep) {
    const parts = this.net.columns.map(({ weight, bias }) => this.shows === "weight"
      ? [values[weight], values[bias]] : [gradients[this.net.gradient[weight]], gradients[this.net.gradient[bias]]]);
    const largest = Math.max(1e-12, ...parts.map(([weights]) => Sweep.most(weights)));
    this.frame += 1;
    this.written = !playing || this.frame % 6 === 0; // nobody reads sixty numbers a second
    for (const line of this.lines) this.#showLine(line, parts[line.k - 1][0][line.at], largest);
    this.neurons.forEach((column, k) => {
      const outputs = k ? values[this.columns[k].outputs] : values[this.net.x];
      const most = Sweep.most(outputs);
      column.forEach((neuron, i) => {
        const number = k ? parts[k - 1][1]?.[i] : outputs[i];
        this.#showNeuron(neuron, number, outputs[i], outputs[i] / most);
      });
    });
    this.#paint(sweep);
  }

  #showLine(line, number, largest) {
    const width = Math.round(10 * (0.5 + this.widest * Math.abs(number) / largest)) / 10 || 0.5;
    const kind = number > 0 ? "positive" : number < 0 ? "negative" : "zero";
    if (width !== line.width) line.seen.setAttribute("stroke-width", width);
    if (kind !== line.kind) line.seen.setAttribute("class", `seen ${kind}`);
    if (line.text && this.written) Network.#write(line.text, Network.short(number));
    Object.assign(line, { width, kind, number });
  }

  #showNeuron(neuron, number, output, part) {
    const colour = Colours.css(Colours.signed(part, Colours.of("--line")));
    if (colour !== neuron.colour) neuron.ring.style.stroke = colour;
    if (this.written) Network.#write(neuron.inside, number === undefined ? "" : Network.short(number));
    Object.assign(neuron, { colour, number, output, part });
    if (this.written && document.activeElement === neuron.group) this.#name(neuron.group);
  }

  static #write(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  // The pictures inside the circles
  #paint(sweep) {
    const { pen } = this;
    const r = this.radius - this.ring / 2 - 1.5; // a little apart from the ring
    const atlas = sweep?.atlas();
    pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.neurons.flat().forEach((neuron, n) => {
      pen.save();
      pen.beginPath();
      pen.arc(neuron.x, neuron.y, r, 0, 7);
      if (sweep) {
        pen.clip();
        const { width } = atlas;
        pen.drawImage(atlas, 0, n * width + 0.5, width, width - 1, neuron.x - r, neuron.y - r, 2 * r, 2 * r);
      } else {
        pen.fillStyle = Colours.css(Colours.signed(0.6 * neuron.part));
        pen.fill();
      }
      pen.restore();
    });
  }

  // In words, for those who do not see it
  says(at) {
    const [k, i, j] = at.split(" ").map(Number);
    const what = this.shows === "weight" ? "" : "gradient of ";
    if (j !== undefined) {
      const line = this.lines.find((one) => one.group.dataset.at === at);
      const ends = `from ${this.columns[k - 1].name(j)} to ${this.columns[k].name(i)}`;
      return `${what}weight ${ends}: ${Network.short(line.number)}`;
    }
    const { number, output } = this.neurons[k][i];
    if (!k) return `input ${this.columns[0].name(i)}: ${Network.short(output)}`;
    const bias = number === undefined ? "no bias" : `${what}bias ${Network.short(number)}`;
    return `neuron ${this.columns[k].name(i)}: ${bias}, output ${Network.short(output)}`;
  }

  #name(element) {
    element.setAttribute("aria-label", this.says(element.dataset.at));
  }

  // Which number an element stands for: its name in the program, and the place in it
  numberOf(at) {
    const [k, i, j] = at.split(" ").map(Number);
    if (!k) return [this.net.x, i];
    const { weight, bias, inputs } = this.columns[k];
    return j === undefined ? [bias, i] : [weight, i * inputs + j];
  }

  // Mark what is chosen, here or elsewhere on the page
  mark(chosen) {
    if (chosen?.name === this.chosen?.name && chosen?.index === this.chosen?.index) return;
    this.chosen = chosen && { ...chosen };
    for (const [at, element] of this.byKey) {
      const [name, index] = this.numberOf(at);
      element.classList.toggle("chosen", name === chosen?.name && index === chosen?.index);
    }
  }

  #click(element) {
    if (!element) return;
    this.#focus(element);
    const [name, index] = this.numberOf(element.dataset.at);
    if (name) this.choose(name, index, this.says(element.dataset.at));
  }

  #seen(element) {
    const [k, i, j] = element ? element.dataset.at.split(" ").map(Number) : [];
    this.see(k === undefined || !k || j !== undefined ? null : { k, i });
  }

  #focus(element) {
    this.stage.querySelector("[tabindex='0']")?.setAttribute("tabindex", "-1");
    element.setAttribute("tabindex", "0");
    this.#name(element);
    element.focus({ preventScroll: true });
  }

  // Up and down a column, and from a neuron over one of its lines to a neuron before it
  #key(event) {
    const element = event.target.closest("[data-at]");
    if (!element || event.ctrlKey || event.metaKey || event.altKey) return;
    const [k, i, j] = element.dataset.at.split(" ").map(Number);
    const line = j !== undefined;
    const to = {
      ArrowUp: line ? `${k} ${i} ${j - 1}` : `${k} ${i - 1}`,
      ArrowDown: line ? `${k} ${i} ${j + 1}` : `${k} ${i + 1}`,
      ArrowLeft: line ? `${k - 1} ${j}` : `${k} ${i} 0`,
      ArrowRight: line ? `${k} ${i}` : `${k + 1} 0 ${i}`,
    }[event.key];
    if (event.key === "Enter" || event.key === " ") this.#click(element);
    else if (to === undefined) return;
    else if (this.byKey.has(to)) this.#focus(this.byKey.get(to));
    event.preventDefault();
    event.stopPropagation();
  }
}
