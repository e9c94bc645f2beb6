#!/usr/bin/env python3
"""Print what a run of robotnas left in its state file, as CSV. Needs h5py; docs/h5py.md explains it.

Also a module: every function takes a file that h5py has opened, and returns a list of rows, each a
dictionary from column to value.
"""
import argparse
import csv
import math
import sys

import h5py

SCORE_STATUS = ["pending", "ok", "failed"]
STATUS = ["ok", "missing", "failed"]
PHASE = ["explore", "exploit", "start", "improvement", "hedge"]
NUMBERS = ["repeat", "seed", "arch", "cost", "columns", "phase", "status"]
CURVES = ["train_loss", "valid_loss", "valid_accuracy"]


def texts(dataset):
    return [text.decode() for text in dataset[:]]


def metrics(run):
    """What the run scored itself, in the order of the pool; undefined values are NaN."""
    if "pool/arch" not in run:
        raise ValueError("this run scored nothing: its metrics are in a table or in another run's file")
    names = texts(run["metrics/names"])
    values, status = run["metrics/values"][:].tolist(), run["metrics/status"][:].tolist()
    return [
        {"arch": arch, **dict(zip(names, values[i])), "status": SCORE_STATUS[status[i]]}
        for i, arch in enumerate(texts(run["pool/arch"]))
    ]


def targets(group):
    """The first value of every evaluation; files of format version 2 have no other."""
    values = group["value"]
    return (values[:, 0] if values.ndim == 2 else values[:]).tolist()


def observations(run):
    """Repeat, row of the pool and weights of every observation, in order; in files of format version 2 by repeat."""
    groups = {None: run["observations"]} if "observations" in run else run["search"]
    for name, group in groups.items():
        arch, weights = group["arch"][:].tolist(), group["weights"][:].tolist()
        yield from zip(group["repeat"][:].tolist() if name is None else [int(name)] * len(arch), arch, weights)


def first_weights(run):
    """The weight vector that first led to each architecture, by repeat and row of the pool."""
    weights = {}
    for repeat, arch, vector in observations(run):
        weights.setdefault((repeat, arch), vector)
    return weights


def evaluations(run):
    """Every evaluation in its order, one repeat after the other; unknown numbers are NaN."""
    group = run["evaluations"]
    field = {name: group[name][:].tolist() for name in NUMBERS}
    names, reasons = texts(group["name"]), texts(group["reason"])
    columns = ["column_" + name for name in texts(run["report_columns"])]
    weighed = ["weight_" + name for name in texts(run["metrics/names"])]
    values, weights = targets(group), first_weights(run)
    rows = []
    for i, name in enumerate(names):
        repeat = field["repeat"][i]
        row = {"repeat": repeat, "seed": field["seed"][i], "arch": name}
        row.update(value=values[i], cost=field["cost"][i])
        row.update(phase=PHASE[field["phase"][i]], status=STATUS[field["status"][i]], reason=reasons[i])
        row.update(zip(columns, field["columns"][i]))
        row.update(zip(weighed, weights[repeat, field["arch"][i]]))
        rows.append(row)
    return rows


def history(run):
    """The best value after every evaluation of each repeat; NaN while none has succeeded."""
    better = min if run.attrs["minimise"] else max
    rows, best = [], {}
    for row in evaluations(run):
        repeat, value = row["repeat"], row["value"]
        n, so_far = best.get(repeat, (0, math.nan))
        known = [x for x in (so_far, value) if not math.isnan(x)]
        best[repeat] = n + 1, better(known, default=math.nan)
        rows.append({"repeat": repeat, "evaluation": n + 1, "best": best[repeat][1]})
    return rows


def curves(run):
    """Every epoch of every training, as far as it got."""
    if run.attrs["n_epochs"] == 0:
        raise ValueError("this run trained nothing")
    group = run["evaluations"]
    names, repeats = texts(group["name"]), group["repeat"][:].tolist()
    losses = [group[name][:].tolist() for name in CURVES]
    rows = []
    for repeat, arch, *curve in zip(repeats, names, *losses):
        for epoch, values in enumerate(zip(*curve), start=1):
            if not math.isnan(values[0]):
                rows.append({"repeat": repeat, "arch": arch, "epoch": epoch, **dict(zip(CURVES, values))})
    return rows


def main():
    tables = {"metrics": metrics, "evaluations": evaluations, "history": history, "curves": curves}
    parser = argparse.ArgumentParser(description="Print what a run of robotnas left in its state file, as CSV.")
    parser.add_argument("run", help="a state file")
    parser.add_argument("table", choices=tables)
    options = parser.parse_args()
    try:
        with h5py.File(options.run, "r") as run:
            rows = tables[options.table](run)
    except (OSError, ValueError) as error:
        sys.exit(f"read_run.py: {options.run}: {error}")
    if rows:
        writer = csv.DictWriter(sys.stdout, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
