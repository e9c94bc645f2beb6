/* What is said of a file that cannot be computed. */
#include "worker/onnx/read/maker.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

nas_status_t nas_onnx_refuse(nas_onnx_maker_t *m, const nas_onnx_op_t *op, const char *format, ...)
{
    char reason[NAS_ERROR_SIZE / 2];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    if (!op) return nas_error_set(m->err, NAS_EINPUT, "%s: %s", m->file->path, reason);
    return nas_error_set(m->err, NAS_EINPUT, "%s: node %.200s: %.50s: %s", m->file->path, op->name,
                         op->type, reason);
}

nas_status_t nas_onnx_no_memory(nas_onnx_maker_t *m)
{
    return nas_error_nomem(m->err, "an ONNX model");
}

nas_status_t nas_onnx_refuse_operation(nas_onnx_maker_t *m, const nas_onnx_op_t *op)
{
    const bool is_own = !*op->domain || strcmp(op->domain, "ai.onnx") == 0;
    return nas_error_set(
        m->err, NAS_EINPUT,
        "%s: node %.200s: %.50s%s%.100s cannot be computed: accepted are Conv, BatchNormalization, "
        "Relu, Clip(0, 6), AveragePool, MaxPool, GlobalAveragePool, ReduceMean over H W, Gemm, "
        "MatMul + Add, Add, Sum, Concat on channels, Flatten, Reshape and Squeeze to [N, C H W], "
        "Identity, Dropout, Constant, Pad of zeros, Slice of H and W, and arithmetic on shapes",
        m->file->path, op->name, op->type, is_own ? "" : " of ", is_own ? "" : op->domain);
}
