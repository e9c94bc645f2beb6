#include "coordinator/score/score_reuse.h"

#include <stdlib.h>
#include <string.h>

nas_status_t nas_score_measurement(const nas_score_parameters_t *parameters,
                                   const nas_digest_t *batch, const char *unit,
                                   nas_digest_t *measurement, nas_error_t *err)
{
    const nas_network_t *net = &parameters->network;
    const int64_t number[] = {parameters->backend, (int64_t)parameters->seed,
                              parameters->batch,   net->image_channels,
                              net->height,         net->width,
                              net->channels,       net->cells,
                              net->classes,        net->convention};
    nas_hasher_t *hasher = NULL;
    const nas_status_t status = nas_hasher_create(&hasher, err);
    if (status) return status;
    nas_hasher_update(hasher, number, sizeof number);
    nas_hasher_update(hasher, unit, strlen(unit) + 1);
    nas_hasher_update(hasher, batch, sizeof *batch);
    if (parameters->weights != NAS_WEIGHTS_BY_NAME) { /* which runs before had alone */
        nas_hasher_update(hasher, &parameters->weights, sizeof parameters->weights);
        nas_hasher_update(hasher, &parameters->files, sizeof parameters->files);
    }
    *measurement = nas_hasher_finish(hasher);
    nas_hasher_destroy(hasher);
    return NAS_OK;
}

static void place_metrics(nas_score_reuse_t *reuse, const nas_strings_t *metrics)
{
    for (size_t m = 0; m < metrics->n; m++) {
        reuse->place[m] = nas_strings_find(&reuse->old->metrics, metrics->at[m]);
        reuse->n_missing += reuse->place[m] < 0;
    }
}

nas_status_t nas_score_reuse_init(nas_score_reuse_t *reuse, const nas_state_t *old,
                                  const nas_state_t *state, const nas_name_source_t *names,
                                  nas_error_t *err)
{
    const int64_t n_arch = names->n;
    NAS_ASSERT(state->metrics.n <= NAS_METRICS_MAX);
    *reuse = (nas_score_reuse_t){.old = old, .row = malloc((size_t)n_arch * sizeof *reuse->row)};
    if (!reuse->row) return nas_error_nomem(err, "scores to take over");
    place_metrics(reuse, &state->metrics);
    nas_names_t *known = NULL;
    const nas_status_t status = nas_name_source_index(&old->scores.arch, &known, err);
    const bool any = reuse->n_missing < (int64_t)state->metrics.n;
    for (int64_t i = 0; !status && i < n_arch; i++) {
        const int64_t row = any ? nas_names_find(known, nas_name_source_at(names, i)) : -1;
        reuse->row[i] = row >= 0 && old->scores.status[row] == NAS_SCORE_OK ? row : -1;
    }
    nas_names_destroy(known);
    return status;
}

void nas_score_reuse_take(nas_score_reuse_t *reuse, nas_state_t *state)
{
    nas_scores_t *scores = &state->scores;
    const int64_t n_metric = (int64_t)state->metrics.n;
    for (int64_t i = 0; i < scores->n; i++) {
        if (reuse->row[i] < 0 || scores->status[i] != NAS_SCORE_PENDING) continue;
        if (reuse->n_missing > 0) {
            reuse->n_partly++;
            continue;
        }
        nas_score_reuse_fill(reuse, i, n_metric, scores->value + i * n_metric);
        nas_scores_set(scores, i, NAS_SCORE_OK, 0, 0);
        reuse->n_taken++;
    }
}

uint32_t nas_score_reuse_known(const nas_score_reuse_t *reuse, int64_t n_metric)
{
    uint32_t known = 0;
    if (!reuse->row) return known;
    for (int64_t m = 0; m < n_metric; m++)
        if (reuse->place[m] >= 0) known |= UINT32_C(1) << m;
    return known;
}

bool nas_score_reuse_is_partly(const nas_score_reuse_t *reuse, int64_t arch)
{
    return reuse->row && reuse->row[arch] >= 0;
}

void nas_score_reuse_fill(const nas_score_reuse_t *reuse, int64_t arch, int64_t n_metric,
                          double *value)
{
    const size_t n_old = reuse->old->metrics.n;
    const double *old = reuse->old->scores.value + (size_t)reuse->row[arch] * n_old;
    for (int64_t m = 0; m < n_metric; m++)
        if (reuse->place[m] >= 0) value[m] = old[reuse->place[m]];
}

void nas_score_reuse_fini(nas_score_reuse_t *reuse)
{
    free(reuse->row);
    *reuse = (nas_score_reuse_t){0};
}
