/* The objective of a benchmark study: a column of a table, with its costs, report columns and the
 * truth about ranks. */
#ifndef NAS_WORKER_OBJECTIVES_TABLE_OBJECTIVE_TABLE_H
#define NAS_WORKER_OBJECTIVES_TABLE_OBJECTIVE_TABLE_H

#include "common/base/error.h"
#include "common/job/job.h"
#include "worker/candidates/candidate.h"
#include "worker/tables/shared_table.h"

#include <stdint.h>

/** The job's keys about it. */
extern const nas_job_section_t nas_objective_keys_table;

/** What a job's objective.* say about the table. */
typedef struct nas_table_keys {
    char *table; /**< of a space: path, resolved */
    char *arch;  /**< of a space: column of the architecture string */
    nas_strings_t missing;
    char *column;
    char *cost; /**< NULL: no cost column */
} nas_table_keys_t;

/** Those of a job; borrowed. */
const nas_table_keys_t *nas_job_table(const nas_job_t *job);

/** Opaque. */
typedef struct nas_objective nas_objective_t;

/** What an objective is made of; borrowed and kept. */
typedef struct nas_objective_options {
    const nas_job_t *job;
    const nas_shared_table_t *table; /**< has the job's objective, cost and report columns, and is
                                          ranked by the objective, the T best being the job's budget */
    int64_t n_arch;                  /**< of the pool */
    const int64_t *row; /**< the table's row of each architecture, -1: none; NULL: its own */
} nas_objective_options_t;

/** Coordinator only. NAS_ENOMEM. The caller owns *objective_p. */
nas_status_t nas_objective_create(const nas_objective_options_t *options,
                                  nas_objective_t **objective_p, nas_error_t *err);

/** The table's row of an architecture, which is to be fetched before the functions below know of
 *  it; -1: none, and nothing is to be fetched. */
int64_t nas_objective_row(const nas_objective_t *objective, int64_t arch);

/** Look up architecture `arch` of the pool, whose row was fetched.  Coordinator only.
 *  outcome [out]: its columns are borrowed from the objective, valid until the next call, so that
 *  it is not to be ended; NAS_EVAL_MISSING where the table has no objective. pool_rank [out] 0
 *  there. */
void nas_objective_look_up(nas_objective_t *objective, int64_t arch, nas_outcome_t *outcome,
                           int64_t *pool_rank);

/** Precision@T: of the n = T given architectures, the share whose pool_rank is at most T: one that
 *  ties with the T-th best counts, so that the order of the pool does not.  Coordinator only; their
 *  rows were fetched. He et al. 2024. */
double nas_objective_precision(const nas_objective_t *objective, const int64_t *arch, int64_t n);

/** Architectures of the pool that have an objective. */
int64_t nas_objective_present(const nas_objective_t *objective);

/** Mean cost over the pool where it is known, NaN without a cost column. Of a table that one rank
 *  holds alone. */
double nas_objective_mean_cost(const nas_objective_t *objective);

/** Accepts NULL. */
void nas_objective_destroy(nas_objective_t *objective);

#endif
