/* Regularised evolution over a pool, as RoBoT's authors run it: the best of the population dies and
 * leaves a child.
 *
 * After Real et al., Regularized Evolution for Image Classifier Architecture Search, AAAI 2019.
 *
 * The population starts with max(1, T/3) distinct uniform draws. Then its best (the earliest on a
 * tie, failed ones last) is removed and mutated: one position takes another choice, such that the
 * result is a member of the pool not evaluated before. The child is evaluated and enters the
 * population. Position and then choice are uniform among those that fit. A parent without such a
 * child stays out for good, since what was evaluated remains so, and the next best is tried; where
 * nobody is left, a uniform draw is the child.
 *
 * A step removes and mutates up to q parents. A step is bred before it is proposed, and what is
 * told is matched against it, step by step: told everything at once, the method breeds the same
 * steps again. Child number i, counting from the first draw, is keyed by i. What is bred counts as
 * visited.
 */
#include "common/base/visited.h"
#include "coordinator/search/methods/choices.h"
#include "coordinator/search/methods/method.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

typedef struct member {
    int64_t arch;
    int64_t entry; /* number in the order of entry */
    double target;
    bool failed;
} member_t;

typedef struct rea {
    nas_method_setup_t setup;
    nas_choices_t choices;
    nas_visited_t visited;
    member_t *population; /* [T] a binary heap, the best on top */
    int64_t n_population;
    int64_t n_entered; /* ever */
    int64_t *bred;     /* [q] the step in flight */
    int64_t n_bred;
    int64_t n_told; /* of it */
} rea_t;

static void destroy(void *self)
{
    rea_t *rea = self;
    if (!rea) return;
    free(rea->bred);
    free(rea->population);
    nas_visited_fini(&rea->visited);
    free(rea);
}

static nas_status_t create(const nas_method_setup_t *setup, void **self_p, nas_error_t *err)
{
    NAS_ASSERT(setup->encoding && nas_encoding_count(setup->encoding) == setup->n_arch);
    rea_t *rea = calloc(1, sizeof *rea);
    if (!rea) return nas_error_nomem(err, "rea");
    rea->setup = *setup;
    nas_choices_collect(&rea->choices, setup->encoding);
    nas_status_t status = nas_visited_init(&rea->visited, setup->n_arch, setup->budget, err);
    if (status) goto out;
    rea->population = malloc((size_t)setup->budget * sizeof *rea->population);
    rea->bred = malloc((size_t)setup->parallel * sizeof *rea->bred);
    if (!rea->population || !rea->bred) {
        status = nas_error_nomem(err, "the population of rea");
        goto out;
    }
    *self_p = rea;
    rea = NULL;
out:
    destroy(rea);
    return status;
}

static bool better(const member_t *a, const member_t *b)
{
    if (a->failed != b->failed) return b->failed;
    if (!a->failed && a->target != b->target) return a->target > b->target;
    return a->entry < b->entry;
}

static void enter(rea_t *rea, member_t member)
{
    member_t *heap = rea->population;
    int64_t at = rea->n_population++;
    member.entry = rea->n_entered++;
    for (; at > 0 && better(&member, &heap[(at - 1) / 2]); at = (at - 1) / 2)
        heap[at] = heap[(at - 1) / 2];
    heap[at] = member;
}

static int64_t remove_best(rea_t *rea)
{
    member_t *heap = rea->population;
    const int64_t arch = heap[0].arch, n = --rea->n_population;
    const member_t last = heap[n];
    int64_t at = 0;
    for (int64_t child = 1; child < n; child = 2 * at + 1) {
        if (child + 1 < n && better(&heap[child + 1], &heap[child])) child++;
        if (!better(&heap[child], &last)) break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = last;
    return arch;
}

/* A child of parent, or -1 where no neighbour fits. One pass keeps each neighbour with the
 * probability of its weight among those so far; a neighbour weighs one part in the number of other
 * choices at its position. */
static int64_t mutate(const rea_t *rea, int64_t parent, nas_rng_t *rng)
{
    const nas_encoding_t *encoding = rea->setup.encoding;
    const nas_choices_t *choices = &rea->choices;
    const uint8_t *old = nas_encoding_at(encoding, parent);
    uint8_t code[NAS_ENCODING_MAX_POSITIONS];
    memcpy(code, old, (size_t)choices->n_position);
    int64_t child = -1;
    double total = 0.0;
    for (int p = 0; p < choices->n_position; p++) {
        const double n_other = choices->first[p + 1] - choices->first[p] - 1;
        for (int i = choices->first[p]; i < choices->first[p + 1]; i++) {
            code[p] = choices->code[i];
            const int64_t neighbour = nas_encoding_find(encoding, code);
            if (neighbour < 0 || nas_visited_has(&rea->visited, neighbour)) continue;
            total += 1.0 / n_other;
            if (nas_rng_uniform(rng) * total < 1.0 / n_other) child = neighbour;
        }
        code[p] = old[p];
    }
    return child;
}

static nas_rng_t rng_of_next(const rea_t *rea)
{
    nas_rng_t rng;
    nas_rng_init(&rng, rea->setup.seed, NAS_STREAM_REA, (uint64_t)rea->visited.n);
    return rng;
}

static int64_t draw(const rea_t *rea)
{
    nas_rng_t rng = rng_of_next(rea);
    return nas_visited_draw(&rea->visited, &rng);
}

/* A child of the best parent that has one, or -1. */
static int64_t breed(rea_t *rea)
{
    nas_rng_t rng = rng_of_next(rea);
    int64_t child = -1;
    while (child < 0 && rea->n_population > 0) child = mutate(rea, remove_best(rea), &rng);
    return child;
}

static void add_bred(rea_t *rea, int64_t arch)
{
    (void)nas_visited_add(&rea->visited, arch);
    rea->bred[rea->n_bred++] = arch;
}

static nas_status_t breed_step(rea_t *rea, nas_error_t *err)
{
    const int64_t third = rea->setup.budget / 3;
    const int64_t n_initial = third > 0 ? third : 1;
    const bool initial = rea->visited.n < n_initial;
    const int64_t left = (initial ? n_initial : rea->setup.budget) - rea->visited.n;
    const int64_t n = left < rea->setup.parallel ? left : rea->setup.parallel;
    rea->n_bred = rea->n_told = 0;
    while (rea->n_bred < n) {
        const nas_status_t status = nas_interrupt_check(rea->setup.interrupt, 0.0, err);
        if (status) return status;
        const int64_t arch = initial ? draw(rea) : breed(rea);
        if (arch < 0) break;
        add_bred(rea, arch);
    }
    if (rea->n_bred == 0) add_bred(rea, draw(rea));
    return NAS_OK;
}

static bool step_in_flight(const rea_t *rea)
{
    return rea->n_told < rea->n_bred;
}

static nas_status_t ask(void *self, nas_query_t *query, nas_error_t *err)
{
    (void)err;
    const rea_t *rea = self;
    const bool done = !step_in_flight(rea) && rea->visited.n == rea->setup.budget;
    *query = (nas_query_t){.kind = done ? NAS_QUERY_DONE : NAS_QUERY_NONE};
    return NAS_OK;
}

static nas_status_t propose(void *self, const int64_t *answer, nas_proposals_t *proposals,
                            nas_error_t *err)
{
    (void)answer;
    rea_t *rea = self;
    const nas_status_t status = step_in_flight(rea) ? NAS_OK : breed_step(rea, err);
    if (status) return status;
    proposals->n = rea->n_bred - rea->n_told;
    for (int64_t i = 0; i < proposals->n; i++) proposals->phase[i] = NAS_PHASE_EXPLORE;
    proposals->n_frontier = 0;
    memcpy(proposals->arch, rea->bred + rea->n_told,
           (size_t)proposals->n * sizeof *proposals->arch);
    return NAS_OK;
}

static nas_status_t tell(void *self, const nas_result_t *result, int64_t n, nas_error_t *err)
{
    rea_t *rea = self;
    for (int64_t i = 0; i < n; i++) {
        if (!step_in_flight(rea)) {
            if (rea->visited.n == rea->setup.budget)
                return nas_error_set(
                    err, NAS_EINPUT,
                    "rea: more observations are recorded than this search makes; the record is of another search");
            const nas_status_t status = breed_step(rea, err);
            if (status) return status;
        }
        const int64_t expected = rea->bred[rea->n_told++];
        if (result[i].arch != expected)
            return nas_error_set(err, NAS_EINPUT,
                                 "rea: a recorded observation is architecture %" PRId64
                                 " where this search chooses %" PRId64
                                 "; the record is of another search",
                                 result[i].arch, expected);
        enter(rea,
              (member_t){.arch = expected, .target = result[i].target, .failed = result[i].failed});
    }
    return NAS_OK;
}

/* A mutation, and a member of the population. */
static nas_method_need_t need(const nas_method_setup_t *setup)
{
    const double n = (double)setup->budget;
    return (nas_method_need_t){.n_bytes = 50.0 * n, .seconds = 1e-5 * n};
}

const nas_method_t nas_method_rea = {
    .name = "rea",
    .summary = "regularised evolution: mutations of the best",
    .needs_encoding = true,
    .need = need,
    .create = create,
    .destroy = destroy,
    .ask = ask,
    .propose = propose,
    .tell = tell,
};
