/* The objective of a benchmark study: a column of a table, with its costs, report columns and the
 * truth about ranks. */
#ifndef NAS_WORKER_OBJECTIVES_TABLE_OBJECTIVE_TABLE_H
#define NAS_WORKER_OBJECTIVES_TABLE_OBJECTIVE_TABLE_H

#include "common/base/error.h"
#include "common/base/interrupt.h"
#include "common/base/names.h"
#include "common/io/table.h"
#include "common/job/job.h"
#include "common/state/state.h"

#include <stdint.h>

/** Opaque. */
typedef struct nas_objective nas_objective_t;

/** What an objective is made of; borrowed and kept. */
typedef struct nas_objective_options {
    const nas_job_t *job;
    const nas_table_t *table; /**< has the job's objective, cost and report columns */
    const nas_names_t *names; /**< of the pool's architectures */
    const int64_t *row;       /**< the table's row of each architecture, -1: none; NULL: its own */
    const nas_interrupt_t *interrupt; /**< for the creation alone; may be NULL */
} nas_objective_options_t;

/** Rank the pool by the objective once.  Coordinator only; O(pool log pool).
 *  NAS_ESTOP: interrupted. NAS_ENOMEM. The caller owns *objective_p. */
nas_status_t nas_objective_create(const nas_objective_options_t *options,
                                  nas_objective_t **objective_p, nas_error_t *err);

/** Look up architecture `arch` of the pool.  Coordinator only.
 *  evaluation [out]: arch, name (borrowed from the pool), value, cost, columns (borrowed from the
 *  objective, valid until the next call), pool_rank and status; NAS_EVAL_MISSING where the table
 *  has no objective. */
void nas_objective_evaluate(nas_objective_t *objective, int64_t arch, nas_evaluation_t *evaluation);

/** Precision@T: of the n = T given architectures, the share whose pool_rank is at most T: one that
 *  ties with the T-th best counts, so that the order of the pool does not.  Coordinator only. He et
 *  al. 2024. */
double nas_objective_precision(const nas_objective_t *objective, const int64_t *arch, int64_t n);

/** Architectures of the pool that have an objective. */
int64_t nas_objective_present(const nas_objective_t *objective);

/** Mean cost over the pool where it is known, NaN without a cost column. */
double nas_objective_mean_cost(const nas_objective_t *objective);

/** Accepts NULL. */
void nas_objective_destroy(nas_objective_t *objective);

#endif
