#!/usr/bin/env python3
"""The law of random search that a study compares with, against all that can be drawn from small tables with ties and gaps.

usage: study_check.py FOLDER      FOLDER: that of study.py
"""

import collections
import itertools
import sys

sys.path.insert(0, sys.argv[1])
import runs  # noqa: E402
import summary  # noqa: E402
import tables  # noqa: E402


def table_of(targets, minimise="false"):
    keys = {"pool.arch": "arch", "pool.missing": "[-1]", "objective.column": "y", "objective.minimise": minimise}
    table = tables.Table("made-up", "made-up.yaml", keys)
    table.rows = [{"arch": f"a{i}", "y": y} for i, y in enumerate(targets)]
    table.digest = " ".join(targets) + minimise
    return table


def drawn(table, budget):
    """rank -> how often, over all draws of `budget` architectures."""
    return collections.Counter(min(map(table.rank, some)) for some in itertools.combinations(table.worth, budget))


def near(a, b):
    assert abs(a - b) < 1e-12, (a, b)


for targets in (list("12345678"), ["1", "5", "5", "2", "2", "2", "9", "9"], ["3", "", "nan", "-1", "4", "4", "inf"]):
    for minimise in ("false", "true"):
        table = table_of(targets, minimise)
        for budget in (1, 2, 5):
            counts = drawn(table, budget)
            n = sum(counts.values())
            law = dict(table.random_law(budget))
            for rank in counts | law:
                near(law.get(rank, 0), counts[rank] / n)
            near(table.random_mean(budget), sum(rank * c for rank, c in counts.items()) / n)
            for rank in counts:
                worse = sum(c for other, c in counts.items() if other > rank)
                near(table.wins(budget)[rank], (worse + counts[rank] / 2) / n)

plain = table_of(list("12345678"))
near(plain.random_mean(2), 9 / 3)
assert plain.rank("a7") == 1 and plain.rank("a0") == 8 and plain.regret(3) == 2
assert table_of(list("12345678"), "true").rank("a0") == 1
assert table_of(["1", "5", "5"]).rank("a0") == 3 and table_of(["1", "5", "5"]).rank("a2") == 1

near(summary.geometric_mean([1, 2, 4]), 2)
assert summary.quartiles([1, 2, 3, 4, 5]) == [2, 3, 4] and summary.quartiles([7]) == [7, 7, 7]
always, low, high = summary.win_share(plain, 2, [1, 1, 1], "key")
assert always == low == high > 0.8
share, low, high = summary.win_share(plain, 2, [1, 8, 1, 8], "key")
assert low < share < high

# Sentinels are values for pool-gp on the published tables; elsewhere, and for other methods, what the job says holds.
for name, expected in ((tables.PUBLISHED[1], {"pool-gp", "pool-gp, q = 4", "pool-gp, hidden 0"}), ("made-up", set())):
    table = table_of(list("123"))
    table.name = name
    table.keys["metrics.names"] = "[]"
    some = [method for method in runs.METHODS if method.name in "pool-gp random rea".split() or method.name.startswith("pool-gp, ")]
    values = {method.name for method in some if "pool.missing=[]" in runs.Run(table, method, 5, 0, 1).settings}
    assert values & {"pool-gp, sentinels missing", "random", "rea"} == set() and (expected <= values if expected else not values)
