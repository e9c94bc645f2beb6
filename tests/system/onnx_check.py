#!/usr/bin/env python3
"""Check an ONNX model with ONNX's own checker and with PyTorch, which knows nothing of the engine.

  onnx_check.py FOLDER...    in each FOLDER, model.onnx is valid, has just the operations listed in `operations`, and
                             gives the logits of logits.f64 for the images of images.f32; tests/tools/export_onnx.c
                             writes the files
"""
import pathlib
import sys

import numpy
import onnx
import torch
from onnx import numpy_helper
from torch.nn import functional

TOLERANCE = 1e-4


def spatial(attributes):
    """Stride and padding, the same on both sides."""
    pads = attributes["pads"]
    assert pads[:2] == pads[2:], pads
    return {"stride": attributes["strides"], "padding": pads[:2]}


def conv(attributes, x, weight, bias=None):
    assert attributes["kernel_shape"] == list(weight.shape[2:])
    return functional.conv2d(x, weight, bias, **spatial(attributes))


def norm(attributes, x, scale, shift, mean, variance):
    return functional.batch_norm(x, mean, variance, scale, shift, training=False, eps=attributes["epsilon"])


def average(attributes, x):
    return functional.avg_pool2d(
        x, attributes["kernel_shape"], count_include_pad=bool(attributes["count_include_pad"]), **spatial(attributes)
    )


def gemm(attributes, a, b, c):
    assert attributes == {"transB": 1}
    return a @ b.T + c


OPERATIONS = {
    "Add": lambda _, a, b: a + b,
    "AveragePool": average,
    "BatchNormalization": norm,
    "Concat": lambda attributes, *x: torch.cat(x, attributes["axis"]),
    "Constant": lambda attributes: torch.tensor(numpy_helper.to_array(attributes["value"])),
    "ConstantOfShape": lambda _, shape: torch.zeros(shape.tolist()),
    "Conv": conv,
    "Div": lambda _, a, b: a / b,
    "Flatten": lambda attributes, x: x.flatten(attributes["axis"]),
    "Gather": lambda _, x, index: x[index],
    "Gemm": gemm,
    "GlobalAveragePool": lambda _, x: functional.adaptive_avg_pool2d(x, 1),
    "Relu": lambda _, x: functional.relu(x),
    "Shape": lambda _, x: torch.tensor(x.shape),
    "Sub": lambda _, a, b: a - b,
    "Sum": lambda _, *x: sum(x),
}


def run(graph, images):
    """The graph's outputs, node by node."""
    values = {tensor.name: torch.tensor(numpy_helper.to_array(tensor)) for tensor in graph.initializer}
    values["images"] = torch.tensor(images)
    for node in graph.node:
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        inputs = [values[name] for name in node.input]
        values[node.output[0]] = OPERATIONS[node.op_type](attributes, *inputs)
    return [values[output.name] for output in graph.output]


def extents(value):
    return [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]


def check_form(model, operations):
    onnx.checker.check_model(model, full_check=True)
    (images,) = model.graph.input
    (logits,) = model.graph.output
    assert (images.name, logits.name) == ("images", "logits")
    assert extents(images)[0] == extents(logits)[0] == "N"
    assert {entry.key for entry in model.metadata_props} == {"arch", "commit"}
    found = sorted({node.op_type for node in model.graph.node})
    assert found == sorted(operations), f"operations are {found}"


def check(folder):
    """Returns one line on what was found."""
    model = onnx.load(str(folder / "model.onnx"))
    check_form(model, (folder / "operations").read_text().split())
    graph = model.graph
    images = numpy.fromfile(folder / "images.f32", numpy.float32).reshape(-1, *extents(graph.input[0])[1:])
    expected = numpy.fromfile(folder / "logits.f64").reshape(-1, *extents(graph.output[0])[1:])
    assert len(images) == len(expected)
    largest, spread = numpy.abs(expected).max(), expected.std(axis=0).max()
    for n in (1, len(images)):  # any number of images
        (logits,) = run(graph, images[:n])
        error = numpy.abs(logits.numpy() - expected[:n]).max()
        assert error <= TOLERANCE * max(1.0, largest), f"logits differ by {error:g}"
    reads_images = any(node.op_type == "Sub" for node in graph.node)
    assert reads_images == (spread > 100 * TOLERANCE), f"logits vary by {spread:g} between images"
    return (
        f"{len(graph.node)} nodes, logits up to {largest:.3g}, varying by {spread:.2g}, differ by {error:.1e}"
    )


def main(*folders):
    torch.set_num_threads(1)
    failed = False
    for folder in folders:
        try:
            print(f"{folder}: {check(pathlib.Path(folder))}")
        except (AssertionError, KeyError, RuntimeError, ValueError, onnx.checker.ValidationError) as error:
            print(f"{folder}: {type(error).__name__} {error}", file=sys.stderr)
            failed = True
    sys.exit(failed)


if __name__ == "__main__":
    main(*sys.argv[1:])
