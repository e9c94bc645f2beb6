/* Nodes that make constants, or others of them. */
#include "worker/onnx/file/elements.h"
#include "worker/onnx/read/operations.h"

#include <string.h>

/* Of an initialiser that is a list or shape. */
static const int64_t MOST_INTEGERS = 1024;

/* An array of floats as the file could have it: little-endian. */
static nas_onnx_array_t *make_floats(nas_onnx_maker_t *m, const float *value, size_t n, int rank)
{
    nas_onnx_array_t *array = nas_onnx_memory_take(&m->file->memory, 1, sizeof *array);
    uint8_t *bytes = nas_onnx_memory_take(&m->file->memory, n + 1, sizeof *value);
    if (!array || !bytes) return NULL;
    for (size_t i = 0; i < n; i++) {
        uint32_t bits = 0;
        memcpy(&bits, &value[i], sizeof bits);
        for (size_t k = 0; k < sizeof bits; k++) bytes[4 * i + k] = (uint8_t)(bits >> (8 * k));
    }
    *array = (nas_onnx_array_t){.index = m->file->n_arrays++,
                                .name = "",
                                .type = NAS_ONNX_FLOAT,
                                .shape = {.rank = rank, .dim = {(int64_t)n}},
                                .n = (int64_t)n,
                                .data = {bytes, 4 * n}};
    return array;
}

nas_status_t nas_onnx_value_of(nas_onnx_maker_t *m, const nas_onnx_op_t *op,
                               nas_onnx_array_t *array, nas_onnx_value_t *value)
{
    if (!nas_onnx_type_is_whole(array->type)) {
        *value = nas_onnx_real(array, op != NULL);
        return NAS_OK;
    }
    *value = (nas_onnx_value_t){0};
    if (!op && array->n > MOST_INTEGERS) return NAS_OK; /* which nobody can use */
    nas_status_t status = nas_onnx_elements_find(m->file, array, m->err);
    if (!status) status = nas_onnx_take_whole(m, op, &array->shape, value);
    return status ? status : nas_onnx_elements_whole(m->file, array, value->whole, m->err);
}

static nas_status_t give_integers(nas_onnx_maker_t *m, const nas_onnx_op_t *op, const int64_t *list,
                                  size_t n, int rank)
{
    const nas_onnx_shape_t shape = {.rank = rank, .dim = {(int64_t)n}};
    nas_onnx_value_t value;
    const nas_status_t status = nas_onnx_take_whole(m, op, &shape, &value);
    if (status) return status;
    if (n > 0) memcpy(value.whole, list, n * sizeof *list);
    *nas_onnx_output(m, op) = value;
    return NAS_OK;
}

static nas_status_t give_floats(nas_onnx_maker_t *m, const nas_onnx_op_t *op, const float *list,
                                size_t n, int rank)
{
    nas_onnx_array_t *array = make_floats(m, list, n, rank);
    if (!array) return nas_onnx_no_memory(m);
    *nas_onnx_output(m, op) = nas_onnx_real(array, true);
    return NAS_OK;
}

nas_status_t nas_onnx_constant(nas_onnx_maker_t *m, const nas_onnx_op_t *op)
{
    const nas_onnx_attribute_t *a = nas_onnx_find(op, "value");
    if (a && a->has_t) return nas_onnx_value_of(m, op, a->t, nas_onnx_output(m, op));
    if ((a = nas_onnx_find(op, "value_int"))) return give_integers(m, op, &a->i, 1, 0);
    if ((a = nas_onnx_find(op, "value_ints"))) return give_integers(m, op, a->ints, a->n_ints, 1);
    if ((a = nas_onnx_find(op, "value_float"))) return give_floats(m, op, &a->f, 1, 0);
    if ((a = nas_onnx_find(op, "value_floats")))
        return give_floats(m, op, a->floats, a->n_floats, 1);
    return nas_onnx_refuse(m, op, "it has no value of integers or floats");
}

/* One number everywhere, 0 where none is given; of a shape that may have the batch in it. */
nas_status_t nas_onnx_constant_of_shape(nas_onnx_maker_t *m, const nas_onnx_op_t *op)
{
    static const float zero = 0;
    const nas_onnx_attribute_t *a = nas_onnx_find(op, "value");
    nas_onnx_list_t dims;
    nas_onnx_value_t one, value;
    nas_status_t status = nas_onnx_integers(m, op, "shape", 0, &dims);
    if (status) return status;
    if (!dims.at || dims.n > NAS_ONNX_MAX_RANK)
        return nas_onnx_refuse(m, op, "a shape of up to 8 dimensions is computed");
    nas_onnx_array_t *array = a && a->has_t ? a->t : make_floats(m, &zero, 1, 1);
    if (!array) return nas_onnx_no_memory(m);
    if (array->n != 1) return nas_onnx_refuse(m, op, "its value is not one number");
    status = nas_onnx_value_of(m, op, array, &one);
    if (status) return status;
    value = one;
    value.shape = (nas_onnx_shape_t){.rank = dims.n};
    memset(value.stride, 0, sizeof value.stride);
    for (int i = 0; i < dims.n; i++) value.shape.dim[i] = dims.at[i];
    if (one.kind == NAS_ONNX_WHOLE) {
        const nas_onnx_shape_t shape = value.shape;
        status = nas_onnx_take_whole(m, op, &shape, &value);
        for (int64_t i = 0; !status && i < nas_onnx_count(&shape); i++)
            value.whole[i] = one.whole[0];
    }
    if (!status) *nas_onnx_output(m, op) = value;
    return status;
}

/* Floats spread over a shape, which may have the batch in it. */
nas_status_t nas_onnx_expand(nas_onnx_maker_t *m, const nas_onnx_op_t *op)
{
    const nas_onnx_value_t *x = nas_onnx_input(m, op, 0);
    nas_onnx_list_t dims;
    const nas_status_t status = nas_onnx_integers(m, op, "shape", 1, &dims);
    if (status) return status;
    if (!x || x->kind != NAS_ONNX_REAL) return nas_onnx_refuse_operation(m, op);
    const int more = dims.n - x->shape.rank;
    if (!dims.at || dims.n > NAS_ONNX_MAX_RANK || more < 0)
        return nas_onnx_refuse(m, op, "a shape of up to 8 dimensions is computed");
    nas_onnx_value_t value = *x;
    value.shape.rank = dims.n;
    for (int i = 0; i < dims.n; i++) {
        const int64_t dim = i < more ? 1 : x->shape.dim[i - more];
        if (dim != 1 && dims.at[i] != 1 && dims.at[i] != dim)
            return nas_onnx_refuse(m, op, "its input does not fit to the shape");
        value.shape.dim[i] = dim == 1 ? dims.at[i] : dim;
        value.stride[i] = dim == 1 ? 0 : x->stride[i - more];
    }
    *nas_onnx_output(m, op) = value;
    return NAS_OK;
}

/* Its dimensions from `start` to `end`. */
nas_status_t nas_onnx_shape_of(nas_onnx_maker_t *m, const nas_onnx_op_t *op)
{
    const nas_onnx_value_t *x = nas_onnx_input(m, op, 0);
    if (!x) return nas_onnx_refuse(m, op, "it has no input");
    const int64_t rank = x->shape.rank;
    int64_t start = nas_onnx_integer(op, "start", 0), end = nas_onnx_integer(op, "end", rank);
    start = start < 0 ? start + rank : start;
    end = end < 0 ? end + rank : end;
    start = start < 0 ? 0 : start;
    end = end > rank ? rank : end;
    const size_t n = end > start ? (size_t)(end - start) : 0;
    return give_integers(m, op, x->shape.dim + (n > 0 ? start : 0), n, 1);
}

/* Between types of one kind. */
nas_status_t nas_onnx_cast(nas_onnx_maker_t *m, const nas_onnx_op_t *op)
{
    const nas_onnx_value_t *x = nas_onnx_input(m, op, 0);
    const int to = (int)nas_onnx_integer(op, "to", 0);
    if (!x || !(x->kind == NAS_ONNX_WHOLE ? nas_onnx_type_is_whole(to) : nas_onnx_type_is_real(to)))
        return nas_onnx_refuse(m, op, "integers become integers, and floats floats");
    return nas_onnx_identity(m, op);
}

/* ---------------------------------------------------------------------------------- transposed */

/* The order of axes, which is reversed where none is given. */
static nas_status_t take_order(nas_onnx_maker_t *m, const nas_onnx_op_t *op, int rank,
                               int order[NAS_ONNX_MAX_RANK])
{
    bool taken[NAS_ONNX_MAX_RANK] = {false};
    nas_onnx_list_t perm;
    const nas_status_t status = nas_onnx_integers(m, op, "perm", -1, &perm);
    if (status) return status;
    if (perm.at && perm.n != rank)
        return nas_onnx_refuse(m, op, "its perm is not one axis for each of %d", rank);
    for (int i = 0; i < rank; i++) {
        const int axis = perm.at ? nas_onnx_axis(perm.at[i], rank) : rank - 1 - i;
        if (axis < 0 || taken[axis]) return nas_onnx_refuse(m, op, "its perm is no permutation");
        taken[axis] = true;
        order[i] = axis;
    }
    return NAS_OK;
}

static nas_status_t transpose_whole(nas_onnx_maker_t *m, const nas_onnx_op_t *op,
                                    const nas_onnx_value_t *from, const nas_onnx_value_t *to)
{
    nas_onnx_value_t value;
    const nas_status_t status = nas_onnx_take_whole(m, op, &to->shape, &value);
    if (status) return status;
    const int64_t n = nas_onnx_count(&to->shape);
    int64_t index[NAS_ONNX_MAX_RANK] = {0};
    for (int64_t i = 0; i < n; i++) {
        int64_t place = 0;
        for (int k = 0; k < to->shape.rank; k++) place += index[k] * to->stride[k];
        value.whole[i] = from->whole[place];
        nas_onnx_step(&to->shape, index);
    }
    *nas_onnx_output(m, op) = value;
    return NAS_OK;
}

nas_status_t nas_onnx_transpose(nas_onnx_maker_t *m, const nas_onnx_op_t *op)
{
    const nas_onnx_value_t *x = nas_onnx_input(m, op, 0);
    int order[NAS_ONNX_MAX_RANK] = {0};
    int64_t stride[NAS_ONNX_MAX_RANK] = {0}, next = 1;
    bool is_same = true;
    if (!x) return nas_onnx_refuse(m, op, "it has no input");
    const nas_status_t status = take_order(m, op, x->shape.rank, order);
    if (status) return status;
    nas_onnx_value_t to = *x;
    for (int i = x->shape.rank - 1; x->kind == NAS_ONNX_WHOLE && i >= 0; i--) {
        stride[i] = next;
        next *= x->shape.dim[i];
    }
    for (int i = 0; i < x->shape.rank; i++) {
        is_same &= order[i] == i;
        to.shape.dim[i] = x->shape.dim[order[i]];
        to.stride[i] = x->kind == NAS_ONNX_WHOLE ? stride[order[i]] : x->stride[order[i]];
    }
    if (x->kind == NAS_ONNX_WHOLE) return transpose_whole(m, op, x, &to);
    if (x->kind == NAS_ONNX_DATA && !is_same)
        return nas_onnx_refuse(m, op,
                               "images stay [N, C, H, W]: export the network with channels "
                               "first");
    *nas_onnx_output(m, op) = to;
    return NAS_OK;
}
