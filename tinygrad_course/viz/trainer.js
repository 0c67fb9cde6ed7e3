"use strict";
// Training in the page: one step over all samples, play; the loss curve, which is also the way back in time; and the
// weights as text to take along.

class Trainer {
  constructor(by, live, frames, showFrame) {
    this.by = by;
    this.live = live;
    this.frames = frames; // of a recorded run, in a replay
    this.showFrame = showFrame;
    by("frame").addEventListener("input", () => this.#goto(Number(by("frame").value)));
    by("curve").addEventListener("pointerdown", (event) => this.#point(event));
    by("curve").addEventListener("pointermove", (event) => event.buttons && this.#point(event));
    if (live) this.#connect();
  }

  #connect() {
    const { by, live } = this;
    by("train").addEventListener("click", () => live.play(!live.playing));
    by("one").addEventListener("click", () => live.step());
    by("rate").addEventListener("change", () => { live.rate = Math.max(0, Number(by("rate").value) || 0); live.refresh(); });
    by("method").addEventListener("change", () => { live.method = by("method").value; live.rate = RATES[live.method]; live.refresh(); });
    by("pace").addEventListener("change", () => { live.speed = Number(by("pace").value); });
    by("weights").addEventListener("click", () => this.#openWeights());
    by("copy").addEventListener("click", () => this.#copy());
    by("shut").addEventListener("click", () => by("taken").close());
  }

  #steps() { return this.live ? this.live.history : this.frames; }

  #goto(i) {
    if (this.live) this.live.goto(i);
    else this.showFrame(i);
  }

  #point(event) { // the time under the pointer
    const box = this.by("curve").getBoundingClientRect();
    const { width, edge } = drawingArea(this.by("curve"));
    const part = (event.clientX - box.left - edge) / (width - 2 * edge);
    this.#goto(Math.round(Math.min(Math.max(part, 0), 1) * (this.#steps().length - 1)));
  }

  // Show where in time we are
  fill(at) {
    const { by, live } = this;
    const steps = this.#steps();
    const here = live ? live.at : at;
    by("frame").max = steps.length - 1;
    by("frame").value = here;
    by("frame").disabled = steps.length < 2;
    const step = live && steps[here].state ? String(steps[here].steps) : steps[here].label;
    const loss = live ? live.loss : asNumber(steps[here].loss);
    by("frame-label").textContent = `${step}, loss ${brief(loss)}`;
    by("frame").setAttribute("aria-valuetext", `step ${step}, loss ${brief(loss)}`);
    this.#draw(steps, here);
    if (!live) return;
    by("train").textContent = live.playing ? "Stop" : "Train";
    by("train").setAttribute("aria-pressed", String(live.playing));
    if (document.activeElement !== by("rate")) by("rate").value = live.rate;
    by("method").value = live.method;
  }

  #draw(steps, here) {
    const { width, height, edge } = drawingArea(this.by("curve"));
    const losses = steps.map((step) => asNumber(step.loss));
    const seen = losses.filter(Number.isFinite);
    if (!seen.length) seen.push(0);
    const [low, high] = [Math.min(...seen), Math.max(...seen)];
    const across = (i) => edge + (i / Math.max(losses.length - 1, 1)) * (width - 2 * edge);
    const up = (loss) => height - edge - ((loss - low) / (high - low || 1)) * (height - 2 * edge);
    const every = Math.max(1, Math.floor(losses.length / 240));
    let line = "";
    losses.forEach((loss, i) => {
      if (i % every && i !== losses.length - 1) return;
      if (Number.isFinite(loss)) line += `${line && Number.isFinite(losses[Math.max(i - every, 0)]) ? "L" : "M"}${across(i).toFixed(1)} ${up(loss).toFixed(1)}`;
    });
    const [first, last] = [losses[0], losses[losses.length - 1]];
    this.by("curve-path").setAttribute("d", line);
    this.by("curve-mark").setAttribute("cx", across(here).toFixed(1));
    this.by("curve-mark").setAttribute("cy", up(Number.isFinite(losses[here]) ? losses[here] : low).toFixed(1));
    this.by("curve-text").textContent = losses.length > 1 ? `loss ${number(first)} → ${number(last)}` : "Train: the loss curve grows here";
    this.by("curve").setAttribute("aria-label", `Loss curve, from ${number(first)} to ${number(last)}`);
  }

  // The weights, as JSON and with the lines that load them
  #openWeights() {
    const { by, live } = this;
    live.play(false);
    const plain = (x, shape) => (typeof x === "number" ? x : nested(Array.from(x), shape));
    const weights = live.data.parameters.map((name) => [live.data.titles[name], plain(live.values[name], live.shapes[name])]);
    by("json").value = JSON.stringify(Object.fromEntries(weights));
    by("taken").showModal();
    by("json").select();
  }

  #copy() {
    const text = this.by("json");
    text.select();
    const said = (done) => { this.by("copied").textContent = done ? "Copied." : "Press Ctrl+C: it is selected."; };
    if (navigator.clipboard) navigator.clipboard.writeText(text.value).then(() => said(true), () => said(false));
    else said(false);
  }
}

function nested(entries, shape) {
  if (shape.length < 2) return entries;
  const size = entries.length / shape[0];
  return Array.from({ length: shape[0] }, (_, i) => nested(entries.slice(i * size, (i + 1) * size), shape.slice(1)));
}
