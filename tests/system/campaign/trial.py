"""The course of one fault: a run is begun, struck, perhaps struck again, and resumed; on the way it is checked that what was
saved is part of the reference, and that no evaluation is made again that was done."""
import os
import random
import re
from collections import Counter

from . import damage, runs
from .place import Wrong, wait_for

N_EARLIER = 7  # times that a run which was over before its fault is begun again, to be struck earlier


class Trial:
    def __init__(self, place, run, draw):
        self.place, self.run, self.draw = place, run, draw
        self.moments = random.Random(draw.random())  # of their own: how many are drawn is up to the machine
        self.story = []  # what happened, for the log
        self.job = None  # the last one
        self.done = {}  # architecture: what its file was when it was done; None: it stands in the state file alone
        self.done_at = {}  # architecture: the launch after which it was found done

    def tell(self, text):
        self.story.append(text)

    @property
    def output(self):
        return self.place.output

    @property
    def prev(self):
        return self.output.with_name(self.output.name + ".prev")

    def report(self):
        return runs.report_of(self.place.tools.robotnas, self.place.folder)

    # ---------------------------------------------------------------------------------------------- jobs

    def start(self, n_ranks, *options, env=None):
        self.job = self.place.start(self.run, n_ranks, *options, env=env)
        return self.job

    def expect(self, code, pattern=None):
        """The last job ended with this code, saying this."""
        found = self.job.end()
        if found != code:
            raise Wrong(f"exit code {found} instead of {code}")
        if pattern and not re.search(pattern, self.job.err, re.M):
            raise Wrong(f"it does not say '{pattern}'")

    def strike(self, n_ranks, act, begun=False, options=(), env=None, undo=lambda: None, note=True):
        """Begin the run, or go on with it, and let act(job) strike at a drawn moment, if begun not before it has saved. A first
        strike that comes too late is undone and repeated earlier. Leaves the job, ended, in self.job; what it saved is noted."""
        first = not self.output.exists() and not self.prev.exists()
        share = self.moments.random()
        for _ in range(N_EARLIER):
            job = self.start(n_ranks, "--resume", *options, env=env)
            if begun:
                job.wait_begun()
                job.wait(share * (self.run.wall_s - self.run.begun_s))
                wait_for(lambda: self.output.exists() or not job.runs(), "a state file")
            else:
                job.wait(share * self.run.wall_s)
            struck = job.runs() and act(job) is not False
            code = job.end()
            if not first or (struck and code != 0):
                if note:
                    self.note_saved()
                return
            undo()
            self.begin_anew()
            share /= 2
        raise Wrong("the run was always over before its fault")

    def begin_anew(self):
        self.place.wipe()
        self.done.clear()
        self.done_at.clear()

    # --------------------------------------------------------------------------------------------- checks

    def marks(self):
        """What trainers noted: (what, launch, device, architecture)."""
        path = self.place.folder / "marks"
        lines = path.read_text().splitlines() if path.exists() else []
        return [(w, int(launch), device, arch) for w, launch, device, arch in (line.split(" ", 3) for line in lines)]

    def check_not_again(self):
        """Nothing that was done was made again."""
        for what, launch, _, arch in self.marks():
            if what == "begin" and arch in self.done and launch > self.done_at[arch]:
                raise Wrong(f"{arch} was done and its trainer ran again")
        for arch, file in self.done.items():
            if file and file[0].exists() and (file[0].stat().st_ino, file[0].stat().st_mtime_ns) != file[1:]:
                raise Wrong(f"{arch} was done and its file was written again")

    def check_ended_are_done(self):
        """A trainer that ended before its rank began with another one is done, by a file or the state."""
        begun = Counter()
        ended = {}
        for what, launch, device, arch in self.marks():
            if launch != self.place.n_launches:
                continue
            if what == "begin":
                begun[device] += 1
            else:
                ended[arch] = (device, begun[device])
        for arch, (device, n) in ended.items():
            if begun[device] > n and arch not in self.done:
                raise Wrong(f"the trainer of {arch} had ended and its answer is lost")

    def note_saved(self):
        """After a job that left what it saved unharmed: the state is a part of the reference, and what is done is noted."""
        self.check_not_again()
        report = None
        if self.output.exists() or self.prev.exists():
            report = self.report()
            if report is None:
                raise Wrong("the state file that was left cannot be read")
            self.check_part(report)
        if not self.run.judges:
            return
        done = damage.done_candidates(self.output)
        for repeat in report["repeats"] if report else []:
            for evaluation in repeat["evaluations"]:
                done.setdefault(evaluation["arch"], None)
        for arch in set(self.done) - set(done):
            raise Wrong(f"{arch} was done and is lost")
        for arch in set(done) - set(self.done):
            self.done[arch] = done[arch]
            self.done_at[arch] = self.place.n_launches
        self.check_ended_are_done()

    def check_part(self, report):
        expected = self.run.report
        for mine, whole in zip(report.get("repeats", []), expected.get("repeats", [])):
            n = len(mine["evaluations"])
            if mine["evaluations"] != whole["evaluations"][:n]:
                raise Wrong("evaluations that were saved are not the reference's")
        scores = runs.scores_of(self.place.tools.robotnas, self.place.folder)
        wrong = [line for line in set(scores) - set(self.run.scores) if line.endswith(",ok")]
        if self.run.command == "score" and wrong:
            raise Wrong(f"scores that were saved are not the reference's: {wrong[0]}")

    def check_right(self):
        """The run is complete, and is the reference."""
        if self.report() != self.run.report:
            raise Wrong("the report is not the reference's")
        if self.run.command == "score":
            if runs.scores_of(self.place.tools.robotnas, self.place.folder) != self.run.scores:
                raise Wrong("the scores are not the reference's")
        self.check_not_again()
        left = [p for p in self.output.parent.rglob("*") if p.suffix in (".tmp", ".lock")]
        if left:
            raise Wrong(f"{left[0]} was left")

    # --------------------------------------------------------------------------------------------- endings

    def resume(self, *options, n_ranks=None, pattern=None, env=None):
        """To the end, which must be right."""
        n_ranks = n_ranks or self.draw.randint(1, 4)
        self.tell(f"resumed on {n_ranks}")
        self.start(n_ranks, "--resume", *options, env=env)
        self.expect(0, pattern)
        self.check_right()

    def refused(self, pattern, *options, code=2):
        """A resume that must be refused, for this reason, in one line, and leave all files as they are."""
        before = self.contents()
        n_ranks = self.draw.randint(1, 2)
        self.start(n_ranks, "--resume", *options)
        self.expect(code, pattern)
        lines = [line for line in self.job.err.splitlines() if line.startswith("robotnas: ")]
        if len(lines) != 1:
            raise Wrong(f"{len(lines)} lines of error instead of one")
        if self.contents() != before:
            raise Wrong("the refused job changed files")
        self.tell("refused")

    def contents(self):
        files = (p for p in self.output.parent.rglob("*") if p.is_file() and p.suffix != ".lock")
        return {p: (os.stat(p).st_ino, p.read_bytes()) for p in files}
