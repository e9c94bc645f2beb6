/* The posterior's life: its memory, and its points. */
#include "worker/ranking/posterior.h"

#include "common/base/gaussian.h"
#include "common/base/huge_pages.h"
#include "worker/ranking/posterior_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

extern const nas_posterior_kernel_t nas_posterior_kernel_plain;
extern const nas_posterior_kernel_t nas_posterior_kernel_avx2;
extern const nas_posterior_kernel_t nas_posterior_kernel_avx512;

static const double noise = 0.1001, least_variance = 1e-6;

const nas_posterior_kernel_t *nas_posterior_kernel(nas_isa_t isa)
{
    NAS_ASSERT(nas_isa_available(isa));
#ifdef NAS_WITH_AVX512
    if (isa == NAS_ISA_AVX512) return &nas_posterior_kernel_avx512;
#endif
#ifdef NAS_WITH_AVX2
    if (isa == NAS_ISA_AVX2) return &nas_posterior_kernel_avx2;
#endif
    return &nas_posterior_kernel_plain;
}

void nas_posterior_use(nas_posterior_t *posterior, nas_isa_t isa)
{
    posterior->kernel = nas_posterior_kernel(isa);
}

/* ---------------------------------------------------------------------------------- life */

static int64_t slabs_of(int64_t n_points)
{
    return (n_points + NAS_POSTERIOR_SLAB - 1) / NAS_POSTERIOR_SLAB;
}

static size_t slab_bytes(int64_t n_rows)
{
    return (size_t)nas_score_tiles(n_rows) * NAS_POSTERIOR_SLAB_TILE * sizeof(float);
}

static double line_bytes(const nas_posterior_options_t *options, int64_t n_rows)
{
    return (double)slabs_of(options->max_points) * (double)slab_bytes(n_rows);
}

/* Between these the expected improvement, in units of the deviation, is below a straight line,
 * since it is convex. Below the first it is not above its value there, beyond the last it rises by
 * less than it does. */
static void fill_bounds(nas_posterior_view_t *view)
{
    static const double at[NAS_POSTERIOR_BOUNDS - 1] = {-5.0, -4.0, -3.3, -2.7, -2.1, -1.6,
                                                        -1.1, -0.6, 0.0,  0.8,  2.0};
    const double margin = 1e-9; /* far above what rounding can do */
    for (int i = 0; i < NAS_POSTERIOR_BOUNDS; i++) {
        const double low = i > 0 ? at[i - 1] : at[0];
        const double here = nas_normal_improvement(low);
        double slope = i > 0 ? 1.0 : 0.0;
        if (0 < i && i < NAS_POSTERIOR_BOUNDS - 1)
            slope = (nas_normal_improvement(at[i]) - here) / (at[i] - low);
        view->bound_mean[i] = slope;
        view->bound_std[i] = here - slope * low + margin;
    }
}

static nas_status_t allocate(nas_posterior_t *posterior, nas_error_t *err)
{
    const nas_posterior_options_t *options = &posterior->options;
    const size_t rows = (size_t)(nas_score_tiles(posterior->n_rows) * NAS_SCORE_TILE);
    const size_t n_slabs = (size_t)slabs_of(options->max_points);
    posterior->column = calloc((size_t)options->n_metric + 1, sizeof *posterior->column);
    posterior->feature =
        nas_huge_pages_create(rows * (size_t)options->n_metric * sizeof *posterior->feature);
    posterior->code = nas_huge_pages_create(rows * (size_t)options->n_position);
    posterior->chunk = calloc(n_slabs, sizeof *posterior->chunk);
    posterior->line = calloc(n_slabs, sizeof *posterior->line);
    posterior->alone = calloc(n_slabs, sizeof *posterior->alone);
    posterior->found = calloc((size_t)nas_comm_size(posterior->group), sizeof *posterior->found);
    if (!posterior->column || !posterior->feature || !posterior->code || !posterior->chunk ||
        !posterior->line || !posterior->alone || !posterior->found)
        return nas_error_nomem(err, "the features of a posterior");
    posterior->n_slabs = (int64_t)n_slabs;
    return NAS_OK;
}

static void begin_view(nas_posterior_t *posterior)
{
    nas_posterior_view_t *view = &posterior->view;
    view->feature = posterior->feature;
    view->code = posterior->code;
    view->choice = posterior->choice;
    view->chunk = posterior->chunk;
    view->line = posterior->keeps_lines ? posterior->line : posterior->alone;
    view->step = posterior->keeps_lines ? NAS_POSTERIOR_SLAB_TILE : 0;
    fill_bounds(view);
}

nas_status_t nas_posterior_create(nas_comm_t *group, const nas_posterior_options_t *options,
                                  nas_posterior_t **posterior_p, nas_error_t *err)
{
    NAS_ASSERT(options->n_arch > 0 && options->n_metric >= 0 && options->max_points > 0);
    NAS_ASSERT(0 <= options->n_position && options->n_position <= NAS_POSTERIOR_MAX_POSITIONS);
    nas_posterior_t *posterior = calloc(1, sizeof *posterior);
    nas_status_t status = posterior ? NAS_OK : nas_error_nomem(err, "a posterior");
    if (posterior) {
        posterior->group = group;
        posterior->options = *options;
        nas_comm_shard(options->n_arch, nas_comm_rank(group), nas_comm_size(group),
                       &posterior->first, &posterior->n_rows);
        (void)nas_posterior_bytes(options, posterior->n_rows, &posterior->keeps_lines);
        nas_posterior_use(posterior, nas_isa_best());
        status = allocate(posterior, err);
        begin_view(posterior);
    }
    status = nas_comm_agree(group, status, err);
    if (status == NAS_OK)
        *posterior_p = posterior;
    else
        nas_posterior_destroy(posterior);
    return status;
}

void nas_posterior_destroy(nas_posterior_t *posterior)
{
    if (!posterior) return;
    for (int64_t s = 0; s < posterior->n_slabs; s++) {
        free(posterior->chunk[s].x);
        free(posterior->chunk[s].code);
        free(posterior->chunk[s].factor);
        free(posterior->line[s]);
        free(posterior->alone[s]);
    }
    free(posterior->chunk);
    free(posterior->line);
    free(posterior->alone);
    free(posterior->message);
    free(posterior->found);
    free(posterior->column);
    free(posterior->feature);
    free(posterior->code);
    free(posterior);
}

void nas_posterior_shard(const nas_posterior_t *posterior, int64_t *first, int64_t *n_rows)
{
    *first = posterior->first;
    *n_rows = posterior->n_rows;
}

int64_t nas_posterior_metrics(const nas_posterior_t *posterior)
{
    return posterior->view.n_metric;
}

int nas_posterior_positions(const nas_posterior_t *posterior)
{
    return posterior->view.n_position;
}

int64_t nas_posterior_points(const nas_posterior_t *posterior)
{
    return posterior->view.n_points;
}

/* -------------------------------------------------------------------------------- points */

void nas_posterior_keep(nas_posterior_t *posterior, int64_t n)
{
    nas_posterior_view_t *view = &posterior->view;
    NAS_ASSERT(0 <= n && n <= view->n_points);
    view->n_points = n;
    if (view->n_made > n) view->n_made = n;
}

static double *number_at(char *message, int64_t i)
{
    return (double *)(void *)message + i;
}

/* The message that makes a point: m, its row of L, its features; behind these numbers its codes. */
static int64_t numbers_of(const nas_posterior_view_t *view)
{
    return 1 + (view->n_points + 1) + view->n_metric;
}

static size_t message_bytes(const nas_posterior_view_t *view)
{
    return (size_t)numbers_of(view) * sizeof(double) + (size_t)view->n_position;
}

static bool has_room(const nas_posterior_t *posterior, int64_t slab)
{
    const nas_posterior_chunk_t *chunk = &posterior->chunk[slab];
    return chunk->x && chunk->code && chunk->factor && posterior->alone[slab] &&
           (posterior->line[slab] || !posterior->keeps_lines);
}

/* Room for one point more. */
static nas_status_t reserve(nas_posterior_t *posterior, nas_error_t *err)
{
    const nas_posterior_view_t *view = &posterior->view;
    const int64_t slab = view->n_points / NAS_POSTERIOR_SLAB;
    const size_t n = NAS_POSTERIOR_SLAB;
    nas_posterior_chunk_t *chunk = &posterior->chunk[slab];
    if (posterior->message_size < message_bytes(view)) {
        const size_t size = message_bytes(view) + n * sizeof(double);
        char *message = realloc(posterior->message, size);
        if (!message) return nas_error_nomem(err, "points of a posterior");
        posterior->message = message;
        posterior->message_size = size;
    }
    if (!chunk->x) chunk->x = malloc((n * (size_t)view->n_metric + 1) * sizeof *chunk->x);
    if (!chunk->code) chunk->code = malloc(n * (size_t)view->n_position + 1);
    if (!chunk->factor) chunk->factor = malloc(n * n * ((size_t)slab + 1) * sizeof *chunk->factor);
    if (!posterior->alone[slab])
        posterior->alone[slab] = nas_huge_pages_create(NAS_POSTERIOR_SLAB_TILE * sizeof(float));
    if (posterior->keeps_lines && !posterior->line[slab])
        posterior->line[slab] = nas_huge_pages_create(slab_bytes(posterior->n_rows));
    if (!has_room(posterior, slab)) return nas_error_nomem(err, "points of a posterior");
    return NAS_OK;
}

nas_posterior_view_t nas_posterior_alone(const nas_posterior_t *posterior, int64_t tile)
{
    nas_posterior_view_t view = posterior->view;
    for (int64_t s = 0; s < slabs_of(view.n_made); s++)
        memcpy(posterior->alone[s], view.line[s] + tile * view.step,
               NAS_POSTERIOR_SLAB_TILE * sizeof(float));
    view.line = posterior->alone;
    view.step = 0;
    return view;
}

/* The lines of a tile that are missing. */
static nas_status_t make_alone(const nas_posterior_t *posterior, nas_posterior_view_t *view,
                               int64_t tile, nas_error_t *err)
{
    const int64_t n = view->n_points;
    double work = 0; /* since the last question */
    while (view->n_made < n) {
        if (work >= NAS_POSTERIOR_WORK) {
            const double share = (double)view->n_made / (double)n;
            const nas_status_t status =
                nas_interrupt_check(posterior->options.interrupt, share, err);
            if (status) return status;
            work = 0;
        }
        view->n_points =
            n - view->n_made < NAS_POSTERIOR_SLAB ? n : view->n_made + NAS_POSTERIOR_SLAB;
        work += nas_posterior_work(view);
        posterior->kernel->make(view, tile, 1);
        view->n_made = view->n_points;
    }
    return NAS_OK;
}

/* A point's row of L: its place in the lines of the points before it, then the diagonal. */
static nas_status_t fill_row(const nas_posterior_t *posterior, int64_t row, const double *x,
                             double *factor, nas_error_t *err)
{
    const int64_t tile = row / NAS_SCORE_TILE, lane = row % NAS_SCORE_TILE;
    nas_posterior_view_t view = nas_posterior_alone(posterior, tile);
    double square = 0, sum = 0;
    const nas_status_t status = make_alone(posterior, &view, tile, err);
    if (status) return status;
    for (int64_t l = 0; l < view.n_points; l++) {
        const float *line = view.line[l / NAS_POSTERIOR_SLAB];
        factor[l] = (double)line[l % NAS_POSTERIOR_SLAB * NAS_SCORE_TILE + lane];
        sum += factor[l] * factor[l];
    }
    for (int64_t m = 0; m < view.n_metric; m++) square += x[m] * x[m];
    const double self = view.choice[0] + (view.matern + view.linear * square);
    const double rest = self + noise - sum;
    factor[view.n_points] = sqrt(rest > least_variance ? rest : least_variance);
    return NAS_OK;
}

/* By the rank that holds it. */
static nas_status_t describe(nas_posterior_t *posterior, int64_t row, nas_error_t *err)
{
    const nas_posterior_view_t *view = &posterior->view;
    _Alignas(NAS_SCORE_LINE) double b[NAS_SCORE_TILE], m[NAS_SCORE_TILE];
    double *factor = number_at(posterior->message, 1), *x = factor + view->n_points + 1;
    uint8_t *code = (uint8_t *)number_at(posterior->message, numbers_of(view));
    posterior->kernel->prior(view, row / NAS_SCORE_TILE, 1, b, m);
    *number_at(posterior->message, 0) = m[row % NAS_SCORE_TILE];
    for (int64_t i = 0; i < view->n_metric; i++)
        x[i] = (double)posterior->feature[nas_score_at(row, i, view->n_metric)];
    for (int p = 0; p < view->n_position; p++)
        code[p] = posterior->code[nas_score_at(row, p, view->n_position)];
    return fill_row(posterior, row, x, factor, err);
}

/* What was broadcast becomes a point. */
static void take(nas_posterior_t *posterior, int64_t arch)
{
    nas_posterior_view_t *view = &posterior->view;
    const int64_t n = view->n_points, place = n % NAS_POSTERIOR_SLAB;
    nas_posterior_chunk_t *chunk = &posterior->chunk[n / NAS_POSTERIOR_SLAB];
    const double *factor = number_at(posterior->message, 1), *x = factor + n + 1;
    const size_t n_metric = (size_t)view->n_metric, n_position = (size_t)view->n_position;
    chunk->arch[place] = arch;
    memcpy(chunk->x + (size_t)place * n_metric, x, n_metric * sizeof *x);
    memcpy(chunk->code + (size_t)place * n_position, x + n_metric, n_position);
    memcpy(nas_posterior_factor(view, n), factor, (size_t)(n + 1) * sizeof *factor);
    view->n_points++;
}

/* What this rank does before it is known whether all can go on. Many lines are made in a sweep over
 * the shard and not, point by point, alone for the tile of each that follows. */
static nas_status_t prepare(nas_posterior_t *posterior, int64_t arch, bool is_owner,
                            nas_error_t *err)
{
    const nas_posterior_view_t *view = &posterior->view;
    const int64_t n_missing = view->n_points - view->n_made;
    nas_status_t status = reserve(posterior, err);
    if (!status && posterior->keeps_lines && n_missing >= NAS_POSTERIOR_SLAB)
        status = nas_posterior_make(posterior, err);
    if (!status && is_owner) status = describe(posterior, arch - posterior->first, err);
    return status;
}

nas_status_t nas_posterior_append(nas_posterior_t *posterior, int64_t arch, double *mean,
                                  double *row, nas_error_t *err)
{
    nas_comm_t *group = posterior->group;
    const nas_posterior_view_t *view = &posterior->view;
    const int64_t n = view->n_points;
    const int owner = (int)(((arch + 1) * nas_comm_size(group) - 1) / posterior->options.n_arch);
    NAS_ASSERT(posterior->is_settled && n < posterior->options.max_points);
    NAS_ASSERT(0 <= arch && arch < posterior->options.n_arch);
    const bool is_owner = nas_comm_rank(group) == owner;
    const nas_status_t status = nas_comm_agree(group, prepare(posterior, arch, is_owner, err), err);
    if (status) return status;
    nas_comm_bcast(group, owner, posterior->message, message_bytes(view));
    if (mean) *mean = *number_at(posterior->message, 0);
    if (row) memcpy(row, number_at(posterior->message, 1), (size_t)(n + 1) * sizeof *row);
    take(posterior, arch);
    return NAS_OK;
}

double nas_posterior_bytes(const nas_posterior_options_t *options, int64_t n_rows, bool *fits)
{
    const double rows = (double)(nas_score_tiles(n_rows) * NAS_SCORE_TILE);
    const double points = (double)slabs_of(options->max_points) * NAS_POSTERIOR_SLAB;
    const double features = rows * (4.0 * (double)options->n_metric + options->n_position);
    const double of_points =
        points * (4.0 * NAS_SCORE_TILE + 8.0 * (double)options->n_metric + options->n_position);
    const double of_answers = 8.0 * (double)n_rows; /* means, of what was learned */
    const double of_slabs =
        2 * NAS_POSTERIOR_SLAB * 8.0 * points; /* rows of L, until lines are made */
    const double least = features + of_answers + of_points;
    const double most = least + of_slabs + line_bytes(options, n_rows);
    *fits = most <= (double)options->memory_bytes;
    return *fits ? most : least + 4.0 * points * points;
}
