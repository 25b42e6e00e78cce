"""Training of a radiance field from rays in plain PyTorch, as Mildenhall et al. 2020 published it: stratified samples, no skipping, Adam."""

import time

import numpy
import torch
from torch.nn import functional

from torch_fields import Classic, HashGrid

RAYS = 1024
SAMPLES = 64
# Of the published classic network and of the published hash grid.
ADAM = {"classic": {"lr": 5e-4}, "hashgrid": {"lr": 1e-2, "betas": (0.9, 0.99), "eps": 1e-15}}


class Rays:
    """Origins, unit directions and colours [n][9], and where they are in the box: entry and exit, which are equal for a ray that misses it."""

    def __init__(self, path, box_min, box_max):
        values = torch.from_numpy(numpy.fromfile(path, dtype=numpy.float32)).view(-1, 9)
        self.origin, self.direction, self.color = values[:, :3], values[:, 3:6], values[:, 6:]
        low, high = torch.tensor(box_min), torch.tensor(box_max)
        faces = torch.stack([(low - self.origin) / self.direction, (high - self.origin) / self.direction])
        self.enter = faces.amin(0).amax(1).clamp(min=0)
        self.leave = torch.maximum(faces.amax(0).amin(1), self.enter)

    def __len__(self):
        return len(self.color)

    def pick(self, index):
        return self.origin[index], self.direction[index], self.enter[index], self.leave[index]


class Training:
    """A field, what it learns from, and its optimiser."""

    def __init__(self, kind, rays, test, box_min, box_max, background):
        self.kind = kind
        self.field = {"classic": Classic, "hashgrid": HashGrid}[kind]()
        self.rays, self.test = rays, test
        self.low = torch.tensor(box_min)
        self.side = float((torch.tensor(box_max) - self.low).max())
        self.background = torch.tensor(background, dtype=torch.float32)
        self.optimizer = torch.optim.Adam(self.field.parameters(), **ADAM[kind])

    def colors(self, origin, direction, enter, leave, jitter):
        """Composited colours of rays; those that miss the box cost nothing."""
        hit = (leave > enter).nonzero().squeeze(1)
        result = self.background.expand(len(origin), 3)
        if len(hit) == 0:
            return result
        origin, direction, enter, leave = (each[hit] for each in (origin, direction, enter, leave))
        offset = torch.rand(len(hit), SAMPLES) if jitter else torch.full((len(hit), SAMPLES), 0.5)
        step = ((leave - enter) / SAMPLES).unsqueeze(1)
        along = enter.unsqueeze(1) + (torch.arange(SAMPLES) + offset) * step
        points = (origin.unsqueeze(1) + along.unsqueeze(2) * direction.unsqueeze(1) - self.low) / self.side
        points = points.reshape(-1, 3).clamp(0, 1)
        if self.kind == "classic":
            points = 2 * points - 1
        facing = direction.unsqueeze(1).expand(-1, SAMPLES, 3).reshape(-1, 3)
        density, color = self.field(points, facing)
        optical = density.view(-1, SAMPLES) * step
        before = torch.cumsum(optical, 1) - optical
        weight = torch.exp(-before) * (1 - torch.exp(-optical))
        seen = (weight.unsqueeze(2) * color.view(-1, SAMPLES, 3)).sum(1)
        seen = seen + (1 - weight.sum(1, keepdim=True)) * self.background
        return result.index_copy(0, hit, seen)

    def step(self):
        index = torch.randint(len(self.rays), (RAYS,))
        loss = functional.mse_loss(self.colors(*self.rays.pick(index), jitter=True), self.rays.color[index])
        self.optimizer.zero_grad(set_to_none=False)
        if loss.requires_grad:
            loss.backward()
            self.optimizer.step()

    def train(self, seconds):
        begin = time.process_time()
        rays, elapsed = 0, 0.0
        while elapsed < seconds:
            self.step()
            rays += RAYS
            elapsed = time.process_time() - begin
        return {"rays": rays, "seconds": elapsed}

    def psnr(self):
        """Of the held-out pictures taken together, dB."""
        error = 0.0
        with torch.no_grad():
            for begin in range(0, len(self.test), 4 * RAYS):
                index = torch.arange(begin, min(begin + 4 * RAYS, len(self.test)))
                colors = self.colors(*self.test.pick(index), jitter=False).clamp(0, 1)
                error += float(((colors - self.test.color[index]) ** 2).sum())
        return -10 * float(numpy.log10(error / (3 * len(self.test))))
