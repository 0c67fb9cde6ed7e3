"""Runs JavaScript programs in a browser, many in one go, and compares what they give with NumPy."""

import json
import re

import numpy as np

from tinygrad_course import Value
from tinygrad_course.engine.backprop import backpropagate
from tinygrad_course.engine.record import ancestors
from tinygrad_course.insight.edges import contribution
from tinygrad_course.program.export.graphs import graph_program
from tinygrad_course.program.export.javascript import ARRAYS

SCRIPT = """
(() => {
  const unwrap = (x) => Array.isArray(x) ? x.map(unwrap) : typeof x === "string" ? Number(x) : x;
  const wrap = (x) => typeof x === "number"
    ? (Number.isFinite(x) && !Object.is(x, -0) ? x : Object.is(x, -0) ? "-0" : String(x))
    : Array.from(x, wrap);
  const all = (o) => Object.fromEntries(Object.entries(o).map(([name, x]) => [name, wrap(x)]));
  const out = [];
  const give = (program, inputs) => {
    const v = Object.fromEntries(inputs.map(([name, array, x]) =>
      [name, array === "number" ? unwrap(x) : globalThis[array].from(unwrap(x))]));
    program.forward(v);
    const { results, gradients } = program;
    out.push([all(v), all(program.backward(v)), { results, gradients }]);
  };
%s
  return out;
})()
"""


def wire(x):
    """Numbers as JSON can carry them, flat."""
    flat = [float(n) if np.isfinite(n) else str(float(n)) for n in np.asarray(x, float).ravel()]
    flat = ["Infinity" if n == "inf" else "-Infinity" if n == "-inf" else n for n in flat]
    return flat if np.ndim(x) else flat[0]


def unwired(x):
    """Numbers that came back, flat."""
    return np.array([float(n) for n in (x if isinstance(x, list) else [x])])


def run(browser, programs):
    """For each (script, inputs) what forward filled in and what backward gave, by name, and the program."""
    text = []
    for script, inputs in programs:
        given = json.dumps([[name, array, wire(x)] for name, (array, x) in inputs.items()])
        text.append(f"{{\n{script}give(program, {given});\n}}")
    found = browser.run(SCRIPT % "\n".join(text))
    for pair in found:
        pair[:2] = [{name: unwired(x) for name, x in part.items()} for part in pair[:2]]
    return found


def module(text):
    """An ES module as a statement, as which several fit on one page."""
    return f"const program = (() => {{\n{text.replace('export {', 'return {')}}})();\n"


def array_of(x):
    return "number" if np.ndim(x) == 0 else ARRAYS[np.asarray(x).dtype.name]


def inputs_in(text):
    """The names of a module's inputs."""
    return json.loads(re.search(r"^const inputs = (.*);.*$", text, re.M)[1])


def run_emitted(browser, emitted):
    """For each (source, arguments) the results, and the gradients by the names of inputs."""
    programs = []
    for text, args in emitted:
        names = inputs_in(text)
        assert len(names) == len(args), text
        programs.append((module(text), {n: (array_of(x), x) for n, x in zip(names, args)}))
    return [
        ([values[name] for name in program["results"]], {n: back[g] for n, g in program["gradients"].items()})
        for values, back, program in run(browser, programs)
    ]


def data_of(leaf):
    return leaf.data if isinstance(leaf, Value) else leaf


def inputs_of(program):
    """The inputs of a graph's program, with their arrays."""
    return {name: (program.arrays[name], data_of(leaf)) for name, leaf in program.inputs.items()}


def check_graphs(browser, results, rtol=None):
    """Every value, gradient and contribution of graphs, each with one result, against those of NumPy."""
    programs = [graph_program([result]) for result in results]
    found = run(browser, [(p.script("program"), inputs_of(p)) for p in programs])
    for result, program, (values, gradients, _) in zip(results, programs, found, strict=True):
        nodes = ancestors([result])
        with np.errstate(all="ignore"):
            expected = backpropagate(result, np.ones_like(result.data), inputs=nodes)
        for v, g in zip(nodes, expected):
            if type(v.data) is tuple:
                continue
            name = program.values[v.serial]
            close(values[name], v.data, rtol, name)
            if g is None:
                continue
            close(gradients[program.gradients[name]], g, rtol, f"gradient of {name}")
            for i, parent in enumerate(v.parents):
                if parent is not None and type(parent.data) is not tuple:
                    along = gradients[program.contributions[v.serial, i]]
                    close(along, contribution(v, i, g), rtol, f"along operand {i} of {name}")
    return programs


def close(got, want, rtol, what):
    want = np.asarray(want)
    limit = rtol or (1e-12 if want.dtype == float else 1e-5)
    scale = limit * max(1.0, np.max(np.abs(want[np.isfinite(want)]), initial=0.0))
    np.testing.assert_allclose(got, want.ravel(), limit, scale, err_msg=what)
