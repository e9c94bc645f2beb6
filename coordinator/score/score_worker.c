/* A rank's list, a pack at a time.
 *
 * An engine that takes one architecture is given one, and the next when that is done. One that takes
 * more has two packs under way: while it computes the first, the graphs and programs of the second
 * are made. Whether the second may begin is asked before, with the time at which the first is
 * predicted to end.
 *
 * A pack is of one kind, all metrics or those that are not known from another run, as these are two
 * scorers on one engine; a pack of the other kind waits until nothing is under way.
 */
#include "coordinator/score/score_worker.h"

#include "common/base/clock.h"
#include "common/state/state.h"
#include "coordinator/score/intake.h"
#include "worker/engine/scorer.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_PACKS = 2 }; /* under way */

/* Items of the list that are scored together. */
typedef struct pack {
    int64_t first;
    int64_t n;
    bool is_partly;
    double begin_s;     /* when the engine began with it, at the earliest */
    double predicted_s; /* that it takes */
} pack_t;

/* A list that is worked. */
typedef struct work {
    const nas_score_list_t *list;
    const nas_schedule_item_t *item; /* [n] */
    int64_t n;
    int64_t n_started;
    bool is_over; /* nothing more is started */
    bool is_cut;  /* nothing more is recorded: making one was interrupted */
    pack_t pack[MOST_PACKS];
    int n_packs; /* under way, the first of them before the others */
    nas_schedule_report_t *report;
} work_t;

struct nas_score_worker {
    const nas_score_parameters_t *parameters;
    nas_networks_t *networks; /* what makes them */
    const nas_metric_t *metric[NAS_METRICS_MAX];
    const nas_metric_t *rest[NAS_METRICS_MAX]; /* [n_rest] metrics that are not known */
    int64_t n_rest;
    nas_engine_t *engine;
    bool is_gpu;
    nas_scorer_t *scorer;
    nas_scorer_t *rest_scorer;    /* NULL where nothing is known */
    double *rest_value;           /* [width x n_rest] */
    double **value;               /* [width] where a pack's values go */
    nas_scorer_result_t *outcome; /* [width] of a pack */
};

/* -------------------------------------------------------------------------------- life and death */

static void choose_metrics(nas_score_worker_t *worker)
{
    const nas_score_parameters_t *parameters = worker->parameters;
    int n_metrics = 0;
    const nas_metric_t *const *list = nas_metric_list(&n_metrics);
    for (int64_t m = 0; m < parameters->n_metric; m++) {
        worker->metric[m] = list[parameters->metric[m]];
        if (!(parameters->known >> m & 1)) worker->rest[worker->n_rest++] = worker->metric[m];
    }
}

static nas_status_t make_scorers(nas_score_worker_t *worker,
                                 const nas_score_worker_options_t *options, nas_error_t *err)
{
    const nas_score_parameters_t *parameters = options->parameters;
    nas_scorer_options_t scorer = {.engine = worker->engine,
                                   .networks = worker->networks,
                                   .network = parameters->network,
                                   .metric = worker->metric,
                                   .n_metric = (int)parameters->n_metric,
                                   .batch = (int)parameters->batch,
                                   .images = options->images,
                                   .labels = options->labels,
                                   .seed = parameters->seed};
    const nas_status_t status = nas_scorer_create(&scorer, &worker->scorer, err);
    if (status || !parameters->known) return status;
    scorer.metric = worker->rest;
    scorer.n_metric = (int)worker->n_rest;
    return nas_scorer_create(&scorer, &worker->rest_scorer, err);
}

static nas_status_t allocate(nas_score_worker_t *worker, nas_error_t *err)
{
    const size_t width = (size_t)worker->engine->width;
    worker->rest_value = malloc((width * (size_t)worker->n_rest + 1) * sizeof *worker->rest_value);
    worker->value = malloc(width * sizeof *worker->value);
    worker->outcome = malloc(width * sizeof *worker->outcome);
    if (!worker->rest_value || !worker->value || !worker->outcome)
        return nas_error_nomem(err, "scoring");
    return NAS_OK;
}

nas_status_t nas_score_worker_create(const nas_score_worker_options_t *options,
                                     nas_score_worker_t **worker_p, nas_error_t *err)
{
    nas_score_worker_t *worker = calloc(1, sizeof *worker);
    if (!worker) return nas_error_nomem(err, "scoring");
    worker->parameters = options->parameters;
    worker->networks = options->networks;
    worker->is_gpu = nas_device_kind(options->device) == NAS_DEVICE_GPU;
    choose_metrics(worker);
    nas_status_t status = nas_device_engine(options->device, NULL, &worker->engine, err);
    if (!status) status = allocate(worker, err);
    if (!status) status = make_scorers(worker, options, err);
    if (status) {
        nas_score_worker_destroy(worker);
        return status;
    }
    *worker_p = worker;
    return NAS_OK;
}

int nas_score_worker_width(const nas_score_worker_t *worker)
{
    return worker ? worker->engine->width : 0;
}

size_t nas_score_result_size(const nas_score_parameters_t *parameters)
{
    return sizeof(nas_score_result_t) + (size_t)parameters->n_metric * sizeof(double);
}

void nas_score_worker_destroy(nas_score_worker_t *worker)
{
    if (!worker) return;
    nas_scorer_destroy(worker->scorer);
    nas_scorer_destroy(worker->rest_scorer);
    nas_engine_destroy(worker->engine);
    free(worker->rest_value);
    free(worker->value);
    free(worker->outcome);
    free(worker);
}

/* --------------------------------------------------------------------------------------- starting */

/* When this rank will be through with what is under way, as far as that is known. The save before
 * the round counts as a part of it where others wait for its end, but is not held against the first
 * item: where it takes longer than all that is left to score, no round would come any further. */
static double ready_s(const work_t *work)
{
    if (work->n_started == 0) return 0.0;
    double end_s = nas_clock_monotonic_s();
    if (work->n_packs > 0) end_s = fmax(end_s, work->pack->begin_s + work->pack->predicted_s);
    return end_s - work->list->met_s;
}

static bool is_partly(const work_t *work, int64_t k)
{
    bool partly = false;
    (void)nas_intake_arch(&work->item[k], &partly);
    return partly;
}

/* The pack that comes next. */
static pack_t next_pack(const work_t *work)
{
    const nas_score_list_t *list = work->list;
    const int64_t k = work->n_started;
    pack_t pack = {.first = k, .is_partly = is_partly(work, k)};
    const int64_t n = nas_schedule_pack(list->schedule, list->rank, k);
    while (pack.n < n && k + pack.n < work->n && is_partly(work, k + pack.n) == pack.is_partly)
        pack.n++;
    pack.begin_s = nas_clock_monotonic_s();
    pack.predicted_s = nas_schedule_pack_s(list->schedule, list->rank, k);
    return pack;
}

/* Whether another pack is to be started now. */
static bool may_start(const nas_score_worker_t *worker, work_t *work)
{
    const nas_score_list_t *list = work->list;
    const int most = worker->engine->width > 1 ? MOST_PACKS : 1;
    const int64_t k = work->n_started;
    if (work->is_over || work->n_packs == most) return false;
    if (k < work->n && work->n_packs > 0 && is_partly(work, k) != work->pack->is_partly)
        return false;
    work->is_over = k == work->n ||
                    nas_interrupted(&list->interrupt, (double)k / (double)work->n) ||
                    !nas_schedule_may_start(list->schedule, list->rank, k, ready_s(work));
    return !work->is_over;
}

static void start(nas_score_worker_t *worker, work_t *work)
{
    const pack_t pack = next_pack(work);
    nas_scorer_t *scorer = pack.is_partly ? worker->rest_scorer : worker->scorer;
    bool ignored = false;
    for (int64_t k = pack.first; k < pack.first + pack.n; k++)
        nas_scorer_add(scorer, nas_intake_arch(&work->item[k], &ignored));
    nas_scorer_start(scorer);
    work->pack[work->n_packs++] = pack;
    work->n_started += pack.n;
}

/* -------------------------------------------------------------------------------------- finishing */

static nas_score_result_t *result_of(const nas_score_worker_t *worker, const work_t *work,
                                     int64_t k)
{
    return (nas_score_result_t *)(void *)(work->list->result +
                                          (size_t)k * nas_score_result_size(worker->parameters));
}

/* A failure is data: it is recorded, and the run goes on. What a GPU has no memory for is tried again
 * where a run is resumed, on another perhaps. */
static nas_score_status_t status_of(const nas_score_worker_t *worker, nas_status_t status)
{
    if (status == NAS_OK) return NAS_SCORE_OK;
    return status == NAS_ENOMEM && worker->is_gpu ? NAS_SCORE_UNFIT : NAS_SCORE_FAILED;
}

/* Values where they belong: NaN of what failed, and of what is known. */
static void place_values(const nas_score_worker_t *worker, const pack_t *pack, int64_t i,
                         nas_score_result_t *result)
{
    const int64_t n_metric = worker->parameters->n_metric;
    const double *rest = worker->rest_value + i * worker->n_rest;
    for (int64_t m = 0; m < n_metric; m++) {
        const bool is_known = pack->is_partly && (worker->parameters->known >> m & 1);
        if (result->status != NAS_SCORE_OK || is_known)
            result->value[m] = (double)NAN;
        else if (pack->is_partly)
            result->value[m] = *rest++;
    }
}

/* Results of a pack that took so long, and what they tell of the rank's speed. */
static void record(const nas_score_worker_t *worker, work_t *work, const pack_t *pack,
                   double seconds)
{
    const nas_schedule_item_t *item = work->item + pack->first;
    nas_schedule_report_t *report = work->report;
    double cost = 0.0;
    for (int64_t i = 0; i < pack->n; i++) cost += item[i].cost;
    for (int64_t i = 0; i < pack->n; i++) {
        nas_score_result_t *result = result_of(worker, work, pack->first + i);
        result->arch = item[i].index;
        result->status = status_of(worker, worker->outcome[i].status);
        result->seconds = seconds * (item[i].cost / cost);
        place_values(worker, pack, i, result);
        if (result->status != NAS_SCORE_OK) continue;
        report->cost += item[i].cost;
        report->seconds += result->seconds;
    }
    report->n_done += pack->n;
}

/* Those of a pack that count: what stands behind one whose making was interrupted comes again. Notes
 * why the first one failed. */
static int64_t take_outcomes(const nas_score_worker_t *worker, const work_t *work, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        const nas_scorer_result_t *outcome = &worker->outcome[i];
        if (outcome->status == NAS_ESTOP) return i;
        if (outcome->status && !*work->list->failure->text) *work->list->failure = outcome->err;
    }
    return n;
}

static nas_status_t finish(nas_score_worker_t *worker, work_t *work, nas_error_t *err)
{
    pack_t pack = work->pack[0];
    nas_scorer_t *scorer = pack.is_partly ? worker->rest_scorer : worker->scorer;
    for (int64_t i = 0; i < pack.n; i++)
        worker->value[i] = pack.is_partly ? worker->rest_value + i * worker->n_rest
                                          : result_of(worker, work, pack.first + i)->value;
    const nas_status_t status = nas_scorer_finish(scorer, worker->value, worker->outcome, err);
    if (status) return status;
    const double now_s = nas_clock_monotonic_s();
    const int64_t n = work->is_cut ? 0 : take_outcomes(worker, work, pack.n);
    if (n < pack.n) work->is_over = work->is_cut = true;
    pack.n = n;
    record(worker, work, &pack, now_s - pack.begin_s);
    work->pack[0] = work->pack[1];
    work->pack[0].begin_s = now_s;
    work->n_packs--;
    return NAS_OK;
}

nas_status_t nas_score_worker_work(nas_score_worker_t *worker, const nas_score_list_t *list,
                                   nas_schedule_report_t *report, nas_error_t *err)
{
    work_t work = {.list = list, .report = report};
    nas_status_t status = NAS_OK;
    *report = (nas_schedule_report_t){0};
    work.item = nas_schedule_list(list->schedule, list->rank, &work.n);
    if (work.n > list->n_most) work.n = list->n_most;
    worker->networks->interrupt = &list->interrupt;
    while (!status) {
        if (may_start(worker, &work))
            start(worker, &work);
        else if (work.n_packs > 0)
            status = finish(worker, &work, err);
        else
            break;
    }
    worker->networks->interrupt = NULL;
    return status;
}
