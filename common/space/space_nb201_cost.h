/* Size and cost of a NAS-Bench-201 network, from formulas: nothing is built or run.
 *
 * All counts are of the whole network as built, dead edges included. For the live part alone, set
 * the dead edges to none (nas_cell_live_edges).
 */
#ifndef NAS_COMMON_SPACE_SPACE_NB201_COST_H
#define NAS_COMMON_SPACE_SPACE_NB201_COST_H

#include "common/space/network.h"
#include "common/space/space_nb201.h"

#include <stdint.h>

/** Numbers of one network; costs are for one image. */
typedef struct nas_nb201_cost {
    /** Elements of all parameters: weights, biases, gammas and betas; by convention, see
     *  nas_convention_t. With `train`, 16 channels, 5 cells and 10 classes: 1e6 times the `params`
     *  of NAS-Bench-201's published tables. */
    int64_t params;
    /** Multiply-adds of all convolutions and of the linear layer; equal in both conventions. */
    int64_t flops;
    /** What tensorwatch's ModelStats.Flops counts, 1e6 times the `flops` of tables that NASLib
     *  wrote: `flops`, and an operation for each element of a ReLU, two for each of a BN, one for
     *  each pixel of a pool's windows (padding counted), (H + 1)(W + 1) a channel for the global
     *  pool. Equal in both conventions: a convolution's bias costs what BN's affine map does. */
    int64_t operations;
} nas_nb201_cost_t;

/** Count.  Not collective. O(1).
 *  operation [in] a code of nas_space_nb201; network: height and width are multiples of 4;
 *  cost [out]. */
void nas_nb201_cost(const uint8_t operation[NAS_CELL_EDGES], const nas_network_t *network,
                    nas_nb201_cost_t *cost);

#endif
