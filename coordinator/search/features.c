#include "coordinator/search/features.h"

#include "common/base/fault.h"
#include "coordinator/search/search_stage.h"

#include <stdio.h>
#include <stdlib.h>

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
    const nas_status_t status = nas_score_table_load(
        features->scores, metric, load->shard, (nas_transform_t)facts.transform, facts.name, err);
    return status ? status : nas_interrupt_check(source->interrupt, 0, err);
}

static nas_status_t load_metrics(const nas_features_source_t *source, nas_features_t *features,
                                 nas_error_t *err)
{
    load_t load = {0};
    nas_status_t status = NAS_OK;
    const int64_t n_metric = source->parameters->n_metric;
    const bool needs_room =
        n_metric > 0 && source->stage && nas_search_inputs_column(source->stage->inputs, 0) < 0;
    nas_score_table_shard(features->scores, &load.rows.first, &load.rows.n);
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

static nas_status_t load_scores(const nas_features_source_t *source, nas_features_t *features,
                                nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    if (source->parameters->n_metric == 0) return NAS_OK;
    if (source->stage) status = nas_search_stage_look_at_metrics(source->stage, err);
    status = nas_comm_agree(source->world, status, err);
    if (!status) status = make_scores(source, features, err);
    return status ? status : load_metrics(source, features, err);
}

/* --------------------------------------------------------------------------------------- codes */

/* The pool's codes from rank 0 to the leaders, one byte a position. */
static nas_status_t spread_encoding(const nas_features_source_t *source, nas_features_t *features,
                                    nas_error_t *err)
{
    const int64_t n_arch = source->parameters->n_arch, n_position = source->parameters->encoding;
    if (n_position == 0 || !source->leaders) return NAS_OK;
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
    const nas_status_t status = load_scores(source, features, err);
    if (status) return status;
    return nas_comm_agree(source->world, spread_encoding(source, features, err), err);
}

void nas_features_fini(nas_features_t *features)
{
    nas_encoding_destroy(features->encoding);
    nas_score_table_destroy(features->scores);
    *features = (nas_features_t){0};
}
