/* A borrowed view of a dense row-major float64 matrix. */
#ifndef NAS_COMMON_BASE_MATRIX_H
#define NAS_COMMON_BASE_MATRIX_H

#include <stdint.h>

/** Never frees. Row i starts at data + i * stride. */
typedef struct nas_matrix_view {
    const double *data;
    int64_t n;      /**< rows */
    int64_t d;      /**< columns */
    int64_t stride; /**< doubles between two rows, >= d */
} nas_matrix_view_t;

#endif
