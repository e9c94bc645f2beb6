"""Tables of a study: a job on a table, the ranks of its architectures, and what random search does to it."""

import bisect
import csv
import dataclasses
import functools
import hashlib
import math
import os
import re
import subprocess
import sys

# What a table may call its training-free metrics: docs/metrics.md and published tables. Other columns are none: losses,
# accuracies, seconds.
METRICS = (
    "grad_norm snip grasp fisher synflow log_synflow jacob_cov jacov nwot zen epe_nas plain l2_norm params flops"
).split()

# The published tables. Some write a number where a metric has no value; none does so for a target.
PUBLISHED = (
    "nb201-cifar10 tnb101-macro-class_scene tnb101-macro-jigsaw tnb101-micro-class_object tnb101-micro-jigsaw"
).split()


def resolve_job(robotnas, job, settings=()):
    """A job with every default filled in, as {"section.key": text}."""
    command = [robotnas, "check", job]
    for setting in settings:
        command += ["--set", setting]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(done.stderr.strip() or f"{command}: exit code {done.returncode}")
    keys, section = {}, ""
    for line in done.stdout.splitlines():
        found = re.fullmatch(r"( *)(\w+):(?: (.*))?", line)
        if found and found[3] is None:
            section = found[2] + "."
        elif found:
            keys[(section if found[1] else "") + found[2]] = found[3].strip('"')
    return keys


def list_of(text):
    """The texts of a YAML list in one line, [a, b]."""
    return [part.strip().strip("\"'") for part in text.strip("[]").split(",") if part.strip()]


def mapping_of(text):
    """A YAML mapping in one line, {a: b}."""
    return dict(part.strip().split(": ") for part in text.strip("{}").split(",") if part.strip())


@dataclasses.dataclass
class Table:
    """A job whose objective is a column of its pool's table."""

    name: str
    job: str
    keys: dict  # the resolved job

    @functools.cached_property
    def rows(self):
        with open(self.keys["pool.table"], newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    @functools.cached_property
    def digest(self):
        """Of all that decides a search, besides its settings."""
        with open(self.keys["pool.table"], "rb") as file:
            content = hashlib.sha256(file.read()).hexdigest()
        names = "pool.arch pool.encoding pool.missing objective.column objective.minimise".split()
        return " ".join([content] + [self.keys[name] for name in names])

    @property
    def own_metrics(self):
        """Those that the job names."""
        return list_of(self.keys["metrics.names"])

    @property
    def own_transform(self):
        return mapping_of(self.keys["metrics.transform"])

    @property
    def all_metrics(self):
        """Every column that is one and has values, or those of the job where none has a name that is known."""
        return self._known_metrics or self.own_metrics

    @functools.cached_property
    def _known_metrics(self):
        return [name for name in self.rows[0] if name in METRICS and any(x is not None for x in self.values(name))]

    @property
    def has_sentinels(self):
        return self.name in PUBLISHED and self.keys["pool.missing"] != "[]"

    def values(self, column):
        """A column as numbers, None where one is missing."""
        missing = list_of(self.keys["pool.missing"])
        return [number_of(row[column], missing) for row in self.rows]

    @property
    def reported(self):
        """Columns that a report has of the best, and that no search sees."""
        return list_of(self.keys["objective.report"])

    @functools.cached_property
    def columns(self):
        """Architecture -> the reported columns."""
        values = zip(*(self.values(column) for column in self.reported))
        return dict(zip((row[self.keys["pool.arch"]] for row in self.rows), values))

    @functools.cached_property
    def worth(self):
        """Architecture -> target, higher is better; None where the table has none."""
        sign = -1 if self.keys["objective.minimise"] == "true" else 1
        targets = self.values(self.keys["objective.column"])
        names = [row[self.keys["pool.arch"]] for row in self.rows]
        return {name: None if y is None else sign * y for name, y in zip(names, targets)}

    @functools.cached_property
    def descending(self):
        return sorted((y for y in self.worth.values() if y is not None), reverse=True)

    @functools.cached_property
    def _negated(self):
        return [-y for y in self.descending]

    @property
    def n_arch(self):
        return len(self.rows)

    def rank(self, arch):
        """1 + the number of strictly better architectures; behind all others where the table has no target for it."""
        y = self.worth[arch]
        return len(self._negated) + 1 if y is None else 1 + bisect.bisect_left(self._negated, -y)

    def regret(self, rank):
        """What the best of that rank lacks to the best of the table, in the unit of the objective."""
        return math.nan if rank > len(self.descending) else self.descending[0] - self.descending[rank - 1]

    @functools.cache
    def random_law(self, budget):
        """(rank, probability that the best of `budget` random architectures has it), by rank: hypergeometric."""
        n, known = self.n_arch, len(self.descending)
        none_of_best = [1.0]  # [c]: the probability that none of the c best is drawn
        for c in range(known):
            none_of_best.append(none_of_best[c] * max(n - c - budget, 0) / (n - c))
        ranks = sorted({self.rank(arch) for arch in self.worth})
        ends = ranks[1:] + [known + 1]
        law = [(r, none_of_best[r - 1] - none_of_best[e - 1]) for r, e in zip(ranks, ends) if r <= known]
        return law + [(known + 1, none_of_best[known])]

    def random_mean(self, budget):
        """The mean rank of random search: (N + 1) / (T + 1) where nothing ties or is missing."""
        return sum(rank * p for rank, p in self.random_law(budget))

    def random_geometric_mean(self, budget):
        return math.exp(sum(math.log(rank) * p for rank, p in self.random_law(budget)))

    @functools.cache
    def wins(self, budget):
        """Rank -> the probability that random search does worse, a tie counting for half."""
        won, better = {}, 0.0
        for rank, p in self.random_law(budget):
            won[rank] = 1.0 - better - p / 2
            better += p
        return won

    def __hash__(self):
        return hash((self.name, self.digest))


def number_of(text, missing=()):
    """A field of a table, None where it is missing."""
    try:
        value = float(text)
    except ValueError:
        return None
    if not math.isfinite(value) or text in missing or any(number_of(m) == value for m in missing):
        return None
    return value


def load_table(robotnas, job, settings=()):
    """A table by its job file."""
    name = os.path.splitext(os.path.basename(job))[0]
    return Table(name, job, resolve_job(robotnas, job, settings))
