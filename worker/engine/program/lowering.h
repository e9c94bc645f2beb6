/* A graph on its way to sums of terms, see lower.c. */
#ifndef NAS_WORKER_ENGINE_PROGRAM_LOWERING_H
#define NAS_WORKER_ENGINE_PROGRAM_LOWERING_H

#include "worker/engine/program/lower.h"

enum { NAS_LOWERING_NONE = -1 };

/** The end of a network, as nodes of the graph: what the head reads, and the only term of it, before
 *  its ReLU; the mean over its pixels, flat, linear. NONE: it has none. */
typedef struct nas_lowering_head {
    int value;
    int term;
    int pool;
    int flatten;
    int linear;
} nas_lowering_head_t;

typedef struct nas_lowering {
    const nas_graph_t *graph;
    nas_lowered_t *to;
    nas_lowering_head_t head;
    int first_end; /* of a block, in the graph; NONE: blocks have no ends */
    int begin;     /* node at which the block under way begins; NONE: none ended before */
    /* of every node of the graph */
    int *node_of;      /* node that its tensor is, or is the rectified one of; NONE: not one yet */
    bool *rectified;   /* so it is */
    int *number_of;    /* of a link or BN; NONE: it is neither */
    bool *feeds_convs; /* nothing but convolutions read it */
    int *link_from;    /* [links] node of the graph */
    nas_status_t status;
    nas_error_t *err;
} nas_lowering_t;

/** A tensor that something reads. */
typedef struct nas_lowering_value {
    int node;
    bool rectified;
} nas_lowering_value_t;

static inline const nas_node_t *nas_lowering_at(const nas_lowering_t *l, int node)
{
    return &l->graph->node[node];
}

static inline int nas_lowering_source(const nas_lowering_t *l, int node)
{
    return nas_graph_input(l->graph, node, 0);
}

/* ------------------------------------------------------------------------------ lower_nodes.c */

/** A node of the graph that programs do not compute. */
void nas_lowering_refuse(nas_lowering_t *l, int node, const char *what);

/** The node that is the tensor of a node of the graph, or is rectified to it: made now where there
 *  is none yet. */
nas_lowering_value_t nas_lowering_read(nas_lowering_t *l, int from);

/** Whether a mean of pixels within one step is a term; whether one that halves the resolution is
 *  fused with the convolutions that read it. */
bool nas_lowering_is_pool3(const nas_lowering_t *l, int node);
bool nas_lowering_is_pool2(const nas_lowering_t *l, int node);

void nas_lower_rectifier(nas_lowering_t *l, int node);
void nas_lower_sum(nas_lowering_t *l, int node);
void nas_lower_concat(nas_lowering_t *l, int node);

/* ------------------------------------------------------------------------------ lower_links.c */

void nas_lower_conv(nas_lowering_t *l, int node);
void nas_lower_linear(nas_lowering_t *l, int node);
void nas_lower_pool(nas_lowering_t *l, int node);
void nas_lower_crop(nas_lowering_t *l, int node);
void nas_lower_flatten(nas_lowering_t *l, int node);
void nas_lower_norm(nas_lowering_t *l, int node);

#endif
