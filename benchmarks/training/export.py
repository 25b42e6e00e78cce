"""Writes trained weights as ONNX: batch norms folded, weights kept in half precision and widened when the model is loaded."""
import argparse
import json
import math
import warnings

import numpy
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from nets import CROP, DETECTOR_OUTPUTS, Detector, Landmarker

BELIEVED = 0.7  # score from which the adapter in src/faces/models believes a face


def narrow(model):
    """Float weights of more than a few values as float16 behind a Cast: half the file, computed in float32 all the same."""
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or numpy.prod(tensor.dims) < 64:
            continue
        name, half = tensor.name, tensor.name + "_half"
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(numpy.float16), half))
        casts.append(helper.make_node("Cast", [half], [name], to=TensorProto.FLOAT))
    nodes = casts + list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def declare(model):
    """Says how many values a cell has, which tracing does not know and by which adapters tell a model."""
    for output in model.graph.output:
        kind, stride = output.name.split("_")
        del output.type.tensor_type.shape.dim[:]
        first, cells, last = (output.type.tensor_type.shape.dim.add() for _ in range(3))
        first.dim_value, cells.dim_param = 1, f"cells_{stride}"
        last.dim_value = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}[kind]


def move_threshold(net, threshold):
    """Shifts both scores so that what was believed from threshold on is believed from BELIEVED on."""
    threshold = min(0.95, max(0.02, threshold))
    with torch.no_grad():
        net.head[1].bias[:2] += math.log(BELIEVED / (1 - BELIEVED)) - math.log(threshold / (1 - threshold))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["landmarks", "detector"])
    parser.add_argument("weights")
    parser.add_argument("out")
    parser.add_argument("--threshold", type=float, help="detector: the score to believe, moved to the adapter's; default: as its training found")
    args = parser.parse_args()
    warnings.filterwarnings("ignore")
    if args.kind == "landmarks":
        net, outputs = Landmarker(torch.zeros(136)), ["points", "face"]
        planes, axes = torch.zeros(1, 3, CROP, CROP), None
    else:
        net, outputs = Detector(), DETECTOR_OUTPUTS
        planes, axes = torch.zeros(1, 3, 320, 320), {"input": {2: "height", 3: "width"}}
        axes.update({name: {1: f"cells_{name.split('_')[1]}"} for name in outputs})
    net.load_state_dict(torch.load(args.weights, weights_only=True))
    if args.kind == "detector":
        move_threshold(net, args.threshold or json.load(open(args.weights + ".json"))["threshold"])
    net.eval()
    torch.onnx.export(
        net, (planes,), args.out, input_names=["input"], output_names=outputs, dynamic_axes=axes, opset_version=13, dynamo=False
    )
    model = onnx.load(args.out)
    narrow(model)
    if args.kind == "detector":
        declare(model)
    del model.metadata_props[:]
    model.producer_name, model.producer_version, model.doc_string = "daf", "", ""
    onnx.checker.check_model(model)
    onnx.save(model, args.out)


if __name__ == "__main__":
    main()
