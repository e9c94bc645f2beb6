/* The posterior's kernel, compiled once per instruction set: NAS_POSTERIOR_KERNEL names the table
 * of functions.
 *
 * Written with vectors (lanes.h). A tile is done in parts
 * of two vectors, so that three sums of each, and what they are made of, stay in registers. Every
 * row's operations are the same for any width. */
#include "worker/ranking/posterior_kernel.h"

#include "common/base/exponential.h"
#include "worker/ranking/lanes.h"

#include <math.h>
#include <stdbool.h>

enum {
    N_VECTORS = 2, /* of a part */
    PART = N_VECTORS * LANES,
    AHEAD = 2 /* tiles fetched ahead; the processor's own prefetching stops at page borders */
};

typedef uint64_t bits_t __attribute__((vector_size(LANES * sizeof(uint64_t)), may_alias));
typedef uint8_t counts_t __attribute__((vector_size(NAS_SCORE_TILE), may_alias));

/* A number for every row of a part. */
typedef struct part {
    vector_t at[N_VECTORS];
} part_t;

NAS_DEFINE_EXP(exp_within, vector_t, bits_t)

/* Rounded to float32. */
static inline void narrow(vector_t x, float *value)
{
#if defined(__AVX512F__)
    _mm256_store_ps(value, _mm512_cvtpd_ps(x));
#elif defined(__AVX__)
    _mm_store_ps(value, _mm256_cvtpd_ps(x));
#elif defined(__SSE2__)
    _mm_storel_pi((__m64 *)value, _mm_cvtpd_ps(x));
#else
    value[0] = (float)x[0];
    value[1] = (float)x[1];
#endif
}

static inline vector_t root(vector_t x)
{
#if defined(__AVX512F__)
    return _mm512_sqrt_pd(x);
#elif defined(__AVX__)
    return _mm256_sqrt_pd(x);
#elif defined(__SSE2__)
    return _mm_sqrt_pd(x);
#else
    return (vector_t){sqrt(x[0]), sqrt(x[1])};
#endif
}

static inline vector_t smaller(vector_t a, vector_t b)
{
    const mask_t take_a = a < b;
    return (vector_t)((take_a & (mask_t)a) | (~take_a & (mask_t)b));
}

static inline vector_t all(double x)
{
    return (vector_t){0} + x;
}

/* The PART rows of a tile from `at` on. */
static inline part_t part_of(const double *tile, int at)
{
    part_t part;
    for (int v = 0; v < N_VECTORS; v++)
        part.at[v] = *(const vector_t *)(const void *)(tile + at + v * LANES);
    return part;
}

static inline void put(part_t part, double *tile, int at)
{
    for (int v = 0; v < N_VECTORS; v++) *(vector_t *)(void *)(tile + at + v * LANES) = part.at[v];
}

/* Numbers of a tile's rows that last as long as it is worked on. */
typedef struct tile {
    _Alignas(NAS_SCORE_LINE) double prior[NAS_SCORE_TILE]; /* m */
    double self[NAS_SCORE_TILE];                           /* k(c, c) */
    double b[NAS_SCORE_TILE];
    double choice[NAS_SCORE_TILE]; /* of the point at hand */
} tile_t;

/* ------------------------------------------------------------------------------- features */

static inline vector_t rounded(vector_t x)
{
    _Alignas(NAS_SCORE_LINE) float value[LANES];
    narrow(x, value);
    return widen(value);
}

/* b, m and k(c, c). */
static inline void begin_part(const nas_posterior_view_t *view, const float *x, int at,
                              tile_t *tile)
{
    part_t sum = {0}, square = {0}, b, prior, self;
    for (int64_t m = 0; m < view->n_metric; m++) {
        const float *value = x + m * NAS_SCORE_TILE + at;
        __builtin_prefetch(
            (const void *)((uintptr_t)value + AHEAD * NAS_SCORE_LINE * (uintptr_t)view->n_metric));
        for (int v = 0; v < N_VECTORS; v++) {
            const vector_t one = widen(value + v * LANES);
            sum.at[v] += one;
            square.at[v] += one * one;
        }
    }
    for (int v = 0; v < N_VECTORS; v++) {
        const vector_t exact = sum.at[v] * view->to_mean;
        b.at[v] = rounded(exact);
        prior.at[v] = rounded(0.3 * exact - 0.1 * (exact * exact));
        self.at[v] = view->choice[0] + (view->matern + view->linear * square.at[v]);
    }
    put(b, tile->b, at);
    put(prior, tile->prior, at);
    put(self, tile->self, at);
}

static inline void begin_tile(const nas_posterior_view_t *view, int64_t at, tile_t *tile)
{
    const float *x = view->feature + at * NAS_SCORE_TILE * view->n_metric;
    for (int part = 0; part < NAS_SCORE_TILE; part += PART) begin_part(view, x, part, tile);
}

/* The kernel's part of the codes, between a tile's rows and a point. */
static inline void compare_codes(const nas_posterior_view_t *view, int64_t at, const uint8_t *point,
                                 tile_t *tile)
{
    const uint8_t *code = view->code + at * NAS_SCORE_TILE * view->n_position;
    counts_t equal = {0};
    for (int p = 0; p < view->n_position; p++)
        equal -= (counts_t)(*(const counts_t *)(code + p * NAS_SCORE_TILE) == point[p]);
    for (int i = 0; i < NAS_SCORE_TILE; i++)
        tile->choice[i] = view->choice[view->n_position - equal[i]];
}

/* k(point, .). Beyond MOST the exponential is as good as 0. */
static inline part_t covariance(const nas_posterior_view_t *view, const float *x,
                                const double *point, part_t choice)
{
    const double most = 690.0;
    part_t distance = {0}, dot = {0}, k;
    if (view->n_metric == 0) return choice;
    for (int64_t m = 0; m < view->n_metric; m++) {
        for (int v = 0; v < N_VECTORS; v++) {
            const vector_t value = widen(x + m * NAS_SCORE_TILE + v * LANES);
            const vector_t difference = value - point[m];
            distance.at[v] += difference * difference;
            dot.at[v] += value * point[m];
        }
    }
    for (int v = 0; v < N_VECTORS; v++) {
        const vector_t square = smaller(distance.at[v] * view->matern_scale, all(most * most));
        const vector_t u = root(square);
        const vector_t matern = (1.0 + u + square * (1.0 / 3.0)) * exp_within(-u);
        k.at[v] = choice.at[v] + (matern + view->linear * dot.at[v]);
    }
    return k;
}

/* ------------------------------------------------------------------------------------ lines */

/* Sums over the points before one. */
typedef struct sums {
    part_t line;   /* of L_il V_l */
    part_t mean;   /* of z_l V_l */
    part_t square; /* of V_l^2 */
} sums_t;

/* Over the first n points. L NULL: without the first of the sums; looks: with the other two. */
static inline __attribute__((always_inline)) sums_t
sum_lines(const nas_posterior_view_t *view, int64_t at, int64_t n, const double *L, bool looks)
{
    const uintptr_t ahead = AHEAD * NAS_POSTERIOR_SLAB_TILE * sizeof(float);
    sums_t sums = {0};
    for (int64_t i = 0; i < n; i += NAS_POSTERIOR_SLAB) {
        const float *line = view->line[i / NAS_POSTERIOR_SLAB] + at;
        const int64_t end = n - i < NAS_POSTERIOR_SLAB ? n : i + NAS_POSTERIOR_SLAB;
        for (int64_t l = i; l < end; l++) {
            __builtin_prefetch((const void *)((uintptr_t)line + ahead));
            for (int v = 0; v < N_VECTORS; v++) {
                const vector_t value = widen(line + v * LANES);
                if (L) sums.line.at[v] += L[l] * value;
                if (looks) {
                    sums.mean.at[v] += view->z[l] * value;
                    sums.square.at[v] += value * value;
                }
            }
            line += NAS_SCORE_TILE;
        }
    }
    return sums;
}

static inline float *line_of(const nas_posterior_view_t *view, int64_t tile, int64_t point)
{
    return view->line[point / NAS_POSTERIOR_SLAB] + tile * view->step +
           point % NAS_POSTERIOR_SLAB * NAS_SCORE_TILE;
}

/* A point's line of one part. looks: sums over all points up to this one are returned. */
static inline __attribute__((always_inline)) sums_t make_part(const nas_posterior_view_t *view,
                                                              int64_t tile, int64_t point, int at,
                                                              part_t choice, bool looks)
{
    const nas_posterior_chunk_t *chunk = &view->chunk[point / NAS_POSTERIOR_SLAB];
    const double *x = chunk->x + point % NAS_POSTERIOR_SLAB * view->n_metric;
    const double *L = nas_posterior_factor(view, point);
    const float *feature = view->feature + tile * NAS_SCORE_TILE * view->n_metric + at;
    float *line = line_of(view, tile, point) + at;
    const part_t k = covariance(view, feature, x, choice);
    sums_t sums = sum_lines(view, tile * view->step + at, point, L, looks);
    for (int v = 0; v < N_VECTORS; v++) {
        narrow((k.at[v] - sums.line.at[v]) / L[point], line + v * LANES);
        if (!looks) continue;
        const vector_t value = widen(line + v * LANES);
        sums.mean.at[v] += view->z[point] * value;
        sums.square.at[v] += value * value;
    }
    return sums;
}

static inline void make_line(const nas_posterior_view_t *view, int64_t at, int64_t point,
                             tile_t *tile)
{
    for (int part = 0; part < NAS_SCORE_TILE; part += PART)
        (void)make_part(view, at, point, part, part_of(tile->choice, part), false);
}

/* What the sums say of a part of a tile. */
static inline void say(const nas_posterior_view_t *view, const tile_t *tile, int at,
                       const sums_t *sums, const nas_posterior_look_t *look)
{
    const part_t prior = part_of(tile->prior, at), self = part_of(tile->self, at);
    part_t mean, std, bound;
    for (int v = 0; v < N_VECTORS; v++) {
        mean.at[v] = prior.at[v] + sums->mean.at[v];
        std.at[v] = root(larger(self.at[v] - sums->square.at[v], all(1e-6)));
        const vector_t above = mean.at[v] - view->incumbent;
        bound.at[v] = view->bound_std[0] * std.at[v] + view->bound_mean[0] * above;
        for (int i = 1; i < NAS_POSTERIOR_BOUNDS; i++)
            bound.at[v] =
                larger(bound.at[v], view->bound_std[i] * std.at[v] + view->bound_mean[i] * above);
    }
    put(mean, look->mean, at);
    put(std, look->std, at);
    put(bound, look->bound, at);
}

/* ------------------------------------------------------------------------------------- tiles */

static void prior(const nas_posterior_view_t *view, int64_t tile, int64_t n_tile, double *b,
                  double *m)
{
    tile_t rows;
    for (int64_t t = 0; t < n_tile; t++) {
        begin_tile(view, tile + t, &rows);
        for (int part = 0; part < NAS_SCORE_TILE; part += PART) {
            put(part_of(rows.b, part), b + t * NAS_SCORE_TILE, part);
            put(part_of(rows.prior, part), m + t * NAS_SCORE_TILE, part);
        }
    }
}

static inline void compare(const nas_posterior_view_t *view, int64_t at, int64_t point,
                           tile_t *tile)
{
    const uint8_t *code = view->chunk[point / NAS_POSTERIOR_SLAB].code;
    compare_codes(view, at, code + point % NAS_POSTERIOR_SLAB * view->n_position, tile);
}

static inline void make_lines(const nas_posterior_view_t *view, int64_t at, int64_t end,
                              tile_t *tile)
{
    for (int64_t point = view->n_made; point < end; point++) {
        compare(view, at, point, tile);
        make_line(view, at, point, tile);
    }
}

static void make(const nas_posterior_view_t *view, int64_t tile, int64_t n_tile)
{
    tile_t rows;
    for (int64_t t = 0; t < n_tile; t++) make_lines(view, tile + t, view->n_points, &rows);
}

/* The last line, if it is to be made, is made in the pass that looks. */
static inline void look_at(const nas_posterior_view_t *view, int64_t at,
                           const nas_posterior_look_t *look)
{
    const int64_t n = view->n_points, last = n - 1;
    tile_t tile;
    begin_tile(view, at, &tile);
    make_lines(view, at, last, &tile);
    const bool makes = view->n_made < n;
    if (makes) compare(view, at, last, &tile);
    for (int part = 0; part < NAS_SCORE_TILE; part += PART) {
        const sums_t sums = makes
                                ? make_part(view, at, last, part, part_of(tile.choice, part), true)
                                : sum_lines(view, at * view->step + part, n, NULL, true);
        say(view, &tile, part, &sums, look);
    }
}

static void look_rows(const nas_posterior_view_t *view, int64_t tile, int64_t n_tile,
                      const nas_posterior_look_t *look)
{
    for (int64_t t = 0; t < n_tile; t++) {
        const int64_t row = t * NAS_SCORE_TILE;
        const nas_posterior_look_t of_tile = {look->mean + row, look->std + row, look->bound + row};
        look_at(view, tile + t, &of_tile);
    }
}

const nas_posterior_kernel_t NAS_POSTERIOR_KERNEL = {
    .prior = prior, .make = make, .look = look_rows};
