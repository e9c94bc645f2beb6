#include "coordinator/search/methods/visit.h"

nas_status_t nas_method_visit(const nas_method_setup_t *setup, nas_visited_t *visited,
                              const nas_result_t *result, int64_t n, nas_error_t *err)
{
    for (int64_t i = 0; i < n; i++) {
        const nas_status_t status = nas_interrupt_check(setup->interrupt, 0.0, err);
        if (status) return status;
        (void)nas_visited_add(visited, result[i].arch);
    }
    return NAS_OK;
}
