"use strict";
// What the output neurons see: the hidden space, bent by the layers before, with the points in it and the border
// that the last layer draws.  Without a hidden layer it is the output over the sum, and of a network of two
// numbers the loss over both, with the way that training took.

class Features {
  constructor(canvas, net, samples, sweep) {
    Object.assign(this, { canvas, net, samples, sweep, axis: null, box: null, moving: false, surface: null });
    this.last = net.columns.at(-1);
    this.size = this.last.inputs;
    const numbers = net.columns.reduce((sum, { size, inputs, bias }) => sum + size * (inputs + (bias ? 1 : 0)), 0);
    const bent = net.columns.length > 1 && this.size > 1;
    this.kind = numbers === 2 && this.size === 1 ? "surface" : bent ? "space" : "curve";
    this.title = {
      surface: "Loss over w and b", curve: "Output over the sum z",
      space: this.size === 2 ? "Hidden space" : `Hidden space (${this.size} dimensions)`,
    }[this.kind];
  }

  show(page) {
    this.pen = Plane.pen(this);
    this.moving = false;
    if (this.kind === "surface") this.#surface(page);
    else if (this.kind === "space") this.#space(page.live.values);
    else this.#curve();
  }

  #pixel([x, y]) {
    const [left, right, bottom, top] = this.box;
    return [(x - left) / (right - left) * this.side, (top - y) / (top - bottom) * this.side];
  }

  // The box follows what has to be inside, without jumping
  #frame(spots, margin = 0.12) {
    const wanted = [0, 1].flatMap((k) => {
      let [low, high] = [Infinity, -Infinity];
      for (const spot of spots) [low, high] = [Math.min(low, spot[k]), Math.max(high, spot[k])];
      const more = margin * (high - low) || 0.5;
      return [low - more, high + more];
    });
    if (!this.box) this.box = wanted;
    else if (wanted.every(Number.isFinite)) this.box = this.box.map((x, k) => x + 0.15 * (wanted[k] - x));
    const sizes = [wanted[1] - wanted[0], wanted[3] - wanted[2]];
    this.moving = this.box.some((x, k) => Math.abs(wanted[k] - x) > 0.01 * sizes[k >> 1]);
  }

  #path(spots, close = false) {
    this.pen.beginPath();
    spots.forEach((spot, i) => (i ? this.pen.lineTo(...this.#pixel(spot)) : this.pen.moveTo(...this.#pixel(spot))));
    if (close) this.pen.closePath();
    this.pen.stroke();
  }

  #ink(name, width) {
    this.pen.strokeStyle = Colours.css(Colours.of(name));
    this.pen.lineWidth = width;
  }

  #run() { // the samples that are not quite new
    return this.samples.all.filter(({ features }) => features.length);
  }

  #points(spot) {
    Plane.marks(this.pen, this.samples, (sample) => this.#pixel(spot(sample)));
  }

  // Two directions to look at many dimensions from: the last neuron's weights, and of what is left the widest
  #directions(values) {
    const weights = [...values[this.last.weight]].slice(0, this.size);
    const long = Math.hypot(...weights) || 1;
    const first = weights.map((w) => w / long);
    const rows = this.#run().map(({ features }) => features);
    const mean = first.map((_, i) => rows.reduce((sum, row) => sum + row[i], 0) / rows.length);
    let second = this.axis ?? first.map((_, i) => Math.cos(1 + 2 * i));
    for (let turn = 0; turn < 3; turn++) {
      const next = first.map(() => 0);
      for (const row of rows) {
        const far = second.reduce((sum, s, i) => sum + s * (row[i] - mean[i]), 0);
        row.forEach((x, i) => { next[i] += far * (x - mean[i]); });
      }
      const along = next.reduce((sum, x, i) => sum + x * first[i], 0);
      const left = next.map((x, i) => x - along * first[i]);
      const size = Math.hypot(...left);
      if (size > 1e-9) second = left.map((x) => x / size);
    }
    this.axis = second;
    return [first, second];
  }

  #space(values) {
    const flat = this.size === 2;
    const axes = flat ? [[1, 0], [0, 1]] : this.#directions(values);
    const seen = (features, at) => { // of one entry of each feature
      let [x, y] = [0, 0];
      for (let i = 0; i < this.size; i++) {
        x += axes[0][i] * (at === undefined ? features[i] : features[i][at]);
        y += axes[1][i] * (at === undefined ? features[i] : features[i][at]);
      }
      return [x, y];
    };
    const spot = ({ features }) => seen(features);
    const spots = this.#run().map(spot);
    if (flat && /^(sigmoid|tanh)$/.test(this.net.columns.at(-2).activation)) {
      this.box = this.net.columns.at(-2).activation === "tanh" ? [-1.2, 1.2, -1.2, 1.2] : [-0.15, 1.15, -0.15, 1.15];
    } else this.#frame(spots);
    this.#sides(values, axes);
    if (this.sweep) this.#grid(seen);
    this.#points(spot);
    if (flat) this.#names("h₁", "h₂");
  }

  // Which side of the last layer's border every place is on
  #sides(values, axes) {
    const { weight, bias, size } = this.last;
    if (size > 1 && this.size > 2) return;
    const side = 40;
    const [left, right, bottom, top] = this.box;
    const slopes = Array.from({ length: size }, (_, k) => axes.map((axis) =>
      axis.reduce((sum, a, i) => sum + a * values[weight][k * this.size + i], 0)));
    const sum = (k, at) => slopes[k][0] * (left + (at % side + 0.5) / side * (right - left))
      + slopes[k][1] * (top - (Math.floor(at / side) + 0.5) / side * (top - bottom)) + (values[bias]?.[k] ?? 0);
    const scale = this.last.activation ? 3 : this.net.scale;
    this.picture ??= Colours.pen(side, side);
    if (size > 1) {
      const tints = Array.from({ length: size }, (_, k) =>
        Colours.pixel(Colours.mix(Colours.of("--paper"), Colours.ofClass(k, size), 0.4)));
      Colours.paint(this.picture, (pixels) => pixels.forEach((_, at) => {
        const sums = tints.map((tint, k) => sum(k, at));
        pixels[at] = tints[sums.indexOf(Math.max(...sums))];
      }));
      this.pen.drawImage(this.picture.canvas, 0, 0, this.side, this.side);
      return;
    }
    const heights = Float32Array.from({ length: side * side }, (_, at) => sum(0, at) - this.net.sum);
    Colours.paint(this.picture, (pixels) => Colours.heights(pixels, heights, 0, scale, 0.6));
    this.pen.drawImage(this.picture.canvas, 0, 0, this.side, this.side);
    this.#ink("--ink", 2);
    this.pen.beginPath();
    for (const [x0, y0, x1, y1] of Sweep.border(heights, side, 0)) {
      this.pen.moveTo(x0 * this.side, y0 * this.side);
      this.pen.lineTo(x1 * this.side, y1 * this.side);
    }
    this.pen.stroke();
  }

  // The input plane's grid, as the hidden layers bend it
  #grid(seen) {
    const { side, features } = this.sweep;
    this.#ink("--soft", 0.6);
    this.pen.globalAlpha = 0.6;
    for (let line = 1; line < side; line += 4) {
      const along = (at) => Array.from({ length: side }, (_, n) => seen(features, at(n)));
      this.#path(along((n) => line * side + n));
      this.#path(along((n) => n * side + line));
    }
    this.pen.globalAlpha = 1;
  }

  #curve() {
    const spots = this.#run().map(({ sum, result }) => [sum, result]);
    if (this.sweep) {
      const [sums, results] = [this.sweep.sums.at(-1)[0], this.sweep.results[0]];
      for (let at = 0; at < sums.length; at += 5) spots.push([sums[at], results[at]]);
    }
    spots.sort((a, b) => a[0] - b[0]);
    this.#frame(spots);
    this.#ink("--line", 1);
    this.#path([[this.box[0], this.net.border], [this.box[1], this.net.border]]);
    this.#path([[this.net.sum, this.box[2]], [this.net.sum, this.box[3]]]);
    this.#ink("--ink", 2.5);
    this.#path(spots);
    this.#points(({ sum, result }) => [sum, result]);
    this.#names("z", "ŷ");
  }

  #names(across, up) {
    this.pen.font = "italic 12px system-ui, sans-serif";
    this.pen.fillStyle = Colours.css(Colours.of("--ink"));
    this.pen.textAlign = "right";
    this.pen.fillText(across, this.side - 6, this.side - 7);
    this.pen.textAlign = "left";
    this.pen.fillText(up, 6, 15);
  }

  // The loss over the only weight and the bias; computed anew when the points have changed
  #surface({ live }) {
    const { weight, bias } = this.last;
    const way = live.history.map(({ inputs }) => [inputs[weight][0], inputs[bias][0]]);
    const now = [live.values[weight][0], live.values[bias][0]];
    if (!this.surface || this.surface.version !== this.samples.version) this.#measure(live, [...way, now]);
    const { lowest, highest, losses, side } = this.surface;
    const bands = 14;
    const band = (loss) => Math.floor(bands * Math.sqrt((loss - lowest.loss) / (highest - lowest.loss || 1)));
    const tints = Array.from({ length: bands + 1 }, (_, i) =>
      Colours.pixel(Colours.mix(Colours.of("--paper"), Colours.of("--soft"), 0.75 * i / bands)));
    this.picture ??= Colours.pen(side, side);
    Colours.paint(this.picture, (pixels) => pixels.forEach((_, at) => { pixels[at] = tints[band(losses[at])]; }));
    this.pen.drawImage(this.picture.canvas, 0, 0, this.side, this.side);
    this.#ink("--accent", 2);
    this.#path(way);
    this.pen.fillStyle = Colours.css(Colours.of("--accent"));
    for (const [spot, radius] of [...way.map((place) => [place, 2]), [now, 6]]) {
      this.pen.beginPath();
      this.pen.arc(...this.#pixel(spot), radius, 0, 7);
      this.pen.fill();
    }
    this.#ink("--ink", 2);
    const [x, y] = this.#pixel(lowest.spot);
    this.pen.strokeRect(x - 4, y - 4, 8, 8);
    this.#names("w", "b");
  }

  #measure(live, spots) {
    const { weight, bias } = this.last;
    const v = { ...live.values, [weight]: live.values[weight].slice(), [bias]: live.values[bias].slice() };
    const over = (side, [left, right, bottom, top]) => {
      const losses = new Float64Array(side * side);
      const lowest = { loss: Infinity, spot: [0, 0] };
      for (let at = 0; at < side * side; at++) {
        const [across, down] = [(at % side + 0.5) / side, (Math.floor(at / side) + 0.5) / side];
        const spot = [left + across * (right - left), top - down * (top - bottom)];
        [v[weight][0], v[bias][0]] = spot;
        losses[at] = this.samples.forward(v)[this.net.all];
        if (losses[at] < lowest.loss) Object.assign(lowest, { loss: losses[at], spot });
      }
      return { side, losses, lowest, highest: Math.max(...losses) };
    };
    const [w, b] = spots[0];
    const far = 4 + Math.max(Math.abs(w), Math.abs(b));
    const { lowest } = over(24, [-far, far, -far, far]);
    this.box = null;
    this.#frame([...spots, lowest.spot], 0.5);
    const wide = Math.max(this.box[1] - this.box[0], this.box[3] - this.box[2]) / 2;
    const middle = [(this.box[0] + this.box[1]) / 2, (this.box[2] + this.box[3]) / 2];
    this.box = [middle[0] - wide, middle[0] + wide, middle[1] - wide, middle[1] + wide];
    this.surface = { version: this.samples.version, ...over(60, this.box) };
  }
}
