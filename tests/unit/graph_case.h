/* Networks that programs take and that are in no space: sums of any number of terms, tensors that
 * many read, chains without sums, convolutions without BN. */
#ifndef NAS_TESTS_UNIT_GRAPH_CASE_H
#define NAS_TESTS_UNIT_GRAPH_CASE_H

#include "worker/engine/graph/graph.h"

enum { N_OTHERS = 4, N_DENSE = 5 };

/* ReLU, convolution, BN of an unusual eps; without where k is negative. */
static inline int other_conv(nas_builder_t *b, int x, const char *name, int c_out, int k)
{
    const int size = k < 0 ? -k : k;
    const nas_norm_spec_t norm = {.name = "bn", .eps = 0.125, .affine = true};
    b->enter(b, name, -1);
    x = b->conv(b, b->rectify(b, x, NAS_RECTIFIER_RELU),
                &(nas_conv_spec_t){.name = "conv", .c_out = c_out, .k = size, .padding = size / 2});
    if (k > 0) x = b->norm(b, x, &norm);
    b->leave(b);
    return x;
}

static inline int other_sum(nas_builder_t *b, const int *source, int n)
{
    return b->sum(b, &(nas_join_spec_t){.name = "sum", .source = source, .n = n},
                  (nas_extents_t){0});
}

/* Two residual blocks without marks of their ends; the second at half the resolution. */
static inline int residual(nas_builder_t *b, int x, int c)
{
    b->enter(b, "block", 1);
    const int first[] = {x, other_conv(b, other_conv(b, x, "a", c, 3), "b", c, 3)};
    x = other_sum(b, first, 2);
    b->leave(b);
    b->enter(b, "block", 2);
    const int half = b->pool(b, x, &(nas_pool_spec_t){.k = 2, .stride = 2});
    const nas_conv_spec_t strided = {
        .name = "strided", .c_out = 2 * c, .k = 3, .stride = 2, .padding = 1};
    const nas_conv_spec_t shortcut = {.name = "shortcut", .c_out = 2 * c, .k = 1};
    const int down = b->conv(b, b->rectify(b, x, NAS_RECTIFIER_RELU), &strided);
    const int second[] = {b->conv(b, half, &shortcut), other_conv(b, down, "c", 2 * c, 3)};
    x = other_sum(b, second, 2);
    b->leave(b);
    return x;
}

/* Every tensor is the sum of convolutions, pools and copies of all before it. */
static inline int dense(nas_builder_t *b, int x, int c)
{
    int tensor[N_DENSE] = {x};
    for (int i = 1; i < N_DENSE; i++) {
        int term[N_DENSE];
        b->enter(b, "node", i);
        for (int j = 0; j < i; j++) {
            b->enter(b, "from", j);
            if ((i + j) % 4 == 3)
                term[j] = tensor[j];
            else if ((i + j) % 4 == 2)
                term[j] = b->pool(b, tensor[j], &(nas_pool_spec_t){.k = 3, .padding = 1});
            else
                term[j] = other_conv(b, tensor[j], "edge", c, j % 2 ? 1 : 3);
            b->leave(b);
        }
        tensor[i] = other_sum(b, term, i);
        b->leave(b);
    }
    return tensor[N_DENSE - 1];
}

/* No sum at all, and every other convolution without BN. */
static inline int chain(nas_builder_t *b, int x, int c)
{
    x = other_conv(b, x, "a", c, -3);
    x = other_conv(b, x, "b", c, 3);
    x = other_conv(b, x, "c", 2 * c, -1);
    return other_conv(b, x, "d", c, 3);
}

/* Convolutions of one tensor with unlike numbers of channels; a pool before one that halves the
 * resolution as well. */
static inline int unlike(nas_builder_t *b, int x, int c)
{
    const int narrow = other_conv(b, other_conv(b, x, "narrow", c, 1), "widen", 2 * c, 3);
    const int both[] = {other_conv(b, x, "wide", 2 * c, 1), narrow};
    x = other_sum(b, both, 2);
    const int half = b->pool(b, x, &(nas_pool_spec_t){.k = 2, .stride = 2});
    const nas_conv_spec_t quarter = {
        .name = "quarter", .c_out = 2 * c, .k = 3, .stride = 2, .padding = 1};
    return b->conv(b, half, &quarter);
}

/* What ends a small network: a rectifier, the mean of each channel, a linear layer. */
static inline void other_head(nas_builder_t *b, int x, const nas_network_t *network)
{
    x = b->pool(b, b->rectify(b, x, NAS_RECTIFIER_RELU), &(nas_pool_spec_t){.name = "mean"});
    x = b->flatten(b, x, "features");
    b->output(b, b->linear(b, x,
                           &(nas_linear_spec_t){
                               .name = "linear", .n_out = network->classes, .bias = true}));
}

/* what: the number of one, 0 ..= N_OTHERS - 1. */
static inline nas_status_t make_other(const void *what, const nas_network_t *network,
                                      nas_builder_t *b, nas_error_t *err)
{
    static int (*const middle[N_OTHERS])(nas_builder_t *, int, int) = {residual, dense, chain,
                                                                       unlike};
    const nas_conv_spec_t stem = {.name = "stem", .c_out = network->channels, .k = 3, .padding = 1};
    const nas_norm_spec_t norm = {.name = "bn", .eps = 1e-5, .affine = true};
    (void)err;
    int x = b->norm(b, b->conv(b, b->image(b), &stem), &norm);
    x = middle[*(const int *)what](b, x, network->channels);
    other_head(b, x, network);
    return NAS_OK;
}

#endif
