#!/usr/bin/env python3
"""gpu_ranks.py A B: scores of the same cells, as rows `arch,value,...,status` without a header's order: which are finite must be the
same, and a metric's rank correlation over those at least 0.9999."""
import math
import sys


def read(path):
    rows = [line.strip().split(",") for line in open(path, encoding="utf-8")]
    header = next(row for row in rows if row[0] == "arch")
    return header[1:], {row[0]: row[1:] for row in rows if row[0] != "arch"}


def number(text):
    return float(text) if text else math.nan


def ranks(values):
    order = sorted(range(len(values)), key=values.__getitem__)
    found = [0.0] * len(values)
    at = 0
    while at < len(order):
        end = at
        while end < len(order) and values[order[end]] == values[order[at]]:
            end += 1
        for i in order[at:end]:
            found[i] = (at + end - 1) / 2
        at = end
    return found


def correlation(x, y):
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    xy = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y))
    return xy / math.sqrt(sum((a - mean_x) ** 2 for a in x) * sum((b - mean_y) ** 2 for b in y))


header, a = read(sys.argv[1])
_, b = read(sys.argv[2])
assert len(a) == 100 and a.keys() == b.keys(), (len(a), len(b))
bad = 0
for m, name in enumerate(header):
    if name == "status":
        continue
    x = {arch: number(row[m]) for arch, row in a.items()}
    y = {arch: number(row[m]) for arch, row in b.items()}
    differ = [arch for arch in x if math.isfinite(x[arch]) != math.isfinite(y[arch])]
    both = [arch for arch in x if math.isfinite(x[arch]) and math.isfinite(y[arch])]
    rho = correlation(ranks([x[arch] for arch in both]), ranks([y[arch] for arch in both]))
    print(f"{name:12} {len(both)} finite on both, {len(differ)} on one alone, Spearman {rho:.6f}")
    bad += bool(differ) or not rho >= 0.9999
sys.exit(bad > 0)
