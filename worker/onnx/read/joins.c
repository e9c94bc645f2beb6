/* Nodes without parameters that make of elements what stands at their place: rectifiers, sums,
 * concatenations. */
#include "worker/onnx/read/operations.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* ----------------------------------------------------------------------------------- rectifiers */

/* Equal rectifiers of one tensor are one. */
static nas_status_t rectify(nas_onnx_maker_t *m, const nas_onnx_op_t *op, nas_rectifier_t kind)
{
    const nas_onnx_value_t *x = NULL;
    nas_status_t status = nas_onnx_data(m, op, 0, 0, &x);
    if (status) return status;
    const int rank = x->shape.rank, source = nas_onnx_tensor(m, x);
    const int place = 2 * source + (kind == NAS_RECTIFIER_RELU6);
    while (source >= 0 && m->n_rectified <= place) {
        int *longer = nas_onnx_memory_extend(&m->file->memory, m->rectified, (size_t)m->n_rectified,
                                             sizeof *longer);
        if (!longer) return nas_onnx_no_memory(m);
        m->rectified = longer;
        longer[m->n_rectified++] = 0;
    }
    if (source >= 0 && m->rectified[place] == 0)
        m->rectified[place] = 1 + m->b->rectify(m->b, source, kind);
    return nas_onnx_give(m, op, source >= 0 ? m->rectified[place] - 1 : -1, rank);
}

nas_status_t nas_onnx_relu(nas_onnx_maker_t *m, const nas_onnx_op_t *op)
{
    return rectify(m, op, NAS_RECTIFIER_RELU);
}

nas_status_t nas_onnx_clip(nas_onnx_maker_t *m, const nas_onnx_op_t *op)
{
    double low = -INFINITY, high = INFINITY;
    nas_status_t status = nas_onnx_number(m, op, "min", 1, &low);
    if (!status) status = nas_onnx_number(m, op, "max", 2, &high);
    if (status) return status;
    const bool is_open = high >= (double)FLT_MAX;
    if (low != 0 || !(is_open || high == 6))
        return nas_onnx_refuse(m, op,
                               "bounds of 0 and 6, or of 0 alone, are computed: these are "
                               "%g and %g",
                               low, high);
    return rectify(m, op, is_open ? NAS_RECTIFIER_RELU : NAS_RECTIFIER_RELU6);
}

/* ----------------------------------------------------------------------------------------- sums */

static bool have_one_shape(const nas_onnx_value_t *a, const nas_onnx_value_t *b)
{
    return a->shape.rank == b->shape.rank &&
           memcmp(a->shape.dim, b->shape.dim, (size_t)a->shape.rank * sizeof *a->shape.dim) == 0;
}

/* Whether a constant is spread over a value without making more of it. */
static bool spreads(const nas_onnx_maker_t *m, const nas_onnx_value_t *constant,
                    const nas_onnx_value_t *over)
{
    const int behind = over->shape.rank - constant->shape.rank;
    bool does = behind >= 0;
    for (int i = 0; does && i < constant->shape.rank; i++) {
        const int64_t dim = constant->shape.dim[i], place = over->shape.dim[i + behind];
        does = dim == 1 || dim == place || (place == NAS_ONNX_BATCH && nas_onnx_is_batch(m, dim));
    }
    return does;
}

/* A constant that is x everywhere, which leaves values as they are. */
static nas_status_t is_neutral(nas_onnx_maker_t *m, const nas_onnx_value_t *value, double x,
                               bool *is)
{
    *is = false;
    return value->kind == NAS_ONNX_REAL ? nas_onnx_is_all(m, value, x, is) : NAS_OK;
}

/* Terms of a sum that are not zero. */
typedef struct terms {
    const nas_onnx_value_t **term; /* [n] */
    int n;
    const nas_onnx_value_t *zero; /* one that is zero; NULL: none */
} terms_t;

static nas_status_t take_terms(nas_onnx_maker_t *m, const nas_onnx_op_t *op, terms_t *terms)
{
    nas_status_t status = NAS_OK;
    bool is_zero = false;
    terms->term = nas_onnx_memory_take(&m->file->memory, (size_t)op->n_inputs + 1,
                                       sizeof(const nas_onnx_value_t *));
    if (!terms->term) return nas_onnx_no_memory(m);
    for (int i = 0; !status && i < op->n_inputs; i++) {
        const nas_onnx_value_t *term = nas_onnx_input(m, op, i);
        if (!term) return nas_onnx_refuse(m, op, "input %d is left out", i);
        status = is_neutral(m, term, 0, &is_zero);
        if (!status && !is_zero && term->kind != NAS_ONNX_DATA)
            status = nas_onnx_refuse(m, op,
                                     "a sum with constants that are not 0 is the bias of a "
                                     "layer before, or cannot be computed");
        if (is_zero)
            terms->zero = term;
        else
            terms->term[terms->n++] = term;
    }
    return status;
}

/* Of one shape, and constants within it. */
static nas_status_t check_terms(nas_onnx_maker_t *m, const nas_onnx_op_t *op, const terms_t *terms)
{
    const nas_onnx_value_t *first = terms->n > 0 ? terms->term[0] : terms->zero;
    bool same = first != NULL;
    for (int i = 0; same && i < terms->n; i++) same = have_one_shape(first, terms->term[i]);
    for (int i = 0; same && i < op->n_inputs; i++) {
        const nas_onnx_value_t *input = nas_onnx_input(m, op, i);
        same = input->kind == NAS_ONNX_DATA || spreads(m, input, first);
    }
    return same ? NAS_OK : nas_onnx_refuse(m, op, "sums are of tensors of one shape");
}

static nas_status_t join(nas_onnx_maker_t *m, const nas_onnx_op_t *op, const terms_t *terms,
                         int (*call)(nas_builder_t *b, const nas_join_spec_t *spec))
{
    const int rank = terms->term[0]->shape.rank;
    int *source = nas_onnx_memory_take(&m->file->memory, (size_t)terms->n, sizeof *source);
    if (!source) return nas_onnx_no_memory(m);
    for (int i = 0; i < terms->n; i++) source[i] = nas_onnx_tensor(m, terms->term[i]);
    const nas_join_spec_t spec = {
        .name = nas_onnx_name(m, op->name), .source = source, .n = terms->n};
    return nas_onnx_give(m, op, call(m->b, &spec), rank);
}

static int call_sum(nas_builder_t *b, const nas_join_spec_t *spec)
{
    return b->sum(b, spec, (nas_extents_t){0});
}

static int call_concat(nas_builder_t *b, const nas_join_spec_t *spec)
{
    return b->concat(b, spec);
}

nas_status_t nas_onnx_sum(nas_onnx_maker_t *m, const nas_onnx_op_t *op)
{
    terms_t terms = {0};
    nas_status_t status = take_terms(m, op, &terms);
    if (!status) status = check_terms(m, op, &terms);
    if (status) return status;
    if (terms.n > 1) return join(m, op, &terms, call_sum);
    *nas_onnx_output(m, op) = terms.n == 1 ? *terms.term[0] : *terms.zero;
    return NAS_OK;
}

/* A sum whose constant the layer before has as its bias is that layer. */
nas_status_t nas_onnx_add(nas_onnx_maker_t *m, const nas_onnx_op_t *op)
{
    if (op->n_inputs != 2) return nas_onnx_refuse(m, op, "it has two inputs");
    const nas_onnx_value_t *first = nas_onnx_input(m, op, 0), *second = nas_onnx_input(m, op, 1);
    if (!m->is_absorbed[op - m->file->op]) return nas_onnx_sum(m, op);
    *nas_onnx_output(m, op) = first && first->kind == NAS_ONNX_DATA ? *first : *second;
    return NAS_OK;
}

/* Sub, Mul and Div with a constant that changes nothing. */
nas_status_t nas_onnx_neutral(nas_onnx_maker_t *m, const nas_onnx_op_t *op)
{
    const bool is_product = strcmp(op->type, "Mul") == 0;
    const nas_onnx_value_t *x = nas_onnx_input(m, op, 0), *by = nas_onnx_input(m, op, 1);
    bool is = false;
    if (is_product && x && x->kind != NAS_ONNX_DATA) {
        by = x;
        x = nas_onnx_input(m, op, 1);
    }
    if (!x || !by || x->kind != NAS_ONNX_DATA) return nas_onnx_refuse_operation(m, op);
    const nas_status_t status = is_neutral(m, by, strcmp(op->type, "Sub") == 0 ? 0 : 1, &is);
    if (status) return status;
    if (!is || !spreads(m, by, x)) return nas_onnx_refuse_operation(m, op);
    *nas_onnx_output(m, op) = *x;
    return NAS_OK;
}

/* ----------------------------------------------------------------------------- concatenations */

static bool are_beside(const nas_onnx_value_t *a, const nas_onnx_value_t *b)
{
    const nas_extents_t x = nas_onnx_extents(a), y = nas_onnx_extents(b);
    return a->shape.rank == b->shape.rank && x.h == y.h && x.w == y.w;
}

static nas_status_t take_parts(nas_onnx_maker_t *m, const nas_onnx_op_t *op, terms_t *parts)
{
    parts->term = nas_onnx_memory_take(&m->file->memory, (size_t)op->n_inputs,
                                       sizeof(const nas_onnx_value_t *));
    if (!parts->term) return nas_onnx_no_memory(m);
    for (int i = 0; i < op->n_inputs; i++) {
        const nas_status_t status = nas_onnx_data(m, op, i, 0, &parts->term[i]);
        if (status) return status;
        if (!are_beside(parts->term[0], parts->term[i]))
            return nas_onnx_refuse(m, op, "its images are of different sizes");
    }
    parts->n = op->n_inputs;
    return NAS_OK;
}

nas_status_t nas_onnx_concat(nas_onnx_maker_t *m, const nas_onnx_op_t *op)
{
    terms_t parts = {0};
    if (op->n_inputs < 1) return nas_onnx_refuse(m, op, "it has no inputs");
    const nas_status_t status = take_parts(m, op, &parts);
    if (status) return status;
    if (nas_onnx_axis(nas_onnx_integer(op, "axis", 1), parts.term[0]->shape.rank) != 1)
        return nas_onnx_refuse(m, op, "concatenations of channels, axis 1, are computed");
    if (parts.n > 1) return join(m, op, &parts, call_concat);
    *nas_onnx_output(m, op) = *parts.term[0];
    return NAS_OK;
}
