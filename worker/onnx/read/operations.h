/* The functions by which nodes are made, one an operation or several of a kind: each reads its
 * inputs, all of which are there, and writes output 0.  Not collective.
 *
 * NAS_EINPUT: by node and operation, why it cannot be; or the builder refused it, which is noted
 * (nas_onnx_give). NAS_EIO, NAS_ENOMEM. */
#ifndef NAS_WORKER_ONNX_READ_OPERATIONS_H
#define NAS_WORKER_ONNX_READ_OPERATIONS_H

#include "worker/onnx/read/maker.h"

typedef nas_status_t nas_onnx_function_t(nas_onnx_maker_t *m, const nas_onnx_op_t *op);

/* layers.c */
nas_onnx_function_t nas_onnx_conv, nas_onnx_norm, nas_onnx_gemm, nas_onnx_matmul;
/* pools.c */
nas_onnx_function_t nas_onnx_average_pool, nas_onnx_max_pool, nas_onnx_global_average_pool,
    nas_onnx_global_max_pool, nas_onnx_reduce_mean;
/* joins.c */
nas_onnx_function_t nas_onnx_relu, nas_onnx_clip, nas_onnx_add, nas_onnx_sum, nas_onnx_concat,
    nas_onnx_neutral;
/* reshapes.c */
nas_onnx_function_t nas_onnx_identity, nas_onnx_flatten, nas_onnx_reshape, nas_onnx_squeeze,
    nas_onnx_unsqueeze, nas_onnx_pad, nas_onnx_slice;
/* constants.c */
nas_onnx_function_t nas_onnx_constant, nas_onnx_constant_of_shape, nas_onnx_expand, nas_onnx_shape_of, nas_onnx_cast,
    nas_onnx_transpose;
/** The value of an array of a node, or (NULL) of an initialiser: integers are taken over, floats
 *  stay where they are. */
nas_status_t nas_onnx_value_of(nas_onnx_maker_t *m, const nas_onnx_op_t *op,
                               nas_onnx_array_t *array, nas_onnx_value_t *value);
/* integers.c */
nas_onnx_function_t nas_onnx_arithmetic, nas_onnx_negate, nas_onnx_gather, nas_onnx_slice_integers,
    nas_onnx_concat_integers;

/* operations.c */

/** Whether a node has an operation that is known.  NAS_EINPUT: it has not. */
nas_status_t nas_onnx_check(nas_onnx_maker_t *m, const nas_onnx_op_t *op);

/** Make a node that has. */
nas_status_t nas_onnx_make(nas_onnx_maker_t *m, const nas_onnx_op_t *op);

#endif
