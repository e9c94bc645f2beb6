"""A space of small mobile networks for export_pool.py (docs/own-space.md): three stages of inverted residuals (Sandler et al.,
MobileNetV2, 2018), each with a kernel (k1, k2, k3), an expansion (e1, ...) and a depth (d1, ...). 1,728 architectures for gray
images of ten classes."""

from torch import nn

STAGES = ((12, 1), (16, 2), (24, 2))  # channels, stride of the first block

choices = {}
for stage in range(1, 1 + len(STAGES)):
    choices[f"k{stage}"] = [3, 5, 7]
    choices[f"e{stage}"] = [2, 4]
    choices[f"d{stage}"] = [1, 2]


def conv(c_in, c_out, kernel, stride=1, groups=1):
    return [nn.Conv2d(c_in, c_out, kernel, stride, kernel // 2, groups=groups, bias=False), nn.BatchNorm2d(c_out)]


class Block(nn.Module):
    """Wide inside, each channel by itself there; with a way around where the shape stays."""

    def __init__(self, c_in, c_out, kernel, expand, stride):
        super().__init__()
        inner = expand * c_in
        self.layers = nn.Sequential(*conv(c_in, inner, 1), nn.ReLU6(), *conv(inner, inner, kernel, stride, inner), nn.ReLU6(),
                                    *conv(inner, c_out, 1))
        self.around = stride == 1 and c_in == c_out

    def forward(self, x):
        return x + self.layers(x) if self.around else self.layers(x)


def build(arch):
    channels = 8
    layers = [*conv(1, channels, 3, stride=2), nn.ReLU6()]
    for stage, (c_out, stride) in enumerate(STAGES, 1):
        for block in range(arch[f"d{stage}"]):
            layers.append(Block(channels, c_out, arch[f"k{stage}"], arch[f"e{stage}"], stride if block == 0 else 1))
            channels = c_out
    layers += [*conv(channels, 64, 1), nn.ReLU6(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10)]
    return nn.Sequential(*layers)
