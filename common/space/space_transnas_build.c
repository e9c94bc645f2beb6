/* The networks of TransNAS-Bench-101 (Duan et al., CVPR 2021), as the authors' code builds them for
 * classification.
 *
 * Stem of two convolutions 3x3 with stride 2; modules of two blocks each, the first of which makes
 * the module's change; global average pool, linear layer. A block is a cell (micro) or residual
 * (macro). In a cell the edges out of node 0 have the block's stride and channels; a skip that
 * changes either is nas_block_halve, at stride 1 too. A residual block that changes either has a
 * convolution 1x1 with BN at its side, and eps of that BN is 1: the authors pass True in its place,
 * and the benchmark was made so.
 */
#include "common/space/blocks.h"
#include "common/space/space_nb201.h"
#include "common/space/space_transnas.h"

#include <stddef.h>

/* Operations that are asked for; 0 is none, the last a convolution 3x3. */
enum { SKIP = 1, CONV1 = 2 };

static const double SIDE_EPS = 1.0;

/* What a block makes of its input. */
typedef struct change {
    int c_out;
    int stride;
} change_t;

static bool is_change(nas_extents_t from, change_t to)
{
    return from.c != to.c_out || to.stride != 1;
}

static int add_stem(nas_builder_t *b, int channels)
{
    b->enter(b, "stem", 0);
    int x = nas_block_conv_norm(b, b->image(b), channels / 2, 3, 2);
    b->leave(b);
    b->enter(b, "stem", 1);
    x = nas_block_conv_norm(b, b->rectify(b, x, NAS_RECTIFIER_RELU), channels, 3, 2);
    b->leave(b);
    b->end_block(b, x);
    return x;
}

/* ---------------------------------------------------------------------------------------- cells */

/* A cell in the making. A node that is another by a skip is that one, with its ReLU. */
typedef struct cell {
    const uint8_t *operation; /* of each edge */
    unsigned live;            /* edges; the others are not built */
    change_t change;
    nas_activation_t made[NAS_CELL_NODES];
    nas_activation_t *node[NAS_CELL_NODES];
} cell_t;

/* Edges out of node 0 make the block's change. */
static bool is_identity(nas_builder_t *b, const cell_t *cell, int edge, int source)
{
    return cell->operation[edge] == SKIP &&
           (source > 0 || !is_change(b->extents(b, cell->node[0]->tensor), cell->change));
}

/* What a live edge brings. */
static int add_edge(nas_builder_t *b, const cell_t *cell, int edge, int source)
{
    if (is_identity(b, cell, edge, source)) return cell->node[source]->tensor;
    const int c_out = cell->change.c_out, stride = source == 0 ? cell->change.stride : 1;
    const int operation = cell->operation[edge];
    const int x = nas_activation_rectified(b, cell->node[source]);
    b->enter(b, "edge", edge);
    const int y = operation == SKIP
                      ? nas_block_halve(b, x, c_out, stride)
                      : nas_block_conv_norm(b, x, c_out, operation == CONV1 ? 1 : 3, stride);
    b->leave(b);
    return y;
}

/* A node, whose first edge has this number. */
static void add_node(nas_builder_t *b, cell_t *cell, int target, int edge)
{
    static const char *const name[NAS_CELL_NODES] = {"node0", "node1", "node2", "node3"};
    int term[NAS_CELL_NODES], n = 0;
    for (int source = 0; source < target; source++, edge++) {
        if (!(cell->live >> edge & 1u)) continue;
        if (is_identity(b, cell, edge, source)) cell->node[target] = cell->node[source];
        term[n++] = add_edge(b, cell, edge, source);
    }
    if (n == 0 || (n == 1 && cell->node[target])) return;
    const nas_join_spec_t sum = {.name = name[target], .source = term, .n = n};
    cell->made[target] = nas_activation_of(n == 1 ? term[0] : b->sum(b, &sum, (nas_extents_t){0}));
    cell->node[target] = &cell->made[target];
}

/* A cell that has live edges. */
static int add_cell(nas_builder_t *b, const uint8_t *operation, int input, change_t change)
{
    cell_t cell = {.operation = operation,
                   .live = nas_cell_live_edges(operation),
                   .change = change,
                   .made = {nas_activation_of(input)},
                   .node = {&cell.made[0]}};
    for (int target = 1, edge = 0; target < NAS_CELL_NODES; edge += target++)
        add_node(b, &cell, target, edge);
    return cell.node[NAS_CELL_NODES - 1]->tensor;
}

/* ------------------------------------------------------------------------------ residual blocks */

static int add_side(nas_builder_t *b, int input, change_t change)
{
    if (!is_change(b->extents(b, input), change)) return input;
    const nas_conv_spec_t conv = {
        .name = "conv", .c_out = change.c_out, .k = 1, .stride = change.stride};
    const nas_norm_spec_t norm = {.name = "bn", .eps = SIDE_EPS, .affine = true};
    b->enter(b, "side", -1);
    const int x = b->norm(b, b->conv(b, input, &conv), &norm);
    b->leave(b);
    return x;
}

static int add_residual(nas_builder_t *b, int input, change_t change)
{
    int x = input;
    for (int i = 0; i < 2; i++) {
        b->enter(b, "body", i);
        x = nas_block_conv_norm(b, b->rectify(b, x, NAS_RECTIFIER_RELU), change.c_out, 3,
                                i == 0 ? change.stride : 1);
        b->leave(b);
    }
    const int term[] = {x, add_side(b, input, change)};
    return b->sum(b, &(nas_join_spec_t){.name = "sum", .source = term, .n = 2}, (nas_extents_t){0});
}

/* -------------------------------------------------------------------------------------- networks */

static int add_module(const nas_transnas_t *skeleton, int number, nas_builder_t *b, int x)
{
    const int module = skeleton->module[number];
    const int c_in = b->extents(b, x).c, c_out = nas_transnas_doubles(module) ? 2 * c_in : c_in;
    for (int i = 0; i < 2; i++) {
        const change_t change = {c_out, i == 0 && nas_transnas_halves(module) ? 2 : 1};
        b->enter(b, "cell", 2 * number + i);
        x = skeleton->cell ? add_cell(b, skeleton->cell, x, change) : add_residual(b, x, change);
        b->leave(b);
        b->end_block(b, x);
    }
    return x;
}

/* Of cells whose output is zero: nothing that reads the images reaches the logits. */
static int add_zeros(const nas_transnas_t *skeleton, const nas_network_t *net, nas_builder_t *b)
{
    int c = net->channels;
    (void)b->image(b);
    for (int i = 0; i < skeleton->n_modules; i++)
        if (nas_transnas_doubles(skeleton->module[i])) c *= 2;
    return b->sum(b, &(nas_join_spec_t){.name = "zeros"}, (nas_extents_t){c, 1, 1});
}

static nas_status_t check(const nas_transnas_t *skeleton, const nas_network_t *net,
                          nas_error_t *err)
{
    int least = 1;
    for (int i = 0; i < skeleton->n_modules; i++)
        if (skeleton->cell && nas_transnas_halves(skeleton->module[i])) least *= 2;
    least = 2 * least + 1; /* so that the last skip that halves has two rows and columns to read */
    if (net->image_channels < 1 || net->channels < 2 || net->classes < 1)
        return nas_error_set(
            err, NAS_EARG,
            "a network of TransNAS-Bench-101 needs at least one class and two channels");
    if (least > 3 && (net->height < least || net->width < least))
        return nas_error_set(
            err, NAS_EARG,
            "images of %d x %d are too small for a network of TransNAS-Bench-101; expected %d x %d at least",
            net->height, net->width, least, least);
    return NAS_OK;
}

nas_status_t nas_transnas_build(const nas_transnas_t *skeleton, const nas_network_t *options,
                                nas_builder_t *builder, nas_error_t *err)
{
    const nas_status_t status = check(skeleton, options, err);
    if (status) return status;
    const bool is_zero = skeleton->cell && nas_cell_live_edges(skeleton->cell) == 0;
    int x = is_zero ? add_zeros(skeleton, options, builder) : add_stem(builder, options->channels);
    for (int i = 0; i < skeleton->n_modules && !is_zero; i++)
        x = add_module(skeleton, i, builder, x);
    nas_block_head(builder, x, options->classes);
    return NAS_OK;
}
