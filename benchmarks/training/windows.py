"""What the detector looks at: windows of scenes with faces of chosen sizes, and what is asked of it there."""
import math

import torch

from data import MOST_FACES, cover, recolour, resample
from nets import FACE_SIDES


def windows(planes, truth, numbers, side, each):
    """`each` windows of every scene: planes [N,3,side,side] 0..255, boxes [N,4,4], five points [N,4,10], which faces are asked for
    [N,4] and which may be given or not, as too little of them shows or they are of another size, [N,4]."""
    truth, numbers = truth.repeat_interleave(each, 0), numbers.repeat_interleave(each, 0)
    n, full = len(truth), planes.shape[-1]
    boxes = truth[:, :, 204:208].clone()
    p = truth[:, :, :136].reshape(n, MOST_FACES, 68, 2)
    five = torch.stack(
        [p[:, :, 36:42].mean(2), p[:, :, 42:48].mean(2), p[:, :, 30], p[:, :, 48], p[:, :, 54]], 2
    )  # the subject's right eye first
    there = torch.arange(MOST_FACES)[None] < numbers[:, None]
    zoom, corner, flip = place(boxes, there, side, full)
    window = side / zoom
    theta = torch.zeros(n, 2, 3)
    theta[:, 0, 0], theta[:, 0, 2] = flip * window / full, (2 * corner[:, 0] + window) / full - 1
    theta[:, 1, 1], theta[:, 1, 2] = window / full, (2 * corner[:, 1] + window) / full - 1
    # Black is 0 of 0…255, as canvases are where pictures end.
    out = resample(planes + 1, theta, side, 1 / zoom) - 1

    def move(x, y, shape):
        x = (x - corner[:, 0].view(shape)) * zoom.view(shape)
        return torch.where((flip < 0).view(shape), side - x, x), (y - corner[:, 1].view(shape)) * zoom.view(shape)

    x0, y0 = move(boxes[:, :, 0], boxes[:, :, 1], (n, 1))
    x1, y1 = move(boxes[:, :, 2], boxes[:, :, 3], (n, 1))
    boxes = torch.stack([torch.minimum(x0, x1), y0, torch.maximum(x0, x1), y1], 2)
    five = torch.stack(move(five[..., 0], five[..., 1], (n, 1, 1)), 3)
    mirrored = flip < 0
    five[mirrored] = five[mirrored][:, :, [1, 0, 2, 4, 3]]
    shown, longest = extent(boxes, side)
    asked = there & (shown > 0.5) & (longest >= FACE_SIDES[0]) & (longest < FACE_SIDES[1])
    # A part of a face that fills the window is not to be taken for a face.
    either = there & ~asked & (longest > 0.5 * FACE_SIDES[0]) & (longest < 1.7 * FACE_SIDES[1])
    out = cover(recolour(out), 0.15)
    return 127 * out + 127, boxes, five.reshape(n, MOST_FACES, 10), asked, either


def whole(planes, truth, numbers):
    """Scenes as they are: planes 0..255, boxes, which faces are asked for and which may be given or not."""
    boxes = truth[:, :, 204:208]
    there = torch.arange(MOST_FACES)[None] < numbers[:, None]
    shown, longest = extent(boxes, planes.shape[-1])
    asked = there & (shown > 0.5) & (longest >= FACE_SIDES[0])
    return 127 * planes.flip(1) + 127, boxes, asked, there & ~asked


def extent(boxes, side):
    """Share of boxes [N,K,4] that lies in a picture, and their longest sides."""
    size = (boxes[:, :, 2:] - boxes[:, :, :2]).clamp(min=1)
    inside = boxes.clamp(0, side)
    return (inside[:, :, 2:] - inside[:, :, :2]).prod(2) / size.prod(2), size.amax(2)


def place(boxes, there, side, full):
    """Zoom [N], left top corner in the picture [N,2], flip [N]: three of four windows hold a face of a size that is drawn."""
    n = len(boxes)
    pick = (torch.rand(n, MOST_FACES) * there).argmax(1)
    box = boxes[torch.arange(n), pick]
    longest = (box[:, 2:] - box[:, :2]).amax(1).clamp(min=8)
    about = (torch.rand(n) < 0.75) & there.any(1)
    least, most = (math.log(factor * limit) for factor, limit in zip((0.9, 1.05), FACE_SIDES))
    wanted = torch.exp(torch.empty(n).uniform_(least, most))
    zoom = torch.where(about, wanted / longest, torch.exp(torch.empty(n).uniform_(math.log(0.25), math.log(1.6)))).clamp(0.15, 3)
    window = (side / zoom)[:, None]
    # A face's middle lies anywhere in the window.
    around = (box[:, :2] + box[:, 2:]) / 2 - window * torch.rand(n, 2)
    anywhere = (full - window) * torch.rand(n, 2)
    return zoom, torch.where(about[:, None], around, anywhere), torch.where(torch.rand(n) < 0.5, -1.0, 1.0)
