/* Weights of any convolution, packed one by one: of several groups, and of large windows. A block
 * of output channels has weights for every block of inputs that its groups have a part of; those
 * between different groups are 0. */
#ifndef NAS_WORKER_ENGINE_BACKENDS_CPU_WEIGHTS_H
#define NAS_WORKER_ENGINE_BACKENDS_CPU_WEIGHTS_H

#include "worker/engine/backends/cpu/kernels.h"

/** Where weights are: the convolution's extents, channels of a block, and the layout. */
typedef struct nas_weights {
    const nas_conv_blocks_t *conv;
    int lanes;
    nas_filter_layout_t layout;
} nas_weights_t;

/** Blocks of inputs that any block of outputs is joined with, at most.  Not collective.
 *  conv [in] with all extents but this. */
int nas_weights_joined(const nas_conv_blocks_t *conv, int lanes);

/** Weights [O, I / groups, K, K] to and from a packed layout, what is between groups and beyond
 *  channels left as it is.  Not collective. */
void nas_weights_pack(nas_weights_t where, const double *weights, float *packed);
void nas_weights_unpack(nas_weights_t where, const float *packed, double *weights);

/** Set what is between groups to 0.  Not collective. */
void nas_weights_clear(nas_weights_t where, float *packed);

#endif
