#!/usr/bin/python3
"""The benchmark table jobs/tables/fashion-mnist-mini.csv, out of what robotnas measured.

usage: make_mini_table.py cells SCORES.h5     the list of cells: 400 of those that SCORES.h5 has (subset `equivalent`)
       make_mini_table.py table SCORES.h5 RUN.h5
           the table: out of what `robotnas score` and `robotnas search` made of jobs/fashion-mnist-mini.yaml

Both write to standard output. jobs/tables/README.md has the commands around them. Needs python3-h5py.
"""
import csv
import random
import sys

import h5py
import numpy as np

N_CELLS, SEED = 400, 201


def write_cells(path):
    with h5py.File(path) as run:
        cells = sorted(name.decode() for name in run["pool/arch"][:])
    for cell in sorted(random.Random(SEED).sample(cells, N_CELLS)):
        print(cell)


def text(x):
    """A number with the digits that give it back; empty where it is not defined."""
    return repr(float(x)) if np.isfinite(x) else ""


def write_table(scores_path, run_path):
    with h5py.File(scores_path) as scores:
        arch = [name.decode() for name in scores["pool/arch"][:]]
        metrics = [name.decode() for name in scores["metrics/names"][:]]
        values = scores["metrics/values"][:]
        assert scores.attrs["complete"], "not every cell is scored"
    with h5py.File(run_path) as run:
        assert run.attrs["complete"] and run.attrs["budget"] == len(arch), "not every cell was trained"
        columns = [name.decode() for name in run["report_columns"][:]]
        row = {name.decode(): i for i, name in enumerate(run["evaluations/name"][:])}
        accuracy, images = run["evaluations/value"][:, 0], run["evaluations/cost"][:]
        reported, status = run["evaluations/columns"][:], run["evaluations/status"][:]
    assert not status.any(), "a training failed"
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["arch", *metrics, "valid_accuracy", *columns, "train_images"])
    for name, value in zip(arch, values):
        k = row[name]
        out.writerow([name, *map(text, value), text(accuracy[k]), *map(text, reported[k]), int(images[k])])


if len(sys.argv) == 3 and sys.argv[1] == "cells":
    write_cells(sys.argv[2])
elif len(sys.argv) == 4 and sys.argv[1] == "table":
    write_table(*sys.argv[2:])
else:
    sys.exit(__doc__)
