/* The cells of DARTS (Liu et al., ICLR 2019), space `darts`.
 *
 * A cell has two inputs, the outputs of the two cells before it, and 4 nodes. A node is the sum of
 * two operations on distinct states before it: states 0 and 1 are the cell's inputs, state 2 + n is
 * node n. The cell's output is all its nodes side by side. An architecture is two such cells, the
 * normal and the reduction cell.
 */
#ifndef NAS_COMMON_SPACE_SPACE_DARTS_H
#define NAS_COMMON_SPACE_SPACE_DARTS_H

#include "common/space/space.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    NAS_DARTS_NODES = 4,
    NAS_DARTS_EDGES = 2 * NAS_DARTS_NODES, /* edges 2n and 2n + 1 lead into node n */
    NAS_DARTS_STATES = 2 + NAS_DARTS_NODES,
    NAS_DARTS_CELLS = 2,

    /* Bytes of a name with its NUL: of every operation as many. */
    NAS_DARTS_NAME_SIZE = NAS_DARTS_CELLS * NAS_DARTS_EDGES * sizeof "sep_conv_3x3~0"
};

/** In the order of the authors' PRIMITIVES, without `none`, which no genotype has. */
typedef enum nas_darts_operation {
    NAS_DARTS_MAX_POOL = 0, /**< 3x3 */
    NAS_DARTS_MEAN_POOL,    /**< 3x3, padding not counted */
    NAS_DARTS_SKIP,
    NAS_DARTS_SEPARABLE3, /**< ReLU, depthwise 3x3, pointwise, BN, twice */
    NAS_DARTS_SEPARABLE5,
    NAS_DARTS_DILATED3, /**< ReLU, depthwise 3x3 dilated by 2, pointwise, BN */
    NAS_DARTS_DILATED5,
    NAS_DARTS_OPERATIONS
} nas_darts_operation_t;

typedef struct nas_darts_edge {
    uint8_t operation; /**< nas_darts_operation_t */
    uint8_t input;     /**< state */
} nas_darts_edge_t;

/** The normal cell and the reduction cell; the two edges of a node in any order. */
typedef struct nas_darts {
    nas_darts_edge_t edge[NAS_DARTS_CELLS][NAS_DARTS_EDGES];
} nas_darts_t;

extern const nas_space_t nas_space_darts;

/** Read a genotype in either form (space_darts_text.c), its edges in the order of the text.
 *  false, and genotype untouched: the text is none. */
bool nas_darts_parse(const char *text, nas_darts_t *genotype);

/** The space's text. */
void nas_darts_print(const nas_darts_t *genotype, char name[NAS_DARTS_NAME_SIZE]);

/** The network.
 *  NAS_EARG: there is none of these extents. */
nas_status_t nas_darts_build(const nas_darts_t *genotype, const nas_network_t *options,
                             nas_builder_t *builder, nas_error_t *err);

#endif
