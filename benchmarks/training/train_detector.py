"""Trains the detector on scenes; keeps the weights with the best recall and precision on held-out scenes."""
import argparse
import time

import torch
from torch.nn import functional as F

from data import Shards, scenes
from nets import STRIDES, Detector
from together import Together

SIDE = 192
# Longest sides that a stride answers for, pixels; ranges overlap, as either may answer.
RANGES = ((0, 48), (36, 110), (80, 1e9))


def cells(side):
    """Centres and strides of all cells, in the order of the levels."""
    centers, strides = [], []
    for stride in STRIDES:
        count = side // stride
        row, column = torch.meshgrid(torch.arange(count), torch.arange(count), indexing="ij")
        centers.append(torch.stack([column.flatten(), row.flatten()], 1).float() * stride)
        strides.append(torch.full((count * count,), float(stride)))
    return torch.cat(centers), torch.cat(strides)


def assign(boxes, used, corner, stride):
    """For each cell the face it answers for (-1: none) and whether it counts as background."""
    n, most = used.shape
    middle = (boxes[:, :, :2] + boxes[:, :, 2:]) / 2
    size = (boxes[:, :, 2:] - boxes[:, :, :2]).clamp(min=1)
    longest = size.amax(2)
    at = corner + stride[:, None] / 2
    off = (at[None, :, None] - middle[:, None]).abs()
    reach = torch.maximum(0.16 * size[:, None], 0.75 * stride[None, :, None, None])
    near = (off < reach).all(3)
    inside = (off < 0.5 * size[:, None]).all(3)
    fits = torch.zeros(n, len(stride), most, dtype=torch.bool)
    for level, (low, high) in zip(STRIDES, RANGES):
        fits |= (stride == level)[None, :, None] & ((longest >= low) & (longest < high))[:, None]
    positive = near & fits & used[:, None]
    area = (size.prod(2)[:, None] + (~positive) * 1e9).min(2)
    face = torch.where(positive.any(2), area.indices, torch.full_like(area.indices, -1))
    # Near the middle of a face, at another scale: neither a face nor background.
    undecided = (inside & (off < 0.3 * size[:, None]).all(3) & used[:, None]).any(2) & (face < 0)
    return face, ~undecided


def losses(levels, boxes, five, used, grid):
    corner, stride = grid
    flat = torch.cat([x.permute(0, 2, 3, 1).flatten(1, 2) for x in levels], 1).float()
    face, counts = assign(boxes, used, corner, stride)
    picture, cell = (face >= 0).nonzero(as_tuple=True)
    chosen = face[picture, cell]
    out = flat[picture, cell]
    step, base = stride[cell][:, None], corner[cell]
    target = boxes[picture, chosen]
    middle = base + out[:, 2:4] * step
    half = torch.exp(out[:, 4:6].clamp(max=5)) * step / 2
    low, high = middle - half, middle + half
    over = (torch.minimum(high, target[:, 2:]) - torch.maximum(low, target[:, :2])).clamp(min=0).prod(1)
    around = torch.maximum(high, target[:, 2:]) - torch.minimum(low, target[:, :2])
    union = (high - low).prod(1) + (target[:, 2:] - target[:, :2]).prod(1) - over
    iou = over / union
    offset = ((target[:, 2:] + target[:, :2]) / 2 - middle).pow(2).sum(1) / around.pow(2).sum(1)
    spread = ((high - low - target[:, 2:] + target[:, :2]) / around).pow(2).sum(1)
    box_loss = 1 - iou + offset + spread
    points = (five[picture, chosen].view(-1, 5, 2) - base[:, None]) / step[:, None]
    size = (target[:, 2:] - target[:, :2]).mean(1) / step[:, 0]
    point_loss = F.smooth_l1_loss(
        out[:, 6:].view(-1, 5, 2) / size[:, None, None], points / size[:, None, None], beta=0.05, reduction="none"
    ).mean((1, 2))
    truth = torch.zeros_like(flat[:, :, 0])
    truth[picture, cell] = 1
    agreement = truth.clone()
    agreement[picture, cell] = iou.detach().clamp(min=0.3)
    weight = counts.float()
    count = max(1, len(picture))
    chance = torch.sigmoid(flat[:, :, 0])
    focal = torch.where(truth > 0, 0.5 * (1 - chance) ** 2, 0.5 * chance**2)
    cls_loss = (weight * focal * F.binary_cross_entropy_with_logits(flat[:, :, 0], truth, reduction="none")).sum()
    obj_loss = (weight * F.binary_cross_entropy_with_logits(flat[:, :, 1], agreement, reduction="none")).sum()
    return (2 * cls_loss + 0.5 * obj_loss) / count + 2 * box_loss.sum() / count + 2 * point_loss.sum() / count


def found(levels, grid, threshold):
    """(score, box) of every picture, the best of those that overlap."""
    corner, stride = grid
    flat = torch.cat([x.permute(0, 2, 3, 1).flatten(1, 2) for x in levels], 1).float()
    score = (torch.sigmoid(flat[:, :, 0]) * torch.sigmoid(flat[:, :, 1])).sqrt()
    middle = corner + flat[:, :, 2:4] * stride[:, None]
    half = torch.exp(flat[:, :, 4:6].clamp(max=5)) * stride[:, None] / 2
    box = torch.cat([middle - half, middle + half], 2)
    lists = []
    for k in range(len(score)):
        at = (score[k] > threshold).nonzero()[:, 0]
        at = at[score[k][at].argsort(descending=True)][:200]
        kept = []
        for i in at.tolist():
            if all(overlap(box[k, i], other) < 0.4 for _, other in kept):
                kept.append((score[k, i].item(), box[k, i]))
        lists.append(kept)
    return lists


def overlap(a, b):
    both = (torch.minimum(a[2:], b[2:]) - torch.maximum(a[:2], b[:2])).clamp(min=0).prod()
    return (both / ((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod() - both)).item()


def evaluate(net, held, grid, count=120):
    """Average precision over the held-out scenes (all points of the curve) and the score of equal recall and precision."""
    net.eval()
    marks, faces = [], 0
    with torch.no_grad():
        planes, truth, numbers = held.take(range(min(count, sum(held.sizes))))
        planes, boxes, _, used = scenes(planes, truth, numbers, 256, False)
        for k, list_of in enumerate(found(net.levels(planes), grid, 0.05)):
            open_faces = [boxes[k, i] for i in range(4) if used[k, i]]
            faces += len(open_faces)
            for score, box in list_of:
                hit = next((i for i, face in enumerate(open_faces) if overlap(box, face) > 0.4), None)
                if hit is not None:
                    open_faces.pop(hit)
                marks.append((score, hit is not None))
    net.train()
    marks.sort(reverse=True)
    hits, area, equal = 0, 0.0, 0.5
    for i, (score, hit) in enumerate(marks):
        hits += hit
        if hit:
            area += hits / (i + 1) / max(1, faces)
        if i + 1 <= faces:
            equal = score
    return area, equal


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--minutes", type=float, default=50, help="wall clock; the learning rate falls to zero over it")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--start", help="weights to go on from")
    parser.add_argument("--worker", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    args = parser.parse_args()
    torch.manual_seed(2)
    torch.set_num_threads(1)
    shards, held = Shards(args.data, "scenes", 256, False), Shards(args.data, "scenes", 256, True)
    net = Detector().to(memory_format=torch.channels_last)
    print(sum(p.numel() for p in net.parameters()), "parameters")
    if args.start:
        net.load_state_dict(torch.load(args.start, weights_only=True))
    together = Together(args.out + ".workers", args.worker, args.workers)
    torch.manual_seed(1000 + args.worker)
    optimiser = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=1e-4)
    start, best, step, seen, recent = time.time(), -1.0, 0, 0, None
    checked, order = start, []
    small, full = cells(SIDE), cells(256)
    while True:
        share = (time.time() - start) / (60 * args.minutes)
        if share >= 1:
            break
        for group in optimiser.param_groups:
            group["lr"] = 2e-3 * min(1, (step + 1) / 150) * max(0.005, 0.5 * (1 + torch.cos(torch.tensor(3.14159 * share)).item()))
        if len(order) < args.batch:
            order = torch.randperm(shards.grow()).tolist()
        batch, order = order[: args.batch], order[args.batch :]
        planes, boxes, five, used = scenes(*shards.take(batch), SIDE, True)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            levels = net.levels(planes.contiguous(memory_format=torch.channels_last))
        loss = losses(levels, boxes, five, used, small)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        step += 1
        if step % 40 == 0:
            together.meet(net)
        seen += len(batch)
        recent = loss.item() if recent is None else 0.98 * recent + 0.02 * loss.item()
        if args.worker == 0 and (time.time() - checked > 300 or step == 60):
            area, equal = evaluate(net, held, full)
            print(
                f"{(time.time() - start) / 60:.1f} min, step {step}, {seen} of {sum(shards.sizes)}, loss {recent:.3f}, "
                f"held-out AP {area:.3f}, equal at {equal:.2f}, cpu {time.process_time():.0f} s",
                flush=True,
            )
            checked = time.time()
            if area > best:
                best = area
                torch.save(net.state_dict(), args.out)
    if args.worker > 0:
        return
    together.meet(net)
    area, equal = evaluate(net, held, full, 200)
    print("last", area, equal)
    torch.save(net.state_dict(), args.out + ".last")
    if area > best:
        torch.save(net.state_dict(), args.out)


if __name__ == "__main__":
    main()
