/* Blocks that networks of several spaces have. Parameters are named in the scopes that are open:
 * "conv" and "bn", or "conv_a", "conv_b" and "bn". Convolutions have no bias; a BN has gamma, beta
 * and PyTorch's eps. */
#ifndef NAS_COMMON_SPACE_BLOCKS_H
#define NAS_COMMON_SPACE_BLOCKS_H

#include "common/space/builder.h"

/** A tensor that several operations read, some of them its ReLU: that is made once, when the first
 *  asks for it, since equal ReLUs of one tensor count as one. */
typedef struct nas_activation {
    int tensor;
    int rectified; /**< -1: not asked for yet */
} nas_activation_t;

static inline nas_activation_t nas_activation_of(int tensor)
{
    return (nas_activation_t){.tensor = tensor, .rectified = -1};
}

int nas_activation_rectified(nas_builder_t *b, nas_activation_t *activation);

/** BN "bn". */
int nas_block_norm(nas_builder_t *b, int source);

/** Convolution k x k "conv", padded by half its kernel, and BN. */
int nas_block_conv_norm(nas_builder_t *b, int source, int c_out, int k, int stride);

/** What stands for a skip that changes extents: two convolutions 1x1 side by side, of half the
 *  channels each, the second of which reads one pixel further right and down (0 beyond the edge);
 *  then BN.  source: a tensor already rectified, of two rows and columns at least. */
int nas_block_halve(nas_builder_t *b, int source, int c_out, int stride);

/** The end of a network: mean of each channel and linear layer, scope "head". */
void nas_block_head(nas_builder_t *b, int source, int n_classes);

#endif
