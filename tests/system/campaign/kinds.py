"""Kinds of faults. Each is a function of a Trial that plays a drawn one, up to the end of the resumed run, and returns
"resumed" or "refused". Wrong is raised for what must not be."""
import glob
import os
import re
import shutil
import signal
import time
from dataclasses import dataclass

import statefile

from . import damage
from .place import Wrong

RESUMED, REFUSED = "resumed", "refused"
STOPS = [signal.SIGTERM, signal.SIGUSR1, signal.SIGINT]
SILENCE_S = 6
FAKETIME = next(glob.iglob("/usr/lib/*/faketime/libfaketimeMT.so.1"), None)


@dataclass
class Kind:
    play: object
    lacks: object = lambda tools: None  # what is missing for it
    runs: tuple = ("table", "score", "train", "command")


def ranks(t, low=1):
    return t.draw.randint(low, 4)


def some_rank(t, n, low=0):
    return t.draw.randrange(low, n)


# ------------------------------------------------------------------------------------------------- signals


def kill_rank(t):
    """SIGKILL of any rank at any moment, up to three times."""
    for _ in range(t.draw.randint(1, 3)):
        n = ranks(t)
        rank = some_rank(t, n)
        t.tell(f"rank {rank} of {n} killed")
        t.strike(n, lambda job: job.signal_rank(rank, signal.SIGKILL))
    t.resume()
    return RESUMED


def strike_point(t):
    """SIGKILL at a drawn pass of a drawn fault point on a drawn rank, one that passes it."""
    while True:
        n_ranks, point = ranks(t), t.draw.choice(sorted(t.run.points))
        rank, n = some_rank(t, n_ranks), t.draw.randint(1, t.run.points[point])
        while n >= 1:
            t.start(n_ranks, "--resume", env={"NAS_FAULT": f"{point}:{n}:KILL", "NAS_STRUCK": str(rank)})
            if t.job.end() != 0:
                t.tell(f"killed at {point}:{n} on rank {rank} of {n_ranks}")
                t.note_saved()
                return
            t.begin_anew()
            n //= 2


def kill_point(t):
    """SIGKILL of any rank where it writes, replaces files, steps, scores or trains."""
    for _ in range(t.draw.randint(1, 2)):
        strike_point(t)
    t.resume()
    return RESUMED


def kill_launcher(t):
    """SIGKILL of mpirun; its ranks end by themselves."""
    n = ranks(t)
    t.tell(f"mpirun of {n} killed")
    t.strike(n, lambda job: job.signal_launcher(signal.SIGKILL))
    t.resume()
    return RESUMED


def stop_rank(t):
    """A request to stop that reaches any rank: exit code 75, saved."""
    n = ranks(t)
    rank, number = some_rank(t, n), t.draw.choice(STOPS)
    t.tell(f"SIG{number.name[3:]} to rank {rank} of {n}")
    t.strike(n, lambda job: job.signal_rank(rank, number), begun=True)
    t.expect(75, r"^robotnas: stopped on request after .* is saved, run again with --resume$")
    t.resume()
    return RESUMED


def stop_launcher(t):
    """SIGTERM of mpirun, which passes it on and kills a second later."""
    n = ranks(t)
    t.tell(f"SIGTERM to mpirun of {n}")
    t.strike(n, lambda job: job.signal_launcher(signal.SIGTERM), env={"OMPI_MCA_odls_base_sigkill_timeout": "1"})
    t.resume()
    return RESUMED


def is_complete(t):
    report = t.report()
    return report is not None and report["complete"]


def silent_rank(t):
    """SIGSTOP of a rank that is not 0: it is named, the job ends, saved."""

    def act(job):
        if job.signal_rank(rank, signal.SIGSTOP) and not job.wait(5 * SILENCE_S) and is_complete(t):
            job.signal_rank(rank, signal.SIGCONT)  # too late: suspended as it left, when the others had left

    n = ranks(t, 2)
    rank = some_rank(t, n, 1)
    t.tell(f"rank {rank} of {n} suspended")
    t.strike(n, act, begun=True, options=["--set", f"silence={SILENCE_S}"])
    name = rf"^robotnas: rank {rank} on \S+ has not answered for \d+ s; the job ends, run again with --resume$"
    if not re.search(name, t.job.err, re.M):
        raise Wrong(f"rank {rank} is not named")
    t.resume()
    return RESUMED


# --------------------------------------------------------------------------------------------------- disks


def expect_error(t, reason, may_remove=True):
    """The job that ended has failed for this reason, and left no half of a file where it may remove one."""
    found = t.job.process.returncode
    if found != 1 or not re.search(rf"^robotnas: .*{reason}", t.job.err, re.M):
        raise Wrong(f"exit code {found}, and not '{reason}'")
    left = list(t.output.parent.rglob("*.tmp"))
    if left and may_remove:
        raise Wrong(f"{left[0]} was left")


def disk_full(t):
    """A disk that is full at any write; then there is room again."""
    kib = t.draw.randint(4, t.run.disk_kib + t.run.state_kib)
    folder = t.output.parent
    folder.mkdir()
    t.place.mount("-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", folder)
    n = ranks(t)
    t.start(n, "--resume")
    while t.job.end() == 0:
        t.begin_anew()
        kib = kib * 3 // 4
        t.place.mount("-o", f"remount,size={kib}k", folder)
        t.start(n, "--resume")
    t.tell(f"{kib} KiB of disk for {n} ranks")
    expect_error(t, "No space left on device; free space there and run again with --resume")
    t.note_saved()
    t.place.mount("-o", "remount,size=16m", folder)
    t.resume()
    return RESUMED


def quota(t):
    """A quota that is exceeded at a drawn write of a rank, and by all that come after it."""
    n, writes = ranks(t), t.draw.randint(1, t.run.points["write-before"] * 2)
    t.output.parent.mkdir()
    while True:
        t.start(n, "--resume", env={"RANK_PRELOAD": t.place.tools.quota, "QUOTA_WRITES": str(writes - 1),
                                    "QUOTA_FOLDER": str(t.output.parent)})
        if t.job.end() != 0:
            break
        t.begin_anew()
        writes //= 2
    t.tell(f"quota exceeded at write {writes} of {n} ranks")
    expect_error(t, "Disk quota exceeded; free space there and run again with --resume")
    t.note_saved()
    t.resume()
    return RESUMED


def cover_read_only(t):
    """Put a read-only view of it over the output folder: a file system with open files cannot become read-only itself."""
    folder = t.output.parent
    t.place.mount("--bind", folder, folder)
    while not t.place.mount("-o", "remount,bind,ro", folder):
        time.sleep(0.001)


def read_only(t):
    """An output folder that becomes read-only, and stays so for the next start."""
    n = ranks(t)
    t.tell(f"read-only under {n} ranks")
    t.strike(n, lambda job: cover_read_only(t), begun=True, undo=t.place.unmount)
    expect_error(t, "Read-only file system", may_remove=False)
    if t.draw.random() < 0.5:
        t.tell("started again")
        t.refused("^robotnas: .*Read-only file system", code=1)
    t.place.unmount()
    t.resume()
    return RESUMED


def vanish(t):
    """An output folder that is renamed away and comes back, or is removed for good."""
    away, folder = t.place.folder / "away", t.output.parent
    comes_back = t.draw.random() < 0.5

    def act(job):
        shutil.rmtree(away, ignore_errors=True)
        folder.rename(away)

    n = ranks(t)
    t.tell(f"the output of {n} ranks " + ("renamed away" if comes_back else "removed"))
    t.strike(n, act, begun=True, note=False)
    expect_error(t, "No such file or directory")
    if folder.exists():
        raise Wrong("the folder was made again")
    if comes_back:
        away.rename(folder)
    else:
        shutil.rmtree(away)
        t.begin_anew()
    t.note_saved()
    t.resume()
    return RESUMED


# -------------------------------------------------------------------------------------------------- damage


def make_partial(t, suits):
    """A run that was killed on its course and left what suits: a function of its report that is asked where there is one."""
    n = ranks(t)
    for _ in range(50):
        t.strike(n, lambda job: job.signal_rank(0, signal.SIGKILL), begun=True)
        if t.output.exists() and suits(t.report()):
            t.tell(f"killed on {n} ranks")
            return
        t.begin_anew()
    raise Wrong("no kill left a suitable state file")


def damaged_state(t):
    """A state file, the one before it, or both, that are cut short, flipped in a bit, zeroed, emptied, garbage or gone."""
    make_partial(t, lambda report: t.prev.exists())
    which = t.draw.choice([[t.output], [t.prev], [t.output, t.prev]])
    ways = [damage.damage(t.draw, path) for path in which]
    t.tell(", ".join(f"{way}: {path.name}" for path, way in zip(which, ways)))
    if len(which) == 2 and not (t.output.exists() or t.prev.exists()):
        t.tell("nothing is left")
        t.place.wipe()
        t.begin_anew()
        t.resume(pattern="nothing to resume at")
    elif len(which) == 2:
        gone = not t.prev.exists()
        t.refused(r"^robotnas: .*run\.h5" + ("" if gone else r".*; the file before it is no help: .*run\.h5\.prev"))
        return REFUSED
    else:
        t.resume(pattern=r"going on from the file before it, .*run\.h5\.prev$" if t.output in which else None)
    return RESUMED


def damaged_candidate(t):
    """Files of candidates, damaged likewise: what they held is made anew, unless the state knows it."""
    make_partial(t, lambda report: damage.candidate_files(t.output))
    files = damage.candidate_files(t.output)
    chosen = t.draw.sample(files, t.draw.randint(1, len(files)))
    known = {e["arch"] for r in t.report()["repeats"] for e in r["evaluations"]}
    for path in chosen:
        for arch in [a for a, file in t.done.items() if file and file[0] == path]:
            if arch in known:
                t.done[arch] = None
            else:
                del t.done[arch]
        t.tell(f"{damage.damage(t.draw, path)}: {path.name}")
    t.resume()
    return RESUMED


def older_or_newer_format(t):
    """A state file of another format version is refused; the program that wrote it goes on with it."""
    make_partial(t, lambda report: t.prev.exists())
    mine = damage.format_version(t.output)
    version = mine + t.draw.choice([-mine, 1])
    for path in [t.output, t.prev]:
        statefile.version(path, version)
    age = "newer" if version > mine else "older"
    t.tell(f"format version {version}")
    t.refused(f"^robotnas: .*has format version {version}, this program reads [0-9]+ to {mine}: use the {age} robotnas that wrote it")
    for path in [t.output, t.prev]:
        statefile.version(path, mine)
    t.resume()
    return REFUSED


def other_program(t):
    """A state file of another program version, host and number of ranks is gone on with."""
    make_partial(t, lambda report: not report["complete"])
    for path in filter(os.path.exists, [t.output, t.prev]):
        for name, text in [("program_version", "0.0.1"), ("commit", "0" * 12), ("host", "elsewhere")]:
            statefile.edit(path, f"f.attrs.modify({name!r}, __import__('numpy').bytes_({text!r}))")
    t.tell("another program version")
    t.resume()
    return RESUMED


# ---------------------------------------------------------------------------------------------------- jobs


def other_job(t):
    """The run of another job is refused and left alone; the right job goes on with it."""
    make_partial(t, lambda report: True)
    change, pattern = t.draw.choice(t.run.changes)
    t.tell(change)
    t.refused(f"^robotnas: .*{pattern}", "--set", change)
    t.resume()
    return REFUSED


def other_ranks(t):
    """Another number of ranks, another plan of them, another interval."""
    make_partial(t, lambda report: True)
    n = t.draw.choice([n for n in range(1, 5) if n != t.job.n_ranks])
    options = ["--set", f"checkpoint.interval={t.draw.choice([0, 1, 60])}"]
    if n > 1 and t.draw.random() < 0.5:
        options += ["--set", "coordinator=dedicated"]
    if t.run.command == "search":
        options += ["--set", f"search.groups={t.draw.randint(1, n)}"]
    t.tell(" ".join(options[1::2]))
    t.resume(*options, n_ranks=n)
    return RESUMED


def two_jobs(t):
    """Two jobs on one output, together or one after the other: one is refused, the other is unharmed."""
    together = t.draw.random() < 0.5
    while True:
        first = t.start(ranks(t), "--resume")
        if not together:
            first.wait_begun()
        second = t.start(t.draw.randint(1, 2), t.draw.choice(["--resume", "--fresh"]))
        codes = [first.end(), second.end()]
        if codes == [0, 0] or (codes[0] == 2 and not together):  # one after the other after all
            t.begin_anew()
            continue
        break
    t.tell("two jobs at once" if together else "a second job")
    if sorted(codes) != [0, 2]:
        raise Wrong(f"exit codes {codes}")
    t.job = first if codes[0] == 2 else second
    t.expect(2, r"^robotnas: .*run\.h5 is in use by process \d+ on host \S+; wait until it ends or choose another output$")
    t.tell("refused")
    t.check_right()
    return REFUSED


def clock_jump(t):
    """A system clock that jumps by years, forth and back, and then perhaps a kill."""
    clock = t.place.folder / "clock"
    env = {"RANK_PRELOAD": FAKETIME, "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1",
           "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_DISABLE_SHM": "1", "NO_FAKE_STAT": "1"}

    def jump():
        days = t.draw.randint(-7000, 7000)
        clock.write_text(f"{days:+d}d\n")
        return days

    n = ranks(t)
    rank, jumps = some_rank(t, n), [jump()]
    for _ in range(2):
        t.start(n, "--resume", env=env)
        for _ in range(3):
            t.job.wait(t.draw.random() / 2 * t.run.wall_s)
            jumps.append(jump())
        killed = t.draw.random() < 0.5 and t.job.signal_rank(rank, signal.SIGKILL)
        code = t.job.end()
        if code != 0 and not killed:
            raise Wrong(f"exit code {code} after nothing but jumps")
        t.note_saved()
    t.tell(f"the clock of {n} ranks jumped to " + ", ".join(f"{days:+d}" for days in jumps) + " days")
    t.resume(env=env)
    return RESUMED


# ------------------------------------------------------------------------------------------- what there is


def lacks_mount(tools):
    return None if os.geteuid() == 0 and shutil.which("mount") else "root, who may mount"


def lacks_points(tools):
    return None if tools.has_faults else "fault points in the program (-DROBOTNAS_FAULTS=ON)"


def lacks_quota(tools):
    if tools.has_sanitizer:
        return "a program without sanitizers"
    return None if tools.quota else "the library of --quota"


def lacks_faketime(tools):
    if tools.has_sanitizer:
        return "a program without sanitizers"
    return None if FAKETIME else "faketime"


KINDS = {
    "kill-rank": Kind(kill_rank),
    "kill-point": Kind(kill_point, lacks_points),
    "kill-mpirun": Kind(kill_launcher),
    "stop-rank": Kind(stop_rank),
    "stop-mpirun": Kind(stop_launcher),
    "silent-rank": Kind(silent_rank),
    "disk-full": Kind(disk_full, lacks_mount),
    "quota": Kind(quota, lacks_quota),
    "read-only": Kind(read_only, lacks_mount),
    "vanished": Kind(vanish),
    "damaged-state": Kind(damaged_state),
    "damaged-candidate": Kind(damaged_candidate, runs=("train", "command")),
    "clock-jump": Kind(clock_jump, lacks_faketime),
    "two-jobs": Kind(two_jobs),
    "other-job": Kind(other_job),
    "other-ranks": Kind(other_ranks),
    "other-format": Kind(older_or_newer_format),
    "other-program": Kind(other_program),
}
