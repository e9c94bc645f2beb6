#include "worker/ranking/score_table.h"

#include "common/base/huge_pages.h"
#include "worker/ranking/normalise.h"
#include "worker/ranking/score.h"

#include <stdlib.h>

struct nas_score_table {
    nas_comm_t *group; /**< kept borrow */
    nas_score_table_options_t options;
    nas_score_shard_t shard;
    float *tile;           /**< of the shard; owned */
    nas_top_entry_t *list; /* [max_places]; owned */
    const nas_score_kernel_t *kernel;
};

static nas_status_t allocate(nas_score_table_t *table, nas_error_t *err)
{
    const size_t n_values = (size_t)(nas_score_tiles(table->shard.n_rows) * NAS_SCORE_TILE) *
                            (size_t)table->shard.n_metric;
    table->tile = nas_huge_pages_create(n_values * sizeof *table->tile);
    table->list = calloc((size_t)table->options.max_places, sizeof *table->list);
    if (!table->tile || !table->list) return nas_error_nomem(err, "the score table");
    table->shard.tile = table->tile;
    return NAS_OK;
}

nas_status_t nas_score_table_create(nas_comm_t *group, const nas_score_table_options_t *options,
                                    nas_score_table_t **table_p, nas_error_t *err)
{
    NAS_ASSERT(options->n_arch > 0 && options->n_metric > 0);
    NAS_ASSERT(options->max_places > 0);
    nas_status_t status = NAS_OK;
    nas_score_table_t *table = calloc(1, sizeof *table);
    if (table) {
        table->group = group;
        table->options = *options;
        table->shard.n_metric = options->n_metric;
        nas_comm_shard(options->n_arch, nas_comm_rank(group), nas_comm_size(group),
                       &table->shard.first, &table->shard.n_rows);
        nas_score_table_use(table, nas_isa_best());
        status = allocate(table, err);
    } else {
        status = nas_error_nomem(err, "the score table");
    }
    status = nas_comm_agree(group, status, err);
    if (status == NAS_OK)
        *table_p = table;
    else
        nas_score_table_destroy(table);
    return status;
}

void nas_score_table_use(nas_score_table_t *table, nas_isa_t isa)
{
    table->kernel = nas_score_kernel(isa);
}

static void store(nas_score_table_t *table, int64_t metric, const double *value)
{
    for (int64_t row = 0; row < table->shard.n_rows; row++)
        table->tile[nas_score_at(row, metric, table->shard.n_metric)] = (float)value[row];
}

nas_status_t nas_score_table_load(nas_score_table_t *table, int64_t metric, double *value,
                                  nas_transform_t transform, const char *name, nas_error_t *err)
{
    NAS_ASSERT(0 <= metric && metric < table->shard.n_metric);
    const int64_t n = table->shard.n_rows;
    nas_status_t status = NAS_OK;
    if (transform == NAS_TRANSFORM_RANK)
        status = nas_normalise_rank(table->group, value, n, table->options.interrupt, err);
    if (status) return status;
    if (!nas_normalise(table->group, transform, value, n))
        return nas_error_set(err, NAS_EINPUT, "metric '%s' has no value for any architecture%s",
                             name, transform == NAS_TRANSFORM_LOG ? " after transform log" : "");
    store(table, metric, value);
    return NAS_OK;
}

void nas_score_table_top(nas_score_table_t *table, const nas_score_query_t *query, int *flag,
                         int64_t *answer, double *score)
{
    const int64_t n = query->n, k = query->k;
    NAS_ASSERT(0 < n && 0 < k && k <= table->options.max_places / n);
    nas_score_scan(&table->shard, table->kernel, query, table->list);
    nas_comm_reduce_top(table->group, table->list, n, k, flag);
    if (nas_comm_rank(table->group) != 0) return;
    for (int64_t i = 0; i < n * k; i++) {
        answer[i] = table->list[i].index;
        if (score) score[i] = table->list[i].score;
    }
}

float nas_score_table_value(const nas_score_table_t *table, int64_t metric, int64_t row)
{
    const int64_t local = row - table->shard.first;
    NAS_ASSERT(0 <= local && local < table->shard.n_rows);
    return table->tile[nas_score_at(local, metric, table->shard.n_metric)];
}

void nas_score_table_shard(const nas_score_table_t *table, int64_t *first, int64_t *n_rows)
{
    *first = table->shard.first;
    *n_rows = table->shard.n_rows;
}

void nas_score_table_destroy(nas_score_table_t *table)
{
    if (!table) return;
    free(table->tile);
    free(table->list);
    free(table);
}
