/* The inputs of a run, read and checked against each other: job, method, pool, metrics, objective. */
#ifndef NAS_COORDINATOR_INPUTS_INPUTS_H
#define NAS_COORDINATOR_INPUTS_INPUTS_H

#include "common/base/digest.h"
#include "common/base/error.h"
#include "common/base/interrupt.h"
#include "common/io/table.h"
#include "common/job/job.h"
#include "common/space/encoding.h"
#include "common/space/pool.h"
#include "common/state/state.h"
#include "coordinator/evaluate/evaluator_plan.h"
#include "coordinator/inputs/plan.h"
#include "coordinator/score/scoring_plan.h"
#include "worker/data/batch.h"
#include "worker/data/dataset.h"
#include "worker/objectives/objectives.h"
#include "worker/objectives/table/objective_table.h"
#include "worker/ranking/normalise.h"

#include <stddef.h>

enum { NAS_INPUTS_MAX_DIGESTS = 5 };

/** What is known of the images that were read, kept where they are not. Zero where none were. */
typedef struct nas_image_facts {
    int64_t n_train;
    int64_t n_test;
    nas_class_use_t train;
    nas_class_use_t test;
} nas_image_facts_t;

/** All owned; end with nas_inputs_fini. What a job does not need is NULL or empty. */
typedef struct nas_inputs {
    nas_job_t *job;
    const nas_interrupt_t *interrupt; /**< borrowed; asked while files are read; may be NULL */
    const nas_method_t *method;       /**< static; NULL when the job is read to score */
    nas_table_t *table;               /**< of the pool, or else of the objective */
    nas_pool_t pool;
    int64_t *row;               /**< the table's row of each architecture; NULL: its own */
    nas_objective_t *objective; /**< of a table */
    nas_encoding_t *encoding;   /**< NULL unless the method needs one */
    nas_state_t scored;         /**< source scores: the run that made them */
    nas_error_t scored_notice;  /**< "", or why its previous file was read */
    int64_t *scored_row;        /**< its row of each architecture, -1: none */
    nas_dataset_t dataset;      /**< objective train: all images */
    nas_batch_t batch;          /**< source compute: the mini-batch */
    int n_classes;              /**< of the images that were read */
    nas_image_facts_t image_facts;
    nas_strings_t class_names;    /**< of the images that were read; n is 0 where they have none */
    nas_plan_t plan;              /**< n_groups is 1 until nas_plan_groups is asked */
    nas_scoring_plan_t scoring;   /**< source compute */
    nas_evaluator_plan_t judging; /**< its run is set by the session */
    nas_digest_t objective_content;               /**< of the objective's table or images */
    nas_digest_t subset;                          /**< of a listed subset */
    nas_digest_t content[NAS_INPUTS_MAX_DIGESTS]; /**< of all files that count */
    size_t n_content;
    nas_digest_t batch_content;       /**< source compute: of the mini-batch */
    nas_digest_t score_hash;          /**< source compute: identity of the scores */
    nas_metric_facts_t *metric_facts; /**< [metrics.names.n]; NULL while values are not known */
} nas_inputs_t;

/** Read the job file alone, with its overrides, and find its method.  Coordinator only.
 *  inputs [out]: job and method; zero-initialised before. Errors as nas_job_read, and an unknown
 *  method, metric or one whose keys are missing. */
nas_status_t nas_inputs_read_job(nas_inputs_t *inputs, const nas_job_source_t *source,
                                 nas_error_t *err);

/** Read what the job names and check it.  Coordinator only; after nas_inputs_read_job.
 *  NAS_ESTOP: inputs->interrupt said so.
 *  NAS_EINPUT, one line: errors of the files; a metric, also after its transform, or the objective
 *  without any value; a budget beyond the pool; architecture strings that encoding or space do not
 *  know; a backend that this program was built without. */
nas_status_t nas_inputs_read_files(nas_inputs_t *inputs, nas_error_t *err);

/** Refuse an output that is one of the job's inputs.  path: of the job file.  Not collective.
 *  NAS_EINPUT. */
nas_status_t nas_inputs_check_output(const nas_job_t *job, const char *path, nas_error_t *err);

/** What a job looks like before its files are read: a digest of the keys that affect values and of
 *  sizes and times of all files that it names. Equal ones: the files hold what they held.
 *  Coordinator only; after nas_inputs_read_job.
 *  seen [out] all 0 where it cannot be known, since a file is missing or a folder of images named.
 *  NAS_ENOMEM. */
nas_status_t nas_inputs_seen(const nas_inputs_t *inputs, nas_digest_t *seen, nas_error_t *err);

/** The recipe that a job's objective.* give. */
nas_recipe_t nas_job_recipe(const nas_job_t *job);

/** Work out plan, scoring and judging from what was read; nas_inputs_read_files does. */
void nas_inputs_plan(nas_inputs_t *inputs);

/** Values of metric `metric` (its place in metrics.names) for the whole pool.  Coordinator only.
 *  scores: of this run, for source compute; column [out] plan.n_arch, NaN where missing. */
void nas_inputs_metric(const nas_inputs_t *inputs, const nas_scores_t *scores, int64_t metric,
                       double *column);

/** Free everything and zero the struct. */
void nas_inputs_fini(nas_inputs_t *inputs);

#endif
