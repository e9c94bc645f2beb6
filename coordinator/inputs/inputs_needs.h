/* What keeping a job's inputs will take: an estimate, before anything runs. */
#ifndef NAS_COORDINATOR_INPUTS_INPUTS_NEEDS_H
#define NAS_COORDINATOR_INPUTS_INPUTS_NEEDS_H

#include "coordinator/inputs/inputs.h"

/** An estimate. */
typedef struct nas_inputs_needs {
    int n_keepers; /**< ranks that share the rows of the pool's table; 1: rank 0 keeps what there is */
    double n_bytes; /**< on each of them, of columns and names, and of what is scored */
} nas_inputs_needs_t;

/** Estimate, for n_ranks.  Not collective; after nas_inputs_read_files. */
nas_inputs_needs_t nas_inputs_needs(const nas_inputs_t *inputs, int n_ranks);

#endif
