/* Adjoints of the sum of the logits that are one number a channel, the same for every image and
 * pixel. Such is what a mean over the whole image hands back, and stays so through what treats all
 * pixels alike; a BN hands back exactly 0 of it, for it takes the mean out. Where nothing else
 * reaches the images, gradients by them are 0, and what is computed of them is rounding noise.
 */
#include "worker/engine/program/emitter.h"

#include <stdlib.h>

typedef enum adjoint { ZERO = 0, CONSTANT, ANY } adjoint_t;

static adjoint_t larger(adjoint_t a, adjoint_t b)
{
    return a > b ? a : b;
}

/* Behind a ReLU, a window that is not a pixel, or an edge, pixels differ. */
static adjoint_t spread(adjoint_t adjoint)
{
    return adjoint == ZERO ? ZERO : ANY;
}

static adjoint_t before_norm(adjoint_t adjoint)
{
    return adjoint == ANY ? ANY : ZERO;
}

static bool keeps_pixels(const nas_emitter_t *e, const nas_lowered_link_t *link)
{
    const nas_window_t *w = &link->window, pixel = {1, 1, 1, 1, 1, 1, 0, 0, 0, 0};
    const nas_lowered_node_t *to = &e->graph->node[link->target];
    if (link->kind == NAS_LINK_SAME) return true;
    if (link->kind == NAS_LINK_CONV) return nas_window_is_same(w, &pixel);
    return link->kind == NAS_LINK_POOL && link->pool == NAS_POOL_MEAN && to->h == 1 && to->w == 1 &&
           w->top == 0 && w->left == 0 && w->k_h == e->graph->node[link->source].h &&
           w->k_w == e->graph->node[link->source].w;
}

/* What a link hands back to what it reads. */
static adjoint_t of_link(const nas_emitter_t *e, const nas_lowered_link_t *link,
                         const adjoint_t *node)
{
    adjoint_t adjoint = link->live ? node[link->target] : ZERO;
    if (nas_norm_active(e, link->norm)) adjoint = before_norm(adjoint);
    return keeps_pixels(e, link) && link->feed != NAS_FEED_RELU ? adjoint : spread(adjoint);
}

static adjoint_t of_input(const nas_emitter_t *e, const nas_lowered_input_t *input,
                          const adjoint_t *node)
{
    const adjoint_t adjoint = node[input->node];
    switch (input->kind) {
    case NAS_INPUT_LINK:
        return of_link(e, &e->graph->link[input->index], node);
    case NAS_INPUT_COPY:
        return input->rectified ? spread(adjoint) : adjoint;
    case NAS_INPUT_NORM:
        return before_norm(adjoint);
    case NAS_INPUT_POOL3:
        break;
    }
    return spread(adjoint);
}

static adjoint_t of_node(const nas_emitter_t *e, int index, const adjoint_t *node)
{
    const nas_lowered_node_t *n = &e->graph->node[index];
    adjoint_t adjoint = ZERO;
    if (!n->live) return ZERO;
    if (index == e->graph->head) adjoint = e->graph->head_rectified ? ANY : CONSTANT;
    for (const nas_lowered_input_t *reader = n->reader; reader; reader = reader->next_reader)
        adjoint = larger(adjoint, of_input(e, reader, node));
    return adjoint;
}

bool nas_images_count(nas_emitter_t *e)
{
    const nas_lowered_t *graph = e->graph;
    adjoint_t *node = calloc((size_t)graph->n_nodes, sizeof *node), images = ZERO;
    e->failed |= !node;
    if (!node) return false;
    for (int i = graph->n_nodes - 1; i >= 0; i--) node[i] = of_node(e, i, node);
    for (int i = 0; i < graph->n_links; i++)
        if (graph->link[i].source < 0) images = larger(images, of_link(e, &graph->link[i], node));
    free(node);
    return images != ZERO;
}
