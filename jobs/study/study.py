#!/usr/bin/env python3
"""Compare search methods on tables: methods x tables x budgets x seeds, run with the program itself, and what they found.

    jobs/study/study.py                                        # the shipped table; the published ones if ROBOTNAS_TABLES is set
    jobs/study/study.py --quick                                # two minutes: few seeds, small budgets
    jobs/study/study.py --methods pool-gp --seeds 200 --at-once 2
    jobs/study/study.py --launch 'mpirun -n 8' --tables jobs/fashion-mnist-table.yaml my-own-job.yaml
    jobs/study/study.py --print --plots docs/study             # runs nothing; what is there

Stop it at any time: what is finished is not run again. Any job whose pool and objective are a table can be named.
docs/study.md says what it found. Standard library only; --plots needs matplotlib.
"""

import argparse
import os
import shlex
import sys

import runs
import summary
import tables as study_tables

JOBS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SHIPPED = ["fashion-mnist-table"]


def options_of(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [method.name for method in runs.METHODS]
    parser.add_argument("--methods", nargs="+", metavar="METHOD", default=names, help="of: " + "; ".join(names))
    parser.add_argument("--tables", nargs="+", metavar="JOB", help="job files, or names of shipped jobs")
    parser.add_argument("--budgets", nargs="+", type=int, metavar="T", default=[10, 20, 50, 100])
    parser.add_argument("--seeds", type=int, metavar="N", default=50, help="seeds 0 to N - 1 (default 50)")
    parser.add_argument("--block", type=int, metavar="N", default=10, help="seeds of a run (default 10)")
    parser.add_argument("--quick", action="store_true", help="5 seeds, budgets 10 and 20")
    parser.add_argument(
        "--print", action="store_true", help="run nothing, print what is finished, whatever its number of seeds"
    )
    parser.add_argument("--plots", metavar="FOLDER", help="write TABLE.svg there: rank by evaluations")
    parser.add_argument("--folder", default="runs/study", help="where runs are kept (default runs/study)")
    parser.add_argument(
        "--robotnas", default=os.environ.get("ROBOTNAS", "robotnas"), help="the program (default: ROBOTNAS, or in PATH)"
    )
    parser.add_argument(
        "--launch", type=shlex.split, default=[], metavar="COMMAND", help="what starts it, such as 'mpirun -n 4'"
    )
    parser.add_argument("--at-once", type=int, default=1, metavar="N", help="runs at a time (default 1)")
    options = parser.parse_args(arguments)
    if options.quick:
        options.seeds, options.budgets = 5, [10, 20]
    if not os.path.isdir(os.environ.get("ROBOTNAS_TABLES", ".")):
        parser.error("ROBOTNAS_TABLES names no folder")
    if min([options.seeds, options.block, options.at_once, *options.budgets]) < 1:
        parser.error("numbers of seeds, budgets and runs are at least 1")
    unknown = [name for name in options.methods if name not in names]
    if unknown:
        parser.error(f"no method '{unknown[0]}'; there are: " + "; ".join(names))
    options.methods = [method for method in runs.METHODS if method.name in options.methods]
    options.budgets = sorted(set(options.budgets))
    return options


def load_tables(options):
    """Those that were named, or else the shipped one and the published ones, where they are."""
    names = options.tables
    if not names:
        names = SHIPPED + (study_tables.PUBLISHED if os.environ.get("ROBOTNAS_TABLES") else [])
        if names == SHIPPED:
            print("ROBOTNAS_TABLES is not set: the published tables are left out", file=sys.stderr)
    jobs = [
        os.path.join(JOBS, name + ".yaml") if "/" not in name and not name.endswith(".yaml") else name for name in names
    ]
    tables = [study_tables.load_table(options.robotnas, job) for job in jobs]
    if len({table.name for table in tables}) < len(tables):
        sys.exit("--tables: two jobs have one name")
    return tables


def starts_of(options, tables):
    return [s for table in tables for method in options.methods for s in runs.starts(table, method, options.budgets)]


class Found:
    """The histories of all finished runs: for each table and method, what each seed found."""

    def __init__(self, runner, options, tables):
        # Without a number of seeds that was asked for, all that is there counts.
        seeds = None if options.print else options.seeds
        self.histories = {}
        for start in starts_of(options, tables):
            key = start.table.name, start.method.name, start.budget if start.method.by_budget else None, start.metric
            self.histories[key] = runner.all_histories(start, seeds)

    def best(self, table, method, budget):
        """Of each seed, the best after `budget` evaluations as (rank, architecture), and what to call the method; [] where
        nothing is there."""
        if method.metrics == "each":  # the best of them by hindsight
            found = {m: self.histories.get((table.name, method.name, None, m)) for m in table.all_metrics}
            found = {m: histories for m, histories in found.items() if histories}
            if not found:
                return [], method.name
            best = min(found, key=lambda m: found[m][0][budget - 1][0])
            return [found[best][0][budget - 1]], f"{method.name}: {best}"
        histories = self.histories.get((table.name, method.name, budget if method.by_budget else None, ""), [])
        return [history[budget - 1] for history in histories], method.name

    def ranks(self, table, method, budget):
        return [rank for rank, _ in self.best(table, method, budget)[0]]


def print_table(options, table, found):
    """All that a table says of all methods, and then what else it has of what they found."""
    rows, columns = [], []
    for t in (t for t in options.budgets if t <= table.n_arch):
        rows.append(summary.expected_row(table, t))
        for method in options.methods:
            best, name = found.best(table, method, t)
            if best:
                rows.append(summary.row_of(table, t, name, [rank for rank, _ in best]))
                columns.append(summary.columns_of(table, t, name, [arch for _, arch in best]))
    print(f"\n### {table.name}, {table.n_arch} architectures\n\n{summary.markdown(summary.HEADER, rows)}")
    if table.reported:
        print("\n" + summary.markdown(["T", "method", *table.reported], columns))


def print_over_tables(options, tables, found):
    by_name = {method.name: method for method in options.methods}

    def ranks_of(table, name, budget):
        return found.ranks(table, by_name[name], budget)

    published = [table for table in tables if table.name in study_tables.PUBLISHED]
    for some in (published, tables) if 1 < len(published) < len(tables) else (tables,):
        if len(some) > 1:
            budgets = [t for t in options.budgets if all(t <= table.n_arch for table in some)]
            print(f"\n### Geometric means over {len(some)} tables\n\n{', '.join(table.name for table in some)}\n")
            print(summary.over_tables(some, by_name, budgets, ranks_of))


def plot(options, tables, found):
    try:
        import plots  # pylint: disable=import-outside-toplevel
    except ImportError as error:
        sys.exit(f"--plots: {error}")
    os.makedirs(options.plots, exist_ok=True)
    for table in tables:
        lines = {}
        for method in options.methods:
            budget = options.budgets[-1] if method.by_budget else None
            histories = found.histories.get((table.name, method.name, budget, ""))
            if histories:
                lines[method.name] = [summary.geometric_mean([rank for rank, _ in step]) for step in zip(*histories)]
        n = max(map(len, lines.values()), default=0)
        expected = [table.random_geometric_mean(t) for t in range(1, n + 1)]
        plots.plot(
            os.path.join(options.plots, table.name + ".svg"),
            f"{table.name}, {table.n_arch} architectures",
            lines,
            expected,
        )


def main():
    options = options_of(sys.argv[1:])
    tables = load_tables(options)
    runner = runs.Runner(options.robotnas, options.launch, options.folder)
    if not options.print:
        starts = starts_of(options, tables)
        planned = [run for start in starts for run in runner.missing(start, options.seeds, options.block)]
        runner.complete_all(planned, options.at_once)
    found = Found(runner, options, tables)
    print_over_tables(options, tables, found)
    for table in tables:
        print_table(options, table, found)
    if options.plots:
        plot(options, tables, found)


if __name__ == "__main__":
    main()
