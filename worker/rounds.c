#include "worker/rounds.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The share of the time left that a round takes, unless that is more than the target. */
#ifndef ROUND_SHARE
#define ROUND_SHARE 0.75
#endif
/* Lists are longer than the round by this factor, for ranks that are faster than predicted. */
#define LIST_SURPLUS 2.0
/* The last round: when so many items a rank, or fewer, of the costliest one's length are left. */
#ifndef LAST_ITEMS
#define LAST_ITEMS 3.0
#endif
#ifndef FITS
#define FITS 1.0
#endif
static const double LEAST_COST = 0.01;
static const double COST_STEP = 1.0 / 32;

typedef struct worker {
    double cost;
    double seconds;
    double speed;
    double load_s; /* when it is through with its list of this round */
    double key_s;  /* when it would be through with one more item of the reference cost */
} worker_t;

struct nas_rounds {
    nas_rounds_item_t *left; /* [n_left] not done, costliest first */
    int64_t n_left;
    double cost_left;
    nas_rounds_item_t *list; /* [offset[n_ranks]] of the round, rank by rank */
    int *owner;
    int64_t *offset;
    int64_t *next;
    worker_t *worker;
    int *heap;
    double *measured;
    int n_ranks;
    int first_worker;
    double target_s;
    double deadline_s;
    double total_speed;
};

static int compare_items(const void *a, const void *b)
{
    const nas_rounds_item_t *x = a, *y = b;
    if (x->cost != y->cost) return x->cost > y->cost ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

static void collect_items(nas_rounds_t *rounds, const nas_rounds_options_t *options)
{
    double mean = 0.0;
    for (int64_t i = 0; i < options->n; i++) mean += options->cost[i] / (double)options->n;
    const double least = mean > 0.0 ? LEAST_COST * mean : 1.0;
    for (int64_t i = 0; i < options->n; i++) {
        NAS_ASSERT(isfinite(options->cost[i]) && options->cost[i] >= 0.0);
        if (options->done && options->done[i]) continue;
        rounds->left[rounds->n_left++] = (nas_rounds_item_t){i, fmax(options->cost[i], least)};
    }
    qsort(rounds->left, (size_t)rounds->n_left, sizeof *rounds->left, compare_items);
}

nas_status_t nas_rounds_create(const nas_rounds_options_t *options, nas_rounds_t **rounds_p,
                               nas_error_t *err)
{
    NAS_ASSERT(options->n >= 0 && options->target_s > 0.0);
    NAS_ASSERT(options->first_worker >= 0 && options->first_worker < options->n_ranks);
    const size_t n = (size_t)options->n, n_ranks = (size_t)options->n_ranks;
    nas_rounds_t *rounds = calloc(1, sizeof *rounds);
    if (!rounds) return nas_error_nomem(err, "rounds");
    *rounds = (nas_rounds_t){
        .left = calloc(n + 1, sizeof *rounds->left),
        .list = calloc(n + 1, sizeof *rounds->list),
        .owner = calloc(n + 1, sizeof *rounds->owner),
        .offset = calloc(n_ranks + 1, sizeof *rounds->offset),
        .next = calloc(n_ranks + 1, sizeof *rounds->offset),
        .worker = calloc(n_ranks, sizeof *rounds->worker),
        .heap = calloc(n_ranks, sizeof *rounds->heap),
        .measured = calloc(n_ranks, sizeof *rounds->measured),
        .n_ranks = options->n_ranks,
        .first_worker = options->first_worker,
        .target_s = options->target_s,
    };
    collect_items(rounds, options);
    *rounds_p = rounds;
    return NAS_OK;
}

static bool comes_before(const nas_rounds_t *rounds, int a, int b)
{
    const double x = rounds->worker[a].key_s, y = rounds->worker[b].key_s;
    return x < y || (x == y && a < b);
}

static void sift_down(nas_rounds_t *rounds, int place, int n)
{
    int *heap = rounds->heap;
    for (;;) {
        int least = place;
        for (int child = 2 * place + 1; child <= 2 * place + 2 && child < n; child++)
            if (comes_before(rounds, heap[child], heap[least])) least = child;
        if (least == place) return;
        const int rank = heap[place];
        heap[place] = heap[least];
        heap[least] = rank;
        place = least;
    }
}

static void build_heap(nas_rounds_t *rounds, double reference)
{
    const int n = rounds->n_ranks - rounds->first_worker;
    for (int place = 0; place < n; place++) {
        worker_t *worker = &rounds->worker[rounds->first_worker + place];
        worker->key_s = worker->load_s + reference / worker->speed;
        rounds->heap[place] = rounds->first_worker + place;
    }
    for (int place = n / 2 - 1; place >= 0; place--) sift_down(rounds, place, n);
}

static void assign(nas_rounds_t *rounds, const nas_rounds_item_t *item, int64_t n_items)
{
    const int n = rounds->n_ranks - rounds->first_worker;
    memset(rounds->offset, 0, ((size_t)rounds->n_ranks + 1) * sizeof *rounds->offset);
    for (int r = 0; r < rounds->n_ranks; r++) rounds->worker[r].load_s = 0.0;
    double reference = INFINITY;
    for (int64_t i = 0; i < n_items; i++) {
        if (item[i].cost < reference * (1.0 - COST_STEP)) {
            reference = item[i].cost;
            build_heap(rounds, reference);
        }
        const int rank = rounds->heap[0];
        worker_t *worker = &rounds->worker[rank];
        worker->load_s += item[i].cost / worker->speed;
        worker->key_s = worker->load_s + reference / worker->speed;
        sift_down(rounds, 0, n);
        rounds->owner[i] = rank;
        rounds->offset[rank + 1]++;
    }
    for (int r = 0; r < rounds->n_ranks; r++) rounds->offset[r + 1] += rounds->offset[r];
    memcpy(rounds->next, rounds->offset, (size_t)rounds->n_ranks * sizeof *rounds->next);
    for (int64_t i = 0; i < n_items; i++) rounds->list[rounds->next[rounds->owner[i]]++] = item[i];
}

bool nas_rounds_next(nas_rounds_t *rounds)
{
    if (rounds->n_left == 0) return false;
    if (rounds->total_speed == 0.0) {
        for (int r = 0; r < rounds->n_ranks; r++) rounds->worker[r].speed = 1.0;
        int64_t n = rounds->n_ranks - rounds->first_worker;
        if (n > rounds->n_left) n = rounds->n_left;
        rounds->deadline_s = INFINITY;
        assign(rounds, rounds->left + rounds->n_left - n, n);
        return true;
    }
    double cost = 0.0;
    for (int64_t i = 0; i < rounds->n_left; i++) cost += rounds->left[i].cost;
    const double left_s = cost / rounds->total_speed;
    const int n_workers = rounds->n_ranks - rounds->first_worker;
    const double item_s = rounds->left[0].cost * n_workers / rounds->total_speed;
    int64_t n = rounds->n_left;
    if (left_s < LAST_ITEMS * item_s && left_s < rounds->target_s) {
        rounds->deadline_s = INFINITY;
    } else {
        rounds->deadline_s = fmin(rounds->target_s, ROUND_SHARE * left_s);
        double most = LIST_SURPLUS * rounds->deadline_s * rounds->total_speed;
        for (n = 0; n < rounds->n_left && most > 0.0; n++) most -= rounds->left[n].cost;
    }
    assign(rounds, rounds->left, n);
    return true;
}

const nas_rounds_item_t *nas_rounds_list(const nas_rounds_t *rounds, int rank, int64_t *n)
{
    *n = rounds->offset[rank + 1] - rounds->offset[rank];
    return rounds->list + rounds->offset[rank];
}

bool nas_rounds_may_start(const nas_rounds_t *rounds, int rank, int64_t k, double elapsed_s)
{
    const double cost = rounds->list[rounds->offset[rank] + k].cost;
    return elapsed_s + FITS * cost / rounds->worker[rank].speed <= rounds->deadline_s;
}

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(nas_rounds_t *rounds, const nas_rounds_report_t *report)
{
    int n = 0;
    for (int r = rounds->first_worker; r < rounds->n_ranks; r++) {
        worker_t *w = &rounds->worker[r];
        w->cost += report[r].cost;
        w->seconds += report[r].seconds;
        if (w->seconds > 0) rounds->measured[n++] = w->speed = w->cost / w->seconds;
    }
    if (!n) return;
    qsort(rounds->measured, (size_t)n, sizeof *rounds->measured, compare_doubles);
    rounds->total_speed = 0;
    for (int r = rounds->first_worker; r < rounds->n_ranks; r++) {
        worker_t *w = &rounds->worker[r];
        if (!(w->seconds > 0)) w->speed = rounds->measured[n / 2];
        rounds->total_speed += w->speed;
    }
}

void nas_rounds_record(nas_rounds_t *rounds, const nas_rounds_report_t *report)
{
    const int64_t n_round = rounds->offset[rounds->n_ranks];
    const bool first = rounds->total_speed == 0.0;
    const int64_t start = first ? rounds->n_left - n_round : 0;
    int64_t kept = start;
    memcpy(rounds->next, rounds->offset, (size_t)rounds->n_ranks * sizeof *rounds->next);
    for (int64_t i = start; i < rounds->n_left; i++) {
        if (i - start < n_round) {
            const int rank = rounds->owner[i - start];
            if (rounds->next[rank]++ - rounds->offset[rank] < report[rank].n_done) continue;
        }
        rounds->left[kept++] = rounds->left[i];
    }
    rounds->n_left = kept;
    measure(rounds, report);
}

int64_t nas_rounds_left(const nas_rounds_t *rounds)
{
    return rounds->n_left;
}

void nas_rounds_destroy(nas_rounds_t *rounds)
{
    free(rounds);
}
