#!/usr/bin/env python3
"""An example of a trainer for `objective.kind: command` (docs/command.md): trains a cell of NAS-Bench-201 with PyTorch.

    train_cell.py --arch '|nor_conv_3x3~0|+|none~0|skip_connect~1|+|skip_connect~0|none~1|none~2|' --seed 1 --data FOLDER

FOLDER holds Fashion-MNIST or MNIST as IDX files, gzip or not (Debian: dataset-fashion-mnist), or the binary version of
CIFAR-10. The last fifth of the training images is held out; the answer is one line of JSON:

    {"score": accuracy on those in percent, "cost": images seen, "columns": {"test_accuracy": in percent}}

It runs on a GPU where PyTorch has one, else on one thread, where equal arguments give equal answers.
Needs PyTorch and NumPy (Debian: python3-torch python3-numpy).
"""

import argparse
import gzip
import json
import math
import pathlib

import numpy as np
import torch
from torch import nn
from torch.nn import functional

EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))  # in the order of the architecture's name
CLASSES = 10


def read_idx(folder, name):
    """The array of an IDX file, plain or compressed."""
    path = folder / name if (folder / name).exists() else folder / (name + ".gz")
    data = (gzip.open if path.suffix == ".gz" else open)(path, "rb").read()
    shape = np.frombuffer(data, ">i4", count=data[3], offset=4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(shape)


def read_images(folder):
    """((images [N, C, H, W] of bytes, labels [N]) to train on, the same to test on)."""
    if (folder / "data_batch_1.bin").exists():
        names = [f"data_batch_{i}.bin" for i in range(1, 6) if (folder / f"data_batch_{i}.bin").exists()]
        parts = [[np.fromfile(folder / name, np.uint8) for name in names], [np.fromfile(folder / "test_batch.bin", np.uint8)]]
        records = [np.concatenate(part).reshape(-1, 3073) for part in parts]
        return [(r[:, 1:].reshape(-1, 3, 32, 32), r[:, 0]) for r in records]
    return [(read_idx(folder, f"{part}-images-idx3-ubyte")[:, None], read_idx(folder, f"{part}-labels-idx1-ubyte"))
            for part in ("train", "t10k")]


class ReluConvBn(nn.Sequential):
    def __init__(self, c_in, c_out, kernel, stride=1):
        conv = nn.Conv2d(c_in, c_out, kernel, stride, kernel // 2, bias=False)
        super().__init__(nn.ReLU(), conv, nn.BatchNorm2d(c_out))


def operation(name, channels):
    """The module on an edge of a cell; None where nothing is."""
    if name == "none":
        return None
    return {"skip_connect": lambda: nn.Identity(),
            "nor_conv_1x1": lambda: ReluConvBn(channels, channels, 1),
            "nor_conv_3x3": lambda: ReluConvBn(channels, channels, 3),
            "avg_pool_3x3": lambda: nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)}[name]()


class Cell(nn.Module):
    """Four nodes, each the sum of what comes in on its edges."""

    def __init__(self, names, channels):
        super().__init__()
        self.edges = nn.ModuleDict()
        for (source, target), name in zip(EDGES, names):
            module = operation(name, channels)
            if module is not None:
                self.edges[f"{source} {target}"] = module

    def forward(self, x):
        nodes = [x] + [torch.zeros_like(x)] * 3
        for source, target in EDGES:
            if f"{source} {target}" in self.edges:
                nodes[target] = nodes[target] + self.edges[f"{source} {target}"](nodes[source])
        return nodes[3]


class Reduction(nn.Module):
    """The residual block between two stages: half the resolution, twice the channels."""

    def __init__(self, channels):
        super().__init__()
        self.convs = nn.Sequential(ReluConvBn(channels, 2 * channels, 3, 2), ReluConvBn(2 * channels, 2 * channels, 3))
        self.shortcut = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(channels, 2 * channels, 1, bias=False))

    def forward(self, x):
        return self.convs(x) + self.shortcut(x)


def network(arch, image_channels, channels, cells):
    """Dong & Yang, NAS-Bench-201, ICLR 2020: a stem, three stages of equal cells, a head."""
    names = [edge.split("~")[0] for node in arch.split("+") for edge in node.strip("|").split("|")]
    layers = [nn.Conv2d(image_channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels)]
    for stage in range(3):
        if stage > 0:
            layers.append(Reduction(channels))
            channels *= 2
        layers += [Cell(names, channels) for _ in range(cells)]
    layers += [nn.BatchNorm2d(channels), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, CLASSES)]
    return nn.Sequential(*layers)


def train(model, images, labels, args):
    """Stochastic gradient descent, its rate falling as half a cosine. Returns the number of images seen."""
    batch = min(args.batch, len(images))
    steps = len(images) // batch
    optimiser = torch.optim.SGD(model.parameters(), args.rate, momentum=0.9, weight_decay=5e-4, nesterov=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda i: (1 + math.cos(math.pi * i / (args.epochs * steps))) / 2)
    model.train()
    for _ in range(args.epochs):
        order = torch.randperm(len(images))
        for step in range(steps):
            chosen = order[step * batch:(step + 1) * batch].to(images.device)
            optimiser.zero_grad()
            functional.cross_entropy(model(images[chosen]), labels[chosen]).backward()
            optimiser.step()
            schedule.step()
    return args.epochs * steps * batch


@torch.no_grad()
def accuracy(model, images, labels):
    """In percent."""
    model.eval()
    right = sum((model(x).argmax(1) == y).sum().item() for x, y in zip(images.split(500), labels.split(500)))
    return 100 * right / len(images)


def main():
    parser = argparse.ArgumentParser(description="Train a cell of NAS-Bench-201; answer with its accuracy.")
    parser.add_argument("--arch", required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder of the images")
    parser.add_argument("--device", type=int, default=0, help="number of the GPU, where there is one")
    parser.add_argument("--channels", type=int, default=16, help="of the first stage")
    parser.add_argument("--cells", type=int, default=5, help="of each stage")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--rate", type=float, default=0.1, help="learning rate of the first step")
    parser.add_argument("--limit", type=int, help="at most so many training images")
    args = parser.parse_args()

    torch.manual_seed(args.seed % 2**63)
    torch.set_num_threads(1)
    torch.backends.cudnn.deterministic = True
    gpus = torch.cuda.device_count()
    device = torch.device(f"cuda:{args.device % gpus}" if gpus else "cpu")

    (pixels, targets), test = read_images(args.data)
    pixels, targets = pixels[:args.limit], targets[:args.limit]
    scaled = pixels / np.float32(255)
    mean, std = scaled.mean((0, 2, 3), keepdims=True), scaled.std((0, 2, 3), keepdims=True)

    def to_tensors(images, labels):
        normal = (images / np.float32(255) - mean) / std
        return torch.tensor(normal, device=device), torch.tensor(labels.astype(np.int64), device=device)

    n = len(pixels) * 4 // 5
    model = network(args.arch, pixels.shape[1], args.channels, args.cells).to(device)
    seen = train(model, *to_tensors(pixels[:n], targets[:n]), args)
    score = accuracy(model, *to_tensors(pixels[n:], targets[n:]))
    print(json.dumps({"score": score, "cost": seen, "columns": {"test_accuracy": accuracy(model, *to_tensors(*test))}}))


if __name__ == "__main__":
    main()
