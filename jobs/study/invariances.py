#!/usr/bin/env python3
"""What a method loses where metrics are turned round, useless, missing or absent, or evaluations fail: the same tables, changed.

    jobs/study/invariances.py --seeds 120                      # needs ROBOTNAS_TABLES, or --tables
    jobs/study/invariances.py --quick --tables fashion-mnist-table

What is drawn (useless metrics, missing values, failures) is drawn anew for every block of seeds. Ranks count the architectures
that can be evaluated. Options, and what is kept: see study.py. docs/study.md says what it found.
"""

import argparse
import csv
import dataclasses
import os
import random
import shlex
import statistics
import sys

import runs
import study
import summary
import tables as study_tables


@dataclasses.dataclass(frozen=True)
class Case:
    """A change of a table. `change` gets the columns, the names of its metrics, the objective's, and draws; it may change the
    first two."""

    name: str
    change: object = None
    drawn: bool = False  # whether it depends on the draws
    encoding: bool = True


def negate(columns, names, step):
    for name in names[::step]:
        columns[name] = [negated(text) for text in columns[name]]


def negated(text):
    value = study_tables.number_of(text)
    return text if value is None else repr(-value)


def add_useless(columns, names, draws, n):
    n_rows = len(columns[next(iter(columns))])
    for i in range(n):
        names.append(f"useless{i}")
        columns[f"useless{i}"] = [repr(draws.random()) for _ in range(n_rows)]


def lose(columns, names, draws, share):
    for name in names:
        columns[name] = ["" if draws.random() < share else text for text in columns[name]]


def fail_at_random(columns, objective, draws, share):
    columns[objective] = ["" if draws.random() < share else text for text in columns[objective]]


def fail_largest(columns, objective, share):
    """The largest by parameters, as where memory is short."""
    sizes = [study_tables.number_of(text) for text in columns["params"]]
    bound = sorted(sizes)[int((1 - share) * len(sizes))]
    columns[objective] = ["" if size >= bound else text for size, text in zip(sizes, columns[objective])]


CASES = (
    Case("plain"),
    Case("all metrics negated", lambda c, names, y, draws: negate(c, names, 1)),
    Case("half of the metrics negated", lambda c, names, y, draws: negate(c, names, 2)),
    Case("5 useless metrics added", lambda c, names, y, draws: add_useless(c, names, draws, 5), drawn=True),
    Case("13 useless added", lambda c, names, y, draws: add_useless(c, names, draws, 13), drawn=True),
    Case("20 % of values missing", lambda c, names, y, draws: lose(c, names, draws, 0.2), drawn=True),
    Case("50 % missing", lambda c, names, y, draws: lose(c, names, draws, 0.5), drawn=True),
    Case("one metric (the first), encoding", lambda c, names, y, draws: names.__delitem__(slice(1, None))),
    Case("one metric, no encoding", lambda c, names, y, draws: names.__delitem__(slice(1, None)), encoding=False),
    Case("no metrics", lambda c, names, y, draws: names.clear()),
    Case("no metrics, no encoding", lambda c, names, y, draws: names.clear(), encoding=False),
    Case("half negated, no encoding", lambda c, names, y, draws: negate(c, names, 2), encoding=False),
    Case(
        "13 useless, no encoding",
        lambda c, names, y, draws: add_useless(c, names, draws, 13),
        drawn=True,
        encoding=False,
    ),
    Case("10 % fail at random", lambda c, names, y, draws: fail_at_random(c, y, draws, 0.1), drawn=True),
    Case("20 % fail at random", lambda c, names, y, draws: fail_at_random(c, y, draws, 0.2), drawn=True),
    Case("the largest 20 % fail", lambda c, names, y, draws: fail_largest(c, y, 0.2)),
)


def method_of(options):
    return dataclasses.replace(next(method for method in runs.METHODS if method.name == options.method), metrics="own")


def changed_table(options, table, case, draw):
    """The table of a case, written to a file unless it is there, the names of its metrics, and the settings that say so."""
    columns = {name: [row[name] for row in table.rows] for name in table.rows[0]}
    names = list(table.all_metrics)
    if case.change:
        case.change(columns, names, table.keys["objective.column"], random.Random(f"{case.name} {table.name} {draw}"))
    slug = "".join(c if c.isalnum() else "_" for c in case.name)
    path = os.path.join(options.folder, "tables", f"{table.name}-{slug}-{draw}.csv")
    if not os.path.exists(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + ".new", "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows(zip(*columns.values()))
        os.replace(path + ".new", path)
    settings = ["pool.table=" + path, "metrics.names=[" + ", ".join(names) + "]", "metrics.transform={}"]
    if not case.encoding:
        settings.append("pool.encoding=none")
    method = ["search." + setting for setting in method_of(options).search]
    return study_tables.load_table(options.robotnas, table.job, method + settings), tuple(settings)


def runs_of(options, table, case):
    """A run for each block of seeds, with draws of its own where the case draws."""
    for first in range(0, options.seeds, options.block):
        if case.drawn or first == 0:
            changed, settings = changed_table(options, table, case, first // options.block)
        n_seeds = min(options.block, options.seeds - first)
        yield runs.Run(changed, method_of(options), max(options.budgets), first, n_seeds, changes=settings)


def row_of(options, runner, planned, case):
    """Geometric mean over the tables of the mean rank, and of the geometric mean; tables on which random search is worse."""
    ranks, expected = [], []
    for of_table in planned:
        histories = [(run.table, history) for run in of_table for history in runner.histories(run).values()]
        ranks.append([[history[t - 1][0] for _, history in histories] for t in options.budgets])
        expected.append([statistics.fmean(table.random_mean(t) for table, _ in histories) for t in options.budgets])
    cells = [case.name]
    for t in range(len(options.budgets)):
        means = [statistics.fmean(of_table[t]) for of_table in ranks]
        geometric = [summary.geometric_mean(of_table[t]) for of_table in ranks]
        n_better = sum(mean < by_chance[t] for mean, by_chance in zip(means, expected))
        cells.append(
            f"{summary.number(summary.geometric_mean(means))} ({summary.number(summary.geometric_mean(geometric))})"
        )
        cells.append(str(n_better))
    return cells


def options_of(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [case.name for case in CASES]
    parser.add_argument(
        "--cases",
        nargs="+",
        metavar="CASE",
        default=names,
        choices=names,
        help="of: " + "; ".join(names).replace("%", "%%"),
    )
    parser.add_argument(
        "--method", default="pool-gp", choices=[m.name for m in runs.METHODS if m.seeded and not m.by_budget]
    )
    parser.add_argument(
        "--tables",
        nargs="+",
        metavar="JOB",
        default=study_tables.PUBLISHED,
        help="as of study.py; default: the published ones",
    )
    parser.add_argument("--budgets", nargs="+", type=int, metavar="T", default=[10, 20, 50])
    parser.add_argument("--seeds", type=int, metavar="N", default=120)
    parser.add_argument("--block", type=int, metavar="N", default=10)
    parser.add_argument("--quick", action="store_true", help="10 seeds, budgets 10 and 20")
    parser.add_argument("--folder", default="runs/invariances")
    parser.add_argument("--robotnas", default=os.environ.get("ROBOTNAS", "robotnas"))
    parser.add_argument("--launch", type=shlex.split, default=[], metavar="COMMAND")
    parser.add_argument("--at-once", type=int, default=1, metavar="N")
    options = parser.parse_args(arguments)
    if options.quick:
        options.seeds, options.budgets = 10, [10, 20]
    return options


def main():
    options = options_of(sys.argv[1:])
    tables = study.load_tables(options)
    runner = runs.Runner(options.robotnas, options.launch, options.folder)
    rows = []
    for case in CASES:
        if case.name in options.cases:
            planned = [list(runs_of(options, table, case)) for table in tables]
            left = [run for of_table in planned for run in of_table if not runner.is_finished(run)]
            runner.complete_all(left, options.at_once)
            rows.append(row_of(options, runner, planned, case))
    header = ["case"]
    for t in options.budgets:
        header += [f"T = {t}", f"of {len(tables)}"]
    print(summary.markdown(header, rows))


if __name__ == "__main__":
    main()
