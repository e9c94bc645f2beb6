#include "worker/engine/program/program_internal.h"

#include <string.h>

/* ------------------------------------------------------------------------ tensors and vectors */

int nas_emit_bytes(nas_program_t *program, size_t bytes)
{
    NAS_ASSERT(program->n_tensors < program->max_tensors);
    program->tensor[program->n_tensors] = (nas_tensor_t){.bytes = bytes, .first_op = -1};
    return program->n_tensors++;
}

int nas_emit_tensor(nas_program_t *program, nas_shape_t shape)
{
    return nas_emit_bytes(program, program->backend->tensor_bytes(shape));
}

double *nas_emit_vector(nas_program_t *program, size_t n)
{
    NAS_ASSERT(program->n_vector + n <= program->max_vector);
    double *vector = program->vector_pool + program->n_vector;
    program->n_vector += n;
    return vector;
}

/* A tensor lives from the first to the last operation that names it. */
static void use(nas_program_t *program, int tensor)
{
    if (tensor < 0) return;
    nas_tensor_t *t = &program->tensor[tensor];
    if (t->first_op < 0) t->first_op = program->n_ops - 1;
    t->last_op = program->n_ops - 1;
}

nas_shape_t nas_node_shape(const nas_program_t *program, int node)
{
    const nas_graph_node_t *n = &program->graph->node[node];
    return (nas_shape_t){.n = program->n, .c = n->c, .h = n->h, .w = n->w};
}

nas_slice_t nas_node_slice(const nas_program_t *program, int node, int tensor)
{
    return (nas_slice_t){.tensor = tensor, .c_total = program->graph->node[node].c};
}

nas_slice_t nas_conv_slice(const nas_program_t *program, int conv, int tensor)
{
    const nas_graph_conv_t *c = &program->graph->conv[conv];
    return (nas_slice_t){
        .tensor = tensor, .c_total = program->graph->group[c->group].c_out, .c_first = c->c_first};
}

nas_slice_t nas_no_slice(void)
{
    return (nas_slice_t){.tensor = NAS_NO_TENSOR};
}

/* --------------------------------------------------------------------------------- operations */

nas_op_t *nas_emit_op(nas_program_t *program, nas_op_kind_t kind, int index)
{
    NAS_ASSERT(program->n_ops < program->max_ops);
    nas_op_t *op = &program->op[program->n_ops++];
    *op = (nas_op_t){.kind = kind,
                     .index = index,
                     .in = NAS_NO_TENSOR,
                     .out = NAS_NO_TENSOR,
                     .a = nas_no_slice(),
                     .b = nas_no_slice()};
    return op;
}

void nas_emit_scalar(nas_program_t *program, nas_scalar_t scalar, int index)
{
    nas_emit_op(program, NAS_OP_SCALAR, index)->scalar = scalar;
}

void nas_emit_conv(nas_program_t *program, nas_op_kind_t kind, int group, int in, int out)
{
    nas_op_t *op = nas_emit_op(program, kind, group);
    op->in = in;
    op->out = out;
    use(program, in);
    use(program, out);
}

void nas_emit_moments(nas_program_t *program, int norm, nas_shape_t shape, nas_slice_t slice)
{
    nas_op_t *op = nas_emit_op(program, NAS_OP_MOMENTS, norm);
    op->shape = shape;
    op->a = slice;
    op->vector[0] = program->norm[norm].mean;
    op->vector[1] = program->norm[norm].variance;
    use(program, slice.tensor);
}

void nas_emit_image_dots(nas_program_t *program, nas_shape_t shape, nas_slice_t a, nas_slice_t b,
                         double *sum)
{
    nas_op_t *op = nas_emit_op(program, NAS_OP_IMAGE_DOTS, 0);
    op->shape = shape;
    op->a = a;
    op->b = b;
    op->vector[0] = sum;
    use(program, a.tensor);
    use(program, b.tensor);
}

void nas_emit_node(nas_program_t *program, nas_op_kind_t kind, int node, int tensor)
{
    nas_op_t *op = nas_emit_op(program, kind, node);
    op->shape = nas_node_shape(program, node);
    op->a = nas_node_slice(program, node, tensor);
    use(program, tensor);
}

/* ------------------------------------------------------------------------------- combinations */

nas_combiner_t nas_emit_combine(nas_program_t *program, nas_shape_t shape)
{
    nas_op_t *op = nas_emit_op(program, NAS_OP_COMBINE, 0);
    NAS_ASSERT(program->n_combinations < program->max_ops);
    op->combination = &program->combination[program->n_combinations];
    op->tensors = &program->combination_tensors[program->n_combinations++];
    op->combination->shape = shape;
    op->tensors->mask = op->tensors->out = op->tensors->relu = NAS_NO_TENSOR;
    return (nas_combiner_t){.program = program, .to = op->combination, .tensors = op->tensors};
}

static nas_channels_t place(nas_combiner_t c, nas_slice_t slice, int *tensor)
{
    *tensor = slice.tensor;
    use(c.program, slice.tensor);
    return (nas_channels_t){.c_total = slice.c_total, .c_first = slice.c_first};
}

static nas_term_t *new_term(nas_combiner_t c, nas_term_kind_t kind)
{
    NAS_ASSERT(c.to->n_terms < NAS_MAX_TERMS);
    nas_term_t *term = &c.to->term[c.to->n_terms];
    term->kind = kind;
    c.tensors->term[c.to->n_terms++] = NAS_NO_TENSOR;
    return term;
}

void nas_combine_add(nas_combiner_t c, nas_term_kind_t kind, nas_slice_t slice,
                     const double *coefficient)
{
    nas_term_t *term = new_term(c, kind);
    term->coefficient = coefficient;
    term->tensor = place(c, slice, &c.tensors->term[c.to->n_terms - 1]);
}

void nas_combine_add_masked(nas_combiner_t c, nas_slice_t slice)
{
    nas_combine_add(c, NAS_TERM_PLAIN, slice, NULL);
    c.to->term[c.to->n_terms - 1].masked = true;
}

void nas_combine_add_images(nas_combiner_t c, const double *value)
{
    nas_term_t *term = new_term(c, NAS_TERM_IMAGE);
    term->coefficient = value;
    term->masked = true;
}

void nas_combine_dot(nas_combiner_t c, nas_slice_t slice, const double *center, double *sum)
{
    NAS_ASSERT(c.to->n_dots < NAS_MAX_DOTS);
    nas_dot_t *dot = &c.to->dot[c.to->n_dots];
    dot->center = center;
    dot->sum = sum;
    dot->tensor = place(c, slice, &c.tensors->dot[c.to->n_dots++]);
}

void nas_combine_mask(nas_combiner_t c, nas_slice_t slice)
{
    c.to->mask = place(c, slice, &c.tensors->mask);
}

void nas_combine_out(nas_combiner_t c, nas_slice_t slice)
{
    c.to->out = place(c, slice, &c.tensors->out);
}

void nas_combine_relu(nas_combiner_t c, nas_slice_t slice)
{
    c.to->relu = place(c, slice, &c.tensors->relu);
}
