"use strict";
// The page: joins the drawings, the store, the strip and training, and plays the list of events.

(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const by = (id) => document.getElementById(id);
  const drawings = [...document.querySelectorAll("#stage > svg")].map(
    (svg, i) => new Drawing(svg, data.graphs[i], `s${i}-`),
  );
  const levels = data.graphs.flatMap((graph, g) => graph.levels.map(([name, state]) => ({ name, graph: g, state })));
  const { live, lens, reason } = startLive(data);
  const models = [live, lens];
  const isPart = live && live.lossName !== data.graphs[0].names[data.graphs[0].roots[0]]; // the graph is of one sample
  const alive = data.graphs.map((graph, g) => models[g] && new Alive(graph, models[g]));
  const stories = data.graphs.map((graph, g) => new Story(graph, () => sampleText(g)));
  const page = { live, data, by, choose, say, show: showView };
  let drawing = drawings[0]; // the one that is seen
  let frame = 0; // the step of a recorded run
  let position = 0; // so many events have happened
  let chosen = null; // { graph, node, index } of the number in the strip
  let timer = null;
  let seenSteps = live?.steps;
  let waiting = false;
  let view = "graph";

  const g = () => drawings.indexOf(drawing);
  const graph = () => drawing.graph;
  const frameOf = (of) => data.graphs[of].frames[Math.min(frame, data.graphs[of].frames.length - 1)];
  const numbersOf = (of) => alive[of] || new Recorded(frameOf(of));
  const callOf = (of) => (node) => frameOf(of).calls[node] ?? data.graphs[of].frames[0].calls[node]; // what differs from the first
  const end = () => graph().events.length;

  function sampleText(of) {
    const apart = data.graphs[of].apart;
    if (!apart) return isPart && of === 0 ? "the chosen sample's" : "";
    return `sample ${(lens ? lens.sample : apart.sample) + 1} of ${apart.samples}${live && !lens ? ", as saved" : ""}`;
  }

  // Show everything as it is at this position
  function render() {
    const { nodes } = graph();
    const numbers = numbersOf(g());
    const call = callOf(g());
    const story = stories[g()];
    const { computed, gradient } = story.situation(position, numbers);
    const shown = view === "graph" ? nodes.map((_, i) => i).filter((i) => drawing.inSight("n" + i)) : [];
    const values = shown.map((i) => (computed[i] ? numbers.value(i) : null));
    const gradients = shown.map((i) => (nodes[i].constant ? null : gradient(i)));
    const scale = (all) => largestOf(all.filter((x) => typeof x === "number"));
    const [most, steepest] = [Math.min(scale(values), 2), scale(gradients.filter((_, k) => !graph().roots.includes(shown[k])))];
    shown.forEach((i, k) => {
      const node = nodes[i];
      const value = computed[i] ? brief(values[k]) : "…";
      if (!drawing.far) {
        if (node.operation) drawing.setText(i, 0, call(i));
        drawing.setText(i, node.bare ? 0 : 1, node.operation && node.label ? `${node.label} ${value}` : value);
        if (!node.constant) drawing.setText(i, 2, gradientText(gradients[k]));
      }
      drawing.setPicture(i, 0, values[k], most);
      drawing.setPicture(i, 1, gradients[k], steepest || 1);
      drawing.elements.get("n" + i).classList.toggle("todo", !computed[i]);
    });
    lightUp();
    const [what, why] = story.explained(graph().events[position - 1] || [null, null], numbers, call);
    by("what").textContent = what;
    by("why").textContent = why;
    by("position").max = end();
    by("position").value = position;
    by("position").setAttribute("aria-valuetext", `event ${position} of ${end()}`);
    by("count").textContent = `${position} / ${end()}`;
    by("back").disabled = position === 0;
    by("step").disabled = position === end();
    drawing.mark("found", finder.found);
    fillNow();
    fillStrip();
    by("replay").textContent = live && view !== "graph" ? "" : story.still(reason);
    by("replay").hidden = !by("replay").textContent;
    by("training").hidden = !(live?.trains || data.graphs[0].frames.length > 1);
    if (!by("training").hidden) trainer.fill(frame);
  }

  function renderSoon() { // another part of the drawing is seen
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; render(); });
  }

  function fillNow() { // one loss for the whole page, whichever level is seen
    const root = data.graphs[0].roots[0];
    const loss = live ? live.loss : numbersOf(0).value(root);
    const all = isPart ? " over all samples" : data.graphs[1]?.apart ? ` over ${data.graphs[1].apart.samples} samples` : "";
    const steps = live ? live.steps : data.graphs[0].frames[frame].label;
    const name = live && data.graphs[0].roots.length > 1 ? "sum of results" : stories[0].title(root);
    by("now").textContent = `${name} ${brief(loss)}${all}${steps ? ` · step ${steps}` : ""}`;
    by("sample").hidden = !(lens && g() === 1 && lens.samples > 1 && view === "graph");
  }

  function fillStrip() {
    if (!chosen) return;
    const { graph: of, node, index } = chosen;
    const numbers = numbersOf(of);
    const there = of === g() ? position : data.graphs[of].events.length;
    const parts = [];
    data.graphs[of].events.forEach(([kind, id], event) => {
      const [source, target] = data.graphs[of].edges[id] || [];
      if (kind !== "backward" || source !== node) return;
      const [local, contribution] = numbers.step(id);
      parts.push({ target, local, contribution, upstream: numbers.grad(target), added: event < there });
    });
    strip.show({
      graph: data.graphs[of], node, index, model: models[of], value: numbers.value(node), gradient: numbers.grad(node),
      parts, call: callOf(of)(node), differs: numbers.differs(node),
      choose: (_, n, i) => choosePlace(of, n, i),
    });
    drawing.mark("chosen", of === g() ? [node] : []);
  }

  function lightUp() {
    const { events, edges } = graph();
    const [kind, id] = events[position - 1] || [null, null];
    if (kind === "forward") {
      const incoming = edges.map((edge, i) => [edge, i]).filter(([edge]) => edge[1] === id);
      drawing.light([id, ...incoming.map(([edge]) => edge[0])], incoming.map(([, i]) => i), false);
    } else if (kind === "backward") {
      drawing.light([edges[id][0], edges[id][1]], [id], true);
    } else {
      drawing.light(kind === "seed" ? [id] : [], [], true);
    }
  }

  // What is chosen
  function choosePlace(of, node, index = 0) {
    chosen = { graph: of, node, index };
    const name = data.graphs[of].names?.[node];
    if (live && of === 0 && name) live.choose(name, index); // which has everything filled
    else render();
  }

  function choose(name, index = 0) { // by its name in the program
    const node = data.graphs[0].names.indexOf(name);
    if (node >= 0) choosePlace(0, node, index);
  }

  function chooseInstead(of) { // the same number at the other level, if it is there
    const links = data.graphs[1]?.lens?.links;
    if (links && chosen && chosen.graph !== of) {
      const entry = (link) => link[1] + lens.sample * link[2];
      const names = [data.graphs[0].names, data.graphs[1].names];
      if (of === 1) {
        const name = Object.keys(links).find((key) => links[key][0] === names[0][chosen.node] && entry(links[key]) === chosen.index);
        if (name) return choosePlace(1, names[1].indexOf(name));
      } else if (links[names[1][chosen.node]]) {
        const link = links[names[1][chosen.node]];
        return choosePlace(0, names[0].indexOf(link[0]), entry(link));
      }
    }
    const first = data.graphs[of].nodes.findIndex((node) => node.kind === "parameter");
    return choosePlace(of, Math.max(first, 0));
  }

  function neighbour(step) {
    const shown = graph().nodes.map((_, i) => i).filter((i) => "n" + i in drawing.view.boxes);
    const at = shown.indexOf(chosen?.graph === g() ? chosen.node : -1);
    const node = shown[(at + step + shown.length) % shown.length];
    if (node === undefined) return;
    choosePlace(g(), node);
    drawing.follow("n" + node);
  }

  // Playing
  function goTo(to) {
    position = Math.min(Math.max(to, 0), end());
    by("says").setAttribute("aria-live", "polite");
    render();
    const [kind, id] = graph().events[position - 1] || [null, null];
    if (kind !== null && kind !== "done") drawing.follow(drawing.seenAs(kind === "backward" ? graph().edges[id][0] : id));
  }

  function play(on) {
    clearInterval(timer);
    timer = null;
    if (on) {
      live?.play(false);
      if (position === end()) goTo(0);
      timer = setInterval(() => {
        goTo(position + 1);
        if (position === end()) play(false);
      }, Number(by("speed").value));
    }
    by("play").textContent = on ? "Pause" : "Play";
    by("play").setAttribute("aria-pressed", String(on));
  }

  function touched() { // a number was changed by hand: everything is to be seen
    if (timer !== null) play(false);
    position = end();
    by("says").setAttribute("aria-live", "off"); // which would speak at every move of a slider
  }

  // Views and levels of detail
  function showView(key) {
    view = key;
    by("stage").hidden = key !== "graph";
    by("levels").hidden = key !== "graph" || levels.length < 2;
    for (const id of ["search", "zoom", "says", "playing"]) by(id).hidden = key !== "graph";
    for (const [other, { section, made }] of Object.entries(views)) {
      section.hidden = other !== key;
      if (other === key) made.show?.();
      else made.hide?.();
    }
    for (const button of by("views").children) button.setAttribute("aria-pressed", String(button.dataset.key === key));
    if (key === "graph") drawing.read("n0");
    render();
  }

  function showLevel(index) {
    const level = levels[index];
    const part = position / (end() || 1);
    drawings.forEach((other, i) => other.svg.toggleAttribute("hidden", i !== level.graph));
    const changed = drawing !== drawings[level.graph];
    drawing = drawings[level.graph];
    drawing.show(level.state);
    if (changed) {
      finder.clear();
      position = Math.round(part * end());
    }
    drawing.read(seenNow());
    if (changed || !chosen) chooseInstead(level.graph);
    showChanged();
  }

  function seenNow() { // the box of the present event
    const [kind, id] = graph().events[position - 1] || graph().events[0];
    return drawing.seenAs(kind === "backward" ? graph().edges[id][0] : id);
  }

  function showChanged() { // another state is shown: which level is it?
    [...by("levels").children].forEach((button, i) => {
      const { graph: of, state } = levels[i];
      button.setAttribute("aria-pressed", String(drawings[of] === drawing && drawing.state === state));
    });
    render();
  }

  function toggle(group, wanted) {
    if (drawing.toggle(group, wanted)) {
      drawing.read(wanted ? `f${group}` : `g${group}`);
      showChanged();
      const element = drawing.elements.get(wanted ? `f${group}` : `g${group}`);
      (wanted ? element.querySelector(".handle") : element).focus();
    }
  }

  // What was clicked: a node (or an entry in its picture), a closed layer, the name of an open one
  function act(element, event) {
    const handle = element.closest?.(".handle");
    if (handle) return toggle(Number(handle.closest(".frame").id.slice(drawing.prefix.length + 1)), false);
    const box = element.closest?.(".node");
    if (!box) return undefined;
    const key = box.id.slice(drawing.prefix.length);
    if (key[0] === "g") return toggle(Number(key.slice(1)), true);
    const node = Number(key.slice(1));
    const value = numbersOf(g()).value(node);
    return choosePlace(g(), node, element.matches("canvas") && event && value?.shape ? entryUnder(element, event, value.shape) : 0);
  }

  function say(text) { by("what").textContent = text; }

  const KEYS = {
    ArrowRight: () => { play(false); goTo(position + 1); },
    ArrowLeft: () => { play(false); goTo(position - 1); },
    " ": () => play(timer === null),
    Home: () => goTo(0),
    End: () => goTo(end()),
    PageDown: () => neighbour(1),
    PageUp: () => neighbour(-1),
    "+": () => drawing.zoom(1 / 1.25),
    "-": () => drawing.zoom(1.25),
    0: () => drawing.fit(),
    "/": () => by("query").focus(),
    "?": () => by("help").click(),
    t: () => live?.play(!live.playing),
    s: () => live?.step(),
    "[": () => strip.nudge(-1),
    "]": () => strip.nudge(1),
  };

  function isTyping({ target, key }) { // keys in a field are the field's
    return target.matches("input[type=search], input[type=number], select") || (target.matches("input") && key !== " ");
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || by("taken").open) return;
    const target = event.target;
    if (isTyping(event)) {
      if (event.key === "Escape") target.blur();
      return;
    }
    if (event.shiftKey && event.key.startsWith("Arrow")) {
      const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      drawing.pan(0.1 * drawing.box.w * dx, 0.1 * drawing.box.h * dy);
    } else if (target.matches("[role=button]") && (event.key === "Enter" || event.key === " ")) {
      act(target);
    } else if (event.key === "Enter" && target === drawing.svg) {
      const [kind, id] = graph().events[position - 1] || ["done", graph().roots[0]];
      choosePlace(g(), kind === "backward" ? graph().edges[id][0] : id);
    } else if (KEYS[event.key] && !(event.key === " " && target.matches("button, summary"))) {
      KEYS[event.key]();
    } else {
      return;
    }
    event.preventDefault();
  });

  for (const [id, key] of Object.entries({ step: "ArrowRight", back: "ArrowLeft", play: " ", "zoom-in": "+", "zoom-out": "-", fit: "0" })) {
    by(id).addEventListener("click", KEYS[key]);
  }
  by("position").addEventListener("input", (event) => { play(false); goTo(Number(event.target.value)); });
  by("speed").addEventListener("change", () => { if (timer !== null) play(true); });
  by("help").addEventListener("click", () => {
    by("legend").hidden = !by("legend").hidden;
    by("help").setAttribute("aria-expanded", String(!by("legend").hidden));
  });
  by("sample").addEventListener("change", () => { lens.sample = by("sample").selectedIndex; lens.run(); render(); });
  by("reset").addEventListener("click", reset);
  by("stage").addEventListener("pointerover", (event) => {
    const box = event.target.closest(".node");
    drawing.hover(box ? box.id.slice(drawing.prefix.length) : null);
  });
  makeMovable(by("stage"), () => drawing, (event) => act(event.target, event));
  window.addEventListener("beforeprint", () => drawing.fit());
  new ResizeObserver(() => drawing.reshape()).observe(by("stage"));
  SCHEME.subscribe(render);
  for (const each of drawings) each.looked = renderSoon;

  levels.forEach(({ name }, i) => {
    const button = make("button", name, { type: "button", "aria-pressed": "false" });
    button.addEventListener("click", () => showLevel(i));
    by("levels").append(button);
  });
  for (let k = 0; lens && k < lens.samples; k++) by("sample").append(make("option", `sample ${k + 1} of ${lens.samples}`));
  if (lens) by("sample").selectedIndex = lens.sample;

  const views = {};
  for (const { key, name, make: build } of VIEWS) {
    const made = live && build(page);
    if (made) views[key] = { name, made, section: by(key) };
  }
  for (const [key, { name }] of [...Object.entries(views), ["graph", { name: "Graph" }]]) {
    const button = make("button", name, { type: "button", "data-key": key });
    button.addEventListener("click", () => showView(key));
    by("views").append(button);
  }
  by("views").hidden = !Object.keys(views).length;

  function firstLevel() { // the finest of the levels that are still easy to read
    let first = 0;
    levels.forEach(({ graph: of, state }, i) => {
      const boxes = Object.keys(data.graphs[of].views[state].boxes).length;
      if (of === 0 && boxes <= 150) first = i;
    });
    return first;
  }

  function reset() {
    play(false);
    live?.reset();
    finder.clear();
    frame = data.graphs[0].frames.length - 1;
    chosen = null;
    position = 0;
    showLevel(firstLevel());
    goTo(0);
    drawing.read("n0");
  }

  const strip = new Strip(by, touched);
  const finder = new Finder(by, () => drawing, (node) => {
    drawing.reveal(node);
    showChanged();
    drawing.follow("n" + node, true);
    choosePlace(g(), node);
  });
  const trainer = new Trainer(by, live, data.graphs[0].frames, (to) => { frame = to; render(); });
  for (const id of ["learning", "reset"]) by(id).hidden = !live;
  by("learning").toggleAttribute("hidden", !live?.trains);
  live?.subscribe(() => {
    lens?.run();
    if (live.steps !== seenSteps) touched();
    seenSteps = live.steps;
    render();
  });
  drawing.show(0);
  reset();
  showView(views[data.first] ? data.first : "graph");
})();
