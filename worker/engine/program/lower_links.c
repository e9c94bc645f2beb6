/* Links: what has a tensor of its own between what it reads and the sum that it is a term of, and
 * the BNs behind. */
#include "worker/engine/program/lowering.h"

enum { NONE = NAS_LOWERING_NONE };

static const nas_node_t *at(const nas_lowering_t *l, int node)
{
    return nas_lowering_at(l, node);
}

bool nas_link_is_plain(const nas_lowered_link_t *link)
{
    const int k = link->window.k_h, s = link->window.stride_h, p = k / 2;
    const nas_window_t plain = {k, k, s, s, 1, 1, p, p, p, p};
    return link->kind == NAS_LINK_CONV && link->groups == 1 && (k == 1 || k == 3) &&
           (s == 1 || s == 2) && nas_window_is_same(&link->window, &plain);
}

/* A link that reads a value; the image's where that has no node. */
static nas_lowered_link_t link_of(const nas_lowering_t *l, int node, nas_link_kind_t kind,
                                  nas_lowering_value_t value)
{
    const nas_node_t *n = at(l, node);
    return (nas_lowered_link_t){.kind = kind,
                                .source = value.node,
                                .feed = value.node < 0    ? NAS_FEED_IMAGE
                                        : value.rectified ? NAS_FEED_RELU
                                                          : NAS_FEED_PLAIN,
                                .c_in = at(l, nas_lowering_source(l, node))->extents.c,
                                .c_out = n->extents.c,
                                .target = NONE,
                                .weight = NONE,
                                .bias = NONE,
                                .norm = NONE,
                                .live = n->live};
}

static int add_link(nas_lowering_t *l, int node, nas_lowered_link_t link)
{
    l->link_from[l->to->n_links] = node;
    l->to->link[l->to->n_links] = link;
    return l->to->n_links++;
}

static void add_numbered(nas_lowering_t *l, int node, nas_lowered_link_t link)
{
    l->number_of[node] = add_link(l, node, link);
}

static nas_lowering_value_t read_source(nas_lowering_t *l, int node)
{
    return nas_lowering_read(l, nas_lowering_source(l, node));
}

/* -------------------------------------------------------------------------------- convolutions */

/* The images, what a pool halves, or a node. */
static nas_lowered_link_t link_of_conv(nas_lowering_t *l, int node)
{
    const int source = nas_lowering_source(l, node);
    if (at(l, source)->kind == NAS_NODE_IMAGE)
        return link_of(l, node, NAS_LINK_CONV, (nas_lowering_value_t){.node = NONE});
    if (at(l, source)->kind != NAS_NODE_POOL || !nas_lowering_is_pool2(l, source))
        return link_of(l, node, NAS_LINK_CONV, nas_lowering_read(l, source));
    nas_lowered_link_t link = link_of(l, node, NAS_LINK_CONV, read_source(l, source));
    link.feed = NAS_FEED_POOL2;
    return link;
}

void nas_lower_conv(nas_lowering_t *l, int node)
{
    const nas_node_t *n = at(l, node);
    nas_lowered_link_t link = link_of_conv(l, node);
    link.window = n->window;
    link.groups = n->groups;
    link.weight = n->weight;
    link.bias = n->bias;
    add_numbered(l, node, link);
}

/* A convolution of one pixel. */
void nas_lower_linear(nas_lowering_t *l, int node)
{
    const nas_node_t *n = at(l, node);
    if (node == l->head.linear) return;
    nas_lowered_link_t link = link_of(l, node, NAS_LINK_CONV, read_source(l, node));
    link.window = (nas_window_t){1, 1, 1, 1, 1, 1, 0, 0, 0, 0};
    link.groups = 1;
    link.weight = n->weight;
    link.bias = n->bias;
    add_numbered(l, node, link);
}

/* ------------------------------------------------------------------------------------ all others */

/* A pool of the whole image has a window of its extents. */
static nas_window_t window_of(const nas_lowering_t *l, int node)
{
    const nas_extents_t from = at(l, nas_lowering_source(l, node))->extents;
    if (!at(l, node)->is_global) return at(l, node)->window;
    return (nas_window_t){from.h, from.w, 1, 1, 1, 1, 0, 0, 0, 0};
}

void nas_lower_pool(nas_lowering_t *l, int node)
{
    if (node == l->head.pool) return;
    const nas_lowering_value_t value = read_source(l, node);
    if (nas_lowering_is_pool3(l, node) || nas_lowering_is_pool2(l, node)) return;
    nas_lowered_link_t link = link_of(l, node, NAS_LINK_POOL, value);
    link.window = window_of(l, node);
    link.pool = at(l, node)->pool;
    link.counts_padding = at(l, node)->counts_padding;
    add_numbered(l, node, link);
}

void nas_lower_crop(nas_lowering_t *l, int node)
{
    nas_lowered_link_t link = link_of(l, node, NAS_LINK_CROP, read_source(l, node));
    link.top = at(l, node)->top;
    link.left = at(l, node)->left;
    add_numbered(l, node, link);
}

/* What has one pixel is flat as it stands. */
void nas_lower_flatten(nas_lowering_t *l, int node)
{
    const nas_extents_t from = at(l, nas_lowering_source(l, node))->extents;
    if (node == l->head.flatten) return;
    const nas_lowering_value_t value = read_source(l, node);
    if (from.h == 1 && from.w == 1) {
        l->node_of[node] = value.node;
        l->rectified[node] = value.rectified;
        return;
    }
    add_numbered(l, node, link_of(l, node, NAS_LINK_FLATTEN, value));
}

/* Behind a link that nothing else reads; behind a node, before the head; else behind a link that is
 * the tensor that it normalises. */
static void place_norm(nas_lowering_t *l, int node, nas_lowered_norm_t *norm)
{
    const int source = nas_lowering_source(l, node), number = l->to->n_norms;
    const nas_node_kind_t kind = at(l, source)->kind;
    const bool is_link = kind != NAS_NODE_NORM && l->number_of[source] != NONE;
    if (is_link && at(l, source)->n_readers == 1 && l->node_of[source] == NONE) {
        norm->link = l->number_of[source];
    } else {
        const nas_lowering_value_t value = nas_lowering_read(l, source);
        const bool is_before_head = node == l->head.term && !value.rectified;
        if (is_before_head && at(l, node)->n_readers == 1)
            norm->source = value.node;
        else
            norm->link = add_link(l, node, link_of(l, node, NAS_LINK_SAME, value));
    }
    if (norm->link >= 0) l->to->link[norm->link].norm = number;
}

void nas_lower_norm(nas_lowering_t *l, int node)
{
    const nas_node_t *n = at(l, node);
    nas_lowered_norm_t norm = {.c = n->extents.c,
                               .gamma = n->weight,
                               .beta = n->bias,
                               .link = NONE,
                               .source = NONE,
                               .target = NONE,
                               .eps = n->eps,
                               .in_reduction = n->is_kept,
                               .statistics = n->statistics};
    place_norm(l, node, &norm);
    l->number_of[node] = l->to->n_norms;
    l->to->norm[l->to->n_norms++] = norm;
}
