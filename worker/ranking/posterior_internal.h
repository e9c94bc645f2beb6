/* A posterior as posterior*.c see it. Private to them. */
#ifndef NAS_WORKER_RANKING_POSTERIOR_INTERNAL_H
#define NAS_WORKER_RANKING_POSTERIOR_INTERNAL_H

#include "worker/ranking/posterior.h"
#include "worker/ranking/posterior_kernel.h"

enum {
    NAS_POSTERIOR_WORK = 1 << 22 /**< products and sums between two questions whether to stop: ms */
};

/** What a rank has to say of an architecture that it found. */
typedef struct nas_posterior_found {
    double first, second; /**< improvement and mean; or mean and std */
    int64_t arch;         /**< -1: none */
    int64_t flag;
} nas_posterior_found_t;

struct nas_posterior {
    nas_comm_t *group; /**< kept borrow */
    nas_posterior_options_t options;
    const nas_posterior_kernel_t *kernel;
    int64_t first, n_rows;
    bool is_settled;
    bool keeps_lines; /**< there is memory for them */
    int64_t *column;  /**< [n_metric] of each kept metric: the number that it was loaded under */
    int64_t n_loaded; /**< metrics, kept or not */
    float *feature;   /**< tiles, of n_metric metrics until it is settled, then of the kept ones */
    uint8_t *code;    /**< tiles, likewise of n_position positions and then of those compared */
    double choice[NAS_POSTERIOR_MAX_POSITIONS + 1];
    int64_t n_slabs;              /**< room of the arrays below */
    nas_posterior_chunk_t *chunk; /**< [n_slabs] */
    float **line;                 /**< [n_slabs] of the whole shard; NULL: not yet, or not kept */
    float **alone;                /**< [n_slabs] of one tile */
    char *message;                /**< of append */
    size_t message_size;
    nas_posterior_found_t *found; /**< [ranks of the group] */
    nas_posterior_view_t view;    /**< of the lines that are kept */
};

/** Add, rank by rank, what each has, so that sums are in the order of the pool whatever the
 *  sharding.  Collective over group.
 *  sum [in, out] n numbers, the same on all ranks afterwards; add: adds this rank's to them. */
static inline void nas_posterior_sum(nas_comm_t *group, void (*add)(const void *of, double *sum),
                                     const void *of, double *sum, int64_t n)
{
    for (int r = 0; r < nas_comm_size(group); r++) {
        if (r == nas_comm_rank(group)) add(of, sum);
        nas_comm_bcast(group, r, sum, (size_t)n * sizeof *sum);
    }
}

/** Products and sums that one tile of a sweep takes, about. */
static inline double nas_posterior_work(const nas_posterior_view_t *view)
{
    const double n = (double)view->n_points, made = (double)view->n_made;
    const double lines = 1.0 + n + (n * n - made * made) / 2;
    return NAS_SCORE_TILE * (lines + (n - made + 1.0) * (double)view->n_metric);
}

/** Make the lines that are missing, of the whole shard; only where lines are kept.  Not collective.
 *  NAS_ESTOP: interrupted; it is as if nothing had been made. */
nas_status_t nas_posterior_make(nas_posterior_t *posterior, nas_error_t *err);

/** All lines of one tile at a time, in the room for that: those that are there are copied to it.
 *  Not collective. */
nas_posterior_view_t nas_posterior_alone(const nas_posterior_t *posterior, int64_t tile);

#endif
