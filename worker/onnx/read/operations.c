#include "worker/onnx/read/operations.h"

#include <string.h>

/* An operation, on what is made of the images and on constants; on integers, where that is another
 * function. */
typedef struct operation {
    const char *type;
    nas_onnx_function_t *make;
    nas_onnx_function_t *make_integers;
} operation_t;

static const operation_t OPERATION[] = {
    {"Conv", nas_onnx_conv, NULL},
    {"BatchNormalization", nas_onnx_norm, NULL},
    {"Relu", nas_onnx_relu, NULL},
    {"Clip", nas_onnx_clip, NULL},
    {"AveragePool", nas_onnx_average_pool, NULL},
    {"MaxPool", nas_onnx_max_pool, NULL},
    {"GlobalAveragePool", nas_onnx_global_average_pool, NULL},
    {"GlobalMaxPool", nas_onnx_global_max_pool, NULL},
    {"ReduceMean", nas_onnx_reduce_mean, NULL},
    {"Gemm", nas_onnx_gemm, NULL},
    {"MatMul", nas_onnx_matmul, NULL},
    {"Add", nas_onnx_add, nas_onnx_arithmetic},
    {"Sub", nas_onnx_neutral, nas_onnx_arithmetic},
    {"Mul", nas_onnx_neutral, nas_onnx_arithmetic},
    {"Div", nas_onnx_neutral, nas_onnx_arithmetic},
    {"Neg", nas_onnx_negate, NULL},
    {"Sum", nas_onnx_sum, NULL},
    {"Concat", nas_onnx_concat, nas_onnx_concat_integers},
    {"Flatten", nas_onnx_flatten, NULL},
    {"Reshape", nas_onnx_reshape, NULL},
    {"Squeeze", nas_onnx_squeeze, NULL},
    {"Unsqueeze", nas_onnx_unsqueeze, NULL},
    {"Identity", nas_onnx_identity, NULL},
    {"Dropout", nas_onnx_identity, NULL},
    {"Pad", nas_onnx_pad, NULL},
    {"Slice", nas_onnx_slice, nas_onnx_slice_integers},
    {"Constant", nas_onnx_constant, NULL},
    {"ConstantOfShape", nas_onnx_constant_of_shape, NULL},
    {"Expand", nas_onnx_expand, NULL},
    {"Shape", nas_onnx_shape_of, NULL},
    {"Gather", nas_onnx_gather, NULL},
    {"Cast", nas_onnx_cast, NULL},
    {"Transpose", nas_onnx_transpose, NULL},
};

/* Whether it is about integers: its first two inputs that are there are. */
static bool is_whole(const nas_onnx_maker_t *m, const nas_onnx_op_t *op)
{
    const int n = op->n_inputs < 2 || strcmp(op->type, "Slice") == 0 ? 1 : 2;
    bool is = op->n_inputs > 0;
    for (int i = 0; i < n; i++) {
        const nas_onnx_value_t *input = nas_onnx_input(m, op, i);
        is &= input && input->kind == NAS_ONNX_WHOLE;
    }
    return is;
}

static const operation_t *find(const nas_onnx_op_t *op)
{
    const bool is_own = !*op->domain || strcmp(op->domain, "ai.onnx") == 0;
    for (size_t i = 0; is_own && i < sizeof OPERATION / sizeof *OPERATION; i++)
        if (strcmp(OPERATION[i].type, op->type) == 0) return &OPERATION[i];
    return NULL;
}

nas_status_t nas_onnx_check(nas_onnx_maker_t *m, const nas_onnx_op_t *op)
{
    return find(op) ? NAS_OK : nas_onnx_refuse_operation(m, op);
}

nas_status_t nas_onnx_make(nas_onnx_maker_t *m, const nas_onnx_op_t *op)
{
    const operation_t *o = find(op);
    const bool has_two = o->make_integers != nas_onnx_arithmetic || op->n_inputs == 2;
    return o->make_integers && has_two && is_whole(m, op) ? o->make_integers(m, op)
                                                          : o->make(m, op);
}
