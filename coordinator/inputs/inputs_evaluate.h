/* What evaluations take, besides images: the objective's table. */
#ifndef NAS_COORDINATOR_INPUTS_INPUTS_EVALUATE_H
#define NAS_COORDINATOR_INPUTS_INPUTS_EVALUATE_H

#include "common/base/digest.h"
#include "common/job/job.h"
#include "worker/objectives/objectives.h"
#include "worker/objectives/table/objective_table.h"

#include <stdint.h>

/** All owned; end with nas_evaluate_inputs_fini. */
typedef struct nas_evaluate_inputs {
    int64_t *row; /**< the objective's table's row of each architecture; NULL: its own */
    nas_objective_t *objective; /**< of a table; NULL: candidates are evaluated by work */
    nas_digest_t content;       /**< of the objective's table or images */
} nas_evaluate_inputs_t;

/** Free everything and zero the struct. */
void nas_evaluate_inputs_fini(nas_evaluate_inputs_t *evaluate);

#endif
