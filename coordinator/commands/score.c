#include "coordinator/commands/networks.h"
#include "coordinator/commands/run_job.h"

static const char help[] =
    "usage: robotnas score JOB.yaml [--set KEY=VALUE]... [--resume | --fresh] [--reuse OLD.h5]\n"
    "                      [--device DEVICE]\n"
    "       mpirun -n RANKS robotnas score ...     srun --mpi=pmix robotnas score ...\n"
    "       robotnas score NET.onnx...             its own options: robotnas score x.onnx --help\n"
    "\n"
    "Compute the training-free metrics of every architecture of a job's pool: the first stage of a\n"
    "search, on its own. The state file that it leaves feeds any number of searches, by\n"
    "metrics: {source: scores, file: SCORES.h5}.\n"
    "\n"
    "  --set KEY=VALUE   override a key of the job file (may be repeated)\n"
    "  --resume          go on with the state at the job's output; start where there is none, do\n"
    "                    nothing where it is complete\n"
    "  --fresh           start anew\n"
    "  --reuse OLD.h5    take scores over from an older run, per architecture and metric, where\n"
    "                    network, batch of images, seed, backend and instruction set are the same\n"
    "  --device DEVICE   what computes networks: cpu, gpu, or one of robotnas devices, as cuda:0; auto,\n"
    "                    the default: GPUs where any rank has one (--set device=DEVICE)\n"
    "\n"
    "Stops and exit codes are those of robotnas search.\n";

static int run(int argc, char **argv)
{
    if (nas_cli_names_networks(argc, argv))
        return nas_cli_run_networks(&nas_cli_score, true, argc, argv);
    return nas_cli_run_job(&nas_cli_score, NAS_JOB_SCORE, argc, argv);
}

const nas_cli_command_t nas_cli_score = {
    .name = "score",
    .summary = "compute the metrics of a pool; the result feeds many searches",
    .help = help,
    .run = run,
};
