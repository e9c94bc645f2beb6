#include "coordinator/report/export.h"

#include "common/io/file.h"
#include "common/space/arch.h"
#include "coordinator/report/export_job.h"
#include "coordinator/report/json_text.h"
#include "worker/onnx/onnx.h"
#include "worker/onnx/read/read.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

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

static json_t *edge_of(const nas_space_edge_t *edge, object_t *parent)
{
    object_t json = {.json = json_object()};
    set(&json, "from", json_integer(edge->from));
    set(&json, "to", json_integer(edge->to));
    set(&json, "operation", json_string(edge->operation));
    return take(&json, parent);
}

/* Edges of the cell, where the architecture is one. */
static json_t *cell_of(const char *name, object_t *parent)
{
    nas_arch_t arch = {0};
    nas_space_edge_t edge;
    json_t *edges = NULL;
    const nas_status_t status = nas_arch_find(name, &arch, NULL);
    if (!status && arch.space->edge) edges = json_array();
    for (int i = 0; edges && arch.space->edge(arch.code, i, &edge); i++)
        parent->failed |= json_array_append_new(edges, edge_of(&edge, parent));
    nas_arch_fini(&arch);
    parent->failed |= status == NAS_ENOMEM;
    return edges ? edges : json_null();
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
    const bool of_file = what->record.onnx != NULL;
    object_t network = {.json = json_object()};
    if (!what->has_record) {
        json_decref(network.json);
        return json_null();
    }
    set(&network, "image_channels", json_integer(n->image_channels));
    set(&network, "height", json_integer(n->height));
    set(&network, "width", json_integer(n->width));
    set(&network, "channels", of_file ? json_null() : json_integer(n->channels));
    set(&network, "cells", of_file ? json_null() : json_integer(n->cells));
    set(&network, "classes", json_integer(n->classes));
    set(&network, "mean", numbers(&what->record.mean, &network));
    set(&network, "std", numbers(&what->record.std, &network));
    set(&network, "parameters", json_integer(what->record.parameters.n));
    return take(&network, parent);
}

/* Of the labels from 0 on; the files may have had names for more. */
static json_t *class_names_of(const nas_export_t *what, object_t *parent)
{
    const nas_strings_t *names = &what->state->class_names;
    const size_t n_labels = what->has_record ? (size_t)what->record.network.classes : names->n;
    if (names->n == 0 || names->n < n_labels) return json_null();
    json_t *array = json_array();
    for (size_t i = 0; i < n_labels; i++)
        parent->failed |= json_array_append_new(array, nas_json_text(names->at[i]));
    return array;
}

static json_t *evaluation_of(const nas_export_t *what, object_t *parent)
{
    const nas_evaluation_t *e = what->evaluation;
    const nas_strings_t *names = &what->state->report_columns;
    object_t evaluation = {.json = json_object()}, columns = {.json = json_object()};
    for (size_t c = 0; c < names->n; c++)
        columns.failed |= nas_json_set_named(columns.json, names->at[c], number(e->columns[c]));
    set(&evaluation, "target", number(e->value[0]));
    set(&evaluation, "cost", number(e->cost));
    set(&evaluation, "columns", take(&columns, &evaluation));
    set(&evaluation, "seed", json_integer((json_int_t)e->seed));
    set(&evaluation, "reused", json_boolean(e->reused));
    set(&evaluation, "reused_from", text(what->source));
    return take(&evaluation, parent);
}

static json_t *provenance_of(const nas_export_t *what, object_t *parent)
{
    const nas_state_t *state = what->state;
    char hash[NAS_DIGEST_HEX_SIZE];
    char *job = nas_export_job(state->job_text ? state->job_text : "", NULL);
    object_t provenance = {.json = json_object()};
    nas_digest_hex(&state->job_hash, hash);
    set(&provenance, "program", json_string("robotnas"));
    set(&provenance, "version", text(state->program_version));
    set(&provenance, "commit", text(state->commit));
    set(&provenance, "isa", text(state->isa));
    set(&provenance, "name", text(state->job_name));
    set(&provenance, "method", text(state->method));
    set(&provenance, "job_hash", json_string(hash));
    set(&provenance, "job", text(job));
    parent->failed |= !job;
    free(job);
    return take(&provenance, parent);
}

nas_status_t nas_export_json(const nas_export_t *what, char **text_p, nas_error_t *err)
{
    const char *arch = what->evaluation->name;
    object_t root = {.json = json_object()};
    set(&root, "arch", nas_json_text(arch));
    set(&root, "cell", cell_of(arch, &root));
    set(&root, "network", network_of(what, &root));
    set(&root, "class_names", class_names_of(what, &root));
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
    const nas_strings_t *sources = &what->state->reused_from;
    const char *arch = what->evaluation->name;
    if (what->state->n_epochs == 0)
        return nas_error_set(
            err, NAS_EINPUT,
            "%s: this run trained no networks, so that there are no parameters to export; use --format json",
            what->path);
    if (what->evaluation->reused)
        return nas_error_set(
            err, NAS_EINPUT,
            "%s: %s was taken over from another run, %s, and its parameters lie beside that: run robotnas export there, or bring back its file and folder",
            what->path, arch,
            what->source     ? what->source
            : sources->n > 0 ? sources->at[sources->n - 1]
                             : "the one that --reuse named");
    char *stem = nas_candidate_stem(what->path, &what->record.candidate, err);
    if (!stem) return NAS_ENOMEM;
    const nas_status_t status = nas_error_set(
        err, NAS_EINPUT,
        "%s.h5: not there, or of another run; the trained parameters of %s were in it", stem, arch);
    free(stem);
    return status;
}

/* A list in one line of JSON; NULL where there is none. The caller's (free). */
static char *line_of(json_t *array)
{
    char *line =
        json_is_array(array) ? json_dumps(array, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
    json_decref(array);
    return line;
}

static nas_status_t encode(const nas_export_t *what, const nas_onnx_network_t *network,
                           unsigned char **data_p, size_t *size, nas_error_t *err)
{
    const nas_candidate_record_t *record = &what->record;
    object_t made = {0};
    char accuracy[32], channels[16], cells[16];
    char *job = nas_export_job(what->state->job_text ? what->state->job_text : "", NULL);
    char *mean = line_of(numbers(&record->mean, &made)),
         *std = line_of(numbers(&record->std, &made));
    char *names = line_of(class_names_of(what, &made));
    nas_status_t status = nas_error_nomem(err, "the export");
    if (!job || !mean || !std || made.failed) goto out;
    (void)snprintf(accuracy, sizeof accuracy, "%.17g", what->evaluation->value[0]);
    (void)snprintf(channels, sizeof channels, "%d", record->network.channels);
    (void)snprintf(cells, sizeof cells, "%d", record->network.cells);
    const nas_provenance_t provenance[] = {{"arch", what->evaluation->name},
                                           {"valid_accuracy", accuracy},
                                           {"job", job},
                                           {"commit", what->state->commit},
                                           {"channels", record->onnx ? NULL : channels},
                                           {"cells", record->onnx ? NULL : cells},
                                           {"mean", mean},
                                           {"std", std},
                                           {"class_names", names}};
    nas_provenance_t known[sizeof provenance / sizeof *provenance];
    size_t n_known = 0;
    for (size_t i = 0; i < sizeof provenance / sizeof *provenance; i++)
        if (provenance[i].value) known[n_known++] = provenance[i];
    const nas_onnx_options_t options = {.graph = network->graph,
                                        .parameter = (const char *const *)network->parameter,
                                        .is_exchanged = network->is_exchanged,
                                        .statistic = (const char *const *)network->statistic,
                                        .parameters = record->parameters.at,
                                        .statistics = record->statistics.at,
                                        .mean = record->mean.at,
                                        .std = record->std.at,
                                        .provenance = known,
                                        .n_provenance = n_known};
    status = nas_onnx_encode(&options, data_p, size, err);
out:
    free(job);
    free(mean);
    free(std);
    free(names);
    return status;
}

/* The network of a space, built anew. */
static nas_status_t build(const nas_export_t *what, nas_graph_t **graph_p, nas_error_t *err)
{
    nas_arch_t arch = {0};
    nas_status_t status = nas_arch_find(what->evaluation->name, &arch, err);
    if (!status) status = nas_graph_create(&what->record.network, &arch, graph_p, err);
    nas_arch_fini(&arch);
    return status == NAS_EARG ? NAS_EINPUT : status;
}

/* The network of a file, if that is the one that was trained. */
static nas_status_t read_file(const nas_candidate_record_t *record, nas_onnx_network_t *network,
                              nas_error_t *err)
{
    const nas_onnx_expected_t expected = {.image_channels = record->network.image_channels,
                                          .height = record->network.height,
                                          .width = record->network.width,
                                          .classes = record->network.classes};
    nas_digest_t content;
    const nas_status_t status = nas_file_digest(record->onnx, &content, err);
    if (status) return status;
    if (!nas_digest_equal(&content, &record->onnx_content))
        return nas_error_set(
            err, NAS_EINPUT,
            "%s is not the file whose network was trained, its content differs; bring that back",
            record->onnx);
    return nas_onnx_read(record->onnx, &expected, network, err);
}

static nas_status_t make_network(const nas_export_t *what, nas_onnx_network_t *network,
                                 nas_error_t *err)
{
    const nas_candidate_record_t *record = &what->record;
    nas_error_t reason = {0};
    const nas_status_t status =
        record->onnx ? read_file(record, network, &reason) : build(what, &network->graph, &reason);
    if (status) return nas_error_set(err, status, "%s: %s", what->path, reason.text);
    if (network->graph->n_values == record->parameters.n &&
        network->graph->n_statistics == record->statistics.n &&
        record->mean.n == record->network.image_channels &&
        record->std.n == record->network.image_channels)
        return NAS_OK;
    return nas_error_set(err, NAS_EINPUT, "%s: the candidate's file does not fit its architecture",
                         what->path);
}

nas_status_t nas_export_onnx(const nas_export_t *what, unsigned char **data_p, size_t *size,
                             nas_error_t *err)
{
    nas_onnx_network_t network = {0};
    if (!what->has_record) return missing_parameters(what, err);
    nas_status_t status = make_network(what, &network, err);
    if (!status) status = encode(what, &network, data_p, size, err);
    nas_onnx_network_fini(&network);
    return status;
}
