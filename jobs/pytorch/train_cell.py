#!/usr/bin/env python3
"""An example of a trainer for `objective.kind: command` (docs/command.md): trains a cell of NAS-Bench-201 with PyTorch.

    train_cell.py --arch '|nor_conv_3x3~0|+|none~0|skip_connect~1|+|skip_connect~0|none~1|none~2|' --seed 1 \\
        --train train.h5 --test test.h5 --work FOLDER

Images are those that a job's `data` may name, told by what the files hold: HDF5 (as of `robotnas convert`), IDX (images, then
labels; gzip or not) or CIFAR's binary version; of any size and number of classes. `--data FOLDER` stands for the usual names:
train.h5 and test.h5, or those of MNIST's or CIFAR-10's files. A fifth of the training images is held out, drawn by the seed
from every class in proportion; the answer is one line of JSON:

    {"score": accuracy on those in percent, "cost": images seen, "columns": {"test_accuracy": in percent, or null}}

It runs on GPU number `--device` where PyTorch has GPUs, else on one thread, where equal arguments give equal answers. With
`--work` it saves where it stands after every epoch and goes on from there when it is started again.
Needs PyTorch and NumPy, for HDF5 h5py (Debian: python3-torch python3-numpy python3-h5py).
"""

import argparse
import gzip
import json
import math
import os
import pathlib
import sys

import numpy as np
import torch
from torch import nn
from torch.nn import functional

EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))  # in the order of the architecture's name
CIFAR_PIXELS = 3 * 32 * 32

# ------------------------------------------------------------------------------------------------------------------ images


def read_array(data):
    """The array of an IDX file's content."""
    shape = np.frombuffer(data, ">i4", count=data[3], offset=4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(shape)


def read_hdf5(path):
    import h5py

    with h5py.File(path) as file:
        return file["images"][:], file["labels"][:]


def read_cifar(data):
    """Records of one label (CIFAR-10) or of a coarse and a fine one (CIFAR-100), and pixels."""
    n_labels = 1 if len(data) % (1 + CIFAR_PIXELS) == 0 else 2
    records = np.frombuffer(data, np.uint8).reshape(-1, n_labels + CIFAR_PIXELS)
    return records[:, n_labels:].reshape(-1, 3, 32, 32), records[:, n_labels - 1]


def read_files(paths):
    """(images [N, C, H, W], labels [N]) of files one after the other."""
    parts, waiting = [], None  # waiting: IDX images, whose labels come next
    for path in paths:
        if open(path, "rb").read(4) == b"\x89HDF":
            parts.append(read_hdf5(path))
            continue
        data = open(path, "rb").read()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
        if data[:3] != b"\0\0\x08" or data[3] not in (1, 3, 4):
            parts.append(read_cifar(data))
        elif waiting is None:
            waiting = read_array(data)
        else:
            parts.append((waiting, read_array(data)))
            waiting = None
    images = np.concatenate([part[0] for part in parts])
    if images.ndim == 3:
        images = images[:, None]
    return images, np.concatenate([part[1] for part in parts]).astype(np.int64)


def usual_files(folder):
    """(files to train on, files to test on) of a folder."""
    if (folder / "train.h5").exists():
        names = ["train.h5"], ["test.h5"]
    elif (folder / "data_batch_1.bin").exists():
        names = [f"data_batch_{i}.bin" for i in range(1, 6)], ["test_batch.bin"]
    else:
        names = [[f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte"] for part in ("train", "t10k")]
    found = [[next((p for p in (folder / name, folder / (name + ".gz")) if p.exists()), None) for name in part]
             for part in names]
    return [[path for path in part if path] for part in found]


def mixed(labels, seed):
    """All places in an order whose front, as long as it may be, has the classes in proportion; drawn by the seed."""
    draw = np.random.default_rng(seed)
    place = np.empty(len(labels))
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        place[draw.permutation(members)] = (np.arange(len(members)) + draw.random()) / len(members)
    return np.argsort(place, kind="stable")


# ----------------------------------------------------------------------------------------------------------------- network


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
    """The residual block between two stages: half the resolution, rounded up, twice the channels."""

    def __init__(self, channels):
        super().__init__()
        self.convs = nn.Sequential(ReluConvBn(channels, 2 * channels, 3, 2), ReluConvBn(2 * channels, 2 * channels, 3))
        self.shortcut = nn.Sequential(nn.AvgPool2d(2, ceil_mode=True), nn.Conv2d(channels, 2 * channels, 1, bias=False))

    def forward(self, x):
        return self.convs(x) + self.shortcut(x)


def network(arch, image_channels, classes, channels, cells):
    """Dong & Yang, NAS-Bench-201, ICLR 2020: a stem, three stages of equal cells, a head."""
    names = [edge.split("~")[0] for node in arch.split("+") for edge in node.strip("|").split("|")]
    layers = [nn.Conv2d(image_channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels)]
    for stage in range(3):
        if stage > 0:
            layers.append(Reduction(channels))
            channels *= 2
        layers += [Cell(names, channels) for _ in range(cells)]
    layers += [nn.BatchNorm2d(channels), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes)]
    return nn.Sequential(*layers)


# ---------------------------------------------------------------------------------------------------------------- training


class Images:
    """Images and labels on the device, as they are stored; normalised when they are asked for."""

    def __init__(self, images, labels, mean, std, device):
        # bytes as they are, any other number as float32
        self.images = torch.tensor(images if images.dtype == np.uint8 else images.astype(np.float32), device=device)
        self.labels = torch.tensor(labels, device=device)
        self.scale = 255 if images.dtype == np.uint8 else 1
        self.mean, self.std = (torch.tensor(v, dtype=torch.float32, device=device).view(1, -1, 1, 1) for v in (mean, std))

    def __len__(self):
        return len(self.labels)

    def batch(self, chosen):
        return (self.images[chosen].float() / self.scale - self.mean) / self.std, self.labels[chosen]


def moments(images):
    """Mean and standard deviation of every channel, of bytes as they are divided by 255."""
    scale = 255 if images.dtype == np.uint8 else 1
    per_channel = [images[:, c].astype(np.float32) / scale for c in range(images.shape[1])]
    return [float(x.mean(dtype=np.float64)) for x in per_channel], [float(x.std(dtype=np.float64)) or 1.0 for x in per_channel]


class Training:
    """What changes in a training, and its file in the folder `work`."""

    def __init__(self, model, n_steps, args):
        self.model = model
        self.epoch = 0  # that comes next
        self.optimiser = torch.optim.SGD(model.parameters(), args.rate, momentum=0.9, weight_decay=5e-4, nesterov=True)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimiser, lambda i: (1 + math.cos(math.pi * min(i / max(n_steps, 1), 1))) / 2)
        self.path = args.work / "checkpoint.pt" if args.work else None
        # what must be equal for a checkpoint to be of this training
        self.of = {name: str(value) for name, value in sorted(vars(args).items()) if name not in ("work", "device")}

    def save(self):
        """Whole at every instant: written beside its place, then renamed."""
        if not self.path:
            return
        aside = self.path.with_suffix(".tmp")
        with open(aside, "wb") as file:
            torch.save({"of": self.of, "epoch": self.epoch, "model": self.model.state_dict(),
                        "optimiser": self.optimiser.state_dict(), "schedule": self.schedule.state_dict()}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, self.path)

    def load(self, device):
        """Go on from the checkpoint, where there is one of this training."""
        if not self.path or not self.path.exists():
            return
        try:
            saved = torch.load(self.path, map_location=device)
            if saved["of"] != self.of:
                raise ValueError("it is of another training")
            self.model.load_state_dict(saved["model"])
            self.optimiser.load_state_dict(saved["optimiser"])
            self.schedule.load_state_dict(saved["schedule"])
            self.epoch = saved["epoch"]
            print(f"going on after {self.epoch} epochs", file=sys.stderr)
        except Exception as reason:  # damaged in any way: begin anew
            print(f"{self.path}: {reason}; beginning anew", file=sys.stderr)


def steps_of_epoch(images, args):
    """(steps, images of a step); what is left over is not seen."""
    batch = min(args.batch, len(images))
    return len(images) // batch, batch


def train_epoch(training, images, args):
    """Stochastic gradient descent, its rate falling as half a cosine."""
    training.model.train()
    # a function of seed and epoch alone, so that nothing of it need be saved
    draw = torch.Generator().manual_seed((args.seed * 1_000_003 + training.epoch) % 2**63)
    order = torch.randperm(len(images), generator=draw).to(images.labels.device)
    steps, batch = steps_of_epoch(images, args)
    for step in range(steps):
        x, y = images.batch(order[step * batch:(step + 1) * batch])
        training.optimiser.zero_grad()
        functional.cross_entropy(training.model(x), y).backward()
        training.optimiser.step()
        training.schedule.step()
    training.epoch += 1
    training.save()


@torch.no_grad()
def accuracy(model, images):
    """In percent."""
    model.eval()
    right = 0
    for chosen in torch.arange(len(images), device=images.labels.device).split(500):
        x, y = images.batch(chosen)
        right += (model(x).argmax(1) == y).sum().item()
    return 100 * right / len(images)


def device_of(number):
    """The GPU of that number, where there are any; ranks beyond them share."""
    gpus = torch.cuda.device_count()
    return torch.device(f"cuda:{number % gpus}" if gpus else "cpu")


def add_arguments(parser):
    """Those of images, network and training, which other programs share."""
    parser.add_argument("--data", type=pathlib.Path, help="a folder of images under their usual names")
    parser.add_argument("--train", type=pathlib.Path, nargs="+", default=[], help="files of training images")
    parser.add_argument("--test", type=pathlib.Path, nargs="+", default=[], help="files of test images")
    parser.add_argument("--device", type=int, default=0, help="number of the GPU, where there are any")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--limit", type=int, help="at most so many training images, of every class in proportion")
    parser.add_argument("--validation", type=float, default=0.2, help="the part of them that is held out")


def read_images(args):
    """((images, labels) to train on, the same held out, the same to test on, or None)"""
    files, test_files = args.train, args.test
    if args.data:
        files, test_files = usual_files(args.data)
    if not files:
        raise SystemExit("no training images: --train FILE... or --data FOLDER")
    images, labels = read_files(files)
    order = mixed(labels, args.seed % 2**63)[:args.limit]
    n_valid = min(max(round(args.validation * len(order)), 1), len(order) - 1)
    valid, train_on = np.sort(order[:n_valid]), np.sort(order[n_valid:])
    test = read_files(test_files) if test_files else None
    return (images[train_on], labels[train_on]), (images[valid], labels[valid]), test


def main():
    parser = argparse.ArgumentParser(description="Train a cell of NAS-Bench-201; answer with its accuracy.")
    parser.add_argument("--arch", required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--channels", type=int, default=16, help="of the first stage")
    parser.add_argument("--cells", type=int, default=5, help="of each stage")
    parser.add_argument("--rate", type=float, default=0.1, help="learning rate of the first step")
    parser.add_argument("--work", type=pathlib.Path, help="folder of the checkpoint")
    add_arguments(parser)
    args = parser.parse_args()

    torch.manual_seed(args.seed % 2**63)
    torch.set_num_threads(1)
    torch.backends.cudnn.deterministic = True
    device = device_of(args.device)

    parts = read_images(args)
    classes = 1 + int(max(part[1].max() for part in parts[:2]))
    mean, std = moments(parts[0][0])
    train_on, valid, test = [part and Images(*part, mean, std, device) for part in parts]
    model = network(args.arch, parts[0][0].shape[1], classes, args.channels, args.cells).to(device)
    steps, batch = steps_of_epoch(train_on, args)
    training = Training(model, args.epochs * steps, args)
    training.load(device)
    while training.epoch < args.epochs:
        train_epoch(training, train_on, args)
    seen = args.epochs * steps * batch
    score = accuracy(model, valid)
    print(json.dumps({"score": score, "cost": seen, "columns": {"test_accuracy": accuracy(model, test) if test else None}}))


if __name__ == "__main__":
    main()
