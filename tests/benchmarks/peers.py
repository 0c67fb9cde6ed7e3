"""The work on large arrays by JAX, MyGrad and HIPS autograd."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .arrays import add, chain, pictures, rows_of
from .works import Step, engine, jax_of, single


def jax_gradients(f: Callable[..., Any], *data: np.ndarray) -> Step:
    """The value and the gradients of all arguments; the value is kept, or it would not be computed."""
    import jax

    both = jax_of(jax.value_and_grad(f, argnums=tuple(range(len(data)))), *data)
    return lambda: both()[1]


def mygrad_of(f: Callable[..., Any], *data: np.ndarray) -> Step:
    import mygrad as mg

    tensors = [mg.tensor(d) for d in data]

    def step() -> list[np.ndarray]:
        f(*tensors).backward()
        return [t.grad for t in tensors]

    return step


def autograd_of(f: Callable[..., Any], *data: np.ndarray) -> Step:
    import autograd

    if len(data) == 1:
        both = autograd.value_and_grad(f)
        return lambda: [both(*data)[1]]
    both = autograd.value_and_grad(lambda data: f(*data))
    return lambda: both(data)[1]


@engine("elementwise", "jax")
def elementwise_jax() -> Step:
    import jax.numpy as jnp

    return jax_gradients(lambda x: chain(x, jnp), single(1_000_000))


@engine("elementwise", "mygrad")
def elementwise_mygrad() -> Step:
    import mygrad as mg

    return mygrad_of(lambda x: chain(x, mg), single(1_000_000))


@engine("elementwise", "autograd")
def elementwise_autograd() -> Step:
    import autograd.numpy as anp

    return autograd_of(lambda x: anp.sum(anp.tanh(x * x + x) * x), single(1_000_000))


def add_autograd(a: Any, b: Any) -> Any:
    import autograd.numpy as anp

    return anp.sum(a + b)


engine("broadcast", "jax")(lambda: jax_gradients(add, single(2000, 1), single(2000)))
engine("broadcast", "mygrad")(lambda: mygrad_of(add, single(2000, 1), single(2000)))
engine("broadcast", "autograd")(lambda: autograd_of(add_autograd, single(2000, 1), single(2000)))


@engine("convolution", "jax")
def convolution_jax() -> Step:
    from jax import lax

    return jax_gradients(lambda x, w: lax.conv(x, w, (1, 1), "VALID").sum(), *pictures())


@engine("convolution", "mygrad")
def convolution_mygrad() -> Step:
    from mygrad.nnet.layers import conv_nd

    return mygrad_of(lambda x, w: conv_nd(x, w, stride=1).sum(), *pictures())


# autograd's convolution (autograd.scipy.signal) is written for one image in float64 and needs SciPy: left out


@engine("embedding", "jax")
def embedding_jax() -> Step:
    rows = rows_of(10_000, 20_000)
    return jax_gradients(lambda w: w[rows].sum(), single(10_000, 64))


@engine("embedding", "mygrad")
def embedding_mygrad() -> Step:
    rows = rows_of(10_000, 20_000)
    return mygrad_of(lambda w: w[rows].sum(), single(10_000, 64))


@engine("embedding", "autograd")
def embedding_autograd() -> Step:
    import autograd.numpy as anp

    rows = rows_of(10_000, 20_000)
    return autograd_of(lambda w: anp.sum(w[rows]), single(10_000, 64))


@engine("cross-entropy", "jax")
def cross_entropy_jax() -> Step:
    import jax

    y, rows = rows_of(1000, 1024), np.arange(1024)
    return jax_gradients(lambda x: -jax.nn.log_softmax(x)[rows, y].mean(), single(1024, 1000))


@engine("cross-entropy", "mygrad")
def cross_entropy_mygrad() -> Step:
    from mygrad.nnet.losses import softmax_crossentropy

    y = rows_of(1000, 1024)
    return mygrad_of(lambda x: softmax_crossentropy(x, y), single(1024, 1000))


@engine("cross-entropy", "autograd")
def cross_entropy_autograd() -> Step:
    import autograd.numpy as anp

    y, rows = rows_of(1000, 1024), np.arange(1024)

    def loss(x: Any) -> Any:
        z = x - anp.max(x, axis=1, keepdims=True)
        return anp.mean(anp.log(anp.sum(anp.exp(z), axis=1)) - z[rows, y])

    return autograd_of(loss, single(1024, 1000))
