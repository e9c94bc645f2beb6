/* What a posterior knows before the first point: features of the metrics, codes of the positions.
 *
 * Average ranks r = 1 .. n of a metric's n finite values become u = (r - 0.5) / n - 0.5, and with
 * their mean a and population variance v x = (u - a) / sqrt(v), rounded to float32. */
#include "common/base/gaussian.h"
#include "worker/ranking/normalise.h"
#include "worker/ranking/posterior_internal.h"

#include <math.h>
#include <string.h>

/* ------------------------------------------------------------------------------- metrics */

/* Of a metric's values on this rank. */
typedef struct places {
    const double *value; /* u, NaN where it is missing */
    int64_t n;
    double mean;
} places_t;

static void add_values(const void *of, double *sum)
{
    const places_t *places = of;
    for (int64_t i = 0; i < places->n; i++)
        if (!isnan(places->value[i])) *sum += places->value[i];
}

static void add_squares(const void *of, double *sum)
{
    const places_t *places = of;
    for (int64_t i = 0; i < places->n; i++) {
        const double difference = places->value[i] - places->mean;
        if (!isnan(difference)) *sum += difference * difference;
    }
}

static void keep_metric(nas_posterior_t *posterior, const places_t *places, double deviation)
{
    const int64_t metric = posterior->view.n_metric++;
    posterior->column[metric] = posterior->n_loaded;
    for (int64_t row = 0; row < places->n; row++) {
        const double x = (places->value[row] - places->mean) / deviation;
        posterior->feature[nas_score_at(row, metric, posterior->options.n_metric)] =
            isnan(x) ? 0.0F : (float)x;
    }
}

/* Of how many finite values there are, and the ranks' shift to about [-0.5, 0.5]. */
static int64_t shift_ranks(nas_posterior_t *posterior, double *value)
{
    int64_t n_finite = 0;
    for (int64_t i = 0; i < posterior->n_rows; i++) n_finite += !isnan(value[i]);
    nas_comm_sum(posterior->group, &n_finite, 1);
    for (int64_t i = 0; i < posterior->n_rows; i++)
        value[i] = (value[i] - 0.5) / (double)n_finite - 0.5;
    return n_finite;
}

void nas_posterior_load_ranks(nas_posterior_t *posterior, double *rank)
{
    const double least_variance = 1e-12;
    nas_comm_t *group = posterior->group;
    NAS_ASSERT(!posterior->is_settled && posterior->n_loaded < posterior->options.n_metric);
    const int64_t n_finite = shift_ranks(posterior, rank);
    if (n_finite >= 2) {
        places_t places = {.value = rank, .n = posterior->n_rows};
        double sum = 0, square = 0;
        nas_posterior_sum(group, add_values, &places, &sum, 1);
        places.mean = sum / (double)n_finite;
        nas_posterior_sum(group, add_squares, &places, &square, 1);
        const double variance = square / (double)n_finite;
        if (variance > least_variance) keep_metric(posterior, &places, sqrt(variance));
    }
    posterior->n_loaded++;
}

nas_status_t nas_posterior_load(nas_posterior_t *posterior, double *value, nas_error_t *err)
{
    const nas_status_t status = nas_normalise_rank(posterior->group, value, posterior->n_rows,
                                                   posterior->options.interrupt, err);
    if (status == NAS_OK) nas_posterior_load_ranks(posterior, value);
    return status;
}

/* Tiles of n_old columns of `size` bytes become tiles of the n_new columns that are listed. */
static void pack_tiles(void *tiles, int64_t n_tile, int64_t n_old, int64_t n_new, const int *column,
                       size_t size)
{
    char *to = tiles;
    for (int64_t t = 0; t < n_tile; t++) {
        const char *tile = (const char *)tiles + (size_t)(t * n_old) * size;
        for (int64_t i = 0; i < n_new; i++, to += size)
            memmove(to, tile + (size_t)(column ? column[i] : i) * size, size);
    }
}

static void add_mean_squares(const void *of, double *sum)
{
    const nas_posterior_t *posterior = of;
    const int64_t n_metric = posterior->view.n_metric;
    for (int64_t row = 0; row < posterior->n_rows; row++) {
        double of_row = 0;
        for (int64_t m = 0; m < n_metric; m++)
            of_row += (double)posterior->feature[nas_score_at(row, m, n_metric)];
        of_row /= (double)n_metric;
        *sum += of_row * of_row;
    }
}

static void settle_metrics(nas_posterior_t *posterior)
{
    nas_posterior_view_t *view = &posterior->view;
    const double n_metric = (double)view->n_metric;
    double sum = 0;
    if (view->n_metric == 0) return;
    pack_tiles(posterior->feature, nas_score_tiles(posterior->n_rows), posterior->options.n_metric,
               view->n_metric, NULL, NAS_SCORE_TILE * sizeof(float));
    nas_posterior_sum(posterior->group, add_mean_squares, posterior, &sum, 1);
    const double rms = sqrt(sum / (double)posterior->options.n_arch);
    view->to_mean = rms > 0 ? 1.0 / (n_metric * rms) : 0.0;
    view->matern = 1.0;
    view->matern_scale = 5.0 / n_metric;
    view->linear = 0.1 / n_metric;
}

/* ----------------------------------------------------------------------------- positions */

void nas_posterior_load_codes(nas_posterior_t *posterior, int64_t first, int64_t n,
                              const uint8_t *code)
{
    const int n_position = posterior->options.n_position;
    NAS_ASSERT(!posterior->is_settled && first >= 0 && first + n <= posterior->n_rows);
    for (int64_t i = 0; i < n; i++)
        for (int p = 0; p < n_position; p++)
            posterior->code[nas_score_at(first + i, p, n_position)] = code[i * n_position + p];
}

/* The lowest and the highest code of every position in the pool. */
static void range_of_codes(nas_posterior_t *posterior, double *low, double *high)
{
    const int n_position = posterior->options.n_position;
    for (int p = 0; p < n_position; p++) {
        low[p] = INFINITY;
        high[p] = -INFINITY;
        for (int64_t row = 0; row < posterior->n_rows; row++) {
            const double code = posterior->code[nas_score_at(row, p, n_position)];
            if (code < low[p]) low[p] = code;
            if (code > high[p]) high[p] = code;
        }
    }
    nas_comm_min(posterior->group, low, n_position);
    nas_comm_max(posterior->group, high, n_position);
}

static void settle_positions(nas_posterior_t *posterior)
{
    const int n_position = posterior->options.n_position;
    double low[NAS_POSTERIOR_MAX_POSITIONS], high[NAS_POSTERIOR_MAX_POSITIONS];
    int compared[NAS_POSTERIOR_MAX_POSITIONS], n = 0;
    if (n_position == 0) return;
    range_of_codes(posterior, low, high);
    for (int p = 0; p < n_position; p++)
        if (low[p] < high[p]) compared[n++] = p;
    pack_tiles(posterior->code, nas_score_tiles(posterior->n_rows), n_position, n, compared,
               NAS_SCORE_TILE);
    posterior->view.n_position = n;
}

/* 1 + 0.25 exp(-h / (0.5 P)) + 0.1 (1 - h / P) for every h. */
static void fill_choice(nas_posterior_t *posterior)
{
    const int n = posterior->view.n_position;
    posterior->choice[0] = 1.0;
    for (int h = 0; n > 0 && h <= n; h++) {
        const double share = (double)h / n;
        posterior->choice[h] = 1.0 + (0.25 * nas_exp(-2.0 * share) + 0.1 * (1.0 - share));
    }
}

void nas_posterior_settle(nas_posterior_t *posterior)
{
    NAS_ASSERT(!posterior->is_settled && posterior->n_loaded == posterior->options.n_metric);
    settle_metrics(posterior);
    settle_positions(posterior);
    fill_choice(posterior);
    posterior->is_settled = true;
}
