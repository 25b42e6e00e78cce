"""What the landmarker looks at: squares around faces, as the adapter's first and further looks frame them, and squares around none."""
import math

import torch

from data import MIRROR, MOST_FACES, cover, cut, disguise, recolour, resample
from nets import CROP

MARGIN = 1.4  # side of the square looked at, as a multiple of the points' box; the adapter in src/faces/models says the same
# Spread of a square's shift and of the logarithm of its size, and of its turn: of looks by points found, and by a detector's box.
STEADY, FIRST = (0.035, 0.07, 0.07), (0.09, 0.20, 0.28)


def points_of(face):
    """Points [N,68,2] of faces [N,245]: of the jaw its own, hidden or not, as a 3D model projects; a hidden side has no other fixed place."""
    n = len(face)
    return torch.cat([face[:, 211:].reshape(n, 17, 2), face[:, 34:136].reshape(n, 51, 2)], 1)


def roll_of(points):
    """As rollOf in src/faces/vision/warp.ts."""
    right, left, mouth = points[:, 36:42].mean(1), points[:, 42:48].mean(1), points[:, 48:60].mean(1)
    down = mouth - (right + left) / 2
    return torch.atan2(left[:, 1] - right[:, 1] - down[:, 0], left[:, 0] - right[:, 0] + down[:, 1])


def sample(planes, centre, size, roll, flip, wide):
    """Squares [N,3,CROP,CROP] of pictures, equally many of each: centre [N,2] and size [N] in pixels, roll [N], flip [N] (-1: in a mirror),
    wide [N]: how much wider, and less high, the part of the picture is than a square."""
    side = planes.shape[-1]
    cos, sin, half = roll.cos(), roll.sin(), size / side
    across, down = half * wide * flip, half / wide
    theta = torch.stack(
        [
            torch.stack([across * cos, -down * sin, 2 * centre[:, 0] / side - 1], 1),
            torch.stack([across * sin, down * cos, 2 * centre[:, 1] / side - 1], 1),
        ],
        1,
    )
    return resample(planes, theta, CROP, size / CROP)


def faces(planes, truth, spread, train):
    """Squares around the faces of crops; returns planes and points [N,136] of the square, 0..1. spread: see STEADY, of each [N,3]."""
    n = len(planes)
    points = points_of(truth[:, 0])
    roll = roll_of(points) + spread[:, 2] * torch.randn(n)
    cos, sin = roll.cos()[:, None], roll.sin()[:, None]
    u = points[:, :, 0] * cos + points[:, :, 1] * sin
    v = -points[:, :, 0] * sin + points[:, :, 1] * cos
    low_u, high_u, low_v, high_v = u.amin(1), u.amax(1), v.amin(1), v.amax(1)
    size = MARGIN * torch.maximum(high_u - low_u, high_v - low_v)
    size = size * torch.exp((spread[:, 1] * torch.randn(n)).clamp(-0.45, 0.45))
    centre_u = (low_u + high_u) / 2 + size * (spread[:, 0] * torch.randn(n)).clamp(-0.22, 0.22)
    centre_v = (low_v + high_v) / 2 + size * (spread[:, 0] * torch.randn(n)).clamp(-0.22, 0.22)
    flip = torch.where(torch.rand(n) < 0.5, -1.0, 1.0) if train else torch.ones(n)
    # Heads narrower and wider than any that is rendered.
    wide = torch.exp(0.06 * torch.randn(n)) if train else torch.ones(n)
    c, s = cos[:, 0], sin[:, 0]
    out = sample(planes, torch.stack([centre_u * c - centre_v * s, centre_u * s + centre_v * c], 1), size, roll, flip, wide)
    x = 0.5 + (flip / (size * wide))[:, None] * (u - centre_u[:, None])
    target = torch.stack([x, 0.5 + (wide / size)[:, None] * (v - centre_v[:, None])], 2)
    mirrored = flip < 0
    target[mirrored] = target[mirrored][:, MIRROR]
    if train:
        out = cut(cover(recolour(disguise(out)), 0.3), 0.12, 0.0)
    return out, target.reshape(n, 136)


def mixed_spread(count):
    """Every other look is a first one."""
    first = (torch.rand(count, 1) < 0.45).float()
    return first * torch.tensor(FIRST) + (1 - first) * torch.tensor(STEADY)


def nothing(planes, truth, numbers, each, train):
    """`each` squares of every scene that frame no face: far from all, or far too large or too small for one."""
    truth, numbers = truth.repeat_interleave(each, 0), numbers.repeat_interleave(each, 0)
    n, side = len(truth), planes.shape[-1]
    boxes = truth[:, :, 204:208]
    used = torch.arange(MOST_FACES)[None] < numbers[:, None]
    middle = (boxes[:, :, :2] + boxes[:, :, 2:]) / 2
    width = MARGIN * (boxes[:, :, 2:] - boxes[:, :, :2]).clamp(min=1).prod(2).sqrt()
    # Most are drawn around a face and then moved off it or missized: the picture's other things are easily told from faces.
    tries = 12
    near = (torch.rand(n, tries) < 0.7) & used[:, :1]
    away, angle = 0.35 + 0.6 * torch.rand(n, tries), 6.2832 * torch.rand(n, tries)
    scale = torch.exp(math.log(4.0) * (2 * torch.rand(n, tries) - 1))
    beside = middle[:, :1] + (away * width[:, :1] * torch.maximum(scale, torch.ones(1)))[..., None] * torch.stack(
        [angle.cos(), angle.sin()], 2
    )
    size = torch.where(near, width[:, :1] * scale, side * torch.exp(math.log(0.06) + math.log(14.0) * torch.rand(n, tries)))
    inside = side / 2 + (side - 0.7 * size)[..., None].clamp(min=0) * (torch.rand(n, tries, 2) - 0.5)
    centre = torch.where(near[..., None], beside.clamp(0, side), inside)
    # Shared part of the union with every face's square.
    low = torch.maximum(centre[:, :, None] - size[:, :, None, None] / 2, middle[:, None] - width[:, None, :, None] / 2)
    high = torch.minimum(centre[:, :, None] + size[:, :, None, None] / 2, middle[:, None] + width[:, None, :, None] / 2)
    both = (high - low).clamp(min=0).prod(3)
    union = size[:, :, None] ** 2 + width[:, None] ** 2 - both
    worst = (both / union * used[:, None]).amax(2)
    chosen = torch.where(worst < 0.22, torch.rand(n, tries), 2 + worst).argmin(1)
    row = torch.arange(n)
    flip = torch.where(torch.rand(n) < 0.5, -1.0, 1.0)
    out = sample(planes, centre[row, chosen], size[row, chosen], 0.3 * torch.randn(n), flip, torch.ones(n))
    return recolour(disguise(out)) if train else out
