#!/usr/bin/env python3
"""Write jobs/tables/example.csv: a SYNTHETIC benchmark table for examples and tests.

Nothing in it was measured. Every cell of a sample of the NAS-Bench-201 space gets a hidden quality, a sum over its
edges plus interactions; accuracies and training-free metrics are noisy monotone functions of that quality and of the
cell's size. Numbers have plausible ranges and correlations, and say nothing about any real architecture.

Standard library only; the same seed gives the same bytes.
"""

import argparse
import csv
import itertools
import math
import pathlib
import random

OPS = ["none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"]
EDGES = [(0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)]  # (from, to), in the order printed
OP_QUALITY = {"none": -0.9, "skip_connect": 0.5, "nor_conv_1x1": 0.6, "nor_conv_3x3": 1.0, "avg_pool_3x3": -0.4}
OP_SIZE = {"none": 0.0, "skip_connect": 0.0, "nor_conv_1x1": 1.0, "nor_conv_3x3": 9.0, "avg_pool_3x3": 0.0}
EDGE_WEIGHT = [1.0, 0.8, 0.9, 1.2, 0.9, 1.1]
MISSING_SHARE = 0.002  # of the metric fields
COLUMNS = ["arch", "grad_norm", "snip", "grasp", "fisher", "synflow", "jacov", "cifar10_valid_acc_12ep",
           "train_seconds_12ep", "cifar10_test_acc", "cifar100_test_acc", "imagenet16_test_acc"]
N_METRICS = 6


def arch_string(cell):
    nodes = [[f"{op}~{source}" for op, (source, target) in zip(cell, EDGES) if target == node] for node in (1, 2, 3)]
    return "+".join("|" + "|".join(node) + "|" for node in nodes)


def is_connected(cell):
    """Whether any signal reaches the output, node 3."""
    reached = {0}
    for op, (source, target) in sorted(zip(cell, EDGES), key=lambda item: item[1][1]):
        if op != "none" and source in reached:
            reached.add(target)
    return 3 in reached


def cell_size(cell):
    return sum(OP_SIZE[op] for op in cell) / 54.0  # 0 ..= 1


def cell_quality(cell):
    """About 0 ..= 1 for cells that learn."""
    additive = sum(weight * OP_QUALITY[op] for weight, op in zip(EDGE_WEIGHT, cell))
    shortcut = 0.8 if cell[3] == "skip_connect" and "nor_conv_3x3" in cell else 0.0
    deep = 0.6 if cell[0].startswith("nor_conv") and cell[2].startswith("nor_conv") else 0.0
    pooled = -0.7 * max(0, cell.count("avg_pool_3x3") - 1)
    return (additive + shortcut + deep + pooled + 5.5) / 12.5


def accuracies(quality, noise):
    """Short-training validation accuracy, then test accuracies on three data sets, in percent."""
    rise = 1.0 / (1.0 + math.exp(-9.0 * (quality - 0.25)))
    spread = 1.0 - 0.8 * rise
    valid = 28.0 + 57.0 * rise + noise.gauss(0.0, 6.0 * spread)
    test = [(60.0 + 33.0 * rise, 2.0, 94.6), (25.0 + 46.5 * rise, 3.0, 74.0), (10.0 + 35.5 * rise, 3.0, 48.0)]
    final = [min(top, mean + noise.gauss(0.0, scale * spread)) for mean, scale, top in test]
    return [max(10.0, min(90.0, valid)), max(10.0, final[0]), max(1.0, final[1]), max(0.83, final[2])]


def metrics(quality, size, noise):
    """grad_norm, snip, grasp, fisher, synflow (natural logarithm), jacov."""
    good, large = quality + noise.gauss(0.0, 0.10), size + noise.gauss(0.0, 0.06)
    grad_norm = math.exp(0.4 + 2.6 * good + noise.gauss(0.0, 0.5))
    snip = grad_norm * math.exp(0.9 + 0.5 * noise.gauss(0.0, 1.0))
    grasp = -(grad_norm**1.2) * noise.gauss(0.25, 0.5)
    fisher = math.exp(-5.0 + 1.6 * good - 1.0 * large + noise.gauss(0.0, 0.8))
    synflow = min(115.0, max(0.0, 110.0 * (0.65 * good + 0.35 * large) + noise.gauss(0.0, 4.0)))
    jacov = -60.0 - 90.0 * max(0.0, 0.8 - good) ** 2 - abs(noise.gauss(0.0, 12.0))
    return [grad_norm, snip, grasp, fisher, synflow, jacov]


def make_row(cell, noise):
    quality, size = cell_quality(cell), cell_size(cell)
    values = metrics(quality, size, noise)
    results = accuracies(quality, noise)
    seconds = 62.0 + 18.0 * sum(op != "none" for op in cell) / 6.0 + 95.0 * size + noise.gauss(0.0, 2.0)
    if not is_connected(cell):
        values = [0.0, 0.0, 0.0, 0.0, 0.0, -180.0 + noise.gauss(0.0, 5.0)]
        results = [9.7 + 0.6 * noise.random(), 10.0, 1.0, 0.833333]
    values = ["" if noise.random() < MISSING_SHARE else f"{value:.6g}" for value in values]
    return [arch_string(cell), *values, f"{results[0]:.4f}", f"{seconds:.3f}", *(f"{x:.4f}" for x in results[1:])]


def main():
    default = pathlib.Path(__file__).resolve().parent.parent / "jobs" / "tables" / "example.csv"
    parser = argparse.ArgumentParser(description="Write a synthetic table of NAS-Bench-201 cells.")
    parser.add_argument("--out", type=pathlib.Path, default=default)
    parser.add_argument("--rows", type=int, default=2000, help="at most 15625")
    parser.add_argument("--seed", type=int, default=201)
    args = parser.parse_args()

    noise = random.Random(args.seed)
    cells = noise.sample(list(itertools.product(OPS, repeat=len(EDGES))), args.rows)
    with args.out.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(make_row(cell, noise) for cell in cells)


if __name__ == "__main__":
    main()
