#include "coordinator/export.h"

#include "common/file.h"
#include "common/space_nb201.h"
#include "coordinator/json_text.h"
#include "worker/export/onnx.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------------------------------- find */

static bool is_better(const nas_state_t *state, const nas_evaluation_t *a,
                      const nas_evaluation_t *b)
{
    if (!b) return true;
    return state->minimise ? a->value < b->value : a->value > b->value;
}

/* The best successful evaluation, of one architecture or (name NULL) of any. */
static const nas_evaluation_t *find_evaluation(const nas_state_t *state, const char *name)
{
    const nas_evaluation_t *best = NULL;
    for (int64_t r = 0; r < state->n_repeat; r++)
        for (int64_t i = 0; i < state->repeat[r].n_evaluation; i++) {
            const nas_evaluation_t *e = &state->repeat[r].evaluation[i];
            const bool wanted = !name || strcmp(e->name, name) == 0;
            if (wanted && e->status == NAS_EVAL_OK && is_better(state, e, best)) best = e;
        }
    return best;
}

static nas_status_t read_record(nas_export_t *what, nas_error_t *err)
{
    const nas_state_t *state = what->state;
    const nas_evaluation_t *e = what->evaluation;
    nas_candidate_record_t *record = &what->record;
    bool found = false;
    record->candidate = (nas_candidate_t){.arch = e->arch, .seed = e->seed, .name = e->name};
    record->n_columns = (int64_t)state->report_columns.n;
    record->n_epochs = state->n_epochs;
    nas_status_t status = nas_state_identity(state, &record->run, err);
    char *run = nas_file_locate(what->path, err); /* the folder is beside the file itself */
    char *stem = status || !run ? NULL : nas_candidate_stem(run, &record->candidate, err);
    if (!status && !stem) status = NAS_ENOMEM;
    if (!status) status = nas_candidate_read(stem, record, &found, err);
    what->has_record = !status && found && record->done && record->parameters.n > 0;
    free(stem);
    free(run);
    return status;
}

nas_status_t nas_export_find(const char *path, const nas_state_t *state, const char *arch,
                             nas_export_t *out, nas_error_t *err)
{
    const bool any = strcmp(arch, "best") == 0;
    nas_export_t what = {.path = path, .state = state};
    what.evaluation = find_evaluation(state, any ? NULL : arch);
    if (!what.evaluation && any)
        return nas_error_set(err, NAS_EINPUT,
                             "%s: no architecture has been evaluated successfully yet", path);
    if (!what.evaluation)
        return nas_error_set(err, NAS_EINPUT,
                             "%s: no successful evaluation of '%s'; robotnas report --json lists "
                             "them all",
                             path, arch);
    const nas_status_t status = read_record(&what, err);
    if (status)
        nas_export_fini(&what);
    else
        *out = what;
    return status;
}

void nas_export_fini(nas_export_t *what)
{
    nas_candidate_record_fini(&what->record);
    *what = (nas_export_t){0};
}

/* ---------------------------------------------------------------------------------------- JSON */

/* An object under construction; json_object_set_new takes over its value, also when it fails. */
typedef struct object {
    json_t *json;
    int failed;
} object_t;

static void set(object_t *object, const char *key, json_t *value)
{
    object->failed |= json_object_set_new(object->json, key, value);
}

static json_t *take(object_t *object, object_t *parent)
{
    parent->failed |= object->failed;
    return object->json;
}

static json_t *number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *text(const char *string)
{
    return string && *string ? nas_json_text(string) : json_null();
}

/* Edges of the cell, where the architecture is one. */
static json_t *cell_of(const char *arch, object_t *parent)
{
    static const int from[NAS_CELL_EDGES] = {0, 0, 1, 0, 1, 2},
                     to[NAS_CELL_EDGES] = {1, 2, 2, 3, 3, 3};
    static const char *const name[NAS_CELL_OPERATIONS] = {"none", "skip_connect", "nor_conv_1x1",
                                                          "nor_conv_3x3", "avg_pool_3x3"};
    uint8_t operation[NAS_CELL_EDGES];
    if (!nas_space_nb201.parse(arch, operation)) return json_null();
    json_t *edges = json_array();
    for (int e = 0; e < NAS_CELL_EDGES; e++) {
        object_t edge = {.json = json_object()};
        set(&edge, "from", json_integer(from[e]));
        set(&edge, "to", json_integer(to[e]));
        set(&edge, "operation", json_string(name[operation[e]]));
        parent->failed |= edge.failed | json_array_append_new(edges, edge.json);
    }
    return edges;
}

static json_t *numbers(const nas_numbers_t *list, object_t *parent)
{
    json_t *array = json_array();
    for (int64_t i = 0; i < list->n; i++)
        parent->failed |= json_array_append_new(array, number(list->at[i]));
    return array;
}

/* The network that was trained; null where none was. */
static json_t *network_of(const nas_export_t *what, object_t *parent)
{
    const nas_network_t *n = &what->record.network;
    object_t network = {.json = json_object()};
    if (!what->has_record) {
        json_decref(network.json);
        return json_null();
    }
    set(&network, "image_channels", json_integer(n->image_channels));
    set(&network, "height", json_integer(n->height));
    set(&network, "width", json_integer(n->width));
    set(&network, "channels", json_integer(n->channels));
    set(&network, "cells", json_integer(n->cells));
    set(&network, "classes", json_integer(n->classes));
    set(&network, "mean", numbers(&what->record.mean, &network));
    set(&network, "std", numbers(&what->record.std, &network));
    set(&network, "parameters", json_integer(what->record.parameters.n));
    return take(&network, parent);
}

static json_t *evaluation_of(const nas_export_t *what, object_t *parent)
{
    const nas_evaluation_t *e = what->evaluation;
    const nas_strings_t *names = &what->state->report_columns;
    object_t evaluation = {.json = json_object()}, columns = {.json = json_object()};
    for (size_t c = 0; c < names->n; c++)
        columns.failed |= nas_json_set_named(columns.json, names->at[c], number(e->columns[c]));
    set(&evaluation, "target", number(e->value));
    set(&evaluation, "cost", number(e->cost));
    set(&evaluation, "columns", take(&columns, &evaluation));
    set(&evaluation, "seed", json_integer((json_int_t)e->seed));
    set(&evaluation, "reused", json_boolean(e->reused));
    return take(&evaluation, parent);
}

static json_t *provenance_of(const nas_export_t *what, object_t *parent)
{
    const nas_state_t *state = what->state;
    char hash[NAS_DIGEST_HEX_SIZE];
    object_t provenance = {.json = json_object()};
    nas_digest_hex(&state->job_hash, hash);
    set(&provenance, "program", json_string("robotnas"));
    set(&provenance, "version", text(state->program_version));
    set(&provenance, "commit", text(state->commit));
    set(&provenance, "isa", text(state->isa));
    set(&provenance, "name", text(state->job_name));
    set(&provenance, "method", text(state->method));
    set(&provenance, "job_hash", json_string(hash));
    set(&provenance, "job", text(state->job_text));
    return take(&provenance, parent);
}

nas_status_t nas_export_json(const nas_export_t *what, char **text_p, nas_error_t *err)
{
    const char *arch = what->evaluation->name;
    object_t root = {.json = json_object()};
    set(&root, "arch", nas_json_text(arch));
    set(&root, "cell", cell_of(arch, &root));
    set(&root, "network", network_of(what, &root));
    set(&root, "evaluation", evaluation_of(what, &root));
    set(&root, "provenance", provenance_of(what, &root));
    char *dump =
        root.failed ? NULL : json_dumps(root.json, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
    json_decref(root.json);
    *text_p = dump ? nas_string_format(err, "%s\n", dump) : NULL;
    free(dump);
    return *text_p ? NAS_OK : nas_error_nomem(err, "the export");
}

/* ---------------------------------------------------------------------------------------- ONNX */

static nas_status_t missing_parameters(const nas_export_t *what, nas_error_t *err)
{
    char *stem = nas_candidate_stem(what->path, &what->record.candidate, err);
    if (!stem) return NAS_ENOMEM;
    const nas_status_t status =
        what->state->n_epochs == 0
            ? nas_error_set(err, NAS_EINPUT,
                            "%s: this run trained no networks, so that there are no parameters to "
                            "export; use --format json",
                            what->path)
            : nas_error_set(err, NAS_EINPUT,
                            "%s.h5: not there, or of another run; the trained parameters of %s "
                            "were in it",
                            stem, what->evaluation->name);
    free(stem);
    return status;
}

static nas_status_t encode(const nas_export_t *what, const nas_graph_t *graph,
                           unsigned char **data_p, size_t *size, nas_error_t *err)
{
    const nas_candidate_record_t *record = &what->record;
    char accuracy[32];
    (void)snprintf(accuracy, sizeof accuracy, "%.17g", what->evaluation->value);
    const nas_provenance_t provenance[] = {{"arch", what->evaluation->name},
                                           {"valid_accuracy", accuracy},
                                           {"job", what->state->job_text},
                                           {"commit", what->state->commit}};
    const nas_onnx_options_t options = {.graph = graph,
                                        .parameters = record->parameters.at,
                                        .statistics = record->statistics.at,
                                        .mean = record->mean.at,
                                        .std = record->std.at,
                                        .provenance = provenance,
                                        .n_provenance = sizeof provenance / sizeof *provenance};
    return nas_onnx_encode(&options, data_p, size, err);
}

nas_status_t nas_export_onnx(const nas_export_t *what, unsigned char **data_p, size_t *size,
                             nas_error_t *err)
{
    const nas_candidate_record_t *record = &what->record;
    uint8_t operation[NAS_CELL_EDGES];
    nas_graph_t *graph = NULL;
    if (!what->has_record) return missing_parameters(what, err);
    if (!nas_space_nb201.parse(what->evaluation->name, operation))
        return nas_error_set(err, NAS_EINPUT, "%s: '%s' is no cell of nas-bench-201", what->path,
                             what->evaluation->name);
    nas_error_t reason = {0};
    nas_status_t status = nas_graph_create(&record->network, operation, 1, &graph, &reason);
    if (status)
        status = nas_error_set(err, status == NAS_EARG ? NAS_EINPUT : status, "%s: %s", what->path,
                               reason.text);
    if (!status &&
        (graph->n_values != record->parameters.n || graph->n_statistics != record->statistics.n ||
         record->mean.n != record->network.image_channels ||
         record->std.n != record->network.image_channels))
        status = nas_error_set(
            err, NAS_EINPUT, "%s: the candidate's file does not fit its architecture", what->path);
    if (!status) status = encode(what, graph, data_p, size, err);
    nas_graph_destroy(graph);
    return status;
}
