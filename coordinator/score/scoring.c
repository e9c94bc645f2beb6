/* Rounds of scoring.
 *
 * Rank 0 broadcasts how architectures are measured and the mini-batch, and the pool a chunk at a
 * time, as others are scored (intake.h): no rank but 0 holds anything of the pool's length, and no
 * message has it. From what came in and what was done every rank knows by itself who scores what
 * (worker/schedule/schedule.h). A round: each rank scores its list, architecture by architecture,
 * up to as many as a message may hold; its results and its time go to rank 0 in one gather; all
 * ranks' times come back with the verdict, by which every rank plans the next round. Then the
 * schedule is filled again, and rank 0 saves, if that is due, while the others go on.
 *
 * A request to stop, by a signal to any rank or by OUTPUT.stop, reaches all by the heartbeat: each
 * finishes its architecture and goes to the meeting, where the verdict ends the stage for all. An
 * error of a save ends it at the next meeting. A rank that falls silent will never come to the
 * meeting: rank 0 saves what it has and ends the job.
 */
#include "coordinator/score/scoring.h"

#include "common/base/clock.h"
#include "common/base/fault.h"
#include "common/base/log.h"
#include "common/comm/heartbeat.h"
#include "common/io/stop.h"
#include "common/space/arch.h"
#include "coordinator/score/intake.h"
#include "worker/engine/backends/backends.h"
#include "worker/engine/scorer.h"
#include "worker/schedule/schedule.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of one message of results: what is above it is given back, and comes again in the next round. */
static const size_t MESSAGE_LIMIT = (size_t)4 << 20;

/* A rank's part in the stage. */
typedef struct part {
    nas_comm_t *world;
    nas_session_t *session; /* rank 0; borrowed */
    nas_scoring_plan_t plan;
    nas_arch_t arch; /* that is scored */
    float *images;
    int32_t *labels;
    const nas_metric_t *metric[NAS_SCORING_MAX_METRICS];
    nas_scorer_t *scorer;
    const nas_metric_t *rest[NAS_SCORING_MAX_METRICS]; /* [n_rest] metrics that are not known */
    int64_t n_rest;
    nas_scorer_t *rest_scorer; /* NULL where nothing is known */
    nas_intake_t *intake;
    nas_schedule_t *schedule;
    nas_heartbeat_t *heartbeat;
    nas_schedule_report_t *report; /* [n_ranks] */
    char *message;                 /* of one round's results */
    double met_s;                  /* when the ranks met last: the round's beginning for all */
} part_t;

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

static size_t result_size(const part_t *part)
{
    return sizeof(result_t) + (size_t)part->plan.n_metric * sizeof(double);
}

/* -------------------------------------------------------------------------------------- set up */

static size_t image_values(const nas_scoring_plan_t *plan)
{
    const nas_network_t *net = &plan->network;
    return (size_t)plan->batch * (size_t)net->image_channels * (size_t)net->height *
           (size_t)net->width;
}

static nas_status_t allocate(part_t *part, nas_error_t *err)
{
    part->images = malloc(image_values(&part->plan) * sizeof *part->images);
    part->labels = malloc((size_t)part->plan.batch * sizeof *part->labels);
    part->report = calloc((size_t)nas_comm_size(part->world), sizeof *part->report);
    if (!part->images || !part->labels || !part->report) return nas_error_nomem(err, "scoring");
    int n_spaces = 0;
    return nas_arch_init(&part->arch, nas_space_list(&n_spaces)[part->plan.space], err);
}

static void spread_batch(part_t *part)
{
    const size_t n_bytes = image_values(&part->plan) * sizeof *part->images;
    const size_t n_labels = (size_t)part->plan.batch;
    if (part->session) {
        const nas_inputs_t *inputs = nas_session_inputs(part->session);
        memcpy(part->images, inputs->batch.images, n_bytes);
        memcpy(part->labels, inputs->batch.labels, n_labels * sizeof *part->labels);
    }
    nas_comm_bcast(part->world, 0, part->images, n_bytes);
    nas_comm_bcast(part->world, 0, part->labels, n_labels * sizeof *part->labels);
}

static nas_status_t make_schedule(part_t *part, nas_error_t *err)
{
    const nas_intake_options_t intake = {
        .world = part->world, .session = part->session, .plan = &part->plan};
    nas_schedule_options_t schedule = {.n_ranks = nas_comm_size(part->world),
                                       .first_worker = (int)part->plan.first_worker,
                                       .target_s = NAS_SCORING_ROUND_S};
    const nas_status_t status = nas_intake_create(&intake, &part->intake, &schedule.n, err);
    return status ? status : nas_schedule_create(&schedule, &part->schedule, err);
}

static nas_status_t make_scorer(part_t *part, nas_error_t *err)
{
    const nas_scoring_plan_t *plan = &part->plan;
    int n_metrics = 0;
    const nas_metric_t *const *list = nas_metric_list(&n_metrics);
    for (int64_t m = 0; m < plan->n_metric; m++) {
        part->metric[m] = list[plan->metric[m]];
        if (!(plan->known >> m & 1)) part->rest[part->n_rest++] = part->metric[m];
    }
    nas_scorer_options_t options = {
        .backend = nas_backend_of((nas_backend_kind_t)plan->backend, (nas_isa_t)plan->isa),
        .network = plan->network,
        .metric = part->metric,
        .n_metric = (int)plan->n_metric,
        .batch = (int)plan->batch,
        .images = part->images,
        .labels = part->labels,
        .seed = plan->seed};
    if (!options.backend)
        return nas_error_set(
            err, NAS_EINPUT,
            "this program was built without oneDNN, which backend: cpu needs; set backend: ref");
    const nas_status_t status = nas_scorer_create(&options, &part->scorer, err);
    if (status || !plan->known) return status;
    options.metric = part->rest;
    options.n_metric = (int)part->n_rest;
    return nas_scorer_create(&options, &part->rest_scorer, err);
}

static nas_status_t set_up(part_t *part, nas_error_t *err)
{
    if (part->session) part->plan = nas_session_inputs(part->session)->scoring;
    double isa = nas_isa_best();
    nas_comm_min(part->world, &isa, 1);
    part->plan.isa = (int64_t)isa;
    nas_comm_bcast(part->world, 0, &part->plan, sizeof part->plan);
    if (part->plan.first_worker >= nas_comm_size(part->world)) part->plan.first_worker = 0;
    nas_status_t status = nas_comm_agree(part->world, allocate(part, err), err);
    if (status) return status;
    spread_batch(part);
    if (part->session) nas_session_begin_scoring(part->session);
    status = make_schedule(part, err);
    if (!status) status = make_scorer(part, err);
    return nas_comm_agree(part->world, status, err);
}

static void tear_down(part_t *part)
{
    nas_heartbeat_end(part->heartbeat);
    nas_schedule_destroy(part->schedule);
    nas_intake_destroy(part->intake);
    nas_scorer_destroy(part->scorer);
    nas_scorer_destroy(part->rest_scorer);
    nas_arch_fini(&part->arch);
    free(part->images);
    free(part->labels);
    free(part->report);
    free(part->message);
}

/* ------------------------------------------------------------------------------------- scoring */

/* All metrics of an architecture, or those that are not known, with NaN for the others. */
static nas_status_t measure(part_t *part, const nas_schedule_item_t *item, double *value,
                            nas_error_t *err)
{
    double rest[NAS_SCORING_MAX_METRICS];
    int64_t n = 0;
    bool is_partly = false;
    nas_arch_set(&part->arch, nas_intake_arch(item, &is_partly));
    if (!is_partly) return nas_scorer_score(part->scorer, &part->arch, value, err);
    const nas_status_t status = nas_scorer_score(part->rest_scorer, &part->arch, rest, err);
    for (int64_t m = 0; !status && m < part->plan.n_metric; m++)
        value[m] = part->plan.known >> m & 1 ? (double)NAN : rest[n++];
    return status;
}

/* A failure is data: it is recorded, and the run goes on. */
static void score_one(part_t *part, const nas_schedule_item_t *item, result_t *result)
{
    nas_error_t err = {0};
    const double begin_s = nas_clock_monotonic_s();
    const nas_status_t status = measure(part, item, result->value, &err);
    for (int64_t m = 0; status && m < part->plan.n_metric; m++) result->value[m] = (double)NAN;
    result->arch = item->index;
    result->status = status ? NAS_SCORE_FAILED : NAS_SCORE_OK;
    result->seconds = nas_clock_monotonic_s() - begin_s;
}

/* This rank's list of the round, as far as a message holds its results. */
static const nas_schedule_item_t *own_list(const part_t *part, int64_t *n)
{
    const int64_t n_most = (int64_t)((MESSAGE_LIMIT - sizeof(message_t)) / result_size(part));
    const nas_schedule_item_t *list =
        nas_schedule_list(part->schedule, nas_comm_rank(part->world), n);
    if (*n > n_most) *n = n_most;
    return list;
}

static void reserve_message(part_t *part, int64_t n)
{
    const size_t size = sizeof(message_t) + (size_t)n * result_size(part);
    char *message = realloc(part->message, size);
    if (!message) nas_comm_abort("out of memory for results");
    part->message = message;
}

/* Tell the others how far this rank is; returns a signal that asks all to stop, or 0. */
static int poll_others(part_t *part, double share)
{
    return nas_heartbeat_poll(part->heartbeat, nas_stop_signal(), share);
}

/* Work this rank's list; returns the size of the message. The save before counts as a part of the
 * round, but is not held against the first item: where it takes longer than all that is left to
 * score, no round would come any further. */
static size_t work(part_t *part)
{
    int64_t n = 0;
    const int rank = nas_comm_rank(part->world);
    const nas_schedule_item_t *list = own_list(part, &n);
    reserve_message(part, n);
    message_t *message = (message_t *)(void *)part->message;
    *message = (message_t){0};
    for (int64_t k = 0; k < n; k++) {
        if (poll_others(part, (double)k / (double)n)) break;
        const double elapsed_s = k > 0 ? nas_clock_monotonic_s() - part->met_s : 0.0;
        if (!nas_schedule_may_start(part->schedule, rank, k, elapsed_s)) break;
        result_t *result =
            (result_t *)(void *)(part->message + sizeof *message + (size_t)k * result_size(part));
        score_one(part, &list[k], result);
        message->n++;
        message->report.n_done++;
        if (result->status != NAS_SCORE_OK) continue;
        message->report.cost += list[k].cost;
        message->report.seconds += result->seconds;
    }
    message->stop = poll_others(part, 1.0);
    return sizeof *message + (size_t)message->n * result_size(part);
}

/* ------------------------------------------------------------------------------------- meeting */

static void record_message(part_t *part, int rank, const char *data, int64_t *stop)
{
    const message_t *message = (const message_t *)(const void *)data;
    part->report[rank] = message->report;
    if (message->stop > *stop) *stop = message->stop;
    for (int64_t k = 0; k < message->n; k++) {
        const result_t *result = (const result_t *)(const void *)(data + sizeof *message +
                                                                  (size_t)k * result_size(part));
        const nas_score_t score = {.status = (nas_score_status_t)result->status,
                                   .seconds = result->seconds};
        nas_session_record_score(part->session, result->arch, rank, &score, result->value);
    }
}

/* Rank 0: results in, verdict out. The last state is saved before it is announced. */
static verdict_t judge(part_t *part, const char *all, const size_t *offset)
{
    int64_t stop = 0;
    verdict_t verdict = {0};
    for (int r = 0; r < nas_comm_size(part->world); r++)
        record_message(part, r, all + offset[r], &stop);
    const int asked_since = poll_others(part, 1.0);
    if (asked_since > stop) stop = asked_since;
    verdict.status = nas_session_scored(part->session, stop, &verdict.err);
    verdict.is_over = verdict.status || !nas_session_needs_scores(part->session);
    return verdict;
}

/* Rank 0, in the middle of a round: its own results are there, the others' are not. */
static void save_before_end(void *context, const char *line)
{
    part_t *part = context;
    int64_t stop = 0;
    if (part->message) record_message(part, 0, part->message, &stop);
    nas_log_status("");
    nas_session_abandon(part->session, line);
}

static int watch(void *context, double share)
{
    (void)share; /* of lists that are longer than the round: nothing to show */
    return nas_session_watch_scoring(((part_t *)context)->session);
}

static nas_status_t begin_heartbeat(part_t *part, nas_error_t *err)
{
    const nas_heartbeat_options_t options = {.silence_s = part->plan.silence_s,
                                             .silent = save_before_end,
                                             .watch = watch,
                                             .context = part};
    return nas_heartbeat_begin(part->world, &options, &part->heartbeat, err);
}

static nas_status_t run_rounds(part_t *part, nas_error_t *err)
{
    verdict_t verdict = {0};
    const size_t n_ranks = (size_t)nas_comm_size(part->world);
    size_t *offset = part->session ? calloc(n_ranks + 1, sizeof *offset) : NULL;
    if (part->session && !offset) nas_comm_abort("out of memory for message sizes");
    nas_intake_fill(part->intake, part->schedule);
    part->met_s = nas_clock_monotonic_s();
    while (!verdict.is_over && nas_schedule_next(part->schedule)) {
        const char *all = NULL;
        const size_t size = work(part);
        NAS_FAULT_POINT("score");
        nas_comm_gather(part->world, part->message, size, &all, offset);
        if (part->session) verdict = judge(part, all, offset);
        nas_comm_bcast(part->world, 0, &verdict, sizeof verdict);
        nas_comm_bcast(part->world, 0, part->report, n_ranks * sizeof *part->report);
        nas_schedule_record(part->schedule, part->report);
        if (!verdict.is_over) nas_intake_fill(part->intake, part->schedule);
        part->met_s = nas_clock_monotonic_s();
        if (part->session && !verdict.is_over) nas_session_save_if_due(part->session);
    }
    free(offset);
    if (verdict.status) *err = verdict.err;
    return (nas_status_t)verdict.status;
}

nas_status_t nas_scoring(nas_comm_t *world, nas_session_t *session, nas_error_t *err)
{
    part_t part = {.world = world, .session = session};
    nas_status_t status = set_up(&part, err);
    if (!status) status = begin_heartbeat(&part, err);
    if (!status) status = run_rounds(&part, err);
    tear_down(&part);
    return status;
}
