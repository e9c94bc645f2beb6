#!/usr/bin/env python3
"""Goes on from what `robotnas export --format onnx` wrote: the network of train_cell.py with the model's parameters.

    robotnas export run.h5 --format onnx --output best.onnx
    from_onnx.py best.onnx --train train.h5 --test test.h5 --epochs 10 --output best.pt

Images and options are those of train_cell.py. It trains on all but a held out part, prints a line of JSON before the first and
after every epoch (`loss` of the images trained on, `accuracy` of those held out, in percent), and writes the parameters as a
state_dict. `load` gives the network to other programs; images are normalised by the model's mean and deviation, which `load`
gives, too.
Needs PyTorch, NumPy and ONNX (Debian: python3-torch python3-numpy python3-onnx).
"""

import argparse
import json
import pathlib

import onnx
import torch
from onnx import numpy_helper
from torch.nn import functional

import train_cell

NORM = {"weight": "gamma", "bias": "beta", "running_mean": "mean", "running_var": "variance"}


def named_modules(model, cells):
    """(name in the ONNX model, module) of all that has parameters."""
    layers = list(model)
    yield "stem/conv", layers[0]
    yield "stem/bn", layers[1]
    n_cells = n_reductions = 0
    for layer in layers[2:-5]:
        if isinstance(layer, train_cell.Reduction):
            n_reductions += 1
            name = f"reduction{n_reductions}"
            for part, block in zip("ab", layer.convs):
                yield f"{name}/conv_{part}", block[1]
                yield f"{name}/bn_{part}", block[2]
            yield f"{name}/shortcut", layer.shortcut[1]
        else:
            for number, (source, target) in enumerate(train_cell.EDGES):
                edge = layer.edges[f"{source} {target}"] if f"{source} {target}" in layer.edges else None
                if isinstance(edge, train_cell.ReluConvBn):
                    yield f"cell{n_cells}/edge{number}/conv", edge[1]
                    yield f"cell{n_cells}/edge{number}/bn", edge[2]
            n_cells += 1
    assert n_cells == 3 * cells
    yield "head/bn", layers[-5]
    yield "head/linear", layers[-1]


@torch.no_grad()
def load(path):
    """(network, mean, deviation, metadata). The model has no operations that do not reach its output: theirs stay as they are."""
    model = onnx.load(path)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    values = {tensor.name: torch.tensor(numpy_helper.to_array(tensor)) for tensor in model.graph.initializer}
    image_channels, classes = (t.type.tensor_type.shape.dim[1].dim_value for t in (model.graph.input[0], model.graph.output[0]))
    cells = int(metadata["cells"])
    network = train_cell.network(metadata["arch"], image_channels, classes, int(metadata["channels"]), cells)
    taken = set()
    for name, module in named_modules(network, cells):
        for key, parameter in module.state_dict().items():
            source = f"{name}/{NORM.get(key, key) if isinstance(module, torch.nn.BatchNorm2d) else key}"
            if source in values:
                parameter.copy_(values[source].view_as(parameter))
                taken.add(source)
    left = {name for name in values if not name.startswith("images/") and values[name].is_floating_point()} - taken
    if left:
        raise SystemExit(f"{path}: no place for {', '.join(sorted(left))}")
    return network, json.loads(metadata["mean"]), json.loads(metadata["std"]), metadata


@torch.no_grad()
def validate(network, images):
    """(mean loss, accuracy in percent)"""
    network.eval()
    loss = right = 0
    for chosen in torch.arange(len(images), device=images.labels.device).split(500):
        x, y = images.batch(chosen)
        logits = network(x)
        loss += functional.cross_entropy(logits, y, reduction="sum").item()
        right += (logits.argmax(1) == y).sum().item()
    return loss / len(images), 100 * right / len(images)


def say(training, train_on, valid):
    loss, accuracy = validate(training.model, train_on)[0], validate(training.model, valid)[1]
    print(json.dumps({"epoch": training.epoch, "loss": loss, "accuracy": accuracy}), flush=True)


def main():
    parser = argparse.ArgumentParser(description="Go on training a network that robotnas exported as ONNX.")
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rate", type=float, default=0.01, help="learning rate of the first step")
    parser.add_argument("--output", type=pathlib.Path, help="file of the trained parameters")
    train_cell.add_arguments(parser)
    args = parser.parse_args()
    args.work = None

    torch.set_num_threads(1)
    device = train_cell.device_of(args.device)
    network, mean, std, _ = load(args.model)
    network.to(device)
    train_on, valid, test = [part and train_cell.Images(*part, mean, std, device) for part in train_cell.read_images(args)]
    training = train_cell.Training(network, args.epochs * train_cell.steps_of_epoch(train_on, args)[0], args)
    say(training, train_on, valid)
    while training.epoch < args.epochs:
        train_cell.train_epoch(training, train_on, args)
        say(training, train_on, valid)
    if test:
        print(json.dumps({"test_accuracy": validate(network, test)[1]}))
    if args.output:
        torch.save(network.state_dict(), args.output)


if __name__ == "__main__":
    main()
