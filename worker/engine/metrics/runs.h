/* The runs that metrics are computed on: which there are, and of which images. */
#ifndef NAS_WORKER_ENGINE_METRICS_RUNS_H
#define NAS_WORKER_ENGINE_METRICS_RUNS_H

#include "worker/engine/metrics/metric.h"

#include <stdint.h>

enum { NAS_RUNS_MOST = 2 /**< of a kind */, NAS_RUNS_FEW_IMAGES = 16 };

/** The runs of a kind, all of one program. */
typedef struct nas_runs {
    nas_runs_kind_t kind;
    unsigned needs; /**< nas_need_t bits, of all metrics that are computed on them */
    int n;          /**< runs */
    int batch;      /**< images of each */
} nas_runs_t;

/** Which runs metrics take.  Not collective.
 *  batch: images that there are.
 *  runs [out] NAS_N_RUNS at most, in the order of their kinds. Returns their number; 0: none of the
 *  metrics needs anything computed. */
int nas_runs_list(const nas_metric_t *const *metric, int n_metric, int batch, nas_runs_t *runs);

/** What there is to make their images of. Borrowed. */
typedef struct nas_runs_source {
    const float *images;   /**< [N, image] */
    const int32_t *labels; /**< [N] */
    int batch;             /**< N */
    size_t image;          /**< numbers of an image */
    uint64_t seed;         /**< of noise */
} nas_runs_source_t;

/** Images and labels of the runs of a kind. */
typedef struct nas_runs_images {
    const float *images[NAS_RUNS_MOST];   /**< [batch of the runs, image] */
    const int32_t *labels[NAS_RUNS_MOST]; /**< [batch of the runs] */
    void *owned;                          /**< memory of those that are not the source's own */
} nas_runs_images_t;

/** Make them.  Not collective, deterministic.
 *  source: borrowed while *to is used; to [out], ended with nas_runs_images_fini.
 *  NAS_ENOMEM. */
nas_status_t nas_runs_images_init(const nas_runs_t *runs, const nas_runs_source_t *source,
                                  nas_runs_images_t *to, nas_error_t *err);

/** Of a zeroed one nothing. */
void nas_runs_images_fini(nas_runs_images_t *images);

/** Parameters as NAS_RUNS_CHANGE has them.  Not collective, deterministic. Weights that are all 0
 *  stay so. parameters [in, out] of the graph. */
void nas_runs_scale(const nas_graph_t *graph, double *parameters);

#endif
