"""Optimizers, which change parameters by their gradients, and schedules, which change the learning rate.

Examples
--------
>>> from tinygrad_course import Value, optim
>>> x = Value([3.0, -2.0])
>>> optimizer = optim.Adam([x], lr=0.2)
>>> schedule = optim.CosineAnnealingLR(optimizer, T_max=200)
>>> for _ in range(200):
...     optimizer.zero_grad()
...     ((x - [1.0, 2.0]) ** 2).sum().backward()
...     optimizer.step()
...     schedule.step()
>>> x.data.round(1)
array([1., 2.])
"""

from . import tree
from .clipping import clip_grad_norm_, clip_grad_value_
from .groups import ParameterGroup
from .lbfgs import LBFGS
from .methods import SGD, Adam, AdamW, RMSprop
from .more_methods import Adagrad, Adamax, NAdam, RAdam
from .more_schedules import (
    CosineAnnealingWarmRestarts,
    ExponentialLR,
    LambdaLR,
    MultiStepLR,
    ReduceLROnPlateau,
)
from .optimizer import Optimizer
from .schedules import (
    ChainedScheduler,
    CosineAnnealingLR,
    LinearLR,
    OneCycleLR,
    Schedule,
    SequentialLR,
    StepLR,
)

__all__ = [
    "LBFGS",
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "ChainedScheduler",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "ExponentialLR",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "NAdam",
    "OneCycleLR",
    "Optimizer",
    "ParameterGroup",
    "RAdam",
    "RMSprop",
    "ReduceLROnPlateau",
    "Schedule",
    "SequentialLR",
    "StepLR",
    "clip_grad_norm_",
    "clip_grad_value_",
    "tree",
]
