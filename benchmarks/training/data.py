"""Pictures of `daf dataset synth`, as they lie in files, and what is done to any picture before a network sees it."""
import glob
import os

import numpy
import torch
from torch.nn import functional as F

MOST_FACES, VALUES = 4, 245
MIRROR = torch.tensor(
    [*range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30, 35, 34, 33, 32, 31, 45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40]
    + [54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65]
)


class Shards:
    """rgb uint8 [N,side,side,3] and truth float32 [N,4,245] of a folder; grows while pictures are still being rendered.

    The first tenth of every file is kept for choosing the checkpoint; people change every ten pictures, so that nobody is in both."""

    def __init__(self, folder, form, side, held_out):
        self.folder, self.form, self.side, self.held_out = folder, form, side, held_out
        self.rgb, self.truth, self.faces, self.known = [], [], [], set()
        self.grow()

    def grow(self):
        """Looks for new files. Returns the number of pictures."""
        for file in sorted(glob.glob(os.path.join(self.folder, f"{self.form}-*.truth"))):
            stem = file[: -len(".truth")]
            if stem in self.known:
                continue
            self.known.add(stem)
            faces = torch.from_numpy(numpy.fromfile(stem + ".faces", numpy.uint8))
            count = len(faces)
            kept = min(count, 10 * -(-count // 100))
            part = slice(0, kept) if self.held_out else slice(kept, count)
            # Mapped, so that processes share it and only what is used is read.
            rgb = numpy.memmap(stem + ".rgb", numpy.uint8, "r", shape=(count, self.side, self.side, 3))
            truth = torch.from_numpy(numpy.fromfile(file, numpy.float32)).view(count, MOST_FACES, VALUES)
            self.rgb.append(rgb[part])
            self.truth.append(truth[part])
            self.faces.append(faces[part])
        self.sizes = [len(f) for f in self.faces]
        self.starts = numpy.cumsum([0] + self.sizes)
        return sum(self.sizes)

    def take(self, indices):
        """Pictures as RGB planes float [N,3,side,side] -1..1, channels last in memory, truth [N,4,245], faces [N]."""
        rgb, truth, faces = [], [], []
        for index in indices:
            shard = int(numpy.searchsorted(self.starts, index, side="right")) - 1
            at = int(index - self.starts[shard])
            rgb.append(self.rgb[shard][at])
            truth.append(self.truth[shard][at])
            faces.append(self.faces[shard][at])
        planes = torch.from_numpy(numpy.stack(rgb)).float().sub_(127).mul_(1 / 127).permute(0, 3, 1, 2)
        return planes, torch.stack(truth), torch.stack(faces)


class Order:
    """Indices of shards in random order, every picture once before any comes again; new files join at the next round."""

    def __init__(self, shards):
        self.shards, self.left = shards, []

    def take(self, count):
        if len(self.left) < count:
            self.left = torch.randperm(self.shards.grow()).tolist()
        chosen, self.left = self.left[:count], self.left[count:]
        return self.shards.take(chosen)


def resample(planes, theta, side, step):
    """Windows [N,3,side,side], BGR, of RGB planes by affine maps [N,2,3], equally many of each picture, in its order; step [N]: pixels
    that become one. Their mean is looked at, as warpToPlanes does; 0 lies beyond the picture."""
    count, pictures = len(theta), len(planes)
    each = count // pictures
    # All windows of a picture below each other: it is read once.
    grid = F.affine_grid(theta, [count, 3, side, side], align_corners=False).reshape(pictures, each * side, side, 2)
    level = torch.where(step < 1.6, 0, torch.where(step < 3.2, 1, 2)).reshape(pictures, each)
    out = torch.empty(pictures, each, 3, side, side)
    for k in range(3):
        rows = (level == k).any(1).nonzero()[:, 0]
        if len(rows) == 0:
            continue
        source = F.avg_pool2d(planes[rows], 2**k) if k > 0 else planes[rows]
        seen = F.grid_sample(source, grid[rows], mode="bilinear", padding_mode="zeros", align_corners=False)
        seen = seen.reshape(len(rows), 3, each, side, side).transpose(1, 2)
        out[rows] = torch.where((level[rows] == k)[:, :, None, None, None], seen, out[rows])
    out = out.reshape(count, 3, side, side)
    return out.flip(1)


def recolour(planes):
    """Exposure, contrast, tint, gamma, light from a side and the odd grey picture; planes in -1..1."""
    n, _, height, width = planes.shape
    angle = 6.2832 * torch.rand(n, 1, 1, 1)
    across, down = torch.linspace(-1, 1, width), torch.linspace(-1, 1, height)[:, None]
    slope = 0.3 * torch.randn(n, 1, 1, 1) * (torch.rand(n, 1, 1, 1) < 0.4)
    light = 1 + (slope * (across * angle.cos() + down * angle.sin())).clamp(-0.75, 0.75)
    # u + b u (1 − u) bends like a gamma and costs less.
    bend = (0.35 * torch.randn(n, 1, 1, 1)).clamp(-0.9, 0.9)
    out = ((planes + 1) + bend * 0.5 * (1 - planes * planes)) * light - 1
    gain = torch.exp(0.2 * torch.randn(n, 1, 1, 1)) * torch.exp(0.08 * torch.randn(n, 3, 1, 1))
    out = out * gain + 0.2 * torch.randn(n, 1, 1, 1) + 0.06 * torch.randn(n, 3, 1, 1)
    grey = (torch.rand(n, 1, 1, 1) < 0.1).float()
    out = out + grey * (out.mean(1, keepdim=True) - out)
    return out.clamp(-1, 1)


def odd_texture(planes, share):
    n, _, height, width = planes.shape
    filters = torch.randn(3 * n, 1, 3, 3)
    filters[:, :, 1, 1] += 2
    filters /= filters.sum((2, 3), keepdim=True).abs().clamp(min=1.5)
    odd = F.conv2d(planes.reshape(1, 3 * n, height, width), filters, padding=1, groups=3 * n).reshape(planes.shape)
    return planes + share * (odd - planes)


def other_sharpness(planes, share):
    return planes + (2.5 * share - 1) * (planes - F.avg_pool2d(planes, 3, 1, 1, count_include_pad=False))


def lost_detail(planes, _):
    return F.interpolate(F.avg_pool2d(planes, 2), size=planes.shape[-2:], mode="bilinear")


def disguise(planes):
    """What tells renders from photos is taken from some pictures: their fine texture (random filters, Xu et al. 2021), their sharpness,
    their detail, and their evenness of light (a smooth random field)."""
    n, _, height, width = planes.shape
    kind, share = torch.rand(n), 0.7 * torch.rand(n, 1, 1, 1)
    out = planes.clone()
    # Only those that are changed are computed.
    for low, high, change in ((0.0, 0.12, odd_texture), (0.12, 0.35, other_sharpness), (0.35, 0.5, lost_detail)):
        rows = ((kind >= low) & (kind < high)).nonzero()[:, 0]
        if len(rows) > 0:
            out[rows] = change(planes[rows], share[rows])
    field = F.interpolate(torch.randn(n, 1, 4, 4), size=(height, width), mode="bicubic")
    strength = 0.25 * torch.rand(n, 1, 1, 1) * (torch.rand(n, 1, 1, 1) < 0.5)
    return (out + 1) * torch.exp(strength * field) - 1


def cover(planes, share):
    """A rectangle of some pictures shows a part of another one or a plain colour: hands, hats and shoulders in front."""
    n, _, height, width = planes.shape
    if n < 2:
        return planes
    others = planes.roll(1, 0).flip(2)
    across, down = torch.arange(width) / width, (torch.arange(height) / height)[:, None]
    centre, half = torch.rand(2, n, 1, 1), 0.05 + 0.2 * torch.rand(2, n, 1, 1)
    inside = ((across - centre[0]).abs() < half[0]) & ((down - centre[1]).abs() < half[1])
    inside = (inside & (torch.rand(n, 1, 1) < share))[:, None]
    plain = (torch.rand(n, 1, 1, 1) < 0.4) & inside
    return torch.where(plain, 2 * torch.rand(n, 3, 1, 1) - 1, torch.where(inside, others, planes))


def cut(planes, share, outside):
    """Some pictures end within the window: beyond a straight edge there is nothing."""
    n, _, height, width = planes.shape
    across, down = torch.linspace(-1, 1, width), torch.linspace(-1, 1, height)[:, None]
    side = torch.randint(0, 4, (n, 1, 1))
    along = torch.where(side == 0, across, torch.where(side == 1, -across, torch.where(side == 2, down, -down)))
    edge = 1 - 0.7 * torch.rand(n, 1, 1)
    beyond = ((along > edge) & (torch.rand(n, 1, 1) < share))[:, None]
    return torch.where(beyond, torch.full_like(planes, outside), planes)
