#!/usr/bin/env python3
"""Reference values of networks in ONNX files, from PyTorch in float64: writes tests/data/network-*.onnx and, beside each, .h5.

    scripts/make_network_references.py [FOLDER]

Needs PyTorch, h5py and NumPy (Debian: python3-torch python3-h5py); the files in the repository come from PyTorch 1.13.
worker/verify/reference.h describes the layout. `robotnas verify` compares, on any backend.

The networks are small and have between them what NAS-Bench-201's do not: windows of any shape, groups, dilation, uneven padding, odd
sizes, pools of all kinds, concatenations of odd widths, weights that several layers share, rectifiers that share a tensor, ReLU6,
BNs in odd places, of an own eps or none at all, several linear layers or none. Images, weights, gammas, betas and biases
are drawn as scripts/make_references.py draws them, which defines the metrics too; and for such networks:

    weights      of every convolution and linear layer; one that several share is one, its gradients added before any norm
    fisher       each use of a layer by itself, its output with bias
    flops        multiply-adds of every convolution and linear layer, each use
    nwot         a tensor once for each kind of rectifier that reads it, by its sign
    synflow      without any BN, whose parameters do not count; ReLU6 as ReLU
    jacob_cov    NaN, and the gradient by the images 0, where that is 0 but for rounding: it is so by construction then

A training takes its images from what tests/system/images.py writes in the place of CIFAR-10's file, with the seed 1; cut to the network's
size, normalised, labels modulo the classes.
"""

import copy
import io
import pathlib
import subprocess
import sys
import tempfile

import h5py
import numpy as np
import torch
from torch import nn
from torch.nn import functional

import reference_metrics as more
from make_references import gradients, jacob_cov

ROOT = pathlib.Path(__file__).resolve().parent.parent
BATCH, STEPS = 4, 4
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)


# ---------------------------------------------------------------------------------------------------------------- networks


class Halved(nn.Module):
    """Two convolutions of a pixel with stride 2, the second one pixel further right and down, zeros beyond the edge; then BN."""

    def __init__(self, c_in, c_out):
        super().__init__()
        self.relu, self.bn = nn.ReLU(), nn.BatchNorm2d(c_out)
        self.a = nn.Conv2d(c_in, c_out // 2, 1, 2, bias=False)
        self.b = nn.Conv2d(c_in, c_out - c_out // 2, 1, 2, bias=False)

    def forward(self, x):
        x = self.relu(x)
        moved = functional.pad(x, (0, 1, 0, 1))[:, :, 1:, 1:]
        return self.bn(torch.cat([self.a(x), self.b(moved)], 1))


def adjusted(c_in, c_out):
    return nn.Sequential(nn.ReLU(), nn.Conv2d(c_in, c_out, 1, bias=False), nn.BatchNorm2d(c_out))


def separable(c, kernel, stride=1, dilation=1):
    padding = dilation * (kernel // 2)
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(c, c, kernel, stride, padding, dilation, groups=c, bias=False),
        nn.Conv2d(c, c, 1, bias=False),
        nn.BatchNorm2d(c),
    )


class Cell(nn.Module):
    """As DARTS has them: two inputs, two nodes that are sums of two, side by side at the end."""

    def __init__(self, first, second, edges):
        super().__init__()
        self.first, self.second = first, second
        self.edges = nn.ModuleList(edge for edge, _ in edges)
        self.sources = [source for _, source in edges]

    def forward(self, before, last):
        nodes = [self.first(before), self.second(last)]
        for a in range(0, len(self.sources), 2):
            terms = [self.edges[e](nodes[self.sources[e]]) for e in (a, a + 1)]
            nodes.append(terms[0] + terms[1])
        return torch.cat(nodes[2:], 1)


class Cells(nn.Module):
    """A cell, one that halves the image, and one behind it, whose gradient of the sum of the logits ends at its first BNs."""

    size, classes = (13, 13), 10

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6))
        mean = nn.AvgPool2d(3, 1, 1, count_include_pad=False)
        plain = [(separable(4, 3), 0), (nn.MaxPool2d(3, 1, 1), 1), (nn.Identity(), 2), (mean, 1)]
        mean = nn.AvgPool2d(3, 2, 1, count_include_pad=False)
        halving = [(separable(8, 5, 2), 0), (nn.MaxPool2d(3, 2, 1), 1), (mean, 0), (separable(8, 3), 2)]
        behind = [(separable(8, 3), 0), (nn.Identity(), 1), (separable(8, 5, dilation=2), 2), (nn.Identity(), 0)]
        self.cells = nn.ModuleList([
            Cell(adjusted(6, 4), adjusted(6, 4), plain),
            Cell(adjusted(6, 8), adjusted(8, 8), halving),
            Cell(Halved(8, 8), adjusted(16, 8), behind),
        ])
        self.pool, self.head = nn.AdaptiveAvgPool2d(1), nn.Linear(16, self.classes)

    def forward(self, x):
        before = last = self.stem(x)
        for cell in self.cells:
            before, last = last, cell(before, last)
        return self.head(self.pool(last).flatten(1))


class Mixed(nn.Module):
    """Windows, pools and joins of every kind, ending flat in two linear layers."""

    size, classes, trains = (11, 14), 7, True

    def __init__(self):
        super().__init__()
        self.wide, self.tall = nn.Conv2d(3, 5, (1, 5), padding=(0, 2)), nn.Conv2d(3, 7, (4, 1), (1, 1), bias=False)
        self.bn, self.relu, self.again, self.relu6 = nn.BatchNorm2d(12), nn.ReLU(), nn.ReLU(), nn.ReLU6()
        self.shared = nn.Conv2d(12, 12, 3, padding=1, groups=3, bias=False)
        self.norm = nn.BatchNorm2d(12, affine=False)
        self.deep = nn.Conv2d(12, 12, 3, (2, 1), 2, 2, groups=12, bias=False)
        self.most = nn.MaxPool2d((2, 3), (2, 2), (0, 1), ceil_mode=True)
        self.mean = nn.AvgPool2d(3, 2, 1, ceil_mode=True)
        self.within = nn.AvgPool2d(3, 1, (0, 1), count_include_pad=False)
        self.squeeze = nn.Conv2d(24, 5, 2, bias=False)
        self.six = nn.ReLU6()
        self.hidden, self.between, self.head = nn.Linear(5 * 3 * 7, 9), nn.ReLU(), nn.Linear(9, self.classes, bias=False)

    def forward(self, x):
        x = torch.cat([self.wide(x), self.tall(functional.pad(x, (0, 0, 2, 1)))], 1)
        x = self.bn(x)
        y = self.shared(self.relu(x)) + self.shared(self.norm(self.relu6(x))) + self.again(x)
        y = torch.cat([self.mean(self.deep(y)), self.within(self.most(y))], 1)
        return self.head(self.between(self.hidden(self.six(self.squeeze(y)).flatten(1))))


class Joined(nn.Module):
    """BNs behind a concatenation and behind sums, one of them before the head, which is a mean and nothing else."""

    size, classes = (12, 9), 11

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 5, 3, 2, 1)
        self.bn = nn.BatchNorm2d(5)
        self.relu, self.outer, self.last = nn.ReLU(), nn.ReLU(), nn.ReLU()
        self.branch = nn.Conv2d(5, 6, 3, padding=1)
        self.side = nn.Sequential(nn.Conv2d(11, 11, 1, bias=False), nn.BatchNorm2d(11, eps=1.0))
        self.body = nn.Sequential(nn.ReLU(), nn.Conv2d(11, 11, 3, padding=1, bias=False), nn.BatchNorm2d(11, eps=1e-3))
        self.joint, self.final = nn.BatchNorm2d(11), nn.BatchNorm2d(11)
        self.pool = nn.AdaptiveAvgPool2d(1)

    def forward(self, x):
        x = self.stem(x)
        x = self.joint(torch.cat([x, self.branch(self.relu(self.bn(x)))], 1))
        x = self.body(x) + self.side(self.outer(x))
        return self.pool(self.last(self.final(x))).flatten(1)


NETWORKS = {"cells": Cells, "mixed": Mixed, "joined": Joined}
LAYERS = (nn.Conv2d, nn.Linear)


def draw_parameters(network):
    """What PyTorch makes 1 or 0 is random, too; all rounded to float32."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d) and module.affine:
            module.weight.data = 1 + 0.2 * torch.randn(module.num_features)
            module.bias.data = 0.2 * torch.randn(module.num_features)


# ------------------------------------------------------------------------------------------------------------------ values


class Pass:
    """A forward pass: outputs of every layer, what rectifiers read, how BNs' channels vary, and what the head takes means of."""

    def __init__(self, network, images):
        self.uses, self.read, self.variances = [], {}, []
        head = network.pool if hasattr(network, "pool") else network.head
        hooks = [head.register_forward_hook(lambda _, x, __: setattr(self, "features", x[0].detach()))]
        for module in network.modules():
            if isinstance(module, LAYERS):
                hooks.append(module.register_forward_hook(lambda layer, _, output: self.uses.append((layer, output))))
            if isinstance(module, nn.BatchNorm2d):
                hooks.append(module.register_forward_hook(self.vary))
            if isinstance(module, (nn.ReLU, nn.ReLU6)):
                hooks.append(module.register_forward_hook(lambda relu, x, _: self.read.update({(type(relu), id(x[0])): x[0]})))
        self.logits = network(images)
        for hook in hooks:
            hook.remove()

    def vary(self, norm, x, _):
        self.variances.append(x[0].detach().var((0, 2, 3), unbiased=False))


def weights_of(network):
    return [module.weight for module in network.modules() if isinstance(module, LAYERS)]


def fisher(uses, loss):
    total = 0.0
    for (layer, output), gradient in zip(uses, gradients(loss, [output for _, output in uses], retain_graph=True)):
        sums = (output * gradient).flatten(2).sum(2) if output.dim() == 4 else output * gradient
        total += float((sums**2).mean(0).sum()) / 2 * layer.weight[0].numel()
    return total


def signs_of(read):
    return torch.cat([(x > 0).detach().flatten(1) for x in read.values()], 1)


def nwot(read):
    signs = signs_of(read)
    agree = (signs[:, None, :] == signs[None, :, :]).sum(2)
    return np.linalg.slogdet(agree.double().numpy())[1]


def input_gradient(network, images):
    inputs = images.clone().requires_grad_()
    (jacobian,) = gradients(network(inputs).sum(), [inputs])
    return torch.zeros_like(jacobian) if jacobian.abs().max() < 1e-12 else jacobian


def synflow(network, image_shape):
    flow = copy.deepcopy(network)
    for module in flow.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.forward = lambda x: x
        if isinstance(module, nn.ReLU6):
            module.forward = functional.relu
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter.abs_()
    weights = weights_of(flow)
    total = flow(torch.ones(1, *image_shape, dtype=torch.float64)).sum()
    return sum(float((w * g).abs().sum()) for w, g in zip(weights, gradients(total, weights)))


def more_values(network, images, labels):
    few, weights = images[: more.FEW], weights_of(network)
    forward = Pass(network, few)
    values = {"ntk": more.ntk(forward.logits, weights), "swap": more.swap(signs_of(forward.read))}
    losses = [functional.cross_entropy(network(x), y) for x, y in zip(more.halves(images), more.halves(labels))]
    values["zico"] = more.zico([gradients(loss, weights) for loss in losses])
    with more.scaled(weights):
        passes = [Pass(network, noise) for noise in more.noise(images.shape)]
    values["zen"] = more.zen([one.features for one in passes], passes[0].variances)
    return values


def expected_values(network, images, labels):
    """Every dataset under expected/ but the losses."""
    forward = Pass(network, images)
    loss = functional.cross_entropy(forward.logits, labels)
    weights = weights_of(network)
    slopes = gradients(loss, weights, create_graph=True)
    products = [(w * g).detach() for w, g in zip(weights, slopes)]
    along = sum((g * g.detach()).sum() for g in slopes)
    curvature = gradients(along, weights, retain_graph=True)
    jacobian = input_gradient(network, images)
    values = {
        "logits": forward.logits.detach().numpy(),
        "loss": float(loss),
        "grad_norm": sum(float(g.norm()) for g in slopes),
        "snip": sum(float(p.abs().sum()) for p in products),
        "plain": sum(float(p.sum()) for p in products),
        "l2_norm": sum(float(w.norm()) for w in weights),
        "grasp": -sum(float((w * h).sum()) for w, h in zip(weights, curvature)),
        "fisher": fisher(forward.uses, loss),
        "nwot": nwot(forward.read),
        "params": float(sum(p.numel() for p in network.parameters())),
        "flops": float(sum(layer.weight[0].numel() * output[0].numel() for layer, output in forward.uses)),
        "input_gradient": jacobian.numpy(),
        "jacob_cov": jacob_cov(jacobian),
        "synflow": synflow(network, images.shape[1:]),
    }
    values["log_synflow"] = np.log(values["synflow"])
    values.update(more_values(network, images, labels))
    parameters = dict(network.named_parameters())
    for name, gradient in zip(parameters, gradients(loss, list(parameters.values()), retain_graph=True)):
        values["gradients/" + name] = gradient.numpy()
    return values


def course(count, size):
    """Images and labels in the place of CIFAR-10's, as the network takes them."""
    with tempfile.NamedTemporaryFile() as file:
        subprocess.run([sys.executable, ROOT / "tests" / "system" / "images.py", file.name, str(count), "1"], check=True)
        records = np.fromfile(file.name, np.uint8).reshape(count, 3073)
    pixels = records[:, 1:].reshape(count, 3, 32, 32) / 255
    mean, std = (np.array(numbers).reshape(1, 3, 1, 1) for numbers in (MEAN, STD))
    images = ((pixels - mean) / std).astype(np.float32)[:, :, : size[0], : size[1]]
    return torch.tensor(images), torch.tensor(records[:, 0].astype(np.int64))


def losses(network):
    """The loss of every batch before its step. Changes the network."""
    descent = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)
    images, labels = course(BATCH * STEPS, network.size)
    found = []
    for step in range(STEPS):
        batch = slice(step * BATCH, (step + 1) * BATCH)
        descent.param_groups[0]["lr"] = 0.05 * (1 + np.cos(np.pi * step / STEPS))
        descent.zero_grad()
        loss = functional.cross_entropy(network(images[batch].double()), labels[batch] % network.classes)
        loss.backward()
        descent.step()
        found.append(float(loss))
    return np.array(found)


# ------------------------------------------------------------------------------------------------------------------- files


def export(network, path):
    buffer = io.BytesIO()
    options = {"training": torch.onnx.TrainingMode.TRAINING, "do_constant_folding": False, "opset_version": 13}
    names = {"input_names": ["images"], "output_names": ["logits"], "dynamic_axes": {"images": {0: "n"}, "logits": {0: "n"}}}
    torch.onnx.export(copy.deepcopy(network), torch.zeros(2, 3, *network.size), buffer, **options, **names)
    path.write_bytes(buffer.getvalue())


def write(name, kind, seed, folder):
    torch.manual_seed(seed)
    network = kind().train()
    draw_parameters(network)
    images, labels = torch.randn(BATCH, 3, *network.size), torch.randint(network.classes, (BATCH,))
    path = folder / f"network-{name}.h5"
    export(network, path.with_suffix(".onnx"))
    network.double()
    with h5py.File(path, "w", libver="v110") as file:
        file.attrs.update(model=name, classes=network.classes)
        file["input/images"], file["input/labels"] = images.numpy(), labels.numpy()
        values = expected_values(network, images.double(), labels)
        if getattr(network, "trains", False):
            values["losses"] = losses(network)
        for key, value in values.items():
            file["expected/" + key] = value
    print(path, path.stat().st_size, path.with_suffix(".onnx").stat().st_size)


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "tests" / "data"
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    for seed, (name, kind) in enumerate(NETWORKS.items(), 1):
        write(name, kind, seed, folder)


if __name__ == "__main__":
    main()
