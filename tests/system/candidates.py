#!/usr/bin/env python3
"""candidates.py RUN.h5: what the state file says of every evaluation that was made there is what its candidate's file says."""
import sys

import h5py
import numpy as np

CURVES = ("train_loss", "valid_loss", "valid_accuracy")


def same(a, b):
    return np.array_equal(np.asarray(a, float), np.asarray(b, float), equal_nan=True)


def check(run, path, i):
    rows = run["evaluations"]
    with h5py.File(path, "r") as candidate:
        assert candidate.attrs["done"], "it is not done"
        assert same(candidate["value"], rows["value"][i]), "value"
        for name in ("cost", "status"):
            assert same(candidate.attrs[name], rows[name][i]), name
        for name in ("reason",):
            assert candidate.attrs[name] == rows[name][i], name
        if rows["columns"].shape[1]:
            assert same(candidate["columns"], rows["columns"][i]), "columns"
        if "curve" in candidate:
            curve = np.stack([rows[name][i] for name in CURVES], axis=1)
            assert same(candidate["curve"], curve), "curve"
            assert rows["status"][i] != 0 or np.all(np.isfinite(curve[:, 2])), "the curve of a success has a hole"
        else:
            assert CURVES[0] not in rows, "no curve"
        if "parameters" in candidate:
            assert "velocity" not in candidate, "a finished training has a velocity"
            assert len(candidate["mean"]) == len(candidate["std"]) == candidate["network"][0]


path = sys.argv[1]
with h5py.File(path, "r") as run:
    rows = run["evaluations"]
    n_checked = 0
    for i in range(len(rows["arch"])):
        if rows["reused"][i]:
            continue
        file = f"{path}.d/{rows['arch'][i]:06d}-s{rows['seed'][i]}.h5"
        try:
            check(run, file, i)
        except (AssertionError, OSError, KeyError) as error:
            sys.exit(f"{file}: {error}")
        n_checked += 1
print(f"{n_checked} evaluations are as in their candidates' files")
