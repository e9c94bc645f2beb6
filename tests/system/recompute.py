#!/usr/bin/env python3
"""Recompute a finished report from its table, independently of the program.

  recompute.py REPORT.json TABLE.csv --objective COLUMN --cost COLUMN [--transform METRIC=exp|log]... [--state RUN.h5]

REPORT.json is `robotnas report --json` of a run that maximises. Nothing here is taken from the program but the weights of each
repeat and the order of its evaluations. Every figure of the report is compared. With --state, which needs h5py, so is what
every weight vector that was tried led to.

The program keeps normalised metrics in float32, so a score here differs from its score by up to 3e-8 per metric. Two scores
that are less than TIE apart count as equal: where such a tie lies across the border of the T best architectures, every choice
among the tied is accepted.
"""
import argparse
import csv
import heapq
import json
import math

TIE = 1e-6


def number(text):
    value = float(text) if text.strip() else math.nan
    return value if math.isfinite(value) else math.nan


def same(found, expected):
    """A figure of the report, which has 15 digits or is null, against the full one."""
    if expected is None or math.isnan(expected):
        return found is None
    return found is not None and math.isclose(found, expected, rel_tol=1e-12, abs_tol=1e-12)


def normalise(column, transform):
    """Min-max over the pool; what is missing is 0. exp is taken relative to the largest, which changes no normalised value."""
    if transform == "log":
        column = [math.log(x) if x > 0 else math.nan for x in column]
    present = [x for x in column if not math.isnan(x)]
    if transform == "exp":
        largest = max(present)
        column = [math.exp(x - largest) for x in column]
        present = [math.exp(x - largest) for x in present]
    low, high = min(present), max(present)
    return [0.0 if math.isnan(x) or high == low else (x - low) / (high - low) for x in column]


class Pool:
    def __init__(self, path, objective, cost, transforms):
        with open(path, newline="") as file:
            self.rows = list(csv.DictReader(file))
        self.index = {row["arch"]: i for i, row in enumerate(self.rows)}
        self.target = self.column(objective)
        self.cost = self.column(cost)
        self.transforms = transforms

    def column(self, name):
        return [number(row[name]) for row in self.rows]

    def metric(self, name):
        return normalise(self.column(name), self.transforms.get(name, "none"))

    def rank(self, arch):
        return 1 + sum(x > self.target[arch] for x in self.target)

    def best(self, n):
        """The architectures of the ranks 1 to n: with ties more than n."""
        known = sorted((x for x in self.target if not math.isnan(x)), reverse=True)
        return {i for i, x in enumerate(self.target) if x >= known[:n][-1]}


def check_evaluations(pool, budget, repeat):
    evaluations = [pool.index[e["arch"]] for e in repeat["evaluations"]]
    assert len(set(evaluations)) == len(evaluations) == budget, "not as many distinct evaluations as the budget"
    phases = [e["phase"] for e in repeat["evaluations"]]
    if "posterior" not in repeat:
        assert phases == sorted(phases, key=["explore", "exploit"].index), "an exploration after the exploitation"
    for arch, e in zip(evaluations, repeat["evaluations"]):
        assert same(e["target"], pool.target[arch]) and same(e["cost"], pool.cost[arch]), e
        assert e["status"] == ("missing" if math.isnan(pool.target[arch]) else "ok"), e
    assert repeat["t0"] == len(phases) - phases.count("exploit")
    assert same(repeat["cost"], sum(pool.cost[i] for i in evaluations if not math.isnan(pool.cost[i])))
    return evaluations


def check_best(pool, repeat, evaluations):
    best = max((i for i in evaluations if not math.isnan(pool.target[i])), key=lambda i: pool.target[i])
    found = repeat["best"]
    assert pool.index[found["arch"]] == best, "the best is not the first of the highest target"
    assert same(found["target"], pool.target[best])
    assert found["pool_rank"] == pool.rank(best)
    for name, value in found["columns"].items():
        assert same(value, number(pool.rows[best][name])), name


def check_precision(pool, budget, repeat, score):
    """The T best under the weights: so many of them are truly among the T best."""
    last = sorted(score, reverse=True)[budget - 1]
    certain = {i for i, s in enumerate(score) if s > last + TIE}
    tied = {i for i, s in enumerate(score) if abs(s - last) <= TIE}
    top = pool.best(budget)
    places = budget - len(certain)
    least = len(certain & top) + max(0, places - len(tied - top))
    most = len(certain & top) + min(places, len(tied & top))
    hits = round(repeat["precision_at_t"] * budget)
    assert least <= hits <= most, f"{hits} hits instead of {least} to {most}"
    assert same(repeat["precision_at_t"], hits / budget)
    assert same(repeat["expected_rank"], (budget + 1) / (hits + 1))


def check_greedy(pool, repeat, evaluations, score):
    """The weights are those of the best exploration, if there was any, and every exploitation takes the best that is left."""
    explored, exploited = evaluations[: repeat["t0"]], evaluations[repeat["t0"] :]
    if explored:
        border = max(score) - TIE
        reached = {pool.target[i] for i, s in enumerate(score) if s >= border}
        highest = max(pool.target[i] for i in explored if not math.isnan(pool.target[i]))
        assert highest in reached, "the weights do not lead to the best exploration"
    left = set(range(len(score))).difference(explored)
    for arch, highest in zip(exploited, heapq.nlargest(len(exploited), (score[i] for i in left))):
        assert score[arch] >= highest - TIE, "an exploitation is not the best that was left"


def check_learned(repeat):
    """Of a method with a posterior: reasons are those of the evaluations, and correlations what the weights are."""
    phases = [e["phase"] for e in repeat["evaluations"]]
    assert phases[0] == "start", phases
    assert repeat["reasons"] == {name: phases.count(name) for name in ["start", "improvement", "hedge"]}, repeat["reasons"]
    assert sum(repeat["reasons"].values()) == len(phases) and repeat["reasons"]["start"] == 1, phases
    assert repeat["posterior"]["std"] > 0 and math.isfinite(repeat["posterior"]["mean"]), repeat["posterior"]
    assert all(-1 <= w <= 1 for w in repeat["weights"].values()), repeat["weights"]


def combine(weights, rows):
    return [sum(w * x for w, x in zip(weights, row)) for row in rows]


def check_observations(pool, rows, observations, best_weights):
    """Every weight vector led to the architecture of the highest score under it; the last of the best objective is kept."""
    explored = [(weights, arch) for weights, arch, phase in observations if phase == 0]
    for weights, arch in explored:
        score = combine(weights.tolist(), rows)
        assert score[arch] >= max(score) - TIE, "a weight vector did not lead to its best architecture"
    known = [(pool.target[arch], i) for i, (_, arch) in enumerate(explored) if not math.isnan(pool.target[arch])]
    if known:
        assert (best_weights == explored[max(known)[1]][0]).all(), "the best weights are others"


def check_state(pool, rows, path):
    import h5py

    with h5py.File(path) as run:
        group, best_weights = run["observations"], run["repeats/best_weights"][:]
        repeat, columns = group["repeat"][:], [group[name][:] for name in ("weights", "arch", "phase")]
        for r in range(len(best_weights)):
            check_observations(pool, rows, list(zip(*(column[repeat == r] for column in columns))), best_weights[r])


def check_statistics(found, values):
    values = [math.nan if v is None else v for v in values]
    known = [v for v in values if not math.isnan(v)]
    mean = math.fsum(known) / len(known)
    std = math.sqrt(math.fsum((v - mean) ** 2 for v in known) / len(known))
    for name, expected in {"mean": mean, "std": std, "min": min(known), "max": max(known)}.items():
        assert math.isclose(found[name], expected, rel_tol=1e-9, abs_tol=1e-9), (name, found[name], expected)


def check_summary(report):
    summary, repeats = report["summary"], report["repeats"]
    for name in ["t0", "cost"]:
        check_statistics(summary[name], [r[name] for r in repeats])
    for name in ["target", "pool_rank"]:
        check_statistics(summary[name], [r["best"][name] for r in repeats])
    for name, found in summary["columns"].items():
        check_statistics(found, [r["best"]["columns"][name] for r in repeats])
    if report["metrics"] and "posterior" not in repeats[0]:
        for name in ["precision_at_t", "expected_rank"]:
            check_statistics(summary[name], [r[name] for r in repeats])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("report")
    parser.add_argument("table")
    parser.add_argument("--objective", required=True)
    parser.add_argument("--cost", required=True)
    parser.add_argument("--transform", action="append", default=[])
    parser.add_argument("--state")
    args = parser.parse_args()
    pool = Pool(args.table, args.objective, args.cost, dict(t.split("=") for t in args.transform))
    with open(args.report) as file:
        report = json.load(file)

    assert report["complete"] and report["n_arch"] == len(pool.rows)
    rows = list(zip(*(pool.metric(name) for name in report["metrics"])))
    for repeat in report["repeats"]:
        evaluations = check_evaluations(pool, report["budget"], repeat)
        check_best(pool, repeat, evaluations)
        if "posterior" in repeat:
            check_learned(repeat)
        elif rows:
            score = combine(repeat["weights"].values(), rows)
            check_precision(pool, report["budget"], repeat, score)
            check_greedy(pool, repeat, evaluations, score)
    check_summary(report)
    weighs = rows and "posterior" not in report["repeats"][0]
    if weighs and args.state:
        check_state(pool, rows, args.state)


if __name__ == "__main__":
    main()
