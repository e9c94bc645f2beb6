/* Which vectors a program has: a norm's, a node's, the head's, and those of its results. */
#include "worker/engine/program/emitter.h"

static void allocate_norm(nas_emitter_t *e, int norm)
{
    const nas_lowered_norm_t *g = &e->graph->norm[norm];
    const size_t c = (size_t)g->c;
    nas_norm_vectors_t *v = &e->program->norm[norm];
    nas_vector_t *const all[] = {&v->mean,   &v->variance, &v->inv,     &v->scale,  &v->sum_dz,
                                 &v->d_coef, &v->x_coef,   &v->rest,    &v->sum_t,  &v->sum_tz,
                                 &v->sum_td, &v->t_coef,   &v->tx_coef, &v->sum_ez, &v->u_d,
                                 &v->u_e,    &v->u_x,      &v->u_t,     &v->u_rest};
    enum { OF_FORWARD = 4, OF_BACKWARD = 8, ALL = sizeof all / sizeof *all };
    const bool curvature = (e->needs & NAS_NEED_CURVATURE) != 0;
    const int n = curvature ? ALL : nas_emits_backward(e) ? OF_BACKWARD : OF_FORWARD;
    for (int i = 0; i < ALL; i++) *all[i] = i < n ? nas_emit_vector(e, c) : NAS_NOWHERE;
}

static nas_entry_t entry_of(const nas_emitter_t *e, int parameter)
{
    return parameter < 0 ? NAS_NOWHERE : e->graph->parameter[parameter].offset;
}

static void make_norm(nas_emitter_t *e, int norm)
{
    const nas_lowered_norm_t *g = &e->graph->norm[norm];
    const nas_lowered_link_t *link = g->link < 0 ? NULL : &e->graph->link[g->link];
    e->program->norm[norm] = (nas_norm_vectors_t){.c = g->c,
                                                  .gamma = entry_of(e, g->gamma),
                                                  .beta = entry_of(e, g->beta),
                                                  .bias = entry_of(e, link ? link->bias : -1),
                                                  .statistics = g->statistics,
                                                  .eps = g->eps,
                                                  .along = link && link->kind == NAS_LINK_CONV};
    allocate_norm(e, norm);
}

static void make_node(nas_emitter_t *e, int node)
{
    const size_t c = (size_t)e->graph->node[node].c;
    nas_node_tensors_t *t = &e->node[node];
    *t = (nas_node_tensors_t){.x = NAS_NO_TENSOR,
                              .r = NAS_NO_TENSOR,
                              .d = NAS_NO_TENSOR,
                              .tx = NAS_NO_TENSOR,
                              .tr = NAS_NO_TENSOR,
                              .e = NAS_NO_TENSOR,
                              .shift = nas_emit_vector(e, c),
                              .t_shift = nas_emit_vector(e, c),
                              .sum_d = nas_emit_vector(e, c),
                              .sum_e = nas_emit_vector(e, c),
                              .rescale = NAS_NOWHERE,
                              .max_abs = NAS_NOWHERE,
                              .bound = NAS_NOWHERE,
                              .exponent = NAS_NOWHERE,
                              .d_exponent = NAS_NOWHERE,
                              .first_group = -1};
    if (!e->flow) return;
    t->rescale = nas_emit_vector(e, c);
    t->max_abs = nas_emit_vector(e, 1);
    t->exponent = nas_emit_vector(e, 1);
    t->d_exponent = nas_emit_vector(e, 1);
}

static void make_head(nas_emitter_t *e)
{
    const nas_lowered_t *graph = e->graph;
    const nas_lowered_node_t *node = &graph->node[graph->head];
    const bool has_layer = graph->linear_weight >= 0;
    const size_t n = (size_t)e->n, c = (size_t)node->c, o = (size_t)graph->network.classes;
    e->program->head = (nas_head_vectors_t){
        .c = node->c,
        .o = graph->network.classes,
        .n_pixels = (double)node->h * node->w,
        .sums = has_layer && nas_emits_sums(e),
        .fisher = has_layer && (e->needs & NAS_NEED_FISHER) != 0,
        .weight = entry_of(e, graph->linear_weight),
        .bias = entry_of(e, graph->linear_bias),
        .features = nas_emit_vector(e, n * c),
        .d_features = nas_emit_vector(e, n * c),
        .t_features = nas_emit_vector(e, n * c),
        .e_features = nas_emit_vector(e, n * c),
        .logits = e->program->head.logits,
        .d_logits = nas_emit_vector(e, n * o),
        .t_logits = nas_emit_vector(e, n * o),
        .e_logits = nas_emit_vector(e, n * o),
        .transposed = nas_emit_vector(e, c * o),
        .d_linear = nas_emit_vector(e, c * o),
        .t_linear = nas_emit_vector(e, c * o),
        .e_linear = nas_emit_vector(e, c * o),
        .layer = has_layer ? nas_layer_values(e, graph->linear_weight) : NAS_NOWHERE,
        .loss = e->program->head.loss};
}

static nas_vector_t vector_if(nas_emitter_t *e, bool wanted, size_t n)
{
    return wanted ? nas_emit_vector(e, n) : NAS_NOWHERE;
}

/* Numbers of a node's tensor. */
static size_t n_numbers(const nas_emitter_t *e, int node)
{
    const nas_shape_t shape = nas_node_shape(e, node);
    return (size_t)shape.n * (size_t)shape.c * (size_t)shape.h * (size_t)shape.w;
}

static size_t n_features(const nas_emitter_t *e)
{
    return n_numbers(e, e->graph->head);
}

static size_t n_covariances(const nas_emitter_t *e)
{
    size_t n = 0;
    for (int i = 0; i < e->graph->n_nodes; i++)
        if (nas_emits_covariance(e, i))
            n += (size_t)e->graph->node[i].c * (size_t)e->graph->node[i].c;
    return n;
}

static size_t n_stored(const nas_emitter_t *e)
{
    size_t most = 0;
    for (int i = 0; i < e->graph->n_nodes; i++)
        if (nas_emits_covariance(e, i) && n_numbers(e, i) > most) most = n_numbers(e, i);
    return most;
}

/* They are read together, so they lie together. Of the images' gradients it is known only when the
 * images are reached whether there are any. */
static void make_results(nas_emitter_t *e)
{
    const nas_lowered_t *graph = e->graph;
    const nas_shape_t *image = &e->program->image;
    const size_t n_layer_values = sizeof(nas_layer_values_t) / sizeof(double);
    const size_t n = (size_t)e->n, o = (size_t)graph->network.classes;
    const size_t n_pixels = n * (size_t)image->c * (size_t)image->h * (size_t)image->w;
    const bool gradient = (e->needs & NAS_NEED_GRADIENT) != 0;
    const bool features = (e->needs & NAS_NEED_FEATURES) != 0;
    e->program->results = (nas_program_results_t){
        .logits = NAS_NOWHERE,
        .loss = NAS_NOWHERE,
        .layer = nas_emit_vector(e, (size_t)graph->n_parameters * n_layer_values),
        .jacobian = NAS_NOWHERE,
        .agreement = vector_if(e, (e->needs & NAS_NEED_SIGNS) != 0, n * n),
        .correlation = NAS_NOWHERE,
        .gradient = vector_if(e, gradient, (size_t)graph->n_values),
        .moments = vector_if(e, gradient || features, (size_t)graph->n_statistics),
        .features = vector_if(e, features, n_features(e)),
        .kernel = vector_if(e, (e->needs & NAS_NEED_KERNEL) != 0, 2 * n * n),
        .covariance = vector_if(e, n_covariances(e) > 0, n_covariances(e)),
        .patterns = vector_if(e, (e->needs & NAS_NEED_PATTERNS) != 0, 1),
        .flow = vector_if(e, e->flow, 2)};
    e->program->head.logits = nas_emit_vector(e, n * o);
    e->program->head.loss = nas_emit_vector(e, 1);
    e->correlation = vector_if(e, (e->needs & NAS_NEED_CORRELATION) != 0, n * n);
    e->jacobian = vector_if(e, (e->needs & NAS_NEED_JACOBIAN) != 0, n_pixels);
    e->program->n_results = e->program->n_vectors;
    e->program->n_values = graph->n_values;
    e->program->n_statistics = graph->n_statistics;
    e->program->n_features = (int64_t)n_features(e);
    e->program->n_covariance = (int64_t)n_covariances(e);
}

nas_vector_t nas_layer_values(const nas_emitter_t *e, int parameter)
{
    const int n_layer_values = sizeof(nas_layer_values_t) / sizeof(double);
    return e->program->results.layer + (nas_vector_t)parameter * n_layer_values;
}

void nas_emit_vectors(nas_emitter_t *e)
{
    const nas_lowered_t *graph = e->graph;
    int widest = 0;
    make_results(e);
    for (int i = 0; i < graph->n_norms; i++) make_norm(e, i);
    for (int i = 0; i < graph->n_nodes; i++) {
        make_node(e, i);
        if (graph->node[i].c > widest) widest = graph->node[i].c;
    }
    make_head(e);
    e->stored = vector_if(e, n_stored(e) > 0, n_stored(e));
    const bool has_patterns = (e->needs & NAS_NEED_PATTERNS) != 0; /* of few images */
    e->seen = vector_if(e, has_patterns, has_patterns ? (size_t)1 << e->n : 0);
    for (int i = 0; i < 2; i++)
        e->image_sum[i] =
            vector_if(e, (e->needs & NAS_NEED_FISHER) != 0, (size_t)e->n * (size_t)widest);
}
