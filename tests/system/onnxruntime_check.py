#!/usr/bin/env python3
"""Logits of ONNX files in onnxruntime against those that the engine computed in float64.

usage: onnxruntime_check.py X.h5|FOLDER...

X.h5: a reference of `robotnas verify --dump`, the network in X.onnx beside it: BNs by the statistics of the batch, for which each
is written as the arithmetic that it stands for. FOLDER: of tests/tools/export_onnx.c: BNs by running statistics.
"""

import pathlib
import sys

import numpy
import onnx
import onnxruntime
from onnx import helper, numpy_helper

TOLERANCE = 5e-5  # of the largest logit, in float32: what verify asks of float32 for networks of ONNX files
EXACT = 1e-12  # below it all logits are 0 but for rounding


def by_batch(node):
    """The nodes of a BN by the statistics of its batch."""
    x, gamma, beta = node.input[:3]
    y, eps = node.output[0], next((a.f for a in node.attribute if a.name == "epsilon"), 1e-5)
    names = {part: f"{y}/{part}" for part in ("mean", "d", "dd", "var", "eps", "sum", "root", "z", "gamma", "beta", "scaled", "c")}
    yield helper.make_node("ReduceMean", [x], [names["mean"]], axes=[0, 2, 3], keepdims=1)
    yield helper.make_node("Sub", [x, names["mean"]], [names["d"]])
    yield helper.make_node("Mul", [names["d"], names["d"]], [names["dd"]])
    yield helper.make_node("ReduceMean", [names["dd"]], [names["var"]], axes=[0, 2, 3], keepdims=1)
    value = numpy_helper.from_array(numpy.array(eps, numpy.float32))
    yield helper.make_node("Constant", [], [names["eps"]], value=value)
    yield helper.make_node("Add", [names["var"], names["eps"]], [names["sum"]])
    yield helper.make_node("Sqrt", [names["sum"]], [names["root"]])
    yield helper.make_node("Div", [names["d"], names["root"]], [names["z"]])
    shape = numpy_helper.from_array(numpy.array([1, -1, 1, 1], numpy.int64))
    yield helper.make_node("Constant", [], [names["c"]], value=shape)
    yield helper.make_node("Reshape", [gamma, names["c"]], [names["gamma"]])
    yield helper.make_node("Reshape", [beta, names["c"]], [names["beta"]])
    yield helper.make_node("Mul", [names["z"], names["gamma"]], [names["scaled"]])
    yield helper.make_node("Add", [names["scaled"], names["beta"]], [y])


def with_batch_statistics(model):
    nodes = []
    for node in model.graph.node:
        nodes += by_batch(node) if node.op_type == "BatchNormalization" else [node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def read(path):
    """Model, images and logits of the engine."""
    if path.suffix == ".h5":
        import h5py

        model = onnx.load(path.with_suffix(".onnx"))
        with_batch_statistics(model)
        with h5py.File(path) as file:
            return model, file["input/images"][()], file["expected/logits"][()]
    model = onnx.load(path / "model.onnx")
    shapes = [[d.dim_value for d in v.type.tensor_type.shape.dim[1:]] for v in (model.graph.input[0], model.graph.output[0])]
    images = numpy.fromfile(path / "images.f32", numpy.float32).reshape(-1, *shapes[0])
    return model, images, numpy.fromfile(path / "logits.f64").reshape(-1, *shapes[1])


def check(path):
    """Largest error, as a share of the largest logit."""
    model, images, expected = read(path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {model.graph.input[0].name: images})
    assert found.shape == expected.shape, f"{path}: logits are {found.shape}, not {expected.shape}"
    error, largest = numpy.abs(found - expected).max(), numpy.abs(expected).max()
    assert error <= TOLERANCE * largest + EXACT, f"{path}: logits up to {largest:.3g} differ by {error:.1e}"
    return error / max(largest, EXACT)


def main(*paths):
    failed, worst = False, 0.0
    for path in map(pathlib.Path, paths):
        try:
            worst = max(worst, check(path))
        except Exception as error:  # onnxruntime's have no base of their own
            print(f"{path}: {error}", file=sys.stderr)
            failed = True
    print(f"onnxruntime {onnxruntime.__version__}: {len(paths)} networks, logits differ by at most {worst:.1e} of the largest")
    sys.exit(failed)


if __name__ == "__main__":
    main(*sys.argv[1:])
