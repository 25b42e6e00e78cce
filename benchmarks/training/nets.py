"""The two networks: 68 points of a face in a square, and faces on a canvas in YuNet's output format."""
import math

import torch
from torch import nn
from torch.nn import functional as F

CROP = 64  # side of the landmarker's input, pixels
STRIDES = (8, 16, 32)


def conv(inputs, outputs, size=3, stride=1):
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


class Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.first = conv(width, width)
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width))

    def forward(self, x):
        return F.relu(x + self.second(self.first(x)))


class Landmarker(nn.Module):
    """BGR planes (value - 127) / 127 of a square; points [N,136] as x, y in 0..1 of it; spread [N,1], the error it expects."""

    def __init__(self, mean_points):
        super().__init__()
        self.features = nn.Sequential(
            conv(3, 16, 3, 2),
            conv(16, 32, 3, 2),
            Residual(32),
            conv(32, 64, 3, 2),
            Residual(64),
            Residual(64),
            conv(64, 96, 3, 2),
            Residual(96),
            conv(96, 56, 1),
        )
        self.points = nn.Linear(56 * (CROP // 16) ** 2, 136)
        self.spread = nn.Linear(56, 1)
        nn.init.normal_(self.points.weight, std=0.002)
        with torch.no_grad():
            self.points.bias.copy_(mean_points)
            self.spread.bias.fill_(math.log(0.05))

    def forward(self, planes):
        x = self.features(planes)
        return self.points(x.flatten(1)), torch.exp(self.spread(x.detach().mean((2, 3)))).clamp(max=1)


class Detector(nn.Module):
    """BGR planes 0..255, sides multiples of 32; for each stride cls, obj [N,cells,1], bbox [N,cells,4], kps [N,cells,10]."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(conv(3, 16, 3, 2), conv(16, 24, 3, 2))
        self.down8 = nn.Sequential(conv(24, 48, 3, 2), Residual(48))
        self.down16 = nn.Sequential(conv(48, 64, 3, 2), Residual(64))
        self.down32 = nn.Sequential(conv(64, 64, 3, 2), Residual(64))
        self.side8 = conv(48, 48, 1)
        self.side16 = conv(64, 48, 1)
        self.side32 = conv(64, 48, 1)
        self.heads = nn.ModuleList(nn.Sequential(conv(48, 48), nn.Conv2d(48, 16, 1)) for _ in STRIDES)
        for head in self.heads:
            nn.init.normal_(head[1].weight, std=0.01)
            with torch.no_grad():
                head[1].bias.zero_()
                head[1].bias[:2] = -4.0
                head[1].bias[2:4] = 0.5
                head[1].bias[4:6] = 1.0

    def levels(self, planes):
        """Raw maps [N,16,h,w] a stride: cls and obj logits, box (4), points (10)."""
        c8 = self.down8(self.stem((planes - 127.0) * (1 / 127.0)))
        c16 = self.down16(c8)
        p32 = self.side32(self.down32(c16))
        p16 = self.side16(c16) + F.interpolate(p32, scale_factor=2.0, mode="nearest")
        p8 = self.side8(c8) + F.interpolate(p16, scale_factor=2.0, mode="nearest")
        return [head(p) for head, p in zip(self.heads, (p8, p16, p32))]

    def forward(self, planes):
        flat = [level.permute(0, 2, 3, 1).flatten(1, 2) for level in self.levels(planes)]
        return (
            *(torch.sigmoid(x[:, :, 0:1]) for x in flat),
            *(torch.sigmoid(x[:, :, 1:2]) for x in flat),
            *(x[:, :, 2:6] for x in flat),
            *(x[:, :, 6:16] for x in flat),
        )


DETECTOR_OUTPUTS = [f"{kind}_{stride}" for kind in ("cls", "obj", "bbox", "kps") for stride in STRIDES]
