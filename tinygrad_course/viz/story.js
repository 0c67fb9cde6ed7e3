"use strict";
// What happens at an event, in words: one line on what, and one on the rule.

class Story {
  constructor(graph, sample) {
    this.graph = graph;
    this.sample = sample; // says which sample is seen, or ""
  }

  title(node) { return this.graph.nodes[node].title; }

  // Why the numbers that are seen cannot be changed, or ""
  still(reason) {
    if (reason) return `This page replays what was recorded, and its numbers cannot be changed: ${reason}`;
    const { still } = this.graph;
    return still ? `These numbers are as saved, and do not follow the others: ${still}` : "";
  }

  named(node, x) { return `${this.title(node)} ${brief(x)}`.trim(); } // a number without a name is only itself

  // What has happened after so many events: which values are computed, and the gradients so far
  situation(position, numbers) {
    const { events, nodes, edges } = this.graph;
    const done = position === events.length;
    const computed = nodes.map((node) => done || !node.operation);
    const gradients = new Map(); // node -> its gradient so far, as a function
    for (const [kind, id] of done ? [] : events.slice(0, position)) {
      if (kind === "forward") computed[id] = true;
      else if (kind === "seed") gradients.set(id, () => numbers.seed(id));
      else if (kind === "backward") gradients.set(edges[id][0], () => numbers.step(id)[3]);
    }
    const gradient = (node) => (done ? numbers.grad(node) : gradients.get(node)?.() ?? null);
    return { computed, gradient };
  }

  explained([kind, id], numbers, call) {
    if (kind === "forward") return this.#forward(id, numbers, call);
    if (kind === "backward") return this.#backward(id, numbers);
    if (kind === "seed") {
      return [`${this.title(id)}.grad = ${inWords(numbers.seed(id))}`, this.graph.roots.length === 1
        ? "The backward pass begins: the gradient of the result with respect to itself."
        : "The backward pass begins from each result: its gradient with respect to itself. All are added up."];
    }
    if (kind === "done") {
      const results = this.graph.roots.map((root) => `${this.title(root)} = ${inWords(numbers.value(root))}`).join(", ");
      return [`${results}, and every value has its gradient${this.#note()}.`,
        "Play shows how: first the forward pass, then the backward pass."];
    }
    return [`Inputs and parameters are given; nothing is computed yet${this.#note()}.`, this.#beginning(numbers)];
  }

  #note() { return this.sample() ? ` (${this.sample()})` : ""; }

  #beginning(numbers) { // what Step will do
    const [kind, id] = this.graph.events[0];
    if (kind !== "forward") return "Step sets the gradient of the result.";
    const used = this.graph.edges.filter((edge) => edge[1] === id).map((edge) => this.named(edge[0], numbers.value(edge[0])));
    return `Step computes ${this.title(id)}, the ${this.graph.nodes[id].operation} of ${used.join(" and ")}; Play plays both passes.`;
  }

  #forward(id, numbers, call) {
    const used = this.graph.edges.filter((edge) => edge[1] === id).map((edge) => this.named(edge[0], numbers.value(edge[0])));
    const { operation, formula, domain } = this.graph.nodes[id];
    return [
      `${this.title(id)} = ${call(id)} of ${used.join(" and ")} = ${inWords(numbers.value(id))}`,
      [formula && `${operation}: ${formula}`, domain && `where ${domain}`].filter(Boolean).join(", "),
    ];
  }

  #backward(id, numbers) {
    const [source, target, argument, rule] = this.graph.edges[id];
    const [local, contribution, before, now] = numbers.step(id);
    const upstream = numbers.grad(target); // complete when its turn comes
    const { operation, formula, kink } = this.graph.nodes[target];
    const sum = local === null ? `contribution ${inWords(contribution)}`
      : `local ${number(local)} × upstream ${number(upstream)} = ${number(contribution)}`;
    const parts = [
      `${operation}${formula ? `: ${formula}` : ""}`,
      rule ? `the rule for ${argument}: ${rule}` : `the gradient for ${argument}`,
      `g is ${this.title(target)}.grad ${brief(upstream)}${rule.includes("out") ? ", out the result" : ""}`,
      kink ? `kink: ${kink}` : "",
    ];
    return [`${this.title(source)}.grad += ${sum} (was ${inShort(before)}, now ${inShort(now)})`,
      parts.filter(Boolean).join("; ")];
  }
}
