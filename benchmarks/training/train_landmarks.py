"""Trains the landmarker on faces and on what is none."""
import torch
from torch.nn import functional as F

from data import Order, Shards
from looks import FIRST, STEADY, faces, mixed_spread, nothing
from loop import arguments, train
from nets import Landmarker

FACES, NOTHINGS = 38, 10  # a batch
# Scenes that squares without a face are drawn from, squares of each, and how many of the batch are those most like a face.
SCENES, EACH, HARDEST = 4, 4, 6


def wing(error, width=0.06, curve=0.012):
    """Feng et al. 2018: steeper than L1 near zero; in shares of the square."""
    shift = width - width * torch.log1p(torch.tensor(width / curve))
    return torch.where(error < width, width * torch.log1p(error / curve), error - shift)


def evaluator(crops, scenes):
    """Mean distance of points by the root of their box's area, after a steady and a first look; share of squares misjudged."""

    def evaluate(net):
        crops.grow()
        scenes.grow()
        with torch.no_grad(), torch.random.fork_rng():
            torch.manual_seed(7)
            errors, misjudged = [], []
            for start in range(0, min(1000, sum(crops.sizes)), 125):
                planes, truth, _ = crops.take(range(start, min(start + 125, sum(crops.sizes))))
                row = []
                for spread in (STEADY, FIRST):
                    look, target = faces(planes, truth, torch.tensor(spread).expand(len(planes), 3), False)
                    points, face = net(look)
                    pairs = target.view(-1, 68, 2)
                    size = (pairs.amax(1) - pairs.amin(1)).prod(1).sqrt()
                    row.append((points - target).view(-1, 68, 2).norm(dim=2).mean(1) / size)
                    misjudged.append((face < 0.5).float())
                errors.append(torch.stack(row, 1))
            none = []
            for start in range(0, min(500, sum(scenes.sizes)), 125):
                none.append(net(nothing(*scenes.take(range(start, min(start + 125, sum(scenes.sizes)))), 1, False))[1])
        steady, first = torch.cat(errors).mean(0).tolist()
        missed, false = torch.cat(misjudged).mean().item(), (torch.cat(none) > 0.5).float().mean().item()
        text = f"held-out box {100 * steady:.2f} % ({100 * first:.2f} % first), faces missed {100 * missed:.1f} %, false {100 * false:.1f} %"
        return -(steady + 0.5 * first), text, {"steady": steady, "first": first, "missed": missed, "false": false}

    return evaluate


def hardest(net, squares):
    """Of squares without a face those that the network takes for one the most, and a few others."""
    net.eval()
    with torch.no_grad():
        order = net.raw(squares.contiguous(memory_format=torch.channels_last))[1][:, 0].argsort(descending=True)
    net.train()
    rest = order[HARDEST:]
    return squares[torch.cat([order[:HARDEST], rest[torch.randperm(len(rest))[: NOTHINGS - HARDEST]]])]


def refit(net, order, batches=160, ridge=3e-3):
    """Solves for the layer of points on fresh looks, errors weighed as L1 weighs them, near to what was learnt: a closed form reaches
    in seconds what steps approach slowly."""
    net.eval()
    with torch.no_grad():
        rows, misses = [], []
        for _ in range(batches):
            planes, truth, _ = order.take(FACES)
            look, target = faces(planes, truth, mixed_spread(FACES), True)
            x = net.features(look.contiguous(memory_format=torch.channels_last)).flatten(1)
            miss = target - net.points(x)
            weight = 1 / miss.view(-1, 68, 2).norm(dim=2).mean(1, keepdim=True).clamp(min=0.01).sqrt()
            rows.append(weight * torch.cat([x, torch.ones(len(x), 1)], 1))
            misses.append(weight * miss)
        x, miss = torch.cat(rows).double(), torch.cat(misses).double()
        square = x.T @ x
        change = torch.linalg.solve(square + ridge * square.diagonal().mean() * torch.eye(len(square)).double(), x.T @ miss).float()
        net.points.weight += change[:-1].T
        net.points.bias += change[-1]
    return net


def main():
    args = arguments(30000)
    crops, held = (Shards(args.data, "crops", 144, held_out) for held_out in (False, True))
    scenes, held_scenes = (Shards(args.data, "scenes", 256, held_out) for held_out in (False, True))
    planes, truth, _ = crops.take(range(min(300, sum(crops.sizes))))
    mean = faces(planes, truth, torch.zeros(len(planes), 3), False)[1].mean(0)
    order, others = Order(crops), Order(scenes)
    net = Landmarker(mean).to(memory_format=torch.channels_last)

    def loss(net):
        planes, truth, _ = order.take(FACES)
        look, target = faces(planes, truth, mixed_spread(FACES), True)
        empty = hardest(net, nothing(*others.take(SCENES), EACH, True))
        points, face = net.raw(torch.cat([look, empty]).contiguous(memory_format=torch.channels_last))
        is_face = (torch.arange(FACES + NOTHINGS) < FACES).float()[:, None]
        judged = F.binary_cross_entropy_with_logits(face.float(), is_face)
        return wing((points[:FACES].float() - target).abs()).mean() + 0.02 * judged, FACES + NOTHINGS

    train(args, net, loss, evaluator(held, held_scenes), lambda net: refit(net, order))


if __name__ == "__main__":
    main()
