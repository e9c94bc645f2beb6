#include "coordinator/commands/run_job.h"

static const char help[] =
    "usage: robotnas search JOB.yaml [--set KEY=VALUE]... [--resume [--retry-failed] | --fresh]\n"
    "                       [--reuse OLD.h5] [--device DEVICE]\n"
    "       mpirun -n RANKS robotnas search ...     srun --mpi=pmix robotnas search ...\n"
    "\n"
    "Run the whole method of a job and print the report. Progress goes to stderr, the report to stdout.\n"
    "\n"
    "  --set KEY=VALUE   override a key of the job file (may be repeated); docs/job-file.md lists them\n"
    "  --resume          go on with the state at the job's output; start where there is none, do\n"
    "                    nothing where it is complete: what a batch script wants on every start\n"
    "  --retry-failed    with --resume: begin again with what has succeeded, and evaluate anew what\n"
    "                    failed; where that is interrupted, --resume alone goes on with it\n"
    "  --fresh           start anew; the state at the output is kept as OUTPUT.prev until the second save\n"
    "  --reuse OLD.h5    take over from an older run: evaluations, where objective and seed are the\n"
    "                    same, and scores, where they were measured alike\n"
    "  --device DEVICE   what computes networks: cpu, gpu, or one of robotnas devices, as cuda:0; auto,\n"
    "                    the default: GPUs where any rank has one (--set device=DEVICE)\n"
    "\n"
    "SIGTERM, SIGUSR1, SIGINT or a file OUTPUT.stop save the state and end the run with exit code 75.\n"
    "Exit codes: 0 complete, 1 failed, also where no evaluation succeeded, 2 bad usage or input, 75\n"
    "stopped on request; run again with --resume then. mpirun that is signalled itself ends with 1.\n"
    "Open MPI starts no more ranks than cores but by mpirun --oversubscribe, and nothing as root but\n"
    "by mpirun --allow-run-as-root.\n";

static int run(int argc, char **argv)
{
    return nas_cli_run_job(&nas_cli_search, NAS_JOB_SEARCH, argc, argv);
}

const nas_cli_command_t nas_cli_search = {
    .name = "search",
    .summary = "run the whole method of a job (under mpirun, srun or alone)",
    .help = help,
    .run = run,
};
