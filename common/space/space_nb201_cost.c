#include "common/space/space_nb201_cost.h"

#include "common/base/error.h"

enum { STAGES = 3 };

/* A place in the network: the shape of what flows there, for one image. */
typedef struct shape {
    int64_t channels;
    int64_t height;
    int64_t width;
} shape_t;

static int64_t elements(shape_t shape)
{
    return shape.channels * shape.height * shape.width;
}

/* A convolution k x k without bias, to an output of this shape. */
static void add_conv(nas_nb201_cost_t *cost, int64_t c_in, shape_t out, int64_t k)
{
    const int64_t flops = c_in * k * k * elements(out);
    cost->params += c_in * out.channels * k * k;
    cost->flops += flops;
    cost->operations += flops;
}

/* BN with gamma and beta. */
static void add_norm(nas_nb201_cost_t *cost, shape_t shape)
{
    cost->params += 2 * shape.channels;
    cost->operations += 2 * elements(shape);
}

static void add_relu(nas_nb201_cost_t *cost, shape_t shape)
{
    cost->operations += elements(shape);
}

/* A pool k x k, to an output of this shape. */
static void add_pool(nas_nb201_cost_t *cost, shape_t out, int64_t k)
{
    cost->operations += k * k * elements(out);
}

/* ReLU, convolution, BN: in `score` the convolution's bias stands in for gamma and beta. */
static void add_cell_conv(nas_nb201_cost_t *cost, shape_t shape, int64_t k,
                          nas_convention_t convention)
{
    add_relu(cost, shape);
    add_conv(cost, shape.channels, shape, k);
    add_norm(cost, shape);
    if (convention == NAS_CONVENTION_SCORE) cost->params -= shape.channels;
}

static void add_edge(nas_nb201_cost_t *cost, uint8_t operation, shape_t shape,
                     nas_convention_t convention)
{
    if (operation == NAS_OPERATION_CONV1) add_cell_conv(cost, shape, 1, convention);
    if (operation == NAS_OPERATION_CONV3) add_cell_conv(cost, shape, 3, convention);
    if (operation == NAS_OPERATION_POOL) add_pool(cost, shape, 3);
}

/* A residual block to twice the channels at half the resolution. */
static shape_t add_reduction(nas_nb201_cost_t *cost, shape_t in)
{
    const shape_t out = {2 * in.channels, in.height / 2, in.width / 2};
    const shape_t pooled = {in.channels, out.height, out.width};
    add_relu(cost, in);
    add_conv(cost, in.channels, out, 3);
    add_norm(cost, out);
    add_relu(cost, out);
    add_conv(cost, out.channels, out, 3);
    add_norm(cost, out);
    add_pool(cost, pooled, 2);
    add_conv(cost, in.channels, out, 1);
    return out;
}

/* BN, ReLU, global average pool and the linear layer, a convolution of one pixel with biases. */
static void add_head(nas_nb201_cost_t *cost, shape_t in, int64_t classes)
{
    add_norm(cost, in);
    add_relu(cost, in);
    cost->operations += in.channels * (in.height + 1) * (in.width + 1);
    add_conv(cost, in.channels, (shape_t){classes, 1, 1}, 1);
    cost->params += classes;
}

void nas_nb201_cost(const uint8_t operation[NAS_CELL_EDGES], const nas_network_t *network,
                    nas_nb201_cost_t *cost)
{
    NAS_ASSERT(network->height % 4 == 0 && network->width % 4 == 0);
    shape_t shape = {network->channels, network->height, network->width};
    *cost = (nas_nb201_cost_t){0};
    add_conv(cost, network->image_channels, shape, 3);
    add_norm(cost, shape);
    for (int stage = 0; stage < STAGES; stage++) {
        if (stage > 0) shape = add_reduction(cost, shape);
        for (int cell = 0; cell < network->cells; cell++)
            for (int e = 0; e < NAS_CELL_EDGES; e++)
                add_edge(cost, operation[e], shape, network->convention);
    }
    add_head(cost, shape, network->classes);
}
