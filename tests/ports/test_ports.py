"""Small programs in the way PyTorch is written, run here and there from the same weights: the same losses."""

from __future__ import annotations

import types

import numpy as np
import pytest
from ports.programs import PROGRAMS

from tinygrad_course import Value, nn, optim


def torch_library(states):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)

    def begin(net):
        states.append({name: t.numpy().copy() for name, t in net.state_dict().items()})
        return net

    return types.SimpleNamespace(
        ours=False, nn=torch.nn, F=torch.nn.functional, optim=torch.optim, xp=torch, begin=begin,
        data=torch.tensor, leaf=lambda a: torch.tensor(a, requires_grad=True),
        LambdaLR=torch.optim.lr_scheduler.LambdaLR, MultiStepLR=torch.optim.lr_scheduler.MultiStepLR,
        clip_grad_norm_=torch.nn.utils.clip_grad_norm_,
        slopes=lambda y, xs: torch.autograd.grad(y, xs, create_graph=True),
    )  # fmt: skip


def our_library(states):
    waiting = iter(states)

    def begin(net):
        net.load_state_dict(next(waiting))
        return net

    return types.SimpleNamespace(
        ours=True, nn=nn, F=nn.functional, optim=optim, xp=np, begin=begin, data=np.asarray, leaf=Value,
        LambdaLR=optim.LambdaLR, MultiStepLR=optim.MultiStepLR, clip_grad_norm_=optim.clip_grad_norm_,
        slopes=slopes,
    )  # fmt: skip


def slopes(y, xs):
    """What ``torch.autograd.grad`` gives, which brings no gradient to anything else."""
    y.backward(create_graph=True)
    found = [x.grad for x in xs]
    for x in xs:
        x.grad = None
    return found


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_a_program_learns_as_in_torch(program):
    states = []
    theirs = program(torch_library(states))
    ours = program(our_library(states))
    np.testing.assert_allclose(ours, theirs, rtol=2e-4)
    assert ours[-1] < ours[0]
