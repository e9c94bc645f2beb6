/* Encoded models, decoded again: well formed, and all of the live network and nothing else. */
#include "common/base/version.h"
#include "onnx.pb-c.h"
#include "program_case.h"
#include "worker/onnx/onnx.h"

static const nas_network_t SCORE = {3, 8, 8, 4, 1, 5, NAS_CONVENTION_SCORE};
static const nas_network_t TRAIN = {1, 12, 8, 4, 2, 5, NAS_CONVENTION_TRAIN};

static const char NO_PATH[] =
    "|nor_conv_3x3~0|+|none~0|nor_conv_1x1~1|+|none~0|none~1|none~2|"; /* a special cell */
static const char ALL_NONE[] = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|";
/* Zeros on the way: copied, pooled and convolved ones. */
static const char ZEROS[] =
    "|none~0|+|nor_conv_3x3~0|skip_connect~1|+|skip_connect~0|nor_conv_1x1~1|avg_pool_3x3~2|";
static const char ONLY_ZEROS[] =
    "|none~0|+|none~0|avg_pool_3x3~1|+|none~0|nor_conv_3x3~1|skip_connect~2|";
static const char POOLS[] = "|avg_pool_3x3~0|+|avg_pool_3x3~0|avg_pool_3x3~1|+|avg_pool_3x3~0|avg_"
                            "pool_3x3~1|avg_pool_3x3~2|";
static const char SKIPS[] = "|skip_connect~0|+|skip_connect~0|skip_connect~1|+|skip_connect~0|skip_"
                            "connect~1|skip_connect~2|";
static const char COPY[] = "|skip_connect~0|+|none~0|none~1|+|none~0|skip_connect~1|none~2|";

static const char *const CELLS[] = {NO_PATH, ALL_NONE, ZEROS, ONLY_ZEROS, POOLS, SKIPS, COPY};
enum { N_NAMED = sizeof CELLS / sizeof *CELLS, N_MODELS = 2 * (N_CELLS + N_NAMED) };

static const double MEAN[] = {0.5, 0.25, 0.125}, STD[] = {0.25, 0.5, 0.75};
static const nas_provenance_t PROVENANCE[] = {
    {"arch", "|none~0|"}, {"digest", "0123"}, {"job", "\xe9t\xe9"}};

/* A network, and its model decoded. */
typedef struct sample {
    nas_graph_t *graph;
    double *parameters;
    double *statistics;
    nas_onnx_options_t options;
    unsigned char *data;
    size_t size;
    Onnx__ModelProto *model;
    const Onnx__GraphProto *onnx;
} sample_t;

static double *random_numbers(nas_rng_t *rng, int64_t n)
{
    double *value = calloc((size_t)n, sizeof *value);
    cr_assert_not_null(value);
    for (int64_t i = 0; i < n; i++) value[i] = (double)(float)nas_rng_between(rng, 0.5, 1.5);
    return value;
}

static void encode(const nas_onnx_options_t *options, unsigned char **data, size_t *size)
{
    nas_error_t err = {0};
    cr_assert_eq(nas_onnx_encode(options, data, size, &err), NAS_OK, "%s", err.text);
}

/* graph becomes the sample's. */
static sample_t make_model(nas_graph_t *graph, nas_rng_t *rng)
{
    sample_t s = {.graph = graph};
    s.parameters = random_numbers(rng, s.graph->n_values);
    s.statistics = random_numbers(rng, s.graph->n_statistics);
    s.options = (nas_onnx_options_t){.graph = s.graph,
                                     .parameters = s.parameters,
                                     .statistics = s.statistics,
                                     .mean = MEAN,
                                     .std = STD,
                                     .provenance = PROVENANCE,
                                     .n_provenance = sizeof PROVENANCE / sizeof *PROVENANCE};
    encode(&s.options, &s.data, &s.size);
    s.model = onnx__model_proto__unpack(NULL, s.size, s.data);
    cr_assert_not_null(s.model);
    s.onnx = s.model->graph;
    return s;
}

static sample_t make_cell(const nas_network_t *network, const char *arch, uint64_t number)
{
    nas_rng_t rng;
    nas_graph_t *graph = NULL;
    nas_rng_init(&rng, 11, NAS_STREAM_BENCH, number);
    const nas_space_t *space = nas_space_with_networks();
    nas_arch_t cell = arch_at(space, (int64_t)nas_rng_below(&rng, (uint64_t)space->count));
    if (arch) cr_assert_eq(nas_arch_parse(&cell, arch, NULL), NAS_OK);
    cr_assert_eq(nas_graph_create(network, &cell, &graph, NULL), NAS_OK);
    nas_arch_fini(&cell);
    return make_model(graph, &rng);
}

/* The named cells, the special ones of the other tests, random ones; each by both conventions. */
static sample_t make_sample(int number)
{
    const nas_network_t *network = number % 2 ? &TRAIN : &SCORE;
    const int cell = number / 2, special = cell - N_NAMED;
    const char *arch = NULL;
    if (cell < N_NAMED)
        arch = CELLS[cell];
    else if (special < N_SPECIAL)
        arch = SPECIAL_CELLS[special];
    return make_cell(network, arch, (uint64_t)number);
}

static void free_sample(sample_t *s)
{
    onnx__model_proto__free_unpacked(s->model, NULL);
    nas_graph_destroy(s->graph);
    free(s->parameters);
    free(s->statistics);
    free(s->data);
}

static const Onnx__TensorProto *find_initialiser(const sample_t *s, const char *name)
{
    for (size_t i = 0; i < s->onnx->n_initializer; i++)
        if (strcmp(s->onnx->initializer[i]->name, name) == 0) return s->onnx->initializer[i];
    return NULL;
}

static const Onnx__AttributeProto *find_attribute(const Onnx__NodeProto *node, const char *name)
{
    for (size_t i = 0; i < node->n_attribute; i++)
        if (strcmp(node->attribute[i]->name, name) == 0) return node->attribute[i];
    return NULL;
}

static int count(const sample_t *s, const char *op)
{
    int n = 0;
    for (size_t i = 0; i < s->onnx->n_node; i++) n += strcmp(s->onnx->node[i]->op_type, op) == 0;
    return n;
}

/* Number of inputs of the nodes [0, before) that are this value. */
static int count_readers(const sample_t *s, const char *name, size_t before)
{
    int n = 0;
    for (size_t i = 0; i < before; i++)
        for (size_t k = 0; k < s->onnx->node[i]->n_input; k++)
            n += strcmp(s->onnx->node[i]->input[k], name) == 0;
    return n;
}

/* Number of values of this name there before node `before`: input, initialisers, outputs. */
static int count_sources(const sample_t *s, const char *name, size_t before)
{
    int n = strcmp(name, "images") == 0;
    for (size_t i = 0; i < s->onnx->n_initializer; i++)
        n += strcmp(s->onnx->initializer[i]->name, name) == 0;
    for (size_t i = 0; i < before; i++) n += strcmp(s->onnx->node[i]->output[0], name) == 0;
    return n;
}

/* Unlike pools and ReLUs of one tensor, none of which has a name, beside one that has the name that
 * the first would get. */
static nas_status_t make_unlike(const void *what, const nas_network_t *network, nas_builder_t *b,
                                nas_error_t *err)
{
    static const nas_pool_spec_t plain = {.k = 3, .padding = 1},
                                 most = {.kind = NAS_POOL_MAX, .k = 3, .padding = 1},
                                 wide = {.k = 5, .padding = 2},
                                 named = {.name = "pool", .k = 7, .padding = 3};
    (void)what;
    (void)err;
    const nas_conv_spec_t stem = {.name = "stem", .c_out = network->channels, .k = 1};
    int x = b->conv(b, b->image(b), &stem);
    b->enter(b, "stem", -1);
    const int part[] = {b->pool(b, x, &plain),
                        b->pool(b, x, &most),
                        b->pool(b, x, &wide),
                        b->pool(b, x, &plain),
                        b->pool(b, x, &named),
                        b->rectify(b, x, NAS_RECTIFIER_RELU),
                        b->rectify(b, x, NAS_RECTIFIER_RELU6)};
    b->leave(b);
    x = b->sum(b, &(nas_join_spec_t){.name = "sum", .source = part, .n = 7}, (nas_extents_t){0});
    x = b->flatten(b, b->pool(b, x, &(nas_pool_spec_t){.name = "mean"}), "features");
    b->output(b,
              b->linear(b, x, &(nas_linear_spec_t){.name = "linear", .n_out = network->classes}));
    return NAS_OK;
}

Test(onnx, every_value_has_a_name_of_its_own)
{
    static const char *const name[] = {"stem/pool",  "stem/pool2", "stem/pool3",
                                       "stem/pool4", "stem/relu",  "stem/relu2"};
    nas_rng_t rng;
    nas_graph_t *graph = NULL;
    nas_rng_init(&rng, 11, NAS_STREAM_BENCH, 0);
    cr_assert_eq(nas_graph_make(make_unlike, NULL, &SCORE, &graph, NULL), NAS_OK);
    sample_t s = make_model(graph, &rng);
    for (size_t i = 0; i < sizeof name / sizeof *name; i++)
        cr_assert_eq(count_sources(&s, name[i], s.onnx->n_node), 1, "%s", name[i]);
    for (size_t i = 0; i < s.onnx->n_node; i++)
        cr_assert_eq(count_sources(&s, s.onnx->node[i]->output[0], s.onnx->n_node), 1);
    free_sample(&s);
}

/* Every input of a node is there before it, once; every output and initialiser is read. */
Test(onnx, graphs_are_well_formed)
{
    for (int number = 0; number < N_MODELS; number++) {
        sample_t s = make_sample(number);
        const size_t n = s.onnx->n_node;
        for (size_t i = 0; i < n; i++) {
            const Onnx__NodeProto *node = s.onnx->node[i];
            const bool is_last = strcmp(node->output[0], "logits") == 0;
            cr_assert_eq(node->n_output, 1);
            cr_assert_eq(is_last, i == n - 1);
            cr_assert_eq(count_sources(&s, node->output[0], n), 1, "%s", node->output[0]);
            cr_assert(is_last || count_readers(&s, node->output[0], n) > 0, "%s", node->name);
            for (size_t k = 0; k < node->n_input; k++)
                cr_assert_eq(count_sources(&s, node->input[k], i), 1, "model %d, %s reads %s",
                             number, node->name, node->input[k]);
        }
        for (size_t i = 0; i < s.onnx->n_initializer; i++)
            cr_assert(count_readers(&s, s.onnx->initializer[i]->name, n) > 0);
        cr_assert(count_readers(&s, "images", n) > 0);
        free_sample(&s);
    }
}

/* ------------------------------------------------------------------------------- initialisers */

static void expect_floats(const Onnx__TensorProto *tensor, const double *value, int64_t n)
{
    cr_assert_eq(tensor->data_type, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT);
    cr_assert_eq(tensor->n_float_data, (size_t)n, "%s", tensor->name);
    for (int64_t i = 0; i < n; i++)
        cr_assert((double)tensor->float_data[i] == value[i], "%s[%d]", tensor->name, (int)i);
}

static void mark(bool *live, int parameter)
{
    if (parameter >= 0) live[parameter] = true;
}

/* Which parameters reach the logits; the caller's. */
static bool *live_parameters(const nas_graph_t *graph)
{
    bool *live = calloc((size_t)graph->n_parameters, sizeof *live);
    cr_assert_not_null(live);
    for (int i = 0; i < graph->n_nodes; i++) {
        const nas_node_t *node = &graph->node[i];
        const bool has_parameters = node->kind == NAS_NODE_CONV || node->kind == NAS_NODE_NORM ||
                                    node->kind == NAS_NODE_LINEAR;
        if (!node->live || !has_parameters) continue;
        mark(live, node->weight);
        mark(live, node->bias);
    }
    return live;
}

/* The live parameters, in the graph's shapes, and no dead ones. */
Test(onnx, parameters_are_the_live_ones)
{
    for (int number = 0; number < N_MODELS; number++) {
        sample_t s = make_sample(number);
        bool *live = live_parameters(s.graph);
        for (int p = 0; p < s.graph->n_parameters; p++) {
            const nas_parameter_t *parameter = &s.graph->parameter[p];
            const Onnx__TensorProto *tensor = find_initialiser(&s, parameter->name);
            cr_assert_eq(tensor != NULL, live[p], "model %d, %s", number, parameter->name);
            if (!tensor) continue;
            cr_assert_eq(tensor->n_dims, (size_t)parameter->n_dims);
            for (int i = 0; i < parameter->n_dims; i++)
                cr_assert_eq(tensor->dims[i], parameter->shape[i], "%s", parameter->name);
            expect_floats(tensor, s.parameters + parameter->offset, parameter->n);
        }
        free(live);
        free_sample(&s);
    }
}

/* Elements that a model of the graph must have: live parameters, statistics of live norms,
 * normalisation where the images count. */
static int64_t expected_elements(const nas_graph_t *graph)
{
    bool *live = live_parameters(graph);
    int64_t n = 0;
    for (int p = 0; p < graph->n_parameters; p++) n += live[p] ? graph->parameter[p].n : 0;
    for (int i = 0; i < graph->n_nodes; i++) {
        const nas_node_t *node = &graph->node[i];
        if (!node->live) continue;
        if (node->kind == NAS_NODE_NORM) n += 2 * (int64_t)node->extents.c;
        if (node->kind == NAS_NODE_IMAGE) n += 2 * (int64_t)graph->network.image_channels;
    }
    free(live);
    return n;
}

Test(onnx, nothing_else_is_stored)
{
    for (int number = 0; number < N_MODELS; number++) {
        sample_t s = make_sample(number);
        int64_t n = 0;
        for (size_t i = 0; i < s.onnx->n_initializer; i++) {
            const Onnx__TensorProto *tensor = s.onnx->initializer[i];
            int64_t elements = 1;
            for (size_t k = 0; k < tensor->n_dims; k++) elements *= tensor->dims[k];
            cr_assert_eq(tensor->n_float_data + tensor->n_int64_data, (size_t)elements);
            n += (int64_t)tensor->n_float_data;
        }
        cr_assert_eq(n, expected_elements(s.graph), "model %d", number);
        free_sample(&s);
    }
}

/* The norms' statistics, wherever a norm is: behind a convolution, in the head. */
Test(onnx, statistics_are_the_networks)
{
    for (int number = 0; number < N_MODELS; number++) {
        sample_t s = make_sample(number);
        int found = 0;
        for (size_t i = 0; i < s.onnx->n_node; i++) {
            const Onnx__NodeProto *node = s.onnx->node[i];
            if (strcmp(node->op_type, "BatchNormalization") != 0) continue;
            const Onnx__TensorProto *mean = find_initialiser(&s, node->input[3]);
            const Onnx__TensorProto *variance = find_initialiser(&s, node->input[4]);
            const Onnx__AttributeProto *epsilon = find_attribute(node, "epsilon");
            cr_assert(mean && variance && node->n_input == 5);
            cr_assert(epsilon && epsilon->has_f && epsilon->f == 1e-5F);
            int norm = 0;
            while (norm < s.graph->n_nodes &&
                   (s.graph->node[norm].kind != NAS_NODE_NORM ||
                    s.statistics[s.graph->node[norm].statistics] != (double)mean->float_data[0]))
                norm++;
            cr_assert_lt(norm, s.graph->n_nodes, "%s", node->name);
            const nas_node_t *g = &s.graph->node[norm];
            expect_floats(mean, s.statistics + g->statistics, g->extents.c);
            expect_floats(variance, s.statistics + g->statistics + g->extents.c, g->extents.c);
            if (g->weight >= 0)
                cr_assert_str_eq(node->input[1], s.graph->parameter[g->weight].name);
            found++;
        }
        int live = 0;
        for (int i = 0; i < s.graph->n_nodes; i++)
            live += s.graph->node[i].kind == NAS_NODE_NORM && s.graph->node[i].live;
        cr_assert_eq(found, live);
        free_sample(&s);
    }
}

/* ------------------------------------------------------------------------------------- nodes */

static void expect_ints(const Onnx__NodeProto *node, const char *name, int64_t value, size_t n)
{
    const Onnx__AttributeProto *attribute = find_attribute(node, name);
    cr_assert_not_null(attribute, "%s of %s", name, node->name);
    cr_assert_eq(attribute->type, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);
    cr_assert_eq(attribute->n_ints, n);
    for (size_t i = 0; i < n; i++) cr_assert_eq(attribute->ints[i], value);
}

static void expect_window(const Onnx__NodeProto *node, int64_t k, int64_t stride, int64_t pad)
{
    expect_ints(node, "kernel_shape", k, 2);
    expect_ints(node, "strides", stride, 2);
    expect_ints(node, "pads", pad, 4);
}

/* Each live convolution is a node of its weights' kernel. */
Test(onnx, convolutions_are_the_live_ones)
{
    for (int number = 0; number < N_MODELS; number++) {
        sample_t s = make_sample(number);
        int live = 0;
        for (int c = 0; c < s.graph->n_nodes; c++) {
            const nas_node_t *conv = &s.graph->node[c];
            if (conv->kind != NAS_NODE_CONV) continue;
            const char *weight = s.graph->parameter[conv->weight].name;
            for (size_t i = 0; i < s.onnx->n_node; i++) {
                const Onnx__NodeProto *node = s.onnx->node[i];
                if (node->n_input < 2 || strcmp(node->input[1], weight) != 0) continue;
                cr_assert_str_eq(node->op_type, "Conv");
                cr_assert_eq(node->n_input, conv->bias >= 0 ? 3 : 2);
                cr_assert_eq(strncmp(node->name, weight, strlen(node->name)), 0);
                expect_window(node, conv->window.k_h, conv->window.stride_h, conv->window.top);
            }
            live += conv->live;
        }
        cr_assert_eq(count(&s, "Conv"), live);
        free_sample(&s);
    }
}

/* Pooling of a cell does not count the padding and is shared by all that read it; a reduction's
 * halves. */
Test(onnx, pools_of_both_kinds)
{
    sample_t s = make_cell(&SCORE, POOLS, 0);
    int halving = 0;
    for (size_t i = 0; i < s.onnx->n_node; i++) {
        const Onnx__NodeProto *node = s.onnx->node[i];
        if (strcmp(node->op_type, "AveragePool") != 0) continue;
        const Onnx__AttributeProto *padding = find_attribute(node, "count_include_pad");
        cr_assert(padding && padding->has_i && padding->i == 0);
        const bool halves = find_attribute(node, "kernel_shape")->ints[0] == 2;
        expect_window(node, halves ? 2 : 3, halves ? 2 : 1, halves ? 0 : 1);
        halving += halves;
    }
    cr_assert_eq(halving, 2);
    cr_assert_eq(count(&s, "AveragePool"), halving + 3 * 3); /* 3 sources in each of 3 cells */
    free_sample(&s);
}

/* A cell that copies its input is not there. */
Test(onnx, copies_are_no_nodes)
{
    sample_t s = make_cell(&SCORE, COPY, 0);
    for (size_t i = 0; i < s.onnx->n_node; i++)
        cr_assert(strncmp(s.onnx->node[i]->name, "cell", 4) != 0, "%s", s.onnx->node[i]->name);
    free_sample(&s);
    s = make_cell(&SCORE, SKIPS, 0);
    cr_assert_eq(count(&s, "Add"), 3 + 2); /* node 2 of a cell; a reduction's output */
    cr_assert_eq(count(&s, "Sum"), 3);     /* node 3 of a cell */
    cr_assert_eq(count(&s, "Relu"), 5);    /* two a reduction, the head's */
    free_sample(&s);
}

/* Without a path the images matter by their number alone. */
Test(onnx, no_path)
{
    for (int cell = 0; cell < 2; cell++) {
        sample_t s = make_cell(&TRAIN, CELLS[cell], 0);
        cr_assert_eq(count(&s, "Conv") + count(&s, "Sub") + count(&s, "Div"), 0);
        cr_assert_eq(count(&s, "Shape"), 1);
        cr_assert_eq(count(&s, "ConstantOfShape"), 1);
        cr_assert_eq(count(&s, "BatchNormalization"), 1);
        cr_assert_eq(count(&s, "Gemm"), 1);
        free_sample(&s);
    }
}

/* Zeros are made for who convolves them, with the extents of their node, and added to nothing. */
Test(onnx, zeros_are_made_where_they_are_convolved)
{
    sample_t s = make_cell(&TRAIN, ZEROS, 0);
    const int64_t expected[3] = {2 * TRAIN.channels, TRAIN.height / 2, TRAIN.width / 2};
    const Onnx__TensorProto *extents = find_initialiser(&s, "cell2/node1/extents");
    cr_assert_eq(count(&s, "ConstantOfShape"), 3 * TRAIN.cells);
    cr_assert_not_null(extents);
    cr_assert_eq(extents->n_int64_data, 3);
    for (int i = 0; i < 3; i++) cr_assert_eq(extents->int64_data[i], expected[i]);
    cr_assert_eq(count_readers(&s, "cell2/node1", s.onnx->n_node), 1);
    cr_assert_eq(count(&s, "Shape"), 1);
    free_sample(&s);
}

/* ------------------------------------------------------------------------------- the whole */

static void expect_interface(const Onnx__ValueInfoProto *value, const char *name, size_t n,
                             const int *extent)
{
    const Onnx__TypeProto__Tensor *type = value->type->tensor_type;
    cr_assert_str_eq(value->name, name);
    cr_assert_eq(type->elem_type, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT);
    cr_assert_eq(type->shape->n_dim, n + 1);
    cr_assert_str_eq(type->shape->dim[0]->dim_param, "N");
    for (size_t i = 0; i < n; i++) cr_assert_eq(type->shape->dim[i + 1]->dim_value, extent[i]);
}

Test(onnx, says_what_it_is_and_where_it_is_from)
{
    sample_t s = make_cell(&TRAIN, NULL, 5);
    const int images[3] = {TRAIN.image_channels, TRAIN.height, TRAIN.width};
    cr_assert_eq(s.model->ir_version, 8);
    cr_assert_eq(s.model->n_opset_import, 1);
    cr_assert_null(s.model->opset_import[0]->domain);
    cr_assert_eq(s.model->opset_import[0]->version, 13);
    cr_assert_str_eq(s.model->producer_name, "robotnas");
    cr_assert_str_eq(s.model->producer_version, nas_version());
    cr_assert_eq(s.model->n_metadata_props, s.options.n_provenance);
    for (size_t i = 0; i < s.options.n_provenance; i++) {
        cr_assert_str_eq(s.model->metadata_props[i]->key, PROVENANCE[i].key);
        const char *expected = i == 2 ? "\xef\xbf\xbdt\xef\xbf\xbd" : PROVENANCE[i].value;
        cr_assert_str_eq(s.model->metadata_props[i]->value, expected);
    }
    cr_assert(s.onnx->n_input == 1 && s.onnx->n_output == 1);
    expect_interface(s.onnx->input[0], "images", 3, images);
    expect_interface(s.onnx->output[0], "logits", 1, &TRAIN.classes);
    free_sample(&s);
}

/* Images are normalised first, as the training's were. */
Test(onnx, normalisation_is_in_the_model)
{
    sample_t s = make_cell(&SCORE, SKIPS, 0);
    cr_assert_str_eq(s.onnx->node[0]->op_type, "Sub");
    cr_assert_str_eq(s.onnx->node[0]->input[0], "images");
    expect_floats(find_initialiser(&s, s.onnx->node[0]->input[1]), MEAN, 3);
    cr_assert_str_eq(s.onnx->node[1]->op_type, "Div");
    cr_assert_str_eq(s.onnx->node[1]->input[0], s.onnx->node[0]->output[0]);
    expect_floats(find_initialiser(&s, s.onnx->node[1]->input[1]), STD, 3);
    free_sample(&s);
}

/* The same bytes again. */
Test(onnx, bytes_are_the_networks_alone)
{
    for (int number = 0; number < N_MODELS; number++) {
        sample_t s = make_sample(number);
        unsigned char *again = NULL;
        size_t size = 0;
        encode(&s.options, &again, &size);
        cr_assert(size == s.size && memcmp(again, s.data, size) == 0);
        free(again);
        free_sample(&s);
    }
}
