/* Ranks of values that the ranks of a group share.
 *
 * Each rank sorts its own values. Then every rank's sorted values are broadcast, in pieces, and all
 * count how many of them are below, or not above, each of their own: two walks along two sorted
 * lists. The counts are whole numbers, so that nothing depends on who has which value. */
#include "common/base/fault.h"
#include "common/base/sort.h"
#include "worker/ranking/normalise.h"

#include <math.h>
#include <stdlib.h>

enum { PIECE = 1 << 16 }; /* values of one broadcast */

typedef struct places {
    nas_comm_t *group;
    double *sorted; /* [n] this rank's values that are not missing */
    int64_t n;
    /* How many of all values are below sorted[i], and how many are not above it; until sum_up how
     * many that are no such of sorted[i - 1]. [n + 1], the last for those that are so of none. */
    int64_t *n_below, *n_up_to;
    double *heard;     /* [PIECE] */
    int64_t *n_values; /* [size] of each rank */
} places_t;

static void drop(places_t *places)
{
    free(places->sorted);
    free(places->n_below);
    free(places->n_up_to);
    free(places->heard);
    free(places->n_values);
}

static nas_status_t begin(places_t *places, const double *value, int64_t n,
                          const nas_interrupt_t *interrupt, nas_error_t *err)
{
    const size_t room = (size_t)n + 1;
    places->sorted = malloc(room * sizeof *places->sorted);
    places->n_below = calloc(room, sizeof *places->n_below);
    places->n_up_to = calloc(room, sizeof *places->n_up_to);
    places->heard = malloc(PIECE * sizeof *places->heard);
    places->n_values = malloc((size_t)nas_comm_size(places->group) * sizeof *places->n_values);
    if (!places->sorted || !places->n_below || !places->n_up_to || !places->heard ||
        !places->n_values)
        return nas_error_nomem(err, "ranks of a metric");
    for (int64_t i = 0; i < n; i++)
        if (isfinite(value[i])) places->sorted[places->n++] = value[i];
    return nas_sort_numbers(places->sorted, places->n, interrupt, err);
}

/* Where two lists have been walked to. */
typedef struct walk {
    int64_t above;    /* the first of the own values that is above what was heard last */
    int64_t at_least; /* the first that is not below it */
} walk_t;

/* Count n more sorted values of one rank. */
static void count(places_t *places, walk_t *walk, const double *heard, int64_t n)
{
    const double *sorted = places->sorted;
    for (int64_t i = 0; i < n; i++) {
        while (walk->at_least < places->n && sorted[walk->at_least] < heard[i]) walk->at_least++;
        if (walk->above < walk->at_least) walk->above = walk->at_least;
        while (walk->above < places->n && sorted[walk->above] <= heard[i]) walk->above++;
        places->n_up_to[walk->at_least]++;
        places->n_below[walk->above]++;
    }
}

/* Hear and count the values of rank `root`. */
static void hear(places_t *places, int root)
{
    const bool speaks = nas_comm_rank(places->group) == root;
    const int64_t n = places->n_values[root];
    walk_t walk = {0};
    for (int64_t at = 0; at < n; at += PIECE) {
        const int64_t n_piece = n - at < PIECE ? n - at : PIECE;
        double *piece = speaks ? places->sorted + at : places->heard;
        nas_comm_bcast(places->group, root, piece, (size_t)n_piece * sizeof *piece);
        count(places, &walk, piece, n_piece);
    }
}

static void sum_up(places_t *places)
{
    for (int64_t i = 1; i < places->n; i++) {
        places->n_below[i] += places->n_below[i - 1];
        places->n_up_to[i] += places->n_up_to[i - 1];
    }
}

/* The mean of the places of a value that is among the sorted ones. */
static double place_of(const places_t *places, double x)
{
    int64_t low = 0, high = places->n - 1;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (places->sorted[middle] < x)
            low = middle + 1;
        else
            high = middle;
    }
    return 0.5 * (double)(places->n_below[low] + 1 + places->n_up_to[low]);
}

static nas_status_t replace(const places_t *places, double *value, int64_t n,
                            const nas_interrupt_t *interrupt, nas_error_t *err)
{
    const int64_t block = 1 << 14; /* values between two questions */
    nas_status_t status = NAS_OK;
    for (int64_t i = 0; !status && i < n; i++) {
        value[i] = isfinite(value[i]) ? place_of(places, value[i]) : NAN;
        if (i % block != block - 1) continue;
        NAS_FAULT_POINT("rank-transform");
        status = nas_interrupt_check(interrupt, (double)i / (double)n, err);
    }
    return status;
}

nas_status_t nas_normalise_rank(nas_comm_t *group, double *value, int64_t n,
                                const nas_interrupt_t *interrupt, nas_error_t *err)
{
    places_t places = {.group = group};
    nas_status_t status = begin(&places, value, n, interrupt, err);
    status = nas_comm_agree(group, status, err);
    if (status) goto out;
    nas_comm_all_gather(group, &places.n, sizeof places.n, places.n_values);
    for (int r = 0; r < nas_comm_size(group); r++) hear(&places, r);
    sum_up(&places);
    status = nas_comm_agree(group, replace(&places, value, n, interrupt, err), err);
out:
    drop(&places);
    return status;
}
