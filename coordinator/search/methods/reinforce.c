/* REINFORCE: architectures sampled from a policy that is trained by their targets (policy.h).
 *
 * Williams, Simple Statistical Gradient-Following Algorithms for Connectionist Reinforcement
 * Learning, 1992.
 *
 * Every sample is an observation and updates the policy. One that was evaluated before costs
 * nothing, so there are more observations than evaluations; one that the pool does not have is
 * drawn again. A step takes up to q samples of one policy, fewer where the budget ends among them,
 * and learns from them in order.
 *
 * A policy may settle on architectures known already, or on few that the pool has. After
 * STALE_LIMIT observations in a row without a new architecture, or as many draws for one sample
 * that the pool does not have, an architecture drawn uniformly among those not evaluated takes the
 * sample's place, so the search ends.
 *
 * The reward of a failed architecture is the lowest target so far, 0 where none succeeded yet.
 */
#include "common/base/visited.h"
#include "coordinator/search/methods/method.h"
#include "coordinator/search/methods/policy.h"

#include <stdlib.h>

enum { STALE_LIMIT = 1000 };

typedef struct reinforce {
    nas_method_setup_t setup;
    nas_policy_t policy;
    nas_visited_t visited; /* told */
    nas_visited_t sampled; /* and those that are told next */
    int64_t n_stale;       /* observations since the last new architecture */
    double lowest;         /* target of those that succeeded */
    bool any_target;
} reinforce_t;

/* Stream number 0 is the policy's start, number i + 1 sample i. */
static nas_rng_t rng_of(const reinforce_t *reinforce, int64_t number)
{
    nas_rng_t rng;
    nas_rng_init(&rng, reinforce->setup.seed, NAS_STREAM_REINFORCE, (uint64_t)number);
    return rng;
}

static void destroy(void *self)
{
    reinforce_t *reinforce = self;
    if (!reinforce) return;
    nas_visited_fini(&reinforce->sampled);
    nas_visited_fini(&reinforce->visited);
    free(reinforce);
}

static nas_status_t create(const nas_method_setup_t *setup, void **self_p, nas_error_t *err)
{
    NAS_ASSERT(setup->encoding && nas_encoding_count(setup->encoding) == setup->n_arch);
    reinforce_t *reinforce = calloc(1, sizeof *reinforce);
    if (!reinforce) return nas_error_nomem(err, "reinforce");
    reinforce->setup = *setup;
    nas_rng_t rng = rng_of(reinforce, 0);
    nas_policy_init(&reinforce->policy, setup->encoding, &rng);
    nas_status_t status = nas_visited_init(&reinforce->visited, setup->n_arch, setup->budget, err);
    if (status) goto out;
    status = nas_visited_init(&reinforce->sampled, setup->n_arch, setup->budget, err);
    if (status) goto out;
    *self_p = reinforce;
    reinforce = NULL;
out:
    destroy(reinforce);
    return status;
}

static nas_status_t ask(void *self, nas_query_t *query, nas_error_t *err)
{
    (void)err;
    const reinforce_t *reinforce = self;
    const bool done = reinforce->visited.n == reinforce->setup.budget;
    *query = (nas_query_t){.kind = done ? NAS_QUERY_DONE : NAS_QUERY_NONE};
    return NAS_OK;
}

/* Sample number i, after n_stale that brought nothing new. */
static int64_t sample(const reinforce_t *reinforce, int64_t i, int64_t n_stale)
{
    nas_rng_t rng = rng_of(reinforce, i + 1);
    const int n_draw = n_stale < STALE_LIMIT ? STALE_LIMIT : 0;
    for (int draw = 0; draw < n_draw; draw++) {
        uint8_t code[NAS_ENCODING_MAX_POSITIONS];
        nas_policy_sample(&reinforce->policy, &rng, code);
        const int64_t arch = nas_encoding_find(reinforce->setup.encoding, code);
        if (arch >= 0) return arch;
    }
    return nas_visited_draw(&reinforce->sampled, &rng);
}

static nas_status_t propose(void *self, const int64_t *answer, nas_proposals_t *proposals,
                            nas_error_t *err)
{
    (void)answer;
    reinforce_t *reinforce = self;
    nas_visited_t *sampled = &reinforce->sampled;
    int64_t n_stale = reinforce->n_stale;
    proposals->n = 0;
    proposals->n_frontier = 0;
    while (proposals->n < reinforce->setup.parallel && sampled->n < reinforce->setup.budget) {
        const int64_t i = reinforce->policy.n_update + proposals->n;
        const nas_status_t status = nas_interrupt_check(reinforce->setup.interrupt, 0.0, err);
        if (status) return status;
        const int64_t arch = sample(reinforce, i, n_stale);
        n_stale = nas_visited_add(sampled, arch) ? 0 : n_stale + 1;
        proposals->phase[proposals->n] = NAS_PHASE_EXPLORE;
        proposals->arch[proposals->n++] = arch;
    }
    return NAS_OK;
}

static double reward_of(reinforce_t *reinforce, const nas_result_t *result)
{
    if (result->failed) return reinforce->lowest;
    if (!reinforce->any_target || result->target < reinforce->lowest)
        reinforce->lowest = result->target;
    reinforce->any_target = true;
    return result->target;
}

static nas_status_t tell(void *self, const nas_result_t *result, int64_t n, nas_error_t *err)
{
    reinforce_t *reinforce = self;
    for (int64_t i = 0; i < n; i++) {
        const nas_status_t status = nas_interrupt_check(reinforce->setup.interrupt, 0.0, err);
        if (status) return status;
        const bool fresh = nas_visited_add(&reinforce->visited, result[i].arch);
        (void)nas_visited_add(&reinforce->sampled, result[i].arch);
        reinforce->n_stale = fresh ? 0 : reinforce->n_stale + 1;
        nas_policy_update(&reinforce->policy,
                          nas_encoding_at(reinforce->setup.encoding, result[i].arch),
                          reward_of(reinforce, &result[i]));
    }
    return NAS_OK;
}

/* A sample and its update, and entries of what is visited and sampled. */
static nas_method_need_t need(const nas_method_setup_t *setup)
{
    const double n = (double)setup->budget;
    return (nas_method_need_t){.n_bytes = 40.0 * n, .seconds = 1e-5 * n};
}

const nas_method_t nas_method_reinforce = {
    .name = "reinforce",
    .summary = "REINFORCE: samples of a policy trained by their targets",
    .needs_encoding = true,
    .need = need,
    .create = create,
    .destroy = destroy,
    .ask = ask,
    .propose = propose,
    .tell = tell,
};
