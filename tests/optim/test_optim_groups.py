"""Parameter groups: settings for parts of the parameters, the same steps as PyTorch's."""

import numpy as np
import pytest

from tinygrad_course import Value, compile, lint, nn, optim

RNG = np.random.default_rng(1)
SHAPES = [(3, 2), (4,), (2, 2)]
START = [RNG.normal(size=shape) for shape in SHAPES]
GRADIENTS = [[RNG.normal(size=shape) for shape in SHAPES] for _ in range(6)]

CASES = {
    "SGD": ({"lr": 0.1, "momentum": 0.9}, {"lr": 0.01, "weight_decay": 0.1}, {"momentum": 0.0}),
    "SGD with momentum in one group": ({"lr": 0.1}, {"momentum": 0.8, "nesterov": True}, {}),
    "Adam": ({"lr": 0.01}, {"lr": 0.1, "betas": (0.5, 0.9)}, {"eps": 1e-3}),
    "AdamW": ({"lr": 0.01}, {"weight_decay": 0.0}, {"weight_decay": 0.5, "lr": 0.02}),
    "RMSprop": ({"lr": 0.01}, {"alpha": 0.5}, {"momentum": 0.9}),
}


def groups(values, first, second):
    return [{"params": values[:1], **first}, {"params": values[1:2], **second}, {"params": values[2:]}]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("scheduled", [False, True])
def test_groups_go_torchs_way(case, scheduled):
    torch = pytest.importorskip("torch")
    name, (common, first, second) = case.split()[0], CASES[case]
    ours = [Value(x.copy()) for x in START]
    theirs = [torch.tensor(x, requires_grad=True) for x in START]
    mine = getattr(optim, name)(groups(ours, first, second), **common)
    his = getattr(torch.optim, name)(groups(theirs, first, second), **common)
    steps = [
        module.StepLR(o, step_size=2, gamma=0.5)
        for module, o in ((optim, mine), (torch.optim.lr_scheduler, his))
        if scheduled
    ]
    for k, gradients in enumerate(GRADIENTS):
        for v, t, g in zip(ours, theirs, gradients):
            v.grad, t.grad = g.copy(), torch.tensor(g)
        for optimizer in (mine, his, *steps):
            optimizer.step()
        if k == 3:
            for optimizer in (mine, his):
                optimizer.param_groups[1]["lr"] = 0.003
        assert [g["lr"] for g in mine.param_groups] == pytest.approx([g["lr"] for g in his.param_groups])
    for v, t in zip(ours, theirs):
        np.testing.assert_allclose(v.data, t.detach().numpy(), rtol=1e-10)


def test_one_group_is_the_optimizer_itself():
    p = Value([1.0, 2.0])
    optimizer = optim.SGD([p], lr=0.1)
    (group,) = optimizer.param_groups
    group["lr"] = 0.5
    assert optimizer.lr == 0.5 and group["params"] == [p] and dict(group)["momentum"] == 0.0
    optimizer.lr = 0.25
    assert group["lr"] == 0.25
    p.grad = np.ones(2)
    optimizer.step()
    assert p.data.tolist() == [0.75, 1.75]
    optimizer.zero_grad(set_to_none=False)
    assert p.grad.tolist() == [0.0, 0.0]
    optimizer.zero_grad()
    assert p.grad is None


def test_a_state_goes_on_with_groups():
    def made():
        values = [Value(x.copy()) for x in START]
        return values, optim.Adam(groups(values, {"lr": 0.5}, {}), lr=0.01)

    def go(values, optimizer, steps):
        for gradients in GRADIENTS[steps]:
            for v, g in zip(values, gradients):
                v.grad = g
            optimizer.step()

    values, optimizer = made()
    go(values, optimizer, slice(3))
    optimizer.param_groups[2]["lr"] = 0.07
    again, other = made()
    for v, w in zip(again, values):
        v.data = w.data.copy()
    other.load_state_dict(optimizer.state_dict())
    for pair in ((values, optimizer), (again, other)):
        go(*pair, slice(3, 6))
    for v, w in zip(again, values):
        np.testing.assert_array_equal(v.data, w.data)


def test_groups_are_checked_as_optimizers_are():
    a, b = Value([1.0]), Value([2.0])
    with pytest.raises(
        TypeError, match="a group has no setting 'learning_rate'; it has params, lr, momentum"
    ):
        optim.SGD([{"params": [a], "learning_rate": 1.0}])
    with pytest.raises(ValueError, match=r"weight_decay must be 0 or more"):
        optim.SGD([{"params": [a], "weight_decay": -1.0}])
    with pytest.raises(ValueError, match="listed twice"):
        optim.SGD([{"params": [a]}, {"params": [b, a]}])
    with pytest.raises(TypeError, match="expected a list of parameters"):
        optim.SGD([{"lr": 0.1}])
    with pytest.raises(KeyError, match="cannot be set; its settings are lr"):
        optim.SGD([a]).param_groups[0]["eps"] = 1


def test_groups_in_compiled_steps_and_under_lint():
    def trained(wrap):
        net = nn.Sequential(nn.Linear(2, 3, rng=0), nn.Tanh(), nn.Linear(3, 1, rng=1))
        parts = [{"params": net[0].parameters(), "lr": 0.01}, {"params": net[2].parameters()}]
        optimizer = optim.Adam(parts, lr=0.1)

        def step(x):
            optimizer.zero_grad()
            loss = (net(x) ** 2).mean()
            loss.backward()
            optimizer.step()
            return loss

        call, x = wrap(step), np.ones((4, 2), np.float32)
        with lint(net):
            return [call(x).item() for _ in range(4)]

    assert trained(compile) == trained(lambda f: f)
