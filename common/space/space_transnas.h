/* Networks of TransNAS-Bench-101's two spaces (space_transnas.c has their texts). */
#ifndef NAS_COMMON_SPACE_SPACE_TRANSNAS_H
#define NAS_COMMON_SPACE_SPACE_TRANSNAS_H

#include "common/base/error.h"
#include "common/space/builder.h"
#include "common/space/network.h"

#include <stdint.h>

enum { NAS_TRANSNAS_MAX_MODULES = 8 };

/** Modules of a skeleton, and what their two blocks are. Borrowed. */
typedef struct nas_transnas {
    const uint8_t *module; /**< 1 plain, 2 doubles the channels, 3 halves the image, 4 does both */
    int n_modules;
    const uint8_t *cell; /**< operations of 6 edges: 0 none, 1 skip, 2 convolution 1x1, 3
                          *   convolution 3x3; NULL: the blocks are residual */
} nas_transnas_t;

static inline bool nas_transnas_halves(int module)
{
    return module > 2;
}

static inline bool nas_transnas_doubles(int module)
{
    return module % 2 == 0;
}

/** The network, of which only what reaches the output is built.
 *  NAS_EARG: there is none of these extents. */
nas_status_t nas_transnas_build(const nas_transnas_t *skeleton, const nas_network_t *options,
                                nas_builder_t *builder, nas_error_t *err);

#endif
