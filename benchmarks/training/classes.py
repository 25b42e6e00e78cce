"""Where the landmarker fails: its error on held-out crops by how the head is turned, how much of it hides, and how coarse the picture is.

    python3 classes.py --data DATA --weights landmarks.pt [--count 1000]"""
import argparse

import torch

from data import Shards
from looks import FIRST, STEADY, faces
from nets import Landmarker


def coarser(planes, step):
    """Crops [N,3,S,S] as if photographed from `step` times as far."""
    if step == 1:
        return planes
    small = torch.nn.functional.interpolate(planes, scale_factor=1 / step, mode="area")
    return torch.nn.functional.interpolate(small, size=planes.shape[-1], mode="bilinear")


def errors_of(net, planes, truth, spread):
    """Mean distance of points by the root of their box's area, percent [N], of a look with this spread; the jaw's and the others' [N,2]."""
    look, target = faces(planes, truth, torch.tensor(spread).expand(len(planes), 3), False)
    points, _ = net(look)
    pairs = target.view(-1, 68, 2)
    size = (pairs.amax(1) - pairs.amin(1)).prod(1).sqrt()
    apart = 100 * (points - target).view(-1, 68, 2).norm(dim=2) / size[:, None]
    return apart.mean(1), torch.stack([apart[:, :17].mean(1), apart[:, 17:].mean(1)], 1)


def row(name, error, parts, chosen):
    if chosen.sum() == 0:
        return
    e, jaw, rest = error[chosen], parts[chosen, 0].mean(), parts[chosen, 1].mean()
    print(f"{name:34s} {int(chosen.sum()):5d}  mean {e.mean():6.2f} %  median {e.median():6.2f} %  jaw {jaw:6.2f} %  others {rest:6.2f} %")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--count", type=int, default=1000)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(5)
    held = Shards(args.data, "crops", 144, True)
    net = Landmarker(torch.zeros(136)).eval()
    net.load_state_dict(torch.load(args.weights, weights_only=True))
    total = sum(held.sizes)
    planes, truth, _ = held.take(torch.linspace(0, total - 1, min(args.count, total)).long().tolist())
    with torch.no_grad():
        for step in (1, 2, 4):
            error, parts = errors_of(net, coarser(planes, step), truth, STEADY)
            row(f"a pixel for {step}", error, parts, torch.ones(len(error), dtype=torch.bool))
        first, parts_first = errors_of(net, planes, truth, FIRST)
        row("first look", first, parts_first, torch.ones(len(first), dtype=torch.bool))
        error, parts = errors_of(net, planes, truth, STEADY)
    face = truth[:, 0]
    degrees = 57.2958 * face[:, 208:211].abs()
    for low, high in ((0, 15), (15, 30), (30, 45), (45, 60), (60, 75), (75, 91)):
        row(f"yaw {low} to {high} degrees", error, parts, (degrees[:, 0] >= low) & (degrees[:, 0] < high))
    for low, high in ((0, 15), (15, 30), (30, 46)):
        row(f"pitch {low} to {high} degrees", error, parts, (degrees[:, 1] >= low) & (degrees[:, 1] < high))


if __name__ == "__main__":
    main()
