#include "coordinator/search/made.h"

#include <stdlib.h>
#include <string.h>

static int compare_key(const nas_evaluation_t *a, const nas_evaluation_t *b)
{
    const int order = strcmp(a->name, b->name);
    if (order) return order;
    return a->seed < b->seed ? -1 : a->seed > b->seed;
}

static int compare_made(const void *a, const void *b)
{
    return compare_key(*(const nas_evaluation_t *const *)a, *(const nas_evaluation_t *const *)b);
}

nas_status_t nas_made_init(nas_made_t *made, const nas_state_t *state, bool evaluations,
                           nas_error_t *err)
{
    int64_t n = 0;
    for (int64_t r = 0; r < state->n_repeat; r++)
        n += state->repeat[r].n_known + (evaluations ? state->repeat[r].n_evaluation : 0);
    made->at = calloc((size_t)n + 1, sizeof *made->at);
    if (!made->at) return nas_error_nomem(err, "evaluations made before");
    for (int64_t r = 0; r < state->n_repeat; r++) {
        const nas_repeat_t *repeat = &state->repeat[r];
        for (int64_t i = 0; i < repeat->n_known; i++) made->at[made->n++] = &repeat->known[i];
        for (int64_t i = 0; evaluations && i < repeat->n_evaluation; i++)
            if (repeat->evaluation[i].status != NAS_EVAL_FAILED)
                made->at[made->n++] = &repeat->evaluation[i];
    }
    qsort(made->at, (size_t)made->n, sizeof *made->at, compare_made);
    return NAS_OK;
}

const nas_evaluation_t *nas_made_find(const nas_made_t *made, const char *name, uint64_t seed)
{
    const nas_evaluation_t wanted = {.name = (char *)(uintptr_t)name, .seed = seed};
    const nas_evaluation_t *key = &wanted;
    if (made->n == 0) return NULL;
    const nas_evaluation_t **found =
        bsearch(&key, made->at, (size_t)made->n, sizeof *made->at, compare_made);
    return found ? *found : NULL;
}

void nas_made_fini(nas_made_t *made)
{
    free(made->at);
    *made = (nas_made_t){0};
}
