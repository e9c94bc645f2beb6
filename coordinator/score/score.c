/* Rounds of scoring.
 *
 * Rank 0 broadcasts how architectures are measured and the mini-batch, and the pool a chunk at a
 * time, as others are scored (intake.h): no rank but 0 holds anything of the pool's length, and no
 * message has it. From what came in and what was done every rank knows by itself who scores what
 * (worker/schedule/schedule.h). A round: each rank scores its list, architecture by architecture,
 * up to as many as a message may hold; its results and its time go to rank 0 in one gather; all
 * ranks' times come back with the verdict, by which every rank works out the next round. Then the
 * schedule is filled again, and rank 0 saves, if that is due, while the others go on.
 *
 * A request to stop, by a signal to any rank or by OUTPUT.stop, reaches all by the heartbeat: each
 * finishes its architecture and goes to the meeting, where the verdict ends the stage for all. An
 * error of a save ends it at the next meeting. A rank that falls silent will never come to the
 * meeting: rank 0 saves what it has and ends the job.
 */
#include "coordinator/score/score.h"

#include "common/base/clock.h"
#include "common/base/fault.h"
#include "common/base/log.h"
#include "common/comm/heartbeat.h"
#include "common/io/stop.h"
#include "common/space/arch.h"
#include "coordinator/score/intake.h"
#include "coordinator/score/score_stage.h"
#include "worker/engine/scorer.h"
#include "worker/schedule/schedule.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of one message of results: what is above it is given back, and comes again in the next round. */
static const size_t MESSAGE_LIMIT = (size_t)4 << 20;

static const double POLL_S = 1e-3; /* least time between two polls of the heartbeat while scoring */

/* The stage on a rank. */
typedef struct scoring {
    nas_comm_t *world;
    const nas_devices_t *devices; /* borrowed */
    nas_score_stage_t *stage;     /* rank 0; borrowed */
    nas_score_parameters_t parameters;
    nas_arch_t arch; /* that is scored */
    float *images;
    int32_t *labels;
    const nas_metric_t *metric[NAS_METRICS_MAX];
    nas_engine_t *engine;
    nas_scorer_t *scorer;
    const nas_metric_t *rest[NAS_METRICS_MAX]; /* [n_rest] metrics that are not known */
    int64_t n_rest;
    nas_scorer_t *rest_scorer; /* NULL where nothing is known */
    nas_intake_t *intake;
    nas_schedule_t *schedule;
    nas_heartbeat_t *heartbeat;
    nas_schedule_report_t *report; /* [n_ranks] */
    char *message;                 /* [MESSAGE_LIMIT] of one round's results */
    double met_s;                  /* when the ranks met last: the round's beginning for all */
    double polled_s;               /* the heartbeat, while scoring */
    bool heard_stop;               /* by then */
} scoring_t;

/* One result, with n_metric values behind it. */
typedef struct result {
    int64_t arch;
    double seconds;
    int64_t status; /* nas_score_status_t */
    double value[];
} result_t;

/* What a rank sends, with n results behind it. */
typedef struct message {
    int64_t n;
    int64_t stop; /* a signal, or 0 */
    nas_schedule_report_t report;
} message_t;

/* What rank 0 answers. */
typedef struct verdict {
    int64_t is_over;
    int64_t status;
    nas_error_t err;
} verdict_t;

static size_t result_size(const scoring_t *scoring)
{
    return sizeof(result_t) + (size_t)scoring->parameters.n_metric * sizeof(double);
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
    scoring->message = malloc(MESSAGE_LIMIT); /* of which a round touches what its results take */
    if (!scoring->images || !scoring->labels || !scoring->report || !scoring->message)
        return nas_error_nomem(err, "scoring");
    *(message_t *)(void *)scoring->message = (message_t){0};
    return nas_arch_init(&scoring->arch, nas_space_at(scoring->parameters.space), err);
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

static nas_status_t make_schedule(scoring_t *scoring, nas_error_t *err)
{
    const nas_intake_options_t intake = {
        .world = scoring->world, .stage = scoring->stage, .parameters = &scoring->parameters};
    nas_schedule_options_t schedule = {.n_ranks = nas_comm_size(scoring->world),
                                       .first_worker = (int)scoring->parameters.first_worker,
                                       .idle = scoring->devices->is_idle,
                                       .target_s = NAS_SCORE_ROUND_S};
    const nas_status_t status = nas_intake_create(&intake, &scoring->intake, &schedule.n, err);
    return status ? status : nas_schedule_create(&schedule, &scoring->schedule, err);
}

/* A rank without a device scores nothing. */
static nas_status_t make_scorer(scoring_t *scoring, nas_error_t *err)
{
    const nas_score_parameters_t *parameters = &scoring->parameters;
    nas_device_t *device = scoring->devices->own;
    int n_metrics = 0;
    const nas_metric_t *const *list = nas_metric_list(&n_metrics);
    for (int64_t m = 0; m < parameters->n_metric; m++) {
        scoring->metric[m] = list[parameters->metric[m]];
        if (!(parameters->known >> m & 1)) scoring->rest[scoring->n_rest++] = scoring->metric[m];
    }
    nas_status_t status = device ? nas_device_engine(device, NULL, &scoring->engine, err) : NAS_OK;
    if (status || !device) return status;
    nas_scorer_options_t options = {.engine = scoring->engine,
                                    .network = parameters->network,
                                    .metric = scoring->metric,
                                    .n_metric = (int)parameters->n_metric,
                                    .batch = (int)parameters->batch,
                                    .images = scoring->images,
                                    .labels = scoring->labels,
                                    .seed = parameters->seed};
    status = nas_scorer_create(&options, &scoring->scorer, err);
    if (status || !parameters->known) return status;
    options.metric = scoring->rest;
    options.n_metric = (int)scoring->n_rest;
    return nas_scorer_create(&options, &scoring->rest_scorer, err);
}

static nas_status_t set_up(scoring_t *scoring, nas_error_t *err)
{
    if (scoring->stage) scoring->parameters = scoring->stage->parameters;
    nas_comm_bcast(scoring->world, 0, &scoring->parameters, sizeof scoring->parameters);
    if (scoring->parameters.first_worker >= nas_comm_size(scoring->world))
        scoring->parameters.first_worker = 0;
    nas_status_t status = nas_comm_agree(scoring->world, allocate(scoring, err), err);
    if (status) return status;
    spread_batch(scoring);
    if (scoring->stage) nas_score_stage_begin(scoring->stage);
    status = make_schedule(scoring, err);
    if (!status) status = make_scorer(scoring, err);
    return nas_comm_agree(scoring->world, status, err);
}

static void tear_down(scoring_t *scoring)
{
    nas_heartbeat_end(scoring->heartbeat);
    nas_schedule_destroy(scoring->schedule);
    nas_intake_destroy(scoring->intake);
    nas_scorer_destroy(scoring->scorer);
    nas_scorer_destroy(scoring->rest_scorer);
    nas_engine_destroy(scoring->engine);
    nas_arch_fini(&scoring->arch);
    free(scoring->images);
    free(scoring->labels);
    free(scoring->report);
    free(scoring->message);
}

/* ------------------------------------------------------------------------------------- scoring */

/* All metrics of an architecture, or those that are not known, with NaN for the others. */
static nas_status_t measure(scoring_t *scoring, const nas_schedule_item_t *item, double *value,
                            nas_error_t *err)
{
    double rest[NAS_METRICS_MAX];
    int64_t n = 0;
    bool is_partly = false;
    nas_arch_set(&scoring->arch, nas_intake_arch(item, &is_partly));
    if (!is_partly) return nas_scorer_score(scoring->scorer, &scoring->arch, value, err);
    const nas_status_t status = nas_scorer_score(scoring->rest_scorer, &scoring->arch, rest, err);
    for (int64_t m = 0; !status && m < scoring->parameters.n_metric; m++)
        value[m] = scoring->parameters.known >> m & 1 ? (double)NAN : rest[n++];
    return status;
}

/* A failure is data: it is recorded, and the run goes on. */
static void score_one(scoring_t *scoring, const nas_schedule_item_t *item, result_t *result)
{
    nas_error_t err = {0};
    const double begin_s = nas_clock_monotonic_s();
    const nas_status_t status = measure(scoring, item, result->value, &err);
    for (int64_t m = 0; status && m < scoring->parameters.n_metric; m++)
        result->value[m] = (double)NAN;
    result->arch = item->index;
    result->status = status ? NAS_SCORE_FAILED : NAS_SCORE_OK;
    result->seconds = nas_clock_monotonic_s() - begin_s;
}

/* This rank's list of the round, as far as a message holds its results. */
static const nas_schedule_item_t *own_list(const scoring_t *scoring, int64_t *n)
{
    const int64_t n_most = (int64_t)((MESSAGE_LIMIT - sizeof(message_t)) / result_size(scoring));
    const nas_schedule_item_t *list =
        nas_schedule_list(scoring->schedule, nas_comm_rank(scoring->world), n);
    if (*n > n_most) *n = n_most;
    return list;
}

/* Tell the others how far this rank is; returns a signal that asks all to stop, or 0. */
static int poll_others(scoring_t *scoring, double share)
{
    return nas_heartbeat_poll(scoring->heartbeat, nas_stop_signal(), share);
}

/* The same between two architectures, where that is worth its while: some take microseconds. */
static bool is_asked_to_stop(void *context, double share)
{
    scoring_t *scoring = context;
    const double now_s = nas_clock_monotonic_s();
    if (now_s - scoring->polled_s < POLL_S) return scoring->heard_stop;
    scoring->polled_s = now_s;
    scoring->heard_stop = poll_others(scoring, share) != 0;
    return scoring->heard_stop;
}

/* Work this rank's list; returns the size of the message. The save before counts as a part of the
 * round where others wait for its end, but is not held against the first item: where it takes
 * longer than all that is left to score, no round would come any further. */
static size_t work(scoring_t *scoring)
{
    int64_t n = 0;
    const int rank = nas_comm_rank(scoring->world);
    const nas_schedule_item_t *list = own_list(scoring, &n);
    message_t *message = (message_t *)(void *)scoring->message;
    *message = (message_t){0};
    for (int64_t k = 0; k < n; k++) {
        if (is_asked_to_stop(scoring, (double)k / (double)n)) break;
        const double elapsed_s = k > 0 ? nas_clock_monotonic_s() - scoring->met_s : 0.0;
        if (!nas_schedule_may_start(scoring->schedule, rank, k, elapsed_s)) break;
        result_t *result = (result_t *)(void *)(scoring->message + sizeof *message +
                                                (size_t)k * result_size(scoring));
        score_one(scoring, &list[k], result);
        message->n++;
        message->report.n_done++;
        if (result->status != NAS_SCORE_OK) continue;
        message->report.cost += list[k].cost;
        message->report.seconds += result->seconds;
    }
    message->stop = poll_others(scoring, 1.0);
    return sizeof *message + (size_t)message->n * result_size(scoring);
}

/* ------------------------------------------------------------------------------------- meeting */

static void record_message(scoring_t *scoring, int rank, const char *data, int64_t *stop)
{
    const message_t *message = (const message_t *)(const void *)data;
    scoring->report[rank] = message->report;
    if (message->stop > *stop) *stop = message->stop;
    for (int64_t k = 0; k < message->n; k++) {
        const result_t *result = (const result_t *)(const void *)(data + sizeof *message +
                                                                  (size_t)k * result_size(scoring));
        const nas_score_t score = {.status = (nas_score_status_t)result->status,
                                   .seconds = result->seconds};
        nas_score_stage_record(scoring->stage, result->arch, rank, &score, result->value);
    }
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
    verdict.status = nas_score_stage_end_round(scoring->stage, stop, &verdict.err);
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

nas_status_t nas_score(nas_comm_t *world, const nas_devices_t *devices, nas_score_stage_t *stage,
                       nas_error_t *err)
{
    scoring_t scoring = {.world = world, .devices = devices, .stage = stage};
    nas_status_t status = set_up(&scoring, err);
    if (!status) status = begin_heartbeat(&scoring, err);
    if (!status) status = run_rounds(&scoring, err);
    tear_down(&scoring);
    return status;
}
