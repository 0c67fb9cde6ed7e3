"""Shards on a Dask cluster give what one process gives, whatever happens to the workers.

Most of it runs on two workers in this process; what needs processes of their own has two of them.
"""

from __future__ import annotations

import functools
import os
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from interrupting import Interrupter

import tinygrad_course
from tinygrad_course import TraceError, Value, compile, nn, optim, parallel
from tinygrad_course.nn import functional as F
from tinygrad_course.program.randomness import Randomness

dask, distributed = pytest.importorskip("dask"), pytest.importorskip("distributed")

QUIET = {"dashboard_address": ":0", "silence_logs": 60, "threads_per_worker": 1}
LIMIT = 100  # seconds that nothing here takes, unless it hangs


@pytest.fixture(scope="module")
def client():
    """Two workers that are threads of this process."""
    with (
        distributed.LocalCluster(n_workers=2, processes=False, **QUIET) as cluster,
        distributed.Client(cluster, timeout=LIMIT) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def processes():
    """Two workers that are processes; one that was killed is waited for, however busy the machine is."""
    with (
        dask.config.set({"distributed.deploy.lost-worker-timeout": "1h"}),
        distributed.LocalCluster(n_workers=2, **QUIET) as cluster,
        distributed.Client(cluster, timeout=LIMIT) as client,
    ):
        yield client


def loss(model, x, y):
    return F.cross_entropy(model(x), y)


def squares(model, x, y):
    return F.mse_loss(model(x), y)


def network(dtype=np.float64):
    return nn.Sequential(nn.Linear(6, 5, dtype=dtype, rng=0), nn.Tanh(), nn.Linear(5, 3, dtype=dtype, rng=1))


def rows(n, seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 6)).astype(dtype), rng.integers(0, 3, n)


def whole(model, x, y, of=loss):
    """The loss and its gradients in one process."""
    model.zero_grad()
    found = of(model, x, y)
    found.backward()
    gradients = [p.grad for p in model.parameters()]
    model.zero_grad()
    return found.item(), gradients


def cut(x, y, *places):
    return list(zip(np.split(x, places), np.split(y, places)))


def agree(found, expected, tolerance=1e-12):
    np.testing.assert_allclose(found[0], expected[0], rtol=tolerance)
    for g, h in zip(found[1], expected[1], strict=True):
        assert type(g) is type(h)
        np.testing.assert_allclose(g, h, rtol=tolerance, atol=tolerance)


def same_bits(found, expected):
    assert found[0] == expected[0]
    for g, h in zip(found[1], expected[1], strict=True):
        np.testing.assert_array_equal(g, h)


# What it gives
@pytest.mark.parametrize("prepare", [lambda f: f, compile], ids=["eager", "compiled"])
@pytest.mark.parametrize("places", [[], [10], [1, 3, 17], [5, 10, 15, 16]], ids=str)
def test_shards_of_any_sizes_give_the_mean_over_all_rows(client, prepare, places):
    model, (x, y) = network(), rows(20)
    over = parallel.value_and_grad(prepare(loss), model, client, timeout=LIMIT)
    agree(over(cut(x, y, *places)), whole(model, x, y))
    over.close()
    with pytest.raises(RuntimeError, match="not on the workers; call value_and_grad again"):
        over([(x, y)])


def test_random_numbers_that_dask_draws_do_not_stop_the_compiling(client, monkeypatch):
    in_a_task = lambda: "Dask-Default-Threads" in threading.current_thread().name
    known = Randomness.has_strayed
    monkeypatch.setattr(Randomness, "has_strayed", lambda self: in_a_task() or known(self))
    model, (x, y) = network(), rows(20)
    over = parallel.value_and_grad(compile(loss), model, client, timeout=LIMIT)
    agree(over(cut(x, y, 7)), whole(model, x, y))
    over = parallel.value_and_grad(compile(noisy), model, client, timeout=LIMIT)
    with pytest.raises(TraceError, match="random numbers"):
        over([(x, y)])


def noisy(model, x, y):
    return loss(model, x * np.random.rand(6), y)  # noqa: NPY002


def test_gradients_have_the_parameters_dtypes(client):
    model, (x, y) = network(np.float32), rows(20, dtype=np.float32)
    over = parallel.value_and_grad(loss, model, client, timeout=LIMIT)
    value, gradients = over(cut(x, y, 7))
    assert [g.dtype for g in gradients] == [np.float32] * 4
    agree((value, gradients), whole(model, x, y), 1e-5)


def test_the_same_bits_whichever_worker_has_which_shard(client):
    model, parts = network(), cut(*rows(40), 3, 11, 12, 30)
    over = parallel.value_and_grad(loss, model, client, timeout=LIMIT)
    first, workers = over(parts), sorted(client.nthreads())
    for seed in range(4):
        where = np.random.default_rng(seed).integers(0, 2, len(parts))
        futures = [
            client.submit(tuple, part, workers=[workers[k]], pure=False) for part, k in zip(parts, where)
        ]
        same_bits(over(futures), first)


def test_training_is_that_of_one_process(client):
    ours, alone, (x, y) = network(), network(), rows(30)
    over = parallel.value_and_grad(compile(loss), ours, client, timeout=LIMIT)
    optimizers = [optim.Adam(model.parameters(), lr=0.05) for model in (ours, alone)]
    for _ in range(5):
        found, expected = over(cut(x, y, 11)), whole(alone, x, y)
        agree(found, expected, 1e-9)
        for model, (_, gradients), optimizer in zip((ours, alone), (found, expected), optimizers):
            for p, gradient in zip(model.parameters(), gradients):
                p.grad = gradient
            optimizer.step()


def test_neurons_of_python_floats(client):
    model = nn.MLP(2, [3, 1], rng=0)
    over = parallel.value_and_grad(lambda model, x: model(list(x[0])) ** 2, model, client, timeout=LIMIT)
    value, gradients = over([(np.array([[0.5, -1.0]]),)])
    out = model([0.5, -1.0]) ** 2
    out.backward()
    agree((value, gradients), (out.item(), [p.grad for p in model.parameters()]))


def test_what_changes_on_the_client_is_heeded(client):
    """A frozen parameter, one that the loss does not use, and the mode."""
    model, (x, y) = network(), rows(20)
    model.unused = Value([1.0, 2.0])
    model.drop = nn.Dropout(0.5, rng=0)
    over = parallel.value_and_grad(lambda m, x, y: loss(m, m.drop(x), y), model, client, timeout=LIMIT)
    over([(x, y)])
    model.eval()
    model[0].weight.requires_grad = False
    same = (found := over(cut(x, y, 10)))[0], [g for g in found[1] if g is not None]
    value, gradients = whole(model, x, y)
    assert [g is None for g in found[1]] == [g is None for g in gradients]
    assert [g is None for g in gradients].count(True) == 2
    agree(same, (value, [g for g in gradients if g is not None]))


# What it refuses
def bad(x, y):
    return {
        "no shards": ([], ValueError, "there are no shards"),
        "rows": ([(x, y), (x, y[1:])], ValueError, r"equally many rows, 1 or more, not \[\(8, 6\), \(7,\)\]"),
        "empty": ([(x, y), (x[:0], y[:0])], ValueError, r"equally many rows.*\[\(0, 6\), \(0,\)\]"),
        "an array": ([x], ValueError, "tuple of arrays.*not ndarray"),
        "columns": ([(x, y), (x[:, 1:], y)], ValueError, r"\(8, 5\)"),
        "too few": ([(x,)], TypeError, "missing 1 required positional argument: 'y'"),
        "labels": ([(x, y + 7)], ValueError, "cross_entropy"),
    }


@pytest.mark.parametrize("case", bad(*rows(8)))
def test_bad_shards_are_named(client, case):
    over = parallel.value_and_grad(loss, network(), client, timeout=LIMIT)
    shards, kind, message = bad(*rows(8))[case]
    with pytest.raises(kind, match=message) as caught:
        over(shards)
    assert not shards or f"shard {len(shards) - 1}, on worker" in str(caught.value.__notes__)
    over([rows(8)])  # and it goes on


def test_running_statistics_are_refused_where_they_change(client):
    model, (x, _) = nn.Sequential(nn.Linear(6, 3, rng=0), nn.BatchNorm1d(3)), rows(8)
    over = parallel.value_and_grad(squares, model, client, timeout=LIMIT)
    with pytest.raises(ValueError, match=r"BatchNorm1d's .* changes with each shard.*GroupNorm"):
        over([(x, np.zeros((8, 3)))])
    model.eval()
    over([(x, np.zeros((8, 3)))])


def test_a_loss_that_is_no_number(client):
    over = parallel.value_and_grad(lambda m, x, y: m(x), network(), client, timeout=LIMIT)
    with pytest.raises(ValueError, match="gradient"):
        over([rows(8)])


def test_a_loss_of_another_model(client):
    other = network()
    over = parallel.value_and_grad(lambda m, x, y: loss(other, x, y), network(), client, timeout=LIMIT)
    with pytest.raises(ValueError, match="depends on no parameter of the model; use the one"):
        over([rows(8)])


def test_what_is_no_model_no_client_and_no_dask(client, monkeypatch):
    with pytest.raises(TypeError, match=r"the model is a function; give an nn\.Module"):
        parallel.value_and_grad(loss, loss, client)
    with pytest.raises(TypeError, match=r"not a str; write Client\(cluster\)"):
        parallel.value_and_grad(loss, network(), "tcp://127.0.0.1:8786")
    monkeypatch.setattr(parallel, "Client", None)
    with pytest.raises(ImportError, match=r"pip install 'tinygrad_course\[dask\]'"):
        parallel.value_and_grad(loss, network(), client)


def test_no_workers_and_no_scheduler():
    cluster = distributed.LocalCluster(n_workers=0, processes=False, **QUIET)
    client = distributed.Client(cluster, timeout=LIMIT)
    try:
        with pytest.raises(TimeoutError, match=r"no answer in 0\.1 s from 0 workers.*cluster\.scale"):
            parallel.value_and_grad(loss, network(), client, timeout=0.1)
        cluster.scale(1)
        over = parallel.value_and_grad(slow, network(), client, timeout=LIMIT)
        over.timeout = 0.1
        with pytest.raises(TimeoutError, match="from 1 workers"):
            over([rows(8)])
    finally:
        cluster.close()
    with pytest.raises(ConnectionError, match=r"the scheduler is gone.*start a cluster and a Client"):
        over([rows(8)])
    client.close()
    with pytest.raises(ConnectionError):
        parallel.value_and_grad(loss, network(), client)


def slow(model, x, y):
    time.sleep(0.5)
    return loss(model, x, y)


# Ctrl-C
def test_an_interruption_leaves_the_model_and_the_client_as_they_were(client):
    model, shards = network(), cut(*rows(20), 9)
    over = parallel.value_and_grad(loss, model, client, timeout=LIMIT)
    before, first = model.state_dict(), over(shards)
    counting = Interrupter()
    counting.run(lambda: over(shards))
    assert counting.count > 20
    for n in range(1, counting.count, 5):
        assert Interrupter(n).run(lambda: over(shards))
        assert all(p.grad is None for p in model.parameters())
    same_bits(over(shards), first)
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def test_a_real_ctrl_c_while_waiting(client):
    over = parallel.value_and_grad(slow, network(), client, timeout=LIMIT)
    timer = threading.Timer(
        0.2, signal.raise_signal if sys.platform == "win32" else os.kill, (os.getpid(), 2)
    )
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        for _ in range(100):
            over([rows(8)])
    timer.join()
    over([rows(8)])


# Workers that are processes
def on_a_worker(client, function, *args):
    """What a function gives on one of the workers."""
    return next(iter(client.run(function, *args, workers=[sorted(client.nthreads())[0]]).values()))


def deadly(model, x, y, *, flag):
    """The loss; whoever finds the file first dies instead, in the middle of a step."""
    try:
        flag.unlink()
    except FileNotFoundError:
        return loss(model, x, y)
    os.kill(os.getpid(), signal.SIGKILL)


def test_with_a_worker_killed_in_mid_step_the_numbers_are_the_same(processes, tmp_path):
    model, flag = network(), tmp_path / "flag"
    shards = processes.map(rows, [20, 30, 40], [0, 1, 2], pure=False)
    over = parallel.value_and_grad(functools.partial(deadly, flag=flag), model, processes, timeout=LIMIT)
    before = over(shards)
    pids = set(processes.run(os.getpid).values())
    flag.touch()
    same_bits(over(shards), before)
    assert not flag.exists()
    processes.wait_for_workers(2, timeout=LIMIT)
    assert len(pids - set(processes.run(os.getpid).values())) == 1
    same_bits(over(shards), before)  # the new worker was given the model, too


def test_a_shard_that_was_scattered_is_lost_with_its_worker(processes):
    over = parallel.value_and_grad(loss, network(), processes, timeout=LIMIT)
    lost = processes.scatter(rows(20), hash=False, workers=[sorted(processes.nthreads())[0]])
    shard = processes.submit(lambda *parts: parts, *lost, pure=False)
    over([shard])
    os.kill(on_a_worker(processes, os.getpid), signal.SIGKILL)
    deadline = time.monotonic() + LIMIT
    while len(processes.nthreads()) == 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    if shard.status == "finished":
        shard = processes.submit(lambda *parts: parts, *lost, pure=False)
    with pytest.raises(RuntimeError, match=r"lost with its worker.*client\.map.*scattered are not"):
        over([shard])
    processes.wait_for_workers(2, timeout=LIMIT)


def version(said):
    tinygrad_course.__version__ = said


def missing(gone, kept=[]):  # noqa: B006
    """Let the package be missing on this worker, or not any more."""
    if gone:
        kept.append(sys.modules["tinygrad_course"])
    sys.modules["tinygrad_course"] = None if gone else kept.pop()


def test_a_worker_with_another_version_or_none_is_named(processes):
    ours = tinygrad_course.__version__
    for spoil, mend, said in ((version, ours, "and has 9.9"), (missing, False, "and cannot import it")):
        on_a_worker(processes, spoil, "9.9" if spoil is version else True)
        try:
            with pytest.raises(RuntimeError, match=f"worker tcp.* needs tinygrad_course {ours}.*{said}"):
                parallel.value_and_grad(loss, network(), processes, timeout=LIMIT)
        finally:
            on_a_worker(processes, spoil, mend)
    over = parallel.value_and_grad(loss, network(), processes, timeout=LIMIT)
    before = over([rows(8)])
    processes.run(version, "9.9")  # as workers that join later may have it
    try:
        with pytest.raises(RuntimeError, match=f"needs tinygrad_course {ours}.*and has 9.9"):
            over([rows(8)])
    finally:
        processes.run(version, ours)
    same_bits(over([rows(8)]), before)


def sent(dask_worker):
    """What a worker has sent to others so far: (key, bytes)."""
    return [pair for log in dask_worker.transfer_outgoing_log for pair in log["keys"].items()]


def there(name, dask_worker):
    """Which model a worker has, and how often its loss was compiled."""
    replica = dask_worker.plugins[name]
    return id(replica), repr(replica.loss)


def test_shards_stay_and_the_model_travels_once(processes):
    model, workers = network(), sorted(processes.nthreads())
    over = parallel.value_and_grad(compile(loss), model, processes, timeout=LIMIT)
    shards = [processes.submit(rows, 100_000, k, workers=[w], pure=False) for k, w in enumerate(workers)]
    distributed.wait(shards, timeout=LIMIT)
    over(shards)
    before, plugins = (
        processes.run(lambda dask_worker: len(sent(dask_worker))),
        processes.run(there, over.name),
    )
    for _ in range(5):
        _, gradients = over(shards)
    assert all(g.flags.writeable for g in gradients)  # for who clips them in place
    assert processes.run(there, over.name) == plugins
    assert all(said == "compile(loss), 1 program so far" for _, said in plugins.values())
    moved = [p for w, all_of_it in processes.run(sent).items() for p in all_of_it[before[w] :]]
    size = sum(p.data.nbytes for p in model.parameters())
    assert {key.rsplit("-", 5)[0] for key, _ in moved} == {"_given", "_of_shard", "_mean"}
    assert len(moved) == 3 * 5  # the parameters, one gradient, and the mean to the client
    assert all(bytes < 2 * size + 1000 for _, bytes in moved)


def part(path, start, stop):
    """Rows of a file, and what they are: the others are not read."""
    images = np.load(path, mmap_mode="r")[start:stop]
    return images / 255.0, images[:, 0].astype(int)


def limited(above):
    """Allow this process so many bytes of data more than it has now; None takes the limit away."""
    import resource

    lines = Path("/proc/self/status").read_text().splitlines()
    now = 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmData"))
    most = resource.getrlimit(resource.RLIMIT_DATA)[1]
    resource.setrlimit(resource.RLIMIT_DATA, (most if above is None else now + above, most))


def test_an_epoch_out_of_core_takes_no_more_memory_than_its_shards(processes, tmp_path):
    if sys.platform != "linux":
        pytest.skip("the limit is Linux's")
    path, n, size = tmp_path / "images.npy", 60_000, 3_000
    images = np.lib.format.open_memmap(path, "w+", np.uint8, (n, 784))  # a sparse file
    images[:, 0], images[:, 1] = np.arange(n) % 10, 255
    model = nn.MnistMLP(rng=0, dtype=np.float64)
    over = parallel.value_and_grad(loss, model, processes, timeout=LIMIT)
    over([part(path, 0, 100)])
    processes.run(limited, 120 * 2**20)  # the images are 376 MB as numbers
    try:
        with pytest.raises(MemoryError):
            processes.submit(part, path, 0, n, pure=False).result(timeout=LIMIT)
        seen = 0
        for start in range(0, n, 2 * size):
            starts = [start, start + size]
            shards = processes.map(part, [path] * 2, starts, [s + size for s in starts], pure=False)
            value, gradients = over(shards)
            seen += 2 * size
    finally:
        processes.run(limited, None)
    assert seen == n and np.isfinite(value)
    agree((value, gradients), whole(model, *part(path, n - 2 * size, n)), 1e-9)
