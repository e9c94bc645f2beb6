/* A reference's parameters and expected values: one item of the file each, in sections. */
#include "worker/engine/metrics/metric.h"
#include "worker/verify/reference_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ITEM_NAME_SIZE = NAS_REFERENCE_NAME_SIZE + 32 };

/* The first items are the values of a batch, where there are such: these, and every metric. */
enum { LOSS = 0, LOGITS, INPUT_GRADIENT, METRICS };

/* Items, their names and what was read for them. */
typedef struct list {
    nas_untrusted_item_t *item;
    char (*name)[ITEM_NAME_SIZE];
    nas_untrusted_array_t *array;
    size_t n;
    size_t losses;    /* behind the values: the losses, one item or none */
    size_t weights;   /* first of the weights, as many as there are, or none */
    size_t gradients; /* first of the gradients, likewise */
} list_t;

static void add_item(list_t *list, bool optional, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(list->name[list->n], ITEM_NAME_SIZE, format, args);
    va_end(args);
    list->item[list->n] = (nas_untrusted_item_t){
        .name = list->name[list->n], .types = NAS_UNTRUSTED_F64, .optional = optional};
    list->n++;
}

static void add_values(list_t *list)
{
    int n_metrics;
    const nas_metric_t *const *metric = nas_metric_list(&n_metrics);
    add_item(list, false, "expected/loss");
    add_item(list, false, "expected/logits");
    add_item(list, true, "expected/input_gradient");
    for (int i = 0; i < n_metrics; i++) add_item(list, true, "expected/%s", metric[i]->name);
}

/* The parameters may be there already. */
static void add_items(list_t *list, const nas_reference_t *reference)
{
    const nas_graph_t *graph = reference->graph;
    const bool has_values = nas_reference_has_values(reference);
    if (has_values) add_values(list);
    list->losses = list->n;
    if (reference->n_steps > 0) add_item(list, false, "expected/losses");
    list->weights = list->n;
    for (int i = 0; !reference->parameters && i < graph->n_parameters; i++)
        add_item(list, false, "weights/%s", nas_reference_parameter_name(reference, i));
    list->gradients = list->n;
    for (int i = 0; has_values && i < graph->n_parameters; i++)
        add_item(list, true, "expected/gradients/%s", nas_reference_parameter_name(reference, i));
}

static nas_status_t make_list(list_t *list, const nas_reference_t *reference, nas_error_t *err)
{
    int n_metrics;
    (void)nas_metric_list(&n_metrics);
    const size_t n = METRICS + (size_t)n_metrics + 1 + 2 * (size_t)reference->graph->n_parameters;
    list->item = calloc(n, sizeof *list->item);
    list->name = calloc(n, sizeof *list->name);
    list->array = calloc(n, sizeof *list->array);
    if (!list->item || !list->name || !list->array) return nas_error_nomem(err, "a reference");
    add_items(list, reference);
    return NAS_OK;
}

static void free_list(list_t *list)
{
    if (list->array) nas_untrusted_arrays_fini(list->array, list->n);
    free(list->item);
    free(list->name);
    free(list->array);
}

/* An array, if it is there, has exactly this shape. */
static nas_status_t check_shape(const char *path, const list_t *list, size_t i,
                                const nas_reference_shape_t *shape, nas_error_t *err)
{
    const nas_untrusted_array_t *array = &list->array[i];
    bool good = !array->data || array->rank == shape->rank;
    for (int k = 0; array->data && good && k < shape->rank; k++)
        good = array->size[k] == shape->size[k];
    if (good) return NAS_OK;
    return nas_error_set(err, NAS_EINPUT,
                         "%s: dataset '%s' has not the shape that the network gives it", path,
                         list->name[i]);
}

/* Copy an array, if it is there, of exactly this shape. */
static nas_status_t take_array(const char *path, const list_t *list, size_t i,
                               const nas_reference_shape_t *shape, double *values, nas_error_t *err)
{
    const nas_untrusted_array_t *array = &list->array[i];
    const nas_status_t status = check_shape(path, list, i, shape, err);
    if (status || !array->data) return status;
    memcpy(values, array->data, array->n * sizeof *values);
    return NAS_OK;
}

static nas_status_t take_parameters(const char *path, const list_t *list,
                                    nas_reference_t *reference, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    for (size_t i = list->weights; !status && i < list->gradients; i++) {
        const nas_parameter_t *parameter = &reference->graph->parameter[i - list->weights];
        const nas_reference_shape_t shape = nas_reference_parameter_shape(parameter);
        status = take_array(path, list, i, &shape, reference->parameters + parameter->offset, err);
    }
    return status;
}

static nas_status_t take_gradients(const char *path, const list_t *list, nas_reference_t *reference,
                                   nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    for (size_t i = list->gradients; !status && i < list->n; i++) {
        const nas_parameter_t *parameter = &reference->graph->parameter[i - list->gradients];
        const nas_reference_shape_t shape = nas_reference_parameter_shape(parameter);
        status = take_array(path, list, i, &shape, reference->expected.gradient + parameter->offset,
                            err);
    }
    return status;
}

static nas_status_t take_metrics(const char *path, const list_t *list, nas_reference_t *reference,
                                 nas_error_t *err)
{
    const nas_reference_shape_t number = {0};
    nas_status_t status = NAS_OK;
    for (size_t i = METRICS; !status && i < list->losses; i++)
        status = take_array(path, list, i, &number, &reference->expected.metric[i - METRICS], err);
    return status;
}

static nas_status_t take_outputs(const char *path, const list_t *list, nas_reference_t *reference,
                                 nas_error_t *err)
{
    nas_reference_values_t *expected = &reference->expected;
    const nas_reference_shape_t number = {0};
    const nas_reference_shape_t logits = nas_reference_logits_shape(reference);
    const nas_reference_shape_t images = nas_reference_images_shape(&reference->input);
    if (!nas_reference_has_values(reference)) return NAS_OK;
    nas_status_t status = take_array(path, list, LOSS, &number, &expected->loss, err);
    if (!status) status = take_array(path, list, LOGITS, &logits, expected->logits, err);
    if (!status)
        status = take_array(path, list, INPUT_GRADIENT, &images, expected->input_gradient, err);
    return status;
}

static nas_status_t take_losses(const char *path, const list_t *list, nas_reference_t *reference,
                                nas_error_t *err)
{
    const nas_reference_shape_t losses = {1, {reference->n_steps}};
    if (reference->n_steps == 0) return NAS_OK;
    return take_array(path, list, list->losses, &losses, reference->expected.losses, err);
}

/* Before room is made for it: a few numbers in a file may speak of a network of any size. */
static nas_status_t check_sizes(const char *path, const list_t *list,
                                const nas_reference_t *reference, nas_error_t *err)
{
    const nas_reference_shape_t logits = nas_reference_logits_shape(reference);
    nas_status_t status = NAS_OK;
    if (nas_reference_has_values(reference)) status = check_shape(path, list, LOGITS, &logits, err);
    for (size_t i = list->weights; !status && i < list->gradients; i++) {
        const nas_reference_shape_t shape =
            nas_reference_parameter_shape(&reference->graph->parameter[i - list->weights]);
        status = check_shape(path, list, i, &shape, err);
    }
    return status;
}

/* Note what the file has, and make room for it. */
static nas_status_t allocate(const list_t *list, nas_reference_t *reference, nas_error_t *err)
{
    const size_t n_parameters = (size_t)reference->graph->n_parameters;
    int n_metrics;
    (void)nas_metric_list(&n_metrics);
    reference->has_metric = calloc((size_t)n_metrics, sizeof *reference->has_metric);
    reference->has_gradient = calloc(n_parameters, sizeof *reference->has_gradient);
    if (!reference->parameters)
        reference->parameters = calloc((size_t)reference->graph->n_values, sizeof(double));
    if (!reference->has_metric || !reference->has_gradient || !reference->parameters)
        return nas_error_nomem(err, "a reference");
    for (size_t i = METRICS; i < list->losses; i++)
        reference->has_metric[i - METRICS] = list->array[i].data != NULL;
    for (size_t i = list->gradients; i < list->n; i++)
        reference->has_gradient[i - list->gradients] = list->array[i].data != NULL;
    reference->has_input_gradient =
        nas_reference_has_values(reference) && list->array[INPUT_GRADIENT].data != NULL;
    return nas_reference_values_init(reference, &reference->expected, err);
}

nas_status_t nas_reference_read_values(const char *path, nas_reference_t *reference,
                                       nas_error_t *err)
{
    list_t list = {0};
    nas_status_t status = make_list(&list, reference, err);
    if (!status) status = nas_reference_items(path, list.item, list.n, list.array, err);
    if (!status) status = check_sizes(path, &list, reference, err);
    if (!status) status = allocate(&list, reference, err);
    if (!status) status = take_parameters(path, &list, reference, err);
    if (!status) status = take_gradients(path, &list, reference, err);
    if (!status) status = take_metrics(path, &list, reference, err);
    if (!status) status = take_outputs(path, &list, reference, err);
    if (!status) status = take_losses(path, &list, reference, err);
    free_list(&list);
    return status;
}

/* ------------------------------------------------------------------------------- values */

nas_reference_shape_t nas_reference_parameter_shape(const nas_parameter_t *parameter)
{
    nas_reference_shape_t shape = {.rank = parameter->n_dims};
    for (int i = 0; i < shape.rank; i++) shape.size[i] = parameter->shape[i];
    return shape;
}

nas_reference_shape_t nas_reference_images_shape(const nas_images_t *images)
{
    return (nas_reference_shape_t){4, {images->n, images->c, images->h, images->w}};
}

nas_reference_shape_t nas_reference_logits_shape(const nas_reference_t *reference)
{
    return (nas_reference_shape_t){2, {reference->batch, reference->graph->network.classes}};
}

static nas_status_t init_batch(const nas_reference_t *reference, nas_reference_values_t *values,
                               nas_error_t *err)
{
    const nas_graph_t *graph = reference->graph;
    int n_metrics;
    (void)nas_metric_list(&n_metrics);
    const size_t n_logits = (size_t)reference->batch * (size_t)graph->network.classes;
    values->logits = calloc(n_logits, sizeof(double));
    values->metric = calloc((size_t)n_metrics, sizeof(double));
    values->gradient = calloc((size_t)graph->n_values, sizeof(double));
    values->input_gradient = calloc(nas_reference_n_pixels(reference), sizeof(double));
    if (values->logits && values->metric && values->gradient && values->input_gradient)
        return NAS_OK;
    return nas_error_nomem(err, "a reference's values");
}

nas_status_t nas_reference_values_init(const nas_reference_t *reference,
                                       nas_reference_values_t *values, nas_error_t *err)
{
    nas_reference_values_t made = {0};
    nas_status_t status = NAS_OK;
    if (nas_reference_has_values(reference)) status = init_batch(reference, &made, err);
    if (!status && reference->n_steps > 0) {
        made.losses = calloc((size_t)reference->n_steps, sizeof *made.losses);
        if (!made.losses) status = nas_error_nomem(err, "a reference's losses");
    }
    if (status)
        nas_reference_values_fini(&made);
    else
        *values = made;
    return status;
}

void nas_reference_values_fini(nas_reference_values_t *values)
{
    free(values->logits);
    free(values->metric);
    free(values->gradient);
    free(values->input_gradient);
    free(values->losses);
    *values = (nas_reference_values_t){0};
}
