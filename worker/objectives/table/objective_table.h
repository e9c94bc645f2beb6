/* The objective of a benchmark study: a column of a table, with its costs, report columns and the
 * truth about ranks. */
#ifndef NAS_WORKER_OBJECTIVES_TABLE_OBJECTIVE_TABLE_H
#define NAS_WORKER_OBJECTIVES_TABLE_OBJECTIVE_TABLE_H

#include "common/base/error.h"
#include "common/base/names.h"
#include "common/job/job.h"
#include "common/state/state.h"
#include "worker/tables/shared_table.h"

#include <stdint.h>

/** Opaque. */
typedef struct nas_objective nas_objective_t;

/** What an objective is made of; borrowed and kept. */
typedef struct nas_objective_options {
    const nas_job_t *job;
    const nas_shared_table_t *table; /**< has the job's objective, cost and report columns, and is
                                          ranked by the objective, the T best being the job's budget */
    const nas_names_t *names;        /**< of the pool's architectures; NULL: the table's */
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
 *  evaluation [out]: arch, name (borrowed from the pool or the table), value, cost, columns (borrowed
 *  from the objective, valid until the next call), pool_rank and status; NAS_EVAL_MISSING where the
 *  table has no objective. */
void nas_objective_evaluate(nas_objective_t *objective, int64_t arch, nas_evaluation_t *evaluation);

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
