"""The page's optimizers go, step for step, where those of `optim` go."""

import json
from importlib.resources import files

import numpy as np
import pytest

from tinygrad_course import Value, optim

METHODS = {
    "sgd": lambda p, lr: optim.SGD(p, lr=lr),
    "momentum": lambda p, lr: optim.SGD(p, lr=lr, momentum=0.9),
    "adam": lambda p, lr: optim.Adam(p, lr=lr),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_thirty_steps(browser, method, dtype):
    rng = np.random.default_rng(0)
    start = rng.normal(size=(3, 4)).astype(dtype)
    gradients = rng.normal(size=(30, 3, 4)).astype(dtype)
    numbers = rng.normal(size=30).tolist()
    rates = [0.05] * 20 + [0.01] * 10  # turned down on the way
    w, b = Value(start, name="w"), Value(0.5, name="b")
    optimizer = METHODS[method]([w, b], rates[0])
    expected = []
    for g, number, rate in zip(gradients, numbers, rates):
        w.grad, b.grad, optimizer.lr = g.copy(), number, rate
        optimizer.step()
        expected.append([w.data.ravel().tolist(), b.data])
    array = f"Float{np.dtype(dtype).itemsize * 8}Array"
    found = browser.run(
        f"""(() => {{
          {files("tinygrad_course.viz").joinpath("training.js").read_text("utf-8")}
          const parameters = {{ w: {array}.from({json.dumps(start.ravel().tolist())}), b: 0.5 }};
          const state = trainingStart("{method}", parameters);
          const gradients = {json.dumps(gradients.reshape(30, -1).tolist())};
          const rates = {json.dumps(rates)};
          return {json.dumps(numbers)}.map((number, k) => {{
            const g = {{ w: {array}.from(gradients[k]), b: number }};
            trainingStep("{method}", parameters, g, state, rates[k]);
            return [Array.from(parameters.w), parameters.b];
          }});
        }})()"""
    )
    limit = 1e-12 if dtype is np.float64 else 1e-5
    for step, ((w_found, b_found), (w_wanted, b_wanted)) in enumerate(zip(found, expected, strict=True)):
        np.testing.assert_allclose(w_found, w_wanted, limit, limit, err_msg=f"step {step}")
        np.testing.assert_allclose(b_found, b_wanted, 1e-12, err_msg=f"step {step}")
