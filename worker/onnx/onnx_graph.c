/* Every live node of the graph is one value of the model: the sum of its terms, or the term where
 * there is just one. What several readers share (a node rectified, a node pooled) is made once, by
 * the first. Values and nodes of the model have the names of the graph's parameters without their
 * last part, like "cell3/edge0/conv"; sums are like "cell3/node2", node 3 being the cell's output.
 *
 * A node without inputs is zero. Adding zero, or its mean, changes nothing, so such terms are left
 * out; only what a convolution or the head reads is made, by ConstantOfShape, since the number of
 * images is not known here. Groups of convolutions are how a backend computes them, not what a
 * network is: every convolution is a node of its own.
 */
#include "worker/onnx/onnx_graph.h"

#include <stdio.h>
#include <string.h>

/* Of all batch normalisations, as in the engine (net/norm.c). */
static const float epsilon = 1e-5F;

/* One node of the graph. Texts are the model's; NULL: not made yet. */
typedef struct value {
    const char *name;
    int same_as; /* the node that it is a copy of, or itself */
    bool zero;
    const char *plain;
    const char *relu;
    const char *pool;
} value_t;

typedef struct exporter {
    const nas_onnx_options_t *options;
    const nas_graph_t *graph;
    nas_onnx_model_t *model;
    value_t *value;     /* [n_nodes] */
    const char *images; /* normalised; NULL: not made yet */
    const char *batch;  /* the number of images as a tensor [1]; NULL: not made yet */
} exporter_t;

/* ------------------------------------------------------------------------------------- names */

/* The name without its last part. */
static const char *parent(exporter_t *ex, const char *name)
{
    return nas_onnx_text(ex->model, "%.*s", (int)(strrchr(name, '/') - name), name);
}

static const char *child(exporter_t *ex, const char *name, const char *part)
{
    return nas_onnx_text(ex->model, "%s/%s", name, part);
}

static const char *conv_name(exporter_t *ex, const nas_graph_conv_t *conv)
{
    return parent(ex, ex->graph->parameter[conv->weight].name);
}

static const char *norm_name(exporter_t *ex, const nas_graph_norm_t *norm)
{
    if (norm->gamma >= 0) return parent(ex, ex->graph->parameter[norm->gamma].name);
    const char *conv = conv_name(ex, &ex->graph->conv[norm->conv]);
    return conv ? child(ex, parent(ex, conv), "bn") : NULL;
}

static value_t *name_nodes(exporter_t *ex, value_t *value, const char *block, int n)
{
    for (int i = 1; i <= n; i++, value++)
        value->name = nas_onnx_text(ex->model, "%s/node%d", block, i);
    return value;
}

/* In the order in which the graph has its nodes: graph.h. */
static void name_all_nodes(exporter_t *ex)
{
    const int cells = ex->graph->network.cells, n_nodes = ex->graph->n_nodes;
    value_t *value = ex->value, *head = value + n_nodes - 1;
    char block[NAS_NAME_SIZE / 2];
    (value++)->name = "stem";
    for (int cell = 0; value < head; cell++) {
        if (cell && cell % cells == 0) {
            (void)snprintf(block, sizeof block, "reduction%d", cell / cells);
            value = name_nodes(ex, value, block, 2);
        }
        (void)snprintf(block, sizeof block, "cell%d", cell);
        value = name_nodes(ex, value, block, NAS_CELL_NODES - 1);
    }
    NAS_ASSERT(value == head);
    head->name = "head";
}

/* ------------------------------------------------------------------------------ initialisers */

static void fill(float *to, const double *from, size_t n)
{
    for (size_t i = 0; to && i < n; i++) to[i] = (float)from[i];
}

static const char *add_parameter(exporter_t *ex, int parameter)
{
    const nas_parameter_t *p = &ex->graph->parameter[parameter];
    nas_onnx_tensor_t tensor = {.name = p->name, .n_dims = p->n_dims};
    memcpy(tensor.dims, p->shape, sizeof tensor.dims);
    fill(nas_onnx_add_floats(ex->model, &tensor), ex->options->parameters + p->offset,
         (size_t)p->n);
    return p->name;
}

/* c numbers. values NULL: all of them are `otherwise`. */
static const char *add_vector(exporter_t *ex, const char *name, int c, const double *values,
                              float otherwise)
{
    const nas_onnx_tensor_t tensor = {.name = name, .n_dims = 1, .dims = {c}};
    float *to = nas_onnx_add_floats(ex->model, &tensor);
    if (values) fill(to, values, (size_t)c);
    for (int i = 0; to && !values && i < c; i++) to[i] = otherwise;
    return name;
}

/* ---------------------------------------------------------------------- operations of a kind */

static Onnx__NodeProto *add_unary(exporter_t *ex, const char *op, const char *name,
                                  const char *input)
{
    return nas_onnx_add_node(ex->model, op, name, &input, 1);
}

/* A window of k x k pixels. */
static void set_window(exporter_t *ex, Onnx__NodeProto *node, int k, int stride, int pad)
{
    const int64_t kernel[2] = {k, k}, strides[2] = {stride, stride};
    const int64_t pads[4] = {pad, pad, pad, pad};
    nas_onnx_set_ints(ex->model, node, "kernel_shape", kernel, 2);
    nas_onnx_set_ints(ex->model, node, "strides", strides, 2);
    nas_onnx_set_ints(ex->model, node, "pads", pads, 4);
}

static const char *add_pool(exporter_t *ex, const char *name, const char *input, bool halve)
{
    Onnx__NodeProto *node = add_unary(ex, "AveragePool", name, input);
    if (halve)
        set_window(ex, node, 2, 2, 0);
    else
        set_window(ex, node, 3, 1, 1);
    nas_onnx_set_int(ex->model, node, "count_include_pad", 0);
    return name;
}

static const char *add_norm(exporter_t *ex, const nas_graph_norm_t *norm, const char *input)
{
    const char *name = norm_name(ex, norm), *inputs[5] = {input};
    const double *mean = ex->options->statistics + norm->statistics;
    inputs[1] = norm->gamma >= 0 ? add_parameter(ex, norm->gamma)
                                 : add_vector(ex, child(ex, name, "gamma"), norm->c, NULL, 1);
    inputs[2] = norm->beta >= 0 ? add_parameter(ex, norm->beta)
                                : add_vector(ex, child(ex, name, "beta"), norm->c, NULL, 0);
    inputs[3] = add_vector(ex, child(ex, name, "mean"), norm->c, mean, 0);
    inputs[4] = add_vector(ex, child(ex, name, "variance"), norm->c, mean + norm->c, 0);
    Onnx__NodeProto *node = nas_onnx_add_node(ex->model, "BatchNormalization", name, inputs, 5);
    nas_onnx_set_float(ex->model, node, "epsilon", epsilon);
    return name;
}

/* ------------------------------------------------------------------------------------ sources */

static const char *add_image_numbers(exporter_t *ex, const char *name, const double *values)
{
    const int channels = ex->graph->network.image_channels;
    const nas_onnx_tensor_t tensor = {.name = name, .n_dims = 4, .dims = {1, channels, 1, 1}};
    fill(nas_onnx_add_floats(ex->model, &tensor), values, (size_t)channels);
    return name;
}

static const char *normalised_images(exporter_t *ex)
{
    if (ex->images) return ex->images;
    const char *centre[] = {"images", add_image_numbers(ex, "images/mean", ex->options->mean)};
    (void)nas_onnx_add_node(ex->model, "Sub", "images/centred", centre, 2);
    const char *scale[] = {"images/centred", add_image_numbers(ex, "images/std", ex->options->std)};
    (void)nas_onnx_add_node(ex->model, "Div", "images/normalised", scale, 2);
    ex->images = "images/normalised";
    return ex->images;
}

static const char *batch_size(exporter_t *ex)
{
    if (ex->batch) return ex->batch;
    const nas_onnx_tensor_t first = {.name = "images/first", .n_dims = 1, .dims = {1}};
    (void)add_unary(ex, "Shape", "images/shape", "images");
    (void)nas_onnx_add_integers(ex->model, &first); /* which is 0 */
    const char *inputs[] = {"images/shape", first.name};
    (void)nas_onnx_add_node(ex->model, "Gather", "images/batch", inputs, 2);
    ex->batch = "images/batch";
    return ex->batch;
}

static const char *add_zeros(exporter_t *ex, const value_t *value, const nas_graph_node_t *node)
{
    const char *batch = batch_size(ex), *shape = child(ex, value->name, "shape");
    const nas_onnx_tensor_t rest = {
        .name = child(ex, value->name, "extents"), .n_dims = 1, .dims = {3}};
    int64_t *extent = nas_onnx_add_integers(ex->model, &rest);
    if (extent) {
        extent[0] = node->c;
        extent[1] = node->h;
        extent[2] = node->w;
    }
    const char *inputs[] = {batch, rest.name};
    nas_onnx_set_int(ex->model, nas_onnx_add_node(ex->model, "Concat", shape, inputs, 2), "axis",
                     0);
    (void)add_unary(ex, "ConstantOfShape", value->name, shape);
    return value->name;
}

/* The value that a node is a copy of, or its own. */
static value_t *value_of(exporter_t *ex, int node)
{
    return &ex->value[ex->value[node].same_as];
}

static const char *plain(exporter_t *ex, int node)
{
    value_t *value = value_of(ex, node);
    if (!value->plain) value->plain = add_zeros(ex, value, &ex->graph->node[node]);
    return value->plain;
}

static const char *rectified(exporter_t *ex, int node)
{
    value_t *value = value_of(ex, node);
    if (value->zero) return plain(ex, node);
    if (!value->relu) {
        value->relu = child(ex, value->name, "relu");
        (void)add_unary(ex, "Relu", value->relu, plain(ex, node));
    }
    return value->relu;
}

static const char *pooled(exporter_t *ex, int node)
{
    value_t *value = value_of(ex, node);
    if (!value->pool) {
        value->pool = child(ex, value->name, "pool");
        (void)add_pool(ex, value->pool, plain(ex, node), false);
    }
    return value->pool;
}

/* -------------------------------------------------------------------------------------- terms */

static const char *conv_input(exporter_t *ex, const nas_graph_conv_t *conv, const char *name)
{
    switch (conv->feed) {
    case NAS_FEED_IMAGE:
        return normalised_images(ex);
    case NAS_FEED_RELU:
        return rectified(ex, conv->source);
    case NAS_FEED_POOL2:
        break;
    }
    return add_pool(ex, child(ex, name, "pool"), plain(ex, conv->source), true);
}

static const char *add_conv(exporter_t *ex, const nas_graph_conv_t *conv)
{
    const char *name = conv_name(ex, conv);
    const char *inputs[3] = {conv_input(ex, conv, name)};
    size_t n = 1;
    inputs[n++] = add_parameter(ex, conv->weight);
    if (conv->bias >= 0) inputs[n++] = add_parameter(ex, conv->bias);
    Onnx__NodeProto *node = nas_onnx_add_node(ex->model, "Conv", name, inputs, n);
    set_window(ex, node, conv->k, conv->stride, conv->k / 2);
    return conv->norm >= 0 ? add_norm(ex, &ex->graph->norm[conv->norm], name) : name;
}

/* NULL: zero. */
static const char *add_term(exporter_t *ex, int node, int input)
{
    const int index = ex->graph->node[node].input[input].index;
    const int source = nas_graph_source(ex->graph, node, input);
    const bool zero = source >= 0 && value_of(ex, source)->zero;
    switch (ex->graph->node[node].input[input].kind) {
    case NAS_INPUT_CONV:
        return add_conv(ex, &ex->graph->conv[index]);
    case NAS_INPUT_NORM:
        return add_norm(ex, &ex->graph->norm[index], plain(ex, source));
    case NAS_INPUT_POOL3:
        return zero ? NULL : pooled(ex, source);
    case NAS_INPUT_COPY:
        break;
    }
    return zero ? NULL : plain(ex, source);
}

static void add_node(exporter_t *ex, int index)
{
    const nas_graph_node_t *node = &ex->graph->node[index];
    value_t *value = &ex->value[index];
    const char *term[NAS_NODE_TERMS];
    size_t n = 0;
    int last = -1;
    for (int i = 0; i < node->n_inputs; i++) {
        const char *name = add_term(ex, index, i);
        if (!name) continue;
        term[n++] = name;
        last = i;
    }
    value->zero = n == 0;
    if (n == 1 && node->input[last].kind == NAS_INPUT_COPY) {
        value->same_as = ex->value[node->input[last].index].same_as;
        return;
    }
    if (n == 1) value->plain = term[0];
    if (n < 2) return;
    (void)nas_onnx_add_node(ex->model, n == 2 ? "Add" : "Sum", value->name, term, n);
    value->plain = value->name;
}

/* --------------------------------------------------------------------------------- the network */

static void add_head(exporter_t *ex)
{
    const char *name = parent(ex, ex->graph->parameter[ex->graph->linear_weight].name);
    const char *mean = "head/mean", *features = "head/features";
    (void)add_unary(ex, "GlobalAveragePool", mean, rectified(ex, ex->graph->n_nodes - 1));
    Onnx__NodeProto *flatten = add_unary(ex, "Flatten", features, mean);
    nas_onnx_set_int(ex->model, flatten, "axis", 1);
    const char *inputs[3] = {features};
    inputs[1] = add_parameter(ex, ex->graph->linear_weight);
    inputs[2] = add_parameter(ex, ex->graph->linear_bias);
    Onnx__NodeProto *linear = nas_onnx_add_node(ex->model, "Gemm", name, inputs, 3);
    nas_onnx_set_int(ex->model, linear, "transB", 1);
    if (linear) linear->output[0] = (char *)"logits";
}

void nas_onnx_add_network(nas_onnx_model_t *model, const nas_onnx_options_t *options)
{
    const nas_graph_t *graph = options->graph;
    exporter_t ex = {.options = options,
                     .graph = graph,
                     .model = model,
                     .value = nas_onnx_take(model, (size_t)graph->n_nodes, sizeof *ex.value)};
    if (!ex.value) return;
    for (int i = 0; i < graph->n_nodes; i++) ex.value[i].same_as = i;
    name_all_nodes(&ex);
    for (int i = 0; i < graph->n_nodes; i++)
        if (graph->node[i].live) add_node(&ex, i);
    add_head(&ex);
}
