"use strict";
// One drawing of a graph: which layers are open, what is lit, which part of it is seen.
// Every place was computed beforehand; opening a layer changes to another of the laid-out states.  Boxes wait in
// a template, and only those that are seen are in the drawing, so that a large graph is no slower than a small one.

class Drawing {
  constructor(svg, graph, prefix) {
    this.svg = svg;
    this.graph = graph;
    this.prefix = prefix;
    this.elements = new Map(); // "n3", "g1", "f1" -> its element
    for (const element of svg.nextElementSibling.content.firstChild.children) {
      this.elements.set(element.id.slice(prefix.length), element);
    }
    this.texts = graph.nodes.map((_, i) => [...this.elements.get("n" + i).querySelectorAll("text")]);
    this.written = this.texts.map((texts) => texts.map((text) => text.textContent));
    this.pictures = graph.nodes.map((node, i) => this.#makePictures(node, i));
    this.looked = () => {}; // told when another part is seen
    this.links = svg.querySelector(".links");
    this.marks = new Map(); // class -> the boxes that have it
    this.state = -1;
    this.box = { x: 0, y: 0, w: 100, h: 100 }; // the part that is seen
    graph.groups.forEach((group, i) => this.#makeButtons(group, i));
  }

  // A box's pictures of its value and its gradient: a canvas for an array, a coloured mark for a number
  #makePictures({ picture, constant, single }, i) {
    if (!picture) return [];
    const [x, y, w, h] = picture;
    return (constant ? [x] : [x, x + w + 6]).map((left, k) => {
      const place = { x: left, y, width: w, height: h };
      const box = makeSvg(single ? "rect" : "foreignObject", { ...place, class: k ? "of-gradient" : "of-value" });
      if (!single) box.append(make("canvas", undefined, { class: "heat", "aria-hidden": "true" }));
      if (single) box.setAttribute("rx", 2);
      this.elements.get("n" + i).append(box);
      return single ? box : box.firstChild;
    });
  }

  #makeButtons(group, i) {
    const closed = this.elements.get("g" + i);
    closed.setAttribute("aria-label", `${group.label}, closed layer`);
    closed.setAttribute("aria-expanded", "false");
    const title = closed.querySelector("text");
    title.textContent = "+ " + title.textContent;
    const handle = this.elements.get("f" + i).querySelector("text");
    handle.setAttribute("aria-label", `${group.label}, open layer`);
    handle.setAttribute("aria-expanded", "true");
    handle.textContent = "- " + handle.textContent;
    handle.classList.add("handle");
    for (const button of [closed, handle]) {
      button.setAttribute("role", "button");
      button.setAttribute("tabindex", "0");
    }
  }

  // Which state is shown
  show(state) {
    if (state === this.state) return;
    this.state = state;
    this.view = this.graph.views[state];
    this.open = new Set(this.graph.states[state]);
    const boxes = Object.entries(this.view.boxes).map(([key, place]) => this.#placed(key, place));
    const frames = Object.entries(this.view.frames).map(([key, place]) => {
      const frame = this.#placed(key, place);
      frame.querySelector("rect").setAttribute("width", place[2]);
      frame.querySelector("rect").setAttribute("height", place[3]);
      return frame;
    });
    this.svg.querySelector(".nodes").replaceChildren(...boxes);
    this.svg.querySelector(".frames").replaceChildren(...frames);
    this.ofEdge = new Map();
    this.links.replaceChildren(...this.view.links.map((link) => this.#makeLink(link)));
  }

  #placed(key, place) {
    const element = this.elements.get(key);
    element.setAttribute("transform", `translate(${place[0]} ${place[1]})`);
    if (key[0] === "n") element.setAttribute("role", "button");
    return element;
  }

  #makeLink([source, target, data, edges]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("class", "link");
    path.setAttribute("d", data);
    this.#tips(path, false, false);
    path.dataset.ends = `${source} ${target}`;
    for (const edge of edges) this.ofEdge.set(edge, path);
    return path;
  }

  // Of all states in which the layer is as wished, the one most like the present one
  toggle(group, wanted) {
    let best = -1;
    let least = Infinity;
    this.graph.states.forEach((open, state) => {
      if (open.includes(group) !== wanted) return;
      const apart = open.filter((g) => !this.open.has(g)).length;
      const difference = 2 * apart + this.open.size - open.length;
      if (difference < least) [best, least] = [state, difference];
    });
    if (best >= 0) this.show(best);
    return best >= 0;
  }

  // Open what hides a node
  reveal(node) {
    const groups = [];
    for (let g = this.graph.nodes[node].group; g !== undefined && g !== null; g = this.graph.groups[g].parent) {
      groups.unshift(g);
    }
    for (const group of groups) if (!this.open.has(group)) this.toggle(group, true);
  }

  // The box in which a node is seen now: its own, or that of a closed layer
  seenAs(node) {
    let key = "n" + node;
    for (let g = this.graph.nodes[node].group; g !== undefined && g !== null; g = this.graph.groups[g].parent) {
      if (!this.open.has(g)) key = "g" + g;
    }
    return key;
  }

  // Give a class to the boxes in which nodes are seen, and to no others
  mark(kind, nodes) {
    for (const element of this.marks.get(kind) || []) element.classList.remove(kind);
    this.marks.set(kind, nodes.map((node) => this.elements.get(this.seenAs(node))));
    for (const element of this.marks.get(kind)) element.classList.add(kind);
  }

  // Light
  light(nodes, edges, backward) {
    for (const path of this.lit || []) {
      path.classList.remove("current", "backward");
      this.#tips(path, false, false);
    }
    this.mark("current", nodes.slice(0, 1));
    this.mark("part", nodes.slice(1));
    this.mark("backward", backward ? nodes : []);
    this.lit = edges.map((edge) => this.ofEdge.get(edge)).filter(Boolean);
    for (const path of this.lit) {
      path.classList.add("current");
      path.classList.toggle("backward", backward);
      this.#tips(path, true, backward);
      this.links.append(path); // on top of the others
    }
  }

  #tips(path, lit, backward) { // an arrow head at the end where the light goes to
    path.removeAttribute(lit && backward ? "marker-end" : "marker-start");
    const kind = !lit ? "" : backward ? "-backward" : "-forward";
    path.setAttribute(lit && backward ? "marker-start" : "marker-end", `url(#${this.prefix}tip${kind})`);
  }

  hover(key) {
    for (const path of this.links.children) {
      path.classList.toggle("near", key !== null && path.dataset.ends.split(" ").includes(key));
    }
  }

  setText(node, line, text) {
    if (this.written[node][line] === text || this.written[node][line] === undefined) return;
    this.written[node][line] = text;
    this.texts[node][line].textContent = text;
  }

  // Colour a box's picture: `kind` 0 is the value, 1 the gradient; none is as zero
  setPicture(node, kind, x, largest) {
    const picture = this.pictures[node][kind];
    if (!picture) return;
    if (!isArray(x)) {
      const text = picture.tagName === "rect" ? Colours.css(Colours.tint(x ?? 0, largest)) : "";
      if (text && picture.getAttribute("fill") !== text) picture.setAttribute("fill", text);
      if (!text) picture.width = 1;
    } else if (x.shape && picture.tagName !== "rect") {
      Colours.heat(picture, x.cells);
    }
  }

  // Whether a box may be in sight
  inSight(key) {
    const place = this.view.boxes[key];
    const { x, y, w, h } = this.box;
    return place !== undefined && place[0] < x + w && place[0] + 260 > x && place[1] < y + h && place[1] + 160 > y;
  }

  // Zoom and pan
  look(box) {
    this.box = box;
    this.svg.setAttribute("viewBox", `${box.x} ${box.y} ${box.w} ${box.h}`);
    this.far = this.#stage().width < 0.4 * box.w; // too far away to read: only colours are shown
    this.svg.classList.toggle("far", this.far);
    this.looked();
  }

  #stage() { // measured once a change of its size
    if (!this.size) this.size = this.svg.getBoundingClientRect();
    return this.size;
  }

  #aspect() {
    const { width, height } = this.#stage();
    return width && height ? width / height : 1.6;
  }

  fit() { // everything, at most twice as large as it was drawn
    this.size = null;
    const [width, height] = this.view.size;
    const aspect = this.#aspect();
    const w = Math.max(width, height * aspect, this.#stage().width / 2, 240);
    this.look({ x: (width - w) / 2, y: (height - w / aspect) / 2, w, h: w / aspect });
  }

  // Everything, or, if that is too small to read, the part around a box: a long graph is scrolled, not shrunk
  read(key) {
    this.fit();
    const stage = this.#stage();
    if (!stage.width || stage.width >= this.box.w) return;
    const [w, h] = [stage.width, stage.height];
    const [width, height] = this.view.size;
    const place = this.view.boxes[key] || this.view.frames[key] || [0, height / 2];
    const within = (start, size, seen, all) => {
      if (seen >= all) return (all - seen) / 2;
      return start + size < seen ? 0 : Math.min(start + size / 2 - seen / 2, all - seen); // from the beginning, if it is there
    };
    this.look({ x: within(place[0], 130, w, width), y: within(place[1], 90, h, height), w, h });
  }

  reshape() { // the window has another shape now
    this.size = null;
    const { x, y, w, h } = this.box;
    const tall = w / this.#aspect();
    this.look({ x, y: y + (h - tall) / 2, w, h: tall });
  }

  zoom(factor, at = { x: this.box.x + this.box.w / 2, y: this.box.y + this.box.h / 2 }) {
    const { x, y, w, h } = this.box;
    const limited = Math.min(Math.max(w * factor, 60), 40 * Math.max(...this.view.size)) / w;
    this.look({ x: at.x - (at.x - x) * limited, y: at.y - (at.y - y) * limited, w: w * limited, h: h * limited });
  }

  pan(dx, dy) {
    this.look({ ...this.box, x: this.box.x + dx, y: this.box.y + dy });
  }

  point(event) { // where in the drawing the pointer is
    const stage = this.svg.getBoundingClientRect();
    return {
      x: this.box.x + ((event.clientX - stage.left) / stage.width) * this.box.w,
      y: this.box.y + ((event.clientY - stage.top) / stage.height) * this.box.h,
    };
  }

  // Bring a box into sight if it is not
  follow(key, always = false) {
    const place = this.view.boxes[key];
    if (!place) return;
    const { x, y, w, h } = this.box;
    const inside = place[0] >= x && place[0] + 90 <= x + w && place[1] >= y && place[1] + 50 <= y + h;
    if (!inside || always) this.look({ x: place[0] + 50 - w / 2, y: place[1] + 25 - h / 2, w, h });
  }
}

// Dragging with one finger or the mouse moves, and so does the wheel; two fingers, or Ctrl and the wheel, zoom
function makeMovable(stage, current, clicked) {
  const fingers = new Map();
  let moved = 0;
  stage.addEventListener("wheel", (event) => {
    event.preventDefault();
    const drawing = current();
    if (event.ctrlKey || event.metaKey) {
      drawing.zoom(Math.exp(Math.sign(event.deltaY) * Math.min(Math.abs(event.deltaY), 120) * 0.002), drawing.point(event));
      return;
    }
    const scale = drawing.box.w / (drawing.svg.getBoundingClientRect().width || 1);
    const [dx, dy] = event.shiftKey ? [event.deltaY, event.deltaX] : [event.deltaX, event.deltaY];
    drawing.pan(dx * scale, dy * scale);
  }, { passive: false });
  stage.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    fingers.set(event.pointerId, event);
    moved = 0;
  });
  window.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const drawing = current();
    const scale = drawing.box.w / (drawing.svg.getBoundingClientRect().width || 1);
    moved += Math.abs(event.clientX - before.clientX) + Math.abs(event.clientY - before.clientY);
    if (fingers.size === 1) {
      drawing.pan((before.clientX - event.clientX) * scale, (before.clientY - event.clientY) * scale);
    } else {
      const other = [...fingers.values()].find((finger) => finger.pointerId !== event.pointerId);
      const distance = (a) => Math.hypot(a.clientX - other.clientX, a.clientY - other.clientY) || 1;
      drawing.zoom(distance(before) / distance(event), drawing.point(other));
    }
    fingers.set(event.pointerId, event);
  });
  for (const end of ["pointerup", "pointercancel"]) {
    window.addEventListener(end, (event) => fingers.delete(event.pointerId));
  }
  stage.addEventListener("click", (event) => {
    if (moved < 6) clicked(event);
  });
}
