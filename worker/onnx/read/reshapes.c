/* Nodes that leave elements as they are: another shape, a part, zeros around. */
#include "worker/onnx/read/operations.h"

#include <string.h>

nas_status_t nas_onnx_identity(nas_onnx_maker_t *m, const nas_onnx_op_t *op)
{
    const nas_onnx_value_t *x = nas_onnx_input(m, op, 0);
    if (!x) return nas_onnx_refuse(m, op, "it has no input");
    *nas_onnx_output(m, op) = *x;
    return NAS_OK;
}

/* ---------------------------------------------------------------------------------------- flat */

/* [N, C, H, W] as [N, C H W]. */
static nas_status_t make_flat(nas_onnx_maker_t *m, const nas_onnx_op_t *op)
{
    const nas_onnx_value_t *x = NULL;
    const nas_status_t status = nas_onnx_data(m, op, 0, 0, &x);
    if (status) return status;
    if (x->shape.rank == 2) return nas_onnx_identity(m, op);
    const int source = nas_onnx_tensor(m, x);
    return nas_onnx_give(m, op, m->b->flatten(m->b, source, nas_onnx_name(m, op->name)), 2);
}

nas_status_t nas_onnx_flatten(nas_onnx_maker_t *m, const nas_onnx_op_t *op)
{
    const nas_onnx_value_t *x = NULL;
    const nas_status_t status = nas_onnx_data(m, op, 0, 0, &x);
    if (status) return status;
    if (nas_onnx_axis(nas_onnx_integer(op, "axis", 1), x->shape.rank) != 1)
        return nas_onnx_refuse(m, op, "an axis of 1 is computed");
    return make_flat(m, op);
}

/* Whether a shape that is asked for is [N, n]: both may be what is left, and 0 is what is there. */
static bool asks_flat(const nas_onnx_maker_t *m, const nas_onnx_value_t *x,
                      const nas_onnx_list_t *asked)
{
    const nas_extents_t e = nas_onnx_extents(x);
    const int64_t n = (int64_t)e.c * e.h * e.w;
    if (asked->n != 2) return false;
    const bool is_batch = asked->at[0] == 0 || nas_onnx_is_batch(m, asked->at[0]);
    const bool is_rest = asked->at[1] == n || (asked->at[1] == 0 && e.c == n);
    return (is_batch && (is_rest || asked->at[1] == -1)) || (asked->at[0] == -1 && is_rest);
}

static bool asks_same(const nas_onnx_maker_t *m, const nas_onnx_value_t *x,
                      const nas_onnx_list_t *asked)
{
    int n_free = 0;
    bool same = asked->n == x->shape.rank;
    for (int i = 0; same && i < asked->n; i++) {
        const int64_t dim = asked->at[i];
        n_free += dim == -1;
        same = dim == 0 || dim == -1 || dim == x->shape.dim[i] ||
               (i == 0 && nas_onnx_is_batch(m, dim));
    }
    return same && n_free < 2;
}

static nas_status_t reshape_data(nas_onnx_maker_t *m, const nas_onnx_op_t *op)
{
    const nas_onnx_value_t *x = nas_onnx_input(m, op, 0);
    nas_onnx_list_t asked;
    const nas_status_t status = nas_onnx_integers(m, op, "shape", 1, &asked);
    if (status) return status;
    for (int i = 0; i < asked.n; i++)
        if (asked.at[i] == 0 && nas_onnx_integer(op, "allowzero", 0))
            return nas_onnx_refuse(m, op, "nothing is left of its input");
    if (asks_same(m, x, &asked)) return nas_onnx_identity(m, op);
    if (asks_flat(m, x, &asked)) return make_flat(m, op);
    return nas_onnx_refuse(m, op, "a shape of [N, C H W] is computed");
}

/* Another shape of an array whose elements lie one behind the other. */
static nas_status_t reshape_real(nas_onnx_maker_t *m, const nas_onnx_op_t *op,
                                 const nas_onnx_shape_t *shape)
{
    const nas_onnx_value_t *x = nas_onnx_input(m, op, 0);
    nas_onnx_value_t value = *x;
    int64_t stride = 1;
    value.shape = *shape;
    for (int i = shape->rank - 1; i >= 0; i--) {
        value.stride[i] = stride;
        stride *= shape->dim[i] > 0 ? shape->dim[i] : 1;
    }
    const nas_onnx_value_t whole = nas_onnx_real(x->array, x->is_constant);
    bool is_plain = nas_onnx_count(&x->shape) == x->array->n;
    stride = 1;
    for (int i = x->shape.rank - 1; is_plain && i >= 0; i--) {
        is_plain = x->shape.dim[i] == 1 || x->stride[i] == stride;
        stride *= x->shape.dim[i];
    }
    if (!is_plain || whole.array->n < 1)
        return nas_onnx_refuse(m, op, "an array that is transposed before keeps its shape");
    *nas_onnx_output(m, op) = value;
    return NAS_OK;
}

/* The shape that is asked for of a constant of n elements. */
static nas_status_t resolve(nas_onnx_maker_t *m, const nas_onnx_op_t *op,
                            const nas_onnx_list_t *asked, nas_onnx_shape_t *shape)
{
    const nas_onnx_value_t *x = nas_onnx_input(m, op, 0);
    const int64_t n = nas_onnx_count(&x->shape);
    int64_t others = 1;
    int rest = -1;
    bool fits = n > 0 && asked->n <= NAS_ONNX_MAX_RANK;
    *shape = (nas_onnx_shape_t){.rank = fits ? asked->n : 0};
    for (int i = 0; fits && i < asked->n; i++) {
        int64_t dim = asked->at[i];
        if (dim == 0 && i < x->shape.rank) dim = x->shape.dim[i];
        fits = dim == -1 ? rest < 0 : dim > 0 && dim <= n / others;
        if (dim == -1)
            rest = i;
        else if (fits)
            others *= dim;
        shape->dim[i] = dim;
    }
    if (fits && rest >= 0) shape->dim[rest] = n / others;
    if (!fits || (rest >= 0 ? n % others != 0 : others != n))
        return nas_onnx_refuse(m, op, "a shape of another number of elements");
    return NAS_OK;
}

/* A constant in another shape, integers or floats. */
static nas_status_t reshape_constant(nas_onnx_maker_t *m, const nas_onnx_op_t *op,
                                     const nas_onnx_shape_t *shape)
{
    const nas_onnx_value_t *x = nas_onnx_input(m, op, 0);
    if (x->kind == NAS_ONNX_REAL) return reshape_real(m, op, shape);
    nas_onnx_value_t value = *x;
    value.shape = *shape;
    *nas_onnx_output(m, op) = value;
    return NAS_OK;
}

nas_status_t nas_onnx_reshape(nas_onnx_maker_t *m, const nas_onnx_op_t *op)
{
    const nas_onnx_value_t *x = nas_onnx_input(m, op, 0);
    nas_onnx_list_t asked;
    nas_onnx_shape_t shape;
    if (!x) return nas_onnx_refuse(m, op, "it has no input");
    if (x->kind == NAS_ONNX_DATA) return reshape_data(m, op);
    nas_status_t status = nas_onnx_integers(m, op, "shape", 1, &asked);
    if (!status) status = resolve(m, op, &asked, &shape);
    return status ? status : reshape_constant(m, op, &shape);
}

/* ------------------------------------------------------------------------- dimensions of 1 */

/* Which of the axes of a value, or of what it becomes, are named. */
static nas_status_t take_axes(nas_onnx_maker_t *m, const nas_onnx_op_t *op, int more,
                              bool named[NAS_ONNX_MAX_RANK], int *rank)
{
    const nas_onnx_value_t *x = nas_onnx_input(m, op, 0);
    nas_onnx_list_t axes;
    memset(named, 0, NAS_ONNX_MAX_RANK * sizeof *named);
    const nas_status_t status = nas_onnx_integers(m, op, "axes", 1, &axes);
    if (status) return status;
    *rank = x->shape.rank + (more ? axes.n : 0);
    if (!axes.at || *rank > NAS_ONNX_MAX_RANK)
        return nas_onnx_refuse(m, op, "axes that are named are computed, of up to 8");
    for (int i = 0; i < axes.n; i++) {
        const int axis = nas_onnx_axis(axes.at[i], *rank);
        if (axis < 0 || named[axis])
            return nas_onnx_refuse(m, op, "its axes are none of its input");
        named[axis] = true;
    }
    return NAS_OK;
}

nas_status_t nas_onnx_squeeze(nas_onnx_maker_t *m, const nas_onnx_op_t *op)
{
    const nas_onnx_value_t *x = nas_onnx_input(m, op, 0);
    bool named[NAS_ONNX_MAX_RANK];
    nas_onnx_shape_t shape = {0};
    int rank = 0;
    if (!x) return nas_onnx_refuse(m, op, "it has no input");
    const nas_status_t status = take_axes(m, op, 0, named, &rank);
    if (status) return status;
    for (int i = 0; i < rank; i++) {
        if (named[i] && x->shape.dim[i] != 1)
            return nas_onnx_refuse(m, op, "axis %d is not of size 1", i);
        if (!named[i]) shape.dim[shape.rank++] = x->shape.dim[i];
    }
    if (shape.rank == rank) return nas_onnx_identity(m, op);
    if (x->kind != NAS_ONNX_DATA) return reshape_constant(m, op, &shape);
    if (rank == 4 && named[2] && named[3] && !named[1]) return make_flat(m, op);
    return nas_onnx_refuse(m, op, "axes 2 and 3 of [N, C, 1, 1] are computed");
}

nas_status_t nas_onnx_unsqueeze(nas_onnx_maker_t *m, const nas_onnx_op_t *op)
{
    const nas_onnx_value_t *x = nas_onnx_input(m, op, 0);
    bool named[NAS_ONNX_MAX_RANK];
    nas_onnx_shape_t shape = {0};
    int from = 0;
    if (!x || x->kind == NAS_ONNX_DATA)
        return nas_onnx_refuse(m, op, "constants alone get more dimensions");
    const nas_status_t status = take_axes(m, op, 1, named, &shape.rank);
    if (status) return status;
    for (int i = 0; i < shape.rank; i++) shape.dim[i] = named[i] ? 1 : x->shape.dim[from++];
    return reshape_constant(m, op, &shape);
}

/* ----------------------------------------------------------------------------- parts and zeros */

/* What a node takes of rows or columns: from `first` of its input on, n of them. */
typedef struct span {
    int64_t first, n;
} span_t;

/* A value of which another part is taken, with zeros where its input has nothing. Zeros that are
 * added where something was cut off before are not what was cut: then it is cut first. */
static nas_status_t take_part(nas_onnx_maker_t *m, const nas_onnx_op_t *op,
                              const nas_onnx_value_t *x, const span_t span[2])
{
    const nas_extents_t e = nas_onnx_extents(x);
    const int64_t extent[2] = {e.h, e.w}, base[2] = {x->base.h, x->base.w},
                  place[2] = {x->top, x->left};
    bool reveals = false;
    for (int i = 0; i < 2; i++) {
        const int64_t end = span[i].first + span[i].n;
        if (span[i].n < 1) return nas_onnx_refuse(m, op, "nothing is left of its image");
        if (span[i].n > INT16_MAX || place[i] + span[i].first >= base[i] || place[i] + end < 1)
            return nas_onnx_refuse(m, op, "none of its image is in what it makes");
        reveals |= (span[i].first < 0 && place[i] > 0) ||
                   (end > extent[i] && place[i] + extent[i] < base[i]);
    }
    if (reveals && x->tensor >= 0 && nas_onnx_tensor(m, x) < 0) {
        m->failed = op;
        return NAS_EINPUT;
    }
    nas_onnx_value_t value = *x;
    value.top += (int)span[0].first;
    value.left += (int)span[1].first;
    value.shape.dim[2] = span[0].n;
    value.shape.dim[3] = span[1].n;
    value.cut_by = op->name;
    *nas_onnx_output(m, op) = value;
    return NAS_OK;
}

/* pads[axis] before and pads[n + axis] behind the axes that are named, or all. */
static nas_status_t take_pads(nas_onnx_maker_t *m, const nas_onnx_op_t *op, int rank,
                              int64_t before[4], int64_t behind[4])
{
    nas_onnx_list_t pads, axes;
    nas_status_t status = nas_onnx_integers(m, op, "pads", 1, &pads);
    if (!status) status = nas_onnx_integers(m, op, "axes", 3, &axes);
    if (status) return status;
    const int n = axes.at ? axes.n : rank;
    if (!pads.at || n > 4 || pads.n != 2 * n)
        return nas_onnx_refuse(m, op, "its pads are not two numbers an axis");
    for (int i = 0; i < n; i++) {
        const int axis = axes.at ? nas_onnx_axis(axes.at[i], rank) : i;
        const int64_t a = pads.at[i], b = pads.at[n + i];
        if (axis < 0 || a < INT16_MIN || a > INT16_MAX || b < INT16_MIN || b > INT16_MAX)
            return nas_onnx_refuse(m, op, "its pads or axes are out of range");
        before[axis] = a;
        behind[axis] = b;
    }
    return NAS_OK;
}

nas_status_t nas_onnx_pad(nas_onnx_maker_t *m, const nas_onnx_op_t *op)
{
    const nas_onnx_value_t *x = NULL;
    int64_t before[4] = {0}, behind[4] = {0};
    double with = 0;
    nas_status_t status = nas_onnx_data(m, op, 0, 0, &x);
    if (!status) status = nas_onnx_number(m, op, "value", 2, &with);
    if (!status) status = take_pads(m, op, x->shape.rank, before, behind);
    if (status) return status;
    if ((nas_onnx_find(op, "mode") && !nas_onnx_text_is(op, "mode", "constant")) || with != 0)
        return nas_onnx_refuse(m, op, "padding with zeros is computed");
    if (before[0] || before[1] || behind[0] || behind[1])
        return nas_onnx_refuse(m, op, "padding of H and W is computed");
    if (x->shape.rank == 2) return nas_onnx_identity(m, op);
    const nas_extents_t e = nas_onnx_extents(x);
    const span_t span[2] = {{-before[2], e.h + before[2] + behind[2]},
                            {-before[3], e.w + before[3] + behind[3]}};
    return take_part(m, op, x, span);
}

static int64_t clamp(int64_t x, int64_t low, int64_t high)
{
    if (x < low) return low;
    return x > high ? high : x;
}

/* One axis of a slice of an image. */
static nas_status_t slice_axis(nas_onnx_maker_t *m, const nas_onnx_op_t *op, int axis,
                               const int64_t bound[2], span_t span[4])
{
    const bool is_batch = axis == 0;
    const int64_t n = is_batch ? INT32_MAX : span[axis].n;
    const int64_t first = clamp(bound[0] < 0 ? bound[0] + n : bound[0], 0, n);
    const int64_t end = clamp(bound[1] < 0 ? bound[1] + n : bound[1], 0, n);
    const bool is_whole = first == 0 && (end == n || (is_batch && m->batch > 0 && end >= m->batch));
    if (axis < 2 && !is_whole) return nas_onnx_refuse(m, op, "slices of H and W are computed");
    if (axis >= 2) span[axis] = (span_t){first, end - first};
    return NAS_OK;
}

nas_status_t nas_onnx_slice(nas_onnx_maker_t *m, const nas_onnx_op_t *op)
{
    const nas_onnx_value_t *x = NULL;
    nas_onnx_list_t starts, ends, axes, steps;
    nas_status_t status = nas_onnx_data(m, op, 0, 0, &x);
    if (!status) status = nas_onnx_integers(m, op, "starts", 1, &starts);
    if (!status) status = nas_onnx_integers(m, op, "ends", 2, &ends);
    if (!status) status = nas_onnx_integers(m, op, "axes", 3, &axes);
    if (!status) status = nas_onnx_integers(m, op, "steps", 4, &steps);
    if (status) return status;
    const nas_extents_t e = nas_onnx_extents(x);
    span_t span[4] = {{0, 0}, {0, e.c}, {0, e.h}, {0, e.w}};
    if (!starts.at || starts.n != ends.n || (axes.at && axes.n != starts.n) ||
        (steps.at && steps.n != starts.n) || starts.n > x->shape.rank)
        return nas_onnx_refuse(m, op, "its starts, ends, axes and steps are not as many");
    for (int i = 0; !status && i < starts.n; i++) {
        const int axis = axes.at ? nas_onnx_axis(axes.at[i], x->shape.rank) : i;
        const int64_t bound[2] = {starts.at[i], ends.at[i]};
        if (axis < 0 || (steps.at && steps.at[i] != 1))
            return nas_onnx_refuse(m, op, "steps of 1 on its own axes are computed");
        status = slice_axis(m, op, axis, bound, span);
    }
    if (status || x->shape.rank == 2) return status ? status : nas_onnx_identity(m, op);
    return take_part(m, op, x, span + 2);
}
