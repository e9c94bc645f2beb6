#include "common/space/pool.h"

#include <stdlib.h>
#include <string.h>

nas_pool_t nas_pool_of_table(int64_t n_rows)
{
    return (nas_pool_t){.n_rows = n_rows};
}

nas_pool_t nas_pool_of_names(const nas_names_t *names)
{
    return (nas_pool_t){.n_rows = nas_names_count(names), .names = names};
}

nas_status_t nas_pool_of_space(const nas_space_t *space, const nas_subset_t *subset,
                               nas_pool_t *pool, nas_error_t *err)
{
    nas_pool_t made = {.space = space, .arch = calloc(1, sizeof *made.arch)};
    nas_status_t status =
        made.arch ? nas_arch_init(made.arch, space, err) : nas_error_nomem(err, "a pool");
    if (!status) status = nas_subset_select(space, subset, &made.selection, err);
    made.names = made.selection.names;
    if (status)
        nas_pool_fini(&made);
    else
        *pool = made;
    return status;
}

int64_t nas_pool_count(const nas_pool_t *pool)
{
    return pool->space ? pool->selection.n : pool->n_rows;
}

static const char *name_at(const nas_name_source_t *source, int64_t i)
{
    nas_arch_t *arch = (nas_arch_t *)(uintptr_t)source->context; /* the pool's own */
    nas_arch_set(arch, i);
    return arch->name;
}

nas_name_source_t nas_pool_names(const nas_pool_t *pool)
{
    NAS_ASSERT(pool->space || pool->names);
    if (pool->names) return nas_name_source_of_names(pool->names);
    return (nas_name_source_t){.n = pool->selection.n,
                               .size = pool->space->name_size,
                               .context = pool->arch,
                               .at = name_at};
}

nas_status_t nas_pool_list_names(nas_pool_t *pool, nas_error_t *err)
{
    if (pool->names || !pool->space) return NAS_OK;
    const nas_status_t status = nas_selection_name(pool->space, &pool->selection, err);
    pool->names = pool->selection.names;
    return status;
}

bool nas_pool_is_whole(const nas_pool_t *pool)
{
    return !pool->selection.index;
}

int64_t nas_pool_index(const nas_pool_t *pool, int64_t i)
{
    return pool->selection.index ? pool->selection.index[i] : i;
}

nas_status_t nas_pool_encode(const nas_pool_t *pool, nas_encoding_t **encoding_p, nas_error_t *err)
{
    const int64_t n = nas_pool_count(pool);
    const int n_position = pool->space->n_position;
    uint8_t *code = malloc((size_t)n * (size_t)n_position);
    if (!code) return nas_error_nomem(err, "the codes of the pool");
    for (int64_t i = 0; i < n; i++)
        pool->space->code(nas_pool_index(pool, i), code + i * n_position);
    const nas_codes_t codes = {.code = code, .n = n, .n_position = n_position};
    const nas_status_t status = nas_encoding_from_codes(&codes, NULL, encoding_p, err);
    free(code);
    return status;
}

/* Two names that mean the same architecture. */
static nas_status_t refuse_again(const nas_names_t *names, int64_t again, int64_t before,
                                 const char *arch, nas_error_t *err)
{
    char place[NAS_NAMES_PLACE_SIZE];
    const int64_t line = nas_names_line(names, before);
    nas_names_place(names, again, place);
    return nas_error_set(err, NAS_EINPUT, "%sthe same architecture as %s %lld, %s", place,
                         line ? "line" : "number", (long long)(line ? line : before + 1), arch);
}

/* Place of an architecture in the pool, or -1. */
static int64_t place_of(const nas_pool_t *pool, const nas_arch_t *arch)
{
    return nas_pool_is_whole(pool) ? arch->index : nas_names_find(pool->names, arch->name);
}

/* scratch [in] of the pool's space. */
static nas_status_t join_name(const nas_pool_t *pool, const nas_names_t *names, int64_t i,
                              nas_arch_t *scratch, int64_t *row, nas_error_t *err)
{
    nas_error_t reason = {0};
    const nas_status_t status = nas_arch_parse(scratch, nas_names_at(names, i), &reason);
    if (status) {
        char place[NAS_NAMES_PLACE_SIZE];
        nas_names_place(names, i, place);
        return nas_error_set(err, status, "%s%s", place, reason.text);
    }
    const int64_t arch = place_of(pool, scratch);
    if (arch < 0) return NAS_OK;
    if (row[arch] >= 0) return refuse_again(names, i, row[arch], scratch->name, err);
    row[arch] = i;
    return NAS_OK;
}

/* Names that are no architecture's of a space. */
static void join_plain(const nas_pool_t *pool, const nas_names_t *names, int64_t *row)
{
    for (int64_t i = 0; i < nas_names_count(names); i++) {
        const int64_t arch = nas_names_find(pool->names, nas_names_at(names, i));
        if (arch >= 0) row[arch] = i;
    }
}

static nas_status_t join_parsed(const nas_pool_t *pool, const nas_names_t *names, int64_t *row,
                                nas_error_t *err)
{
    nas_arch_t scratch = {0};
    nas_status_t status = nas_arch_init(&scratch, pool->space, err);
    for (int64_t i = 0; !status && i < nas_names_count(names); i++)
        status = join_name(pool, names, i, &scratch, row, err);
    nas_arch_fini(&scratch);
    return status;
}

nas_status_t nas_pool_join(const nas_pool_t *pool, const nas_names_t *names, int64_t *row,
                           nas_error_t *err)
{
    const int64_t n_pool = nas_pool_count(pool), n_names = nas_names_count(names);
    int64_t n_found = 0;
    nas_status_t status = NAS_OK;
    for (int64_t i = 0; i < n_pool; i++) row[i] = -1;
    if (pool->space)
        status = join_parsed(pool, names, row, err);
    else
        join_plain(pool, names, row);
    for (int64_t i = 0; i < n_pool; i++) n_found += row[i] >= 0;
    if (status || n_found > 0) return status;
    const char *file = nas_names_file(names);
    return nas_error_set(err, NAS_EINPUT,
                         "%s: none of its %lld architectures is in the pool of %lld",
                         file ? file : "names", (long long)n_names, (long long)n_pool);
}

void nas_pool_fini(nas_pool_t *pool)
{
    nas_selection_fini(&pool->selection);
    if (pool->arch) nas_arch_fini(pool->arch);
    free(pool->arch);
    *pool = (nas_pool_t){0};
}
