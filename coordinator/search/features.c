#include "coordinator/search/features.h"

#include "common/base/fault.h"
#include "common/io/memory.h"
#include "coordinator/search/search_stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------- metrics */

/* What all ranks must know of one metric. */
typedef struct metric_facts {
    char name[256];
    int transform; /* nas_transform_t */
    int column;    /* of the table; -1: rank 0 has the values */
} metric_facts_t;

/* Room for one metric. */
typedef struct load {
    double *column;       /* rank 0: of the whole pool, where its values are in no table */
    double *shard;        /* of this rank in its group ... */
    nas_comm_rows_t rows; /* ... which has these rows */
} load_t;

static metric_facts_t share_facts(const nas_features_source_t *source, int64_t metric)
{
    metric_facts_t facts = {0};
    if (source->stage) {
        const nas_search_inputs_t *inputs = source->stage->inputs;
        const char *name = inputs->job->metrics.names.at[metric];
        (void)snprintf(facts.name, sizeof facts.name, "%s", name);
        facts.transform = (int)nas_search_inputs_transform(inputs, name);
        facts.column = nas_search_inputs_column(inputs, metric);
    }
    nas_comm_bcast(source->world, 0, &facts, sizeof facts);
    return facts;
}

/* The raw values of one metric that this rank holds; rows [out] which they are. */
static const double *held_values(const nas_features_source_t *source, int64_t metric, int column,
                                 double *room, nas_comm_rows_t *rows)
{
    const nas_search_stage_t *stage = source->stage;
    *rows = (nas_comm_rows_t){0};
    if (column >= 0 && source->table) {
        *rows = nas_shared_table_held(source->table);
        return nas_shared_table_column(source->table, column);
    }
    if (column >= 0 || !stage) return NULL;
    rows->n = source->parameters->n_arch;
    nas_search_inputs_metric(stage->inputs, rows->n, &nas_session_state(stage->session)->scores,
                             metric, room);
    return room;
}

/* One metric from whoever has its values into the shards of all groups. */
static nas_status_t load_metric(const nas_features_source_t *source, nas_features_t *features,
                                int64_t metric, const load_t *load, nas_error_t *err)
{
    const metric_facts_t facts = share_facts(source, metric);
    nas_comm_rows_t held;
    const double *value = held_values(source, metric, facts.column, load->column, &held);
    NAS_FAULT_POINT("load-metric");
    nas_comm_move_rows(source->world, held, value, load->rows, load->shard);
    const nas_status_t status =
        features->posterior
            ? nas_posterior_load(features->posterior, load->shard, err)
            : nas_score_table_load(features->scores, metric, load->shard,
                                   (nas_transform_t)facts.transform, facts.name, err);
    return status ? status : nas_interrupt_check(source->interrupt, 0, err);
}

/* Those of this rank in its group. */
static void find_rows(const nas_features_t *features, nas_comm_rows_t *rows)
{
    if (features->posterior)
        nas_posterior_shard(features->posterior, &rows->first, &rows->n);
    else
        nas_score_table_shard(features->scores, &rows->first, &rows->n);
}

static nas_status_t load_metrics(const nas_features_source_t *source, nas_features_t *features,
                                 nas_error_t *err)
{
    load_t load = {0};
    nas_status_t status = NAS_OK;
    const int64_t n_metric = source->parameters->n_metric;
    const bool needs_room =
        n_metric > 0 && source->stage && nas_search_inputs_column(source->stage->inputs, 0) < 0;
    find_rows(features, &load.rows);
    load.shard = malloc((size_t)load.rows.n * sizeof *load.shard + 1); /* it may be empty */
    if (needs_room) load.column = malloc((size_t)source->parameters->n_arch * sizeof *load.column);
    if (!load.shard || (needs_room && !load.column))
        status = nas_error_nomem(err, "a metric column");
    status = nas_comm_agree(source->world, status, err);
    for (int64_t metric = 0; !status && metric < n_metric; metric++)
        status =
            nas_comm_agree(source->world, load_metric(source, features, metric, &load, err), err);
    free(load.shard);
    free(load.column);
    return status;
}

static nas_status_t make_scores(const nas_features_source_t *source, nas_features_t *features,
                                nas_error_t *err)
{
    const nas_search_parameters_t *parameters = source->parameters;
    /* q best ones, or once the T best of one weight vector */
    const int64_t max_places =
        parameters->parallel > parameters->budget ? parameters->parallel : parameters->budget;
    const nas_score_table_options_t options = {.n_arch = parameters->n_arch,
                                               .n_metric = parameters->n_metric,
                                               .max_places = max_places,
                                               .interrupt = source->interrupt};
    const nas_status_t status =
        nas_score_table_create(source->group, &options, &features->scores, err);
    return nas_comm_agree(source->world, status, err);
}

nas_posterior_options_t nas_features_posterior(const nas_search_parameters_t *parameters)
{
    return (nas_posterior_options_t){.n_arch = parameters->n_arch,
                                     .n_metric = parameters->n_metric,
                                     .n_position = (int)parameters->encoding,
                                     .max_points = parameters->budget};
}

int64_t nas_features_memory(int n_local)
{
    return nas_memory_bytes() / 2 / n_local;
}

static nas_status_t make_posterior(const nas_features_source_t *source, nas_features_t *features,
                                   nas_error_t *err)
{
    nas_posterior_options_t options = nas_features_posterior(source->parameters);
    options.memory_bytes = nas_features_memory(nas_comm_local_size(source->world));
    options.interrupt = source->interrupt;
    const nas_status_t status =
        nas_posterior_create(source->group, &options, &features->posterior, err);
    return nas_comm_agree(source->world, status, err);
}

/* What the method looks at, empty. */
static nas_status_t make(const nas_features_source_t *source, nas_features_t *features,
                         nas_error_t *err)
{
    if (nas_search_method(source->parameters)->has_posterior)
        return make_posterior(source, features, err);
    return source->parameters->n_metric > 0 ? make_scores(source, features, err) : NAS_OK;
}

/* --------------------------------------------------------------------------------------- codes */

/* The codes of rows, which are broadcast, into the shard that has some of them. */
static void keep_codes(const uint8_t *piece, nas_comm_rows_t rows, nas_posterior_t *posterior,
                       size_t n_position)
{
    nas_comm_rows_t shard;
    nas_posterior_shard(posterior, &shard.first, &shard.n);
    const int64_t rows_end = rows.first + rows.n, shard_end = shard.first + shard.n;
    const int64_t first = rows.first > shard.first ? rows.first : shard.first;
    const int64_t end = rows_end < shard_end ? rows_end : shard_end;
    if (first < end)
        nas_posterior_load_codes(posterior, first - shard.first, end - first,
                                 piece + (size_t)(first - rows.first) * n_position);
}

/* The pool's codes from rank 0, which needs them no more, to the shards of a posterior, a piece at
 * a time. */
static nas_status_t shard_codes(const nas_features_source_t *source, nas_features_t *features,
                                nas_error_t *err)
{
    const int64_t n_arch = source->parameters->n_arch;
    const size_t n_position = (size_t)source->parameters->encoding, n_bytes = (size_t)4 << 20;
    const int64_t n_most = (int64_t)(n_bytes / n_position);
    uint8_t *piece = malloc(n_bytes);
    nas_status_t status = piece ? NAS_OK : nas_error_nomem(err, "codes of the pool");
    status = nas_comm_agree(source->world, status, err);
    for (int64_t first = 0; !status && first < n_arch; first += n_most) {
        const int64_t left = n_arch - first;
        const nas_comm_rows_t rows = {.first = first, .n = left < n_most ? left : n_most};
        const size_t size = (size_t)rows.n * n_position;
        if (source->stage)
            memcpy(piece, nas_encoding_at(source->stage->inputs->encoding, first), size);
        nas_comm_bcast(source->world, 0, piece, size);
        keep_codes(piece, rows, features->posterior, n_position);
    }
    free(piece);
    if (status || !source->stage) return status;
    nas_encoding_destroy(source->stage->inputs->encoding);
    source->stage->inputs->encoding = NULL;
    return NAS_OK;
}

/* The pool's codes from rank 0 to the leaders, one byte a position. */
static nas_status_t spread_encoding(const nas_features_source_t *source, nas_features_t *features,
                                    nas_error_t *err)
{
    const int64_t n_arch = source->parameters->n_arch, n_position = source->parameters->encoding;
    if (!source->leaders) return NAS_OK;
    const size_t n_bytes = (size_t)(n_arch * n_position);
    const uint8_t *codes = NULL;
    uint8_t *received = NULL;
    if (source->stage) {
        codes = nas_encoding_at(source->stage->inputs->encoding, 0);
    } else {
        codes = received = malloc(n_bytes);
    }
    nas_status_t status = codes ? NAS_OK : nas_error_nomem(err, "codes of the pool");
    status = nas_comm_agree(source->leaders, status, err);
    if (!status) {
        nas_comm_bcast(source->leaders, 0, (void *)(uintptr_t)codes, n_bytes);
        const nas_codes_t all = {.code = codes, .n = n_arch, .n_position = (int)n_position};
        status = nas_encoding_from_codes(&all, NULL, &features->encoding, err);
    }
    free(received);
    return status;
}

/* ----------------------------------------------------------------------------------------- all */

nas_status_t nas_features_load(const nas_features_source_t *source, nas_features_t *features,
                               nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    if (source->stage) status = nas_search_stage_look_at_metrics(source->stage, err);
    status = nas_comm_agree(source->world, status, err);
    if (!status) status = make(source, features, err);
    if (!status && source->parameters->n_metric > 0) status = load_metrics(source, features, err);
    if (!status && source->parameters->encoding > 0)
        status = features->posterior ? shard_codes(source, features, err)
                                     : spread_encoding(source, features, err);
    status = nas_comm_agree(source->world, status, err);
    if (!status && features->posterior) nas_posterior_settle(features->posterior);
    return status;
}

void nas_features_fini(nas_features_t *features)
{
    nas_encoding_destroy(features->encoding);
    nas_posterior_destroy(features->posterior);
    nas_score_table_destroy(features->scores);
    *features = (nas_features_t){0};
}
