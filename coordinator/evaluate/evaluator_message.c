#include "coordinator/evaluate/evaluator_message.h"

#include <stdlib.h>
#include <string.h>

nas_status_t nas_candidates_pack(const nas_candidate_t *candidate, int64_t n, nas_buffer_t *buffer,
                                 nas_error_t *err)
{
    nas_status_t status = nas_buffer_put(buffer, &n, sizeof n, err);
    for (int64_t i = 0; i < n && !status; i++) {
        status = nas_buffer_put(buffer, &candidate[i], sizeof candidate[i], err);
        if (!status)
            status = nas_buffer_put(buffer, candidate[i].name, strlen(candidate[i].name) + 1, err);
    }
    return status;
}

nas_status_t nas_candidates_unpack(const char *data, nas_candidate_t **candidate_p, int64_t *n,
                                   nas_error_t *err)
{
    const int64_t count = *(const int64_t *)nas_buffer_take(&data, sizeof count);
    nas_candidate_t *candidate = malloc(((size_t)count + 1) * sizeof *candidate);
    if (!candidate) return nas_error_nomem(err, "candidates");
    for (int64_t i = 0; i < count; i++) {
        memcpy(&candidate[i], nas_buffer_take(&data, sizeof candidate[i]), sizeof candidate[i]);
        candidate[i].name = data;
        (void)nas_buffer_take(&data, strlen(data) + 1);
    }
    *candidate_p = candidate;
    *n = count;
    return NAS_OK;
}

/* What precedes an outcome's arrays. */
typedef struct header {
    int64_t index;
    int64_t has_curve;
    nas_outcome_t outcome; /* its pointers are of no use elsewhere */
} header_t;

static size_t columns_bytes(nas_outcome_size_t size)
{
    return (size_t)size.n_columns * sizeof(double);
}

static size_t curve_bytes(nas_outcome_size_t size)
{
    return (size_t)size.n_epochs * NAS_CURVE_COLUMNS * sizeof(double);
}

nas_status_t nas_outcome_pack(const nas_outcome_t *outcome, int64_t index, nas_outcome_size_t size,
                              nas_buffer_t *buffer, nas_error_t *err)
{
    const header_t header = {.index = index, .has_curve = outcome->curve != NULL, *outcome};
    nas_status_t status = nas_buffer_put(buffer, &header, sizeof header, err);
    if (!status) status = nas_buffer_put(buffer, outcome->columns, columns_bytes(size), err);
    if (!status && outcome->curve)
        status = nas_buffer_put(buffer, outcome->curve, curve_bytes(size), err);
    return status;
}

/* A copy of the next n_bytes, which are there in any case. */
static double *take_copy(const char **at, size_t n_bytes)
{
    const void *data = nas_buffer_take(at, n_bytes);
    double *copy = malloc(n_bytes + 1);
    if (copy && n_bytes > 0) memcpy(copy, data, n_bytes);
    return copy;
}

nas_status_t nas_outcome_unpack(const char **at, nas_outcome_size_t size, int64_t *index,
                                nas_outcome_t *outcome, nas_error_t *err)
{
    header_t header;
    memcpy(&header, nas_buffer_take(at, sizeof header), sizeof header);
    header.outcome.columns = take_copy(at, columns_bytes(size));
    header.outcome.curve = header.has_curve ? take_copy(at, curve_bytes(size)) : NULL;
    if (!header.outcome.columns || (header.has_curve && !header.outcome.curve)) {
        nas_outcome_fini(&header.outcome);
        return nas_error_nomem(err, "an outcome");
    }
    *index = header.index;
    *outcome = header.outcome;
    return NAS_OK;
}
