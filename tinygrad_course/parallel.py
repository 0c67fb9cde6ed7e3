"""Data-parallel training: the gradient of a loss over shards of data that lie on the workers of a cluster.

Sharing out is Dask's work.  The loss and the model travel to each worker once, as a plugin, which Dask also
gives to workers that join later.  A step is a few tasks: today's parameters, a gradient for each shard,
computed where the shard is, and a tree of means, always in the order of the shards.  So the sum has the same
bits whichever worker is quick, and what a lost worker had done, Dask does again.  On the client nothing
changes but what its optimizer then changes.  Needs the extra 'dask'.
"""

from __future__ import annotations

import functools
import pkgutil
import threading
import uuid
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .arraylike import Value
from .lines import pointing
from .locks import alone
from .nn import Module
from .program import TraceError

try:
    from distributed import CancelledError, Client, KilledWorker, WorkerPlugin, get_worker
    from distributed.utils import sync
except ImportError:
    Client, WorkerPlugin = None, object

VERSION = f"{__package__}:__version__"
Part = tuple[int, float, list[Any]]
"""Rows, the mean loss over them, and the gradients of that by the parameters."""


def value_and_grad(
    loss: Callable[..., Value], model: Module, client: Any, *, timeout: float = 300.0
) -> Sharded:
    """A function that gives the mean of `loss` over shards, and its gradients, computed on a Dask cluster.

    Parameters
    ----------
    loss : callable
        ``loss(model, *shard)`` gives a single number, a mean over the shard's rows.  ``compile(loss)`` is
        compiled on each worker.
    model : Module
        It and `loss` travel to each worker once, and again after `train`, `eval` or freezing a parameter; the
        parameters' numbers travel at each call.
    client : distributed.Client
    timeout : float
        For so many seconds a call waits for its result.

    Returns
    -------
    Sharded
        Takes a list of shards and gives ``(value, gradients)``, the latter in the order of
        ``model.parameters()``: None for one that the loss does not depend on.

    Raises
    ------
    ImportError
        If Dask's `distributed` is not installed.
    TypeError
        If `model` is no Module, or `client` no Client (or an asynchronous one).
    RuntimeError
        If a worker cannot import this package, or has another version of it.
    TimeoutError
        If no worker is there in time.
    ConnectionError
        If the scheduler is gone.

    Notes
    -----
    What a model draws (dropout), each worker draws from a generator of its own: for runs that can be
    repeated, draw where the shards are made.  A model whose buffers change while it learns (running
    statistics) is refused.

    Dask computes a gradient where it finds that least is moved: a shard stays, unless it is smaller than the
    parameters are, or its worker is behind and another has nothing to do.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_course import nn, optim, parallel
    >>> def loss(model, x, y):
    ...     return nn.functional.mse_loss(model(x), y)
    >>> model = nn.Linear(2, 1, rng=0)
    >>> optimizer = optim.SGD(model.parameters(), lr=0.1)
    >>> def train(client, shards):  # shards: a list of tuples (x, y), or of futures of such tuples
    ...     value_and_gradients = parallel.value_and_grad(loss, model, client)
    ...     for step in range(100):
    ...         value, gradients = value_and_gradients(shards)
    ...         for p, gradient in zip(model.parameters(), gradients):
    ...             p.grad = gradient
    ...         optimizer.step()
    """
    return Sharded(loss, model, client, timeout)


class Sharded:
    """A loss and its gradients over shards; `value_and_grad` makes it."""

    @pointing
    def __init__(self, loss: Callable[..., Value], model: Module, client: Any, timeout: float) -> None:
        if Client is None:
            raise ImportError("parallel needs Dask: pip install 'tinygrad_course[dask]'")
        if not isinstance(model, Module):
            raise TypeError(f"parallel: the model is a {type(model).__name__}; give an nn.Module")
        if not isinstance(client, Client) or client.asynchronous:
            given = "an asynchronous Client" if isinstance(client, Client) else f"a {type(client).__name__}"
            raise TypeError(f"parallel: needs a distributed.Client, not {given}; write Client(cluster)")
        self.loss, self.model, self.client, self.timeout = loss, model, client, timeout
        self.name = f"parallel-{uuid.uuid4()}"
        self.sent: Any = None
        self._send()

    @pointing
    def __call__(self, shards: Sequence[Any]) -> tuple[float, list[Any]]:
        """The mean loss over all rows of all shards, and its gradients.

        Parameters
        ----------
        shards : list
            Each is a tuple of what the loss takes after the model, arrays of equally many rows, or a future
            of such a tuple.  Shards may have different numbers of rows.

        Raises
        ------
        ValueError
            If there are no shards, one has no rows or unequally many, the loss depends on no parameter, or
            the model's buffers change.
        TimeoutError
            If the result is not there in time.
        ConnectionError
            If the scheduler is gone.
        RuntimeError
            If a shard is lost and cannot be made again, workers were killed by it again and again, one has
            joined with another version of this package, or the model is not there any more.
        Exception
            What the loss raises, with a note that says for which shard.
        """
        shards = list(shards)
        if not shards:
            raise ValueError("parallel: there are no shards; give a list of tuples, or of futures of them")
        if self.sent != _told(self.model):
            self._send()
        arrays = [p.data if type(p.data) is float else p.data.copy() for p in self.model.parameters()]
        return self._asked(lambda: self._computed(shards, arrays))

    def close(self) -> None:
        """Take the loss and the model off the workers."""
        self.client.unregister_worker_plugin(self.name)

    def _computed(self, shards: list[Any], arrays: list[Any]) -> tuple[float, list[Any]]:
        """One step's tasks, and what the last one gives."""
        submit = self.client.submit
        parameters = submit(_given, arrays, pure=False)
        parts = [
            submit(_of_shard, self.name, k, parameters, shard, pure=False) for k, shard in enumerate(shards)
        ]
        while len(parts) > 1:
            pairs = [parts[i : i + 2] for i in range(0, len(parts), 2)]
            parts = [submit(_mean, *pair, pure=False) if len(pair) == 2 else pair[0] for pair in pairs]
        _, value, gradients = parts[0].result(timeout=self.timeout)
        return value, gradients

    def _send(self) -> None:
        self._asked(self._register)
        self.sent = _told(self.model)

    def _register(self) -> None:
        """Give the loss and the model to all workers, once each of them has this package."""
        self.client.wait_for_workers(1, timeout=self.timeout)
        ours = pkgutil.resolve_name(VERSION)
        for worker, its in self.client.run(pkgutil.resolve_name, VERSION, on_error="return").items():
            _check_version(worker, ours, its)
        self.client.register_plugin(Replica(self.loss, self.model), name=self.name)

    def _asked(self, action: Callable[[], Any]) -> Any:
        """``action()``, where what Dask raises is told in words that say what to do."""
        client = self.client
        try:
            if client.status == "running":
                return action()
        except TimeoutError as error:
            if client.status == "running":
                raise TimeoutError(
                    f"parallel: no answer in {self.timeout:g} s from {len(client.nthreads())} workers; look "
                    f"at {client.dashboard_link}, start workers (cluster.scale(2)), or give a longer timeout"
                ) from error
        except KilledWorker as error:
            raise RuntimeError(
                f"parallel: {error} Often memory is short there: make smaller shards, or give workers more"
            ) from error
        except (CancelledError, OSError) as error:
            if client.status == "running" and isinstance(error, CancelledError):
                raise RuntimeError(
                    f"parallel: a shard was lost with its worker ({error}); shards that client.map or "
                    "client.submit made on workers are made again, those that were scattered are not"
                ) from error
            if client.status == "running":
                raise
        raise ConnectionError(
            f"parallel: the scheduler is gone (the client is {client.status}); start a cluster and a Client, "
            "and call value_and_grad again: the model is as after the last whole step"
        )


class Replica(WorkerPlugin):  # type: ignore[misc]
    """The loss and the model on one worker."""

    def __init__(self, loss: Callable[..., Value], model: Module) -> None:
        self.loss, self.model, self.version = loss, model, pkgutil.resolve_name(VERSION)

    def setup(self, worker: Any) -> None:
        """Called by Dask when they arrive."""
        self.lock = threading.RLock()  # the threads of a worker share the model

    def differentiated(self, parameters: list[Any], shard: Any) -> Part:
        """Rows, loss and gradients of a shard at these parameters."""
        rows = {len(array) for array in shard} if isinstance(shard, (tuple, list)) else set()
        if len(rows) != 1 or 0 in rows:
            shapes = [np.shape(a) for a in shard] if rows else type(shard).__name__
            raise ValueError(f"a shard is a tuple of arrays of equally many rows, 1 or more, not {shapes}")
        for p, data in zip(self.model.parameters(), parameters):
            p.data, p.grad = data, None
        before = [(owner, name, array.copy()) for owner, name, array in _buffers(self.model)]
        loss = self.loss(self.model, *shard)
        loss.backward()
        for owner, name, array in before:
            if not np.array_equal(array, getattr(owner, name), equal_nan=array.dtype.kind in "fc"):
                raise ValueError(
                    f"{type(owner).__name__}'s {name} changes with each shard, and would stay on its worker; "
                    "use GroupNorm or LayerNorm, or model.eval()"
                )
        gradients = [p.grad for p in self.model.parameters()]
        if all(g is None for g in gradients):
            raise ValueError("the loss depends on no parameter of the model; use the one that it is given")
        return rows.pop(), loss.item(), gradients


def _given(arrays: list[Any]) -> list[Any]:
    return arrays


def _of_shard(name: str, k: int, parameters: list[Any], shard: Any) -> Part:
    """On a worker: the part of one shard."""
    worker = get_worker()
    try:
        replica: Replica | None = worker.plugins.get(name)
        if replica is None:  # after close, or where another scheduler has taken the place of the first
            raise RuntimeError("parallel: the model is not on the workers; call value_and_grad again")
        _check_version(worker.address, replica.version, pkgutil.resolve_name(VERSION))
        work = functools.partial(replica.differentiated, parameters, shard)
        try:
            return alone(replica.lock, work)
        except TraceError:  # perhaps of random numbers that Dask's own thread drew: once more, in that thread

            async def once_more() -> Part:
                return alone(replica.lock, work)

            return sync(worker.loop, once_more)
    except Exception as error:
        error.add_note(f"shard {k}, on worker {worker.address}")
        raise


def _check_version(worker: str, ours: str, its: Any) -> None:
    """Refuse a worker that has another version of this package, or an error instead."""
    if its != ours:
        has = f"has {its}" if isinstance(its, str) else f"cannot import it ({its})"
        raise RuntimeError(
            f"parallel: worker {worker} needs tinygrad_course {ours}, as the client has, and {has}; install "
            "the same version in the workers' environment and start them anew"
        )


def _mean(one: Part, other: Part) -> Part:
    """On a worker: two parts as one, each weighted by its rows."""
    (n, value, mine), (m, its, theirs) = one, other
    a, b = n / (n + m), m / (n + m)
    gradients = [g if h is None else h if g is None else a * g + b * h for g, h in zip(mine, theirs)]
    return n + m, a * value + b * its, gradients


def _buffers(model: Module) -> list[tuple[Module, str, Any]]:
    parts = [part for _, part in model.named_modules()]
    return [(part, name, getattr(part, name)) for part in parts for name in part.buffer_names]


def _told(model: Module) -> Any:
    """What of a model travels once and may change: then it travels again."""
    learned = [(p.shape, p.dtype, p.requires_grad) for p in model.parameters()]
    return learned, [part.training for _, part in model.named_modules()]
