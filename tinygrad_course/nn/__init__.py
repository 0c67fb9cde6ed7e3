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
from .bags import Bilinear, EmbeddingBag
from .checkpoint import load, save
from .containers import Identity, ModuleDict, ModuleList, Parameter, ParameterList
from .convolution import Conv1d, Conv2d
from .distances import CosineSimilarity, HuberLoss, KLDivLoss, NLLLoss, PairwiseDistance, SmoothL1Loss
from .embedding import Embedding
from .group_norm import Dropout1d, Dropout2d, GroupNorm, InstanceNorm1d, InstanceNorm2d, RMSNorm
from .likelihoods import GaussianNLLLoss, PoissonNLLLoss
from .linear import Flatten, Linear, MnistMLP, Sequential, Unflatten
from .losses import BCELoss, BCEWithLogitsLoss, CrossEntropyLoss, L1Loss, MSELoss
from .margins import (
    CosineEmbeddingLoss,
    HingeEmbeddingLoss,
    MarginRankingLoss,
    MultiMarginLoss,
    SoftMarginLoss,
    TripletMarginLoss,
)
from .module import Module
from .more_activations import (
    CELU,
    GLU,
    SELU,
    Hardshrink,
    Hardsigmoid,
    Hardswish,
    LogSigmoid,
    ReLU6,
    Softmin,
    Softshrink,
    Tanhshrink,
    Threshold,
)
from .neuron import MLP, Layer, Neuron
from .normalization import BatchNorm1d, BatchNorm2d, Dropout, LayerNorm
from .pooling import (
    AdaptiveAvgPool1d,
    AdaptiveAvgPool2d,
    AdaptiveMaxPool1d,
    AdaptiveMaxPool2d,
    AvgPool1d,
    AvgPool2d,
    MaxPool1d,
    MaxPool2d,
)
from .pytorch import from_torch, to_torch
from .recurrent import GRUCell, LSTMCell, RNNCell
from .resizing import Fold, PixelShuffle, PixelUnshuffle, Unfold, Upsample
from .sequences import GRU, LSTM, RNN
from .stateless import functional_call
from .transformer import TransformerEncoder, TransformerEncoderLayer
from .transposed import ConvTranspose1d, ConvTranspose2d

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "GRU",
    "LSTM",
    "MLP",
    "RNN",
    "SELU",
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AvgPool1d",
    "AvgPool2d",
    "BCELoss",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "BatchNorm2d",
    "Bilinear",
    "Conv1d",
    "Conv2d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "CosineEmbeddingLoss",
    "CosineSimilarity",
    "CrossEntropyLoss",
    "Dropout",
    "Dropout1d",
    "Dropout2d",
    "Embedding",
    "EmbeddingBag",
    "Flatten",
    "Fold",
    "GRUCell",
    "GaussianNLLLoss",
    "GroupNorm",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "HingeEmbeddingLoss",
    "HuberLoss",
    "Identity",
    "InstanceNorm1d",
    "InstanceNorm2d",
    "KLDivLoss",
    "L1Loss",
    "LSTMCell",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LogSigmoid",
    "LogSoftmax",
    "MSELoss",
    "MarginRankingLoss",
    "MaxPool1d",
    "MaxPool2d",
    "Mish",
    "MnistMLP",
    "Module",
    "ModuleDict",
    "ModuleList",
    "MultiMarginLoss",
    "MultiheadAttention",
    "NLLLoss",
    "Neuron",
    "PReLU",
    "PairwiseDistance",
    "Parameter",
    "ParameterList",
    "PixelShuffle",
    "PixelUnshuffle",
    "PoissonNLLLoss",
    "RMSNorm",
    "RNNCell",
    "ReLU",
    "ReLU6",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "SmoothL1Loss",
    "SoftMarginLoss",
    "Softmax",
    "Softmin",
    "Softplus",
    "Softshrink",
    "Softsign",
    "Tanh",
    "Tanhshrink",
    "Threshold",
    "TransformerEncoder",
    "TransformerEncoderLayer",
    "TripletMarginLoss",
    "Unflatten",
    "Unfold",
    "Upsample",
    "from_torch",
    "functional",
    "functional_call",
    "init",
    "load",
    "save",
    "to_torch",
]


# Of PyTorch's modules and functions, what neither a course nor its networks use
LEFT_OUT = {
    "AlphaDropout", "CTCLoss", "FractionalMaxPool2d", "FractionalMaxPool3d", "LPPool1d", "LPPool2d",
    "LPPool3d", "LocalResponseNorm", "MaxUnpool1d", "MaxUnpool2d", "MaxUnpool3d",
    "MultiLabelMarginLoss", "MultiLabelSoftMarginLoss", "Conv3d", "ConvTranspose3d",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    hint = "; it is left out until somebody asks" if name in LEFT_OUT else ""
    if hasattr(functional, name):
        hint = f"; the function is nn.functional.{name}"
    elif like := [known for known in __all__ if known.lower() == name.lower()]:
        hint = f"; it has {like[0]}"
    raise AttributeError(f"tinygrad_course.nn has no {name!r}{hint}")
