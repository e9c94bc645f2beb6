#include "coordinator/commands/run_job.h"

#include "common/base/isa.h"
#include "common/base/log.h"
#include "common/comm/heartbeat.h"
#include "common/io/stop.h"
#include "coordinator/commands/job_options.h"
#include "coordinator/commands/next_steps.h"
#include "coordinator/inputs/inputs_ranks.h"
#include "coordinator/registries/registries.h"
#include "coordinator/report/report.h"
#include "coordinator/run/run.h"

#include <cblas.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

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
        nas_log_line(
            "ranks run on different processors; set OPENBLAS_CORETYPE=%s on all of them for results that are equal bit for bit",
            first);
}

/* While rank 0 reads its inputs, a signal to any rank reaches it by the heartbeat. */
static bool is_asked_to_stop(void *context, double share)
{
    return nas_heartbeat_poll(context, nas_stop_signal(), share) != 0;
}

/* OUTPUT.stop, once the run knows its output. Rank 0 has it from here also while it waits for
 * others that still read, and they have it from the heartbeat. */
static int watch_stop_file(void *context, double share)
{
    const nas_run_t *run = context;
    (void)share;
    return run->session && nas_session_stops_reading(run->session) ? SIGTERM : 0;
}

/* What rank 0 knows and all must act on. */
static bool spread(nas_comm_t *world, bool flag)
{
    nas_comm_bcast(world, 0, &flag, sizeof flag);
    return flag;
}

/* Drivers of GPUs take signals for themselves. Those that come meanwhile are noted afterwards. */
static nas_status_t open_devices(nas_comm_t *world, const nas_run_t *run, nas_devices_t *devices,
                                 nas_error_t *err)
{
    nas_devices_request_t request = {0};
    const bool leads = nas_comm_rank(world) == 0;
    if (!spread(world, leads && nas_run_computes(run))) return NAS_OK;
    if (leads) request = nas_run_devices(run);
    nas_stop_hold();
    const nas_status_t status = nas_devices_open(world, &request, devices, err);
    nas_stop_install();
    return status;
}

/* The ranks serve rank 0, which reads. */
static nas_status_t open_inputs(nas_comm_t *world, nas_run_t *run, const nas_run_options_t *what,
                                nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    if (nas_comm_rank(world) == 0) {
        status = nas_run_open(run, what, err);
        nas_inputs_dismiss(world);
    } else {
        const nas_inputs_served_t served = {.world = world,
                                            .interrupt = what->interrupt,
                                            .table_p = &run->inputs.table,
                                            .networks_p = &run->inputs.networks};
        nas_inputs_serve(&served);
    }
    return nas_comm_agree(world, status, err);
}

/* Collective: inputs, then what computes, then the stages. */
static nas_status_t open_run(nas_comm_t *world, const nas_run_options_t *options, nas_run_t *run,
                             nas_devices_t *devices, nas_error_t *err)
{
    nas_heartbeat_t *heartbeat = NULL;
    /* never silent: nothing is begun that a silent rank could lose */
    const nas_heartbeat_options_t listen = {.watch = watch_stop_file, .context = run};
    nas_status_t status = nas_heartbeat_begin(world, &listen, &heartbeat, err);
    if (status) return status;
    const nas_interrupt_t interrupt = {.asked = is_asked_to_stop, .context = heartbeat};
    nas_run_options_t what = *options;
    what.interrupt = &interrupt;
    status = open_inputs(world, run, &what, err);
    if (!status) status = open_devices(world, run, devices, err);
    if (!status) {
        if (nas_comm_rank(world) == 0) status = nas_run_open_stages(run, &what, devices, err);
        status = nas_comm_agree(world, status, err);
    }
    nas_heartbeat_end(heartbeat);
    return status;
}

static nas_run_options_t run_options(nas_comm_t *world, const nas_job_options_t *options,
                                     nas_job_purpose_t purpose)
{
    return (nas_run_options_t){.job = {.sections = nas_registries_job(),
                                       .path = options->job,
                                       .set = options->set,
                                       .n_set = options->n_set,
                                       .purpose = purpose},
                               .resume = options->resume,
                               .retry_failed = options->retry_failed,
                               .fresh = options->fresh,
                               .reuse = options->reuse,
                               .world = world,
                               .n_ranks = nas_comm_size(world),
                               .isa = agree_isa(world),
                               .blas = openblas_get_corename()};
}

/* Of a run that is over: nothing to do but to say so. */
static nas_status_t say_over(const nas_session_t *session, bool is_complete, nas_error_t *err)
{
    nas_log_line(is_complete ? "the run is complete; nothing to do"
                             : "the run gave up (objective.patience); nothing to do");
    return nas_session_verdict(session, err);
}

/* The stages that the run needs, and the report at the end. state: of the run, on rank 0; NULL
 * elsewhere. */
static nas_status_t run_stages(nas_comm_t *world, const nas_devices_t *devices, nas_run_t *run,
                               const nas_state_t *state, nas_error_t *err)
{
    const nas_search_ranks_t ranks = {.world = world,
                                      .devices = devices,
                                      .networks = run->inputs.networks,
                                      .table = run->inputs.table};
    nas_status_t status = NAS_OK;
    if (spread(world, state && nas_session_over(run->session))) {
        if (state) status = say_over(run->session, state->complete, err);
        return nas_comm_agree(world, status, err);
    }
    check_core_types(world);
    if (state) status = nas_run_begin(run, err);
    status = nas_comm_agree(world, status, err);
    if (!status && spread(world, nas_score_stage_is_needed(run->score)))
        status = nas_score(world, devices, run->inputs.networks, run->score, err);
    if (!status && spread(world, run->search != NULL))
        status = nas_search(&ranks, run->search, err);
    nas_log_status("");
    if (!status && state)
        status = nas_report_text(state, nas_session_output(run->session), stdout, err);
    if (!status && state) status = nas_session_verdict(run->session, err);
    return nas_comm_agree(world, status, err);
}

static nas_status_t open_and_run(nas_comm_t *world, const nas_cli_command_t *command,
                                 const nas_job_options_t *options, nas_job_purpose_t purpose,
                                 nas_error_t *err)
{
    nas_run_t run = {0};
    nas_devices_t devices = {0};
    const nas_run_options_t what = run_options(world, options, purpose);
    nas_status_t status = open_run(world, &what, &run, &devices, err);
    const nas_state_t *state = !status && run.session ? nas_session_state(run.session) : NULL;
    const bool was_complete = state && state->complete;
    if (!status) status = run_stages(world, &devices, &run, state, err);
    if (state && !was_complete) nas_next_steps_print(command, options, &run, status, stdout);
    nas_run_close(&run);
    nas_devices_close(&devices);
    return status;
}

int nas_cli_run_job(const nas_cli_command_t *command, nas_job_purpose_t purpose, int argc,
                    char **argv)
{
    nas_error_t err = {0};
    nas_job_options_t options = {0};
    nas_comm_t *world = NULL;
    nas_stop_install();
    openblas_set_num_threads(1);
    nas_status_t status = nas_job_options_parse(command, argc, argv, &options, &err);
    if (!status && options.help) {
        (void)fputs(command->help, stdout);
        if (purpose == NAS_JOB_SEARCH) nas_cli_print_methods(stdout);
        nas_job_options_fini(&options);
        return 0;
    }
    /* Every rank has the same command line: all start MPI even to report a bad one, so that it is
     * reported once. */
    nas_stop_hold();
    const nas_status_t started = nas_comm_init(&world, &err);
    nas_stop_install();
    if (!status) status = started;
    if (nas_comm_rank(world) == 0) nas_log_open();
    if (!status) status = open_and_run(world, command, &options, purpose, &err);
    const int code =
        nas_comm_rank(world) == 0 ? nas_cli_finish(status, &err) : nas_exit_code(status);
    nas_job_options_fini(&options);
    return nas_comm_finalize(world, code);
}
