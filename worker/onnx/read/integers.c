/* Arithmetic on integers, in which the number of images stands as it is: where it would become
 * another number, that is not known. */
#include "worker/onnx/read/operations.h"

#include <string.h>

/* ----------------------------------------------------------------------------------- arithmetic */

static bool calculate(char sign, int64_t a, int64_t b, int64_t *c)
{
    switch (sign) {
    case '+':
        return !__builtin_add_overflow(a, b, c);
    case '-':
        return !__builtin_sub_overflow(a, b, c);
    case '*':
        return !__builtin_mul_overflow(a, b, c);
    default:
        if (b == 0 || (a == INT64_MIN && b == -1)) return false;
        *c = a / b;
        return true;
    }
}

/* What leaves the number of images as it is. */
static bool is_idle(char sign, int64_t number)
{
    return number == (sign == '+' || sign == '-' ? 0 : 1);
}

static bool combine(char sign, int64_t a, int64_t b, int64_t *c)
{
    const bool commutes = sign == '+' || sign == '*';
    *c = NAS_ONNX_BATCH;
    if (a == NAS_ONNX_BATCH) return is_idle(sign, b);
    if (b == NAS_ONNX_BATCH) return commutes && is_idle(sign, a);
    return calculate(sign, a, b, c) && *c != NAS_ONNX_BATCH;
}

static char sign_of(const char *type)
{
    if (strcmp(type, "Add") == 0) return '+';
    if (strcmp(type, "Sub") == 0) return '-';
    return strcmp(type, "Mul") == 0 ? '*' : '/';
}

/* Of two lists of one shape, or with one number. */
nas_status_t nas_onnx_arithmetic(nas_onnx_maker_t *m, const nas_onnx_op_t *op)
{
    const nas_onnx_value_t *a = nas_onnx_input(m, op, 0), *b = nas_onnx_input(m, op, 1);
    nas_onnx_value_t value;
    const int64_t n_a = nas_onnx_count(&a->shape), n_b = nas_onnx_count(&b->shape);
    const bool first = n_b == 1 && (n_a != 1 || a->shape.rank >= b->shape.rank);
    const char sign = sign_of(op->type);
    if (n_a != 1 && n_b != 1 &&
        (a->shape.rank != b->shape.rank ||
         memcmp(a->shape.dim, b->shape.dim, sizeof a->shape.dim) != 0))
        return nas_onnx_refuse(m, op, "its lists of integers are of different shapes");
    const nas_status_t status =
        nas_onnx_take_whole(m, op, first || n_a == n_b ? &a->shape : &b->shape, &value);
    if (status) return status;
    const int64_t n = nas_onnx_count(&value.shape);
    for (int64_t i = 0; i < n; i++)
        if (!combine(sign, a->whole[n_a == 1 ? 0 : i], b->whole[n_b == 1 ? 0 : i], &value.whole[i]))
            return nas_onnx_refuse(m, op,
                                   "it takes the number of images for a number, divides by "
                                   "0, or is too large");
    *nas_onnx_output(m, op) = value;
    return NAS_OK;
}

nas_status_t nas_onnx_negate(nas_onnx_maker_t *m, const nas_onnx_op_t *op)
{
    const nas_onnx_value_t *x = nas_onnx_input(m, op, 0);
    nas_onnx_value_t value;
    if (!x || x->kind != NAS_ONNX_WHOLE) return nas_onnx_refuse_operation(m, op);
    const nas_status_t status = nas_onnx_take_whole(m, op, &x->shape, &value);
    if (status) return status;
    for (int64_t i = 0; i < nas_onnx_count(&value.shape); i++)
        if (!combine('-', 0, x->whole[i], &value.whole[i]))
            return nas_onnx_refuse(m, op, "it takes the number of images for a number");
    *nas_onnx_output(m, op) = value;
    return NAS_OK;
}

/* ---------------------------------------------------------------------------------------- lists */

/* Elements of a list. */
nas_status_t nas_onnx_gather(nas_onnx_maker_t *m, const nas_onnx_op_t *op)
{
    const nas_onnx_value_t *x = nas_onnx_input(m, op, 0), *at = nas_onnx_input(m, op, 1);
    nas_onnx_value_t value;
    if (!x || x->kind != NAS_ONNX_WHOLE || !at || at->kind != NAS_ONNX_WHOLE)
        return nas_onnx_refuse_operation(m, op);
    if (x->shape.rank != 1 || nas_onnx_axis(nas_onnx_integer(op, "axis", 0), 1) != 0)
        return nas_onnx_refuse(m, op, "elements of a list of integers are computed");
    const nas_status_t status = nas_onnx_take_whole(m, op, &at->shape, &value);
    if (status) return status;
    const int64_t n = x->shape.dim[0];
    for (int64_t i = 0; i < nas_onnx_count(&value.shape); i++) {
        const int64_t place = at->whole[i] < 0 ? at->whole[i] + n : at->whole[i];
        if (place < 0 || place >= n) return nas_onnx_refuse(m, op, "there is no such element");
        value.whole[i] = x->whole[place];
    }
    *nas_onnx_output(m, op) = value;
    return NAS_OK;
}

/* An axis of a slice: n numbers from `first` on, with this step. */
typedef struct axis {
    int64_t first, step, n;
} axis_t;

static int64_t clamp(int64_t x, int64_t low, int64_t high)
{
    if (x < low) return low;
    return x > high ? high : x;
}

static axis_t slice_axis(int64_t n, int64_t start, int64_t end, int64_t step)
{
    const int64_t low = step > 0 ? 0 : -1, high = step > 0 ? n : n - 1;
    start = clamp(start < 0 ? start + n : start, step > 0 ? 0 : -1, high);
    end = clamp(end < 0 ? end + n : end, low, high);
    const int64_t length = step > 0 ? end - start : start - end;
    const int64_t size = step > 0 ? step : -step;
    return (axis_t){start, step, length > 0 ? (length - 1) / size + 1 : 0};
}

static nas_status_t take_slices(nas_onnx_maker_t *m, const nas_onnx_op_t *op,
                                const nas_onnx_value_t *x, axis_t axis[NAS_ONNX_MAX_RANK])
{
    static const char *const name[] = {"starts", "ends", "axes", "steps"};
    nas_onnx_list_t list[4];
    for (int i = 0; i < 4; i++) {
        const nas_status_t status = nas_onnx_integers(m, op, name[i], 1 + i, &list[i]);
        if (status) return status;
    }
    const int n = list[0].n;
    if (!list[0].at || list[1].n != n || n > x->shape.rank || (list[2].at && list[2].n != n) ||
        (list[3].at && list[3].n != n))
        return nas_onnx_refuse(m, op, "its starts, ends, axes and steps are not as many");
    for (int i = 0; i < x->shape.rank; i++) axis[i] = (axis_t){0, 1, x->shape.dim[i]};
    for (int i = 0; i < n; i++) {
        const int place = list[2].at ? nas_onnx_axis(list[2].at[i], x->shape.rank) : i;
        const int64_t step = list[3].at ? list[3].at[i] : 1;
        if (place < 0 || step == 0 || step < -INT32_MAX || step > INT32_MAX)
            return nas_onnx_refuse(m, op, "its axes or steps are out of range");
        axis[place] = slice_axis(x->shape.dim[place], list[0].at[i], list[1].at[i], step);
    }
    return NAS_OK;
}

nas_status_t nas_onnx_slice_integers(nas_onnx_maker_t *m, const nas_onnx_op_t *op)
{
    const nas_onnx_value_t *x = nas_onnx_input(m, op, 0);
    axis_t axis[NAS_ONNX_MAX_RANK];
    nas_onnx_shape_t shape = {.rank = x->shape.rank};
    nas_onnx_value_t value;
    nas_status_t status = take_slices(m, op, x, axis);
    for (int i = 0; !status && i < shape.rank; i++) shape.dim[i] = axis[i].n;
    if (!status) status = nas_onnx_take_whole(m, op, &shape, &value);
    if (status) return status;
    int64_t index[NAS_ONNX_MAX_RANK] = {0};
    const int64_t n = nas_onnx_count(&shape);
    for (int64_t i = 0; i < n; i++) {
        int64_t place = 0, stride = 1;
        for (int k = shape.rank - 1; k >= 0; k--) {
            place += (axis[k].first + index[k] * axis[k].step) * stride;
            stride *= x->shape.dim[k];
        }
        value.whole[i] = x->whole[place];
        nas_onnx_step(&shape, index);
    }
    *nas_onnx_output(m, op) = value;
    return NAS_OK;
}

/* The shape of lists one behind the other. */
static nas_status_t join_shapes(nas_onnx_maker_t *m, const nas_onnx_op_t *op, int *axis,
                                nas_onnx_shape_t *all)
{
    for (int i = 0; i < op->n_inputs; i++) {
        const nas_onnx_value_t *part = nas_onnx_input(m, op, i);
        if (!part || part->kind != NAS_ONNX_WHOLE)
            return nas_onnx_refuse(m, op, "input %d is not of integers, as others are", i);
        const nas_onnx_shape_t *s = &part->shape;
        if (i == 0) *all = *s;
        if (i == 0) *axis = nas_onnx_axis(nas_onnx_integer(op, "axis", 0), s->rank);
        bool fits = *axis >= 0 && s->rank == all->rank;
        for (int k = 0; fits && k < s->rank; k++) fits = k == *axis || s->dim[k] == all->dim[k];
        if (!fits) return nas_onnx_refuse(m, op, "its lists do not fit to one another");
        if (i > 0) all->dim[*axis] += s->dim[*axis];
    }
    return NAS_OK;
}

nas_status_t nas_onnx_concat_integers(nas_onnx_maker_t *m, const nas_onnx_op_t *op)
{
    nas_onnx_shape_t all = {0};
    nas_onnx_value_t value;
    int axis = 0;
    nas_status_t status = join_shapes(m, op, &axis, &all);
    if (!status) status = nas_onnx_take_whole(m, op, &all, &value);
    if (status) return status;
    int64_t n_outer = 1, n_inner = 1, place = 0;
    for (int i = 0; i < axis; i++) n_outer *= all.dim[i];
    for (int i = axis + 1; i < all.rank; i++) n_inner *= all.dim[i];
    for (int64_t outer = 0; outer < n_outer; outer++)
        for (int i = 0; i < op->n_inputs; i++) {
            const nas_onnx_value_t *part = nas_onnx_input(m, op, i);
            const int64_t n = part->shape.dim[axis] * n_inner;
            for (int64_t k = 0; k < n; k++) value.whole[place++] = part->whole[outer * n + k];
        }
    *nas_onnx_output(m, op) = value;
    return NAS_OK;
}
