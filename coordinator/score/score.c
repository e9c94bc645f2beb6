/* Rounds of scoring.
 *
 * Rank 0 broadcasts how architectures are measured and the mini-batch, and the pool a chunk at a
 * time, as others are scored (intake.h): no rank but 0 holds anything of the pool's length, and no
 * message has it. From what came in and what was done every rank knows by itself who scores what
 * (worker/schedule/schedule.h). A round: each rank scores its list, architecture by architecture or
 * a pack at a time (score_worker.h), up to as many as a message may hold; its results and its time go to rank 0 in one gather; all
 * ranks' times come back with the verdict, by which every rank works out the next round. Then the
 * schedule is filled again, and rank 0 saves, if that is due, while the others go on.
 *
 * A request to stop, by a signal to any rank or by OUTPUT.stop, reaches all by the heartbeat: each
 * finishes what is under way and goes to the meeting, where the verdict ends the stage for all. An
 * error of a save ends it at the next meeting. A rank that falls silent will never come to the
 * meeting: rank 0 saves what it has and ends the job.
 *
 * A rank whose device is lost says so at the meeting, to which it asks the others as by a signal.
 * The device is the machine's: no architecture is recorded as failed for it, what was scored is
 * saved, and all ranks end with that rank's words. Ranks without a device have nothing to score and
 * wait at the meeting.
 */
#include "coordinator/score/score.h"

#include "common/base/clock.h"
#include "common/base/fault.h"
#include "common/base/log.h"
#include "common/comm/heartbeat.h"
#include "common/io/stop.h"
#include "coordinator/score/intake.h"
#include "coordinator/score/score_stage.h"
#include "coordinator/score/score_worker.h"
#include "worker/schedule/schedule.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* Of one message of results: what is above it is given back, and comes again in the next round. */
static const size_t MESSAGE_LIMIT = (size_t)4 << 20;

static const double POLL_S = 1e-3; /* least time between two polls of the heartbeat while scoring */

/* The stage on a rank. */
typedef struct scoring {
    nas_comm_t *world;
    const nas_devices_t *devices; /* borrowed */
    nas_networks_t *networks;     /* likewise */
    nas_score_stage_t *stage;     /* rank 0; borrowed */
    nas_score_parameters_t parameters;
    float *images;
    int32_t *labels;
    nas_score_worker_t *worker; /* NULL: this rank has no device */
    nas_intake_t *intake;
    nas_schedule_t *schedule;
    nas_heartbeat_t *heartbeat;
    nas_schedule_report_t *report; /* [n_ranks] */
    char *message;   /* [MESSAGE_LIMIT] of one round's results, and an error behind them */
    double met_s;    /* when the ranks met last: the round's beginning for all */
    double polled_s; /* the heartbeat, while scoring */
    bool heard_stop; /* by then */
} scoring_t;

/* What a rank sends, with report.n_done results behind it, and behind those a nas_error_t where there
 * is a status. */
typedef struct message {
    int64_t status; /* of the rank's engine */
    int64_t stop;   /* a signal, or 0 */
    nas_schedule_report_t report;
    nas_error_t failure; /* of the first architecture of the round that failed; "": none has */
} message_t;

/* What rank 0 answers. */
typedef struct verdict {
    int64_t is_over;
    int64_t status;
    nas_error_t err;
} verdict_t;

static size_t result_size(const scoring_t *scoring)
{
    return nas_score_result_size(&scoring->parameters);
}

/* -------------------------------------------------------------------------------------- set up */

static size_t image_values(const nas_score_parameters_t *parameters)
{
    const nas_network_t *net = &parameters->network;
    return (size_t)parameters->batch * (size_t)net->image_channels * (size_t)net->height *
           (size_t)net->width;
}

static nas_status_t allocate(scoring_t *scoring, nas_error_t *err)
{
    scoring->images = malloc(image_values(&scoring->parameters) * sizeof *scoring->images);
    scoring->labels = malloc((size_t)scoring->parameters.batch * sizeof *scoring->labels);
    scoring->report = calloc((size_t)nas_comm_size(scoring->world), sizeof *scoring->report);
    /* of which a round touches what its results take */
    scoring->message = malloc(MESSAGE_LIMIT + sizeof(nas_error_t));
    if (!scoring->images || !scoring->labels || !scoring->report || !scoring->message)
        return nas_error_nomem(err, "scoring");
    *(message_t *)(void *)scoring->message = (message_t){0};
    return NAS_OK;
}

static void spread_batch(scoring_t *scoring)
{
    const size_t n_bytes = image_values(&scoring->parameters) * sizeof *scoring->images;
    const size_t n_labels = (size_t)scoring->parameters.batch;
    if (scoring->stage) {
        const nas_batch_t *batch = &scoring->stage->inputs->batch;
        memcpy(scoring->images, batch->images, n_bytes);
        memcpy(scoring->labels, batch->labels, n_labels * sizeof *scoring->labels);
    }
    nas_comm_bcast(scoring->world, 0, scoring->images, n_bytes);
    nas_comm_bcast(scoring->world, 0, scoring->labels, n_labels * sizeof *scoring->labels);
}

static nas_status_t make_worker(scoring_t *scoring, nas_error_t *err)
{
    const nas_score_worker_options_t options = {.device = scoring->devices->own,
                                                .parameters = &scoring->parameters,
                                                .networks = scoring->networks,
                                                .images = scoring->images,
                                                .labels = scoring->labels};
    nas_status_t status = NAS_OK;
    if (options.device) status = nas_score_worker_create(&options, &scoring->worker, err);
    return nas_comm_agree(scoring->world, status, err);
}

/* Every rank knows how many architectures each of them takes at once. */
static nas_status_t make_schedule(scoring_t *scoring, nas_error_t *err)
{
    const nas_intake_options_t intake = {.world = scoring->world,
                                         .stage = scoring->stage,
                                         .networks = scoring->networks,
                                         .parameters = &scoring->parameters};
    const int n_ranks = nas_comm_size(scoring->world);
    const int own = nas_score_worker_width(scoring->worker);
    int *width = calloc((size_t)n_ranks, sizeof *width);
    nas_status_t status = width ? NAS_OK : nas_error_nomem(err, "the rounds of scoring");
    status = nas_comm_agree(scoring->world, status, err);
    if (!status) nas_comm_all_gather(scoring->world, &own, sizeof own, width);
    nas_schedule_options_t schedule = {
        .n_ranks = n_ranks, .width = width, .target_s = NAS_SCORE_ROUND_S};
    if (!status) status = nas_intake_create(&intake, &scoring->intake, &schedule.n, err);
    if (!status) status = nas_schedule_create(&schedule, &scoring->schedule, err);
    free(width);
    return nas_comm_agree(scoring->world, status, err);
}

static nas_status_t set_up(scoring_t *scoring, nas_error_t *err)
{
    if (scoring->stage) scoring->parameters = scoring->stage->parameters;
    nas_comm_bcast(scoring->world, 0, &scoring->parameters, sizeof scoring->parameters);
    nas_status_t status = nas_comm_agree(scoring->world, allocate(scoring, err), err);
    if (status) return status;
    spread_batch(scoring);
    if (scoring->stage) nas_score_stage_begin(scoring->stage);
    status = make_worker(scoring, err);
    return status ? status : make_schedule(scoring, err);
}

static void tear_down(scoring_t *scoring)
{
    nas_heartbeat_end(scoring->heartbeat);
    nas_schedule_destroy(scoring->schedule);
    nas_intake_destroy(scoring->intake);
    nas_score_worker_destroy(scoring->worker);
    free(scoring->images);
    free(scoring->labels);
    free(scoring->report);
    free(scoring->message);
}

/* ------------------------------------------------------------------------------------- scoring */

/* Tell the others how far this rank is; returns a signal that asks all to stop, or 0. */
static int poll_others(scoring_t *scoring, double share)
{
    return nas_heartbeat_poll(scoring->heartbeat, nas_stop_signal(), share);
}

/* The same between two packs, where that is worth its while: some take microseconds. */
static bool is_asked_to_stop(void *context, double share)
{
    scoring_t *scoring = context;
    const double now_s = nas_clock_monotonic_s();
    if (now_s - scoring->polled_s < POLL_S) return scoring->heard_stop;
    scoring->polled_s = now_s;
    scoring->heard_stop = poll_others(scoring, share) != 0;
    return scoring->heard_stop;
}

/* This rank's list of the round, as far as a message holds its results. */
static nas_status_t work_list(scoring_t *scoring, message_t *message, nas_error_t *err)
{
    const nas_score_list_t list = {
        .schedule = scoring->schedule,
        .rank = nas_comm_rank(scoring->world),
        .n_most = (int64_t)((MESSAGE_LIMIT - sizeof *message) / result_size(scoring)),
        .met_s = scoring->met_s,
        .interrupt = {.asked = is_asked_to_stop, .context = scoring},
        .result = scoring->message + sizeof *message,
        .failure = &message->failure};
    if (!scoring->worker) return NAS_OK;
    return nas_score_worker_work(scoring->worker, &list, &message->report, err);
}

/* Work this rank's list; returns the size of the message. */
static size_t work(scoring_t *scoring)
{
    nas_error_t err = {0};
    message_t *message = (message_t *)(void *)scoring->message;
    *message = (message_t){0};
    const nas_status_t status = work_list(scoring, message, &err);
    message->status = status;
    message->stop =
        status ? nas_heartbeat_poll(scoring->heartbeat, SIGTERM, 1.0) : poll_others(scoring, 1.0);
    const size_t size = sizeof *message + (size_t)message->report.n_done * result_size(scoring);
    if (!status) return size;
    memcpy(scoring->message + size, &err, sizeof err);
    return size + sizeof err;
}

/* ------------------------------------------------------------------------------------- meeting */

static void record_message(scoring_t *scoring, int rank, const char *data, int64_t *stop)
{
    const message_t *message = (const message_t *)(const void *)data;
    scoring->report[rank] = message->report;
    nas_score_stage_note_failure(scoring->stage, &message->failure);
    if (message->stop > *stop) *stop = message->stop;
    for (int64_t k = 0; k < message->report.n_done; k++) {
        const nas_score_result_t *result =
            (const nas_score_result_t *)(const void *)(data + sizeof *message +
                                                       (size_t)k * result_size(scoring));
        const nas_score_t score = {.status = (nas_score_status_t)result->status,
                                   .seconds = result->seconds};
        nas_score_stage_record(scoring->stage, result->arch, rank, &score, result->value);
    }
}

/* The first rank whose engine failed, and its words; -1: none. */
static int find_failure(const scoring_t *scoring, const char *all, const size_t *offset,
                        verdict_t *verdict)
{
    for (int r = 0; r < nas_comm_size(scoring->world); r++) {
        const message_t *message = (const message_t *)(const void *)(all + offset[r]);
        if (!message->status) continue;
        verdict->status = message->status;
        memcpy(&verdict->err, all + offset[r + 1] - sizeof verdict->err, sizeof verdict->err);
        return r;
    }
    return -1;
}

/* Rank 0: results in, verdict out. The last state is saved before it is announced. */
static verdict_t conclude(scoring_t *scoring, const char *all, const size_t *offset)
{
    int64_t stop = 0;
    verdict_t verdict = {0};
    for (int r = 0; r < nas_comm_size(scoring->world); r++)
        record_message(scoring, r, all + offset[r], &stop);
    const int asked_since = poll_others(scoring, 1.0);
    if (asked_since > stop) stop = asked_since;
    const int failed = find_failure(scoring, all, offset, &verdict);
    verdict.status = failed < 0
                         ? nas_score_stage_end_round(scoring->stage, stop, &verdict.err)
                         : nas_score_stage_break_off(scoring->stage, failed,
                                                     (nas_status_t)verdict.status, &verdict.err);
    verdict.is_over = verdict.status || !nas_score_stage_is_needed(scoring->stage);
    return verdict;
}

/* Rank 0, in the middle of a round: its own results are there, the others' are not. */
static void save_before_end(void *context, const char *line)
{
    scoring_t *scoring = context;
    int64_t stop = 0;
    record_message(scoring, 0, scoring->message, &stop);
    nas_log_status("");
    nas_session_abandon(scoring->stage->session, line);
}

static int watch(void *context, double share)
{
    (void)share; /* of lists that are longer than the round: nothing to show */
    return nas_score_stage_watch(((scoring_t *)context)->stage);
}

static nas_status_t begin_heartbeat(scoring_t *scoring, nas_error_t *err)
{
    const nas_heartbeat_options_t options = {.silence_s = scoring->parameters.silence_s,
                                             .silent = save_before_end,
                                             .watch = watch,
                                             .context = scoring};
    return nas_heartbeat_begin(scoring->world, &options, &scoring->heartbeat, err);
}

static nas_status_t run_rounds(scoring_t *scoring, nas_error_t *err)
{
    verdict_t verdict = {0};
    const size_t n_ranks = (size_t)nas_comm_size(scoring->world);
    size_t *offset = scoring->stage ? calloc(n_ranks + 1, sizeof *offset) : NULL;
    if (scoring->stage && !offset) nas_comm_abort("out of memory for message sizes");
    const nas_interrupt_t interrupt = {.asked = is_asked_to_stop, .context = scoring};
    nas_intake_fill(scoring->intake, scoring->schedule, &interrupt);
    scoring->met_s = nas_clock_monotonic_s();
    while (!verdict.is_over && nas_schedule_next(scoring->schedule)) {
        const char *all = NULL;
        const size_t size = work(scoring);
        NAS_FAULT_POINT("score");
        nas_comm_gather(scoring->world, scoring->message, size, &all, offset);
        if (scoring->stage) verdict = conclude(scoring, all, offset);
        nas_comm_bcast(scoring->world, 0, &verdict, sizeof verdict);
        nas_comm_bcast(scoring->world, 0, scoring->report, n_ranks * sizeof *scoring->report);
        nas_schedule_record(scoring->schedule, scoring->report);
        if (!verdict.is_over) nas_intake_fill(scoring->intake, scoring->schedule, &interrupt);
        scoring->met_s = nas_clock_monotonic_s();
        if (scoring->stage && !verdict.is_over) nas_score_stage_save_if_due(scoring->stage);
        if (n_ranks == 1) scoring->met_s = nas_clock_monotonic_s(); /* nobody waits for a save */
    }
    free(offset);
    if (verdict.status) *err = verdict.err;
    return (nas_status_t)verdict.status;
}

nas_status_t nas_score(nas_comm_t *world, const nas_devices_t *devices, nas_networks_t *networks,
                       nas_score_stage_t *stage, nas_error_t *err)
{
    scoring_t scoring = {.world = world, .devices = devices, .networks = networks, .stage = stage};
    nas_status_t status = set_up(&scoring, err);
    if (!status) status = begin_heartbeat(&scoring, err);
    if (!status) status = run_rounds(&scoring, err);
    tear_down(&scoring);
    return status;
}
