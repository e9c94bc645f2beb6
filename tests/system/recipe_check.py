#!/usr/bin/env python3
"""Compare what scripts/read_run.py printed of a run with what the program reports of it.

  recipe_check.py REPORT.json TABLE...    each TABLE (metrics, evaluations, history, curves) is in TABLE.csv; metrics are
                                          compared with scores.csv, of `robotnas report --csv`
"""
import csv
import json
import math
import sys


def rows_of(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def same(text, expected):
    """A number of a table, of all digits, against one of the report, which has 15 or is null."""
    value = float(text)
    if expected is None:
        return math.isnan(value)
    return math.isclose(value, expected, rel_tol=1e-14)


def check_metrics(report):
    """To the last bit; what failed or is pending is empty in the scores."""
    scores, found = rows_of("scores.csv"), rows_of("metrics.csv")
    assert len(found) == report["n_arch"]
    for row, expected in zip(found, scores, strict=True):
        del expected["seconds"]
        assert list(row) == list(expected), "other columns"
        for name, text in expected.items():
            if name in ("arch", "status"):
                assert row[name] == text, (row, expected)
            else:
                values = float(row[name]), float(text or "nan")
                assert values[0] == values[1] or all(map(math.isnan, values)), (row, expected)


def check_evaluation(row, repeat, expected):
    for name in ("arch", "phase", "status"):
        assert row[name] == expected[name], (row, expected)
    assert same(row["value"], expected["target"]) and same(row["cost"], expected["cost"]), (row, expected)
    assert int(row["seed"]) == repeat["seed"]
    assert bool(row["reason"]) == (row["status"] == "failed"), row
    if row["phase"] == "exploit":  # all follow the best weights
        for name, weight in repeat["weights"].items():
            assert same(row["weight_" + name], weight), (row, repeat["weights"])


def check_best(rows, best):
    row = next(row for row in rows if row["arch"] == best["arch"])
    for name, value in best["columns"].items():
        assert same(row["column_" + name], value), (row, best)


def by_repeat(report, path):
    rows = rows_of(path)
    assert len(rows) == sum(len(repeat["evaluations"]) for repeat in report["repeats"]), path
    for r, repeat in enumerate(report["repeats"]):
        yield repeat, [row for row in rows if row["repeat"] == str(r)]


def check_evaluations(report):
    for repeat, rows in by_repeat(report, "evaluations.csv"):
        for row, expected in zip(rows, repeat["evaluations"], strict=True):
            check_evaluation(row, repeat, expected)
        check_best(rows, repeat["best"])


def check_history(report):
    """The best of the evaluations so far, which never gets worse, up to the best of all."""
    for repeat, rows in by_repeat(report, "history.csv"):
        known = []
        for i, (row, evaluation) in enumerate(zip(rows, repeat["evaluations"], strict=True)):
            assert int(row["evaluation"]) == i + 1
            known += [] if evaluation["target"] is None else [evaluation["target"]]
            ends = (min(known), max(known)) if known else (None,)
            assert any(same(row["best"], end) for end in ends), row
        assert same(rows[-1]["best"], repeat["best"]["target"])


def check_curves(report):
    """Epochs count from 1, and the last one of every best is in the report."""
    rows = rows_of("curves.csv")
    for r, repeat in enumerate(report["repeats"]):
        best = repeat["best"]
        curve = [row for row in rows if row["repeat"] == str(r) and row["arch"] == best["arch"]]
        assert [int(row["epoch"]) for row in curve] == list(range(1, len(curve) + 1))
        assert same(curve[-1]["valid_accuracy"], best["target"])
        assert same(curve[-1]["train_loss"], best["columns"]["train_loss"])
        assert same(curve[-1]["valid_loss"], best["columns"]["valid_loss"])


def main(path, *tables):
    with open(path) as file:
        report = json.load(file)
    check = {"metrics": check_metrics, "evaluations": check_evaluations, "history": check_history, "curves": check_curves}
    for table in tables:
        check[table](report)


if __name__ == "__main__":
    main(*sys.argv[1:])
