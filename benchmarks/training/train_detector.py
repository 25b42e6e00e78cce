"""Trains the detector on windows of scenes."""
import torch
from torch.nn import functional as F

from data import Order, Shards
from loop import arguments, train
from nets import STRIDES, Detector
from windows import whole, windows

SIDE, PICTURES, EACH = 80, 8, 4  # windows of a batch: their side, scenes, windows of each scene
SCENE = 256
# False faces a picture that may be found: the landmarker judges them all.
FALSE = 1.0


def cells(side, levels):
    """Corners and strides of all cells of these strides, in their order."""
    corners, strides = [], []
    for stride in levels:
        count = side // stride
        row, column = torch.meshgrid(torch.arange(count), torch.arange(count), indexing="ij")
        corners.append(torch.stack([column.flatten(), row.flatten()], 1).float() * stride)
        strides.append(torch.full((count * count,), float(stride)))
    return torch.cat(corners), torch.cat(strides)


def assign(boxes, asked, either, corner, stride):
    """For each cell the face it answers for (-1: none) and whether it counts as background where it answers for none."""
    middle = (boxes[:, :, :2] + boxes[:, :, 2:]) / 2
    size = (boxes[:, :, 2:] - boxes[:, :, :2]).clamp(min=1)
    at = corner + stride[:, None] / 2
    off = (at[None, :, None] - middle[:, None]).abs()
    reach = torch.maximum(0.16 * size[:, None], 0.75 * stride[None, :, None, None])
    positive = (off < reach).all(3) & asked[:, None]
    area = (size.prod(2)[:, None] + (~positive) * 1e9).min(2)
    face = torch.where(positive.any(2), area.indices, torch.full_like(area.indices, -1))
    # Not quite in the middle of a face, or within one that may be given or not: neither a face nor background.
    undecided = ((off < 0.3 * size[:, None]).all(3) & asked[:, None]) | ((off < 0.6 * size[:, None]).all(3) & either[:, None])
    return face, ~(undecided.any(2) & (face < 0))


def losses(levels, boxes, five, asked, either, grid):
    """Focal loss of the class, cross entropy of the agreement, extended IoU of boxes, and five points by the face's size."""
    corner, stride = grid
    flat = torch.cat([x.permute(0, 2, 3, 1).flatten(1, 2) for x in levels], 1).float()
    face, counts = assign(boxes, asked, either, corner, stride)
    picture, cell = (face >= 0).nonzero(as_tuple=True)
    chosen, out = face[picture, cell], flat[picture, cell]
    step, base = stride[cell][:, None], corner[cell]
    target = boxes[picture, chosen]
    middle = base + out[:, 2:4] * step
    half = torch.exp(out[:, 4:6].clamp(max=5)) * step / 2
    box_loss, iou = extended_iou(middle - half, middle + half, target)
    points = (five[picture, chosen].view(-1, 5, 2) - base[:, None]) / step[:, None]
    size = ((target[:, 2:] - target[:, :2]).mean(1) / step[:, 0])[:, None, None]
    point_loss = F.smooth_l1_loss(out[:, 6:].view(-1, 5, 2) / size, points / size, beta=0.05, reduction="none").mean((1, 2))
    truth = torch.zeros_like(flat[:, :, 0])
    truth[picture, cell] = 1
    agreement = truth.clone()
    agreement[picture, cell] = iou.detach().clamp(min=0.3)
    weight, count = counts.float(), max(1, len(picture))
    chance = torch.sigmoid(flat[:, :, 0])
    focal = torch.where(truth > 0, 0.5 * (1 - chance) ** 2, 0.5 * chance**2)
    cls_loss = (weight * focal * F.binary_cross_entropy_with_logits(flat[:, :, 0], truth, reduction="none")).sum()
    obj_loss = (weight * F.binary_cross_entropy_with_logits(flat[:, :, 1], agreement, reduction="none")).sum()
    return (2 * cls_loss + 0.5 * obj_loss + 2 * box_loss.sum() + 2 * point_loss.sum()) / count


def extended_iou(low, high, target):
    """EIoU (Zhang et al. 2021) of boxes [K,2], [K,2] with boxes [K,4], and their plain intersection over union."""
    over = (torch.minimum(high, target[:, 2:]) - torch.maximum(low, target[:, :2])).clamp(min=0).prod(1)
    around = torch.maximum(high, target[:, 2:]) - torch.minimum(low, target[:, :2])
    iou = over / ((high - low).prod(1) + (target[:, 2:] - target[:, :2]).prod(1) - over)
    offset = ((target[:, 2:] + target[:, :2] - low - high) / 2).pow(2).sum(1) / around.pow(2).sum(1)
    spread = ((high - low - target[:, 2:] + target[:, :2]) / around).pow(2).sum(1)
    return 1 - iou + offset + spread, iou


def found(levels, grid, threshold):
    """(score, box) of every picture."""
    corner, stride = grid
    flat = torch.cat([x.permute(0, 2, 3, 1).flatten(1, 2) for x in levels], 1).float()
    score = (torch.sigmoid(flat[:, :, 0]) * torch.sigmoid(flat[:, :, 1])).sqrt()
    middle = corner + flat[:, :, 2:4] * stride[:, None]
    half = torch.exp(flat[:, :, 4:6].clamp(max=5)) * stride[:, None] / 2
    box = torch.cat([middle - half, middle + half], 2)
    return [merge(score[k], box[k], threshold) for k in range(len(score))]


def merge(score, box, threshold):
    """(score, box) of one picture, the best of those that overlap."""
    best = score.topk(min(100, len(score))).indices
    best = best[score[best] > threshold]
    shared = overlap(box[best][:, None], box[best][None]).tolist()
    kept = []
    for i in range(len(best)):
        if all(shared[i][k] < 0.4 for k in kept):
            kept.append(i)
    return [(score[best[i]].item(), box[best[i]]) for i in kept]


def overlap(a, b):
    """Intersection over union of boxes [...,4]."""
    both = (torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])).clamp(min=0).prod(-1)
    return both / ((a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1) - both)


def evaluator(held, count=240):
    """Average precision over held-out scenes (all points of the curve), and recall and score where FALSE false ones a picture are found."""
    grid = cells(SCENE, STRIDES)

    def evaluate(net):
        marks, faces, pictures = [], 0, min(count, held.grow())
        with torch.no_grad():
            chosen = torch.linspace(0, sum(held.sizes) - 1, pictures).long().tolist()
            for start in range(0, pictures, 60):
                planes, boxes, asked, either = whole(*held.take(chosen[start : start + 60]))
                for k, boxes_found in enumerate(found(net.levels(planes), grid, 0.05)):
                    faces += int(asked[k].sum())
                    marks += judge(boxes_found, [boxes[k, i] for i in range(4) if asked[k, i]], [boxes[k, i] for i in range(4) if either[k, i]])
        marks.sort(reverse=True)
        hits, misses, area, recall, at = 0, 0, 0.0, 0.0, 1.0
        for score, hit in marks:
            hits, misses = hits + hit, misses + (not hit)
            area += hit * hits / (hits + misses) / max(1, faces)
            if misses <= FALSE * pictures:
                recall, at = hits / max(1, faces), score
        return area, f"held-out AP {area:.3f}, recall {recall:.3f} at score {at:.2f}", {"AP": area, "recall": recall, "threshold": at}

    return evaluate


def judge(boxes_found, faces, either):
    """(score, is it a face) of those found; what only frames a face that may be given or not is left out."""
    marks, open_faces = [], list(faces)
    for score, box in boxes_found:
        hit = next((i for i, face in enumerate(open_faces) if overlap(box, face) > 0.4), None)
        if hit is not None:
            open_faces.pop(hit)
        elif any(overlap(box, face) > 0.4 for face in either):
            continue
        marks.append((score, hit is not None))
    return marks


def main():
    args = arguments(12000)
    order, held = Order(Shards(args.data, "scenes", SCENE, False)), Shards(args.data, "scenes", SCENE, True)
    net, grid = Detector().to(memory_format=torch.channels_last), cells(SIDE, STRIDES[:1])

    def loss(net):
        planes, boxes, five, asked, either = windows(*order.take(PICTURES), SIDE, EACH)
        looks = ((planes - 127) / 127).contiguous(memory_format=torch.channels_last)
        return losses([net.level(looks)], boxes, five, asked, either, grid), PICTURES * EACH

    train(args, net, loss, evaluator(held))


if __name__ == "__main__":
    main()
