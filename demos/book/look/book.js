"use strict";
// Light or dark, as the reader's screen is or as the switch was left; live pages that answer once they are asked.

const root = document.documentElement;
root.classList.add("scripted");

function kept(scheme) {
  try { // a browser may keep nothing for pages that are files
    if (scheme) localStorage.setItem("scheme", scheme);
    return localStorage.getItem("scheme");
  } catch { return null; }
}

const chosen = () => root.dataset.scheme === "dark";

function show(scheme) {
  root.dataset.scheme = scheme;
  for (const frame of document.querySelectorAll("iframe")) frame.contentWindow.postMessage({ dark: chosen() }, "*");
}

if (kept()) show(kept());

addEventListener("DOMContentLoaded", () => {
  for (const frame of document.querySelectorAll("iframe")) {
    frame.addEventListener("load", () => { if (kept()) show(kept()); });
  }
  document.getElementById("scheme").addEventListener("click", () => {
    const dark = root.dataset.scheme ? chosen() : matchMedia("(prefers-color-scheme: dark)").matches;
    show(dark ? "light" : "dark");
    kept(root.dataset.scheme);
  });
  for (const cover of document.querySelectorAll(".cover")) {
    const figure = cover.closest("figure");
    cover.addEventListener("click", () => {
      cover.hidden = true;
      figure.querySelector("iframe").focus();
    });
    figure.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") cover.hidden = false; });
  }
});

addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details")) details.open = true;
});
