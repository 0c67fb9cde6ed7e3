"use strict";
// The player: plays the list of events, and says at each what happens, with its numbers.

(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const by = (id) => document.getElementById(id);
  const drawings = [...document.querySelectorAll("#stage > svg")].map(
    (svg, i) => new Drawing(svg, data.graphs[i], `s${i}-`),
  );
  const levels = data.graphs.flatMap((graph, g) => graph.levels.map(([name, state]) => ({ name, graph: g, state })));
  let drawing = null; // the one that is seen
  let frame = 0; // the step of the training run
  let position = 0; // so many events have happened
  let shown = null; // the node or group whose details are open
  let timer = null;
  let curve = null;
  let found = []; // the nodes that a search found
  let next = 0; // the one to visit next

  const graph = () => drawing.graph;
  const numbers = () => graph().frames[frame];
  const call = (node) => numbers().calls[node] ?? graph().frames[0].calls[node]; // what differs from the first
  const title = (node) => graph().nodes[node].name || (graph().nodes[node].bare ? "" : unnamed(graph().roots, node));
  const unnamed = (roots, node) => !roots.includes(node) ? `v${node}`
    : roots.length === 1 ? "result" : `result ${roots.indexOf(node) + 1}`;

  // What has happened after so many events: which values are computed, and the gradients so far
  function situation() {
    const { events, nodes, edges } = graph();
    const computed = nodes.map((node) => !node.operation);
    const gradients = nodes.map(() => null);
    for (const [kind, id] of events.slice(0, position)) {
      if (kind === "forward") computed[id] = true;
      else if (kind === "seed") gradients[id] = numbers().seeds[id];
      else if (kind === "backward") gradients[edges[id][0]] = numbers().steps[id][3];
    }
    if (position === events.length) return { computed, gradients: numbers().grad };
    return { computed, gradients };
  }

  function gradientText(gradient) {
    if (!isArray(gradient)) return `grad ${brief(gradient)}`;
    return gradient.norm === undefined ? `grad ${brief(gradient)}` : `‖grad‖ ${number(gradient.norm).replace(/^\+/, "")}`;
  }

  // Show everything as it is at this position
  function render() {
    const { nodes, events } = graph();
    const { computed, gradients } = situation();
    const values = numbers().data;
    nodes.forEach((node, i) => {
      if (!(("n" + i) in drawing.view.boxes)) return;
      const value = computed[i] ? brief(values[i]) : "…";
      if (node.operation) drawing.setText(i, 0, call(i));
      drawing.setText(i, node.bare ? 0 : 1, node.operation && node.label ? `${node.label} ${value}` : value);
      if (!node.constant) drawing.setText(i, 2, gradientText(gradients[i]));
      drawing.elements.get("n" + i).classList.toggle("todo", !computed[i]);
    });
    lightUp();
    by("position").max = events.length;
    by("position").value = position;
    by("position").setAttribute("aria-valuetext", `event ${position} of ${events.length}`);
    by("count").textContent = `${position} / ${events.length}`;
    by("back").disabled = position === 0;
    by("step").disabled = position === events.length;
    drawing.mark("found", found);
    if (shown !== null) fillDetails();
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
    const [what, why] = explained(kind, id);
    by("what").textContent = what;
    by("why").textContent = why;
  }

  // One line on what happens, and one on the rule
  function explained(kind, id) {
    const { nodes, edges, roots } = graph();
    const { data: values, steps, seeds } = numbers();
    const note = graph().note ? ` (${graph().note})` : "";
    if (kind === null) {
      return [`Nothing is computed yet${note}.`, "Inputs and parameters are given. Play or Step begins the forward pass."];
    }
    if (kind === "done") {
      const results = roots.map((root) => `${title(root)} = ${inWords(values[root])}`).join(", ");
      return [`${results}, and every value has its gradient${note}.`,
        "Play shows how: first the forward pass, then the backward pass."];
    }
    if (kind === "seed") {
      return [`${title(id)}.grad = ${inWords(seeds[id])}`, roots.length === 1
        ? "The backward pass begins: the gradient of the result with respect to itself."
        : "The backward pass begins from each result: its gradient with respect to itself. All are added up."];
    }
    if (kind === "forward") {
      const used = edges.filter((edge) => edge[1] === id).map((edge) => `${title(edge[0])} ${brief(values[edge[0]])}`.trim());
      const { formula, domain } = nodes[id];
      return [
        `${title(id)} = ${call(id)} of ${used.join(" and ")} = ${inWords(values[id])}`,
        [formula && `${nodes[id].operation}: ${formula}`, domain && `where ${domain}`].filter(Boolean).join(", "),
      ];
    }
    const [source, target, argument, rule] = edges[id];
    const [local, contribution, before, now] = steps[id];
    const upstream = numbers().grad[target]; // complete when its turn comes
    const { operation, formula, kink } = nodes[target];
    const sum = local === null
      ? `contribution ${inWords(contribution)}`
      : `local ${number(local)} × upstream ${number(upstream)} = ${number(contribution)}`;
    const parts = [
      `${operation}${formula ? `: ${formula}` : ""}`,
      rule ? `the rule for ${argument}: ${rule}` : `the gradient for ${argument}`,
      `g is ${title(target)}.grad ${brief(upstream)}${rule.includes("out") ? ", out the result" : ""}`,
      kink ? `kink: ${kink}` : "",
    ];
    return [`${title(source)}.grad += ${sum} (was ${mean(before)}, now ${mean(now)})`,
      parts.filter(Boolean).join("; ")];
  }

  const mean = (x) => (isArray(x) && x.mean !== undefined ? `mean ${number(x.mean)}` : brief(x));

  // Playing
  function goTo(to) {
    position = Math.min(Math.max(to, 0), graph().events.length);
    render();
    const [kind, id] = graph().events[position - 1] || [null, null];
    if (kind !== null && kind !== "done") drawing.follow(drawing.seenAs(kind === "backward" ? graph().edges[id][0] : id));
  }

  function play(on) {
    clearInterval(timer);
    timer = null;
    if (on) {
      if (position === graph().events.length) goTo(0);
      timer = setInterval(() => {
        goTo(position + 1);
        if (position === graph().events.length) play(false);
      }, Number(by("speed").value));
    }
    by("play").textContent = on ? "Pause" : "Play";
    by("play").setAttribute("aria-pressed", String(on));
  }

  // Levels of detail
  function showLevel(index) {
    const level = levels[index];
    const part = drawing ? position / (graph().events.length || 1) : 1;
    drawings.forEach((other, i) => other.svg.toggleAttribute("hidden", i !== level.graph));
    const changed = drawing !== drawings[level.graph];
    drawing = drawings[level.graph];
    drawing.show(level.state);
    drawing.fit();
    if (changed) {
      found = [];
      position = Math.round(part * graph().events.length);
      closeDetails();
    }
    showChanged();
  }

  function showChanged() { // another state is shown: which level is it?
    [...by("levels").children].forEach((button, i) => {
      const { graph: g, state } = levels[i];
      button.setAttribute("aria-pressed", String(drawings[g] === drawing && drawing.state === state));
    });
    render();
  }

  function toggle(group, wanted) {
    if (drawing.toggle(group, wanted)) {
      drawing.fit();
      showChanged();
      const element = drawing.elements.get(wanted ? `f${group}` : `g${group}`);
      (wanted ? element.querySelector(".handle") : element).focus();
    }
  }

  // Details of a node
  function openDetails(node) {
    shown = node;
    fillDetails();
    by("details").hidden = false;
    by("details").focus({ preventScroll: true });
  }

  function closeDetails() {
    shown = null;
    by("details").hidden = true;
    by("details").replaceChildren();
    drawing.mark("chosen", []);
  }

  function fillDetails() {
    const node = graph().nodes[shown];
    const { computed, gradients } = situation();
    drawing.mark("chosen", [shown]);
    const close = make("button", "Close", { type: "button", id: "close" });
    close.addEventListener("click", closeDetails);
    const parts = [close, make("h2", title(shown)), make("p", node.operation ? call(shown) : node.kind)];
    for (const key of ["formula", "domain", "kink"]) if (node[key]) parts.push(make("p", `${key}: ${node[key]}`));
    parts.push(computed[shown] ? arrayPart("value", numbers().data[shown]) : make("p", "not computed yet"));
    if (!node.constant) {
      const section = arrayPart("gradient", gradients[shown]);
      section.append(contributions(gradients[shown]));
      parts.push(section);
    }
    if (data.graphs.length > 1 && drawing === drawings[0] && node.group !== undefined) {
      const apart = make("button", "Take apart into single numbers", { type: "button", id: "apart" });
      apart.addEventListener("click", () => takeApart(graph().groups[node.group].label));
      parts.push(apart);
    }
    by("details").replaceChildren(...parts);
  }

  // Where a gradient comes from: what has been added so far
  function contributions() {
    const list = make("ul");
    graph().events.slice(0, position).forEach(([kind, id]) => {
      if (kind !== "backward" || graph().edges[id][0] !== shown) return;
      const [local, contribution] = numbers().steps[id];
      const target = graph().edges[id][1];
      list.append(make("li", local === null ? `from ${title(target)}: ${inWords(contribution)}`
        : `from ${title(target)}: ${number(local)} × ${number(numbers().grad[target])} = ${number(contribution)}`));
    });
    if (position === graph().events.length && numbers().differs.includes(shown)) {
      list.append(make("li", "Its .grad in Python holds more: earlier passes were added to it and not zeroed."));
    }
    return list;
  }

  function takeApart(label) { // the layer of that name into its neurons, and those into numbers
    showLevel(levels.findIndex((level) => level.graph === 1));
    const { groups } = graph();
    const layer = groups.findIndex((group) => group.parent === null && group.label === label);
    drawing.toggle(layer, true);
    groups.forEach((group, i) => { if (group.parent === layer) drawing.toggle(i, true); });
    drawing.fit();
    showChanged();
  }

  // Finding
  function search() {
    const query = by("query").value.trim().toLowerCase();
    found = query === "" ? [] : graph().nodes.map((_, i) => i).filter((i) => {
      const node = graph().nodes[i];
      return `${node.name} ${node.operation || node.kind}`.toLowerCase().includes(query) || title(i) === query;
    });
    next = 0;
    drawing.mark("found", found);
    by("found").textContent = query === "" ? "" : `${found.length} found`;
  }

  function visit() {
    if (!found.length) return;
    const node = found[next % found.length];
    by("found").textContent = `${(next % found.length) + 1} of ${found.length}`;
    next += 1;
    drawing.reveal(node);
    showChanged();
    drawing.follow("n" + node, true);
    openDetails(node);
    by("query").focus();
  }

  // What was clicked: a node, a closed layer, the name of an open one
  function act(element) {
    const box = element.closest?.(".node");
    const handle = element.closest?.(".handle");
    if (handle) return toggle(Number(handle.closest(".frame").id.slice(drawing.prefix.length + 1)), false);
    if (!box) return undefined;
    const key = box.id.slice(drawing.prefix.length);
    return key[0] === "g" ? toggle(Number(key.slice(1)), true) : openDetails(Number(key.slice(1)));
  }

  const KEYS = {
    ArrowRight: () => { play(false); goTo(position + 1); },
    ArrowLeft: () => { play(false); goTo(position - 1); },
    " ": () => play(timer === null),
    Home: () => goTo(0),
    End: () => goTo(graph().events.length),
    "+": () => drawing.zoom(1 / 1.25),
    "-": () => drawing.zoom(1.25),
    0: () => drawing.fit(),
    "/": () => by("query").focus(),
    Escape: () => closeDetails(),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target;
    if (target.matches("input[type=search], select") || (target.matches("input") && event.key !== " ")) {
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
      openDetails(kind === "backward" ? graph().edges[id][0] : id);
    } else if (KEYS[event.key] && !(event.key === " " && target.matches("button, summary"))) {
      KEYS[event.key]();
    } else {
      return;
    }
    event.preventDefault();
  });

  by("step").addEventListener("click", KEYS.ArrowRight);
  by("back").addEventListener("click", KEYS.ArrowLeft);
  by("play").addEventListener("click", KEYS[" "]);
  by("position").addEventListener("input", (event) => { play(false); goTo(Number(event.target.value)); });
  by("speed").addEventListener("change", () => { if (timer !== null) play(true); });
  by("zoom-in").addEventListener("click", KEYS["+"]);
  by("zoom-out").addEventListener("click", KEYS["-"]);
  by("fit").addEventListener("click", KEYS[0]);
  by("query").addEventListener("input", search);
  by("search").addEventListener("submit", (event) => { event.preventDefault(); visit(); });
  by("stage").addEventListener("pointerover", (event) => {
    const box = event.target.closest(".node");
    drawing.hover(box ? box.id.slice(drawing.prefix.length) : null);
  });
  makeMovable(by("stage"), () => drawing, (event) => act(event.target));
  window.addEventListener("resize", () => drawing.reshape());

  levels.forEach(({ name }, i) => {
    const button = make("button", name, { type: "button", "aria-pressed": "false" });
    button.addEventListener("click", () => showLevel(i));
    by("levels").append(button);
  });
  by("levels").hidden = levels.length < 2;

  function firstLevel() { // the levels that is still easy to read
    let first = 0;
    levels.forEach(({ graph: g, state }, i) => {
      const boxes = Object.keys(data.graphs[g].views[state].boxes).length;
      if (g === 0 && boxes <= 150) first = i;
    });
    return first;
  }

  function reset() {
    play(false);
    closeDetails();
    by("query").value = "";
    search();
    frame = data.graphs[0].frames.length - 1;
    showLevel(firstLevel());
    showFrame(frame);
    goTo(graph().events.length);
    drawing.start(graph().roots[0]);
  }

  function showFrame(to) {
    frame = to;
    by("frame").value = to;
    by("frame-label").textContent = `${numbers().label}, loss ${brief(numbers().loss)}`;
    curve?.moveTo(to);
    render();
  }

  if (data.graphs[0].frames.length > 1) {
    by("training").hidden = false;
    by("frame").max = data.graphs[0].frames.length - 1;
    curve = lossCurve(data.graphs[0].frames);
    by("curve").append(...curve.parts);
    by("frame").addEventListener("input", (event) => showFrame(Number(event.target.value)));
  }
  by("reset").addEventListener("click", reset);
  drawing = drawings[0];
  drawing.show(0);
  reset();
})();
