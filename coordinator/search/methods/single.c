/* One metric alone: the T architectures with its highest values, the best first.
 *
 * The greedy phase of robot under the unit vector of search.metric, so what a study of RoBoT
 * compares it to.
 */
#include "common/base/visited.h"
#include "coordinator/search/methods/greedy.h"
#include "coordinator/search/methods/method.h"
#include "coordinator/search/methods/visit.h"

#include <stdlib.h>

typedef struct single {
    nas_method_setup_t setup;
    double *weights; /* [n_metric] */
    nas_visited_t visited;
    nas_greedy_t greedy;
} single_t;

static void destroy(void *self)
{
    single_t *single = self;
    if (!single) return;
    nas_greedy_fini(&single->greedy);
    nas_visited_fini(&single->visited);
    free(single->weights);
    free(single);
}

static nas_status_t create(const nas_method_setup_t *setup, void **self_p, nas_error_t *err)
{
    NAS_ASSERT(setup->metric >= 0 && setup->metric < setup->n_metric);
    nas_status_t status;
    single_t *single = calloc(1, sizeof *single);
    if (!single) return nas_error_nomem(err, "greedy search");
    single->setup = *setup;
    single->weights = calloc((size_t)setup->n_metric, sizeof *single->weights);
    if (!single->weights) {
        status = nas_error_nomem(err, "greedy search");
        goto out;
    }
    single->weights[setup->metric] = 1.0;
    status = nas_visited_init(&single->visited, setup->n_arch, setup->budget, err);
    if (status) goto out;
    status = nas_greedy_init(&single->greedy, setup, err);
    if (status) goto out;
    *self_p = single;
    single = NULL;
out:
    destroy(single);
    return status;
}

static nas_status_t ask(void *self, nas_query_t *query, nas_error_t *err)
{
    (void)err;
    const single_t *single = self;
    nas_greedy_ask(&single->greedy, &single->visited, single->weights, query);
    return NAS_OK;
}

static nas_status_t propose(void *self, const int64_t *answer, nas_proposals_t *proposals,
                            nas_error_t *err)
{
    (void)err;
    single_t *single = self;
    nas_greedy_propose(&single->greedy, &single->visited, single->weights, answer, proposals);
    return NAS_OK;
}

static nas_status_t tell(void *self, const nas_result_t *result, int64_t n, nas_error_t *err)
{
    single_t *single = self;
    return nas_method_visit(&single->setup, &single->visited, result, n, err);
}

/* An entry of the frontier, and one of what is visited. */
static nas_method_need_t need(const nas_method_setup_t *setup)
{
    const double n = (double)setup->budget;
    return (nas_method_need_t){.n_bytes = 30.0 * n, .seconds = 1e-6 * n};
}

const nas_method_t nas_method_single = {
    .name = "single",
    .summary = "the best architectures by one metric",
    .needs_metrics = true,
    .needs_metric = true,
    .need = need,
    .create = create,
    .destroy = destroy,
    .ask = ask,
    .propose = propose,
    .tell = tell,
};
