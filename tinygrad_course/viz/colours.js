"use strict";
// Colours, which mean one thing on the whole page: blue above zero, orange below, grey at zero; and of classes.
// They are those of the style sheet, for text as well as for pixels.

function largestOf(cells) {
  let largest = 0;
  for (const x of cells) if (Math.abs(x) > largest && Math.abs(x) < Infinity) largest = Math.abs(x);
  return largest;
}

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

  static {
    SCHEME.subscribe(() => Colours.#cache.clear()); // the page has turned dark or light
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

  static NAN = [150, 0, 150];

  static #part(x, largest) { // from -1 to 1
    const size = Math.abs(x);
    return Math.sign(x) * (size === Infinity ? 1 : largest > 0 ? Math.min(size / largest, 1) ** 0.8 : 0);
  }

  // The colour of a number in a picture of many, as strong as it is in relation to the largest
  static tint(x, largest) {
    const part = Colours.#part(x, largest);
    return Number.isNaN(part) ? Colours.NAN : Colours.signed(part, Colours.of("--zero"));
  }

  // Of two classes the second is blue and the first orange, as the numbers that speak for them
  static name(k, classes) {
    const names = ["--negative", "--positive", "--third", "--fourth", "--fifth", "--sixth"];
    return names[classes === 2 ? k : (k + 1) % names.length];
  }

  static ofClass(k, classes) {
    return Colours.of(Colours.name(k, classes));
  }

  // The signed colours as pixels, from -1 to 1 in 2 × STEPS + 1 steps, with this one at zero
  static STEPS = 128;

  static #palette(zero) {
    const key = `palette of ${zero}`;
    if (!Colours.#cache.has(key)) {
      const image = new ImageData(2 * Colours.STEPS + 1, 1);
      for (let i = 0; i <= 2 * Colours.STEPS; i++) {
        image.data.set([...Colours.signed(i / Colours.STEPS - 1, Colours.of(zero)), 255], 4 * i);
      }
      Colours.#cache.set(key, new Uint32Array(image.data.buffer));
    }
    return Colours.#cache.get(key);
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
    const [palette, steps] = [Colours.#palette("--paper"), Colours.STEPS];
    for (let at = 0; at < pixels.length; at++) {
      const part = Math.max(-strongest, Math.min(strongest, (grid[at] - height) / scale * strongest)) || 0;
      pixels[at] = palette[Math.round((part + 1) * steps)];
    }
  }

  // A heat map, a pixel a cell; the style sheet makes it as large as it is to be
  static heat(canvas, { rows, cols, cells }, largest = largestOf(cells)) {
    if (!rows || !cols) return;
    if (canvas.width !== cols) canvas.width = cols;
    if (canvas.height !== rows) canvas.height = rows;
    const [palette, steps, nan] = [Colours.#palette("--zero"), Colours.STEPS, Colours.pixel(Colours.NAN)];
    Colours.paint(canvas.getContext("2d"), (pixels) => {
      for (let i = 0; i < pixels.length; i++) {
        pixels[i] = palette[Math.round((Colours.#part(cells[i], largest) + 1) * steps)] ?? nan;
      }
    });
  }
}
