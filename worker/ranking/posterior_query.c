/* Questions to a posterior: sweeps over the shard, and what comes of them over the ranks. */
#include "common/base/gaussian.h"
#include "common/base/rng.h"
#include "worker/ranking/posterior_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_TILES = 64, BLOCK_ROWS = BLOCK_TILES * NAS_SCORE_TILE };

bool nas_posterior_hides(uint64_t seed, double hidden, int64_t arch)
{
    nas_rng_t rng;
    if (!(hidden > 0)) return false;
    nas_rng_init(&rng, seed, NAS_STREAM_HIDDEN, (uint64_t)arch);
    return nas_rng_uniform(&rng) < hidden;
}

/* --------------------------------------------------------------------------------- sweep */

/* Rows [row, row + n) of the shard, one number each. */
typedef struct block {
    int64_t row, n;
    const double *mean, *std;
    const double *bound; /* not below the expected improvement */
} block_t;

typedef struct sweep {
    nas_posterior_t *posterior;
    const nas_posterior_query_t *query; /* NULL: lines are made, and nothing else */
    void (*see)(void *context, const block_t *block);
    void *context;
} sweep_t;

/* One message of each rank to all, which are then the same everywhere. */
static void gather(nas_posterior_t *posterior, const nas_posterior_found_t *mine, int *flag)
{
    nas_comm_all_gather(posterior->group, mine, sizeof *mine, posterior->found);
    if (nas_comm_rank(posterior->group) != 0) return;
    for (int r = 0; r < nas_comm_size(posterior->group); r++)
        if (posterior->found[r].flag > *flag) *flag = (int)posterior->found[r].flag;
}

/* Lines that are kept need no row of L any more. */
static void drop_factors(nas_posterior_t *posterior)
{
    const int64_t full = posterior->view.n_made / NAS_POSTERIOR_SLAB;
    for (int64_t s = 0; s < full; s++) {
        free(posterior->chunk[s].factor);
        posterior->chunk[s].factor = NULL;
    }
}

static void sweep_block(const sweep_t *sweep, int64_t row, int64_t n)
{
    _Alignas(NAS_SCORE_LINE) double mean[BLOCK_ROWS], std[BLOCK_ROWS], bound[BLOCK_ROWS];
    const nas_posterior_look_t look = {mean, std, bound};
    const nas_posterior_t *posterior = sweep->posterior;
    const int64_t tile = row / NAS_SCORE_TILE, n_tile = nas_score_tiles(n);
    if (!sweep->query) {
        posterior->kernel->make(&posterior->view, tile, n_tile);
        return;
    }
    posterior->kernel->look(&posterior->view, tile, n_tile, &look);
    sweep->see(sweep->context, &(block_t){row, n, mean, std, bound});
}

/* Returns false where it was interrupted, which is as if nothing had been made. */
static bool sweep_rows(const sweep_t *sweep)
{
    const double most = NAS_POSTERIOR_WORK;
    nas_posterior_t *posterior = sweep->posterior;
    const double of_tile = nas_posterior_work(&posterior->view);
    const int64_t n_tile = of_tile * BLOCK_TILES < most ? BLOCK_TILES : (int64_t)(most / of_tile);
    const int64_t step = (n_tile > 0 ? n_tile : 1) * NAS_SCORE_TILE, n_rows = posterior->n_rows;
    double work = 0; /* since the last question */
    for (int64_t row = 0; row < n_rows; row += step) {
        const int64_t n = n_rows - row < step ? n_rows - row : step;
        const double share = (double)row / (double)n_rows;
        if (work >= most) {
            if (nas_interrupted(posterior->options.interrupt, share)) return false;
            work = 0;
        }
        work += of_tile * (double)nas_score_tiles(n);
        sweep_block(sweep, row, n);
    }
    if (!posterior->keeps_lines) return true;
    posterior->view.n_made = posterior->view.n_points;
    drop_factors(posterior);
    return true;
}

/* Whoever is interrupted tells the others with what it found. */
static void sweep_shard(const sweep_t *sweep)
{
    nas_posterior_view_t *view = &sweep->posterior->view;
    view->z = sweep->query->z;
    view->incumbent = sweep->query->incumbent;
    (void)sweep_rows(sweep);
}

nas_status_t nas_posterior_make(nas_posterior_t *posterior, nas_error_t *err)
{
    NAS_ASSERT(posterior->keeps_lines);
    if (sweep_rows(&(sweep_t){.posterior = posterior})) return NAS_OK;
    return nas_error_set(err, NAS_ESTOP, "stopped on request");
}

/* ------------------------------------------------------------------------------- improve */

/* The best so far on this rank. */
typedef struct hunt {
    const nas_posterior_t *posterior;
    const nas_posterior_query_t *query;
    nas_posterior_pick_t best;
} hunt_t;

static double improvement_of(double mean, double std, double incumbent)
{
    const double least = -6.0;
    const double w = (mean - incumbent) / std;
    return w > least ? std * nas_normal_improvement(w) : -1e-9 * (w * w) * std;
}

static bool is_point(const nas_posterior_view_t *view, int64_t arch)
{
    for (int64_t i = 0; i < view->n_points; i++)
        if (view->chunk[i / NAS_POSTERIOR_SLAB].arch[i % NAS_POSTERIOR_SLAB] == arch) return true;
    return false;
}

/* Rows come in ascending order, so that one which equals the best is behind it. Whether it is
 * admitted is looked at last, since few come so far. */
static void offer(hunt_t *hunt, int64_t row, double improvement, double mean)
{
    const int64_t arch = hunt->posterior->first + row;
    const nas_posterior_query_t *query = hunt->query;
    if (!(improvement > hunt->best.improvement)) return;
    if (is_point(&hunt->posterior->view, arch)) return;
    if (nas_posterior_hides(query->seed, query->hidden, arch)) return;
    hunt->best = (nas_posterior_pick_t){arch, improvement, mean};
}

static void see_improvement(void *context, const block_t *block)
{
    hunt_t *hunt = context;
    const double incumbent = hunt->query->incumbent;
    for (int64_t i = 0; i < block->n; i++) {
        if (!(block->bound[i] > hunt->best.improvement)) continue;
        const double mean = block->mean[i];
        offer(hunt, block->row + i, improvement_of(mean, block->std[i], incumbent), mean);
    }
}

/* Before the first point: by the mean feature. */
static void hunt_features(hunt_t *hunt)
{
    const nas_posterior_t *posterior = hunt->posterior;
    _Alignas(NAS_SCORE_LINE) double b[BLOCK_ROWS], m[BLOCK_ROWS];
    for (int64_t row = 0; row < posterior->n_rows; row += BLOCK_ROWS) {
        const int64_t left = posterior->n_rows - row, n = left < BLOCK_ROWS ? left : BLOCK_ROWS;
        if (nas_interrupted(posterior->options.interrupt, (double)row / (double)posterior->n_rows))
            return;
        posterior->kernel->prior(&posterior->view, row / NAS_SCORE_TILE, nas_score_tiles(n), b, m);
        for (int64_t i = 0; i < n; i++) offer(hunt, row + i, b[i], m[i]);
    }
}

static bool is_better(const nas_posterior_found_t *a, const nas_posterior_pick_t *b)
{
    if (a->arch < 0 || b->arch < 0) return a->arch >= 0;
    return a->first > b->improvement || (a->first == b->improvement && a->arch < b->arch);
}

void nas_posterior_improve(nas_posterior_t *posterior, const nas_posterior_query_t *query,
                           int *flag, nas_posterior_pick_t *pick)
{
    hunt_t hunt = {.posterior = posterior, .query = query, .best = {-1, -INFINITY, 0}};
    const sweep_t sweep = {posterior, query, see_improvement, &hunt};
    NAS_ASSERT(posterior->is_settled);
    if (posterior->view.n_points > 0)
        sweep_shard(&sweep);
    else
        hunt_features(&hunt);
    const nas_posterior_found_t mine = {hunt.best.improvement, hunt.best.mean, hunt.best.arch,
                                        *flag};
    gather(posterior, &mine, flag);
    nas_posterior_pick_t best = {-1, -INFINITY, 0};
    for (int r = 0; r < nas_comm_size(posterior->group); r++) {
        const nas_posterior_found_t *found = &posterior->found[r];
        if (is_better(found, &best))
            best = (nas_posterior_pick_t){found->arch, found->first, found->second};
    }
    if (nas_comm_rank(posterior->group) == 0) *pick = best;
}

/* ------------------------------------------------------------------------------- learned */

/* The means of the shard, and what is said of one row of it. */
typedef struct survey {
    const nas_posterior_t *posterior;
    int64_t row; /* of no block here: another rank's */
    nas_posterior_found_t found;
    double *mean;         /* [n_rows] */
    const double *centre; /* means over the pool: of the posterior's, then of each metric */
} survey_t;

static void see_means(void *context, const block_t *block)
{
    survey_t *survey = context;
    const int64_t at = survey->row - block->row;
    memcpy(survey->mean + block->row, block->mean, (size_t)block->n * sizeof *block->mean);
    if (0 <= at && at < block->n) {
        survey->found.first = block->mean[at];
        survey->found.second = block->std[at];
        survey->found.arch = survey->row + survey->posterior->first;
    }
}

/* Of the means, then of each metric. */
static void add_rows(const void *of, double *sum)
{
    const survey_t *survey = of;
    const nas_posterior_t *posterior = survey->posterior;
    const int64_t n_metric = posterior->view.n_metric;
    for (int64_t row = 0; row < posterior->n_rows; row++) {
        const float *x = posterior->feature + nas_score_at(row, 0, n_metric);
        sum[0] += survey->mean[row];
        for (int64_t m = 0; m < n_metric; m++) sum[1 + m] += (double)x[m * NAS_SCORE_TILE];
    }
}

/* Squares about the centres, then products with the means'. */
static void add_products(const void *of, double *sum)
{
    const survey_t *survey = of;
    const nas_posterior_t *posterior = survey->posterior;
    const int64_t n_metric = posterior->view.n_metric;
    double *product = sum + 1 + n_metric;
    for (int64_t row = 0; row < posterior->n_rows; row++) {
        const float *x = posterior->feature + nas_score_at(row, 0, n_metric);
        const double of_mean = survey->mean[row] - survey->centre[0];
        sum[0] += of_mean * of_mean;
        for (int64_t m = 0; m < n_metric; m++) {
            const double of_metric = (double)x[m * NAS_SCORE_TILE] - survey->centre[1 + m];
            sum[1 + m] += of_metric * of_metric;
            product[m] += of_metric * of_mean;
        }
    }
}

/* sum [in, out] room for 2 + 3 n_metric zeros. */
static void correlate(survey_t *survey, double *sum, double *correlation)
{
    const nas_posterior_t *posterior = survey->posterior;
    const int64_t n_metric = posterior->view.n_metric, n = posterior->options.n_arch;
    const double constant = 1e-20; /* the variance of means that differ by rounding at most */
    double *centre = sum, *square = sum + 1 + n_metric;
    nas_posterior_sum(posterior->group, add_rows, survey, centre, 1 + n_metric);
    for (int64_t i = 0; i <= n_metric; i++) centre[i] /= (double)n;
    survey->centre = centre;
    nas_posterior_sum(posterior->group, add_products, survey, square, 1 + 2 * n_metric);
    if (nas_comm_rank(posterior->group) != 0) return;
    for (int64_t m = 0; m < posterior->options.n_metric; m++) correlation[m] = 0.0;
    if (!(square[0] > constant * (double)n)) return;
    for (int64_t m = 0; m < n_metric; m++) {
        const double r = square[1 + n_metric + m] / sqrt(square[0] * square[1 + m]);
        correlation[posterior->column[m]] = r > 1.0 ? 1.0 : r < -1.0 ? -1.0 : r;
    }
}

nas_status_t nas_posterior_learned(nas_posterior_t *posterior, const nas_posterior_query_t *query,
                                   int64_t arch, int *flag, nas_posterior_learned_t *learned,
                                   nas_error_t *err)
{
    survey_t survey = {.posterior = posterior, .row = arch - posterior->first, .found.arch = -1};
    const sweep_t sweep = {posterior, query, see_means, &survey};
    const size_t n_sums = 2 + 3 * (size_t)posterior->view.n_metric;
    double *sum = calloc(n_sums, sizeof *sum);
    nas_status_t status = NAS_OK;
    NAS_ASSERT(posterior->is_settled);
    survey.mean = calloc((size_t)posterior->n_rows + 1, sizeof *survey.mean);
    if (!sum || !survey.mean) status = nas_error_nomem(err, "means of a posterior");
    status = nas_comm_agree(posterior->group, status, err);
    if (status) goto out;
    sweep_shard(&sweep);
    survey.found.flag = *flag;
    gather(posterior, &survey.found, flag);
    for (int r = 0; r < nas_comm_size(posterior->group); r++) {
        const nas_posterior_found_t *found = &posterior->found[r];
        if (found->arch < 0 || nas_comm_rank(posterior->group) != 0) continue;
        learned->mean = found->first;
        learned->std = found->second;
    }
    correlate(&survey, sum, learned ? learned->correlation : NULL);
out:
    free(survey.mean);
    free(sum);
    return status;
}
