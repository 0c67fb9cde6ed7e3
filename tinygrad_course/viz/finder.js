"use strict";
// Finding values and operations by name.

class Finder {
  #next = 0; // the one to visit next

  constructor(by, drawing, visit) {
    this.by = by;
    this.drawing = drawing;
    this.found = []; // nodes
    by("query").addEventListener("input", () => this.search());
    by("search").addEventListener("submit", (event) => {
      event.preventDefault();
      if (!this.found.length) return;
      const node = this.found[this.#next % this.found.length];
      by("found").textContent = `${(this.#next % this.found.length) + 1} of ${this.found.length}`;
      this.#next += 1;
      visit(node);
      by("query").focus();
    });
  }

  search() {
    const { nodes } = this.drawing().graph;
    const query = this.by("query").value.trim().toLowerCase();
    const fits = (node) => `${node.title} ${node.operation || node.kind}`.toLowerCase().includes(query);
    this.found = query === "" ? [] : nodes.map((_, i) => i).filter((i) => fits(nodes[i]));
    this.#next = 0;
    this.drawing().mark("found", this.found);
    this.by("found").textContent = query === "" ? "" : `${this.found.length} found`;
  }

  clear() {
    this.by("query").value = "";
    this.search();
  }
}
