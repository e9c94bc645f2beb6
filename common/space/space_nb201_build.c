/* The network that a NAS-Bench-201 cell is put into.
 *
 * Stem conv3x3 + BN; three stages of cells at C, 2C and 4C channels; a residual reduction block
 * before stages 2 and 3; BN, ReLU, global average pool, linear layer. An operation that convolves
 * is ReLU, convolution, BN. Dong & Yang, NAS-Bench-201, ICLR 2020.
 */
#include "common/space/arch.h"
#include "common/space/space_nb201.h"

enum { STAGES = 3 };

static const double EPS = 1e-5;

/* What all parts of a network share. */
typedef struct network {
    const uint8_t *operation; /* of each edge */
    const nas_network_t *options;
    nas_builder_t *b;
} network_t;

static int rectified_conv(nas_builder_t *b, int source, const nas_conv_spec_t *conv)
{
    return b->conv(b, b->rectify(b, source, NAS_RECTIFIER_RELU), conv);
}

static int add_stem(const network_t *net)
{
    nas_builder_t *b = net->b;
    b->enter(b, "stem", -1);
    int x = b->conv(
        b, b->image(b),
        &(nas_conv_spec_t){.name = "conv", .c_out = net->options->channels, .k = 3, .padding = 1});
    x = b->norm(b, x, &(nas_norm_spec_t){.name = "bn", .eps = EPS, .affine = true});
    x = b->sum(b, &(nas_join_spec_t){.source = &x, .n = 1}, (nas_extents_t){0});
    b->leave(b);
    b->end_block(b, x);
    return x;
}

/* What a convolving edge brings. */
static int add_edge_conv(const network_t *net, int edge, int source, int k)
{
    nas_builder_t *b = net->b;
    const bool train = net->options->convention == NAS_CONVENTION_TRAIN;
    const nas_conv_spec_t conv = {
        .name = "conv", .c_out = b->extents(b, source).c, .k = k, .padding = k / 2, .bias = !train};
    b->enter(b, "edge", edge);
    int x = rectified_conv(b, source, &conv);
    x = b->norm(b, x, &(nas_norm_spec_t){.name = "bn", .eps = EPS, .affine = train});
    b->leave(b);
    return x;
}

/* What an edge that is not none brings. */
static int add_edge(const network_t *net, int edge, int source)
{
    nas_builder_t *b = net->b;
    switch ((nas_operation_t)net->operation[edge]) {
    case NAS_OPERATION_CONV1:
        return add_edge_conv(net, edge, source, 1);
    case NAS_OPERATION_CONV3:
        return add_edge_conv(net, edge, source, 3);
    case NAS_OPERATION_POOL:
        return b->pool(b, source, &(nas_pool_spec_t){.k = 3, .stride = 1, .padding = 1});
    case NAS_OPERATION_SKIP:
    case NAS_OPERATION_NONE:
        break;
    }
    return source;
}

static int add_cell(const network_t *net, int cell, int input)
{
    static const char *const name[NAS_CELL_NODES] = {"node0", "node1", "node2", "node3"};
    nas_builder_t *b = net->b;
    const nas_extents_t extents = b->extents(b, input);
    int node[NAS_CELL_NODES] = {input}, edge = 0;
    b->enter(b, "cell", cell);
    for (int target = 1; target < NAS_CELL_NODES; target++) {
        int term[NAS_CELL_NODES], n = 0;
        for (int source = 0; source < target; source++, edge++)
            if (net->operation[edge] != NAS_OPERATION_NONE)
                term[n++] = add_edge(net, edge, node[source]);
        node[target] =
            b->sum(b, &(nas_join_spec_t){.name = name[target], .source = term, .n = n}, extents);
    }
    b->leave(b);
    b->end_block(b, node[NAS_CELL_NODES - 1]);
    return node[NAS_CELL_NODES - 1];
}

/* Half the resolution at twice the channels. The shortcut has no BN; the two others are kept by
 * synflow. */
static int add_reduction(const network_t *net, int index, int input)
{
    nas_builder_t *b = net->b;
    const int c_out = 2 * b->extents(b, input).c;
    const nas_conv_spec_t conv[] = {
        {.name = "conv_a", .c_out = c_out, .k = 3, .stride = 2, .padding = 1},
        {.name = "conv_b", .c_out = c_out, .k = 3, .padding = 1},
        {.name = "shortcut", .c_out = c_out, .k = 1},
    };
    const nas_norm_spec_t norm[] = {
        {.name = "bn_a", .eps = EPS, .affine = true, .is_kept = true},
        {.name = "bn_b", .eps = EPS, .affine = true, .is_kept = true},
    };
    b->enter(b, "reduction", index);
    int x = b->norm(b, rectified_conv(b, input, &conv[0]), &norm[0]);
    x = b->sum(b, &(nas_join_spec_t){.name = "node1", .source = &x, .n = 1}, (nas_extents_t){0});
    int term[] = {b->norm(b, rectified_conv(b, x, &conv[1]), &norm[1]), 0};
    b->enter(b, "shortcut", -1);
    x = b->pool(b, input, &(nas_pool_spec_t){.name = "pool", .k = 2, .stride = 2});
    b->leave(b);
    term[1] = b->conv(b, x, &conv[2]);
    x = b->sum(b, &(nas_join_spec_t){.name = "node2", .source = term, .n = 2}, (nas_extents_t){0});
    b->leave(b);
    b->end_block(b, x);
    return x;
}

static void add_head(const network_t *net, int x)
{
    nas_builder_t *b = net->b;
    b->enter(b, "head", -1);
    x = b->norm(b, x, &(nas_norm_spec_t){.name = "bn", .eps = EPS, .affine = true});
    x = b->sum(b, &(nas_join_spec_t){.source = &x, .n = 1}, (nas_extents_t){0});
    x = b->rectify(b, x, NAS_RECTIFIER_RELU);
    x = b->pool(b, x, &(nas_pool_spec_t){.name = "mean"});
    x = b->flatten(b, x, "features");
    x = b->linear(
        b, x, &(nas_linear_spec_t){.name = "linear", .n_out = net->options->classes, .bias = true});
    b->leave(b);
    b->output(b, x);
}

static nas_status_t check(const nas_network_t *net, nas_error_t *err)
{
    if (net->image_channels < 1 || net->channels < 1 || net->cells < 1 || net->classes < 1)
        return nas_error_set(err, NAS_EARG, "a network needs at least one channel, cell and class");
    if (net->height < 4 || net->width < 4 || net->height % 4 || net->width % 4)
        return nas_error_set(
            err, NAS_EARG,
            "images of %d x %d cannot be halved twice; height and width must be multiples of 4",
            net->height, net->width);
    return NAS_OK;
}

nas_status_t nas_nb201_build(const nas_arch_t *arch, const nas_network_t *options,
                             nas_builder_t *builder, nas_error_t *err)
{
    const network_t net = {.operation = arch->code, .options = options, .b = builder};
    const nas_status_t status = check(options, err);
    if (status) return status;
    int x = add_stem(&net), cell = 0;
    for (int stage = 0; stage < STAGES; stage++) {
        if (stage) x = add_reduction(&net, stage, x);
        for (int i = 0; i < options->cells; i++) x = add_cell(&net, cell++, x);
    }
    add_head(&net, x);
    return NAS_OK;
}
