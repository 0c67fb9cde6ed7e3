"use strict";
// Light or dark: as the reader's screen is, and once the switch in the header was touched, as that says.
// A page that holds this one in a frame can say it too: frame.contentWindow.postMessage({ dark: true }, "*").

const SCHEME = (() => {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const rules = [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules])
    .filter((rule) => rule.media?.mediaText.includes("prefers-color-scheme: dark"));
  const listeners = new Set();
  const button = document.getElementById("scheme");
  let chosen = null; // whether it is dark, where somebody said so
  const scheme = {
    get dark() { return chosen ?? system.matches; },
    subscribe(listener) { listeners.add(listener); },
  };

  function changed() {
    button.setAttribute("aria-pressed", String(scheme.dark));
    for (const listener of listeners) listener();
  }

  function choose(dark) {
    chosen = dark;
    for (const rule of rules) rule.media.mediaText = chosen ? "screen" : "not all";
    document.documentElement.style.colorScheme = chosen ? "dark" : "light"; // of what the browser draws itself
    changed();
  }

  button.addEventListener("click", () => choose(!scheme.dark));
  window.addEventListener("message", ({ source, data }) => { // from the page that this one stands in
    if (source === window.parent && typeof data?.dark === "boolean") choose(data.dark);
  });
  system.addEventListener("change", () => { if (chosen === null) changed(); });
  changed();
  return scheme;
})();
