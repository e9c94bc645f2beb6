#!/usr/bin/env python3
"""What PyTorch does on an NVIDIA GPU with the convolutions and networks of robotnas-gpu-bench: something to hold its rates against.

usage: gpu_anchor.py [convs | launches | training]...    default all

Convolutions by cuDNN with TF32 off and on; microseconds of a small kernel on a stream and in a graph; training steps of three cells,
batch 256, channels last. Ends with 77 where PyTorch or its GPU is missing.
"""
import importlib.util
import os
import sys
import time

try:
    import torch
except ImportError:
    print("SKIPPED: no Python with torch")
    sys.exit(77)
if not torch.cuda.is_available():
    print("SKIPPED: torch has no GPU")
    sys.exit(77)

CELLS = ["|nor_conv_3x3~0|+|avg_pool_3x3~0|skip_connect~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|",
         "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|"]
SHAPES = [(16, 16, 32), (16, 48, 32), (32, 32, 16), (32, 96, 16), (64, 64, 8), (64, 192, 8)]
BATCH = 256


def milliseconds(f, n=30):
    for _ in range(5):
        f()
    begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    begin.record()
    for _ in range(n):
        f()
    end.record()
    torch.cuda.synchronize()
    return begin.elapsed_time(end) / n


def backward(d, x, w, mask):
    return torch.ops.aten.convolution_backward(d, x, w, None, [1, 1], [1, 1], [1, 1], False, [0, 0], 1, mask)


def convs(tf32):
    for c, o, side in SHAPES:
        for networks in 1, 16:
            n = 64 * networks
            x, w = torch.randn(n, c, side, side, device="cuda"), torch.randn(o, c, 3, 3, device="cuda")
            d = torch.randn(n, o, side, side, device="cuda")
            flops = 2 * n * side * side * c * o * 9
            rates = [flops / milliseconds(f) / 1e6 for f in (
                lambda: torch.nn.functional.conv2d(x, w, padding=1),
                lambda: backward(d, x, w, [True, False, False]),
                lambda: backward(d, x, w, [False, True, False]))]
            print(f"tf32 {tf32}: 3 x 3, {c} > {o}, {side} x {side}, {n} images: GFLOP/s forward {rates[0]:.0f}, "
                  f"by data {rates[1]:.0f}, by weights {rates[2]:.0f}", flush=True)


def launches():
    x = torch.zeros(1, device="cuda")
    torch.cuda.synchronize()
    begin = time.monotonic()
    for _ in range(20000):
        x.add_(1)
    torch.cuda.synchronize()
    print(f"a small kernel on a stream: {(time.monotonic() - begin) / 20000 * 1e6:.2f} us")
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for _ in range(1000):
            x.add_(1)
    graph.replay()
    torch.cuda.synchronize()
    begin = time.monotonic()
    for _ in range(20):
        graph.replay()
    torch.cuda.synchronize()
    print(f"in a graph: {(time.monotonic() - begin) / 20000 * 1e6:.2f} us", flush=True)


def training(tf32):
    place = os.path.join(os.path.dirname(os.path.abspath(__file__)), "compare_training.py")
    spec = importlib.util.spec_from_file_location("compare_training", place)
    networks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(networks)
    for arch in CELLS:
        net = networks.network(arch).cuda().to(memory_format=torch.channels_last)
        descent = torch.optim.SGD(net.parameters(), lr=0.001, momentum=0.9, nesterov=True, weight_decay=5e-4)
        images = torch.randn(BATCH, 3, 32, 32, device="cuda").contiguous(memory_format=torch.channels_last)
        labels = torch.randint(10, (BATCH,), device="cuda")

        def step():
            descent.zero_grad()
            torch.nn.functional.cross_entropy(net(images), labels).backward()
            descent.step()

        took = milliseconds(step, 10)
        print(f"tf32 {tf32}: {arch}: {took:.1f} ms a step, {BATCH / took * 1e3:.0f} images/s", flush=True)


def main():
    wanted = sys.argv[1:] or ["convs", "launches", "training"]
    torch.backends.cudnn.benchmark = True
    if "launches" in wanted:
        launches()
    for tf32 in False, True:
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = tf32
        if "convs" in wanted:
            convs(tf32)
        if "training" in wanted:
            training(tf32)


main()
