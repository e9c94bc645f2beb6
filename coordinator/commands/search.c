#include "coordinator/search.h"

#include "common/log.h"
#include "common/stop.h"
#include "coordinator/commands/command.h"
#include "coordinator/commands/job_options.h"
#include "coordinator/report.h"
#include "worker/kernels/isa.h"

#include <cblas.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
    "usage: robotnas search JOB.yaml [--set key.path=value]... [--resume | --fresh] [--reuse "
    "OLD.h5]\n"
    "       mpirun -n RANKS robotnas search ...     srun --mpi=pmix robotnas search ...\n"
    "\n"
    "Run the whole method of a job and print the report. Progress goes to stderr, the report to "
    "stdout.\n"
    "\n"
    "  --set KEY=VALUE   override a key of the job file (may be repeated); docs/job-file.md lists "
    "them\n"
    "  --resume          go on with the state at the job's output; start where there is none, do\n"
    "                    nothing where it is complete: what a batch script wants on every start\n"
    "  --fresh           start anew; the state at the output is kept as OUTPUT.prev until the "
    "second save\n"
    "  --reuse OLD.h5    take evaluations over from an older run of the same objective and seed\n"
    "\n"
    "SIGTERM, SIGUSR1, SIGINT or a file OUTPUT.stop save the state and end the run with exit code "
    "75.\n"
    "Exit codes: 0 complete, 1 failed, 2 bad usage or input, 75 stopped on request; run again "
    "with\n"
    "--resume then.\n";

/* The instruction set that every rank has, so that all compute alike. */
static const char *agree_isa(nas_comm_t *world)
{
    double isa = nas_isa_best();
    nas_comm_min(world, &isa, 1);
    return nas_isa_name((nas_isa_t)isa);
}

/* Linear algebra may differ in the last bits between processors that the library tells apart. Only
 * group leaders use it, so a mixed cluster can give other bits for other groups: worth a line. */
static void check_core_types(nas_comm_t *world)
{
    char first[64] = "", mine[64] = "";
    (void)snprintf(mine, sizeof mine, "%s", openblas_get_corename());
    memcpy(first, mine, sizeof first);
    nas_comm_bcast(world, 0, first, sizeof first);
    double differs = strcmp(first, mine) != 0;
    nas_comm_max(world, &differs, 1);
    if (differs > 0)
        nas_log_line("ranks run on different processors; set OPENBLAS_CORETYPE=%s on all of them "
                     "for results that are "
                     "equal bit for bit",
                     first);
}

static nas_status_t open_session(nas_comm_t *world, const nas_job_options_t *options,
                                 nas_session_t **session_p, nas_error_t *err)
{
    const char *isa = agree_isa(world);
    if (nas_comm_rank(world) != 0) return NAS_OK;
    const nas_session_options_t session = {.job = options->job,
                                           .set = options->set,
                                           .n_set = options->n_set,
                                           .resume = options->resume,
                                           .fresh = options->fresh,
                                           .reuse = options->reuse,
                                           .n_ranks = nas_comm_size(world),
                                           .isa = isa};
    return nas_session_create(&session, session_p, err);
}

/* Whether the saved run was complete already: all ranks learn it from rank 0. */
static bool is_complete(nas_comm_t *world, const nas_session_t *session)
{
    bool complete = session && nas_session_state(session)->complete;
    nas_comm_bcast(world, 0, &complete, sizeof complete);
    if (complete) nas_log_line("the run is complete; nothing to do");
    return complete;
}

static nas_status_t search(nas_comm_t *world, const nas_job_options_t *options, nas_error_t *err)
{
    nas_session_t *session = NULL;
    nas_status_t status = nas_comm_agree(world, open_session(world, options, &session, err), err);
    if (!status && !is_complete(world, session)) {
        check_core_types(world);
        status = nas_search(world, session, err);
        nas_log_status("");
        if (!status && session) status = nas_report_text(nas_session_state(session), stdout, err);
    }
    nas_session_destroy(session);
    return status;
}

static int run(int argc, char **argv)
{
    nas_error_t err = {0};
    nas_job_options_t options = {0};
    nas_comm_t *world = NULL;
    nas_stop_install();
    openblas_set_num_threads(1);
    nas_status_t status = nas_job_options_parse(&nas_command_search, argc, argv, &options, &err);
    if (!status && options.help) {
        (void)fputs(help, stdout);
        nas_job_options_fini(&options);
        return 0;
    }
    /* Every rank has the same command line: all start MPI even to report a bad one, so that it is
     * reported once. */
    const nas_status_t started = nas_comm_init(&world, &err);
    if (!status) status = started;
    if (nas_comm_rank(world) == 0) nas_log_open();
    if (!status) status = search(world, &options, &err);
    const int code =
        nas_comm_rank(world) == 0 ? nas_command_finish(status, &err) : nas_exit_code(status);
    nas_job_options_fini(&options);
    return nas_comm_finalize(world, code);
}

const nas_command_t nas_command_search = {
    .name = "search",
    .summary = "run the whole method of a job (under mpirun, srun or alone)",
    .help = help,
    .run = run,
};
