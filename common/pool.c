#include "common/pool.h"

#include <stdlib.h>
#include <string.h>

nas_pool_t nas_pool_of_table(const nas_table_t *table)
{
    return (nas_pool_t){.names = nas_table_names(table)};
}

nas_status_t nas_pool_of_space(const nas_space_t *space, const nas_subset_t *subset,
                               nas_pool_t *pool, nas_error_t *err)
{
    nas_selection_t selection = {0};
    const nas_status_t status = nas_subset_select(space, subset, &selection, err);
    if (status) return status;
    *pool = (nas_pool_t){.space = space, .names = selection.names, .selection = selection};
    return NAS_OK;
}

int64_t nas_pool_count(const nas_pool_t *pool)
{
    return nas_names_count(pool->names);
}

nas_status_t nas_pool_encode(const nas_pool_t *pool, nas_encoding_t **encoding_p, nas_error_t *err)
{
    const int64_t n = nas_pool_count(pool);
    const int n_position = pool->space->n_position;
    uint8_t *code = malloc((size_t)n * (size_t)n_position);
    if (!code) return nas_error_nomem(err, "the codes of the pool");
    for (int64_t i = 0; i < n; i++)
        pool->space->code(pool->selection.index[i], code + i * n_position);
    const nas_status_t status = nas_encoding_from_codes(code, n, n_position, encoding_p, err);
    free(code);
    return status;
}

/* The pool's architecture that a text means, or -1 where the pool lacks it. */
static nas_status_t locate(const nas_pool_t *pool, const char *text, int64_t *arch,
                           nas_error_t *err)
{
    char name[NAS_SPACE_NAME_SIZE];
    int64_t index = 0;
    const nas_status_t status = nas_space_parse(pool->space, text, &index, err);
    if (status) return status;
    nas_space_print(pool->space, index, name);
    *arch = nas_names_find(pool->names, name);
    return NAS_OK;
}

nas_status_t nas_pool_join(const nas_pool_t *pool, const nas_names_t *names, const char *file,
                           int64_t *row, nas_error_t *err)
{
    int64_t n_found = 0;
    for (int64_t i = 0; i < nas_pool_count(pool); i++) row[i] = -1;
    for (int64_t i = 0; i < nas_names_count(names); i++) {
        nas_error_t reason = {0};
        int64_t arch = -1;
        const char *text = nas_names_at(names, i);
        const nas_status_t status = locate(pool, text, &arch, &reason);
        if (status)
            return nas_error_set(err, status, "%s: row %lld: %s", file, (long long)i + 1,
                                 reason.text);
        if (arch < 0) continue;
        if (row[arch] >= 0)
            return nas_error_set(
                err, NAS_EINPUT, "%s: rows %lld and %lld are the same architecture, %s", file,
                (long long)row[arch] + 1, (long long)i + 1, nas_names_at(pool->names, arch));
        row[arch] = i;
        n_found++;
    }
    if (n_found == 0)
        return nas_error_set(err, NAS_EINPUT, "%s: none of its architectures is in the pool", file);
    return NAS_OK;
}

void nas_pool_fini(nas_pool_t *pool)
{
    nas_selection_fini(&pool->selection);
    *pool = (nas_pool_t){0};
}
