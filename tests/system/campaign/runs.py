"""The runs that a campaign strikes: a small one of every kind, and what each does when nothing disturbs it."""
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

SYSTEM = Path(__file__).resolve().parent.parent
SOURCE = SYSTEM.parent.parent
OUTPUT = "out/run.h5"  # in the folder of a fault

# What `search.method: robot` weighs on the table.
TABLE_POOL = """\
pool: {{space: table, table: {table}, encoding: nas-bench-201}}
metrics: {{names: [grad_norm, snip, jacob_cov, nwot]}}
"""

IMAGES_POOL = """\
backend: {backend}
pool: {{space: nas-bench-201, subset: {{sample: {n_arch}}}}}
data: {{format: cifar-binary, train: [images.bin]}}
"""

TABLE = TABLE_POOL + """\
objective: {{kind: table, column: valid_accuracy, cost: flops, report: [test_accuracy]}}
search: {{method: robot, budget: 24, repeats: 5}}
"""

SCORE = IMAGES_POOL + """\
network: {{channels: 8, cells: 1}}
metrics: {{source: compute, names: [grad_norm, snip, fisher, synflow, jacob_cov, nwot], batch: 20}}
"""

TRAIN = IMAGES_POOL + """\
network: {{channels: 4, cells: 1}}
metrics: {{source: compute, names: [snip, synflow, params], batch: 20}}
objective: {{kind: train, epochs: 5, batch: 32, shards: 2}}
search: {{method: robot, budget: 4, parallel: 2}}
"""

COMMAND = TABLE_POOL + """\
objective:
  kind: command
  command: [sh, "{{job}}/trainer.sh", "{{device}}", "{{arch}}", "{{seed}}"]
search: {{method: robot, budget: 4, parallel: 2}}
"""

# Notes what it does in the working directory, a line each: begin or end, launch, device, architecture.
TRAINER = """\
#!/bin/sh
echo "begin $NAS_LAUNCH $1 $2" >>marks
sleep 1
score=$(printf '%s %s' "$2" "$3" | cksum | cut -c1-4)
echo "end $NAS_LAUNCH $1 $2" >>marks
echo "{\\"score\\": $score, \\"cost\\": 1}"
"""

BELONGS = "belongs to another job"

# Fault points (common/base/fault.h) and the most passes that are drawn; a point that is not passed so often is drawn earlier.
WRITES = ("write-before", "write-middle", "write-after", "rename-before", "rename-middle", "rename-after")


def points(n_writes, **others):
    return {**{point: n_writes for point in WRITES}, **others}


@dataclass
class Run:
    """A run and, once it is measured, its reference."""

    name: str
    command: str
    job: str  # the job file but its first lines
    n_arch: int
    points: dict
    changes: list  # --set arguments that make another job of it, and what the refusal says
    judges: bool = False  # candidates, which have files of their own
    wall_s: float = 0
    begun_s: float = 0  # of these until it was under way
    disk_kib: int = 0
    state_kib: int = 0
    report: dict = field(default_factory=dict)
    scores: list = field(default_factory=list)


def make_runs():
    return [
        Run("table", "search", TABLE, 0, points(30, start=1, step=60, greedy=6),
            [("seed=4", BELONGS), ("search.method=random", BELONGS), ("search.parallel=2", BELONGS),
             ("search.budget=30", "--reuse"), ("metrics.names=[snip, nwot]", BELONGS)]),
        Run("score", "score", SCORE, 48, points(3, score=2),
            [("seed=4", BELONGS), ("metrics.batch=21", BELONGS), ("network.channels=4", BELONGS)]),
        Run("train", "search", TRAIN, 10, points(8, start=1, step=3, training=8),
            [("seed=4", BELONGS), ("objective.epochs=6", BELONGS), ("network.cells=2", BELONGS),
             ("search.budget=5", "--reuse")], judges=True),
        Run("command", "search", COMMAND, 0, points(6, start=1, step=3),
            [("seed=4", BELONGS), ("objective.minimise=true", BELONGS), ("search.budget=5", "--reuse")],
            judges=True),
    ]


def write_inputs(runs, folder, backend):
    """The job files NAME.yaml and what they read."""
    subprocess.run([sys.executable, SYSTEM / "images.py", folder / "images.bin", "320", "1"], check=True)
    (folder / "trainer.sh").write_text(TRAINER)
    shutil.copy(SOURCE / "jobs/tables/fashion-mnist-mini.csv", folder / "table.csv")
    for run in runs:
        head = f"name: {run.name}\nseed: 3\noutput: {OUTPUT}\ncheckpoint: {{interval: 0}}\n"
        body = run.job.format(table="table.csv", backend=backend, n_arch=run.n_arch)
        (folder / f"{run.name}.yaml").write_text(head + body)


def ask(robotnas, arguments, folder):
    """Standard output of robotnas where it succeeds, else None."""
    done = subprocess.run([robotnas, *arguments], cwd=folder, capture_output=True, text=True)
    return done.stdout if done.returncode == 0 else None


def report_of(robotnas, folder):
    """What equal runs share of their report; None where there is none."""
    text = ask(robotnas, ["report", OUTPUT, "--json"], folder)
    if text is None:
        return None
    report = json.loads(text)
    del report["timing"]
    return report


def scores_of(robotnas, folder):
    """A line an architecture, without the seconds; none where nothing was scored."""
    text = ask(robotnas, ["report", OUTPUT, "--csv-scores", "-"], folder)
    return [line.rsplit(",", 1)[0] for line in text.splitlines()] if text else []


def has_cpu(robotnas):
    done = subprocess.run([robotnas, "verify", "--backend", "cpu", SOURCE / "tests/data/reference-nopath.h5"],
                          capture_output=True, text=True)
    return "not built in" not in done.stderr


def disk_kib(folder):
    """Room that the files of a folder take."""
    return sum(os.lstat(Path(at) / name).st_blocks for at, _, names in os.walk(folder) for name in names) // 2
