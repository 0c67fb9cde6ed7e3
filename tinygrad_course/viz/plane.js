"use strict";
// The input plane: what the network answers at every place, and the points, which can be dragged, added and
// taken away.  With one input it is a curve instead: the answer over the input, and the points at their targets.

class Plane {
  // `changed()` is told after points have moved, come or gone, `chose()` after another one was chosen
  constructor(canvas, net, samples, sweep, changed, chose) {
    Object.assign(this, { canvas, net, samples, sweep, changed, chose });
    this.brush = net.classes ? net.classes.length - 1 : 0; // the class of points that are added
    this.flat = net.columns[0].inputs === 1;
    this.seen = null; // a neuron that is looked at in place of the answer
    this.dragged = null;
    this.frame();
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    for (const kind of ["pointerup", "pointercancel"]) canvas.addEventListener(kind, (event) => this.#up(event));
    canvas.addEventListener("keydown", (event) => this.#key(event));
  }

  // Choose the box so that all points are inside
  frame() {
    const spots = this.samples.all.map((sample) => this.spot(sample));
    const range = (k) => [Math.min(...spots.map((s) => s[k])), Math.max(...spots.map((s) => s[k]))];
    const [[left, right], [bottom, top]] = [range(0), range(1)];
    const half = (this.flat ? [right - left, top - bottom] : [1, 1].fill(Math.max(right - left, top - bottom)))
      .map((wide) => (this.samples.all.length > 10 ? 0.6 : 0.85) * (wide || 2));
    const [x, y] = [(left + right) / 2, (bottom + top) / 2];
    this.box = [x - half[0], x + half[0], y - half[1], y + half[1]];
    this.sweep?.look(this.box);
  }

  spot(sample) { // where a sample stands
    return this.flat ? [sample.x[0], sample.y[0]] : sample.x;
  }

  toPixel([x, y]) {
    const [left, right, bottom, top] = this.box;
    return [(x - left) / (right - left) * this.side, (top - y) / (top - bottom) * this.side];
  }

  toPlace(event) {
    const area = this.canvas.getBoundingClientRect();
    const [left, right, bottom, top] = this.box;
    return [left + (event.clientX - area.left) / area.width * (right - left),
      top - (event.clientY - area.top) / area.height * (top - bottom)];
  }

  show(values) {
    const pen = Plane.pen(this);
    if (this.flat) this.#curve(pen, values);
    else this.#regions(pen, values);
    Plane.marks(pen, this.samples, (sample) => this.toPixel(this.spot(sample)));
    if (!this.flat && !this.seen) this.#normal(pen, values);
    this.#corners(pen);
  }

  static pen({ canvas, side, dense }) { // a clean square canvas, to be drawn on in CSS pixels
    const pen = canvas.getContext("2d");
    pen.setTransform(dense, 0, 0, dense, 0, 0);
    pen.clearRect(0, 0, side, side);
    return pen;
  }

  // As large as the page shows it
  static fit(panel) {
    panel.side = panel.canvas.clientWidth;
    panel.dense = window.devicePixelRatio || 1;
    Object.assign(panel.canvas, { width: panel.side * panel.dense, height: panel.side * panel.dense });
  }

  #regions(pen, values) {
    const { sweep, side: size, seen, net } = this;
    pen.drawImage(seen ? sweep.picture(seen.k, seen.i) : sweep.decision(), 0, 0, size, size);
    pen.strokeStyle = Colours.css(Colours.of("--ink"));
    pen.lineWidth = 2;
    const [grid, height] = seen ? [sweep.sums[seen.k - 1][seen.i], 0] : [sweep.results[0], net.border];
    if (seen || sweep.results.length === 1) {
      pen.beginPath();
      for (const [x0, y0, x1, y1] of Sweep.border(grid, sweep.side, height)) {
        pen.moveTo(x0 * size, y0 * size);
        pen.lineTo(x1 * size, y1 * size);
      }
      pen.stroke();
    }
    if (!seen) this.#lines(pen, values);
  }

  // A neuron's line: its place nearest to the middle of the plane, and the direction of its weights
  #line(values, i, height) {
    const { weight, bias } = this.net.columns[0];
    const w = [values[weight][2 * i], values[weight][2 * i + 1]];
    const long = Math.hypot(...w) || 1e-9;
    const turned = w.map((x) => x / long);
    const middle = [(this.box[0] + this.box[1]) / 2, (this.box[2] + this.box[3]) / 2];
    const off = (w[0] * middle[0] + w[1] * middle[1] + (values[bias]?.[i] ?? 0) - height) / long;
    return [middle.map((x, k) => x - off * turned[k]), turned];
  }

  // The lines of the first layer's neurons, where there are few
  #lines(pen, values) {
    const { columns } = this.net;
    if (columns.length === 1 || columns[0].size > 4) return;
    const reach = 1.5 * (this.box[1] - this.box[0]);
    pen.setLineDash([5, 4]);
    pen.lineWidth = 1.2;
    pen.beginPath();
    for (let i = 0; i < columns[0].size; i++) {
      const [foot, [x, y]] = this.#line(values, i, 0);
      pen.moveTo(...this.toPixel([foot[0] - reach * y, foot[1] + reach * x]));
      pen.lineTo(...this.toPixel([foot[0] + reach * y, foot[1] - reach * x]));
    }
    pen.stroke();
    pen.setLineDash([]);
  }

  // A single neuron's normal vector w: it stands on the line, and points to where the neuron fires
  #normal(pen, values) {
    const { columns } = this.net;
    if (columns.length > 1 || columns[0].size > 1) return;
    const [middle, turned] = this.#line(values, 0, this.net.sum);
    const reach = 0.18 * (this.box[1] - this.box[0]);
    const foot = [middle[0] - reach * turned[1], middle[1] + reach * turned[0]]; // a little along the line
    const [from, to] = [this.toPixel(foot), this.toPixel(foot.map((x, k) => x + reach * turned[k]))];
    const turn = Math.atan2(to[1] - from[1], to[0] - from[0]);
    pen.beginPath();
    pen.moveTo(...from);
    pen.lineTo(...to);
    for (const side of [-1, 1]) {
      pen.moveTo(...to);
      pen.lineTo(to[0] - 10 * Math.cos(turn + 0.4 * side), to[1] - 10 * Math.sin(turn + 0.4 * side));
    }
    for (const [name, width] of [["--paper", 5], ["--ink", 2]]) {
      pen.strokeStyle = Colours.css(Colours.of(name));
      pen.lineWidth = width;
      pen.stroke();
    }
    pen.font = "italic bold 16px system-ui, sans-serif";
    const [x, y] = [to[0] + 10 * Math.cos(turn) - 5, to[1] + 12 * Math.sin(turn) + 5];
    pen.strokeStyle = Colours.css(Colours.of("--paper"));
    pen.lineWidth = 4;
    pen.strokeText("w", x, y);
    pen.fillStyle = Colours.css(Colours.of("--ink"));
    pen.fillText("w", x, y);
  }

  // The answer over the only input
  #curve(pen, values) {
    const [n, sample] = [120, this.samples.make([0], this.samples.all[0].y)];
    const outputs = this.net.columns.at(-1).outputs;
    values[this.net.x] = sample.x;
    pen.beginPath();
    for (let i = 0; i <= n; i++) {
      sample.x[0] = this.box[0] + i / n * (this.box[1] - this.box[0]);
      this.samples.program.forward(values);
      const [x, y] = this.toPixel([sample.x[0], values[outputs][0]]);
      if (i) pen.lineTo(x, y);
      else pen.moveTo(x, y);
    }
    this.samples.show(values);
    pen.strokeStyle = Colours.css(Colours.of("--ink"));
    pen.lineWidth = 2.5;
    pen.stroke();
  }

  // A point's mark: classes differ in colour and in shape, and the chosen one has a ring
  static mark(pen, samples, i, [x, y]) {
    const { net, all, chosen } = samples;
    const kind = samples.kind(all[i]);
    const radius = all.length > 60 ? 4.5 : 7;
    pen.beginPath();
    if (kind === 1) pen.rect(x - 0.88 * radius, y - 0.88 * radius, 1.76 * radius, 1.76 * radius);
    else pen.arc(x, y, radius, 0, 7);
    pen.fillStyle = Colours.css(kind !== null ? Colours.ofClass(kind, net.classes.length)
      : Colours.signed((all[i].y[0] - net.border) / net.scale, Colours.of("--zero")));
    pen.strokeStyle = Colours.css(Colours.of("--paper"));
    pen.lineWidth = 1.5;
    pen.fill();
    pen.stroke();
    if (i !== chosen) return;
    pen.beginPath();
    pen.arc(x, y, radius + 5, 0, 7);
    pen.strokeStyle = Colours.css(Colours.of("--ink"));
    pen.lineWidth = 2;
    pen.stroke();
  }

  // All of them, the chosen one over the others
  static marks(pen, samples, pixel) {
    const order = samples.all.map((_, i) => i).filter((i) => i !== samples.chosen);
    for (const i of [...order, samples.chosen]) Plane.mark(pen, samples, i, pixel(samples.all[i]));
  }

  #corners(pen) { // where the axes begin and end
    const [left, right, bottom, top] = this.box.map((x) => x.toFixed(1));
    pen.font = "11px system-ui, sans-serif";
    pen.fillStyle = Colours.css(Colours.of("--ink"));
    const edge = this.side - 6;
    pen.fillText(`${left}, ${bottom}`, 6, edge);
    pen.fillText(this.flat ? "y" : "x₂", 6, 15);
    pen.textAlign = "right";
    pen.fillText(`${right}, ${top}`, edge, 15);
    pen.fillText("x₁", edge, edge);
    pen.textAlign = "left";
  }

  // Points
  #nearest(event, reach) {
    const area = this.canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - area.left, event.clientY - area.top];
    const far = this.samples.all.map((sample) => {
      const [px, py] = this.toPixel(this.spot(sample));
      return Math.hypot(px - x, py - y);
    });
    const least = Math.min(...far);
    return least <= reach ? far.indexOf(least) : -1;
  }

  #down(event) {
    if (event.button) return;
    this.canvas.setPointerCapture(event.pointerId);
    const found = this.#nearest(event, event.pointerType === "mouse" ? 11 : 20);
    if (found < 0) this.add(this.toPlace(event));
    else this.pick(found);
    this.dragged = { event, moved: found < 0 };
  }

  #move(event) {
    const near = this.dragged || this.#nearest(event, 11) >= 0;
    this.canvas.style.cursor = near ? "grab" : "crosshair";
    if (!this.dragged) return;
    const { clientX, clientY } = this.dragged.event;
    this.dragged.moved ||= Math.hypot(event.clientX - clientX, event.clientY - clientY) > 3;
    if (this.dragged.moved) this.moveTo(this.toPlace(event));
  }

  #up(event) { // let go outside, a point is gone
    if (!this.dragged) return;
    this.dragged = null;
    this.chose();
    const { left, right, top, bottom } = this.canvas.getBoundingClientRect();
    const [x, y] = [event.clientX, event.clientY];
    if (x < left - 8 || x > right + 8 || y < top - 8 || y > bottom + 8) this.remove();
  }

  add([x, y]) {
    if (this.flat) this.samples.add([x], [y]);
    else this.samples.add([x, y], this.net.classes?.[this.brush] ?? this.samples.all[this.samples.chosen].y);
    this.changed();
    this.chose();
  }

  remove() {
    this.samples.remove(this.samples.chosen);
    this.changed();
    this.chose();
  }

  pick(i) {
    this.samples.chosen = (i + this.samples.all.length) % this.samples.all.length;
    this.changed();
    this.chose();
  }

  moveTo([x, y]) {
    const sample = this.samples.all[this.samples.chosen];
    sample.x[0] = x;
    if (!this.flat) sample.x[1] = y;
    else sample.y[0] = y;
    this.samples.version += 1;
    this.changed();
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const [x, y] = this.spot(this.samples.all[this.samples.chosen]);
    const step = (this.box[1] - this.box[0]) * (event.shiftKey ? 0.1 : 0.02);
    const act = {
      ArrowLeft: () => this.moveTo([x - step, y]), ArrowRight: () => this.moveTo([x + step, y]),
      ArrowUp: () => this.moveTo([x, y + step]), ArrowDown: () => this.moveTo([x, y - step]),
      PageDown: () => this.pick(this.samples.chosen + 1), PageUp: () => this.pick(this.samples.chosen - 1),
      Insert: () => this.add([x + step, y + step]), Delete: () => this.remove(),
    }[event.key];
    if (!act) return;
    act();
    this.chose();
    event.preventDefault();
    event.stopPropagation();
  }
}
