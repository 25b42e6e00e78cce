"""The two networks: 68 points of a face in a square, and faces on a canvas in YuNet's output format."""
import torch
from torch import nn
from torch.nn import functional as F

CROP = 64  # side of the landmarker's input, pixels
STRIDES = (8, 16, 32)
FACE_SIDES = (26, 64)  # longest sides of the boxes that the detector's finest stride answers for, pixels


def conv(inputs, outputs, size=3, stride=1):
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


class Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.first = conv(width, width)
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width))

    def forward(self, x):
        return F.relu(x + self.second(self.first(x)))


class Landmarker(nn.Module):
    """BGR planes (value - 127) / 127 of a square; points [N,136] as x, y in 0..1 of it; face [N,1], the chance that it frames one.

    21 million multiply-adds a look."""

    def __init__(self, mean_points):
        super().__init__()
        self.features = nn.Sequential(
            conv(3, 16, 3, 2),
            conv(16, 32, 3, 2),
            Residual(32),
            conv(32, 64, 3, 2),
            Residual(64),
            Residual(64),
            conv(64, 96, 3, 2),
            Residual(96),
            conv(96, 56, 1),
        )
        flat = 56 * (CROP // 16) ** 2
        self.points = nn.Linear(flat, 136)
        self.face = nn.Linear(flat, 1)
        nn.init.normal_(self.points.weight, std=0.002)
        nn.init.normal_(self.face.weight, std=0.01)
        with torch.no_grad():
            self.points.bias.copy_(mean_points)
            self.face.bias.fill_(1.0)

    def raw(self, planes):
        """Points and the logit of there being a face."""
        x = self.features(planes).flatten(1)
        return self.points(x), self.face(x)

    def forward(self, planes):
        points, face = self.raw(planes)
        return points, torch.sigmoid(face)


class Detector(nn.Module):
    """BGR planes 0..255, sides multiples of 32; for each stride cls, obj [N,cells,1], bbox [N,cells,4], kps [N,cells,10].

    One network for faces of FACE_SIDES pixels looks at the picture, at its half and at its quarter: a face's size is not to be learnt.
    1,000 multiply-adds a pixel: it finds candidates, which the landmarker judges."""

    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(conv(3, 8, 3, 2), conv(8, 16, 3, 2), conv(16, 32, 3, 2), Residual(32), Residual(32))
        self.head = nn.Sequential(conv(32, 32, 1), nn.Conv2d(32, 16, 1))
        nn.init.normal_(self.head[1].weight, std=0.01)
        with torch.no_grad():
            self.head[1].bias.zero_()
            self.head[1].bias[:2] = -4.0
            self.head[1].bias[2:4] = 0.5
            self.head[1].bias[4:6] = 1.6

    def level(self, planes):
        """Raw map [N,16,h/8,w/8] of planes -1..1: cls and obj logits, box (4), points (10)."""
        return self.head(self.trunk(planes))

    def levels(self, planes):
        """Raw maps of every stride."""
        x = (planes - 127.0) * (1 / 127.0)
        return [self.level(x if stride == 8 else F.avg_pool2d(x, stride // 8)) for stride in STRIDES]

    def forward(self, planes):
        flat = [level.permute(0, 2, 3, 1).flatten(1, 2) for level in self.levels(planes)]
        return (
            *(torch.sigmoid(x[:, :, 0:1]) for x in flat),
            *(torch.sigmoid(x[:, :, 1:2]) for x in flat),
            *(x[:, :, 2:6] for x in flat),
            *(x[:, :, 6:16] for x in flat),
        )


DETECTOR_OUTPUTS = [f"{kind}_{stride}" for kind in ("cls", "obj", "bbox", "kps") for stride in STRIDES]
