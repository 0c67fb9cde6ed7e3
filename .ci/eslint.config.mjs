// The linter's rules for the pages' scripts: plain files of one script, each of which sees the others' names.
import { readdirSync, readFileSync } from "node:fs";

const folder = new URL("../tinygrad_course/viz/", import.meta.url);
const shared = Object.fromEntries(
  readdirSync(folder)
    .filter((name) => name.endsWith(".js"))
    .flatMap((name) => [...readFileSync(new URL(name, folder), "utf8").matchAll(/^(?:class|function|const|let) (\w+)/gm)])
    .map(([, name]) => [name, "readonly"]),
);
const ofTheBrowser = [
  "document", "window", "navigator", "globalThis", "matchMedia", "performance", "requestAnimationFrame",
  "cancelAnimationFrame", "setInterval", "clearInterval", "setTimeout", "clearTimeout", "structuredClone", "atob",
  "ResizeObserver", "ImageData", "Event", "console", "devicePixelRatio", "getComputedStyle", "Image", "Path2D",
];
const rules = [
  "no-undef", "prefer-const", "no-var", "eqeqeq", "no-shadow", "no-unreachable", "no-dupe-keys", "no-dupe-args",
  "no-const-assign", "no-self-assign", "no-self-compare", "no-eval", "no-implied-eval", "no-new-func", "no-fallthrough",
  "no-unsafe-finally", "no-empty", "no-cond-assign", "no-sparse-arrays", "no-unused-private-class-members",
  "no-use-before-define", "array-callback-return", "consistent-return", "no-console", "no-alert", "strict",
];

export default [
  {
    files: ["**/viz/*.js"],
    languageOptions: {
      sourceType: "script",
      ecmaVersion: 2022,
      globals: { ...Object.fromEntries(ofTheBrowser.map((name) => [name, "readonly"])), PROGRAM: "readonly", PROGRAMS: "readonly", ...shared },
    },
    rules: {
      ...Object.fromEntries(rules.map((rule) => [rule, "error"])),
      "no-shadow": ["error", { builtinGlobals: false, hoist: "never" }],
      "no-use-before-define": ["error", { functions: false, classes: false, variables: false }],
      "no-unused-vars": ["error", { vars: "local", caughtErrors: "all" }],
      strict: ["error", "global"],
      complexity: ["error", 20],
      "max-lines": ["error", 400],
    },
  },
];
