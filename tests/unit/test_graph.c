/* Graphs that a builder makes: extents, names, what is refused; and which of them programs take. */
#include "tests/unit/arch_case.h"
#include "worker/engine/graph/graph.h"
#include "worker/engine/host/backends.h"
#include "worker/engine/program/lower.h"
#include "worker/engine/program/program.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static const nas_network_t NETWORK = {.image_channels = 3,
                                      .height = 8,
                                      .width = 12,
                                      .channels = 4,
                                      .cells = 1,
                                      .classes = 5,
                                      .convention = NAS_CONVENTION_TRAIN};

/* What a case adds between the stem and the end of a small network: the tensor that goes on. */
typedef int middle_t(nas_builder_t *b, int x);

static const nas_norm_spec_t BN = {.name = "bn", .eps = 1e-5, .affine = true};

static int relu(nas_builder_t *b, int x)
{
    return b->rectify(b, x, NAS_RECTIFIER_RELU);
}

static int sum(nas_builder_t *b, const int *source, int n, const char *name)
{
    return b->sum(b, &(nas_join_spec_t){.name = name, .source = source, .n = n},
                  (nas_extents_t){4, 8, 12});
}

/* A convolution with BN. */
static int conv_bn(nas_builder_t *b, int x, nas_conv_spec_t conv)
{
    return b->norm(b, b->conv(b, x, &conv), &BN);
}

static int conv3(nas_builder_t *b, int x, const char *name)
{
    b->enter(b, name, -1);
    x = conv_bn(b, x, (nas_conv_spec_t){.name = "conv", .c_out = 4, .k = 3, .padding = 1});
    b->leave(b);
    return x;
}

static void end_network(nas_builder_t *b, int x)
{
    x = b->pool(b, relu(b, x), &(nas_pool_spec_t){.name = "mean"});
    x = b->flatten(b, x, "features");
    x = b->linear(b, x, &(nas_linear_spec_t){.name = "linear", .n_out = 5, .bias = true});
    b->output(b, x);
}

static nas_status_t make(const void *what, const nas_network_t *network, nas_builder_t *b,
                         nas_error_t *err)
{
    middle_t *const *middle = what;
    (void)network;
    (void)err;
    end_network(b, (*middle)(b, conv3(b, b->image(b), "stem")));
    return NAS_OK;
}

static nas_graph_t *graph_of(middle_t *middle)
{
    nas_error_t err = {0};
    nas_graph_t *graph = NULL;
    cr_assert_eq(nas_graph_make(make, &middle, &NETWORK, &graph, &err), NAS_OK, "%s", err.text);
    return graph;
}

/* -------------------------------------------------------------------------------------- builder */

/* One call of every kind that is in no network of NAS-Bench-201. */
static int other_calls(nas_builder_t *b, int x)
{
    b->enter(b, "block", 7);
    const int grouped = conv_bn(b, x,
                                (nas_conv_spec_t){.name = "grouped",
                                                  .c_out = 8,
                                                  .k = 5,
                                                  .stride = 2,
                                                  .padding = 4,
                                                  .dilation = 2,
                                                  .groups = 4});
    const int most =
        b->pool(b, x, &(nas_pool_spec_t){.kind = NAS_POOL_MAX, .k = 3, .stride = 2, .padding = 1});
    const int clipped = b->rectify(b, most, NAS_RECTIFIER_RELU6);
    const int both[] = {grouped, clipped, clipped};
    x = b->concat(b, &(nas_join_spec_t){.name = "both", .source = both, .n = 3});
    b->leave(b);
    return x;
}

Test(graph, extents_names_and_parameters_of_all_calls)
{
    nas_graph_t *graph = graph_of(other_calls);
    const int weight = nas_graph_find(graph, "block7/grouped/weight");
    cr_assert(weight >= 0 && nas_graph_find(graph, "block7/bn/gamma") >= 0);
    const nas_parameter_t *p = &graph->parameter[weight];
    cr_assert(p->shape[0] == 8 && p->shape[1] == 1 && p->shape[2] == 5 && p->shape[3] == 5);
    cr_assert_eq(p->fan_in, 25);
    int joined = 0;
    while (graph->node[joined].kind != NAS_NODE_CONCAT) joined++;
    const nas_node_t *node = &graph->node[joined];
    cr_assert_str_eq(node->name, "block7/both");
    cr_assert_eq(node->n_inputs, 3);
    cr_assert(node->extents.c == 16 && node->extents.h == 4 && node->extents.w == 6);
    const nas_node_t *most =
        &graph->node[nas_graph_input(graph, nas_graph_input(graph, joined, 1), 0)];
    cr_assert(most->kind == NAS_NODE_POOL && most->pool == NAS_POOL_MAX && most->n_readers == 1);
    cr_assert_eq(graph->node[graph->output].extents.c, NETWORK.classes);
    nas_graph_destroy(graph);
}

static int dead(nas_builder_t *b, int x)
{
    (void)conv3(b, relu(b, x), "dead");
    return conv3(b, relu(b, x), "live");
}

Test(graph, live_is_what_reaches_the_logits)
{
    nas_graph_t *graph = graph_of(dead);
    for (int i = 0; i < graph->n_nodes; i++) {
        const char *name = graph->node[i].name;
        if (name && strncmp(name, "dead/", 5) == 0) cr_assert_not(graph->node[i].live);
        if (name && strncmp(name, "live/", 5) == 0) cr_assert(graph->node[i].live);
    }
    nas_graph_destroy(graph);
}

static int narrow_sum(nas_builder_t *b, int x)
{
    const int half = b->pool(b, x, &(nas_pool_spec_t){.k = 2, .stride = 2});
    const int both[] = {x, half};
    b->enter(b, "cell", 3);
    return sum(b, both, 2, "node1");
}

static int no_groups(nas_builder_t *b, int x)
{
    return b->conv(b, x, &(nas_conv_spec_t){.name = "odd", .c_out = 6, .k = 1, .groups = 4});
}

static int no_image_left(nas_builder_t *b, int x)
{
    return b->pool(b, x, &(nas_pool_spec_t){.name = "wide", .k = 9});
}

static int images_joined(nas_builder_t *b, int x)
{
    const int both[] = {x, b->pool(b, x, &(nas_pool_spec_t){.k = 2, .stride = 2})};
    return b->concat(b, &(nas_join_spec_t){.name = "join", .source = both, .n = 2});
}

static int linear_image(nas_builder_t *b, int x)
{
    return b->linear(b, x, &(nas_linear_spec_t){.name = "early", .n_out = 3});
}

static int endless(nas_builder_t *b, int x)
{
    return b->conv(b, x,
                   &(nas_conv_spec_t){.name = "endless", .c_out = 1 << 30, .k = 3, .padding = 1});
}

static int tireless(nas_builder_t *b, int x)
{
    const nas_window_t window = {8191, 8191, 1, 1, 1, 1, 8190, 8190, 8190, 8190};
    return b->conv(b, x, &(nas_conv_spec_t){.name = "tireless", .c_out = 8, .window = &window});
}

static int from_nowhere(nas_builder_t *b, int x)
{
    b->end_block(b, x + 1000);
    return conv3(b, relu(b, x + 1000), "nowhere");
}

static int no_eps(nas_builder_t *b, int x)
{
    return b->norm(b, x, &(nas_norm_spec_t){.name = "bn1"});
}

static int called_twice(nas_builder_t *b, int x)
{
    b->enter(b, "cell", 1);
    x = conv3(b, conv3(b, x, "once"), "twice");
    x = b->norm(b, x, &(nas_norm_spec_t){.name = "twice/conv", .eps = 1e-5});
    b->leave(b);
    return x;
}

/* The first reason is told, whatever is called behind it. */
Test(graph, calls_that_cannot_be_are_refused_by_name)
{
    static const struct {
        middle_t *middle;
        const char *reason;
    } cases[] = {
        {narrow_sum, "network: cell3/node1: a sum of tensors of different extents"},
        {no_groups, "network: odd: its channels are no multiples of its groups"},
        {no_image_left, "network: wide: nothing is left of its image"},
        {images_joined, "network: join: a concatenation of images of different extents"},
        {linear_image, "network: early: a linear layer of a tensor that is not flat"},
        {endless, "network: endless: too many parameters"},
        {tireless, "network: tireless: too many multiply-adds"},
        {from_nowhere, "network: it has no output"},
        {no_eps, "network: bn1: no such BN"},
        {called_twice, "network: cell1/twice/conv: the name is given twice"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nas_error_t err = {0};
        nas_graph_t *graph = NULL;
        cr_assert_eq(nas_graph_make(make, &cases[i].middle, &NETWORK, &graph, &err), NAS_EARG);
        cr_assert_str_eq(err.text, cases[i].reason);
        cr_assert_null(graph);
    }
}

Test(graph, spaces_without_networks_say_so)
{
    nas_error_t err = {0};
    nas_graph_t *graph = NULL;
    nas_space_t bare = *nas_space_find("transnas-micro");
    nas_arch_t arch = arch_at(&bare, 0);
    bare.build = NULL;
    cr_assert_eq(nas_graph_create(&NETWORK, &arch, &graph, &err), NAS_EARG);
    cr_assert_str_eq(err.text, "transnas-micro has no networks");
    nas_arch_fini(&arch);
}

/* ------------------------------------------------------------------------------------- programs */

static int unread(nas_builder_t *b, int x)
{
    (void)b->conv(b, relu(b, x), &(nas_conv_spec_t){.name = "c", .c_out = 4, .k = 1});
    return x;
}

static int far_skip(nas_builder_t *b, int x)
{
    b->end_block(b, x);
    const int first = conv3(b, relu(b, x), "first");
    const int begin = sum(b, &first, 1, "begin");
    b->end_block(b, begin);
    const int both[] = {conv3(b, relu(b, begin), "second"), x};
    return sum(b, both, 2, "end");
}

/* Tensors need no sums of their own: those that are read become nodes, in their order. */
static int plain_chain(nas_builder_t *b, int x)
{
    const int y = conv3(b, relu(b, x), "a");
    const int terms[] = {conv3(b, relu(b, y), "b"), x, y, y};
    return sum(b, terms, 4, "end");
}

static int images_pooled(nas_builder_t *b, int x)
{
    (void)x;
    x = b->pool(b, b->image(b), &(nas_pool_spec_t){.name = "early", .k = 2, .stride = 2});
    return conv3(b, x, "cell");
}

static int images_rectified(nas_builder_t *b, int x)
{
    (void)x;
    return conv3(b, relu(b, b->image(b)), "cell");
}

static const struct {
    middle_t *middle;
    const char *reason;
} REFUSED[] = {
    {images_pooled, "early: anything but a convolution of the images"},
    {images_rectified, "the ReLU of images: anything but a convolution of the images"},
    {unread, "c: what nothing reads"},
    {far_skip, "end: a sum of tensors from before and behind the end of a block"},
};

Test(graph, what_programs_cannot_compute_is_refused_by_name)
{
    for (size_t i = 0; i < sizeof REFUSED / sizeof *REFUSED; i++) {
        nas_error_t err = {0};
        char reason[256];
        nas_graph_t *graph = graph_of(REFUSED[i].middle);
        nas_program_t *program = NULL;
        const nas_program_options_t options = {
            .layout = nas_backend_ref(), .graph = graph, .batch = 2, .needs = NAS_NEED_LOSS};
        (void)snprintf(reason, sizeof reason, "network: %s cannot be computed yet",
                       REFUSED[i].reason);
        cr_assert_eq(nas_program_create(&options, &program, &err), NAS_EARG, "%s", reason);
        cr_assert_str_eq(err.text, reason);
        cr_assert_null(program);
        nas_graph_destroy(graph);
    }
}

static nas_status_t make_other_end(const void *what, const nas_network_t *network, nas_builder_t *b,
                                   nas_error_t *err)
{
    const bool has_relu = *(const bool *)what;
    (void)network;
    (void)err;
    int x = conv3(b, b->image(b), "stem");
    x = b->pool(b, has_relu ? relu(b, x) : x, &(nas_pool_spec_t){.name = "mean"});
    x = b->flatten(b, x, "features");
    x = b->linear(b, x, &(nas_linear_spec_t){.name = "fc", .n_out = 5, .bias = !has_relu});
    b->output(b, x);
    return NAS_OK;
}

Test(graph, other_ends_are_known)
{
    for (int has_relu = 0; has_relu < 2; has_relu++) {
        const bool what = has_relu;
        nas_graph_t *graph = NULL;
        nas_lowered_t *lowered = NULL;
        cr_assert_eq(nas_graph_make(make_other_end, &what, &NETWORK, &graph, NULL), NAS_OK);
        cr_assert_eq(nas_lower(graph, &lowered, NULL), NAS_OK);
        cr_assert(lowered->head_rectified == what);
        cr_assert_eq(lowered->linear_bias < 0, what);
        nas_lowered_destroy(lowered);
        nas_graph_destroy(graph);
    }
}

/* The networks of every space of the list: made of what it says, and of nothing that programs cannot
 * compute. */
Test(graph, networks_of_all_spaces_can_be_computed)
{
    const nas_network_t network = {3, 32, 32, 16, 1, 10, NAS_CONVENTION_TRAIN};
    int n = 0;
    const nas_space_t *const *space = nas_space_list(&n);
    for (int s = 0; s < n; s++) {
        if (!space[s]->build) continue;
        const int64_t index[] = {0, space[s]->costliest, space[s]->count - 1};
        for (int i = 0; i < 3; i++) {
            nas_arch_t arch = arch_at(space[s], index[i]);
            nas_graph_t *graph = NULL;
            nas_lowered_t *lowered = NULL;
            nas_error_t err = {0};
            cr_assert_eq(nas_graph_create(&network, &arch, &graph, &err), NAS_OK, "%s", err.text);
            cr_assert_eq(nas_lower(graph, &lowered, &err), NAS_OK, "%s", err.text);
            nas_lowered_destroy(lowered);
            nas_graph_destroy(graph);
            nas_arch_fini(&arch);
        }
    }
}

Test(graph, lowered_nodes_are_what_is_read)
{
    nas_graph_t *graph = graph_of(plain_chain);
    nas_lowered_t *lowered = NULL;
    nas_error_t err = {0};
    cr_assert_eq(nas_lower(graph, &lowered, &err), NAS_OK, "%s", err.text);
    cr_assert_eq(lowered->n_nodes, 3);
    cr_assert(lowered->n_links == 3 && lowered->n_norms == 3);
    const nas_lowered_node_t *end = &lowered->node[2];
    cr_assert(end->n_inputs == 4 && end->n_relu == 1 && end->live);
    cr_assert(end->input[0].kind == NAS_INPUT_LINK && end->input[0].index == 2);
    for (int i = 1; i < 4; i++) cr_assert_eq(end->input[i].kind, NAS_INPUT_COPY);
    cr_assert(end->input[1].index == 0 && end->input[2].index == 1 && end->input[3].index == 1);
    cr_assert(lowered->link[2].source == 1 && lowered->link[2].target == 2);
    nas_lowered_destroy(lowered);
    nas_graph_destroy(graph);
}

/* Whoever is made of a node, in the order of the nodes. */
Test(graph, lowered_nodes_know_their_readers)
{
    nas_graph_t *graph = graph_of(plain_chain);
    nas_lowered_t *lowered = NULL;
    nas_error_t err = {0};
    int n = 0;
    cr_assert_eq(nas_lower(graph, &lowered, &err), NAS_OK, "%s", err.text);
    for (int node = 0; node < lowered->n_nodes; node++) {
        const nas_lowered_input_t *reader = lowered->node[node].reader;
        for (int i = 0; i < lowered->n_inputs; i++) {
            if (lowered->input[i].source != node) continue;
            cr_assert_eq(reader, &lowered->input[i]);
            reader = reader->next_reader;
            n++;
        }
        cr_assert_null(reader);
    }
    cr_assert_eq(n, 5); /* two convolutions and three copies; the images are no node */
    nas_lowered_destroy(lowered);
    nas_graph_destroy(graph);
}
