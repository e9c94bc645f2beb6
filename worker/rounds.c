/* Rounds of the scoring stage.
 *
 * What is known: a predicted cost of every item. What is not: how fast each rank is, and by how much
 * an item's cost misses its prediction. Ranks meet at the end of a round, and a meeting costs what
 * the ranks wait for the last of them. So rounds should be few; but a killed job loses the round
 * under way, so they should be short; and only finished rounds tell how fast the ranks are.
 *
 *   learn  no speed is known: every rank takes one of the cheapest items. Nobody waits longer than
 *          the slowest rank needs for such an item.
 *   work   every rank gets a list that is longer than the round, works until its next item would
 *          end after the deadline, and gives the rest back. A wrong prediction so changes how far a
 *          rank gets and not when it comes: it waits for less than one item's time, unless it is
 *          faster than predicted by more than LIST_SURPLUS. The deadline is the target, or
 *          ROUND_SHARE of the time left where that is less; costliest items go first, so that each
 *          of these rounds ends on cheaper items than the one before and evens out what it left.
 *   last   LAST_ITEMS or fewer of the costliest item's time are left: another deadline would cost
 *          more than it evens out, and all that is left is worked to the end.
 *
 * Lists are made by the rule "longest processing time first": items by falling cost, each to the
 * rank that would be through with it first, given its list so far and its speed (Gonzalez, Ibarra &
 * Sahni 1977: at most 2 - 2 / (p + 1) times the shortest possible time). Ties go to the lower index
 * and the lower rank. The ranks lie in a heap by when they would be through with one more item of a
 * reference cost, the last item's but for COST_STEP: at most so many heaps are built as there are
 * such steps between the dearest and the cheapest item.
 *
 * A rank's speed is the cost it did over the seconds that took. The past counts half as much with
 * every round, since other users of a machine come and go. A rank that has done nothing yet counts
 * as the median of the others.
 *
 * Failures. A failed item is done. A rank that hangs is not seen here: others wait for it at the
 * meeting. If nothing at all could be measured the next round learns again. Whatever the target, a
 * round is long enough for one item of one rank, so that the last one comes. Killed, a job loses at
 * most the target, the time by which a rank's last item took longer than predicted, and the time
 * until rank 0 has saved the round before.
 */
#include "worker/rounds.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double ROUND_SHARE = 0.85;
static const double LIST_SURPLUS = 2.0; /* cost on the lists over cost predicted for the round */
static const double LAST_ITEMS = 2.0;
static const double PAST_WEIGHT = 0.5; /* of earlier rounds in a speed, with every further one */
static const double LEAST_COST = 0.01; /* of the mean: nothing is scored in no time */
static const double COST_STEP = 1.0 / 32;

typedef struct worker {
    double cost;    /* done in all rounds, the recent ones counting most */
    double seconds; /* that took, by the same weights */
    double speed;
    double load_s; /* predicted time of its list */
    double key_s;  /* the same with one more item of the reference cost */
} worker_t;

struct nas_rounds {
    nas_rounds_item_t *left; /* [n_left] items not done, costliest first */
    int64_t n_left;
    int64_t first;           /* the planned round's items are left[first .. first + n_planned) */
    int64_t n_planned;       /* 0 between rounds */
    int *owner;              /* [n_planned] rank whose list each is on */
    nas_rounds_item_t *list; /* [n_planned] the same items, rank by rank */
    int64_t *offset;         /* [n_ranks + 1] of each rank's list */
    int64_t *cursor;         /* [n_ranks] places in the lists, while they are walked */
    worker_t *worker;        /* [n_ranks] */
    int *heap;               /* [n_workers] ranks by (key_s, rank) */
    double *measured;        /* [n_workers] speeds, to find their median */
    int n_ranks;
    int first_worker;
    int n_workers;
    double target_s;
    double deadline_s;  /* of the planned round; INFINITY: none */
    double total_speed; /* of all workers; 0: nothing was measured */
};

/* ----------------------------------------------------------------------------------- life cycle */

static int compare_items(const void *a, const void *b)
{
    const nas_rounds_item_t *x = a;
    const nas_rounds_item_t *y = b;
    if (x->cost != y->cost) return x->cost > y->cost ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

static void collect_items(nas_rounds_t *rounds, const nas_rounds_options_t *options)
{
    double mean = 0.0;
    for (int64_t i = 0; i < options->n; i++) {
        NAS_ASSERT(isfinite(options->cost[i]) && options->cost[i] >= 0.0);
        mean += options->cost[i] / (double)options->n;
    }
    const double least = mean > 0.0 ? LEAST_COST * mean : 1.0;
    for (int64_t i = 0; i < options->n; i++) {
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
    const size_t n = (size_t)options->n + 1; /* an empty pool is no lack of memory */
    const size_t n_ranks = (size_t)options->n_ranks;
    nas_rounds_t *rounds = calloc(1, sizeof *rounds);
    if (!rounds) return nas_error_nomem(err, "the rounds of scoring");
    *rounds = (nas_rounds_t){
        .left = calloc(n, sizeof *rounds->left),
        .owner = calloc(n, sizeof *rounds->owner),
        .list = calloc(n, sizeof *rounds->list),
        .offset = calloc(n_ranks + 1, sizeof *rounds->offset),
        .cursor = calloc(n_ranks, sizeof *rounds->cursor),
        .worker = calloc(n_ranks, sizeof *rounds->worker),
        .heap = calloc(n_ranks, sizeof *rounds->heap),
        .measured = calloc(n_ranks, sizeof *rounds->measured),
        .n_ranks = options->n_ranks,
        .first_worker = options->first_worker,
        .n_workers = options->n_ranks - options->first_worker,
        .target_s = options->target_s,
    };
    if (!rounds->left || !rounds->owner || !rounds->list || !rounds->offset || !rounds->cursor ||
        !rounds->worker || !rounds->heap || !rounds->measured) {
        nas_rounds_destroy(rounds);
        return nas_error_nomem(err, "the rounds of scoring");
    }
    collect_items(rounds, options);
    *rounds_p = rounds;
    return NAS_OK;
}

void nas_rounds_destroy(nas_rounds_t *rounds)
{
    if (!rounds) return;
    free(rounds->left);
    free(rounds->owner);
    free(rounds->list);
    free(rounds->offset);
    free(rounds->cursor);
    free(rounds->worker);
    free(rounds->heap);
    free(rounds->measured);
    free(rounds);
}

/* ---------------------------------------------------------------------------------------- lists */

static bool is_through_before(const nas_rounds_t *rounds, int a, int b)
{
    const double x = rounds->worker[a].key_s;
    const double y = rounds->worker[b].key_s;
    return x < y || (x == y && a < b);
}

static void sift_down(nas_rounds_t *rounds, int place)
{
    int *heap = rounds->heap;
    for (;;) {
        int least = place;
        for (int child = 2 * place + 1; child <= 2 * place + 2; child++)
            if (child < rounds->n_workers && is_through_before(rounds, heap[child], heap[least]))
                least = child;
        if (least == place) return;
        const int rank = heap[place];
        heap[place] = heap[least];
        heap[least] = rank;
        place = least;
    }
}

static void build_heap(nas_rounds_t *rounds, double reference)
{
    for (int place = 0; place < rounds->n_workers; place++) {
        const int rank = rounds->first_worker + place;
        worker_t *worker = &rounds->worker[rank];
        worker->key_s = worker->load_s + reference / worker->speed;
        rounds->heap[place] = rank;
    }
    for (int place = rounds->n_workers / 2 - 1; place >= 0; place--) sift_down(rounds, place);
}

static void choose_owners(nas_rounds_t *rounds, const nas_rounds_item_t *item)
{
    double reference = INFINITY;
    for (int64_t i = 0; i < rounds->n_planned; i++) {
        if (item[i].cost < reference * (1.0 - COST_STEP)) {
            reference = item[i].cost;
            build_heap(rounds, reference);
        }
        const int rank = rounds->heap[0];
        worker_t *worker = &rounds->worker[rank];
        worker->load_s += item[i].cost / worker->speed;
        worker->key_s = worker->load_s + reference / worker->speed;
        sift_down(rounds, 0);
        rounds->owner[i] = rank;
    }
}

/* Items stay in their order, so that every list has the costliest first. */
static void fill_lists(nas_rounds_t *rounds, const nas_rounds_item_t *item)
{
    for (int64_t i = 0; i < rounds->n_planned; i++) rounds->offset[rounds->owner[i] + 1]++;
    for (int rank = 0; rank < rounds->n_ranks; rank++) {
        rounds->offset[rank + 1] += rounds->offset[rank];
        rounds->cursor[rank] = rounds->offset[rank];
    }
    for (int64_t i = 0; i < rounds->n_planned; i++)
        rounds->list[rounds->cursor[rounds->owner[i]]++] = item[i];
}

static void plan(nas_rounds_t *rounds, int64_t first, int64_t n, double deadline_s)
{
    rounds->first = first;
    rounds->n_planned = n;
    rounds->deadline_s = deadline_s;
    memset(rounds->offset, 0, ((size_t)rounds->n_ranks + 1) * sizeof *rounds->offset);
    for (int rank = 0; rank < rounds->n_ranks; rank++) rounds->worker[rank].load_s = 0.0;
    choose_owners(rounds, rounds->left + first);
    fill_lists(rounds, rounds->left + first);
}

/* --------------------------------------------------------------------------------------- rounds */

/* The shortest time in which some rank is through with the first item of its list. */
static double shortest_item_s(const nas_rounds_t *rounds)
{
    double shortest = INFINITY;
    for (int rank = rounds->first_worker; rank < rounds->n_ranks; rank++) {
        int64_t n;
        const nas_rounds_item_t *list = nas_rounds_list(rounds, rank, &n);
        if (n > 0) shortest = fmin(shortest, list[0].cost / rounds->worker[rank].speed);
    }
    return shortest;
}

static void plan_learning(nas_rounds_t *rounds)
{
    const int64_t n = rounds->n_left < rounds->n_workers ? rounds->n_left : rounds->n_workers;
    for (int rank = 0; rank < rounds->n_ranks; rank++) rounds->worker[rank].speed = 1.0;
    plan(rounds, rounds->n_left - n, n, INFINITY);
}

static void plan_work(nas_rounds_t *rounds, double deadline_s)
{
    double surplus = LIST_SURPLUS * deadline_s * rounds->total_speed;
    int64_t n = 0;
    while (n < rounds->n_left && surplus > 0.0) surplus -= rounds->left[n++].cost;
    plan(rounds, 0, n, deadline_s);
    rounds->deadline_s = fmax(deadline_s, shortest_item_s(rounds));
}

bool nas_rounds_next(nas_rounds_t *rounds)
{
    if (rounds->n_left == 0) return false;
    if (rounds->total_speed == 0.0) {
        plan_learning(rounds);
        return true;
    }
    const double left_s = nas_rounds_left_s(rounds);
    const double item_s = rounds->left[0].cost * rounds->n_workers / rounds->total_speed;
    if (left_s <= LAST_ITEMS * item_s && left_s <= rounds->target_s)
        plan(rounds, 0, rounds->n_left, INFINITY);
    else
        plan_work(rounds, fmin(rounds->target_s, ROUND_SHARE * left_s));
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
    return elapsed_s + cost / rounds->worker[rank].speed <= rounds->deadline_s;
}

/* --------------------------------------------------------------------------------- what was done */

static void drop_done(nas_rounds_t *rounds, const nas_rounds_report_t *report)
{
    int64_t n_kept = rounds->first;
    memset(rounds->cursor, 0, (size_t)rounds->n_ranks * sizeof *rounds->cursor);
    for (int64_t i = 0; i < rounds->n_planned; i++) {
        const int rank = rounds->owner[i];
        if (rounds->cursor[rank]++ < report[rank].n_done) continue;
        rounds->left[n_kept++] = rounds->left[rounds->first + i];
    }
    const int64_t behind = rounds->first + rounds->n_planned;
    const size_t n_behind = (size_t)(rounds->n_left - behind);
    memmove(rounds->left + n_kept, rounds->left + behind, n_behind * sizeof *rounds->left);
    rounds->n_left -= behind - n_kept;
    rounds->n_planned = 0;
}

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(nas_rounds_t *rounds, const nas_rounds_report_t *report)
{
    int n_measured = 0;
    for (int rank = rounds->first_worker; rank < rounds->n_ranks; rank++) {
        worker_t *worker = &rounds->worker[rank];
        if (report[rank].cost > 0.0 && report[rank].seconds > 0.0) {
            worker->cost = PAST_WEIGHT * worker->cost + report[rank].cost;
            worker->seconds = PAST_WEIGHT * worker->seconds + report[rank].seconds;
            worker->speed = worker->cost / worker->seconds;
        }
        if (worker->seconds > 0.0) rounds->measured[n_measured++] = worker->speed;
    }
    if (n_measured == 0) return;
    qsort(rounds->measured, (size_t)n_measured, sizeof *rounds->measured, compare_doubles);
    rounds->total_speed = 0.0;
    for (int rank = rounds->first_worker; rank < rounds->n_ranks; rank++) {
        worker_t *worker = &rounds->worker[rank];
        if (worker->seconds == 0.0) worker->speed = rounds->measured[n_measured / 2];
        rounds->total_speed += worker->speed;
    }
}

void nas_rounds_record(nas_rounds_t *rounds, const nas_rounds_report_t *report)
{
    drop_done(rounds, report);
    measure(rounds, report);
}

int64_t nas_rounds_left(const nas_rounds_t *rounds)
{
    return rounds->n_left;
}

double nas_rounds_left_s(const nas_rounds_t *rounds)
{
    double cost = 0.0;
    for (int64_t i = 0; i < rounds->n_left; i++) cost += rounds->left[i].cost;
    return rounds->total_speed > 0.0 ? cost / rounds->total_speed : NAN;
}

double nas_rounds_speed(const nas_rounds_t *rounds, int rank)
{
    return rounds->total_speed > 0.0 ? rounds->worker[rank].speed : NAN;
}
