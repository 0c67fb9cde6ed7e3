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

from . import functional, init
from .activations import GELU, LeakyReLU, LogSoftmax, ReLU, Sigmoid, SiLU, Softmax, Softplus, Tanh
from .checkpoint import load, save
from .linear import Flatten, Linear, MnistMLP, Sequential
from .losses import BCELoss, BCEWithLogitsLoss, CrossEntropyLoss, L1Loss, MSELoss
from .module import Module
from .neuron import MLP, Layer, Neuron
from .stateless import functional_call

__all__ = [
    "GELU",
    "MLP",
    "BCELoss",
    "BCEWithLogitsLoss",
    "CrossEntropyLoss",
    "Flatten",
    "L1Loss",
    "Layer",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "MSELoss",
    "MnistMLP",
    "Module",
    "Neuron",
    "ReLU",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
    "functional",
    "functional_call",
    "init",
    "load",
    "save",
]
