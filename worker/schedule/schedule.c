/* Rounds of the scoring stage.
 *
 * What is known: a predicted cost of every item that is held. What is not: how fast each rank is,
 * and by how much an item's cost misses its prediction. Ranks meet at the end of a round, and a
 * meeting costs what the ranks wait for the last of them. So rounds should be few; but a killed job
 * loses the round under way, so they should be short; and only finished rounds tell how fast the
 * ranks are.
 *
 *   learn  no speed is known: every rank takes one of the cheapest items, or a pack of them. Nobody
 *          waits longer than the slowest rank needs for such an item.
 *   work   every rank gets a list that is longer than the round, works until its next item would
 *          end after the deadline, and gives the rest back. A wrong prediction so changes how far a
 *          rank gets and not when it comes: it waits for less than one item's time, unless it is
 *          faster than predicted by more than LIST_SURPLUS. The deadline is the target, or
 *          ROUND_SHARE of the time left where that is less; costliest items go first, so that each
 *          of these rounds ends on cheaper items than the one before and evens out what it left.
 *   last   LAST_ITEMS or fewer of the costliest item's time are left, and no item is still to come:
 *          another deadline would cost more than it evens out, and all that is left is worked to
 *          the end.
 *
 * The window. A pool of 10^8 is not held by every rank: items come in as others are done, in the
 * caller's order, and the window is filled before every round. So there is no chunk with a tail of
 * its own, at whose end ranks would wait: what a round leaves is worked with what comes in, and
 * only the last items of all are worked to the end. While items are still to come a round takes
 * ROUND_SHARE of what is held, at most, so that it too evens out what the one before left. As the
 * costliest go first the window gathers cheap items, which are what evens out best at the end. A
 * window holds WINDOW_A_RANK items a rank as long as that is not above WINDOW_MOST: docs/scaling.md
 * has what fewer would cost. A pool that fits into it is held from the beginning.
 *
 * Lists are made by the rule "longest processing time first": items by falling cost, each to the
 * rank that would be through with it first, given its list so far and its speed (Gonzalez, Ibarra &
 * Sahni 1977: at most 2 - 2 / (p + 1) times the shortest possible time). Ties go to the lower index
 * and the lower rank. The ranks lie in a heap by when they would be through with one more item of a
 * reference cost, the last item's but for COST_STEP: at most so many heaps are built as there are
 * such steps between the dearest and the cheapest item.
 *
 * Packs. Some ranks take several items at once, as many as they are wide, and are only then as fast
 * as they can be: a GPU. What is said of an item above then holds for a pack: it is started as a
 * whole or not at all, the learning round has one for each rank, and the last round begins where so
 * many packs are left. A rank hears of nothing while it computes one: where a full pack would take
 * more than PACK_SHARE of the target, as on slow devices, packs are smaller. Networks that are like
 * each other are computed together in fewer launches. So where there are packs, items go by classes
 * of cost, eight of them a doubling, and inside a class by their index.
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
#include "worker/schedule/schedule.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double ROUND_SHARE = 0.85;
static const double LIST_SURPLUS = 2.0; /* cost on the lists over cost predicted for the round */
static const double LAST_ITEMS = 2.0;
static const double PACK_SHARE = 0.25;
static const double PAST_WEIGHT = 0.5; /* of earlier rounds in a speed, with every further one */
static const double LEAST_COST = 0.01; /* of the mean: nothing is scored in no time */
static const double COST_STEP = 1.0 / 32;

enum { WINDOW_LEAST = 1 << 16, WINDOW_A_RANK = 64, WINDOW_MOST = 1 << 20 };

typedef struct worker {
    double cost;    /* done in all rounds, the recent ones counting most */
    double seconds; /* that took, by the same weights */
    double speed;
    int width;     /* items at once; 0: it gets nothing */
    double load_s; /* predicted time of its list */
    double key_s;  /* the same with one more item of the reference cost */
} worker_t;

struct nas_schedule {
    nas_schedule_item_t *left; /* [n_left <= window] items not done, costliest first */
    int64_t n_left;
    int64_t window;
    int64_t n_added; /* of n */
    int64_t n;
    double added_cost;         /* of those added */
    int64_t first;             /* the round's items are left[first .. first + n_assigned) */
    int64_t n_assigned;        /* 0 between rounds */
    int *owner;                /* [n_assigned] rank whose list each is on */
    nas_schedule_item_t *list; /* [n_assigned] the same items, rank by rank */
    int64_t *offset;           /* [n_ranks + 1] of each rank's list */
    int64_t *cursor;           /* [n_ranks] places in the lists, while they are walked */
    worker_t *worker;          /* [n_ranks] */
    int *heap;                 /* [n_workers] ranks by (key_s, rank) */
    double *measured;          /* [n_workers] speeds, to find their median */
    int n_ranks;
    int n_workers;       /* ranks that get something */
    int64_t total_width; /* of them */
    int (*compare)(const void *a, const void *b);
    double target_s;
    double deadline_s;  /* of the round; INFINITY: none */
    double total_speed; /* of all workers; 0: nothing was measured */
};

/* ----------------------------------------------------------------------------------- life cycle */

static int compare_items(const void *a, const void *b)
{
    const nas_schedule_item_t *x = a;
    const nas_schedule_item_t *y = b;
    if (x->cost != y->cost) return x->cost > y->cost ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

/* 0 and above: the exponent of a cost and the first bits behind it, which are in the cost's order. */
static int64_t class_of(double cost)
{
    const int n_bits = 52 - 3; /* 2^3 classes a doubling */
    int64_t bits;
    memcpy(&bits, &cost, sizeof bits);
    return bits >> n_bits;
}

static int compare_classes(const void *a, const void *b)
{
    const nas_schedule_item_t *x = a;
    const nas_schedule_item_t *y = b;
    const int64_t of_x = class_of(x->cost), of_y = class_of(y->cost);
    if (of_x != of_y) return of_x > of_y ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

static int64_t window_of(const nas_schedule_options_t *options)
{
    int64_t window = (int64_t)WINDOW_A_RANK * options->n_ranks;
    if (window < WINDOW_LEAST) window = WINDOW_LEAST;
    if (window > WINDOW_MOST) window = WINDOW_MOST;
    return options->n < window ? options->n : window;
}

static void set_widths(nas_schedule_t *schedule, const int *width)
{
    schedule->compare = compare_items;
    for (int rank = 0; rank < schedule->n_ranks; rank++) {
        worker_t *worker = &schedule->worker[rank];
        worker->width = width ? width[rank] : 1;
        NAS_ASSERT(worker->width >= 0);
        schedule->n_workers += worker->width > 0;
        schedule->total_width += worker->width;
        if (worker->width > 1) schedule->compare = compare_classes;
    }
    NAS_ASSERT(schedule->n_workers > 0);
}

nas_status_t nas_schedule_create(const nas_schedule_options_t *options, nas_schedule_t **schedule_p,
                                 nas_error_t *err)
{
    NAS_ASSERT(options->n >= 0 && options->target_s > 0.0);
    const int64_t window = window_of(options);
    const size_t n = (size_t)window + 1; /* an empty pool is no lack of memory */
    const size_t n_ranks = (size_t)options->n_ranks;
    nas_schedule_t *schedule = calloc(1, sizeof *schedule);
    if (!schedule) return nas_error_nomem(err, "the rounds of scoring");
    *schedule = (nas_schedule_t){
        .left = calloc(n, sizeof *schedule->left),
        .owner = calloc(n, sizeof *schedule->owner),
        .list = calloc(n, sizeof *schedule->list),
        .offset = calloc(n_ranks + 1, sizeof *schedule->offset),
        .cursor = calloc(n_ranks, sizeof *schedule->cursor),
        .worker = calloc(n_ranks, sizeof *schedule->worker),
        .heap = calloc(n_ranks, sizeof *schedule->heap),
        .measured = calloc(n_ranks, sizeof *schedule->measured),
        .n_ranks = options->n_ranks,
        .window = window,
        .n = options->n,
        .target_s = options->target_s,
    };
    if (!schedule->left || !schedule->owner || !schedule->list || !schedule->offset ||
        !schedule->cursor || !schedule->worker || !schedule->heap || !schedule->measured) {
        nas_schedule_destroy(schedule);
        return nas_error_nomem(err, "the rounds of scoring");
    }
    set_widths(schedule, options->width);
    *schedule_p = schedule;
    return NAS_OK;
}

void nas_schedule_destroy(nas_schedule_t *schedule)
{
    if (!schedule) return;
    free(schedule->left);
    free(schedule->owner);
    free(schedule->list);
    free(schedule->offset);
    free(schedule->cursor);
    free(schedule->worker);
    free(schedule->heap);
    free(schedule->measured);
    free(schedule);
}

/* --------------------------------------------------------------------------------------- window */

int64_t nas_schedule_room(const nas_schedule_t *schedule)
{
    const int64_t room = schedule->window - schedule->n_left;
    const int64_t n_to_come = schedule->n - schedule->n_added;
    return room < n_to_come ? room : n_to_come;
}

/* Copy items to where lists are made, sorted and with the least cost. */
static void prepare(nas_schedule_t *schedule, const nas_schedule_item_t *item, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        NAS_ASSERT(isfinite(item[i].cost) && item[i].cost >= 0.0);
        schedule->list[i] = item[i];
        schedule->added_cost += item[i].cost;
    }
    schedule->n_added += n;
    const double mean = schedule->added_cost / (double)schedule->n_added;
    const double least = mean > 0.0 ? LEAST_COST * mean : 1.0;
    for (int64_t i = 0; i < n; i++) schedule->list[i].cost = fmax(schedule->list[i].cost, least);
    qsort(schedule->list, (size_t)n, sizeof *schedule->list, schedule->compare);
}

void nas_schedule_add(nas_schedule_t *schedule, const nas_schedule_item_t *item, int64_t n)
{
    NAS_ASSERT(n <= nas_schedule_room(schedule) && schedule->n_assigned == 0);
    if (n == 0) return;
    prepare(schedule, item, n);
    int64_t old = schedule->n_left - 1, new = n - 1;
    schedule->n_left += n;
    for (int64_t at = schedule->n_left - 1; new >= 0; at--) { /* merged from the cheapest on */
        const bool is_new =
            old < 0 || schedule->compare(&schedule->list[new], &schedule->left[old]) > 0;
        schedule->left[at] = is_new ? schedule->list[new --] : schedule->left[old--];
    }
}

/* ---------------------------------------------------------------------------------------- lists */

static bool is_through_before(const nas_schedule_t *schedule, int a, int b)
{
    const double x = schedule->worker[a].key_s;
    const double y = schedule->worker[b].key_s;
    return x < y || (x == y && a < b);
}

static void sift_down(nas_schedule_t *schedule, int place)
{
    int *heap = schedule->heap;
    for (;;) {
        int least = place;
        for (int child = 2 * place + 1; child <= 2 * place + 2; child++)
            if (child < schedule->n_workers &&
                is_through_before(schedule, heap[child], heap[least]))
                least = child;
        if (least == place) return;
        const int rank = heap[place];
        heap[place] = heap[least];
        heap[least] = rank;
        place = least;
    }
}

static void build_heap(nas_schedule_t *schedule, double reference)
{
    int n = 0;
    for (int rank = 0; rank < schedule->n_ranks; rank++) {
        worker_t *worker = &schedule->worker[rank];
        if (worker->width == 0) continue;
        worker->key_s = worker->load_s + reference / worker->speed;
        schedule->heap[n++] = rank;
    }
    for (int place = schedule->n_workers / 2 - 1; place >= 0; place--) sift_down(schedule, place);
}

static void choose_owners(nas_schedule_t *schedule, const nas_schedule_item_t *item)
{
    double reference = INFINITY;
    for (int64_t i = 0; i < schedule->n_assigned; i++) {
        if (item[i].cost < reference * (1.0 - COST_STEP)) {
            reference = item[i].cost;
            build_heap(schedule, reference);
        }
        const int rank = schedule->heap[0];
        worker_t *worker = &schedule->worker[rank];
        worker->load_s += item[i].cost / worker->speed;
        worker->key_s = worker->load_s + reference / worker->speed;
        sift_down(schedule, 0);
        schedule->owner[i] = rank;
    }
}

/* As many to each as it is wide, one after the other. */
static void deal(nas_schedule_t *schedule)
{
    int64_t i = 0;
    for (int turn = 0; i < schedule->n_assigned; turn++)
        for (int rank = 0; rank < schedule->n_ranks && i < schedule->n_assigned; rank++)
            if (turn < schedule->worker[rank].width) schedule->owner[i++] = rank;
}

/* Items stay in their order, so that every list has the costliest first. */
static void fill_lists(nas_schedule_t *schedule, const nas_schedule_item_t *item)
{
    for (int64_t i = 0; i < schedule->n_assigned; i++) schedule->offset[schedule->owner[i] + 1]++;
    for (int rank = 0; rank < schedule->n_ranks; rank++) {
        schedule->offset[rank + 1] += schedule->offset[rank];
        schedule->cursor[rank] = schedule->offset[rank];
    }
    for (int64_t i = 0; i < schedule->n_assigned; i++)
        schedule->list[schedule->cursor[schedule->owner[i]]++] = item[i];
}

static void take(nas_schedule_t *schedule, int64_t first, int64_t n, double deadline_s)
{
    schedule->first = first;
    schedule->n_assigned = n;
    schedule->deadline_s = deadline_s;
    memset(schedule->offset, 0, ((size_t)schedule->n_ranks + 1) * sizeof *schedule->offset);
    for (int rank = 0; rank < schedule->n_ranks; rank++) schedule->worker[rank].load_s = 0.0;
}

static void assign(nas_schedule_t *schedule, int64_t first, int64_t n, double deadline_s)
{
    take(schedule, first, n, deadline_s);
    choose_owners(schedule, schedule->left + first);
    fill_lists(schedule, schedule->left + first);
}

/* --------------------------------------------------------------------------------------- rounds */

/* The shortest time in which some rank is through with the first pack of its list. */
static double shortest_pack_s(const nas_schedule_t *schedule)
{
    double shortest = INFINITY;
    for (int rank = 0; rank < schedule->n_ranks; rank++)
        if (nas_schedule_pack(schedule, rank, 0) > 0)
            shortest = fmin(shortest, nas_schedule_pack_s(schedule, rank, 0));
    return shortest;
}

static void assign_learning(nas_schedule_t *schedule)
{
    const int64_t n =
        schedule->n_left < schedule->total_width ? schedule->n_left : schedule->total_width;
    for (int rank = 0; rank < schedule->n_ranks; rank++) schedule->worker[rank].speed = 1.0;
    take(schedule, schedule->n_left - n, n, INFINITY);
    deal(schedule);
    fill_lists(schedule, schedule->left + schedule->first);
}

static void assign_work(nas_schedule_t *schedule, double deadline_s)
{
    double surplus = LIST_SURPLUS * deadline_s * schedule->total_speed;
    int64_t n = 0;
    while (n < schedule->n_left && surplus > 0.0) surplus -= schedule->left[n++].cost;
    assign(schedule, 0, n, deadline_s);
    schedule->deadline_s = fmax(deadline_s, shortest_pack_s(schedule));
}

/* Predicted seconds for what is held. */
static double held_s(const nas_schedule_t *schedule)
{
    double cost = 0.0;
    for (int64_t i = 0; i < schedule->n_left; i++) cost += schedule->left[i].cost;
    return cost / schedule->total_speed;
}

bool nas_schedule_next(nas_schedule_t *schedule)
{
    NAS_ASSERT(nas_schedule_room(schedule) == 0);
    if (schedule->n_left == 0) return false;
    if (schedule->total_speed == 0.0) {
        assign_learning(schedule);
        return true;
    }
    const double left_s = held_s(schedule);
    const double pack_s =
        schedule->left[0].cost * (double)schedule->total_width / schedule->total_speed;
    const bool has_all = schedule->n_added == schedule->n;
    if (has_all && left_s <= LAST_ITEMS * pack_s && left_s <= schedule->target_s)
        assign(schedule, 0, schedule->n_left, INFINITY);
    else
        assign_work(schedule, fmin(schedule->target_s, ROUND_SHARE * left_s));
    return true;
}

const nas_schedule_item_t *nas_schedule_list(const nas_schedule_t *schedule, int rank, int64_t *n)
{
    *n = schedule->offset[rank + 1] - schedule->offset[rank];
    return schedule->list + schedule->offset[rank];
}

int64_t nas_schedule_pack(const nas_schedule_t *schedule, int rank, int64_t k)
{
    const nas_schedule_item_t *item = schedule->list + schedule->offset[rank] + k;
    const worker_t *worker = &schedule->worker[rank];
    const double most = PACK_SHARE * schedule->target_s * worker->speed;
    int64_t n_most = schedule->offset[rank + 1] - schedule->offset[rank] - k, n = 1;
    if (n_most > worker->width) n_most = worker->width;
    if (schedule->total_speed == 0.0 || n_most <= 1) return n_most; /* or still to be learned */
    double cost = item[0].cost;
    while (n < n_most && cost + item[n].cost <= most) cost += item[n++].cost;
    return n;
}

double nas_schedule_pack_s(const nas_schedule_t *schedule, int rank, int64_t k)
{
    const nas_schedule_item_t *item = schedule->list + schedule->offset[rank] + k;
    const int64_t n = nas_schedule_pack(schedule, rank, k);
    double cost = 0.0;
    for (int64_t i = 0; i < n; i++) cost += item[i].cost;
    return cost / schedule->worker[rank].speed;
}

bool nas_schedule_may_start(const nas_schedule_t *schedule, int rank, int64_t k, double elapsed_s)
{
    return elapsed_s + nas_schedule_pack_s(schedule, rank, k) <= schedule->deadline_s;
}

/* --------------------------------------------------------------------------------- what was
 * done */

static void drop_done(nas_schedule_t *schedule, const nas_schedule_report_t *report)
{
    int64_t n_kept = schedule->first;
    memset(schedule->cursor, 0, (size_t)schedule->n_ranks * sizeof *schedule->cursor);
    for (int64_t i = 0; i < schedule->n_assigned; i++) {
        const int rank = schedule->owner[i];
        if (schedule->cursor[rank]++ < report[rank].n_done) continue;
        schedule->left[n_kept++] = schedule->left[schedule->first + i];
    }
    const int64_t behind = schedule->first + schedule->n_assigned;
    const size_t n_behind = (size_t)(schedule->n_left - behind);
    memmove(schedule->left + n_kept, schedule->left + behind, n_behind * sizeof *schedule->left);
    schedule->n_left -= behind - n_kept;
    schedule->n_assigned = 0;
}

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(nas_schedule_t *schedule, const nas_schedule_report_t *report)
{
    int n_measured = 0;
    for (int rank = 0; rank < schedule->n_ranks; rank++) {
        worker_t *worker = &schedule->worker[rank];
        if (worker->width == 0) continue;
        if (report[rank].cost > 0.0 && report[rank].seconds > 0.0) {
            worker->cost = PAST_WEIGHT * worker->cost + report[rank].cost;
            worker->seconds = PAST_WEIGHT * worker->seconds + report[rank].seconds;
            worker->speed = worker->cost / worker->seconds;
        }
        if (worker->seconds > 0.0) schedule->measured[n_measured++] = worker->speed;
    }
    if (n_measured == 0) return;
    qsort(schedule->measured, (size_t)n_measured, sizeof *schedule->measured, compare_doubles);
    schedule->total_speed = 0.0;
    for (int rank = 0; rank < schedule->n_ranks; rank++) {
        worker_t *worker = &schedule->worker[rank];
        if (worker->width == 0) continue;
        if (worker->seconds == 0.0) worker->speed = schedule->measured[n_measured / 2];
        schedule->total_speed += worker->speed;
    }
}

void nas_schedule_record(nas_schedule_t *schedule, const nas_schedule_report_t *report)
{
    drop_done(schedule, report);
    measure(schedule, report);
}

int64_t nas_schedule_left(const nas_schedule_t *schedule)
{
    return schedule->n_left + schedule->n - schedule->n_added;
}

double nas_schedule_left_s(const nas_schedule_t *schedule)
{
    const int64_t n_to_come = schedule->n - schedule->n_added;
    if (schedule->total_speed == 0.0) return NAN;
    if (n_to_come == 0) return held_s(schedule);
    const double mean = schedule->added_cost / (double)schedule->n_added;
    return held_s(schedule) + (double)n_to_come * mean / schedule->total_speed;
}

double nas_schedule_speed(const nas_schedule_t *schedule, int rank)
{
    return schedule->total_speed > 0.0 ? schedule->worker[rank].speed : NAN;
}
