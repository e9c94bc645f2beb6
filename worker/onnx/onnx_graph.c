/* Every live node of the graph is a value of the model. What several readers make anew of one value
 * (its ReLU, a pool) is made once, by the first. Values and nodes of the model have the names that
 * the graph's nodes have, like "cell3/edge0/conv"; ReLUs and pools without one have that of what
 * they read, and "relu" or "pool" behind it.
 *
 * A sum of one tensor is that tensor, and a sum of none is zero. Adding zero, or its mean, changes
 * nothing, so such terms are left out; only what other operations read is made, by ConstantOfShape,
 * since the number of images is not known here.
 */
#include "worker/onnx/onnx_graph.h"

#include <string.h>

/* Share of a batch in running statistics, which ONNX has the rest of: 0.9 where nothing is said. */
static const double USUAL_MOMENTUM = 0.1;

/* What a node of the graph is in the model. Texts are the model's; NULL: not made yet. */
typedef struct value {
    int same_as; /* the node that it is a copy of, or itself */
    bool zero;
    const char *name;
    const char *made;
} value_t;

typedef struct exporter {
    const nas_onnx_options_t *options;
    const nas_graph_t *graph;
    nas_onnx_model_t *model;
    value_t *value;           /* [n_nodes] */
    const char **initialiser; /* [n_parameters] its name, once it is one; NULL before */
    const char **given;       /* [n_given] names of initialisers that are not the graph's */
    size_t n_given;
    const char *batch; /* the number of images as a tensor [1]; NULL: not made yet */
} exporter_t;

static const char *child(exporter_t *ex, const char *name, const char *part)
{
    return nas_onnx_text(ex->model, "%s/%s", name, part);
}

static const nas_node_t *node_at(const exporter_t *ex, int node)
{
    return &ex->graph->node[node];
}

static int source_of(const exporter_t *ex, int node)
{
    return nas_graph_input(ex->graph, node, 0);
}

/* The value that a node is a copy of, or its own. */
static value_t *value_of(exporter_t *ex, int node)
{
    return &ex->value[ex->value[node].same_as];
}

/* ------------------------------------------------------------------------------ initialisers */

static void fill(float *to, const double *from, size_t n)
{
    for (size_t i = 0; to && i < n; i++) to[i] = (float)from[i];
}

/* The name of an initialiser: what the caller has for it, where nothing else is called so, since in
 * a file several nodes may read one. */
static const char *choose_name(exporter_t *ex, const char *const *names, int i,
                               const char *otherwise)
{
    const char *name = names ? names[i] : "";
    if (!*name || strcmp(name, "images") == 0 || strcmp(name, "logits") == 0) return otherwise;
    for (int k = 0; k < ex->graph->n_nodes; k++)
        if (ex->value[k].name && strcmp(ex->value[k].name, name) == 0) return otherwise;
    for (size_t k = 0; k < ex->n_given; k++)
        if (strcmp(ex->given[k], name) == 0) return otherwise;
    ex->given[ex->n_given++] = name;
    return name;
}

static bool is_exchanged(const exporter_t *ex, int parameter)
{
    return ex->options->is_exchanged && ex->options->is_exchanged[parameter];
}

static void fill_columns(float *to, const double *from, const nas_parameter_t *matrix)
{
    const int64_t rows = matrix->shape[0], columns = matrix->shape[1];
    for (int64_t i = 0; to && i < columns; i++)
        for (int64_t k = 0; k < rows; k++) *to++ = (float)from[k * columns + i];
}

/* A weight that several layers share is there once. */
static const char *add_parameter(exporter_t *ex, int parameter)
{
    const nas_parameter_t *p = &ex->graph->parameter[parameter];
    const double *values = ex->options->parameters + p->offset;
    const char **name = &ex->initialiser[parameter];
    if (*name) return *name;
    *name = choose_name(ex, ex->options->parameter, parameter, p->name);
    nas_onnx_tensor_t tensor = {.name = *name, .n_dims = p->n_dims};
    memcpy(tensor.dims, p->shape, sizeof tensor.dims);
    if (!is_exchanged(ex, parameter)) {
        fill(nas_onnx_add_floats(ex->model, &tensor), values, (size_t)p->n);
        return *name;
    }
    tensor.dims[0] = p->shape[1];
    tensor.dims[1] = p->shape[0];
    fill_columns(nas_onnx_add_floats(ex->model, &tensor), values, p);
    return *name;
}

/* c numbers. values NULL: all of them are `otherwise`. */
static const char *add_vector(exporter_t *ex, const char *name, int c, const double *values)
{
    const nas_onnx_tensor_t tensor = {.name = name, .n_dims = 1, .dims = {c}};
    fill(nas_onnx_add_floats(ex->model, &tensor), values, (size_t)c);
    return name;
}

/* What is the same for all networks: an initialiser would be read as a parameter. */
static const char *add_constant(exporter_t *ex, const char *name, int c, float value)
{
    const nas_onnx_tensor_t tensor = {.name = name, .n_dims = 1, .dims = {c}};
    float *to = nas_onnx_add_constant(ex->model, &tensor);
    for (int i = 0; to && i < c; i++) to[i] = value;
    return name;
}

/* ------------------------------------------------------------------------------------- zeros */

static Onnx__NodeProto *add_unary(exporter_t *ex, const char *op, const char *name,
                                  const char *input)
{
    return nas_onnx_add_node(ex->model, op, name, &input, 1);
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

static const char *add_zeros(exporter_t *ex, const value_t *value, nas_extents_t extents)
{
    const char *batch = batch_size(ex), *shape = child(ex, value->name, "shape");
    const nas_onnx_tensor_t rest = {
        .name = child(ex, value->name, "extents"), .n_dims = 1, .dims = {3}};
    int64_t *extent = nas_onnx_add_integers(ex->model, &rest);
    if (extent) {
        extent[0] = extents.c;
        extent[1] = extents.h;
        extent[2] = extents.w;
    }
    const char *inputs[] = {batch, rest.name};
    nas_onnx_set_int(ex->model, nas_onnx_add_node(ex->model, "Concat", shape, inputs, 2), "axis",
                     0);
    const char *of = shape;
    (void)nas_onnx_add_node(ex->model, "ConstantOfShape", value->name, &of, 1);
    return value->name;
}

/* The model's value of what a node reads, made now where it is a zero that is not there yet. */
static const char *made(exporter_t *ex, int node)
{
    value_t *value = value_of(ex, node);
    if (!value->made)
        value->made = add_zeros(ex, value, node_at(ex, ex->value[node].same_as)->extents);
    return value->made;
}

/* ----------------------------------------------------------------------------- operations */

static void set_window(exporter_t *ex, Onnx__NodeProto *node, nas_window_t window)
{
    const int64_t kernel[2] = {window.k_h, window.k_w};
    const int64_t strides[2] = {window.stride_h, window.stride_w};
    const int64_t pads[4] = {window.top, window.left, window.bottom, window.right};
    const int64_t dilations[2] = {window.dilation_h, window.dilation_w};
    nas_onnx_set_ints(ex->model, node, "kernel_shape", kernel, 2);
    nas_onnx_set_ints(ex->model, node, "strides", strides, 2);
    nas_onnx_set_ints(ex->model, node, "pads", pads, 4);
    if (window.dilation_h != 1 || window.dilation_w != 1)
        nas_onnx_set_ints(ex->model, node, "dilations", dilations, 2);
}

static const char *add_image_numbers(exporter_t *ex, const char *name, const double *values)
{
    const int channels = ex->graph->network.image_channels;
    const nas_onnx_tensor_t tensor = {.name = name, .n_dims = 4, .dims = {1, channels, 1, 1}};
    fill(nas_onnx_add_floats(ex->model, &tensor), values, (size_t)channels);
    return name;
}

static const char *normalised_images(exporter_t *ex)
{
    const char *centre[] = {"images", add_image_numbers(ex, "images/mean", ex->options->mean)};
    (void)nas_onnx_add_node(ex->model, "Sub", "images/centred", centre, 2);
    const char *scale[] = {"images/centred", add_image_numbers(ex, "images/std", ex->options->std)};
    (void)nas_onnx_add_node(ex->model, "Div", "images/normalised", scale, 2);
    return "images/normalised";
}

static const char *add_conv(exporter_t *ex, int index)
{
    const nas_node_t *conv = node_at(ex, index);
    const char *inputs[3] = {made(ex, source_of(ex, index))};
    size_t n = 1;
    inputs[n++] = add_parameter(ex, conv->weight);
    if (conv->bias >= 0) inputs[n++] = add_parameter(ex, conv->bias);
    Onnx__NodeProto *node = nas_onnx_add_node(ex->model, "Conv", conv->name, inputs, n);
    set_window(ex, node, conv->window);
    if (conv->groups != 1) nas_onnx_set_int(ex->model, node, "group", conv->groups);
    return conv->name;
}

/* Norms of the graph before this one. */
static int norms_before(const exporter_t *ex, int index)
{
    int n = 0;
    for (int i = 0; i < index; i++) n += node_at(ex, i)->kind == NAS_NODE_NORM;
    return n;
}

static const char *add_norm(exporter_t *ex, int index)
{
    const char *const *statistic = ex->options->statistic;
    const int first = 2 * norms_before(ex, index);
    const nas_node_t *norm = node_at(ex, index);
    const int c = norm->extents.c;
    const char *name = norm->name, *inputs[5] = {made(ex, source_of(ex, index))};
    const double *mean = ex->options->statistics + norm->statistics;
    inputs[1] = norm->weight >= 0 ? add_parameter(ex, norm->weight)
                                  : add_constant(ex, child(ex, name, "gamma"), c, 1);
    inputs[2] = norm->bias >= 0 ? add_parameter(ex, norm->bias)
                                : add_constant(ex, child(ex, name, "beta"), c, 0);
    inputs[3] = add_vector(ex, choose_name(ex, statistic, first, child(ex, name, "mean")), c, mean);
    inputs[4] = add_vector(ex, choose_name(ex, statistic, first + 1, child(ex, name, "variance")),
                           c, mean + c);
    Onnx__NodeProto *node = nas_onnx_add_node(ex->model, "BatchNormalization", name, inputs, 5);
    nas_onnx_set_float(ex->model, node, "epsilon", (float)norm->eps);
    if (norm->momentum != USUAL_MOMENTUM)
        nas_onnx_set_float(ex->model, node, "momentum", (float)(1 - norm->momentum));
    return name;
}

static const char *add_rectifier(exporter_t *ex, int index, const char *name)
{
    const char *inputs[3] = {made(ex, source_of(ex, index))};
    if (node_at(ex, index)->rectifier == NAS_RECTIFIER_RELU) {
        (void)nas_onnx_add_node(ex->model, "Relu", name, inputs, 1);
        return name;
    }
    const nas_onnx_tensor_t low = {.name = child(ex, name, "low")},
                            high = {.name = child(ex, name, "high")};
    float *most = nas_onnx_add_floats(ex->model, &high);
    (void)nas_onnx_add_floats(ex->model, &low); /* which is 0 */
    if (most) *most = 6;
    inputs[1] = low.name;
    inputs[2] = high.name;
    (void)nas_onnx_add_node(ex->model, "Clip", name, inputs, 3);
    return name;
}

static const char *add_pool(exporter_t *ex, int index, const char *name)
{
    static const char *const op[2][2] = {
        [NAS_POOL_MEAN] = {"AveragePool", "GlobalAveragePool"},
        [NAS_POOL_MAX] = {"MaxPool", "GlobalMaxPool"},
    };
    const nas_node_t *pool = node_at(ex, index);
    const char *input = made(ex, source_of(ex, index));
    Onnx__NodeProto *node = add_unary(ex, op[pool->pool][pool->is_global], name, input);
    if (pool->is_global) return name;
    set_window(ex, node, pool->window);
    if (pool->ceil) nas_onnx_set_int(ex->model, node, "ceil_mode", 1);
    if (pool->pool == NAS_POOL_MEAN)
        nas_onnx_set_int(ex->model, node, "count_include_pad", pool->counts_padding);
    return name;
}

static bool is_taken(const exporter_t *ex, const char *name, int index)
{
    for (int i = 0; name && i < ex->graph->n_nodes; i++)
        if (i != index && ex->value[i].name && strcmp(ex->value[i].name, name) == 0) return true;
    return false;
}

/* The name of a node that was given none: its source's, and what it is; with a number where that is
 * another one's. */
static const char *derive_name(exporter_t *ex, int index, int source)
{
    const char *of = ex->value[source].name;
    const nas_node_kind_t kind = node_at(ex, index)->kind;
    const char *what = kind == NAS_NODE_POOL ? "pool" : kind == NAS_NODE_CROP ? "part" : "relu";
    const char *name = child(ex, of, what);
    for (int n = 2; is_taken(ex, name, index); n++)
        name = nas_onnx_text(ex->model, "%s/%s%d", of, what, n);
    return name;
}

/* Four numbers of a shape, as an initialiser. */
static const char *add_numbers(exporter_t *ex, const char *name, const int64_t *values, int n)
{
    const nas_onnx_tensor_t tensor = {.name = name, .n_dims = 1, .dims = {n}};
    int64_t *to = nas_onnx_add_integers(ex->model, &tensor);
    for (int i = 0; to && i < n; i++) to[i] = values[i];
    return name;
}

static int64_t beyond(int64_t x)
{
    return x > 0 ? x : 0;
}

/* Zeros around what the source has, then the part. */
static const char *add_crop(exporter_t *ex, int index)
{
    const nas_node_t *crop = node_at(ex, index);
    if (!crop->name) ex->value[index].name = derive_name(ex, index, source_of(ex, index));
    const nas_extents_t from = node_at(ex, source_of(ex, index))->extents, to = crop->extents;
    const char *name = ex->value[index].name;
    const int64_t above = beyond(-crop->top), before = beyond(-crop->left);
    const int64_t pads[8] = {0,
                             0,
                             above,
                             before,
                             0,
                             0,
                             beyond((int64_t)crop->top + to.h - from.h),
                             beyond((int64_t)crop->left + to.w - from.w)};
    const int64_t first[2] = {crop->top + above, crop->left + before};
    const int64_t end[2] = {first[0] + to.h, first[1] + to.w}, axes[2] = {2, 3};
    const char *padded = child(ex, name, "padded");
    const char *pad[] = {made(ex, source_of(ex, index)),
                         add_numbers(ex, child(ex, name, "pads"), pads, 8)};
    const char *slice[] = {padded, add_numbers(ex, child(ex, name, "first"), first, 2),
                           add_numbers(ex, child(ex, name, "end"), end, 2),
                           add_numbers(ex, child(ex, name, "axes"), axes, 2)};
    (void)nas_onnx_add_node(ex->model, "Pad", padded, pad, 2);
    (void)nas_onnx_add_node(ex->model, "Slice", name, slice, 4);
    return name;
}

static const char *add_flatten(exporter_t *ex, int index)
{
    const char *name = node_at(ex, index)->name;
    nas_onnx_set_int(ex->model, add_unary(ex, "Flatten", name, made(ex, source_of(ex, index))),
                     "axis", 1);
    return name;
}

static const char *add_linear(exporter_t *ex, int index)
{
    const nas_node_t *linear = node_at(ex, index);
    const char *inputs[3] = {made(ex, source_of(ex, index))};
    size_t n = 1;
    inputs[n++] = add_parameter(ex, linear->weight);
    if (linear->bias >= 0) inputs[n++] = add_parameter(ex, linear->bias);
    Onnx__NodeProto *node = nas_onnx_add_node(ex->model, "Gemm", linear->name, inputs, n);
    if (!is_exchanged(ex, linear->weight)) nas_onnx_set_int(ex->model, node, "transB", 1);
    if (index != ex->graph->output) return linear->name;
    if (node) node->output[0] = (char *)"logits";
    return "logits";
}

static const char *add_concat(exporter_t *ex, int index)
{
    const nas_node_t *node = node_at(ex, index);
    const size_t n = (size_t)node->n_inputs;
    const char **inputs = nas_onnx_take(ex->model, n, sizeof *inputs);
    for (size_t i = 0; inputs && i < n; i++)
        inputs[i] = made(ex, nas_graph_input(ex->graph, index, (int)i));
    nas_onnx_set_int(ex->model, nas_onnx_add_node(ex->model, "Concat", node->name, inputs, n),
                     "axis", 1);
    return node->name;
}

/* -------------------------------------------------------------------------------------- nodes */

static bool are_equal(nas_extents_t a, nas_extents_t b)
{
    return a.c == b.c && a.h == b.h && a.w == b.w;
}

/* Whether two nodes make the same of what they read. */
static bool do_same(const nas_node_t *a, const nas_node_t *b)
{
    return a->kind == b->kind && a->rectifier == b->rectifier && a->pool == b->pool &&
           a->is_global == b->is_global && a->counts_padding == b->counts_padding &&
           a->ceil == b->ceil && a->top == b->top && a->left == b->left &&
           memcmp(&a->window, &b->window, sizeof a->window) == 0;
}

/* A ReLU or pool: that of a reader before, zero, or one of its own. */
static void add_shared(exporter_t *ex, int index)
{
    const nas_node_t *node = node_at(ex, index);
    const int source = ex->value[source_of(ex, index)].same_as;
    value_t *value = &ex->value[index];
    if (ex->value[source].zero && are_equal(node->extents, node_at(ex, source)->extents)) {
        value->same_as = source;
        return;
    }
    for (int i = source + 1; i < index; i++)
        if (node_at(ex, i)->live && do_same(node_at(ex, i), node) &&
            ex->value[source_of(ex, i)].same_as == source) {
            value->same_as = i;
            return;
        }
    if (!node->name) value->name = derive_name(ex, index, source);
    value->made = node->kind == NAS_NODE_POOL ? add_pool(ex, index, value->name)
                                              : add_rectifier(ex, index, value->name);
}

static void add_sum(exporter_t *ex, int index)
{
    const nas_node_t *node = node_at(ex, index);
    value_t *value = &ex->value[index];
    const char **term = nas_onnx_take(ex->model, (size_t)node->n_inputs + 1, sizeof *term);
    size_t n = 0;
    int last = -1;
    for (int i = 0; term && i < node->n_inputs; i++) {
        const int input = nas_graph_input(ex->graph, index, i);
        if (value_of(ex, input)->zero) continue;
        term[n++] = made(ex, input);
        last = input;
    }
    value->zero = n == 0;
    if (n == 1 && node_at(ex, last)->kind == NAS_NODE_SUM)
        value->same_as = ex->value[last].same_as;
    else if (n == 1)
        value->made = term[0];
    if (n < 2) return;
    (void)nas_onnx_add_node(ex->model, n == 2 ? "Add" : "Sum", node->name, term, n);
    value->made = node->name;
}

static void add_node(exporter_t *ex, int index)
{
    value_t *value = &ex->value[index];
    switch (node_at(ex, index)->kind) {
    case NAS_NODE_IMAGE:
        value->made = normalised_images(ex);
        break;
    case NAS_NODE_CONV:
        value->made = add_conv(ex, index);
        break;
    case NAS_NODE_NORM:
        value->made = add_norm(ex, index);
        break;
    case NAS_NODE_RECTIFIER:
    case NAS_NODE_POOL:
        add_shared(ex, index);
        break;
    case NAS_NODE_SUM:
        add_sum(ex, index);
        break;
    case NAS_NODE_CONCAT:
        value->made = add_concat(ex, index);
        break;
    case NAS_NODE_CROP:
        value->made = add_crop(ex, index);
        break;
    case NAS_NODE_FLATTEN:
        value->made = add_flatten(ex, index);
        break;
    case NAS_NODE_LINEAR:
        value->made = add_linear(ex, index);
        break;
    }
}

void nas_onnx_add_network(nas_onnx_model_t *model, const nas_onnx_options_t *options)
{
    const nas_graph_t *graph = options->graph;
    exporter_t ex = {.options = options,
                     .graph = graph,
                     .model = model,
                     .value = nas_onnx_take(model, (size_t)graph->n_nodes, sizeof *ex.value)};
    const size_t n_parameters = (size_t)graph->n_parameters + 1;
    const size_t n_given = n_parameters + 2 * (size_t)graph->n_nodes;
    ex.initialiser = nas_onnx_take(model, n_parameters, sizeof *ex.initialiser);
    ex.given = nas_onnx_take(model, n_given, sizeof *ex.given);
    if (!ex.value || !ex.initialiser || !ex.given) return;
    for (int i = 0; i < graph->n_nodes; i++)
        ex.value[i] = (value_t){.same_as = i, .name = graph->node[i].name};
    for (int i = 0; i < graph->n_nodes; i++)
        if (graph->node[i].live) add_node(&ex, i);
    const char *output = made(&ex, graph->output);
    if (output && strcmp(output, "logits") != 0) (void)add_unary(&ex, "Identity", "logits", output);
}
