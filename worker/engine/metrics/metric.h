/* Training-free metrics: each is one file and one line in the list of metrics.c.
 *
 * A metric says what it needs computed (nas_need_t), of which images (nas_runs_kind_t), and turns
 * what comes of it into a number. Metrics asked for together share their runs: those of one kind are
 * of one program, with all that its metrics need.
 */
#ifndef NAS_WORKER_ENGINE_METRICS_METRIC_H
#define NAS_WORKER_ENGINE_METRICS_METRIC_H

#include "common/job/section.h"
#include "worker/engine/graph/graph.h"
#include "worker/engine/program/program.h"

#include <stdbool.h>
#include <stdint.h>

/** What runs are of. */
typedef enum nas_runs_kind {
    NAS_RUNS_BATCH = 0, /**< one, of the batch */
    NAS_RUNS_FLOW,      /**< one, of an image of ones with absolute parameters: of NEED_FLOW */
    NAS_RUNS_FEW,       /**< one, of the first 16 images of the batch, or all where it has less */
    NAS_RUNS_HALVES, /**< two, each of half the batch: its images of even and of odd place, but for
                             the last one of an odd number; of a single image both have that */
    NAS_RUNS_NOISE,  /**< one, of as many images of noise, normal of variance 1, as the batch has */
    NAS_RUNS_CHANGE, /**< two, of that noise, and of it with 0.01 times other noise added; weights of
                             every layer are scaled to a root mean square of 1 */
    NAS_N_RUNS
} nas_runs_kind_t;

/** Everything that a metric may look at; borrowed for the call. */
typedef struct nas_metric_input {
    const nas_graph_t *graph;
    const double *parameters;        /**< [graph->n_values]; may be NULL where the metric does not
                                          read them */
    const nas_program_values_t *run; /**< of its kind of runs, one after the other; NULL where it
                                          needs nothing computed */
    int batch;                       /**< images of a run */
    bool is_portable;                /**< of an engine with `is_portable`: what is made of it here
                                          has the same bits on every machine, too (portable.h) */
} nas_metric_input_t;

/** One metric. */
typedef struct nas_metric {
    const char *name;
    const char *summary;   /**< one line */
    unsigned needs;        /**< nas_need_t bits */
    nas_runs_kind_t on;    /**< what that is needed of */
    bool reads_parameters; /**< of the input: an engine that draws them has none to show */
    /** The value. Not collective, deterministic. NaN where it is not defined. May allocate N x N
     *  numbers; NaN too where there is no memory for them. */
    double (*value)(const nas_metric_input_t *input);
} nas_metric_t;

/** The job's keys about metrics. */
extern const nas_job_section_t nas_metric_keys;
/** The most metrics that are computed at once. */
enum { NAS_METRICS_MAX = 32 };

/** The metric of this name, or NULL. */
const nas_metric_t *nas_metric_find(const char *name);

/** All metrics, in the order of the list;
 *  n [out]. */
const nas_metric_t *const *nas_metric_list(int *n);

#endif
