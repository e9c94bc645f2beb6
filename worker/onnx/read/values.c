#include "worker/onnx/file/elements.h"
#include "worker/onnx/read/maker.h"

#include <stdio.h>
#include <string.h>

/* Integers of one value, and of all. */
static const int64_t MOST_WHOLE = 4096, MOST_WHOLE_OF_ALL = 1 << 22;

const nas_onnx_value_t *nas_onnx_input(const nas_onnx_maker_t *m, const nas_onnx_op_t *op, int i)
{
    return i < op->n_inputs && op->input[i] >= 0 ? &m->value[op->input[i]] : NULL;
}

nas_onnx_value_t *nas_onnx_output(const nas_onnx_maker_t *m, const nas_onnx_op_t *op)
{
    return &m->value[op->output[0]];
}

nas_extents_t nas_onnx_extents(const nas_onnx_value_t *value)
{
    const int64_t *dim = value->shape.dim;
    const bool is_image = value->shape.rank == 4;
    return (nas_extents_t){(int)dim[1], is_image ? (int)dim[2] : 1, is_image ? (int)dim[3] : 1};
}

bool nas_onnx_is_batch(const nas_onnx_maker_t *m, int64_t dim)
{
    return dim == NAS_ONNX_BATCH || (m->batch > 0 && dim == m->batch);
}

int nas_onnx_axis(int64_t axis, int rank)
{
    const int64_t from_start = axis < 0 ? axis + rank : axis;
    return from_start >= 0 && from_start < rank ? (int)from_start : -1;
}

int64_t nas_onnx_count(const nas_onnx_shape_t *shape)
{
    int64_t n = 1;
    bool is_empty = false;
    for (int i = 0; i < shape->rank; i++) {
        const int64_t dim = shape->dim[i];
        if (dim < 0 || (dim > 0 && n > INT32_MAX / dim)) return -1;
        is_empty |= dim == 0;
        if (dim > 0) n *= dim;
    }
    return is_empty ? 0 : n;
}

void nas_onnx_step(const nas_onnx_shape_t *shape, int64_t index[NAS_ONNX_MAX_RANK])
{
    for (int i = shape->rank - 1; i >= 0 && ++index[i] == shape->dim[i]; i--) index[i] = 0;
}

/* --------------------------------------------------------------------------------------- data */

/* Zeros of a shape that is known but for the batch are a tensor, too, once somebody reads them who
 * does not take them for nothing. */
static nas_status_t make_zeros(nas_onnx_maker_t *m, const nas_onnx_op_t *op, int symbol,
                               const nas_onnx_value_t **value_p)
{
    const nas_onnx_value_t *value = &m->value[symbol];
    const nas_onnx_shape_t *s = &value->shape;
    bool is = value->kind == NAS_ONNX_REAL && (s->rank == 4 || s->rank == 2) &&
              nas_onnx_is_batch(m, s->dim[0]);
    for (int i = 1; is && i < s->rank; i++) is = s->dim[i] > 0 && s->dim[i] <= INT32_MAX;
    const nas_status_t status = is ? nas_onnx_is_all(m, value, 0, &is) : NAS_OK;
    if (status || !is) return status;
    const nas_extents_t e = nas_onnx_extents(value);
    nas_onnx_value_t *made = nas_onnx_memory_take(&m->file->memory, 1, sizeof *made);
    if (!made) return nas_onnx_no_memory(m);
    *made = (nas_onnx_value_t){.kind = NAS_ONNX_DATA, .shape = *s, .base = e, .tensor = -1};
    made->shape.dim[0] = NAS_ONNX_BATCH;
    const nas_join_spec_t none = {.name = nas_onnx_name(m, m->file->symbols.text[symbol])};
    made->tensor = m->b->sum(m->b, &none, e);
    if (made->tensor < 0) m->failed = op;
    if (made->tensor >= m->n_tensors) m->n_tensors = made->tensor + 1;
    *value_p = made;
    return made->tensor < 0 ? NAS_EINPUT : NAS_OK;
}

nas_status_t nas_onnx_data(nas_onnx_maker_t *m, const nas_onnx_op_t *op, int i, int rank,
                           const nas_onnx_value_t **value_p)
{
    const nas_onnx_value_t *value = nas_onnx_input(m, op, i);
    if (value && value->kind == NAS_ONNX_REAL) {
        const nas_status_t status = make_zeros(m, op, op->input[i], &value);
        if (status) return status;
    }
    if (!value || value->kind != NAS_ONNX_DATA)
        return nas_onnx_refuse(m, op, "input %d is not made of the images", i);
    if (rank > 0 && value->shape.rank != rank)
        return nas_onnx_refuse(m, op, "input %d has %d dimensions, not %d", i, value->shape.rank,
                               rank);
    *value_p = value;
    return NAS_OK;
}

static bool is_cut(const nas_onnx_value_t *value)
{
    const nas_extents_t e = nas_onnx_extents(value);
    return value->cut_by &&
           (value->top != 0 || value->left != 0 || e.h != value->base.h || e.w != value->base.w);
}

/* What has been cut once is not cut again for the next reader. */
static void remember_cut(const nas_onnx_value_t *cut, int tensor)
{
    nas_onnx_value_t *value = (nas_onnx_value_t *)(uintptr_t)cut; /* the maker's own */
    value->tensor = tensor;
    value->base = nas_onnx_extents(cut);
    value->top = value->left = 0;
    value->cut_by = NULL;
}

int nas_onnx_tensor(nas_onnx_maker_t *m, const nas_onnx_value_t *value)
{
    if (!is_cut(value) || value->tensor < 0) return value->tensor;
    const nas_extents_t e = nas_onnx_extents(value);
    const nas_crop_spec_t crop = {.name = nas_onnx_name(m, value->cut_by),
                                  .top = value->top,
                                  .left = value->left,
                                  .h = e.h,
                                  .w = e.w};
    const int tensor = m->b->crop(m->b, value->tensor, &crop);
    if (tensor >= 0) {
        m->n_tensors = tensor + 1;
        remember_cut(value, tensor);
    }
    return tensor;
}

nas_status_t nas_onnx_give(nas_onnx_maker_t *m, const nas_onnx_op_t *op, int tensor, int rank)
{
    const nas_extents_t e = m->b->extents(m->b, tensor);
    if (tensor < 0) {
        m->failed = op;
        return NAS_EINPUT;
    }
    if (tensor >= m->n_tensors) m->n_tensors = tensor + 1;
    *nas_onnx_output(m, op) =
        (nas_onnx_value_t){.kind = NAS_ONNX_DATA,
                           .shape = {.rank = rank, .dim = {NAS_ONNX_BATCH, e.c, e.h, e.w}},
                           .tensor = tensor,
                           .base = e};
    return NAS_OK;
}

/* ------------------------------------------------------------------------------------ numbers */

nas_onnx_value_t nas_onnx_real(nas_onnx_array_t *array, bool is_constant)
{
    nas_onnx_value_t value = {
        .kind = NAS_ONNX_REAL, .shape = array->shape, .array = array, .is_constant = is_constant};
    int64_t stride = 1;
    for (int i = array->shape.rank - 1; i >= 0; i--) {
        value.stride[i] = stride;
        stride *= array->shape.dim[i];
    }
    return value;
}

/* Elements of a value are some of its array's, and in all uses all of them. */
nas_status_t nas_onnx_is_all(nas_onnx_maker_t *m, const nas_onnx_value_t *value, double x,
                             bool *is_all)
{
    const nas_status_t status = nas_onnx_elements_find(m->file, value->array, m->err);
    *is_all = true;
    for (int64_t i = 0; !status && *is_all && i < value->array->n; i++)
        *is_all = nas_onnx_element(value->array, i) == x;
    return status;
}

nas_status_t nas_onnx_take_whole(nas_onnx_maker_t *m, const nas_onnx_op_t *op,
                                 const nas_onnx_shape_t *shape, nas_onnx_value_t *value)
{
    const int64_t n = nas_onnx_count(shape);
    if (n < 0 || n > MOST_WHOLE || m->n_whole + n > MOST_WHOLE_OF_ALL)
        return nas_onnx_refuse(m, op, "a constant of too many integers");
    *value = (nas_onnx_value_t){.kind = NAS_ONNX_WHOLE, .shape = *shape};
    value->whole =
        nas_onnx_memory_take(&m->file->memory, n > 0 ? (size_t)n : 1, sizeof *value->whole);
    m->n_whole += n;
    return value->whole ? NAS_OK : nas_onnx_no_memory(m);
}

/* -------------------------------------------------------------------------------------- names */

static bool is_taken(const nas_symbols_t *names, const char *name, size_t n, const char *end)
{
    char text[512];
    if ((size_t)snprintf(text, sizeof text, "%.*s%s", (int)n, name, end) >= sizeof text)
        return false;
    return nas_symbols_find(names, text) >= 0;
}

/* Names that parameters, and what an export of the graph makes, derive from a node's. */
static bool is_free(const nas_symbols_t *names, const char *name)
{
    static const char *const end[] = {"/weight", "/bias",     "/gamma", "/beta",   "/mean",
                                      "/shape",  "/extents",  "/pads",  "/padded", "/first",
                                      "/end",    "/variance", "/axes",  "/low",    "/high"};
    if (nas_symbols_find(names, name) >= 0) return false;
    const size_t n = strlen(name);
    for (size_t i = 0; i < sizeof end / sizeof *end; i++) {
        const size_t length = strlen(end[i]);
        if (is_taken(names, name, n, end[i])) return false;
        if (n > length && strcmp(name + n - length, end[i]) == 0 &&
            is_taken(names, name, n - length, ""))
            return false;
    }
    return true;
}

/* Names are cut to what messages and files have room for. */
const char *nas_onnx_name(nas_onnx_maker_t *m, const char *name)
{
    enum { LONGEST = 80 };
    char text[LONGEST + 32];
    size_t n = strlen(name) < LONGEST ? strlen(name) : LONGEST;
    while (n > 0 && ((unsigned char)name[n] & 0xc0) == 0x80) n--; /* within a character */
    (void)snprintf(text, sizeof text, "%.*s", (int)n, name);
    for (int k = 2; !is_free(&m->names, text); k++)
        (void)snprintf(text, sizeof text, "%.*s_%d", (int)n, name, k);
    const int symbol = nas_symbols_add(&m->names, text, strlen(text));
    return symbol < 0 ? "" : m->names.text[symbol];
}
