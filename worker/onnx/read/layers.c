/* Nodes with parameters. */
#include "worker/onnx/file/elements.h"
#include "worker/onnx/read/operations.h"
#include "worker/onnx/read/window.h"

#include <string.h>

static const double DEFAULT_EPS = 1e-5, DEFAULT_MOMENTUM = 0.9;

/* --------------------------------------------------------------------------------- parameters */

static nas_status_t append(nas_onnx_maker_t *m, nas_onnx_value_t **list, int *n,
                           const nas_onnx_value_t *value)
{
    nas_onnx_value_t *longer =
        nas_onnx_memory_extend(&m->file->memory, *list, (size_t)*n, sizeof *longer);
    if (!longer) return nas_onnx_no_memory(m);
    *list = longer;
    longer[(*n)++] = *value;
    return NAS_OK;
}

static nas_status_t add_parameter(nas_onnx_maker_t *m, const nas_onnx_value_t *value)
{
    return value ? append(m, &m->parameter, &m->n_parameters, value) : NAS_OK;
}

static nas_status_t add_statistics(nas_onnx_maker_t *m, const nas_onnx_value_t *value)
{
    return append(m, &m->statistics, &m->n_statistics, value);
}

/* Input number i, floats of this rank whose elements are there. */
static nas_status_t take_real(nas_onnx_maker_t *m, const nas_onnx_op_t *op, int i, int rank,
                              const nas_onnx_value_t **value_p)
{
    const nas_onnx_value_t *value = nas_onnx_input(m, op, i);
    if (!value || value->kind != NAS_ONNX_REAL)
        return nas_onnx_refuse(m, op, "input %d is no initialiser or constant of floats", i);
    if (value->shape.rank != rank)
        return nas_onnx_refuse(m, op, "input %d has %d dimensions, not %d", i, value->shape.rank,
                               rank);
    for (int k = 0; k < rank; k++)
        if (value->shape.dim[k] < 1 || value->shape.dim[k] > INT32_MAX)
            return nas_onnx_refuse(m, op, "input %d has no elements", i);
    *value_p = value;
    return nas_onnx_elements_find(m->file, value->array, m->err);
}

/* A vector with a number for each of c channels. */
static nas_status_t take_vector(nas_onnx_maker_t *m, const nas_onnx_op_t *op, int i, int c,
                                const nas_onnx_value_t **value_p)
{
    const nas_status_t status = take_real(m, op, i, 1, value_p);
    if (!status && (*value_p)->shape.dim[0] != c)
        return nas_onnx_refuse(m, op, "input %d has %lld elements for %d channels", i,
                               (long long)(*value_p)->shape.dim[0], c);
    return status;
}

static bool are_same(const nas_onnx_value_t *a, const nas_onnx_value_t *b)
{
    bool same = a->shape.rank == b->shape.rank;
    for (int i = 0; same && i < a->shape.rank; i++)
        same = a->shape.dim[i] == b->shape.dim[i] &&
               (a->shape.dim[i] == 1 || a->stride[i] == b->stride[i]);
    return same;
}

/* Whose weight a layer shares (builder.h): that of the first that reads the same array. */
static nas_status_t find_shared(nas_onnx_maker_t *m, const nas_onnx_op_t *op,
                                const nas_onnx_value_t *weight, int *shares)
{
    const nas_onnx_weight_t *first = &m->weight[weight->array->index];
    *shares = first->shares;
    if (first->shares != 0 && !are_same(&first->value, weight))
        return nas_onnx_refuse(m, op,
                               "another node reads its weight in another shape, or transposed");
    return NAS_OK;
}

/* A layer is made: keep what its parameters are in the file. */
static nas_status_t keep_layer(nas_onnx_maker_t *m, int tensor, int shares,
                               const nas_onnx_value_t *weight, const nas_onnx_value_t *bias)
{
    if (tensor < 0) return NAS_OK;
    nas_status_t status = NAS_OK;
    if (shares == 0) {
        m->weight[weight->array->index] = (nas_onnx_weight_t){1 + tensor, *weight};
        status = add_parameter(m, weight);
    }
    return status ? status : add_parameter(m, bias);
}

/* ----------------------------------------------------------------------------------- biases */

/* Whether an array is c numbers, one for each channel of what has n_behind dimensions behind its
 * channels. */
static bool is_bias(const nas_onnx_value_t *value, int c, int n_behind)
{
    const nas_onnx_shape_t *s = &value->shape;
    const int channels = s->rank - 1 - n_behind;
    bool is = value->kind == NAS_ONNX_REAL && channels >= 0 && s->dim[channels] == c;
    for (int i = 0; is && i < s->rank; i++) is = i == channels || s->dim[i] == 1;
    return is;
}

/* The bias that a layer without one gets from the node behind it, if that is a sum with one and
 * nobody else reads the layer: the sum is nothing then. */
static nas_status_t absorb_bias(nas_onnx_maker_t *m, const nas_onnx_op_t *op, int c, int n_behind,
                                const nas_onnx_value_t **bias_p)
{
    const int reader = m->reader[op->output[0]];
    if (m->n_readers[op->output[0]] != 1 || reader < 0) return NAS_OK;
    const nas_onnx_op_t *add = &m->file->op[reader];
    if (strcmp(add->type, "Add") != 0 || add->n_inputs != 2) return NAS_OK;
    const int other = add->input[0] == op->output[0] ? 1 : 0;
    const nas_onnx_value_t *bias = nas_onnx_input(m, add, other);
    bool is_zero = false;
    if (!bias || !is_bias(bias, c, n_behind)) return NAS_OK;
    const nas_status_t status = nas_onnx_is_all(m, bias, 0, &is_zero);
    if (status || (is_zero && bias->is_constant)) return status;
    m->is_absorbed[reader] = true;
    *bias_p = bias;
    return NAS_OK;
}

/* -------------------------------------------------------------------------------- convolution */

static nas_status_t check_conv(nas_onnx_maker_t *m, const nas_onnx_op_t *op, nas_extents_t e,
                               const nas_onnx_value_t *weight, int64_t groups)
{
    const int64_t *dim = weight->shape.dim;
    if (groups < 1 || groups > e.c || e.c % groups != 0 || dim[0] % groups != 0)
        return nas_onnx_refuse(m, op, "its channels are no multiples of its %lld groups",
                               (long long)groups);
    if (dim[1] != e.c / groups)
        return nas_onnx_refuse(m, op, "its weight is for %lld channels a group; there are %lld",
                               (long long)dim[1], (long long)(e.c / groups));
    return NAS_OK;
}

nas_status_t nas_onnx_conv(nas_onnx_maker_t *m, const nas_onnx_op_t *op)
{
    const nas_onnx_value_t *x = NULL, *weight = NULL, *bias = NULL;
    const int64_t groups = nas_onnx_integer(op, "group", 1);
    nas_window_t window;
    int shares = 0;
    nas_status_t status = nas_onnx_data(m, op, 0, 4, &x);
    if (!status) status = take_real(m, op, 1, 4, &weight);
    if (!status) status = check_conv(m, op, nas_onnx_extents(x), weight, groups);
    if (status) return status;
    const int c_out = (int)weight->shape.dim[0];
    status = nas_onnx_window(m, op, nas_onnx_extents(x), weight->shape.dim + 2, &window);
    if (!status && nas_onnx_input(m, op, 2)) status = take_vector(m, op, 2, c_out, &bias);
    if (!status && !bias) status = absorb_bias(m, op, c_out, 2, &bias);
    if (!status) status = find_shared(m, op, weight, &shares);
    if (status) return status;
    const int source = nas_onnx_take_padding(x, &window) ? x->tensor : nas_onnx_tensor(m, x);
    const nas_conv_spec_t spec = {.name = nas_onnx_name(m, op->name),
                                  .c_out = c_out,
                                  .window = &window,
                                  .groups = (int)groups,
                                  .bias = bias != NULL,
                                  .shares = shares};
    const int tensor = m->b->conv(m->b, source, &spec);
    status = keep_layer(m, tensor, shares, weight, bias);
    return status ? status : nas_onnx_give(m, op, tensor, 4);
}

/* -------------------------------------------------------------------------------------- linear */

static nas_onnx_value_t transposed(const nas_onnx_value_t *value)
{
    nas_onnx_value_t t = *value;
    for (int i = 0; i < 2; i++) {
        t.shape.dim[i] = value->shape.dim[1 - i];
        t.stride[i] = value->stride[1 - i];
    }
    return t;
}

/* weight [in] as [O, I]. */
static nas_status_t make_linear(nas_onnx_maker_t *m, const nas_onnx_op_t *op,
                                const nas_onnx_value_t *x, const nas_onnx_value_t *weight,
                                const nas_onnx_value_t *bias)
{
    const int n_out = (int)weight->shape.dim[0];
    int shares = 0;
    if (weight->shape.dim[1] != x->shape.dim[1])
        return nas_onnx_refuse(m, op, "its weight is for %lld numbers; there are %lld",
                               (long long)weight->shape.dim[1], (long long)x->shape.dim[1]);
    nas_status_t status = bias ? NAS_OK : absorb_bias(m, op, n_out, 0, &bias);
    if (!status) status = find_shared(m, op, weight, &shares);
    if (status) return status;
    const nas_linear_spec_t spec = {
        .name = nas_onnx_name(m, op->name), .n_out = n_out, .bias = bias != NULL, .shares = shares};
    const int tensor = m->b->linear(m->b, nas_onnx_tensor(m, x), &spec);
    status = keep_layer(m, tensor, shares, weight, bias);
    return status ? status : nas_onnx_give(m, op, tensor, 2);
}

/* Input 2 of Gemm; constant zeros are none. */
static nas_status_t take_gemm_bias(nas_onnx_maker_t *m, const nas_onnx_op_t *op, int n_out,
                                   const nas_onnx_value_t **bias_p)
{
    const nas_onnx_value_t *bias = nas_onnx_input(m, op, 2);
    bool is_zero = false;
    if (!bias) return NAS_OK;
    if (bias->kind != NAS_ONNX_REAL)
        return nas_onnx_refuse(m, op, "input 2 is no initialiser or constant of floats");
    const nas_status_t status = nas_onnx_is_all(m, bias, 0, &is_zero);
    if (status || (is_zero && bias->is_constant)) return status;
    if (!is_bias(bias, n_out, 0))
        return nas_onnx_refuse(m, op, "input 2 is not one number for each of %d outputs", n_out);
    *bias_p = bias;
    return NAS_OK;
}

nas_status_t nas_onnx_gemm(nas_onnx_maker_t *m, const nas_onnx_op_t *op)
{
    const nas_onnx_value_t *x = NULL, *matrix = NULL, *bias = NULL;
    if (nas_onnx_float(op, "alpha", 1) != 1 || nas_onnx_float(op, "beta", 1) != 1 ||
        nas_onnx_integer(op, "transA", 0) != 0)
        return nas_onnx_refuse(m, op, "alpha and beta of 1 and transA of 0 are computed");
    nas_status_t status = nas_onnx_data(m, op, 0, 2, &x);
    if (!status) status = take_real(m, op, 1, 2, &matrix);
    if (status) return status;
    const nas_onnx_value_t weight =
        nas_onnx_integer(op, "transB", 0) ? *matrix : transposed(matrix);
    status = take_gemm_bias(m, op, (int)weight.shape.dim[0], &bias);
    return status ? status : make_linear(m, op, x, &weight, bias);
}

nas_status_t nas_onnx_matmul(nas_onnx_maker_t *m, const nas_onnx_op_t *op)
{
    const nas_onnx_value_t *x = NULL, *matrix = NULL;
    nas_status_t status = nas_onnx_data(m, op, 0, 2, &x);
    if (!status) status = take_real(m, op, 1, 2, &matrix);
    if (status) return status;
    const nas_onnx_value_t weight = transposed(matrix);
    return make_linear(m, op, x, &weight, NULL);
}

/* ---------------------------------------------------------------------------------------- norm */

/* The share of a batch in running statistics: ONNX has that of what was there before. 0, of a file
 * that would keep the first ones for ever, is the builder's default. -1: none that can be. */
static double momentum_of(const nas_onnx_op_t *op)
{
    static const double DIGITS = 1e9;
    const double share = 1 - nas_onnx_float(op, "momentum", DEFAULT_MOMENTUM);
    return share >= 0 && share <= 1 ? (double)(int64_t)(share * DIGITS + 0.5) / DIGITS : -1;
}

/* Gammas of 1 and betas of 0 that are no initialisers: a norm without. */
static nas_status_t find_affine(nas_onnx_maker_t *m, const nas_onnx_value_t *gamma,
                                const nas_onnx_value_t *beta, bool *is_affine)
{
    bool is_one = false, is_zero = false;
    *is_affine = true;
    if (!gamma->is_constant || !beta->is_constant) return NAS_OK;
    nas_status_t status = nas_onnx_is_all(m, gamma, 1, &is_one);
    if (!status) status = nas_onnx_is_all(m, beta, 0, &is_zero);
    *is_affine = !(is_one && is_zero);
    return status;
}

nas_status_t nas_onnx_norm(nas_onnx_maker_t *m, const nas_onnx_op_t *op)
{
    const nas_onnx_value_t *x = NULL, *vector[4] = {NULL};
    const double eps = nas_onnx_float(op, "epsilon", DEFAULT_EPS), momentum = momentum_of(op);
    bool is_affine = true;
    nas_status_t status = nas_onnx_data(m, op, 0, 0, &x);
    for (int i = 0; !status && i < 4; i++)
        status = take_vector(m, op, 1 + i, nas_onnx_extents(x).c, &vector[i]);
    if (!status) status = find_affine(m, vector[0], vector[1], &is_affine);
    if (status) return status;
    if (!(eps > 0 && eps < 1e6) || momentum < 0)
        return nas_onnx_refuse(m, op, "its epsilon or momentum is out of range");
    const nas_norm_spec_t spec = {
        .name = nas_onnx_name(m, op->name), .eps = eps, .affine = is_affine, .momentum = momentum};
    const int rank = x->shape.rank, tensor = m->b->norm(m->b, nas_onnx_tensor(m, x), &spec);
    for (int i = 0; !status && tensor >= 0 && i < 4; i++) {
        if (i >= 2)
            status = add_statistics(m, vector[i]);
        else if (is_affine)
            status = add_parameter(m, vector[i]);
    }
    return status ? status : nas_onnx_give(m, op, tensor, rank);
}
