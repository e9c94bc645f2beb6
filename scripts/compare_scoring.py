#!/usr/bin/python3
"""Scoring with PyTorch and with robotnas, side by side on this machine, one thread each.

usage: compare_scoring.py ROBOTNAS [--rounds N] [--channels C] [--cells K] [--side S] [--batch N] [CASE...]
CASE: one of those that --help lists; default: all.

Both measure the six metrics of the paper on the same network, which PyTorch builds (torch_networks.py) and robotnas reads as an
ONNX file. PyTorch computes them by their public definitions (foresight, zero-cost-nas, NASLib): each by itself, in its own passes,
without what a framework around them adds (copies of the network, data loaders). The two take turns, so that whatever
else the machine does hits both alike; times are of the processor, the table has medians over the rounds. robotnas's include
drawing the parameters, PyTorch's do not.
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
from torch.nn.functional import cross_entropy

import torch_networks

CLASSES = 10
METRICS = "grad_norm,snip,grasp,fisher,synflow,jacob_cov"


def layers(net):
    return [m for m in net.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]


def weights(net):
    return [m.weight for m in layers(net)]


def grad_norm(net, x, y):
    net.zero_grad()
    cross_entropy(net(x), y).backward()
    return sum(w.grad.norm() for w in weights(net))


def snip(net, x, y):
    """By the gradient of a mask on every weight, which is that of the weight times it."""
    net.zero_grad()
    cross_entropy(net(x), y).backward()
    return sum((w.grad * w).abs().sum() for w in weights(net))


def grasp(net, x, y):
    net.zero_grad()
    gradient = torch.autograd.grad(cross_entropy(net(x), y), weights(net))
    again = torch.autograd.grad(cross_entropy(net(x), y), weights(net), create_graph=True)
    sum((a.detach() * b).sum() for a, b in zip(gradient, again)).backward()
    return sum((-w * w.grad).sum() for w in weights(net))


def fisher(net, x, y):
    """Of every layer's output, by hooks."""
    total, hooks = [], []

    def keep(_module, _inputs, output):
        value = output.detach()

        def add(gradient):
            g = (value * gradient).sum((2, 3) if value.dim() == 4 else ())
            total.append(0.5 * g.pow(2).mean(0).sum())

        output.register_hook(add)

    for layer in layers(net):
        hooks.append(layer.register_forward_hook(keep))
    net.zero_grad()
    cross_entropy(net(x), y).backward()
    for hook in hooks:
        hook.remove()
    return sum(total)


def synflow(net, x, _y):
    """In float64, on one image of ones, with batch normalisation left out, as the public code does it."""
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    forwards = [m.forward for m in norms]
    signs = {name: value.sign() for name, value in net.state_dict().items()}
    with torch.no_grad():
        for value in net.state_dict().values():
            value.abs_()
    for norm in norms:
        norm.forward = lambda input: input
    net.zero_grad()
    net.double()
    net(torch.ones([1] + list(x.shape[1:]), dtype=torch.float64)).sum().backward()
    value = sum((w * w.grad).abs().sum() for w in weights(net))
    net.float()
    with torch.no_grad():
        for name, tensor in net.state_dict().items():
            tensor.mul_(signs[name])
    for norm, forward in zip(norms, forwards):
        norm.forward = forward
    return value


def jacob_cov(net, x, _y):
    net.zero_grad()
    x = x.detach().clone().requires_grad_(True)
    net(x).backward(torch.ones(len(x), CLASSES))
    correlation = torch.corrcoef(x.grad.reshape(len(x), -1)).nan_to_num()
    value = torch.linalg.eigvalsh(correlation)
    return -(torch.log(value + 1e-5) + 1 / (value + 1e-5)).sum()


class Torch:
    def __init__(self, net, options):
        self.net = net
        self.images = torch.randn(options.batch, 3, options.side, options.side)
        self.labels = torch.randint(CLASSES, (options.batch,))

    def seconds(self):
        """Of the processor, of each metric."""
        took = {}
        for metric in (grad_norm, snip, grasp, fisher, synflow, jacob_cov):
            begin = time.process_time()
            metric(self.net, self.images, self.labels)
            took[metric.__name__] = time.process_time() - begin
        return took


def robotnas(options, path):
    command = [options.binary, "bench", "score", "--onnx", path, "--batch", str(options.batch), "--metrics", METRICS, "--json",
               "--repeats", "3"]
    done = subprocess.run(command, check=True, capture_output=True, env=dict(os.environ, OMP_NUM_THREADS="1"))
    return json.loads(done.stdout)["architectures"][0]


def compare(name, options, folder):
    space, arch = torch_networks.CASES[name]
    net = torch_networks.build(space, arch, options.channels, options.cells, CLASSES, options.side)
    path = os.path.join(folder, name + ".onnx")
    torch_networks.export(net, options.side, path)
    theirs, rounds, ours = Torch(net, options), [], []
    theirs.seconds()
    for _ in range(options.rounds):
        rounds.append(theirs.seconds())
        ours.append(robotnas(options, path))
    a = 1e3 * statistics.median(sum(r.values()) for r in rounds)
    b = 1e3 * statistics.median(r["seconds"] for r in ours)
    parts = ", ".join(f"{m} {1e3 * statistics.median(r[m] for r in rounds):.0f}" for m in rounds[0])
    print(f"{a:9.0f} {b:9.0f} {a / b:6.2f}  {name}: {parts}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary", metavar="ROBOTNAS")
    parser.add_argument("case", metavar="CASE", nargs="*", default=list(torch_networks.CASES), help=", ".join(torch_networks.CASES))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--channels", type=int, default=16)
    parser.add_argument("--cells", type=int, default=5, help="of DARTS, in all")
    parser.add_argument("--side", type=int, default=32, help="rows and columns of an image; DARTS has ImageNet's stem from 128 on")
    parser.add_argument("--batch", type=int, default=64)
    options = parser.parse_intermixed_args()
    unknown = [name for name in options.case if name not in torch_networks.CASES]
    if unknown:
        parser.error(f"there is no case '{unknown[0]}'; there are {', '.join(torch_networks.CASES)}")
    warnings.simplefilter("ignore")
    torch_networks.use_one_thread()
    print(f"{torch_networks.processor()}, PyTorch {torch.__version__}, one thread; batch {options.batch}, {options.channels} channels, "
          f"images of {options.side} x {options.side}; six metrics")
    print(f"{'PyTorch':>9} {'robotnas':>9} {'ratio':>6}  network; PyTorch's ms of each metric", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in options.case:
            compare(name, options, folder)


main()
