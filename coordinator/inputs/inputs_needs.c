#include "coordinator/inputs/inputs_needs.h"

#include "common/io/file.h"

/* Rank 0 alone keeps what is no table's. */
static int count_keepers(const nas_inputs_t *inputs, int n_ranks)
{
    nas_file_stamp_t stamp = {0};
    const char *table = inputs->job->pool.table;
    if (!table || !nas_file_stamp(table, &stamp)) return 1;
    return nas_shared_table_readers(stamp.size, NAS_SHARED_TABLE_LEAST, n_ranks);
}

nas_inputs_needs_t nas_inputs_needs(const nas_inputs_t *inputs, int n_ranks)
{
    const nas_job_t *job = inputs->job;
    const double n_arch = (double)nas_pool_count(&inputs->pool);
    const double n_values = n_arch * (double)job->metrics.names.n;
    const double n_bytes =
        n_arch * (8.0 * (2.0 + (double)job->objective.report.n) + 64.0) + 8.0 * n_values;
    const int n_keepers = count_keepers(inputs, n_ranks);
    return (nas_inputs_needs_t){.n_keepers = n_keepers, .n_bytes = n_bytes / n_keepers};
}
