"""Pictures of `daf dataset synth` as batches, cropped and coloured anew each time they are seen."""
import glob
import math
import os

import numpy
import torch
from torch.nn import functional as F

from nets import CROP

MARGIN = 1.4  # side of the square looked at, as a multiple of the points' box; the adapter in src/faces/models says the same
MOST_FACES, VALUES = 4, 211
MIRROR = torch.tensor(
    [*range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30, 35, 34, 33, 32, 31, 45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40]
    + [54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65]
)


class Shards:
    """rgb uint8 [N,side,side,3] and truth float32 [N,4,211] of a folder; grows while pictures are still being rendered."""

    def __init__(self, folder, form, side, held_out):
        self.folder, self.form, self.side, self.held_out = folder, form, side, held_out
        self.rgb, self.truth, self.faces, self.known = [], [], [], set()
        self.grow()

    def grow(self):
        for file in sorted(glob.glob(os.path.join(self.folder, f"{self.form}-*.truth"))):
            stem = file[: -len(".truth")]
            # The first shard of every seed is kept for choosing the checkpoint.
            if stem in self.known or (stem.endswith("-0000") != self.held_out):
                continue
            self.known.add(stem)
            faces = torch.from_numpy(numpy.fromfile(stem + ".faces", numpy.uint8))
            count = len(faces)
            # Mapped, so that processes share it and only what is used is read.
            rgb = numpy.memmap(stem + ".rgb", numpy.uint8, "r", shape=(count, self.side, self.side, 3))
            truth = torch.from_numpy(numpy.fromfile(file, numpy.float32)).view(count, MOST_FACES, VALUES)
            self.rgb.append(rgb)
            self.truth.append(truth)
            self.faces.append(faces)
        self.sizes = [len(f) for f in self.faces]
        return sum(self.sizes)

    def take(self, indices):
        """Pictures as BGR planes float [N,3,side,side] 0..255, truth, counts."""
        rgb, truth, faces = [], [], []
        starts = numpy.cumsum([0] + self.sizes)
        for index in indices:
            shard = int(numpy.searchsorted(starts, index, side="right")) - 1
            at = int(index - starts[shard])
            rgb.append(torch.from_numpy(numpy.array(self.rgb[shard][at])))
            truth.append(self.truth[shard][at])
            faces.append(self.faces[shard][at])
        planes = torch.stack(rgb).permute(0, 3, 1, 2).flip(1).float()
        return planes, torch.stack(truth), torch.stack(faces)


def roll_of(points):
    """As rollOf in src/faces/vision/warp.ts."""
    right, left, mouth = points[:, 36:42].mean(1), points[:, 42:48].mean(1), points[:, 48:60].mean(1)
    down = mouth - (right + left) / 2
    return torch.atan2(left[:, 1] - right[:, 1] - down[:, 0], left[:, 0] - right[:, 0] + down[:, 1])


def recolour(planes, low, high):
    """Exposure, contrast, tint and the odd grey picture; planes in low..high."""
    n = len(planes)
    middle, half = (low + high) / 2, (high - low) / 2
    gain = torch.exp(0.2 * torch.randn(n, 1, 1, 1)) * torch.exp(0.08 * torch.randn(n, 3, 1, 1))
    shift = half * (0.2 * torch.randn(n, 1, 1, 1) + 0.06 * torch.randn(n, 3, 1, 1))
    out = (planes - middle) * gain + middle + shift
    grey = (torch.rand(n, 1, 1, 1) < 0.08).float()
    out = out + grey * (out.mean(1, keepdim=True) - out)
    return out.clamp(low, high)


def crops(planes, truth, train):
    """Squares around faces as a second look sees them, jittered in training; planes and points [N,136] of the square, 0..1."""
    n, side = len(planes), planes.shape[-1]
    points = truth[:, 0, :136].reshape(n, 68, 2)
    roll = roll_of(points)
    if train:
        wide = torch.rand(n) < 0.25
        roll = roll + torch.randn(n) * torch.where(wide, 0.4, 0.12)
    cos, sin = roll.cos()[:, None], roll.sin()[:, None]
    u = points[:, :, 0] * cos + points[:, :, 1] * sin
    v = -points[:, :, 0] * sin + points[:, :, 1] * cos
    low_u, high_u, low_v, high_v = u.amin(1), u.amax(1), v.amin(1), v.amax(1)
    size = MARGIN * torch.maximum(high_u - low_u, high_v - low_v)
    center_u, center_v = (low_u + high_u) / 2, (low_v + high_v) / 2
    if train:
        size = size * torch.exp((0.11 * torch.randn(n)).clamp(-0.25, 0.25))
        center_u = center_u + size * (0.05 * torch.randn(n)).clamp(-0.14, 0.14)
        center_v = center_v + size * (0.05 * torch.randn(n)).clamp(-0.14, 0.14)
    flip = torch.where(torch.rand(n) < 0.5, -1.0, 1.0) if train else torch.ones(n)
    cos, sin = cos[:, 0], sin[:, 0]
    center_x, center_y = center_u * cos - center_v * sin, center_u * sin + center_v * cos
    half = size / side
    theta = torch.stack(
        [
            torch.stack([half * cos * flip, -half * sin, 2 * center_x / side - 1], 1),
            torch.stack([half * sin * flip, half * cos, 2 * center_y / side - 1], 1),
        ],
        1,
    )
    grid = F.affine_grid(theta, [n, 3, CROP, CROP], align_corners=False)
    out = F.grid_sample((planes - 127) / 127, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    x = 0.5 + flip[:, None] * (u - center_u[:, None]) / size[:, None]
    y = 0.5 + (v - center_v[:, None]) / size[:, None]
    target = torch.stack([x, y], 2)
    mirrored = flip < 0
    target[mirrored] = target[mirrored][:, MIRROR]
    if train:
        out = recolour(out, -1, 1)
    return out, target.reshape(n, 136)


def scenes(planes, truth, faces, side, train):
    """Windows of scenes: planes [N,3,side,side], boxes [N,4,4], five points [N,4,10], which faces count [N,4]."""
    n, full = len(planes), planes.shape[-1]
    boxes = truth[:, :, 204:208].clone()
    p = truth[:, :, :136].reshape(n, MOST_FACES, 68, 2)
    five = torch.stack(
        [p[:, :, 36:42].mean(2), p[:, :, 42:48].mean(2), p[:, :, 30], p[:, :, 48], p[:, :, 54]], 2
    )  # the subject's right eye first
    used = torch.arange(MOST_FACES)[None] < faces[:, None]
    zoom = torch.exp(torch.empty(n).uniform_(math.log(0.6), math.log(1.5))) if train else torch.ones(n)
    window = (side / zoom).clamp(max=full)
    zoom = side / window
    left, top = ((full - window) * torch.rand(n), (full - window) * torch.rand(n)) if train else (torch.zeros(n),) * 2
    flip = torch.where(torch.rand(n) < 0.5, -1.0, 1.0) if train else torch.ones(n)
    theta = torch.zeros(n, 2, 3)
    theta[:, 0, 0], theta[:, 0, 2] = flip * window / full, (2 * left + window) / full - 1
    theta[:, 1, 1], theta[:, 1, 2] = window / full, (2 * top + window) / full - 1
    grid = F.affine_grid(theta, [n, 3, side, side], align_corners=False)
    out = F.grid_sample(planes, grid, mode="bilinear", padding_mode="zeros", align_corners=False)

    def place(x, y, shape):
        x = (x - left.view(shape)) * zoom.view(shape)
        mirrored = (flip < 0).view(shape)
        return torch.where(mirrored, side - x, x), (y - top.view(shape)) * zoom.view(shape)

    x0, y0 = place(boxes[:, :, 0], boxes[:, :, 1], (n, 1))
    x1, y1 = place(boxes[:, :, 2], boxes[:, :, 3], (n, 1))
    boxes = torch.stack([torch.minimum(x0, x1), y0, torch.maximum(x0, x1), y1], 2)
    x, y = place(five[..., 0], five[..., 1], (n, 1, 1))
    five = torch.stack([x, y], 3)
    mirrored = flip < 0
    five[mirrored] = five[mirrored][:, :, [1, 0, 2, 4, 3]]
    if train:
        out = recolour(out, 0, 255)
    return out, boxes, five.reshape(n, MOST_FACES, 10), used
