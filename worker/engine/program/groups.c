/* Groups: convolutions of one source and kernel, alike in being live, are computed as one. Their
 * output channels lie side by side, and so do their packed weights. Any other link is a group of its
 * own. */
#include "worker/engine/program/emitter.h"

#include <string.h>

/* ------------------------------------------------------------------------------------- grouping */

/* Of one source. */
static bool is_alike(const nas_lowered_link_t *a, const nas_lowered_link_t *b)
{
    return a->kind == b->kind && a->feed == b->feed && nas_window_is_same(&a->window, &b->window) &&
           a->c_out == b->c_out && a->live == b->live && a->groups == b->groups && !a->is_shared;
}

/* Where the group stands, among those of its source, that a link joins; or their end. It joins one
 * only where its output channels are whole blocks of the layout. */
static int *find_group(nas_emitter_t *e, const nas_lowered_link_t *link)
{
    const bool may_join = link->kind == NAS_LINK_CONV && link->groups == 1 && !link->is_shared &&
                          link->c_out % e->backend->channel_block == 0;
    int *at = link->source < 0 ? &e->first_group : &e->node[link->source].first_group;
    while (*at >= 0 && !(may_join && is_alike(&e->graph->link[e->group[*at].first], link)))
        at = &e->group[*at].next;
    return at;
}

/* While groups are made, `first` is a link of the graph. */
static void begin_group(nas_emitter_t *e, int first)
{
    e->group[e->n_groups++] = (nas_group_tensors_t){.next = -1,
                                                    .first = first,
                                                    .live = e->graph->link[first].live,
                                                    .p = NAS_NO_TENSOR,
                                                    .y = NAS_NO_TENSOR,
                                                    .dy = NAS_NO_TENSOR,
                                                    .dr = NAS_NO_TENSOR,
                                                    .tp = NAS_NO_TENSOR,
                                                    .ty = NAS_NO_TENSOR,
                                                    .u = NAS_NO_TENSOR,
                                                    .du = NAS_NO_TENSOR};
}

static void cut(nas_emitter_t *e)
{
    e->first_group = -1;
    for (int i = 0; i < e->graph->n_links; i++) {
        const nas_lowered_link_t *link = &e->graph->link[i];
        int *at = find_group(e, link);
        if (*at < 0) {
            *at = e->n_groups;
            begin_group(e, i);
        }
        nas_group_tensors_t *group = &e->group[*at];
        e->place[i] = (nas_group_place_t){.group = *at, .c_first = group->c_out};
        group->c_out += link->c_out;
        group->n_links++;
    }
}

/* Then its number among all members, which stand group by group. */
static void list_members(nas_emitter_t *e)
{
    int n = 0;
    for (int g = 0; g < e->n_groups; g++) {
        const int first = n;
        for (int i = e->group[g].first; n < first + e->group[g].n_links; i++)
            if (e->place[i].group == g) e->member[n++] = i;
        e->group[g].first = first;
    }
}

/* -------------------------------------------------------------------------------------- kernels */

/* The number of a shape in the program's list. */
static int list_shape(nas_emitter_t *e, const nas_conv_shape_t *shape)
{
    const nas_conv_shape_t *known = e->conv.data;
    for (int i = 0; i < e->conv.n; i++)
        if (nas_conv_is_same(&known[i], shape)) return i;
    *(nas_conv_shape_t *)nas_emit_entry(e, &e->conv) = *shape;
    return e->conv.n - 1;
}

/* The convolution that a group is computed as. */
static nas_conv_shape_t conv_shape(const nas_emitter_t *e, int group)
{
    const nas_lowered_link_t *link = nas_group_link(e, group);
    const nas_lowered_node_t *target = &e->graph->node[link->target];
    const nas_shape_t from = nas_source_shape(e, group);
    nas_conv_shape_t shape = {.n = e->n,
                              .c_in = link->c_in,
                              .c_out = e->group[group].c_out,
                              .h_in = from.h,
                              .w_in = from.w,
                              .image = link->feed == NAS_FEED_IMAGE};
    if (nas_link_is_plain(link)) {
        shape.k = link->window.k_h;
        shape.stride = link->window.stride_h;
        return shape;
    }
    shape.h_out = target->h;
    shape.w_out = target->w;
    shape.groups = link->groups;
    shape.window = link->window;
    return shape;
}

/* A pool stands in the program's list, too. */
static void take_pool(nas_emitter_t *e, int group)
{
    const nas_lowered_link_t *link = nas_group_link(e, group);
    const nas_lowered_node_t *target = &e->graph->node[link->target];
    const nas_shape_t from = nas_source_shape(e, group);
    e->group[group].pool = e->pool.n;
    *(nas_pool_shape_t *)nas_emit_entry(e, &e->pool) =
        (nas_pool_shape_t){.n = e->n,
                           .c = link->c_in,
                           .h_in = from.h,
                           .w_in = from.w,
                           .h_out = target->h,
                           .w_out = target->w,
                           .window = link->window,
                           .kind = link->pool,
                           .counts_padding = link->counts_padding};
}

/* Bytes of weights, gradients and scratch so far. */
typedef struct sizes {
    size_t packed, gradients, scratch;
} sizes_t;

static size_t round_up(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

/* Whoever carries the program out looks the kernel up again: here its sizes are asked. */
static nas_status_t take_kernel(nas_emitter_t *e, int group, sizes_t *sizes, nas_error_t *err)
{
    const nas_backend_t *backend = e->backend;
    const nas_conv_shape_t shape = conv_shape(e, group);
    const nas_conv_t *conv = NULL;
    const nas_status_t status = backend->conv_find(&shape, e->program->backward, &conv, err);
    if (status) return status;
    nas_program_group_t *g = &e->program->group[group];
    g->conv = list_shape(e, &shape);
    g->elements = backend->conv_weight_elements(conv);
    e->group[group].packed_offset = sizes->packed;
    e->group[group].gradient_offset = sizes->gradients;
    sizes->packed += round_up(backend->conv_packed_bytes(conv));
    sizes->gradients += round_up(g->elements * backend->element_bytes);
    const size_t scratch = backend->conv_scratch_bytes(conv);
    if (scratch > sizes->scratch) sizes->scratch = scratch;
    return NAS_OK;
}

static void list_layers(nas_emitter_t *e, int group)
{
    nas_program_t *program = e->program;
    const nas_group_tensors_t *t = &e->group[group];
    const bool is_conv = nas_group_link(e, group)->kind == NAS_LINK_CONV;
    int64_t n_joined = 0;
    program->group[group] =
        (nas_program_group_t){.conv = -1, .layer = t->first, .n_layers = is_conv ? t->n_links : 0};
    for (int i = t->first; is_conv && i < t->first + t->n_links; i++) {
        const int weight = e->graph->link[e->member[i]].weight;
        const nas_parameter_t *parameter = &e->graph->parameter[weight];
        program->layer[i] = (nas_program_layer_t){.weight = parameter->offset, .n = parameter->n};
        n_joined += parameter->n;
    }
    if (n_joined > program->n_joined) program->n_joined = n_joined;
}

static void make_tensors(nas_emitter_t *e, const sizes_t *sizes)
{
    const bool curvature = (e->needs & NAS_NEED_CURVATURE) != 0;
    const size_t n_gradients = e->needs & NAS_NEED_KERNEL ? (size_t)e->n : 1; /* of each image */
    nas_program_t *program = e->program;
    e->gradient_bytes = sizes->gradients;
    e->weights = nas_emit_bytes(e, sizes->packed);
    e->gradients = nas_emit_bytes(e, program->backward ? n_gradients * sizes->gradients : 0);
    e->curvatures = nas_emit_bytes(e, curvature ? 2 * sizes->gradients : 0);
    e->scratch = nas_emit_bytes(e, sizes->scratch);
    program->scratch = nas_emit_place(e->scratch, 0);
    for (int g = 0; g < e->n_groups; g++) {
        const nas_group_tensors_t *t = &e->group[g];
        program->group[g].weights = nas_emit_place(e->weights, t->packed_offset);
        program->group[g].gradient = nas_emit_place(e->gradients, t->gradient_offset);
    }
}

nas_status_t nas_emit_groups(nas_emitter_t *e, nas_error_t *err)
{
    sizes_t sizes = {0};
    nas_status_t status = NAS_OK;
    cut(e);
    list_members(e);
    e->program->n_groups = e->n_groups;
    e->program->n_layers = e->graph->n_links;
    for (int g = 0; !status && g < e->n_groups; g++) {
        const nas_link_kind_t kind = nas_group_link(e, g)->kind;
        list_layers(e, g);
        if (kind == NAS_LINK_POOL) take_pool(e, g);
        if (kind == NAS_LINK_CONV && nas_group_evaluated(e, g))
            status = take_kernel(e, g, &sizes, err);
    }
    if (!status) make_tensors(e, &sizes);
    return status;
}

/* --------------------------------------------------------------------------------- of one group */

int nas_first_group(const nas_emitter_t *e, int source)
{
    return source < 0 ? e->first_group : e->node[source].first_group;
}

const nas_lowered_link_t *nas_group_link(const nas_emitter_t *e, int group)
{
    return &e->graph->link[e->member[e->group[group].first]];
}

nas_shape_t nas_group_shape(const nas_emitter_t *e, int group)
{
    nas_shape_t shape = nas_node_shape(e, nas_group_link(e, group)->target);
    shape.c = e->group[group].c_out;
    return shape;
}

nas_shape_t nas_source_shape(const nas_emitter_t *e, int group)
{
    const nas_lowered_link_t *link = nas_group_link(e, group);
    if (link->source < 0) return e->program->image;
    nas_shape_t shape = nas_node_shape(e, link->source);
    if (link->feed != NAS_FEED_POOL2) return shape;
    shape.h /= 2;
    shape.w /= 2;
    return shape;
}

int nas_group_source(const nas_emitter_t *e, int group)
{
    const nas_lowered_link_t *first = nas_group_link(e, group);
    switch (first->feed) {
    case NAS_FEED_IMAGE:
        return e->image;
    case NAS_FEED_RELU:
        return e->node[first->source].r;
    case NAS_FEED_PLAIN:
        return e->node[first->source].x;
    case NAS_FEED_POOL2:
        break;
    }
    return e->group[group].p;
}

nas_place_t nas_group_curvature(const nas_emitter_t *e, int group, int which)
{
    return nas_emit_place(e->curvatures,
                          e->group[group].gradient_offset + (size_t)which * e->gradient_bytes);
}

bool nas_group_evaluated(const nas_emitter_t *e, int group)
{
    const nas_group_tensors_t *g = &e->group[group];
    for (int i = g->first; i < g->first + g->n_links; i++)
        if (e->evaluated[e->graph->link[e->member[i]].target]) return true;
    return false;
}
