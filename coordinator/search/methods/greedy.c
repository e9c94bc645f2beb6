#include "coordinator/search/methods/greedy.h"

#include <stdlib.h>
#include <string.h>

nas_status_t nas_greedy_init(nas_greedy_t *greedy, const nas_method_setup_t *setup,
                             nas_error_t *err)
{
    int64_t *frontier = malloc((size_t)setup->budget * sizeof *frontier);
    if (!frontier) return nas_error_nomem(err, "the frontier of the greedy search");
    *greedy = (nas_greedy_t){.frontier = frontier,
                             .budget = setup->budget,
                             .parallel = setup->parallel,
                             .n_metric = setup->n_metric};
    return NAS_OK;
}

void nas_greedy_fini(nas_greedy_t *greedy)
{
    free(greedy->frontier);
    *greedy = (nas_greedy_t){0};
}

void nas_greedy_ask(const nas_greedy_t *greedy, const nas_visited_t *visited, const double *weights,
                    nas_query_t *query)
{
    const bool spent = visited->n == greedy->budget;
    *query = (nas_query_t){.kind = spent ? NAS_QUERY_DONE : NAS_QUERY_NONE};
    if (greedy->known) return;
    *query = (nas_query_t){
        .kind = NAS_QUERY_TOP, .n_weights = 1, .k = greedy->budget, .weights = weights};
}

void nas_greedy_propose(nas_greedy_t *greedy, const nas_visited_t *visited, const double *weights,
                        const int64_t *answer, nas_proposals_t *proposals)
{
    const size_t weights_size = (size_t)greedy->n_metric * sizeof *weights;
    proposals->n = 0;
    proposals->n_frontier = 0;
    if (!greedy->known) {
        memcpy(greedy->frontier, answer, (size_t)greedy->budget * sizeof *answer);
        memcpy(proposals->frontier, answer, (size_t)greedy->budget * sizeof *answer);
        memcpy(proposals->best_weights, weights, weights_size);
        proposals->n_frontier = greedy->budget;
        proposals->has_learned = true;
        greedy->known = true;
    }
    const int64_t left = greedy->budget - visited->n;
    const int64_t n = left < greedy->parallel ? left : greedy->parallel;
    while (n > 0 && nas_visited_has(visited, greedy->frontier[greedy->n_passed]))
        greedy->n_passed++;
    for (int64_t i = greedy->n_passed; proposals->n < n; i++) {
        NAS_ASSERT(i < greedy->budget); /* of the T best at most T - left are visited */
        if (nas_visited_has(visited, greedy->frontier[i])) continue;
        proposals->phase[proposals->n] = NAS_PHASE_EXPLOIT;
        proposals->arch[proposals->n] = greedy->frontier[i];
        memcpy(proposals->weights + proposals->n * greedy->n_metric, weights, weights_size);
        proposals->n++;
    }
}
