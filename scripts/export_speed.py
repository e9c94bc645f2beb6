#!/usr/bin/env python3
"""What export_pool.py takes beyond build(arch) and a plain torch.onnx.export, in milliseconds a network: on the clock, and of
processors, which says more on a machine that has other work.

    scripts/export_speed.py SPACE.py --image 1x28x28 [--sample 200]

Both export the same networks in one process, on one thread, in turns of 25; the plain call is that of docs/networks.md, which
keeps batch normalisations. Needs PyTorch.
"""
import argparse
import os
import pathlib
import sys
import tempfile
import time
import warnings

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "jobs" / "pytorch"))
import export_pool
import torch

TURN = 25


def plain(build, pool, folder, image):
    for place, arch in enumerate(pool):
        torch.onnx.export(build(arch), torch.zeros(2, *image), f"{folder}/{place}.onnx", do_constant_folding=False,
                          training=torch.onnx.TrainingMode.TRAINING, input_names=["input"], dynamic_axes={"input": {0: "n"}},
                          **export_pool.SCRIPT)


def clocks():
    times = os.times()
    return time.perf_counter(), times.user + times.system + times.children_user + times.children_system


def main():
    parser = argparse.ArgumentParser(description="What export_pool.py takes beyond a plain export.")
    parser.add_argument("space", type=pathlib.Path)
    parser.add_argument("--image", type=export_pool.image_of, required=True)
    parser.add_argument("--sample", type=int, default=200)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    build, choices = export_pool.space_of(args.space)
    pool = list(export_pool.pool_of(choices, args.sample, 0).values())
    ways = {
        "plain": lambda part, folder: plain(build, part, folder, args.image),
        "export_pool": lambda part, folder: export_pool.export(build, part, folder, args.image, processes=1),
    }
    took = {way: [0.0, 0.0] for way in ways}
    for first in range(-TURN, len(pool), TURN):  # the first turn is not counted
        part = pool[max(first, 0):max(first, 0) + TURN]
        for way, export in ways.items():
            with tempfile.TemporaryDirectory() as folder:
                before = clocks()
                export(part, folder)
                if first >= 0:
                    took[way] = [sum_ + now - then for sum_, now, then in zip(took[way], clocks(), before)]
    for way in ways:
        print("{:12} {:7.1f} ms a network, {:7.1f} ms of a processor".format(way, *(1000 * s / len(pool) for s in took[way])))
    print("{:12} {:7.1f} ms            {:7.1f} ms".format("beyond it", *(
        1000 * (more - less) / len(pool) for more, less in zip(took["export_pool"], took["plain"]))))



if __name__ == "__main__":
    main()
