"""Networks of the spaces DARTS and TransNAS-Bench-101 (micro) in PyTorch, as docs/spaces.md defines them, for comparisons
with it; what is dead in a cell of TransNAS-Bench-101 must not be asked for here.
"""
import torch
from torch import nn
from torch.nn import functional

CASES = {
    "darts-v2": ("darts", "sep_conv_3x3~0,sep_conv_3x3~1;sep_conv_3x3~0,sep_conv_3x3~1;skip_connect~0,sep_conv_3x3~1;"
                 "skip_connect~0,dil_conv_3x3~2/max_pool_3x3~0,max_pool_3x3~1;max_pool_3x3~1,skip_connect~2;"
                 "max_pool_3x3~0,skip_connect~2;max_pool_3x3~1,skip_connect~2"),
    "darts-mixed": ("darts", "avg_pool_3x3~0,dil_conv_5x5~1;max_pool_3x3~1,sep_conv_5x5~2;skip_connect~0,avg_pool_3x3~3;"
                    "dil_conv_3x3~1,sep_conv_5x5~4/max_pool_3x3~0,sep_conv_5x5~1;avg_pool_3x3~1,dil_conv_5x5~2;"
                    "skip_connect~0,sep_conv_3x3~1;skip_connect~1,max_pool_3x3~2"),
    "micro": ("transnas-micro", "64-41414-1_02_333"),
    "micro-heavy": ("transnas-micro", "64-41414-3_33_333"),
}
SOURCES = {  # of nodes 1, 2, 3 in a cell of TransNAS-Bench-101
    1: [0],
    2: [0, 1],
    3: [0, 1, 2],
}


def convolution(i, o, k, stride=1, groups=1, dilation=1):
    return nn.Conv2d(i, o, k, stride, dilation * (k // 2), dilation, groups, bias=False)


def separable(c, k, stride, times, dilation=1):
    layers = []
    for t in range(times):
        layers += [nn.ReLU(), convolution(c, c, k, stride if t == 0 else 1, c, dilation), convolution(c, c, 1), nn.BatchNorm2d(c)]
    return nn.Sequential(*layers)


class Halved(nn.Module):
    """Two convolutions 1x1 side by side, the second of which reads one pixel further right and down."""

    def __init__(self, i, o, stride):
        super().__init__()
        self.near, self.far = convolution(i, o // 2, 1, stride), convolution(i, o - o // 2, 1, stride)
        self.norm, self.goes_beyond = nn.BatchNorm2d(o), stride == 1

    def forward(self, x):
        x = functional.relu(x)
        further = functional.pad(x, (0, 1, 0, 1)) if self.goes_beyond or x.shape[2] % 2 or x.shape[3] % 2 else x
        return self.norm(torch.cat([self.near(x), self.far(further[:, :, 1:, 1:])], 1))


def darts_operation(name, c, stride):
    if name == "skip_connect":
        return nn.Identity() if stride == 1 else Halved(c, c, stride)
    if name == "avg_pool_3x3":
        return nn.AvgPool2d(3, stride, 1, count_include_pad=False)
    if name == "max_pool_3x3":
        return nn.MaxPool2d(3, stride, 1)
    kind, _, size = name.partition("_conv_")
    return separable(c, int(size[0]), stride, 2) if kind == "sep" else separable(c, int(size[0]), stride, 1, 2)


def adjusted(i, o):
    return nn.Sequential(nn.ReLU(), convolution(i, o, 1), nn.BatchNorm2d(o))


class DartsCell(nn.Module):
    def __init__(self, cell, widths, c, halves, after_halving):
        super().__init__()
        self.first = Halved(widths[0], c, 2) if after_halving else adjusted(widths[0], c)
        self.second = adjusted(widths[1], c)
        edges = [edge.split("~") for node in cell.split(";") for edge in node.split(",")]
        self.source = [int(source) for _, source in edges]
        self.edge = nn.ModuleList(darts_operation(name, c, 2 if halves and int(source) < 2 else 1) for name, source in edges)

    def forward(self, before, last):
        state = [self.first(before), self.second(last)]
        for a in range(0, len(self.edge), 2):
            state.append(self.edge[a](state[self.source[a]]) + self.edge[a + 1](state[self.source[a + 1]]))
        return torch.cat(state[2:], 1)


def imagenet_stem(c):
    first = nn.Sequential(
        convolution(3, c // 2, 3, 2), nn.BatchNorm2d(c // 2), nn.ReLU(), convolution(c // 2, c, 3, 2), nn.BatchNorm2d(c))
    return first, nn.Sequential(nn.ReLU(), convolution(c, c, 3, 2), nn.BatchNorm2d(c))


class Darts(nn.Module):
    """arch: the genotype as robotnas writes it."""

    def __init__(self, arch, channels, n_cells, classes, is_imagenet):
        super().__init__()
        normal, reduction = arch.split("/")
        c, widths = channels, [3 * channels] * 2
        if is_imagenet:
            self.stem, self.second_stem = imagenet_stem(c)
            widths = [c, c]
        else:
            self.stem, self.second_stem = nn.Sequential(convolution(3, 3 * c, 3), nn.BatchNorm2d(3 * c)), nn.Identity()
        self.cell, was_halved = nn.ModuleList(), is_imagenet
        for i in range(n_cells):
            halves = i in (n_cells // 3, 2 * n_cells // 3)
            c *= 2 if halves else 1
            self.cell.append(DartsCell(reduction if halves else normal, widths, c, halves, was_halved))
            widths, was_halved = [widths[1], 4 * c], halves
        self.last = nn.Linear(widths[1], classes)

    def forward(self, x):
        before = self.stem(x)
        last = self.second_stem(before)
        for cell in self.cell:
            before, last = last, cell(before, last)
        return self.last(last.mean((2, 3)))


class MicroCell(nn.Module):
    def __init__(self, digits, i, o, stride):
        super().__init__()
        self.edge = nn.ModuleDict()
        places = [(source, target) for target, sources in SOURCES.items() for source in sources]
        for (source, target), digit in zip(places, digits):
            c, s = (i, stride) if source == 0 else (o, 1)
            if digit == "1":
                self.edge[f"{source}{target}"] = nn.Identity() if (c, s) == (o, 1) else Halved(c, o, s)
            elif digit != "0":
                k = 1 if digit == "2" else 3
                self.edge[f"{source}{target}"] = nn.Sequential(nn.ReLU(), convolution(c, o, k, s), nn.BatchNorm2d(o))

    def forward(self, x):
        node = [x]
        for target, sources in SOURCES.items():
            terms = [self.edge[f"{s}{target}"](node[s]) for s in sources if f"{s}{target}" in self.edge]
            node.append(sum(terms[1:], terms[0]))
        return node[3]


def transnas_micro(arch, channels, classes):
    _, skeleton, cell = arch.split("-")
    digits, c = cell.replace("_", ""), channels
    layers = [convolution(3, c // 2, 3, 2), nn.BatchNorm2d(c // 2), nn.ReLU(), convolution(c // 2, c, 3, 2), nn.BatchNorm2d(c)]
    for module in skeleton:
        o = c * (2 if module in "24" else 1)
        layers += [MicroCell(digits, c, o, 2 if module in "34" else 1), MicroCell(digits, o, o, 1)]
        c = o
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c, classes))


def build(space, arch, channels, n_cells, classes, side):
    if space == "darts":
        return Darts(arch, channels, n_cells, classes, side >= 128)
    return transnas_micro(arch, channels, classes)


def export(net, side, path):
    """As robotnas reads it: batch normalisation kept."""
    torch.onnx.export(net, (torch.zeros(2, 3, side, side),), path, dynamo=False, do_constant_folding=False,
                      training=torch.onnx.TrainingMode.TRAINING)


def processor():
    with open("/proc/cpuinfo") as file:
        lines = [line.partition(":")[2].strip() for line in file if line.startswith(("model name", "flags"))]
    return f"{lines[0]}, {'AVX-512' if 'avx512f' in lines[1] else 'AVX2' if 'avx2' in lines[1] else 'neither AVX2 nor AVX-512'}"


def use_one_thread():
    torch.manual_seed(0)
    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
