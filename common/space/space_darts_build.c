/* The networks of DARTS (Liu et al., ICLR 2019), as the authors' code evaluates genotypes.
 *
 * Stem; cells, of which those at a third and at two thirds of the way are reduction cells, which
 * halve the image and double the channels; global average pool, linear layer. Every cell brings its
 * two inputs to its channels first, and the first of them to its image where the cell between was a
 * reduction. Images of 128 rows and columns or more get ImageNet's stem, which divides them by 8 in
 * three convolutions of stride 2, others CIFAR's, one convolution to 3 times the channels. Neither
 * drop-path nor auxiliary heads: they belong to a recipe of training.
 *
 * Cells read the two before them, so that no block ends but in the stem. The scopes of an edge tell
 * its node and its state, whatever the order of edges is.
 */
#include "common/space/blocks.h"
#include "common/space/space_darts.h"

enum { NORMAL = 0, REDUCTION = 1, LARGE_IMAGE = 128 };

/* The outputs of the two cells before, rectified: nothing reads them otherwise. */
typedef struct inputs {
    int before;
    int last;
    bool is_halved; /* the last has half the image of the one before */
} inputs_t;

/* A convolution of an edge: depthwise and pointwise, BN. */
typedef struct depthwise {
    int k;
    int stride;
    int dilation;
} depthwise_t;

static int add_depthwise(nas_builder_t *b, int source, depthwise_t shape)
{
    const int c = b->extents(b, source).c;
    const nas_conv_spec_t depthwise = {.name = "depthwise",
                                       .c_out = c,
                                       .k = shape.k,
                                       .stride = shape.stride,
                                       .padding = shape.dilation * (shape.k / 2),
                                       .dilation = shape.dilation,
                                       .groups = c};
    const nas_conv_spec_t pointwise = {.name = "pointwise", .c_out = c, .k = 1};
    return nas_block_norm(b, b->conv(b, b->conv(b, source, &depthwise), &pointwise));
}

static int add_separable(nas_builder_t *b, int source, int k, int stride)
{
    b->enter(b, "conv", 0);
    int x = add_depthwise(b, source, (depthwise_t){k, stride, 1});
    b->leave(b);
    b->enter(b, "conv", 1);
    x = add_depthwise(b, b->rectify(b, x, NAS_RECTIFIER_RELU), (depthwise_t){k, 1, 1});
    b->leave(b);
    return x;
}

static int add_pool(nas_builder_t *b, int source, nas_pool_kind_t kind, int stride)
{
    return b->pool(
        b, source,
        &(nas_pool_spec_t){.name = "pool", .kind = kind, .k = 3, .stride = stride, .padding = 1});
}

/* What an edge brings. */
static int add_edge(nas_builder_t *b, uint8_t operation, nas_activation_t *state, int stride)
{
    switch ((nas_darts_operation_t)operation) {
    case NAS_DARTS_MAX_POOL:
        return add_pool(b, state->tensor, NAS_POOL_MAX, stride);
    case NAS_DARTS_MEAN_POOL:
        return add_pool(b, state->tensor, NAS_POOL_MEAN, stride);
    case NAS_DARTS_SEPARABLE3:
        return add_separable(b, nas_activation_rectified(b, state), 3, stride);
    case NAS_DARTS_SEPARABLE5:
        return add_separable(b, nas_activation_rectified(b, state), 5, stride);
    case NAS_DARTS_DILATED3:
        return add_depthwise(b, nas_activation_rectified(b, state), (depthwise_t){3, stride, 2});
    case NAS_DARTS_DILATED5:
        return add_depthwise(b, nas_activation_rectified(b, state), (depthwise_t){5, stride, 2});
    case NAS_DARTS_SKIP:
    case NAS_DARTS_OPERATIONS:
        break;
    }
    if (stride == 1) return state->tensor;
    return nas_block_halve(b, nas_activation_rectified(b, state), b->extents(b, state->tensor).c,
                           stride);
}

static int add_node(nas_builder_t *b, const nas_darts_edge_t edge[2], nas_activation_t *state,
                    int kind)
{
    int term[2];
    for (int i = 0; i < 2; i++) {
        const int input = edge[i].input, stride = kind == REDUCTION && input < 2 ? 2 : 1;
        b->enter(b, "from", input);
        term[i] = add_edge(b, edge[i].operation, &state[input], stride);
        b->leave(b);
    }
    return b->sum(b, &(nas_join_spec_t){.source = term, .n = 2}, (nas_extents_t){0});
}

static int add_cell(nas_builder_t *b, const nas_darts_edge_t *edge, int kind, int c,
                    inputs_t inputs)
{
    nas_activation_t state[NAS_DARTS_STATES];
    int node[NAS_DARTS_NODES];
    b->enter(b, "input", 0);
    state[0] = nas_activation_of(inputs.is_halved ? nas_block_halve(b, inputs.before, c, 2)
                                                  : nas_block_conv_norm(b, inputs.before, c, 1, 1));
    b->leave(b);
    b->enter(b, "input", 1);
    state[1] = nas_activation_of(nas_block_conv_norm(b, inputs.last, c, 1, 1));
    b->leave(b);
    for (int n = 0; n < NAS_DARTS_NODES; n++) {
        b->enter(b, "node", n);
        node[n] = add_node(b, edge + (ptrdiff_t)2 * n, state, kind);
        state[2 + n] = nas_activation_of(node[n]);
        b->leave(b);
    }
    return b->concat(b, &(nas_join_spec_t){.source = node, .n = NAS_DARTS_NODES});
}

/* A convolution of a stem, and its ReLU. */
static int add_stem_conv(nas_builder_t *b, int number, int source, int c_out, int stride)
{
    b->enter(b, "stem", number);
    const int x = nas_block_conv_norm(b, source, c_out, 3, stride);
    b->leave(b);
    if (number < 2) b->end_block(b, x); /* cells read the stem's third beside its second */
    return b->rectify(b, x, NAS_RECTIFIER_RELU);
}

static bool has_large_images(const nas_network_t *net)
{
    return net->height >= LARGE_IMAGE && net->width >= LARGE_IMAGE;
}

static inputs_t add_stem(nas_builder_t *b, const nas_network_t *net)
{
    const int c = net->channels, image = b->image(b);
    if (!has_large_images(net)) {
        const int x = add_stem_conv(b, -1, image, 3 * c, 1);
        return (inputs_t){x, x, false};
    }
    const int before = add_stem_conv(b, 1, add_stem_conv(b, 0, image, c / 2, 2), c, 2);
    return (inputs_t){before, add_stem_conv(b, 2, before, c, 2), true};
}

static nas_status_t check(const nas_network_t *net, nas_error_t *err)
{
    if (net->image_channels < 1 || net->channels < 2 || net->cells < 1 || net->classes < 1)
        return nas_error_set(
            err, NAS_EARG, "a network of DARTS needs at least one cell and class and two channels");
    if (net->height < 3 || net->width < 3)
        return nas_error_set(
            err, NAS_EARG,
            "images of %d x %d cannot be halved twice; height and width must be 3 at least",
            net->height, net->width);
    return NAS_OK;
}

nas_status_t nas_darts_build(const nas_darts_t *genotype, const nas_network_t *options,
                             nas_builder_t *b, nas_error_t *err)
{
    const nas_status_t status = check(options, err);
    const int n = options->cells;
    if (status) return status;
    inputs_t inputs = add_stem(b, options);
    for (int i = 0, c = options->channels; i < n; i++) {
        const int kind = i == n / 3 || i == 2 * n / 3 ? REDUCTION : NORMAL;
        if (kind == REDUCTION) c *= 2;
        b->enter(b, "cell", i);
        const int x = add_cell(b, genotype->edge[kind], kind, c, inputs);
        b->leave(b);
        if (i == n - 1)
            nas_block_head(b, x, options->classes);
        else
            inputs =
                (inputs_t){inputs.last, b->rectify(b, x, NAS_RECTIFIER_RELU), kind == REDUCTION};
    }
    return NAS_OK;
}
