"""Runs of a study: which there are, running them with the program, and what they found.

A run is some seeds of one method with one budget on one table. It leaves `FOLDER/TABLE/METHOD/NAME.h5` and, once it is complete,
its report in `NAME.json`: then it is not run again. NAME ends in a digest of all else that decides the result.
"""

import concurrent.futures
import dataclasses
import glob
import hashlib
import json
import os
import subprocess
import sys


@dataclasses.dataclass(frozen=True)
class Method:
    """A method of the study, by the keys of the job that it sets."""

    name: str
    search: tuple  # settings of `search`
    metrics: str = "none"  # own: those of the job; all: every metric of the table; none; each: a run for each of all
    transform: str = "none"  # raw: that of the job, but no logarithms; rank; none
    by_budget: bool = False  # whether already the first evaluations depend on the budget: then each budget is a run
    seeded: bool = True  # whether seeds differ
    sentinels: str = "missing"  # values: a number that a published table writes for "none" (-1e8) is a value as any other


# robot explores T times before it exploits, and rea begins with T / 3 random ones. What the others do in T evaluations begins
# what they do in more (pool-gp with several at once, too: the last step is cut, and its picks follow one another).
METHODS = (
    Method("pool-gp", ("method=pool-gp",), "all", sentinels="values"),
    Method("pool-gp, q = 4", ("method=pool-gp", "parallel=4"), "all", sentinels="values"),
    Method("pool-gp, q = 8", ("method=pool-gp", "parallel=8"), "all", sentinels="values"),
    Method("pool-gp, hidden 0", ("method=pool-gp", "hidden=0"), "all", sentinels="values"),
    Method("pool-gp, sentinels missing", ("method=pool-gp",), "all"),
    Method("pool-gp, job's metrics", ("method=pool-gp",), "own", sentinels="values"),
    Method("robot, raw", ("method=robot",), "own", "raw", by_budget=True),
    Method("robot, ranks", ("method=robot",), "own", "rank", by_budget=True),
    Method("robot, all, ranks", ("method=robot",), "all", "rank", by_budget=True),
    Method("random", ("method=random",)),
    Method("rea", ("method=rea",), by_budget=True),
    Method("reinforce", ("method=reinforce",)),
    Method("best single metric", ("method=single",), "each", seeded=False),
)


@dataclasses.dataclass(frozen=True)
class Run:
    """One start of the program."""

    table: object
    method: Method
    budget: int
    seed: int
    n_seeds: int
    metric: str = ""  # of the method single
    changes: tuple = ()  # further settings, which tell a changed table

    @property
    def settings(self):
        """Those that decide what a seed finds."""
        table, method = self.table, self.method
        names = {"own": table.own_metrics, "all": table.all_metrics, "none": [], "each": [self.metric]}[method.metrics]
        transform = {}
        if method.transform == "rank":
            transform = {name: "rank" for name in names}
        elif method.transform == "raw":
            transform = {name: how for name, how in table.own_transform.items() if how != "log"}
        return [
            *("search." + setting for setting in method.search),
            f"search.budget={self.budget}",
            *([f"search.metric={self.metric}"] if self.metric else []),
            "metrics.names=[" + ", ".join(names) + "]",
            "metrics.transform={" + ", ".join(f"{name}: {how}" for name, how in transform.items()) + "}",
            *(["pool.missing=[]"] if method.sentinels == "values" and table.has_sentinels else []),
            *self.changes,
        ]

    def path(self, folder, seeds=None):
        """Of its files, without an extension; `seeds`: instead of its own."""
        decides = " ".join([self.table.digest, *self.settings])
        seeds = seeds or f"{self.seed}-{self.seed + self.n_seeds - 1}"
        name = f"T{self.budget}-{self.metric or 'seeds'}-{seeds}-{hashlib.sha256(decides.encode()).hexdigest()[:8]}"
        method = "".join(c if c.isalnum() or c == "-" else "_" for c in self.method.name)
        return os.path.join(folder, self.table.name, method, name)


def starts(table, method, budgets, **more):
    """A run of the first seed for each that a method takes on a table: one for each budget only where budgets differ."""
    budgets = sorted(t for t in budgets if t <= table.n_arch)
    if method.metrics in ("own", "all") and not table.own_metrics:
        budgets = []
    metrics = table.all_metrics if method.metrics == "each" else [""]
    budgets = budgets if method.by_budget else budgets[-1:]
    return [Run(table, method, budget, 0, 1, metric, **more) for budget in budgets for metric in metrics]


class Runner:
    """Starts the program where a run has not been completed."""

    def __init__(self, robotnas, launch, folder, log=sys.stderr):
        self.robotnas, self.launch, self.folder, self.log = robotnas, launch, folder, log

    def finished(self, start):
        """Finished runs that differ from `start` in their seeds alone, by their first seeds."""
        found = []
        for path in glob.glob(start.path(glob.escape(self.folder), "*") + ".json"):
            first, last = path.rsplit("-", 3)[1:3]
            found.append(dataclasses.replace(start, seed=int(first), n_seeds=int(last) - int(first) + 1))
        return sorted(found, key=lambda run: run.seed)

    def missing(self, start, seeds, block):
        """Runs of at most `block` seeds, which bring what is finished to `seeds`; to one where seeds do not differ."""
        seeds = seeds if start.method.seeded else 1
        done = {seed for run in self.finished(start) for seed in range(run.seed, run.seed + run.n_seeds)}
        runs = []
        for first in range(0, seeds, block):
            left = [seed for seed in range(first, min(first + block, seeds)) if seed not in done]
            while left:
                n = next((i for i, seed in enumerate(left) if seed != left[0] + i), len(left))
                runs.append(dataclasses.replace(start, seed=left[0], n_seeds=n))
                left = left[n:]
        return runs

    def complete(self, run):
        """Run it to its end, or go on where it was stopped."""
        path = run.path(self.folder)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        command = [*self.launch, self.robotnas, "search", run.table.job, "--resume", "--set", f"output={path}.h5"]
        for setting in (*run.settings, f"seed={run.seed}", f"search.repeats={run.n_seeds}"):
            command += ["--set", setting]
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}\nended with {done.returncode}:\n{done.stderr[-2000:]}")
        report = subprocess.run(
            [self.robotnas, "report", path + ".h5", "--json"], capture_output=True, check=True
        ).stdout
        with open(path + ".json.new", "wb") as file:
            file.write(report)
        os.replace(path + ".json.new", path + ".json")

    def complete_all(self, runs, at_once=1):
        """All of them, some at once; the first that fails ends the study, and what is finished stays."""
        print(f"{len(runs)} runs to do", file=self.log)
        with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
            futures = {pool.submit(self.complete, run): run for run in runs}
            try:
                for n, future in enumerate(concurrent.futures.as_completed(futures), start=1):
                    future.result()
                    run = futures[future]
                    print(
                        f"{n}/{len(runs)} {run.table.name}, {run.method.name}, T = {run.budget}, seed {run.seed}",
                        file=self.log,
                    )
            except (RuntimeError, KeyboardInterrupt) as error:
                pool.shutdown(cancel_futures=True)
                sys.exit(str(error) or "stopped; run again to go on")

    def is_finished(self, run):
        return os.path.exists(run.path(self.folder) + ".json")

    def histories(self, run):
        """Of each seed of a finished run, the best after 1, 2, ... evaluations as (rank, architecture)."""
        with open(run.path(self.folder) + ".json", encoding="utf-8") as file:
            return {repeat["seed"]: history(run.table, repeat) for repeat in json.load(file)["repeats"]}

    def all_histories(self, start, seeds=None):
        """Of all finished runs that differ from `start` in their seeds alone: of each seed (below `seeds`), in order."""
        found = {}
        for run in self.finished(start):
            found.update(self.histories(run))
        return [found[seed] for seed in sorted(found) if seeds is None or seed < seeds]


def history(table, repeat):
    """The best of one repeat as it went on; the last must have the rank that the report says."""
    best, found = (len(table.descending) + 1, None), []
    for evaluation in repeat["evaluations"]:
        arch = evaluation["arch"]
        if table.rank(arch) < best[0]:
            best = table.rank(arch), arch
        found.append(best)
    said = repeat["best"] and repeat["best"]["pool_rank"]
    if said is not None and said != best[0]:
        raise ValueError(f"{table.name}, seed {repeat['seed']}: rank {best[0]} by the table, {said} by the report")
    return found
