/* The cells of NAS-Bench-201 (Dong & Yang, ICLR 2020), space `nas-bench-201`.
 *
 * A cell has 4 nodes and an edge from every node to every later one. Node 0 is the cell's input,
 * node 3 its output; a node is the sum of what its edges bring. A code (space.h) is the operation
 * of each edge, in the order printed: 0>1, 0>2, 1>2, 0>3, 1>3, 2>3.
 */
#ifndef NAS_COMMON_SPACE_SPACE_NB201_H
#define NAS_COMMON_SPACE_SPACE_NB201_H

#include "common/space/space.h"

#include <stdint.h>

enum { NAS_CELL_NODES = 4, NAS_CELL_EDGES = 6, NAS_CELL_OPERATIONS = 5 };

/** Operations of an edge, as encoding.h numbers them. */
typedef enum nas_operation {
    NAS_OPERATION_NONE = 0, /**< brings zeros */
    NAS_OPERATION_SKIP,     /**< brings its source */
    NAS_OPERATION_CONV1,    /**< ReLU, convolution 1x1, BN */
    NAS_OPERATION_CONV3,    /**< ReLU, convolution 3x3, BN */
    NAS_OPERATION_POOL      /**< average 3x3, stride 1, padding not counted */
} nas_operation_t;

/** The space, in the order of its codes: index 0 is all none, the last edge changes fastest. */
extern const nas_space_t nas_space_nb201;

/** nas_space_t.build of it. */
nas_status_t nas_nb201_build(const struct nas_arch *arch, const nas_network_t *options,
                             nas_builder_t *builder, nas_error_t *err);

/** Edges are sets of bits, bit e for edge e.  Fed: the edge brings something, since a way from node
 *  0 leads to its source and it is not none. */
unsigned nas_cell_fed_edges(const uint8_t operation[NAS_CELL_EDGES]);

/** Used: it is not none and a way leads from its target to node 3. */
unsigned nas_cell_used_edges(const uint8_t operation[NAS_CELL_EDGES]);

/** Live: both, that is, it lies on a way from input to output. The others are dead: they change
 *  nothing that leaves the cell. 0: the cell's output is zero. */
unsigned nas_cell_live_edges(const uint8_t operation[NAS_CELL_EDGES]);

#endif
