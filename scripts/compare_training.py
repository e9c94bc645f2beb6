#!/usr/bin/python3
"""Training with PyTorch and with robotnas, side by side on this machine, one thread each.

usage: compare_training.py ROBOTNAS [--rounds N] [--steps N] [--channels-last] [CASE...]
CASE: nas-bench-201, or one of the networks of torch_networks.py; default: all.

Both train the same networks (batch 64, images of 3 x 32 x 32, 16 channels): three of NAS-Bench-201 with 5 cells a stage, two of
DARTS with 5 cells and two of TransNAS-Bench-101, which robotnas reads as ONNX files. A step is forward, backward and a Nesterov
step of stochastic gradient descent. The two take turns, so that whatever else the machine does hits
both alike; times are of the processor, the table has medians over the rounds. robotnas also mirrors and crops its images, PyTorch
gets ready tensors.
Ends with 77 where PyTorch is not installed.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings

try:
    import torch
except ImportError:
    print("SKIPPED: no Python with torch")
    sys.exit(77)

from torch import nn

import torch_networks

EDGES = [(0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)]
BATCH, CHANNELS, CELLS = 64, 16, 5


def convolution(c, k):
    return nn.Sequential(nn.ReLU(), nn.Conv2d(c, c, k, padding=k // 2, bias=False), nn.BatchNorm2d(c))


class Cell(nn.Module):
    MAKE = {
        "skip_connect": lambda c: nn.Identity(),
        "nor_conv_1x1": lambda c: convolution(c, 1),
        "nor_conv_3x3": lambda c: convolution(c, 3),
        "avg_pool_3x3": lambda c: nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False),
    }

    def __init__(self, operations, c):
        super().__init__()
        self.live = [(edge, operation) for edge, operation in zip(EDGES, operations) if operation != "none"]
        self.edges = nn.ModuleList(self.MAKE[operation](c) for _, operation in self.live)

    def forward(self, x):
        node = [x, 0, 0, 0]
        for ((source, target), _), edge in zip(self.live, self.edges):
            if torch.is_tensor(node[source]):
                node[target] = node[target] + edge(node[source])
        return node[3]


class Reduction(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.path = nn.Sequential(
            nn.ReLU(), nn.Conv2d(c, 2 * c, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(2 * c),
            nn.ReLU(), nn.Conv2d(2 * c, 2 * c, 3, padding=1, bias=False), nn.BatchNorm2d(2 * c))
        self.shortcut = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(c, 2 * c, 1, bias=False))

    def forward(self, x):
        return self.path(x) + self.shortcut(x)


def network(arch):
    operations = [edge.split("~")[0] for node in arch.split("+") for edge in node.strip("|").split("|")]
    layers = [nn.Conv2d(3, CHANNELS, 3, padding=1, bias=False), nn.BatchNorm2d(CHANNELS)]
    for stage in range(3):
        c = CHANNELS << stage
        if stage:
            layers.append(Reduction(c // 2))
        layers += [Cell(operations, c) for _ in range(CELLS)]
    c = CHANNELS << 2
    return nn.Sequential(*layers, nn.BatchNorm2d(c), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c, 10))


class Torch:
    def __init__(self, net, layout):
        self.net = net.to(memory_format=layout)
        self.descent = torch.optim.SGD(self.net.parameters(), lr=0.01, momentum=0.9, nesterov=True, weight_decay=5e-4)
        self.images, self.labels = torch.randn(BATCH, 3, 32, 32), torch.randint(10, (BATCH,))
        self.images = self.images.contiguous(memory_format=layout)
        self.step()

    def step(self):
        begin = time.process_time()
        self.descent.zero_grad()
        nn.functional.cross_entropy(self.net(self.images), self.labels).backward()
        self.descent.step()
        return time.process_time() - begin

    def images_per_s(self, steps):
        return BATCH / statistics.median(self.step() for _ in range(steps))


def bench(binary, steps, *network):
    """What `robotnas bench train` found, a list of networks."""
    command = [binary, "bench", "train", "--json", "--repeats", str(steps), *network]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["architectures"]


def compare(name, net, network_options, options):
    layout = torch.channels_last if options.channels_last else torch.contiguous_format
    theirs, ours, rounds = Torch(net, layout), [], []
    for _ in range(options.rounds):
        rounds.append(theirs.images_per_s(options.steps))
        ours.append(bench(options.binary, options.steps, *network_options)[0]["images_per_s"])
    a, b = statistics.median(rounds), statistics.median(ours)
    print(f"{a:9.1f} {b:9.1f} {b / a:6.2f}  {name}", flush=True)


def compare_case(name, options, folder):
    if name == "nas-bench-201":
        for arch in [a["arch"] for a in bench(options.binary, 1)]:
            compare(arch, network(arch), ["--arch", arch], options)
        return
    space, arch = torch_networks.CASES[name]
    net = torch_networks.build(space, arch, CHANNELS, CELLS, 10, 32)
    path = os.path.join(folder, name + ".onnx")
    torch_networks.export(net, 32, path)
    compare(name, net, ["--onnx", path], options)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary", metavar="ROBOTNAS")
    parser.add_argument("case", metavar="CASE", nargs="*", default=["nas-bench-201", *torch_networks.CASES])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--channels-last", action="store_true", help="PyTorch's memory_format; default: its contiguous one")
    options = parser.parse_intermixed_args()
    for name in options.case:
        if name != "nas-bench-201" and name not in torch_networks.CASES:
            parser.error(f"there is no case '{name}'; there are nas-bench-201, {', '.join(torch_networks.CASES)}")
    warnings.simplefilter("ignore")
    torch_networks.use_one_thread()
    print(f"{torch_networks.processor()}; images/s, batch {BATCH}, {CHANNELS} channels, {CELLS} cells, one thread; "
          f"PyTorch {torch.__version__}")
    print(f"{'PyTorch':>9} {'robotnas':>9} {'ratio':>6}  network")
    with tempfile.TemporaryDirectory() as folder:
        for name in options.case:
            compare_case(name, options, folder)


main()
