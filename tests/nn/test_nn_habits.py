"""What people who know PyTorch do with modules, here and in PyTorch: the same names, numbers, gradients."""

import copy
import pickle

import numpy as np
import pytest

from tinygrad_course import TraceError, Value, compile, nn, optim

X = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)


def containers(n):
    """The same network written for either library."""

    class Net(n.Module):
        def __init__(self):
            super().__init__()
            self.layers = n.ModuleList([n.Linear(4, 6), n.Identity(3, unused=True)])
            self.layers.append(n.Linear(6, 6)).extend([n.Tanh()])
            self.heads = n.ModuleDict({"mean": n.Linear(6, 2)})
            self.heads["scale"] = n.Linear(6, 2)

        def forward(self, x):
            for layer in self.layers:
                x = layer(x)
            return self.heads["mean"](x) + self.heads["scale"](x) ** 2

    return Net()


def torch_and_ours():
    torch = pytest.importorskip("torch")
    ours, theirs = containers(nn), containers(torch.nn)
    ours.load_state_dict({name: t.numpy().copy() for name, t in theirs.state_dict().items()})
    return torch, ours, theirs


def test_containers_have_torchs_names_and_gradients():
    torch, ours, theirs = torch_and_ours()
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert [n for n, _ in ours.named_modules()] == [n for n, _ in theirs.named_modules()]
    assert [n for n, _ in ours.named_children()] == [n for n, _ in theirs.named_children()]
    assert len(list(ours.modules())) == len(list(theirs.modules()))
    ours(X).sum().backward()
    theirs(torch.tensor(X)).sum().backward()
    for (name, p), (_, t) in zip(ours.named_parameters(), theirs.named_parameters()):
        np.testing.assert_allclose(p.grad, t.grad.numpy(), rtol=2e-5, atol=1e-6, err_msg=name)
    again = pickle.loads(pickle.dumps(ours.layers))
    np.testing.assert_array_equal(again[0](X).data, ours.layers[0](X).data)
    assert repr(copy.deepcopy(ours.layers)) == repr(ours.layers)


def test_a_list_of_modules_is_a_list():
    a, b, c = (nn.Linear(1, i) for i in (1, 2, 3))
    parts = nn.ModuleList([a])
    parts.insert(0, c)
    parts[1] = b
    parts += [a]
    assert list(parts) == [c, b, a] and parts[-1] is a and list(parts[1:]) == [b, a] and len(parts) == 3
    del parts[0]
    assert [name for name, _ in parts.named_parameters()] == ["0.weight", "0.bias", "1.weight", "1.bias"]
    with pytest.raises(TypeError, match="ModuleList: part 2 is a function, not a Module"):
        parts.append(lambda x: x)
    assert len(parts) == 2
    named = nn.ModuleDict([("a", a)])
    assert named.pop("a") is a and not named.parameters() and list(named.keys()) == []
    with pytest.raises(ValueError, match="'train' is a method of modules"):
        named["train"] = a


def test_parameters_in_lists_and_alone():
    class Net(nn.Module):
        def __init__(self):
            self.scale = nn.Parameter(np.ones(2))
            self.more = nn.ParameterList([np.zeros(3), nn.Parameter(2.0)])
            self.register_parameter("none", None)
            self.add_module("last", nn.Linear(1, 1))

    names = [name for name, _ in Net().named_parameters()]
    assert names == ["scale", "more.0", "more.1", "last.weight", "last.bias"]
    assert isinstance(Net().scale, nn.Parameter)


@pytest.mark.parametrize(("dim", "shape"), [(1, (2, 2)), (-1, (2, 2)), (0, (5, 1)), (1, (2, -1))])
def test_unflatten(dim, shape):
    torch = pytest.importorskip("torch")
    theirs = torch.nn.Unflatten(dim, shape)(torch.tensor(X))
    np.testing.assert_array_equal(nn.Unflatten(dim, shape)(X), theirs.numpy())


def test_apply_freeze_and_zero():
    _, ours, theirs = torch_and_ours()
    seen = ([], [])
    for net, kinds in zip((ours, theirs), seen):
        net.apply(lambda module, kinds=kinds: kinds.append(type(module).__name__))
    assert sorted(seen[0]) == sorted(seen[1]) and seen[0][-1] == "Net"
    ours.requires_grad_(False)
    assert not any(p.requires_grad for p in ours.parameters()) and len(ours.parameters()) == 8
    ours.requires_grad_()
    ours(X).sum().backward()
    first = ours.parameters()[0]
    first.grad[0, 0] = np.inf
    ours.zero_grad(set_to_none=False)
    assert not first.grad.any() and first.grad.dtype == np.float32
    ours.zero_grad()
    assert first.grad is None


def test_states_with_a_prefix_and_not_strict():
    torch, ours, theirs = torch_and_ours()
    assert list(ours.state_dict(prefix="net.")) == list(theirs.state_dict(prefix="net."))
    state = {name: array + 1 for name, array in ours.state_dict().items() if "heads" in name}
    state["other.weight"] = np.zeros(3)
    with pytest.raises(ValueError, match=r"4 missing .* strict=False"):
        ours.load_state_dict(state)
    report = ours.load_state_dict(state, strict=False)
    told = theirs.load_state_dict({k: torch.tensor(v) for k, v in state.items()}, strict=False)
    assert (report.missing_keys, report.unexpected_keys) == (told.missing_keys, told.unexpected_keys)
    for name, t in theirs.state_dict().items():
        np.testing.assert_array_equal(ours.state_dict()[name], t.numpy())
    with pytest.raises(ValueError, match="has shape"):
        ours.load_state_dict({"heads.mean.bias": np.zeros(7, np.float32)}, strict=False)


def test_to_another_dtype():
    net = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))
    assert net.to(np.float64) is net and net.to("cpu") is net and net(X.astype(float)).dtype == np.float64
    kinds = {name: array.dtype for name, array in net.state_dict().items()}
    assert kinds["0.weight"] == kinds["1.running_mean"] == np.float64
    assert kinds["1.num_batches_tracked"].kind == "i"
    net.float()(X).sum().backward()
    assert net[0].weight.grad.dtype == np.float32 and net.double()[0].weight.dtype == np.float64
    with pytest.raises(TypeError, match="no other devices than 'cpu'"):
        net.to("cuda")


# Hooks
def test_forward_hooks_see_and_replace():
    layer, seen = nn.Linear(4, 2), []
    handle = layer.register_forward_hook(lambda module, inputs, output: seen.append((module, inputs, output)))
    twice = layer.register_forward_hook(lambda module, inputs, output: output * 2)
    out = layer(X)
    assert seen[0][0] is layer and seen[0][1][0] is X
    np.testing.assert_array_equal(out.data, 2 * seen[0][2].data)
    handle.remove()
    twice.remove()
    twice.remove()
    np.testing.assert_array_equal(layer(X).data, seen[0][2].data)
    assert len(seen) == 1


def test_backward_hooks_see_what_torchs_see():
    torch, ours, theirs = torch_and_ours()
    seen = ([], [])
    for net, told in zip((ours, theirs), seen):
        keep = lambda module, back, came, told=told: told.append((back, came)) and None
        net.heads["mean"].register_full_backward_hook(keep)
        net.layers[0].register_full_backward_hook(keep)
    x, t = Value(X), torch.tensor(X, requires_grad=True)
    ours(x).sum().backward()
    theirs(t).sum().backward()
    assert len(seen[0]) == len(seen[1]) == 2
    for mine, his in zip(*seen):
        for a, b in zip(mine, his):
            assert len(a) == len(b) == 1
            np.testing.assert_allclose(a[0], b[0].numpy(), rtol=2e-5, atol=1e-6)
    np.testing.assert_allclose(x.grad, t.grad.numpy(), rtol=2e-5, atol=1e-6)


def test_backward_hooks_replace_gradients_and_know_constant_inputs():
    layer, seen = nn.Linear(4, 2), []
    handle = layer.register_full_backward_hook(lambda module, back, came: seen.append(back) or (back[0] * 0,))
    x = Value(X)
    layer(x).sum().backward()
    assert not x.grad.any() and seen[0][0].any()
    handle.remove()
    layer.register_full_backward_hook(lambda module, back, came: seen.append((back, came)) and None)
    layer(X).sum().backward()
    assert seen[1][0] == (None,) and seen[1][1][0].shape == (5, 2)


def test_a_hook_on_a_value_is_torchs():
    torch = pytest.importorskip("torch")
    results = []
    for leaf in (Value(X[0].astype(float)), torch.tensor(X[0].astype(float), requires_grad=True)):
        seen = []
        y = leaf * leaf
        early = y.sum()  # used before the hook is there
        first = y.register_hook(lambda g, seen=seen: seen.append(("first", np.asarray(g))) and None)
        y.register_hook(lambda g, seen=seen: seen.append(("second", np.asarray(g))) or g * 3)
        (early + (y * y).sum()).backward()
        results.append((seen, np.asarray(leaf.grad)))
        first.remove()
        first.remove()
    (ours, mine), (theirs, his) = results
    assert [name for name, _ in ours] == [name for name, _ in theirs] == ["first", "second"]
    for (_, a), (_, b) in zip(ours, theirs):
        np.testing.assert_allclose(a, b, rtol=1e-14)
    np.testing.assert_allclose(mine, his, rtol=1e-14)


def test_hooks_of_leaves_and_in_compiled_functions_are_refused():
    with pytest.raises(TypeError, match=r"this is a leaf: change p\.grad after backward"):
        Value(1.0).register_hook(print)
    layer = nn.Linear(4, 2)
    layer.register_forward_hook(lambda *seen: None)
    with pytest.raises(TraceError, match="a hook of Linear is used"):
        compile(lambda x: layer(x).sum())(Value(X))

    def hooked(x):
        y = x * 2
        y.register_hook(lambda g: g * 2)
        return y.sum()

    with pytest.raises(TraceError, match="a hook on a gradient is used"):
        compile(hooked)(Value(X))


def test_a_module_with_hooks_learns():
    net = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 1))
    sizes = []
    for module in net:
        module.register_full_backward_hook(lambda module, back, came: sizes.append(came[0].shape) and None)
    optimizer = optim.SGD(net.parameters(), lr=0.1)
    losses = []
    for _ in range(5):
        optimizer.zero_grad()
        loss = (net(X) ** 2).mean()
        loss.backward()
        optimizer.step()
        losses.append(float(loss))
    assert losses == sorted(losses, reverse=True) and len(sizes) == 15
