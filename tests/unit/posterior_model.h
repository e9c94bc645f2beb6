/* A posterior for tests of what asks it: the definitions of docs/methods.md written down plainly,
 * in double, in one process. It keeps a row a point, as the real one does (posterior.h). */
#ifndef NAS_TESTS_POSTERIOR_MODEL_H
#define NAS_TESTS_POSTERIOR_MODEL_H

#include "common/space/encoding.h"
#include "coordinator/search/methods/method.h"
#include "worker/ranking/posterior.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

enum { MODEL_COLUMNS = 8 }; /* of the score table, at most */

typedef struct posterior_model {
    int64_t n_arch;
    int n_metric;                   /**< all of them kept */
    int n_position;                 /**< all of them compared */
    const nas_encoding_t *encoding; /**< borrowed; NULL where n_position is 0 */
    double *x;                      /**< [n_arch x n_metric] */
    double *b;                      /**< [n_arch] */
    int64_t max_points;
    int64_t n_points;
    int64_t *arch;  /**< [max_points] */
    double *L;      /**< [max_points x max_points] */
    double *V;      /**< [max_points x n_arch] */
    double *answer; /**< [max_points + MODEL_COLUMNS] */
} posterior_model_t;

/** x of one metric: standardised average ranks. All values finite, not all equal. */
static inline void model_rank(const double *metric, int stride, int64_t n, double *x)
{
    double sum = 0.0, squares = 0.0;
    for (int64_t i = 0; i < n; i++) {
        double rank = 0.5;
        for (int64_t l = 0; l < n; l++) {
            const double difference = metric[i * stride] - metric[l * stride];
            rank += difference > 0 ? 1.0 : difference == 0 ? 0.5 : 0.0;
        }
        x[i * stride] = (rank - 0.5) / (double)n - 0.5;
        sum += x[i * stride];
    }
    const double mean = sum / (double)n;
    for (int64_t i = 0; i < n; i++) squares += pow(x[i * stride] - mean, 2.0);
    const double deviation = sqrt(squares / (double)n);
    for (int64_t i = 0; i < n; i++) x[i * stride] = (x[i * stride] - mean) / deviation;
}

static inline void model_settle(posterior_model_t *model)
{
    double squares = 0.0;
    for (int64_t i = 0; i < model->n_arch && model->n_metric > 0; i++) {
        for (int j = 0; j < model->n_metric; j++)
            model->b[i] += model->x[i * model->n_metric + j] / model->n_metric;
        squares += model->b[i] * model->b[i];
    }
    const double rms = sqrt(squares / (double)model->n_arch);
    for (int64_t i = 0; i < model->n_arch && rms > 0.0; i++) model->b[i] /= rms;
}

/** metric [in] n_arch x n_metric, n_metric 0 and more; encoding may be NULL. End with
 *  model_destroy. */
static inline posterior_model_t *model_create(const double *metric, int64_t n_arch, int n_metric,
                                              const nas_encoding_t *encoding, int64_t max_points)
{
    const size_t n = (size_t)n_arch, T = (size_t)max_points;
    posterior_model_t *model = calloc(1, sizeof *model);
    cr_assert_not_null(model);
    *model = (posterior_model_t){
        .n_arch = n_arch,
        .n_metric = n_metric,
        .n_position = encoding ? nas_encoding_positions(encoding) : 0,
        .encoding = encoding,
        .x = calloc(n * (size_t)n_metric + 1, sizeof(double)),
        .b = calloc(n, sizeof(double)),
        .max_points = max_points,
        .arch = calloc(T, sizeof(int64_t)),
        .L = calloc(T * T, sizeof(double)),
        .V = calloc(T * n, sizeof(double)),
        .answer = calloc(T + MODEL_COLUMNS, sizeof(double)),
    };
    cr_assert(model->x && model->b && model->arch && model->L && model->V && model->answer);
    for (int j = 0; j < n_metric; j++) model_rank(metric + j, n_metric, n_arch, model->x + j);
    model_settle(model);
    return model;
}

static inline void model_destroy(posterior_model_t *model)
{
    if (!model) return;
    free(model->x);
    free(model->b);
    free(model->arch);
    free(model->L);
    free(model->V);
    free(model->answer);
    free(model);
}

static inline double model_mean(const posterior_model_t *model, int64_t i)
{
    return 0.3 * model->b[i] - 0.1 * model->b[i] * model->b[i];
}

static inline double model_kernel(const posterior_model_t *model, int64_t i, int64_t l)
{
    const double M = model->n_metric, P = model->n_position;
    double k = 1.0, squares = 0.0, product = 0.0, h = 0.0;
    for (int j = 0; j < model->n_metric; j++) {
        const double a = model->x[i * model->n_metric + j], c = model->x[l * model->n_metric + j];
        squares += (a - c) * (a - c) / M;
        product += a * c / M;
    }
    const double u = sqrt(5.0 * squares);
    if (model->n_metric > 0) k += (1.0 + u + u * u / 3.0) * exp(-u) + 0.1 * product;
    if (model->n_position == 0) return k;
    const uint8_t *a = nas_encoding_at(model->encoding, i);
    const uint8_t *c = nas_encoding_at(model->encoding, l);
    for (int p = 0; p < model->n_position; p++) h += a[p] != c[p];
    return k + 0.25 * exp(-h / (0.5 * P)) + 0.1 * (1.0 - h / P);
}

static inline void model_append(posterior_model_t *model, int64_t arch,
                                nas_posterior_answer_t *answer)
{
    const int64_t n = model->n_points++, T = model->max_points;
    cr_assert_lt(n, T);
    double *row = model->L + n * T;
    double rest = model_kernel(model, arch, arch) + 0.1001;
    for (int64_t l = 0; l < n; l++) {
        row[l] = model->V[l * model->n_arch + arch];
        rest -= row[l] * row[l];
    }
    row[n] = sqrt(rest);
    for (int64_t i = 0; i < model->n_arch; i++) {
        double v = model_kernel(model, arch, i);
        for (int64_t l = 0; l < n; l++) v -= row[l] * model->V[l * model->n_arch + i];
        model->V[n * model->n_arch + i] = v / row[n];
    }
    model->arch[n] = arch;
    for (int64_t l = 0; l <= n; l++) model->answer[l] = row[l];
    *answer = (nas_posterior_answer_t){
        .arch = arch, .mean = model_mean(model, arch), .values = model->answer};
}

static inline double model_predict(const posterior_model_t *model, const double *z, int64_t i,
                                   double *std)
{
    double mean = model_mean(model, i), variance = model_kernel(model, i, i);
    for (int64_t l = 0; l < model->n_points; l++) {
        const double v = model->V[l * model->n_arch + i];
        mean += v * z[l];
        variance -= v * v;
    }
    *std = sqrt(fmax(variance, 1e-6));
    return mean;
}

static inline double model_improvement(double mean, double std, double incumbent)
{
    const double w = (mean - incumbent) / std;
    if (w <= -6.0) return -1e-9 * w * w * std;
    const double cdf = 0.5 * erfc(-w / sqrt(2.0));
    const double density = exp(-w * w / 2.0) / sqrt(2.0 * acos(-1.0));
    return std * (w * cdf + density);
}

static inline bool model_is_point(const posterior_model_t *model, int64_t arch)
{
    for (int64_t i = 0; i < model->n_points; i++)
        if (model->arch[i] == arch) return true;
    return false;
}

static inline void model_improve(const posterior_model_t *model, const nas_query_t *query,
                                 uint64_t seed, nas_posterior_answer_t *answer)
{
    double best = -INFINITY;
    *answer = (nas_posterior_answer_t){.arch = -1};
    for (int64_t i = 0; i < model->n_arch; i++) {
        if (model_is_point(model, i) || nas_posterior_hides(seed, query->hidden, i)) continue;
        double std;
        const double mean = model_predict(model, query->z, i, &std);
        const double value =
            model->n_points == 0 ? model->b[i] : model_improvement(mean, std, query->incumbent);
        if (value <= best) continue;
        best = value;
        answer->arch = i;
        answer->mean = mean;
    }
}

static inline double model_correlation(const posterior_model_t *model, const double *z, int j)
{
    double sum = 0.0, squares = 0.0, product = 0.0, std;
    const double n = (double)model->n_arch;
    for (int64_t i = 0; i < model->n_arch; i++) sum += model_predict(model, z, i, &std) / n;
    for (int64_t i = 0; i < model->n_arch; i++) {
        const double difference = model_predict(model, z, i, &std) - sum;
        squares += difference * difference / n;
        product += difference * model->x[i * model->n_metric + j] / n;
    }
    return product / sqrt(squares);
}

/** What a posterior answers. */
static inline void model_answer(posterior_model_t *model, const nas_query_t *query, uint64_t seed,
                                nas_posterior_answer_t *answer)
{
    cr_assert(query->n_points >= 0 && query->n_points <= model->n_points);
    model->n_points = query->n_points;
    if (query->kind == NAS_QUERY_APPEND) {
        cr_assert_not(model_is_point(model, query->arch));
        model_append(model, query->arch, answer);
    } else if (query->kind == NAS_QUERY_IMPROVE) {
        model_improve(model, query, seed, answer);
    } else {
        cr_assert_eq(query->kind, NAS_QUERY_LEARNED);
        *answer = (nas_posterior_answer_t){.arch = query->arch, .values = model->answer};
        answer->mean = model_predict(model, query->z, query->arch, &answer->std);
        for (int j = 0; j < MODEL_COLUMNS; j++)
            model->answer[j] = j < model->n_metric ? model_correlation(model, query->z, j) : 0.0;
    }
}

#endif
