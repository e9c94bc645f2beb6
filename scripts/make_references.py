#!/usr/bin/env python3
"""Reference values of networks, training-free metrics and training from PyTorch in float64: writes
tests/data/reference-*.h5.

    scripts/make_references.py [FOLDER]

Needs PyTorch, h5py and NumPy (Debian: python3-torch python3-h5py); the files in the repository come from PyTorch 1.13.
worker/verify/reference.h describes the layout. `robotnas verify` compares, on any backend.

Images are normal random numbers, weights PyTorch's default initialisation; both are rounded to float32, which is what the
files hold, and computed with in float64. Gammas and betas are random too, so that nothing hides behind 1 and 0.

Definitions of the metrics ("weights": of every convolution and of the linear layer; L the mean cross-entropy):
    grad_norm    sum over layers of |dL/dw|                                      (Abdelfattah et al., ICLR 2021)
    snip         sum of |w dL/dw|                                                (Lee et al., ICLR 2019)
    plain        sum of w dL/dw
    l2_norm      sum over layers of |w|
    grasp        - w' H g, with the Hessian H of L and its gradient g            (Wang et al., ICLR 2020)
    fisher       outputs a of every layer: half the mean over images of (sum over pixels of a dL/da)^2, summed over
                 channels and layers, times the inputs of a channel              (Turner et al., ICLR 2020)
    synflow      |parameters|, no BN but in the reduction blocks, one image of ones: sum of |w dR/dw|, R the sum of the
                 logits; log_synflow is its logarithm                            (Tanaka et al., NeurIPS 2020)
    jacob_cov    - sum of log(v + k) + 1 / (v + k) over the eigenvalues v of the correlations between the images'
                 gradients of the sum of the logits, k = 1e-5                    (Mellor et al., version 1, 2020)
    nwot         log |det K|, K the number of ReLU inputs at which two images have the same sign, over every ReLU, dead
                 edges included                                                  (Mellor et al., ICML 2021)
    others       reference_metrics.py

A training: L of each batch before its step of gradient descent, with Nesterov momentum 0.9, weight decay 0.0005
on every parameter, and a rate that falls from 0.1 to 0 as half a cosine. Its images differ in colour by their class, and are
rounded to halves, which compress well.
"""

import pathlib
import sys
from dataclasses import dataclass

import h5py
import numpy as np
import torch
from torch import nn
from torch.nn import functional

import reference_metrics as more

EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
CLASSES = 10


@dataclass
class Case:
    """One file: a cell, the network around it and the batch."""

    name: str
    arch: str
    channels: int
    convention: str = "score"
    cells: int = 1
    size: int = 8
    batch: int = 6
    seed: int = 1
    steps: int = 0  # of a training; 0: values of one batch


CASES = (
    Case("mixed", "|nor_conv_3x3~0|+|avg_pool_3x3~0|nor_conv_1x1~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|", 4),
    Case("nopath", "|nor_conv_3x3~0|+|none~0|nor_conv_1x1~1|+|none~0|none~1|none~2|", 4, seed=2),
    Case("deadend", "|nor_conv_1x1~0|+|nor_conv_3x3~0|none~1|+|nor_conv_1x1~0|none~1|avg_pool_3x3~2|", 4, cells=2, seed=3),
    Case("train", "|nor_conv_3x3~0|+|skip_connect~0|nor_conv_1x1~1|+|none~0|avg_pool_3x3~1|nor_conv_3x3~2|", 4, "train", size=12, seed=4),
    Case("8channels", "|nor_conv_1x1~0|+|skip_connect~0|avg_pool_3x3~1|+|none~0|avg_pool_3x3~1|skip_connect~2|", 8, seed=5),
    Case("few", "|nor_conv_1x1~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|avg_pool_3x3~1|nor_conv_1x1~2|", 4, batch=19, seed=7),
    Case("course", "|nor_conv_3x3~0|+|avg_pool_3x3~0|skip_connect~1|+|nor_conv_1x1~0|none~1|nor_conv_3x3~2|", 4, "train", batch=8, seed=6, steps=20),
)


class Conv(nn.Module):
    """A convolution that keeps its output for fisher; named as the files name it."""

    def __init__(self, c_in, c_out, kernel, stride=1, bias=False):
        super().__init__()
        self.conv = nn.Conv2d(c_in, c_out, kernel, stride, kernel // 2, bias=bias)

    def forward(self, x):
        self.output = self.conv(x)
        return self.output


class Norm(nn.Module):
    """Batch normalisation with batch statistics, which can be taken out."""

    def __init__(self, channels, affine=True, in_reduction=False):
        super().__init__()
        self.in_reduction, self.active = in_reduction, True
        self.gamma = nn.Parameter(1 + 0.2 * torch.randn(channels)) if affine else None
        self.beta = nn.Parameter(0.2 * torch.randn(channels)) if affine else None

    def forward(self, x):
        if not self.active:
            return x
        mean = x.mean((0, 2, 3), keepdim=True)
        variance = x.var((0, 2, 3), unbiased=False, keepdim=True)
        y = (x - mean) / torch.sqrt(variance + 1e-5)
        if self.gamma is not None:
            y = y * self.gamma.view(1, -1, 1, 1) + self.beta.view(1, -1, 1, 1)
        self.variance, self.output = variance.detach(), y
        return y


class Relu(nn.Module):
    """A ReLU that keeps the signs of its input for nwot."""

    def forward(self, x):
        self.signs = (x > 0).detach().flatten(1)
        return functional.relu(x)


class Edge(nn.Module):
    def __init__(self, operation, channels, convention):
        super().__init__()
        self.operation = operation
        if operation.startswith("nor_conv"):
            is_score = convention == "score"
            self.relu = Relu()
            self.conv = Conv(channels, channels, int(operation[-1]), bias=is_score)
            self.bn = Norm(channels, affine=not is_score)

    def forward(self, x):
        if self.operation == "none":
            return torch.zeros_like(x)
        if self.operation == "skip_connect":
            return x
        if self.operation == "avg_pool_3x3":
            return functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
        return self.bn(self.conv(self.relu(x)))


class Cell(nn.Module):
    def __init__(self, operations, channels, convention):
        super().__init__()
        for e, operation in enumerate(operations):
            self.add_module(f"edge{e}", Edge(operation, channels, convention))

    def forward(self, x):
        nodes = [x, 0, 0, 0]
        for (source, target), edge in zip(EDGES, self.children()):
            nodes[target] = nodes[target] + edge(nodes[source])
        return nodes[3]


class Reduction(nn.Module):
    """Residual block that halves the image and doubles the channels."""

    def __init__(self, c_in, c_out):
        super().__init__()
        self.relu_a, self.relu_b = Relu(), Relu()
        self.conv_a, self.bn_a = Conv(c_in, c_out, 3, 2), Norm(c_out, in_reduction=True)
        self.conv_b, self.bn_b = Conv(c_out, c_out, 3), Norm(c_out, in_reduction=True)
        self.shortcut = Conv(c_in, c_out, 1)

    def forward(self, x):
        y = self.bn_a(self.conv_a(self.relu_a(x)))
        y = self.bn_b(self.conv_b(self.relu_b(y)))
        return y + self.shortcut(functional.avg_pool2d(x, 2))


class Network(nn.Module):
    def __init__(self, case):
        super().__init__()
        operations = [edge.split("~")[0] for node in case.arch.split("+") for edge in node.strip("|").split("|")]
        channels = [case.channels << stage for stage in range(3)]
        self.stem, self.stem_bn = Conv(3, channels[0], 3), Norm(channels[0])
        body = []
        for stage in range(3):
            if stage:
                body.append((f"reduction{stage}", Reduction(channels[stage - 1], channels[stage])))
            for k in range(case.cells):
                index = stage * case.cells + k
                body.append((f"cell{index}", Cell(operations, channels[stage], case.convention)))
        self.body = nn.Sequential()
        for name, module in body:
            self.body.add_module(name, module)
        self.head_bn, self.head_relu = Norm(channels[2]), Relu()
        self.linear = nn.Linear(channels[2], CLASSES)

    def forward(self, x):
        x = self.stem_bn(self.stem(x))
        self.blocks = [x]
        for block in self.body:
            self.blocks.append(block(self.blocks[-1]))
        self.features = self.head_relu(self.head_bn(self.blocks[-1]))
        self.logits = self.linear(self.features.mean((2, 3)))
        return self.logits

    def of(self, kind):
        return [module for module in self.modules() if isinstance(module, kind)]

    def weights(self):
        """Weight of every layer, by the layer."""
        layers = {conv: conv.conv.weight for conv in self.of(Conv)}
        layers[self.linear] = self.linear.weight
        return layers


def file_name(parameter):
    """Name in the file of a parameter of the network."""
    name = parameter.replace("body.", "").replace("stem_bn", "stem.bn").replace("head_bn", "head.bn")
    name = name.replace("linear", "head.linear").replace(".", "/")
    for block in ("conv_a", "conv_b", "shortcut"):
        name = name.replace(f"{block}/conv", block)
    return name.replace("conv/conv", "conv")


def gradients(value, inputs, **options):
    """Gradients by the inputs; zeros where no way leads there."""
    if not value.requires_grad:
        return [torch.zeros_like(x) for x in inputs]
    found = torch.autograd.grad(value, inputs, allow_unused=True, **options)
    return [torch.zeros_like(x) if g is None else g for g, x in zip(found, inputs)]


def fisher(network, loss):
    layers = network.weights()
    outputs = [network.logits if layer is network.linear else layer.output for layer in layers]
    total = 0.0
    for output, gradient, weight in zip(outputs, gradients(loss, outputs, retain_graph=True), layers.values()):
        sums = (output * gradient).flatten(2).sum(2) if output.dim() == 4 else output * gradient
        total += float((sums**2).mean(0).sum()) / 2 * weight[0].numel()
    return total


def signs_of(network):
    """Of the last images that went through: [images, inputs of ReLUs]."""
    return torch.cat([relu.signs for relu in network.of(Relu)], 1)


def nwot(network):
    signs = signs_of(network)
    agree = (signs[:, None, :] == signs[None, :, :]).sum(2)
    return np.linalg.slogdet(agree.double().numpy())[1]


def jacob_cov(jacobian):
    with np.errstate(all="ignore"):
        correlations = np.corrcoef(jacobian.flatten(1).numpy())
    if not np.isfinite(correlations).all():
        return np.nan  # no way from input to output
    shifted = np.linalg.eigvalsh(correlations) + 1e-5
    return -np.sum(np.log(shifted) + 1 / shifted)


def synflow(network, image_shape):
    """Changes the network: its parameters become their absolute values."""
    for norm in network.of(Norm):
        norm.active = norm.in_reduction
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.abs_()
    weights = list(network.weights().values())
    total = network(torch.ones(1, *image_shape, dtype=torch.float64)).sum()
    return sum(float((w * g).abs().sum()) for w, g in zip(weights, gradients(total, weights)))


def zen(network, noises):
    features = []
    for noise in reversed(noises):
        total = network(noise).sum()
        features.insert(0, network.features.detach())
    outputs = [norm.output for norm in network.of(Norm) if norm.output.requires_grad]
    reached = torch.autograd.grad(total, outputs, allow_unused=True)
    live = [output for output, gradient in zip(outputs, reached) if gradient is not None]
    return more.zen(features, [norm.variance for norm in network.of(Norm) if any(norm.output is x for x in live)])


def more_values(network, images, labels):
    few, weights = images[: more.FEW], list(network.weights().values())
    values = {"ntk": more.ntk(network(few), weights), "swap": more.swap(signs_of(network))}
    losses = [functional.cross_entropy(network(x), y) for x, y in zip(more.halves(images), more.halves(labels))]
    values["zico"] = more.zico([gradients(loss, weights) for loss in losses])
    noises = more.noise(images.shape)
    network(noises[0])
    values.update(more.az([block.detach() for block in network.blocks]))
    with more.scaled(weights):
        values["zen"] = zen(network, noises)
    return values


def expected_values(network, images, labels):
    """Every dataset under expected/."""
    loss = functional.cross_entropy(network(images), labels)
    logits = network.logits
    weights = list(network.weights().values())
    slopes = gradients(loss, weights, create_graph=True)
    products = [(w * g).detach() for w, g in zip(weights, slopes)]
    along = sum((g * g.detach()).sum() for g in slopes)
    curvature = gradients(along, weights, retain_graph=True)
    inputs = images.clone().requires_grad_()
    values = {
        "logits": logits.detach().numpy(),
        "loss": float(loss),
        "grad_norm": sum(float(g.norm()) for g in slopes),
        "snip": sum(float(p.abs().sum()) for p in products),
        "plain": sum(float(p.sum()) for p in products),
        "l2_norm": sum(float(w.norm()) for w in weights),
        "grasp": -sum(float((w * h).sum()) for w, h in zip(weights, curvature)),
        "fisher": fisher(network, loss),
        "nwot": nwot(network),
        "params": float(sum(p.numel() for p in network.parameters())),
    }
    parameters = dict(network.named_parameters())
    for name, gradient in zip(parameters, gradients(loss, list(parameters.values()), retain_graph=True)):
        values["gradients/" + file_name(name)] = gradient.numpy()
    (jacobian,) = gradients(network(inputs).sum(), [inputs])
    values["input_gradient"] = jacobian.numpy()
    values["jacob_cov"] = jacob_cov(jacobian)
    values.update(more_values(network, images, labels))
    values["synflow"] = synflow(network, images.shape[1:])
    with np.errstate(divide="ignore"):
        values["log_synflow"] = np.log(values["synflow"])
    return values


def losses(network, case, images, labels):
    """The loss of every batch before its step. Changes the network."""
    descent = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)
    found = []
    for step in range(case.steps):
        batch = slice(step * case.batch, (step + 1) * case.batch)
        descent.param_groups[0]["lr"] = 0.05 * (1 + np.cos(np.pi * step / case.steps))
        descent.zero_grad()
        loss = functional.cross_entropy(network(images[batch]), labels[batch])
        loss.backward()
        descent.step()
        found.append(float(loss))
    return np.array(found)


def draw(case):
    """Images and labels."""
    count = case.batch * max(case.steps, 1)
    images = torch.randn(count, 3, case.size, case.size)
    labels = torch.randint(CLASSES, (count,))
    if case.steps:
        colours = torch.randn(CLASSES, 3, 1, 1)
        images = ((images + colours[labels]) * 2).round() / 2
    return images, labels


def write(case, folder):
    torch.manual_seed(case.seed)
    network = Network(case)
    images, labels = draw(case)
    path = folder / f"reference-{case.name}.h5"
    with h5py.File(path, "w", libver="v110") as file:  # groups take less room than in the oldest format
        file.attrs.update(
            arch=case.arch, channels=case.channels, cells=case.cells, classes=CLASSES, convention=case.convention
        )
        packed = {"compression": "gzip", "shuffle": True} if case.steps else {}
        file.create_dataset("input/images", data=images.numpy(), **packed)
        file.create_dataset("input/labels", data=labels.numpy(), **packed)
        for name, parameter in network.named_parameters():
            file["weights/" + file_name(name)] = parameter.detach().numpy()
        if case.steps:
            file.attrs["batch"] = case.batch
            values = {"losses": losses(network.double(), case, images.double(), labels)}
        else:
            values = expected_values(network.double(), images.double(), labels)
        for name, value in values.items():
            file["expected/" + name] = value
    print(path, path.stat().st_size)


def main():
    default = pathlib.Path(__file__).resolve().parent.parent / "tests" / "data"
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else default
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    for case in CASES:
        write(case, folder)


if __name__ == "__main__":
    main()
