"""Training of radiance fields in plain PyTorch, on one thread of the CPU.

Says what it is ({"torch": version}) in a line of its own, then answers each line of JSON, by its "do", with one:
  rate {kind, seconds}: samples a second of computing time of steps on points: the forward and the backward pass of a batch, down to gradients
    of all parameters, without the optimiser;
  load {kind, train, test, boxMin, boxMax, background}: begins a training from files of rays;
  train {seconds}: goes on with it for so much computing time; says how many rays that took;
  psnr {}: what it has reached on the rays of `test`, dB.
"""

import json
import sys
import time

import torch
from torch.nn import functional

from torch_fields import Classic, HashGrid
from torch_training import Rays, Training

BATCH = {"classic": 8192, "hashgrid": 32768}
PER_RAY = 16


def points_and_directions(count):
    """Runs of 16 points along rays through the unit cube, and unit directions."""
    rays = count // PER_RAY
    origin = torch.rand(rays, 1, 3)
    direction = torch.rand(rays, 1, 3) - 0.5
    along = torch.arange(PER_RAY).view(1, PER_RAY, 1) / PER_RAY * 0.25
    points = ((origin + along * direction) % 1.0).reshape(count, 3)
    return points, functional.normalize(direction.expand(rays, PER_RAY, 3).reshape(count, 3), dim=1)


class Steps:
    """Training steps of a field on one batch."""

    def __init__(self, field, batch):
        self.field = field
        self.inputs = points_and_directions(batch)
        self.gradients = (torch.randn(batch, 1), torch.randn(batch, 3))
        self.batch = batch
        self.step()

    def step(self):
        self.field.zero_grad(set_to_none=False)
        torch.autograd.backward(self.field(*self.inputs), self.gradients)

    def rate(self, seconds):
        begin = time.process_time()
        done, elapsed = 0, 0.0
        while elapsed < seconds:
            self.step()
            done += self.batch
            elapsed = time.process_time() - begin
        return done / elapsed


class Peer:
    def __init__(self):
        self.steps = {}
        self.training = None

    def rate(self, kind, seconds):
        if kind not in self.steps:
            self.steps[kind] = Steps({"classic": Classic, "hashgrid": HashGrid}[kind](), BATCH[kind])
        return {"rate": self.steps[kind].rate(seconds)}

    def load(self, kind, train, test, boxMin, boxMax, background):
        box = (boxMin, boxMax)
        self.training = Training(kind, Rays(train, *box), Rays(test, *box), *box, background)
        return {}

    def train(self, seconds):
        return self.training.train(seconds)

    def psnr(self):
        return {"psnr": self.training.psnr()}


def main():
    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
    torch.set_flush_denormal(True)
    torch.manual_seed(1)
    peer = Peer()
    print(json.dumps({"torch": torch.__version__}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(getattr(peer, request.pop("do"))(**request)), flush=True)


main()
