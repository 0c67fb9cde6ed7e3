"use strict";
// Colours as pixels: of numbers, as everywhere on the page (blue above zero, orange below), and of classes.

class Colours {
  static #cache = new Map();

  // A colour of the page's style sheet as [red, green, blue]
  static of(name) {
    if (!Colours.#cache.has(name)) {
      const hex = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
      Colours.#cache.set(name, [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)));
    }
    return Colours.#cache.get(name);
  }

  static forget() { // the reader's screen has turned dark or light
    Colours.#cache.clear();
  }

  static mix(from, to, part) {
    return [0, 1, 2].map((i) => Math.round(from[i] + (to[i] - from[i]) * part));
  }

  static css(rgb) {
    return `rgb(${rgb[0]} ${rgb[1]} ${rgb[2]})`;
  }

  // From -1, all orange, to 1, all blue; what is zero has the colour `zero`
  static signed(t, zero = Colours.of("--paper")) {
    return Colours.mix(zero, Colours.of(t < 0 ? "--negative" : "--positive"), Math.min(Math.abs(t) || 0, 1));
  }

  // Of two classes the second is blue and the first orange, as the numbers that speak for them
  static name(k, classes) {
    const names = ["--negative", "--positive", "--third", "--fourth", "--fifth", "--sixth"];
    return names[classes === 2 ? k : (k + 1) % names.length];
  }

  static ofClass(k, classes) {
    return Colours.of(Colours.name(k, classes));
  }

  // The signed colours as pixels, from -1 to 1 in 2 × STEPS + 1 steps
  static STEPS = 128;

  static #palette() {
    if (!Colours.#cache.has("palette")) {
      const image = new ImageData(2 * Colours.STEPS + 1, 1);
      for (let i = 0; i <= 2 * Colours.STEPS; i++) {
        image.data.set([...Colours.signed(i / Colours.STEPS - 1), 255], 4 * i);
      }
      Colours.#cache.set("palette", new Uint32Array(image.data.buffer));
    }
    return Colours.#cache.get("palette");
  }

  // Where a picture of so many places is painted
  static pen(wide, tall) {
    return Object.assign(document.createElement("canvas"), { width: wide, height: tall }).getContext("2d");
  }

  // Have `fill` write the colour of each place, row by row, as one number (see `pixel`)
  static paint(pen, fill) {
    const image = pen.createImageData(pen.canvas.width, pen.canvas.height);
    fill(new Uint32Array(image.data.buffer));
    pen.putImageData(image, 0, 0);
  }

  static pixel([r, g, b]) {
    return new Uint32Array(new Uint8ClampedArray([r, g, b, 255]).buffer)[0];
  }

  // The colours of numbers by how far they are from a height; `scale` away, they are as strong as they get
  static heights(pixels, grid, height, scale, strongest) {
    const [palette, steps] = [Colours.#palette(), Colours.STEPS];
    for (let at = 0; at < pixels.length; at++) {
      const part = Math.max(-strongest, Math.min(strongest, (grid[at] - height) / scale * strongest)) || 0;
      pixels[at] = palette[Math.round((part + 1) * steps)];
    }
  }
}
