"""Small programs as people write them, each once for any library: `lib` has its names.

``lib.nn``, ``lib.F``, ``lib.optim`` and ``lib.xp`` are PyTorch's rooms or ours; ``lib.data`` makes arrays of
the library's kind, and ``lib.begin(net)`` gives both networks the same first weights.  Where a program has to
say something in two ways it asks for ``lib.slopes`` or ``lib.ours``: once in `physics`, once in `kalman`.
"""

from __future__ import annotations

import math

import numpy as np


def drawn(*shape, seed=0, dtype=np.float32):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def gpt(lib, steps=6):
    """A decoder with causal attention that learns to continue a periodic text."""
    nn, F = lib.nn, lib.F
    text = np.array([(3 * i + i // 4) % 11 for i in range(80)])
    blocks = np.stack([text[i : i + 17] for i in range(0, 60, 5)])

    class Attention(nn.Module):
        def __init__(self, width, heads, length):
            super().__init__()
            self.heads = heads
            self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.register_buffer("mask", lib.data(np.tril(np.ones((length, length)))))

        def forward(self, x):
            B, T, C = x.shape
            q, k, v = self.qkv(x).split(C, dim=2)
            q, k, v = (p.view(B, T, self.heads, C // self.heads).transpose(1, 2) for p in (q, k, v))
            scores = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(k.shape[-1]))
            scores = scores.masked_fill(self.mask[:T, :T] == 0, float("-inf"))
            mixed = F.softmax(scores, dim=-1) @ v
            return self.out(mixed.transpose(1, 2).contiguous().view(B, T, C))

    class Block(nn.Module):
        def __init__(self, width, heads, length):
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.attention = Attention(width, heads, length)
            self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

        def forward(self, x):
            x = x + self.attention(self.norm1(x))
            return x + self.mlp(self.norm2(x))

    class GPT(nn.Module):
        def __init__(self, letters=11, width=16, heads=4, length=16, depth=2):
            super().__init__()
            self.tokens, self.places = nn.Embedding(letters, width), nn.Embedding(length, width)
            self.blocks = nn.ModuleList([Block(width, heads, length) for _ in range(depth)])
            self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, letters, bias=False)

        def forward(self, letters):
            x = self.tokens(letters) + self.places(lib.data(np.arange(letters.shape[1])))
            for block in self.blocks:
                x = block(x)
            return self.head(self.norm(x))

    net = lib.begin(GPT())
    decayed = [p for p in net.parameters() if len(p.shape) > 1]
    plain = [p for p in net.parameters() if len(p.shape) <= 1]
    groups = [{"params": decayed, "weight_decay": 0.1}, {"params": plain, "weight_decay": 0.0}]
    optimizer = lib.optim.AdamW(groups, lr=3e-3)
    schedule = lib.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / 4))
    losses = []
    for _ in range(steps):
        logits = net(lib.data(blocks[:, :-1]))
        loss = F.cross_entropy(logits.view(-1, 11), lib.data(blocks[:, 1:].reshape(-1)))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        lib.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return losses


def makemore(lib, steps=8):
    """A name-maker's perceptron with a batch normalization by hand, and the update by hand."""
    F, xp = lib.F, lib.xp
    X = np.random.default_rng(0).integers(0, 27, (32, 3))
    Y = np.random.default_rng(1).integers(0, 27, 32)
    C, W1 = lib.leaf(drawn(27, 10)), lib.leaf(drawn(30, 40, seed=1) * 0.3)
    W2, b2 = lib.leaf(drawn(40, 27, seed=2) * 0.1), lib.leaf(np.zeros(27, np.float32))
    gain, bias = lib.leaf(np.ones((1, 40), np.float32)), lib.leaf(np.zeros((1, 40), np.float32))
    parameters = [C, W1, W2, b2, gain, bias]
    losses = []
    for _ in range(steps):
        embedded = C[X].view(32, -1)
        before = embedded @ W1
        mean, std = before.mean(0, keepdim=True), before.std(0, keepdim=True, unbiased=True)
        hidden = xp.tanh(gain * (before - mean) / (std + 1e-5) + bias)
        loss = F.cross_entropy(hidden @ W2 + b2, lib.data(Y))
        for p in parameters:
            p.grad = None
        loss.backward()
        for p in parameters:
            p.data += -0.1 * p.grad
        losses.append(loss.item())
    return losses


def vae(lib, steps=6):
    """A variational autoencoder of twelve pixels."""
    nn, F, xp = lib.nn, lib.F, lib.xp
    images = (drawn(20, 12) > 0).astype(np.float32)

    class VAE(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = nn.Sequential(nn.Linear(12, 16), nn.ReLU())
            self.mean, self.log_variance = nn.Linear(16, 2), nn.Linear(16, 2)
            self.decoder = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 12))

        def forward(self, x, noise):
            hidden = self.encoder(x)
            mean, log_variance = self.mean(hidden), self.log_variance(hidden)
            return self.decoder(mean + noise * xp.exp(0.5 * log_variance)), mean, log_variance

    net = lib.begin(VAE())
    optimizer = lib.optim.Adam(net.parameters(), lr=1e-2)
    losses = []
    for step in range(steps):
        logits, mean, log_variance = net(lib.data(images), lib.data(drawn(20, 2, seed=step)))
        likelihood = F.binary_cross_entropy_with_logits(logits, lib.data(images), reduction="sum")
        divergence = -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum()
        loss = likelihood + divergence
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def resnet(lib, steps=4):
    """Two residual blocks on small images."""
    nn, F = lib.nn, lib.F

    class Block(nn.Module):
        def __init__(self, inputs, outputs, stride=1):
            super().__init__()
            self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
            self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
            self.bn1, self.bn2 = nn.BatchNorm2d(outputs), nn.BatchNorm2d(outputs)
            self.shortcut = nn.Identity()
            if stride != 1 or inputs != outputs:
                self.shortcut = nn.Sequential(
                    nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs)
                )

        def forward(self, x):
            out = F.relu(self.bn1(self.conv1(x)))
            return F.relu(self.bn2(self.conv2(out)) + self.shortcut(x))

    images, labels = drawn(6, 1, 8, 8), np.arange(6) % 3
    blocks = [Block(1, 4), Block(4, 6, stride=2)]
    net = lib.begin(nn.Sequential(*blocks, nn.AvgPool2d(4), nn.Flatten(), nn.Linear(6, 3)))
    optimizer = lib.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)
    schedule = lib.MultiStepLR(optimizer, milestones=[2], gamma=0.1)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = nn.CrossEntropyLoss()(net(lib.data(images)), lib.data(labels))
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return losses


def physics(lib, steps=4):
    """A network that learns u'' = -u from its own second derivative."""
    nn = lib.nn
    net = lib.begin(nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 1)))
    optimizer = lib.optim.Adam(net.parameters(), lr=1e-2)
    losses = []
    for _ in range(steps):
        x = lib.leaf(np.linspace(0, 3, 16, dtype=np.float32).reshape(-1, 1))
        u = net(x)
        (du,) = lib.slopes(u.sum(), [x])
        (ddu,) = lib.slopes(du.sum(), [x])
        loss = ((ddu + u) ** 2).mean() + ((net(lib.data(np.zeros((1, 1), np.float32))) - 1.0) ** 2).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def kalman(lib, steps=4):
    """The likelihood of a filtered path, with the states written into one array."""
    xp = lib.xp
    seen = lib.data(np.cumsum(drawn(12, dtype=np.float64)))
    log_q, log_r = lib.leaf(np.array([0.3])), lib.leaf(np.array([-0.2]))
    losses = []
    for _ in range(steps):
        q, r = xp.exp(log_q), xp.exp(log_r)
        mean, spread = xp.zeros_like(q * seen), q
        loss = 0.0
        for t in range(1, 12):
            spread = spread + q
            innovation, scale = seen[t] - mean[t - 1], spread + r
            loss = loss + 0.5 * (xp.log(scale) + innovation**2 / scale).sum()
            mean = written(lib, mean, t, mean[t - 1] + (spread / scale * innovation).sum())
            spread = spread * r / scale
        log_q.grad = log_r.grad = None
        loss.backward()
        for p in (log_q, log_r):
            p.data -= 0.05 * p.grad
        losses.append(loss.item())
    return losses


def written(lib, array, index, new):
    """Ours writes into the array; PyTorch, which may not while it is needed, into a copy."""
    array = array if lib.ours else array.clone()
    array[index] = new
    return array


PROGRAMS = [gpt, makemore, vae, resnet, physics, kalman]
