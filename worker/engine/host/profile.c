#include "worker/engine/host/profile.h"

#include "worker/engine/host/run.h"

#include <string.h>

const char *nas_work_name(nas_work_t work)
{
    static const char *const name[NAS_WORK_COUNT] = {
        [NAS_WORK_CONV_FORWARD] = "conv forward",
        [NAS_WORK_CONV_BACKWARD_DATA] = "conv backward data",
        [NAS_WORK_CONV_BACKWARD_WEIGHTS] = "conv backward weights",
        [NAS_WORK_COMBINE] = "combine",
        [NAS_WORK_MOMENTS] = "moments",
        [NAS_WORK_IMAGE_DOTS] = "image dots",
        [NAS_WORK_SIGNS] = "signs",
        [NAS_WORK_MAX_ABS] = "max abs",
        [NAS_WORK_WEIGHT_DOTS] = "weight dots",
        [NAS_WORK_SCALAR] = "scalar",
        [NAS_WORK_POOL] = "pools",
        [NAS_WORK_COPY] = "copies",
        [NAS_WORK_LOAD] = "load",
    };
    return name[work];
}

bool nas_work_is_conv(nas_work_t work)
{
    return work <= NAS_WORK_CONV_BACKWARD_WEIGHTS;
}

void nas_profile_add(nas_profile_t *profile, const nas_profile_entry_t *call)
{
    nas_profile_entry_t *entry = profile->entry, *end = entry + profile->n, *kind = NULL;
    for (; entry < end; entry++) {
        if (entry->work != call->work) continue;
        if (nas_conv_is_same(&entry->shape, &call->shape)) break;
        if (!kind) kind = entry;
    }
    if (entry == end && kind && profile->n >= NAS_PROFILE_SHAPES) {
        entry = kind;
    } else if (entry == end) {
        *entry = (nas_profile_entry_t){.work = call->work, .shape = call->shape};
        profile->n++;
    }
    entry->n_calls += call->n_calls;
    entry->seconds += call->seconds;
    entry->flops += call->flops;
    entry->bytes += call->bytes;
}

/* ------------------------------------------------------------------------ work of one call */

static double tensor_bytes(const nas_backend_t *backend, nas_shape_t shape)
{
    return (double)backend->tensor_bytes(shape);
}

static void count_conv(const nas_program_t *program, const nas_backend_t *backend,
                       const nas_op_t *op, nas_profile_entry_t *call)
{
    const nas_conv_shape_t s = program->conv[op->conv.conv];
    const int h = nas_conv_h_out(&s), w = nas_conv_w_out(&s);
    const double n_weights = (double)s.c_out * nas_conv_fan_in(&s);
    call->shape = s;
    call->flops = 2.0 * s.n * h * w * n_weights;
    call->bytes = tensor_bytes(backend, (nas_shape_t){s.n, s.c_in, s.h_in, s.w_in}) +
                  tensor_bytes(backend, (nas_shape_t){s.n, s.c_out, h, w}) +
                  n_weights * (double)backend->element_bytes;
}

/* Bytes of a term's tensor: other extents than the value's where it is pooled 2 x 2. */
static double term_bytes(const nas_backend_t *backend, nas_shape_t shape,
                         const nas_program_term_t *term)
{
    if (term->kind == NAS_TERM_IMAGE) return (double)shape.n * shape.c * (double)sizeof(double);
    if (term->kind == NAS_TERM_POOL2) {
        shape.h *= 2;
        shape.w *= 2;
    } else if (term->kind == NAS_TERM_POOL2_ADJOINT) {
        shape.h /= 2;
        shape.w /= 2;
    }
    return tensor_bytes(backend, shape);
}

/* Ranges of channels that a combination has touched so far. */
typedef struct touched {
    nas_range_t range[NAS_MAX_TERMS + NAS_MAX_DOTS + 3];
    int n;
} touched_t;

/* Whether the range is there and new: what is read twice in a pass comes from the cache. */
static bool touch(touched_t *touched, nas_range_t range)
{
    if (range.at < 0) return false;
    for (int i = 0; i < touched->n; i++)
        if (touched->range[i].at == range.at && touched->range[i].c_first == range.c_first)
            return false;
    touched->range[touched->n++] = range;
    return true;
}

static double combine_bytes(const nas_program_t *program, const nas_backend_t *backend, int index)
{
    const nas_program_combination_t *c = &program->combination[index];
    const nas_program_term_t *term = program->term + c->term;
    const double value = tensor_bytes(backend, c->shape);
    touched_t touched = {0};
    double bytes = 0;
    for (int i = 0; i < c->n_terms; i++)
        if (term[i].kind == NAS_TERM_IMAGE || touch(&touched, term[i].tensor))
            bytes += term_bytes(backend, c->shape, &term[i]);
    for (int i = 0; i < c->n_dots; i++)
        if (touch(&touched, program->dot[c->dot + i].tensor)) bytes += value;
    if (touch(&touched, c->mask)) bytes += value;
    if (c->out.at >= 0) bytes += value;
    if (c->relu.at >= 0) bytes += value;
    return bytes;
}

/* Weights come as float64 and go where they are packed, gradients the other way. */
static double pack_bytes(const nas_program_t *program, const nas_backend_t *backend, int index)
{
    const nas_program_group_t *g = &program->group[index];
    return (double)g->elements * (double)(backend->element_bytes + sizeof(double));
}

static double dot_bytes(const nas_program_t *program, const nas_backend_t *backend)
{
    double n = 0;
    for (int i = 0; i < program->n_weight_dots; i++) n += (double)program->weight_dot[i].n;
    return 2 * n * (double)backend->element_bytes;
}

static nas_work_t work_of(nas_op_kind_t kind)
{
    static const nas_work_t work[] = {
        [NAS_OP_LOAD_IMAGES] = NAS_WORK_LOAD,
        [NAS_OP_PACK] = NAS_WORK_LOAD,
        [NAS_OP_CONV_FORWARD] = NAS_WORK_CONV_FORWARD,
        [NAS_OP_CONV_BACKWARD_DATA] = NAS_WORK_CONV_BACKWARD_DATA,
        [NAS_OP_CONV_BACKWARD_WEIGHTS] = NAS_WORK_CONV_BACKWARD_WEIGHTS,
        [NAS_OP_MOMENTS] = NAS_WORK_MOMENTS,
        [NAS_OP_COMBINE] = NAS_WORK_COMBINE,
        [NAS_OP_IMAGE_DOTS] = NAS_WORK_IMAGE_DOTS,
        [NAS_OP_AGREEMENT] = NAS_WORK_SIGNS,
        [NAS_OP_PATTERNS] = NAS_WORK_SIGNS,
        [NAS_OP_STORE] = NAS_WORK_COPY,
        [NAS_OP_MAX_ABS] = NAS_WORK_MAX_ABS,
        [NAS_OP_WEIGHT_DOTS] = NAS_WORK_WEIGHT_DOTS,
        [NAS_OP_UNPACK] = NAS_WORK_LOAD,
        [NAS_OP_ADD_GRADIENT] = NAS_WORK_LOAD,
        [NAS_OP_POOL_FORWARD] = NAS_WORK_POOL,
        [NAS_OP_POOL_BACKWARD] = NAS_WORK_POOL,
        [NAS_OP_POOL_TANGENT] = NAS_WORK_POOL,
        [NAS_OP_COPY] = NAS_WORK_COPY,
        [NAS_OP_FLATTEN] = NAS_WORK_COPY,
        [NAS_OP_UNFLATTEN] = NAS_WORK_COPY,
        [NAS_OP_SCALAR] = NAS_WORK_SCALAR,
    };
    return work[kind];
}

/* What is read and written once. */
static double pool_bytes(const nas_program_t *program, const nas_backend_t *backend,
                         const nas_pool_op_t *op)
{
    const nas_pool_shape_t *pool = &program->pool[op->pool];
    const double x = tensor_bytes(backend, (nas_shape_t){pool->n, pool->c, pool->h_in, pool->w_in});
    const double y =
        tensor_bytes(backend, (nas_shape_t){pool->n, pool->c, pool->h_out, pool->w_out});
    return x * ((op->x >= 0) + (op->in >= 0)) + y;
}

static double bytes_of(const nas_program_t *program, const nas_backend_t *backend,
                       const nas_op_t *op)
{
    switch (op->kind) {
    case NAS_OP_COMBINE:
        return combine_bytes(program, backend, op->index);
    case NAS_OP_PACK:
    case NAS_OP_UNPACK:
        return pack_bytes(program, backend, op->index);
    case NAS_OP_WEIGHT_DOTS:
        return dot_bytes(program, backend);
    case NAS_OP_LOAD_IMAGES:
        return 2 * (double)backend->image_bytes(op->tensor.shape);
    case NAS_OP_POOL_FORWARD:
    case NAS_OP_POOL_BACKWARD:
    case NAS_OP_POOL_TANGENT:
        return pool_bytes(program, backend, &op->pool);
    case NAS_OP_COPY:
        return 2 * tensor_bytes(backend, op->copy.shape);
    case NAS_OP_FLATTEN:
    case NAS_OP_UNFLATTEN:
        return 2 * tensor_bytes(backend, op->tensor.shape);
    case NAS_OP_MOMENTS:
    case NAS_OP_IMAGE_DOTS:
    case NAS_OP_AGREEMENT:
    case NAS_OP_PATTERNS:
    case NAS_OP_STORE:
    case NAS_OP_MAX_ABS:
        return tensor_bytes(backend, op->tensor.shape) *
               (op->kind == NAS_OP_IMAGE_DOTS && op->tensor.b.at >= 0 ? 2 : 1);
    default:
        return 0;
    }
}

void nas_profile_op(const nas_program_t *program, const nas_backend_t *backend, const nas_op_t *op,
                    double seconds, nas_profile_t *profile)
{
    nas_profile_entry_t call = {.work = work_of(op->kind), .n_calls = 1, .seconds = seconds};
    if (nas_work_is_conv(call.work))
        count_conv(program, backend, op, &call);
    else
        call.bytes = bytes_of(program, backend, op);
    nas_profile_add(profile, &call);
}
