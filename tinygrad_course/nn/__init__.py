"""Neural networks: neurons as the lecture draws them, and whole layers as arrays; both give the same numbers.

Examples
--------
>>> import numpy as np
>>> from tinygrad_course import nn, optim
>>> inputs = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
>>> xor = np.array([[0], [1], [1], [0]])
>>> rng = np.random.default_rng(0)
>>> network = nn.Sequential(nn.Linear(2, 8, rng=rng), nn.Tanh(), nn.Linear(8, 1, rng=rng))
>>> criterion = nn.BCEWithLogitsLoss()
>>> optimizer = optim.Adam(network.parameters(), lr=0.1)
>>> for step in range(100):
...     optimizer.zero_grad()
...     loss = criterion(network(inputs), xor)
...     loss.backward()
...     optimizer.step()
>>> (network(inputs).numpy() > 0).astype(int).tolist()
[[0], [1], [1], [0]]
"""

from typing import Any

from . import functional, init
from .activations import (
    ELU,
    GELU,
    Hardtanh,
    LeakyReLU,
    LogSoftmax,
    Mish,
    PReLU,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Softsign,
    Tanh,
)
from .attention import MultiheadAttention
from .checkpoint import load, save
from .convolution import AvgPool2d, Conv1d, Conv2d, MaxPool2d
from .distances import CosineSimilarity, HuberLoss, KLDivLoss, NLLLoss, SmoothL1Loss
from .embedding import Embedding
from .linear import Flatten, Linear, MnistMLP, Sequential
from .losses import BCELoss, BCEWithLogitsLoss, CrossEntropyLoss, L1Loss, MSELoss
from .module import Module
from .neuron import MLP, Layer, Neuron
from .normalization import BatchNorm1d, BatchNorm2d, Dropout, LayerNorm
from .recurrent import GRUCell, LSTMCell, RNNCell
from .stateless import functional_call

__all__ = [
    "ELU",
    "GELU",
    "MLP",
    "AvgPool2d",
    "BCELoss",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "BatchNorm2d",
    "Conv1d",
    "Conv2d",
    "CosineSimilarity",
    "CrossEntropyLoss",
    "Dropout",
    "Embedding",
    "Flatten",
    "GRUCell",
    "Hardtanh",
    "HuberLoss",
    "KLDivLoss",
    "L1Loss",
    "LSTMCell",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "MSELoss",
    "MaxPool2d",
    "Mish",
    "MnistMLP",
    "Module",
    "MultiheadAttention",
    "NLLLoss",
    "Neuron",
    "PReLU",
    "RNNCell",
    "ReLU",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "SmoothL1Loss",
    "Softmax",
    "Softplus",
    "Softsign",
    "Tanh",
    "functional",
    "functional_call",
    "init",
    "load",
    "save",
]


def __getattr__(name: str) -> Any:
    hint = ""
    if hasattr(functional, name):
        hint = f"; the function is nn.functional.{name}"
    elif like := [known for known in __all__ if known.lower() == name.lower()]:
        hint = f"; it has {like[0]}"
    raise AttributeError(f"tinygrad_course.nn has no {name!r}{hint}")
