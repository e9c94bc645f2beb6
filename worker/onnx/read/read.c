#include "worker/onnx/read/read.h"

#include "common/base/strings.h"
#include "worker/onnx/file/elements.h"
#include "worker/onnx/read/make.h"

#include <stdlib.h>

/* All elements, in their order; returns where the next begin. */
static double *copy_elements(const nas_onnx_value_t *value, double *to)
{
    int64_t index[NAS_ONNX_MAX_RANK] = {0}, n = nas_onnx_count(&value->shape);
    for (; n > 0; n--) {
        int64_t place = 0;
        for (int i = 0; i < value->shape.rank; i++) place += index[i] * value->stride[i];
        *to++ = nas_onnx_element(value->array, place);
        nas_onnx_step(&value->shape, index);
    }
    return to;
}

static nas_status_t copy_values(const nas_onnx_maker_t *m, nas_onnx_network_t *network,
                                nas_error_t *err)
{
    const nas_graph_t *graph = network->graph;
    double *to = network->parameters = calloc((size_t)graph->n_values + 1, sizeof *to);
    if (!to) return nas_error_nomem(err, "the parameters of an ONNX model");
    for (int i = 0; i < m->n_parameters; i++) to = copy_elements(&m->parameter[i], to);
    NAS_ASSERT(to == network->parameters + graph->n_values);
    to = network->statistics = calloc((size_t)graph->n_statistics + 1, sizeof *to);
    if (!to) return nas_error_nomem(err, "the statistics of an ONNX model");
    for (int i = 0; i < m->n_statistics; i++) to = copy_elements(&m->statistics[i], to);
    NAS_ASSERT(to == network->statistics + graph->n_statistics);
    return NAS_OK;
}

static nas_status_t copy_names(const nas_onnx_value_t *value, int n, char ***names_p,
                               nas_error_t *err)
{
    char **names = calloc((size_t)n + 1, sizeof *names);
    *names_p = names;
    if (!names) return nas_error_nomem(err, "an ONNX model");
    for (int i = 0; i < n; i++) {
        names[i] = nas_string_copy(value[i].array->name, err);
        if (!names[i]) return NAS_ENOMEM;
    }
    return NAS_OK;
}

/* Rows of a matrix lie one behind the other; of one that is read the other way, columns do. */
static bool has_columns(const nas_onnx_value_t *value)
{
    const nas_onnx_shape_t *s = &value->shape;
    return s->rank == 2 && s->dim[0] > 1 && s->dim[1] > 1 && value->stride[0] == 1;
}

static nas_status_t note_exchanged(const nas_onnx_maker_t *m, nas_onnx_network_t *network,
                                   nas_error_t *err)
{
    bool *is = network->is_exchanged = calloc((size_t)m->n_parameters + 1, sizeof *is);
    if (!is) return nas_error_nomem(err, "an ONNX model");
    for (int i = 0; i < m->n_parameters; i++) is[i] = has_columns(&m->parameter[i]);
    return NAS_OK;
}

static nas_status_t fill(const nas_onnx_maker_t *m, bool with_values, nas_onnx_network_t *network,
                         nas_error_t *err)
{
    NAS_ASSERT(m->n_parameters == network->graph->n_parameters);
    network->n_norms = m->n_statistics / 2;
    nas_status_t status = copy_names(m->parameter, m->n_parameters, &network->parameter, err);
    if (!status) status = copy_names(m->statistics, m->n_statistics, &network->statistic, err);
    if (!status) status = note_exchanged(m, network, err);
    if (!status && with_values) status = copy_values(m, network, err);
    return status;
}

static nas_status_t check_size(nas_onnx_maker_t *m, const nas_graph_t *graph)
{
    int64_t n_elements = 0;
    for (int i = 0; i < graph->n_nodes && n_elements <= NAS_ONNX_MOST_ELEMENTS; i++) {
        const nas_extents_t e = graph->node[i].extents;
        n_elements += (int64_t)e.c * e.h * e.w;
    }
    if (graph->n_values > NAS_ONNX_MOST_VALUES)
        return nas_onnx_refuse(m, NULL, "it has %lld parameters: at most %d are read",
                               (long long)graph->n_values, NAS_ONNX_MOST_VALUES);
    if (n_elements > NAS_ONNX_MOST_ELEMENTS)
        return nas_onnx_refuse(m, NULL, "its tensors have more than %d elements for one image",
                               NAS_ONNX_MOST_ELEMENTS);
    return NAS_OK;
}

/* Of a file that is decoded, if status says so; it is ended. */
static nas_status_t make(nas_onnx_file_t *file, nas_status_t status,
                         const nas_onnx_expected_t *expected, nas_onnx_network_t *network,
                         nas_error_t *err)
{
    nas_onnx_network_t made = {0};
    nas_error_t reason = {0};
    nas_onnx_maker_t m = {.file = file,
                          .err = &reason,
                          .network = {.image_channels = expected->image_channels,
                                      .height = expected->height,
                                      .width = expected->width,
                                      .classes = expected->classes}};
    if (!status) {
        status = nas_onnx_prepare(&m);
        if (!status) status = nas_onnx_make_graph(&m, &made.graph);
        if (!status) status = check_size(&m, made.graph);
        if (!status) status = fill(&m, expected->with_values, &made, &reason);
        if (status) (void)nas_error_set(err, status, "%s", reason.text);
    }
    nas_onnx_file_fini(file);
    if (status)
        nas_onnx_network_fini(&made);
    else
        *network = made;
    return status;
}

nas_status_t nas_onnx_read(const char *path, const nas_onnx_expected_t *expected,
                           nas_onnx_network_t *network, nas_error_t *err)
{
    nas_onnx_file_t file = {0};
    const nas_status_t status = nas_onnx_file_read(&file, path, err);
    return make(&file, status, expected, network, err);
}

nas_status_t nas_onnx_read_bytes(const char *path, char *bytes, size_t size,
                                 const nas_onnx_expected_t *expected, nas_onnx_network_t *network,
                                 nas_error_t *err)
{
    nas_onnx_file_t file = {.path = path};
    const nas_status_t status = nas_onnx_file_decode(&file, bytes, size, err);
    return make(&file, status, expected, network, err);
}

/* NULL stands behind the last. */
static void free_names(char **names)
{
    for (char **name = names; name && *name; name++) free(*name);
    free(names);
}

void nas_onnx_network_fini(nas_onnx_network_t *network)
{
    free_names(network->parameter);
    free_names(network->statistic);
    free(network->is_exchanged);
    free(network->parameters);
    free(network->statistics);
    nas_graph_destroy(network->graph);
    *network = (nas_onnx_network_t){0};
}
