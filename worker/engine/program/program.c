/* How a network is computed: from the graph, which says what, to a list of operations, which says
 * how.
 *
 * A program is made in one go, in five steps:
 *
 *     lowering           lower.c: the graph as sums of terms; what has no such form is refused
 *     evaluated nodes    what reaches the logits, and for signs every ReLU that counts
 *     vectors, groups    vectors.c, groups.c: numbers a channel; convolutions that are one kernel
 *     emission           emit_*.c: one pass over the graph for each thing that is asked for, in an
 *                        order in which later passes find what earlier ones made
 *     binding            bind.c: lifetimes of all tensors are known now, and each gets its place
 *
 * and is plain data from then on (op.h): the graph may go. What is bound by memory is fused: every
 * batch normalisation, its adjoint and its tangent is affine in tensors that exist, so that sums,
 * normalisations, ReLUs, masks, pools and dot products are one kind of operation, a combination.
 * Its coefficients are vectors, and scalar operations between the passes over tensors work them
 * out. So an engine never has to bring a number home in the middle: what comes out is read at the
 * end, from the vectors.
 *
 * Failure: the graph may have what no program computes, or the layout's backend lack a kernel,
 * which is the caller's error and named; memory may be out. Then there is no program, and nothing
 * is left behind. Emission itself never fails: without memory it goes on into an entry that nobody
 * reads (nas_emit_entry), and the end notices. A program that exists can be carried out whatever
 * the numbers are: NaN and infinity are results.
 */
#include "worker/engine/program/emitter.h"

#include <stdlib.h>

/* ---------------------------------------------------------------------------------- what is
 * wanted */

/* Nodes of the forward pass: those that reach the logits, and for signs those whose ReLU counts,
 * with all that they are made of. */
static void mark_evaluated(nas_emitter_t *e)
{
    const nas_lowered_t *graph = e->graph;
    for (int node = graph->n_nodes - 1; node >= 0; node--) {
        const nas_lowered_node_t *n = &graph->node[node];
        const bool counts = (e->needs & NAS_NEED_SIGNS) && n->n_relu > 0;
        e->evaluated[node] |= n->live || counts;
        for (int i = 0; e->evaluated[node] && i < n->n_inputs; i++)
            if (n->input[i].source >= 0) e->evaluated[n->input[i].source] = true;
    }
}

/* ------------------------------------------------------------------------------------- making
 * it */

static nas_pool_t pool_of(size_t size)
{
    return (nas_pool_t){.size = size};
}

static nas_emitter_t begin(const nas_program_options_t *options, const nas_lowered_t *graph,
                           nas_program_t *program)
{
    return (nas_emitter_t){.backend = options->layout,
                           .graph = graph,
                           .n = options->batch,
                           .needs = options->needs,
                           .flow = program->flow,
                           .max_terms = options->max_terms ? options->max_terms : NAS_MAX_TERMS,
                           .program = program,
                           .op = pool_of(sizeof(nas_op_t)),
                           .combination = pool_of(sizeof(nas_program_combination_t)),
                           .term = pool_of(sizeof(nas_program_term_t)),
                           .dot = pool_of(sizeof(nas_program_dot_t)),
                           .weight_dot = pool_of(sizeof(nas_weight_dot_t)),
                           .conv = pool_of(sizeof(nas_conv_shape_t)),
                           .pool = pool_of(sizeof(nas_pool_shape_t)),
                           .tensor = pool_of(sizeof(nas_tensor_t))};
}

/* What is as large as the graph. */
static nas_status_t allocate(nas_emitter_t *e, nas_error_t *err)
{
    const nas_lowered_t *graph = e->graph;
    const size_t n_nodes = (size_t)graph->n_nodes, n_links = (size_t)graph->n_links + 1;
    const size_t n_inputs = (size_t)graph->n_inputs + 1;
    nas_program_t *program = e->program;
    program->layer = calloc(n_links, sizeof *program->layer);
    program->group = calloc(n_links, sizeof *program->group);
    program->norm = calloc((size_t)graph->n_norms + 1, sizeof *program->norm);
    e->evaluated = calloc(n_nodes, sizeof *e->evaluated);
    e->node = calloc(n_nodes, sizeof *e->node);
    e->group = calloc(n_links, sizeof *e->group);
    e->place = calloc(n_links, sizeof *e->place);
    e->member = calloc(n_links, sizeof *e->member);
    e->part = calloc(n_inputs, sizeof *e->part);
    e->align = calloc(n_inputs, sizeof *e->align);
    e->gain = calloc(n_links, sizeof *e->gain);
    if (program->layer && program->group && program->norm && e->evaluated && e->node && e->group &&
        e->place && e->member && e->part && e->align && e->gain)
        return NAS_OK;
    return nas_error_nomem(err, "a network's program");
}

/* Pools that are the program's become its own. */
static void end(nas_emitter_t *e)
{
    nas_program_t *program = e->program;
    program->op = e->op.data;
    program->n_ops = e->op.n;
    program->combination = e->combination.data;
    program->n_combinations = e->combination.n;
    program->term = e->term.data;
    program->n_terms = e->term.n;
    program->dot = e->dot.data;
    program->n_dots = e->dot.n;
    program->weight_dot = e->weight_dot.data;
    program->n_weight_dots = e->weight_dot.n;
    program->conv = e->conv.data;
    program->n_convs = e->conv.n;
    program->pool = e->pool.data;
    program->n_pools = e->pool.n;
    free(e->tensor.data);
    free(e->evaluated);
    free(e->node);
    free(e->group);
    free(e->place);
    free(e->member);
    free(e->part);
    free(e->align);
    free(e->gain);
}

static size_t sign_bytes(const nas_emitter_t *e)
{
    size_t most = 0;
    for (int i = 0; i < e->graph->n_nodes; i++) {
        const size_t n_words = e->backend->sign_words(nas_node_shape(e, i));
        if (n_words > most) most = n_words;
    }
    return most * (size_t)e->n * sizeof(uint64_t);
}

/* Of the Jacobian itself, or of a copy where that is wanted, too. */
static void emit_correlation(nas_emitter_t *e)
{
    const nas_shape_t *image = &e->program->image;
    nas_program_results_t *results = &e->program->results;
    const int64_t d = (int64_t)image->c * image->h * image->w;
    nas_vector_t rows = results->jacobian;
    if (rows == NAS_NOWHERE) return; /* no way leads to the images */
    if (e->needs & NAS_NEED_JACOBIAN) {
        nas_scalar_op_t *copy = nas_emit_scalar(e, NAS_SCALAR_COPY);
        rows = nas_emit_vector(e, (size_t)e->n * (size_t)d);
        copy->c = e->n * d;
        copy->in = results->jacobian;
        copy->out = rows;
    } else {
        results->jacobian = NAS_NOWHERE;
    }
    results->correlation = e->correlation;
    nas_scalar_op_t *op = nas_emit_scalar(e, NAS_SCALAR_CORRELATION);
    op->c = d;
    op->in = rows;
    op->out = results->correlation;
}

static void emit(nas_emitter_t *e)
{
    const unsigned of_weights = NAS_NEED_GRADIENT | NAS_NEED_SUMS | NAS_NEED_CURVATURE;
    const nas_backward_t of_loss = {.of_loss = true,
                                    .weights = (e->needs & of_weights) != 0,
                                    .fisher = (e->needs & NAS_NEED_FISHER) != 0};
    e->image = nas_emit_bytes(e, e->backend->image_bytes(e->program->image));
    e->bits = nas_emit_bytes(e, e->needs & NAS_NEED_SIGNS ? sign_bytes(e) : 0);
    nas_emit_forward(e);
    if (e->flow) nas_emit_backward(e, (nas_backward_t){.weights = true});
    if ((e->needs & (NAS_NEED_JACOBIAN | NAS_NEED_CORRELATION)) && nas_images_count(e))
        nas_emit_backward(e, (nas_backward_t){.image = true});
    if (e->needs & NAS_NEED_CORRELATION) emit_correlation(e);
    if (of_loss.weights || of_loss.fisher)
        nas_emit_backward(e, of_loss);
    else if (e->needs & NAS_NEED_LOSS)
        nas_emit_scalar(e, NAS_SCALAR_HEAD_LOSS);
    if (of_loss.weights || of_loss.fisher || (e->needs & NAS_NEED_LOSS))
        e->program->results.loss = e->program->head.loss;
    if (e->needs & NAS_NEED_CURVATURE) nas_emit_curvature(e);
    nas_emit_results(e);
}

static nas_status_t make(nas_emitter_t *e, nas_error_t *err)
{
    nas_status_t status = allocate(e, err);
    if (status) return status;
    mark_evaluated(e);
    nas_emit_vectors(e);
    status = nas_emit_groups(e, err);
    if (status) return status;
    emit(e);
    if (e->failed) return nas_error_nomem(err, "a network's program");
    return nas_bind(e, err);
}

nas_status_t nas_program_create(const nas_program_options_t *options, nas_program_t **program_p,
                                nas_error_t *err)
{
    const nas_network_t *net = &options->graph->network;
    nas_lowered_t *graph = NULL;
    nas_status_t status = nas_lower(options->graph, &graph, err);
    if (status) return status;
    nas_program_t *program = calloc(1, sizeof *program);
    if (!program) {
        nas_lowered_destroy(graph);
        return nas_error_nomem(err, "a network's program");
    }
    *program = (nas_program_t){
        .n = options->batch,
        .flow = (options->needs & NAS_NEED_FLOW) != 0,
        .image = {options->batch, net->image_channels, net->height, net->width},
        .n_norms = graph->n_norms,
    };
    nas_emitter_t e = begin(options, graph, program);
    program->backward = nas_emits_backward(&e);
    status = make(&e, err);
    program->head.smoothing = options->smoothing;
    end(&e);
    nas_lowered_destroy(graph);
    if (status) {
        nas_program_destroy(program);
        return status;
    }
    *program_p = program;
    return NAS_OK;
}

/* --------------------------------------------------------------------------------------
 * afterwards */

size_t nas_program_arena_bytes(const nas_program_t *program)
{
    return program->arena_bytes;
}

size_t nas_program_vector_bytes(const nas_program_t *program)
{
    return program->n_vectors * sizeof(double);
}

void nas_program_destroy(nas_program_t *program)
{
    if (!program) return;
    free(program->op);
    free(program->combination);
    free(program->term);
    free(program->dot);
    free(program->weight_dot);
    free(program->conv);
    free(program->pool);
    free(program->layer);
    free(program->group);
    free(program->norm);
    free(program);
}
