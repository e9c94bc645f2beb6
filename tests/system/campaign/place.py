"""The private folder of one fault: jobs that are started there, and the processes that are left of them."""
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

from . import runs

LIMIT_S = 120  # for anything that is waited for
ENDING_S = 30  # for processes whose job has ended

# A rank notes its process, and drops a fault that is meant for another one.
RANK = """
echo $$ >"pid.$NAS_LAUNCH.$OMPI_COMM_WORLD_RANK"
[ "$OMPI_COMM_WORLD_RANK" = "$NAS_STRUCK" ] || unset NAS_FAULT
[ -z "$RANK_PRELOAD" ] || export LD_PRELOAD="$RANK_PRELOAD"
exec "$0" "$@"
"""


class Wrong(Exception):
    """What must not be."""


def wait_for(condition, what, limit_s=LIMIT_S):
    end = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > end:
            raise Wrong(f"waited {limit_s} s in vain for {what}")
        time.sleep(0.01)


def runs_still(pid):
    """Whether a process runs; one that nobody has waited for has ended, too."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state not in "ZX"


class Job:
    """A job under mpiexec."""

    def __init__(self, place, launch, n_ranks, arguments, env):
        self.place, self.launch, self.n_ranks = place, launch, n_ranks
        self.arguments = [str(a) for a in arguments]
        command = [place.tools.mpiexec, "-n", str(n_ranks), "sh", "-c", RANK, place.tools.robotnas, *self.arguments]
        with open(self.path("out"), "w") as out, open(self.path("err"), "w") as err:
            self.process = subprocess.Popen(command, cwd=place.folder, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                            env={**place.env, **env, "NAS_LAUNCH": str(launch)})

    def path(self, kind):
        return self.place.folder / f"{kind}.{self.launch}"

    @property
    def err(self):
        return self.path("err").read_text(errors="replace")

    def runs(self):
        return self.process.poll() is None

    def begun(self):
        """Whether it is under way, as it says itself."""
        return re.search(r"^\S+ \S+ robotnas: \w+: (method|scoring)", self.err, re.M) is not None

    def pid(self, rank):
        path = self.path("pid").with_name(f"pid.{self.launch}.{rank}")
        text = path.read_text() if path.exists() else ""
        return int(text) if text.strip() else 0

    def wait(self, seconds):
        """So long, or until it has ended, which is returned."""
        end = time.monotonic() + seconds
        while self.runs() and time.monotonic() < end:
            time.sleep(0.005)
        return not self.runs()

    def wait_begun(self):
        wait_for(lambda: self.begun() or not self.runs(), "a job to be under way")

    def signal_rank(self, rank, number):
        """False where the rank was gone."""
        wait_for(lambda: self.pid(rank) or not self.runs(), "a rank")
        return self.pid(rank) != 0 and self.send(self.pid(rank), number)

    def signal_launcher(self, number):
        if not self.runs():
            return False
        self.process.send_signal(number)
        return True

    @staticmethod
    def send(pid, number):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return False
        return True

    def end(self):
        """Its exit code, once all of its processes have ended."""
        wait_for(lambda: not self.runs(), f"the end of launch {self.launch}")
        wait_for(lambda: not self.place.processes(self.launch), f"the end of what launch {self.launch} left", ENDING_S)
        self.check_sanitizers()
        return self.process.returncode

    def check_sanitizers(self):
        found = re.search(r".*(Sanitizer|runtime error).*", self.err)
        if found:
            raise Wrong(f"a sanitizer: {found[0]}")


class Tools:
    """Programs."""

    def __init__(self, robotnas, mpiexec, quota):
        self.robotnas, self.mpiexec, self.quota = robotnas, mpiexec, quota
        binary = Path(robotnas).read_bytes()
        self.has_faults = b"NAS_FAULT" in binary
        self.has_sanitizer = b"__asan_init" in binary


class Place:
    """The folder, its mounts, its jobs."""

    def __init__(self, folder, tools, inputs):
        self.folder, self.tools, self.inputs = folder, tools, inputs
        self.token = f"NAS_PLACE={folder}"
        self.n_launches = 0
        self.mounts = []
        folder.mkdir()
        self.output = folder / runs.OUTPUT
        # What Open MPI leaves where its launcher is killed lies in this folder, too.
        self.env = {**os.environ, "NAS_PLACE": str(folder), "TMPDIR": str(folder),
                    "OMPI_MCA_btl_vader_backing_directory": str(folder),
                    "OMPI_MCA_odls_base_sigkill_timeout": "0"}
        for name in ("OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "OMPI_MCA_mpi_yield_when_idle",
                     "OMPI_MCA_rmaps_base_oversubscribe", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            self.env.setdefault(name, "1")

    def start(self, run, n_ranks, *options, env=None):
        self.n_launches += 1
        job = self.inputs / f"{run.name}.yaml"
        return Job(self, self.n_launches, n_ranks, [run.command, job, *options], env or {})

    def processes(self, launch=None):
        """Of those that were started here, trainers and what has left its session too, what still runs."""
        found = []
        for entry in os.scandir("/proc"):
            if not entry.name.isdigit():
                continue
            try:
                environ = Path(entry.path, "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            mine = self.token.encode() in environ
            if mine and launch is not None:
                mine = f"NAS_LAUNCH={launch}".encode() in environ
            if mine and runs_still(entry.name):
                found.append(int(entry.name))
        return found

    def end_processes(self):
        """What still runs is killed; its number is returned."""
        left = self.processes()
        for pid in left:
            Job.send(pid, signal.SIGKILL)
        return len(left)

    def mount(self, *arguments):
        """Whether mount took the arguments, which end with a folder."""
        done = subprocess.run(["mount", *map(str, arguments)], capture_output=True, text=True)
        if done.returncode == 0 and "remount" not in " ".join(map(str, arguments)):
            self.mounts.append(arguments[-1])
        return done.returncode == 0

    def unmount(self):
        """All mounts, the last first."""
        while self.mounts:
            subprocess.run(["umount", "--lazy", str(self.mounts.pop())], check=True)

    def wipe(self):
        """As if no job had been here."""
        for path in [*self.folder.glob("out/*"), *self.folder.glob("marks")]:
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def close(self, keep=False):
        n_left = self.end_processes()
        self.unmount()
        if not keep:
            shutil.rmtree(self.folder)
        return n_left
