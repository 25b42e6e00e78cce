"""Radiance fields in plain PyTorch: functions of points in the unit cube and unit directions to density and colour."""

import math

import torch
from torch import nn
from torch.nn import functional

PRIMES = (1, 2654435761, 805459861)


def frequencies(x, count):
    """x, then the sines and cosines of 2^k x: 3 + 6 * count columns."""
    scaled = (x.unsqueeze(1) * (2.0 ** torch.arange(count)).view(1, count, 1)).reshape(len(x), -1)
    return torch.cat([x, scaled.sin(), scaled.cos()], 1)


class Classic(nn.Module):
    """Mildenhall et al. 2020: eight layers of 256, the position again at the fifth, 10 and 4 frequencies."""

    def __init__(self):
        super().__init__()
        inputs = [63, 256, 256, 256, 63 + 256, 256, 256, 256]
        self.trunk = nn.ModuleList(nn.Linear(n, 256) for n in inputs)
        self.density = nn.Linear(256, 1)
        self.feature = nn.Linear(256, 256)
        self.view = nn.Linear(256 + 27, 128)
        self.color = nn.Linear(128, 3)

    def forward(self, points, directions):
        encoded = frequencies(points, 10)
        hidden = encoded
        for i, layer in enumerate(self.trunk):
            hidden = functional.relu(layer(torch.cat([encoded, hidden], 1) if i == 4 else hidden))
        seen = torch.cat([self.feature(hidden), frequencies(directions, 4)], 1)
        return functional.relu(self.density(hidden)), torch.sigmoid(self.color(functional.relu(self.view(seen))))


class HashGrid(nn.Module):
    """Müller et al. 2022: 16 levels of 2 numbers in 2^17 entries, 16 to 512 cells; networks 64 wide, spherical harmonics of degree 4."""

    def __init__(self, levels=16, log2_entries=17, coarsest=16, finest=512):
        super().__init__()
        growth = math.exp(math.log(finest / coarsest) / (levels - 1))
        self.cells = [int(coarsest * growth**level + 1e-6) for level in range(levels)]
        self.entries = 1 << log2_entries
        self.tables = nn.ParameterList(
            nn.Parameter(1e-4 * (2 * torch.rand(min((n + 1) ** 3, self.entries), 2) - 1)) for n in self.cells
        )
        self.density = nn.Sequential(nn.Linear(2 * levels, 64, False), nn.ReLU(), nn.Linear(64, 16, False))
        self.color = nn.Sequential(
            nn.Linear(32, 64, False), nn.ReLU(), nn.Linear(64, 64, False), nn.ReLU(), nn.Linear(64, 3, False)
        )
        self.corners = torch.tensor([[i & 1, i >> 1 & 1, i >> 2] for i in range(8)])

    def level(self, table, cells, points):
        scaled = points * cells
        base = scaled.floor().clamp(max=cells - 1)
        inside = (scaled - base).unsqueeze(1)
        corner = base.long().unsqueeze(1) + self.corners
        x, y, z = corner.unbind(2)
        if (cells + 1) ** 3 <= self.entries:
            index = x + (cells + 1) * (y + (cells + 1) * z)
        else:
            index = (x * PRIMES[0] ^ y * PRIMES[1] ^ z * PRIMES[2]) & (self.entries - 1)
        weight = torch.where(self.corners.bool(), inside, 1 - inside).prod(2, keepdim=True)
        return (table[index] * weight).sum(1)

    def forward(self, points, directions):
        encoded = torch.cat([self.level(t, n, points) for t, n in zip(self.tables, self.cells)], 1)
        latent = self.density(encoded)
        color = self.color(torch.cat([latent, harmonics(directions)], 1))
        return latent[:, :1].exp(), torch.sigmoid(color)


def harmonics(directions):
    """The 16 real spherical harmonics up to degree 3."""
    x, y, z = directions.unbind(1)
    xx, yy, zz = x * x, y * y, z * z
    one = torch.ones_like(x)
    return torch.stack(
        [
            0.28209479 * one,
            -0.48860251 * y,
            0.48860251 * z,
            -0.48860251 * x,
            1.09254843 * x * y,
            -1.09254843 * y * z,
            0.31539157 * (3 * zz - 1),
            -1.09254843 * x * z,
            0.54627421 * (xx - yy),
            -0.59004359 * y * (3 * xx - yy),
            2.89061144 * x * y * z,
            -0.45704580 * y * (5 * zz - 1),
            0.37317633 * z * (5 * zz - 3),
            -0.45704580 * x * (5 * zz - 1),
            1.44530572 * z * (xx - yy),
            -0.59004359 * x * (xx - 3 * yy),
        ],
        1,
    )
