#!/usr/bin/env python3
"""How training-free metrics rank architectures beside a column of a table: Spearman's correlations.

    scripts/metric_correlations.py SCORES.csv TABLE.csv COLUMN

SCORES.csv is what `robotnas report RUN.h5 --csv` writes of a scoring run; TABLE.csv has a column `arch` with the same names.
A value that is not finite counts as missing: a metric's correlation is over the architectures that have one, and said with their
number. docs/metrics.md has a table of these.
"""

import csv
import math
import sys


def read(path):
    with open(path, newline="", encoding="utf-8") as file:
        return {row["arch"]: row for row in csv.DictReader(file)}


def ranks(values):
    """Ties have their mean."""
    order = sorted(range(len(values)), key=values.__getitem__)
    found, first = [0.0] * len(values), 0
    while first < len(order):
        last = first
        while last + 1 < len(order) and values[order[last + 1]] == values[order[first]]:
            last += 1
        for i in order[first : last + 1]:
            found[i] = (first + last) / 2
        first = last + 1
    return found


def spearman(x, y):
    x, y = ranks(x), ranks(y)
    mean = (len(x) - 1) / 2
    products = sum((a - mean) * (b - mean) for a, b in zip(x, y))
    squares = sum((a - mean) ** 2 for a in x) * sum((b - mean) ** 2 for b in y)
    return products / math.sqrt(squares) if squares > 0 else math.nan


def number(text):
    try:
        return float(text)
    except ValueError:
        return math.nan


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    scores, table, column = read(sys.argv[1]), read(sys.argv[2]), sys.argv[3]
    if not scores or not all(column in row for row in table.values()):
        sys.exit(f"{sys.argv[1]} has no rows, or {sys.argv[2]} no column {column}")
    metrics = [name for name in next(iter(scores.values())) if name not in ("arch", "status", "seconds")]
    for metric in metrics:
        pairs = [(number(row[metric]), number(table[arch][column])) for arch, row in scores.items() if arch in table]
        pairs = [(x, y) for x, y in pairs if math.isfinite(x) and math.isfinite(y)]
        if len(pairs) > 1:
            print(f"{metric:18} {spearman(*zip(*pairs)):7.3f}   n = {len(pairs)}")
        else:
            print(f"{metric:18}    none   n = {len(pairs)}")


if __name__ == "__main__":
    main()
