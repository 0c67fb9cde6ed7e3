"use strict";
// The view that shows the network, the input plane and the hidden space, and what stands around them: which points
// there are, what lines show, weights set by hand.

class Lab {
  static SWEEP = 6; // milliseconds a frame for the pictures, while something changes

  constructor(page, samples) {
    const { network: net } = page.data;
    Object.assign(this, { page, net, samples, live: page.live });
    this.sweep = net.columns[0].inputs === 2 ? new Sweep(samples, net) : null;
    this.section = page.by("network");
    this.section.append(this.#tools(), this.#stage(), this.#side());
    const choose = (name, index) => page.choose(name, index);
    this.network = new Network(this.stage, net, choose, (neuron) => this.#see(neuron));
    if (this.planeCanvas) {
      this.plane = new Plane(this.planeCanvas, net, samples, this.sweep, () => this.#changed(), () => this.#chose());
    }
    if (this.featureCanvas) this.features = new Features(this.featureCanvas, net, samples, this.sweep);
    this.#fit();
    this.live.subscribe(() => this.#render(true));
    const sizes = new ResizeObserver(() => { this.#fit(); this.network.lay(); this.#render(false); });
    for (const element of [this.section, this.stage]) sizes.observe(element);
    SCHEME.subscribe(() => this.#changed());
    if (this.features?.kind !== "surface") Object.assign(this.live, { method: "adam", rate: 0.03 });
    this.live.refresh();
  }

  #fit() { // the panels stand above or beside one another, as large as there is room for
    const panels = this.section.querySelectorAll(".panel").length;
    const { clientWidth: wide, clientHeight: tall } = this.section;
    const above = Math.min(320, (tall - 72 - 32 * panels) / panels);
    const beside = Math.min(340, tall - 104, 0.235 * wide);
    const side = Math.max(160, above, beside);
    this.section.classList.toggle("beside", panels > 1 && beside > 1.2 * above);
    this.section.style.setProperty("--side", `${Math.floor(side)}px`);
    for (const panel of [this.plane, this.features]) if (panel) Plane.fit(panel);
  }

  // What stands above the picture
  #tools() {
    const bar = make("div", undefined, { class: "tools", role: "toolbar", "aria-label": "Network" });
    if (this.net.sets.length > 1) bar.append(this.#select("Points", this.net.sets, (set) => this.#take(set)));
    if (this.net.weights.length) {
      const choices = [{ name: "as saved" }, ...this.net.weights];
      bar.append(this.#select("Weights", choices, (set) => this.#setWeights(set)));
    }
    bar.append(this.#switch("Lines show", [["weight", "weights"], ["gradient", "gradients"]], (key) => {
      this.network.shows = key;
      this.#render(false);
    }));
    return bar;
  }

  #select(title, choices, chosen) {
    const label = make("label", `${title} `);
    const select = make("select");
    choices.forEach(({ name }, i) => select.append(make("option", name, { value: i })));
    select.addEventListener("change", () => chosen(choices[Number(select.value)]));
    label.append(select);
    return label;
  }

  #switch(title, choices, chosen) {
    const group = make("div", undefined, { role: "group", class: "switch", "aria-label": title });
    group.append(make("span", title));
    choices.forEach(([key, text], i) => {
      const button = make("button", text, { type: "button", "aria-pressed": String(i === 0) });
      button.addEventListener("click", () => {
        for (const one of group.querySelectorAll("button")) one.setAttribute("aria-pressed", String(one === button));
        chosen(key);
      });
      group.append(button);
    });
    return group;
  }

  #stage() {
    const stage = make("div", undefined, { class: "stage" });
    this.stage = make("div", undefined, { class: "circles" });
    stage.append(this.stage, make("p", this.sweep
      ? "Blue positive, orange negative. Circles: where the neuron fires, and its bias; ring: its output."
      : "Blue positive, orange negative. Circles: the neuron's output, as colour, and its bias.", { class: "legend" }));
    return stage;
  }

  #side() {
    const side = make("div", undefined, { class: "panels" });
    if (this.net.columns[0].inputs <= 2) {
      const title = this.net.columns[0].inputs === 2 ? "Input plane" : "Output over the input";
      const [panel, canvas, heading] = this.#panel(title, `${title}: arrow keys move the chosen point, `
        + "Page Up and Page Down choose another, Insert adds one, Delete removes it");
      canvas.tabIndex = 0;
      Object.assign(this, { planeCanvas: canvas, planeTitle: heading, planeName: title });
      this.#pointTools(panel);
      side.append(panel);
    } else side.append(this.#stepper());
    const last = this.net.columns.at(-1);
    if (last.size === 1 || this.net.columns.length > 1) {
      const [panel, canvas, heading] = this.#panel("", "");
      this.featureCanvas = canvas;
      const { title } = new Features(canvas, this.net, this.samples, this.sweep);
      heading.textContent = title;
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", title);
      side.append(panel);
    }
    return side;
  }

  #panel(title, label) {
    const panel = make("section", undefined, { class: "panel" });
    const heading = make("h2", title);
    const canvas = make("canvas", undefined, { "aria-label": label, role: "application" });
    panel.append(heading, canvas);
    return [panel, canvas, heading];
  }

  #pointTools(panel) {
    const row = make("div", undefined, { class: "points" });
    const { classes } = this.net;
    if (classes && this.net.columns[0].inputs === 2) {
      row.append(this.#switch("Add", classes.map((_, k) => [k, String(k)]), (k) => { this.plane.brush = k; }));
      const buttons = row.querySelectorAll("button");
      buttons.forEach((button, k) => {
        button.classList.add("brush", k === 1 ? "square" : "round");
        button.style.setProperty("--brush", `var(${Colours.name(k, classes.length)})`);
        button.setAttribute("aria-label", `points of class ${k}`);
        button.setAttribute("aria-pressed", String(k === classes.length - 1));
      });
    }
    const title = "Remove the chosen point (Delete, or drag it out)";
    const remove = make("button", "Remove", { type: "button", title });
    remove.addEventListener("click", () => this.plane.remove());
    row.append(remove);
    this.said = make("output", "drag points; click to add; drag out to remove", { class: "said" });
    panel.append(row, this.said);
  }

  #stepper() { // more inputs than can be drawn: the samples one by one
    const row = make("div", undefined, { class: "points" });
    const says = make("output");
    const go = (by) => {
      const n = this.samples.all.length;
      this.samples.chosen = (this.samples.chosen + by + n) % n;
      says.textContent = `sample ${this.samples.chosen + 1} of ${n}`;
      this.#changed();
    };
    for (const [text, by] of [["Previous", -1], ["Next", 1]]) {
      const button = make("button", text, { type: "button" });
      button.addEventListener("click", () => go(by));
      row.append(button);
    }
    row.append(says);
    says.textContent = `sample 1 of ${this.samples.all.length}`;
    return row;
  }

  #take({ points, targets }) {
    this.samples.fill(points, targets);
    this.plane?.frame();
    this.live.refresh();
  }

  #setWeights({ values }) {
    if (!values) {
      this.live.reset();
      return;
    }
    for (const [name, numbers] of Object.entries(values)) {
      numbers.forEach((number, i) => this.live.set(name, i, number));
    }
    this.live.keep();
  }

  #see(neuron) {
    if (!this.plane || !this.sweep) return;
    this.plane.seen = neuron;
    const name = neuron && this.network.columns[neuron.k].name(neuron.i);
    this.planeTitle.textContent = name ? `${this.planeName}: where ${name} fires` : this.planeName;
    this.#render(false);
  }

  #changed() {
    this.live.refresh();
  }

  #chose() {
    const { all, chosen } = this.samples;
    const place = [...this.plane.spot(all[chosen])].map((x) => Number(x.toFixed(2))).join(", ");
    this.said.textContent = `point ${chosen + 1} of ${all.length} at ${place}`;
  }

  // Draw everything; where the numbers have changed, the pictures follow within some frames
  #render(changed) {
    if (this.section.hidden) return;
    const { live, sweep } = this;
    if (changed && sweep) sweep.stale = sweep.side;
    if (sweep?.stale) sweep.run(live.values, Lab.SWEEP);
    this.network.show(live, sweep);
    this.network.mark(live.chosen);
    this.plane?.show(live.values);
    this.features?.show(this.page);
    if ((sweep?.stale || this.features?.moving) && !this.waiting) {
      this.waiting = true;
      requestAnimationFrame(() => { this.waiting = false; this.#render(false); });
    }
  }
}

(() => {
  let samples = null;
  const view = {
    lab: null,
    key: "network",
    name: "Network",
    program(program, data) {
      samples = data.network ? new Samples(program, data.network) : null;
      return samples ?? program;
    },
    make(page) {
      if (!samples) return null;
      view.lab = new Lab(page, samples);
      return { show: () => page.live.refresh(), hide() {} };
    },
  };
  VIEWS.push(view);
})();
