#include "worker/engine/gpu/plan/size.h"

#include "worker/engine/gpu/plan/descriptors.h"

enum { ALIGNMENT = 256, TABLE_BYTES_AN_OP = 256 };

static bool is_head(const nas_program_t *program, nas_vector_t vector)
{
    return vector == program->head.features || vector == program->head.t_features;
}

/* Of one operation, which is not the first after a convolution with moments of its own. */
static int64_t parts_of_tensor(const nas_program_t *program, const nas_op_t *op)
{
    const nas_shape_t *s = &op->tensor.shape;
    if (op->kind == NAS_OP_MOMENTS) return 2 * (int64_t)NAS_GPU_TILES(s->n) * s->c;
    return is_head(program, op->tensor.out[0]) ? 0 : (int64_t)s->n * s->c;
}

/* Of a forward pass whose output's moments are taken. */
static int64_t parts_of_conv(nas_gpu_variants_t *variants, const nas_program_t *program,
                             const nas_op_t *op)
{
    const nas_conv_shape_t *shape = &program->conv[op->conv.conv];
    const nas_gpu_conv_kernel_t *kernel = nas_gpu_variants_conv(variants, shape, NAS_GPU_FORWARD);
    return kernel ? 2 * (int64_t)kernel->groups_x * shape->c_out : -1;
}

static int64_t parts_of_combination(const nas_program_combination_t *c)
{
    return (int64_t)c->n_dots * NAS_GPU_PARTS * c->shape.c;
}

bool nas_gpu_has_tiles(const nas_program_t *program, int op)
{
    const nas_op_t *conv = &program->op[op], *next = conv + 1;
    return conv->kind == NAS_OP_CONV_FORWARD && program->conv[conv->conv.conv].k &&
           op + 1 < program->n_ops && next->kind == NAS_OP_MOMENTS &&
           next->tensor.a.at == conv->conv.out;
}

int64_t nas_gpu_program_parts(nas_gpu_variants_t *variants, const nas_program_t *program)
{
    int64_t n = 0;
    nas_place_t by_conv = NAS_NOWHERE; /* whose moments the convolution took */
    for (int i = 0; i < program->n_ops; i++) {
        const nas_op_t *op = &program->op[i];
        if (op->kind != NAS_OP_MOMENTS) by_conv = NAS_NOWHERE;
        if (nas_gpu_has_tiles(program, i)) {
            const int64_t parts = parts_of_conv(variants, program, op);
            if (parts < 0) return -1;
            n += parts;
            by_conv = op->conv.out;
        }
        if (op->kind == NAS_OP_COMBINE) n += parts_of_combination(&program->combination[op->index]);
        if (op->kind == NAS_OP_IMAGE_DOTS ||
            (op->kind == NAS_OP_MOMENTS && op->tensor.a.at != by_conv))
            n += parts_of_tensor(program, op);
        if (op->kind == NAS_OP_MOMENTS && op->tensor.a.at != by_conv) by_conv = NAS_NOWHERE;
    }
    return n;
}

int64_t nas_gpu_program_counts(const nas_program_t *program)
{
    return program->results.agreement >= 0 ? NAS_GPU_COUNTS(program->n) : 0;
}

size_t nas_gpu_program_arena_bytes(const nas_program_t *program)
{
    return (program->arena_bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

size_t nas_gpu_program_bytes(nas_gpu_variants_t *variants, const nas_program_t *program)
{
    const nas_shape_t *s = &program->image;
    const int64_t parts = nas_gpu_program_parts(variants, program);
    const int64_t n_doubles = (int64_t)program->n_vectors + nas_gpu_program_counts(program) +
                              (parts < 0 ? 0 : parts) + program->n_values + program->n_statistics;
    const size_t image_bytes =
        (size_t)s->n * (size_t)s->c * (size_t)s->h * (size_t)s->w * sizeof(float);
    return nas_gpu_program_arena_bytes(program) + (size_t)n_doubles * sizeof(double) + image_bytes +
           (size_t)program->n_ops * TABLE_BYTES_AN_OP;
}
