/* The inner loops of the posterior, one table of functions for each instruction set. Private to
 * posterior*.c, their tests and bench.
 *
 * Everything lies in tiles of NAS_SCORE_TILE rows (score.h): features [metric][row], codes
 * [position][row], and rows of points, called lines, in slabs of NAS_POSTERIOR_SLAB points: for
 * every tile [point][row], 1 KiB in one piece. A pass reads each of these strictly forward.
 *
 * With n points, L their Cholesky factor and c a row of the pool:
 *
 *   V_i[c] = (k(i, c) - sum over l < i of L_il V_l[c]) / L_ii      rounded to float32
 *   mean   = m(c) + sum of z_i V_i[c]
 *   std    = sqrt(max(k(c, c) - sum of V_i[c]^2, 1e-6))
 *
 * Sums are of float64, ascending, from 0; each product and sum is rounded once. */
#ifndef NAS_WORKER_RANKING_POSTERIOR_KERNEL_H
#define NAS_WORKER_RANKING_POSTERIOR_KERNEL_H

#include "common/base/isa.h"
#include "worker/ranking/score.h"

#include <stdint.h>

enum {
    NAS_POSTERIOR_SLAB = 16,                                       /**< points of a slab */
    NAS_POSTERIOR_SLAB_TILE = NAS_POSTERIOR_SLAB * NAS_SCORE_TILE, /**< floats of a tile in it */
    NAS_POSTERIOR_BOUNDS = 12,                                     /**< see nas_posterior_view */
    NAS_POSTERIOR_MAX_POSITIONS = 255
};

/** What is known of NAS_POSTERIOR_SLAB points; owned by the posterior. */
typedef struct nas_posterior_chunk {
    int64_t arch[NAS_POSTERIOR_SLAB];
    double *x;      /**< [point][metric] */
    uint8_t *code;  /**< [point][position] */
    double *factor; /**< [point][16 (s + 1)] for slab s: rows of L, the diagonal included; NULL once
                         all lines of the slab are made and kept */
} nas_posterior_chunk_t;

/** What a kernel works on. Borrowed. */
typedef struct nas_posterior_view {
    int64_t n_metric; /**< that are kept */
    int n_position;   /**< that are compared */
    const float *feature;
    const uint8_t *code;
    double to_mean;       /**< b is the sum of a row's features times this */
    double matern;        /**< of a row and itself: 1, without metrics 0 */
    double matern_scale;  /**< 5 / M */
    double linear;        /**< of the dot product of two rows */
    const double *choice; /**< [n_position + 1] the kernel's part that depends on h alone */
    int64_t n_points;
    int64_t n_made;                     /**< lines that are there; those behind are to be made */
    const nas_posterior_chunk_t *chunk; /**< [slab] */
    float *const *line;                 /**< [slab] */
    int64_t step;     /**< floats from a tile's lines to the next one's; 0: all use the same room */
    const double *z;  /**< [n_points] */
    double incumbent; /**< f */
    /** The expected improvement is at most bound_std s + bound_mean (mean - f) for one of these. */
    double bound_std[NAS_POSTERIOR_BOUNDS], bound_mean[NAS_POSTERIOR_BOUNDS];
} nas_posterior_view_t;

/** What is said of rows, an array of a multiple of NAS_SCORE_TILE doubles each. */
typedef struct nas_posterior_look {
    double *mean;
    double *std;
    double *bound; /**< of the expected improvement, from above */
} nas_posterior_look_t;

/** The functions of one instruction set, over n_tile tiles from number `tile` on. Outputs are
 *  64-byte aligned, a number a row. */
typedef struct nas_posterior_kernel {
    /** Mean features b, rounded to float32, and prior means m likewise. */
    void (*prior)(const nas_posterior_view_t *view, int64_t tile, int64_t n_tile, double *b,
                  double *m);
    /** Make the lines that are missing. */
    void (*make)(const nas_posterior_view_t *view, int64_t tile, int64_t n_tile);
    /** The same, and look in the same pass. */
    void (*look)(const nas_posterior_view_t *view, int64_t tile, int64_t n_tile,
                 const nas_posterior_look_t *look);
} nas_posterior_kernel_t;

/** Row of L of point i: i + 1 numbers. */
static inline double *nas_posterior_factor(const nas_posterior_view_t *view, int64_t i)
{
    const int64_t slab = i / NAS_POSTERIOR_SLAB;
    return view->chunk[slab].factor + i % NAS_POSTERIOR_SLAB * NAS_POSTERIOR_SLAB * (slab + 1);
}

/** Kernel of an available instruction set. */
const nas_posterior_kernel_t *nas_posterior_kernel(nas_isa_t isa);

#endif
