#!/usr/bin/env python3
"""Strike small runs with drawn faults, resume them, and check that each ends with the report that it has when nothing disturbs
it, or is refused with the right message, and that no evaluation is lost once it is done.

usage: ROBOTNAS=... fault_campaign.py [--seed S] [--faults N | --each | --fault I] [--only KIND] [--runs NAME,...]
                                      [--quota LIBRARY] [--keep]

Prints a line a fault and a table; exits 1 where a fault failed, naming seed and number, with which it can be repeated alone:
what is drawn is the same then, the moment is as exact as the machine. docs/reliability.md says what is guaranteed.
"""
import argparse
import os
import random
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

from campaign import runs
from campaign.kinds import KINDS
from campaign.place import Place, Tools, Wrong
from campaign.trial import Trial

OUTCOMES = ["resumed", "refused", "skipped", "failed"]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", type=int, default=200, metavar="N", help="how many (default 200)")
    parser.add_argument("--each", action="store_true", help="one fault of every kind instead")
    parser.add_argument("--fault", type=int, metavar="I", help="fault number I alone")
    parser.add_argument("--only", choices=KINDS, metavar="KIND", help=f"of one kind: {', '.join(KINDS)}")
    parser.add_argument("--runs", metavar="NAMES", help="strike these runs only, of table, score, train, command")
    parser.add_argument("--quota", default=os.environ.get("NAS_QUOTA"), help="the library of tests/tools/quota.c")
    parser.add_argument("--keep", action="store_true", help="keep the folders of faults that failed")
    return parser.parse_args()


class Campaign:
    def __init__(self, arguments, folder):
        self.arguments, self.folder = arguments, folder
        quota = arguments.quota and str(Path(arguments.quota).resolve())
        robotnas = str(Path(os.environ["ROBOTNAS"]).resolve())
        self.tools = Tools(robotnas, os.environ.get("MPIEXEC", "mpiexec"), quota)
        self.inputs = folder / "inputs"
        self.inputs.mkdir()
        names = arguments.runs.split(",") if arguments.runs else None
        self.runs = {run.name: run for run in runs.make_runs() if not names or run.name in names}
        runs.write_inputs(self.runs.values(), self.inputs, "cpu" if runs.has_cpu(robotnas) else "ref")

    def measure(self, run):
        """The reference, and how long it takes on two ranks."""
        place = Place(self.folder / f"reference-{run.name}", self.tools, self.inputs)
        try:
            begin = time.monotonic()
            job = place.start(run, 2)
            job.wait_begun()
            run.begun_s = time.monotonic() - begin
            if job.end() != 0:
                raise Wrong(f"the undisturbed run '{run.name}' fails: {job.err}")
            run.wall_s = time.monotonic() - begin
            run.report = runs.report_of(self.tools.robotnas, place.folder)
            run.scores = runs.scores_of(self.tools.robotnas, place.folder)
            run.state_kib = place.output.stat().st_size // 1024 + 1
            run.disk_kib = runs.disk_kib(place.output.parent)
        finally:
            place.close()
        print(f"{run.name}: {run.wall_s:.1f} s on two ranks, {run.disk_kib} KiB", flush=True)

    def play(self, number, kind_name, run, draw):
        """One fault; its outcome, and what there is to tell."""
        kind = KINDS[kind_name]
        missing = kind.lacks(self.tools)
        if missing:
            return "skipped", f"needs {missing}"
        place = Place(self.folder / f"f{number}", self.tools, self.inputs)
        trial = Trial(place, run, draw)
        try:
            outcome, text = kind.play(trial), "; ".join(trial.story)
        except Wrong as wrong:
            outcome, text = "failed", "; ".join([*trial.story, str(wrong)]) + self.last_words(trial)
        except Exception:  # of the campaign itself: the others go on
            outcome, text = "failed", "; ".join(trial.story) + "\n" + traceback.format_exc() + self.last_words(trial)
        n_left = place.close(keep=self.arguments.keep and outcome == "failed")
        if n_left and outcome != "failed":
            return "failed", f"{text}; {n_left} processes were left"
        return outcome, text

    @staticmethod
    def last_words(trial):
        job = trial.job
        return f"\n    launch {job.launch}: {' '.join(job.arguments)}\n    {job.err[-2000:]}" if job else ""

    def draw(self, number):
        """What decides a fault: its kind, its run, and the rest of its draws."""
        draw = random.Random(f"{self.arguments.seed}/{number}")
        kind = draw.choice(list(KINDS))
        if self.arguments.each:
            kind = list(KINDS)[number]
        kind = self.arguments.only or kind
        names = [name for name in KINDS[kind].runs if name in self.runs]
        return kind, self.runs[draw.choice(names)] if names else None, draw

    def numbers(self):
        if self.arguments.fault is not None:
            return [self.arguments.fault]
        return range(len(KINDS) if self.arguments.each else self.arguments.faults)

    def run_all(self):
        """How often each kind had each outcome, and the numbers of the failed ones."""
        counts, failed = Counter(), []
        for run in self.runs.values():
            self.measure(run)
        for number in self.numbers():
            kind, run, draw = self.draw(number)
            begin = time.monotonic()
            outcome, text = self.play(number, kind, run, draw) if run else ("skipped", "no run for it")
            seconds = time.monotonic() - begin
            print(f"{number:4} {kind}, {run.name if run else '-'}: {text}: {outcome} ({seconds:.1f} s)", flush=True)
            if outcome == "skipped":
                print(f"SKIPPED: {kind}: {text}", flush=True)
            counts[kind, outcome] += 1
            if outcome == "failed":
                failed.append(number)
        return counts, failed


def print_table(counts):
    print(f"\n| {'kind':17} | drawn | " + " | ".join(OUTCOMES) + " |")
    print(f"|{'-' * 19}|------:|" + "|".join("-" * (len(o) + 1) + ":" for o in OUTCOMES) + "|")
    for kind in [*KINDS, "all"]:
        row = [sum(n for (k, o), n in counts.items() if kind in (k, "all") and o == outcome) for outcome in OUTCOMES]
        if sum(row):
            cells = " | ".join(f"{n:{len(o)}}" for n, o in zip(row, OUTCOMES))
            print(f"| {kind:17} | {sum(row):5} | {cells} |")


def main():
    arguments = parse_arguments()
    folder = Path(tempfile.mkdtemp(prefix="nas-"))
    begin = time.monotonic()
    print(f"seed {arguments.seed}", flush=True)
    try:
        counts, failed = Campaign(arguments, folder).run_all()
    finally:
        if not arguments.keep:
            shutil.rmtree(folder, ignore_errors=True)
    print_table(counts)
    print(f"\n{(time.monotonic() - begin) / 60:.1f} minutes")
    alone = ["--each"] if arguments.each else []
    alone += ["--only", arguments.only] if arguments.only else []
    alone += ["--runs", arguments.runs] if arguments.runs else []
    for number in failed:
        print(f"FAILED: repeat it by: {' '.join(['--seed', str(arguments.seed), *alone, '--fault', str(number)])}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
