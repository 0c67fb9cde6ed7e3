"use strict";
// Sections that hold every word asked for: a word in a heading counts most, one in the code at the end least.

const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
const entries = JSON.parse(document.getElementById("index").textContent)
  .map(([address, title, heading, text]) => ({ address, title, heading, text, all: plain(`${title} ${heading} ${text}`) }));
const asked = new URLSearchParams(location.search).get("q")?.trim() ?? "";
const words = plain(asked).split(/\s+/).filter(Boolean);

function score({ address, title, heading, all }) {
  const heads = plain(`${title} ${heading}`);
  const sum = words.reduce((n, word) => n + (heads.includes(word) ? 10 : 0) + Math.min(5, all.split(word).length - 1), 0);
  return address.endsWith("#code") ? sum / 20 : sum;
}

function snippet(text) {
  const at = Math.max(0, Math.min(...words.map((word) => plain(text).indexOf(word)).filter((i) => i >= 0)) - 60);
  const start = Number.isFinite(at) ? text.lastIndexOf(" ", at) + 1 : 0;
  return `${start ? "… " : ""}${text.slice(start, start + 180)} …`;
}

function marked(text) {
  const pattern = words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|");
  return text.split(new RegExp(`(${pattern})`, "i")).map((piece, i) => {
    if (i % 2 === 0) return piece;
    const mark = document.createElement("mark");
    mark.textContent = piece;
    return mark;
  });
}

const found = words.length ? entries.filter(({ all }) => words.every((word) => all.includes(word))) : [];
found.sort((a, b) => score(b) - score(a));
for (const { address, title, heading, text } of found) {
  const item = document.createElement("li"), link = document.createElement("a"), said = document.createElement("p");
  link.href = address;
  link.textContent = heading && heading !== title ? `${title}: ${heading}` : title;
  said.append(...marked(snippet(text)));
  item.append(link, said);
  document.getElementById("found").append(item);
}
document.querySelector("input[name=q]").value = asked;
document.getElementById("count").textContent = words.length
  ? `${found.length || "No"} place${found.length === 1 ? "" : "s"} for “${asked}”.` : "Write a word into the field above.";
