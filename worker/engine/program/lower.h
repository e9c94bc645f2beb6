/* A graph as what programs are made of: nodes, links between them, and BNs.
 *
 * A node is a sum of terms, or of tensors side by side, with a rectified value beside it. A term is a
 * link with the BN behind it, a node as it stands or rectified, one pooled, or one behind a BN. A
 * link is what has a tensor of its own in between: a convolution, a linear layer, a pool, a part of
 * a tensor, a flat one. It reads the images, a node, or a node pooled 2 x 2. So ReLUs, BNs and most
 * pools need no tensors of their own. What cannot be brought into this form is refused by the name
 * that it has in the graph.
 */
#ifndef NAS_WORKER_ENGINE_PROGRAM_LOWER_H
#define NAS_WORKER_ENGINE_PROGRAM_LOWER_H

#include "worker/engine/graph/graph.h"

/** What a link reads. */
typedef enum nas_feed {
    NAS_FEED_IMAGE = 0,
    NAS_FEED_RELU,  /**< a rectified node */
    NAS_FEED_POOL2, /**< a node, pooled 2 x 2 */
    NAS_FEED_PLAIN  /**< a node as it stands */
} nas_feed_t;

typedef enum nas_link_kind {
    NAS_LINK_CONV = 0, /**< a convolution; a linear layer is one of a pixel */
    NAS_LINK_POOL,
    NAS_LINK_CROP,
    NAS_LINK_FLATTEN,
    NAS_LINK_SAME /**< what it reads, for the BN behind it */
} nas_link_kind_t;

typedef struct nas_lowered_link {
    nas_link_kind_t kind;
    int source; /**< node; -1 for the image */
    nas_feed_t feed;
    int c_in;
    int c_out;
    nas_window_t window;  /**< CONV, POOL */
    int groups;           /**< CONV */
    nas_pool_kind_t pool; /**< POOL */
    bool counts_padding;  /**< POOL */
    int top, left;        /**< CROP */
    int target;           /**< node that it is a term of */
    int weight;           /**< CONV: parameter; else -1 */
    bool is_shared;       /**< CONV: its weight is that of another link, too */
    int bias;             /**< CONV: parameter, or -1 */
    int norm;             /**< behind it, or -1 */
    bool live;
} nas_lowered_link_t;

/** A batch normalisation. */
typedef struct nas_lowered_norm {
    int c;
    int gamma;  /**< parameter, or -1: 1 */
    int beta;   /**< parameter, or -1: 0 */
    int link;   /**< that it is behind; -1: behind the node `source` */
    int source; /**< likewise */
    int target; /**< node that it is in a term of */
    double eps;
    bool in_reduction;  /**< kept where synflow drops the others */
    int64_t statistics; /**< of its c means, then c variances, in an array of all statistics */
} nas_lowered_norm_t;

typedef enum nas_input_kind {
    NAS_INPUT_LINK = 0, /**< index: link */
    NAS_INPUT_COPY,     /**< index: node */
    NAS_INPUT_POOL3,    /**< index: node, mean of the pixels within one step */
    NAS_INPUT_NORM      /**< index: norm behind a node */
} nas_input_kind_t;

typedef struct nas_lowered_input {
    nas_input_kind_t kind;
    int index;
    int node;       /**< whose input it is */
    int source;     /**< node that it is made of, through its link or norm; -1: the image */
    bool rectified; /**< COPY: of the rectified node */
    int c_first;    /**< of the node's channels, where that has its inputs side by side */
    const struct nas_lowered_input *next_reader; /**< of its source; NULL: the last */
} nas_lowered_input_t;

/** A node is the sum of its inputs; without inputs it is 0. */
typedef struct nas_lowered_node {
    int c;
    int h;
    int w;
    int n_inputs;
    nas_lowered_input_t *input;        /**< [n_inputs] the form's */
    const nas_lowered_input_t *reader; /**< inputs that are made of it, in the order of their nodes;
                                            NULL: none */
    int n_relu;                        /**< ReLUs of the network that read it, live or not */
    double ceiling;                    /**< of these ReLUs: 6, or 0 for none */
    bool is_concat;                    /**< its inputs, which are COPY, lie side by side */
    bool live;                         /**< reaches the logits */
    bool ends_block;                   /**< of the graph */
    bool is_output;                    /**< of a block: where synflow rescales */
    int scale_from; /**< synflow: node whose exponent its inputs have; -1: exponent 0 */
} nas_lowered_node_t;

/** Arrays are owned, but those of parameters; nodes stand in topological order. */
typedef struct nas_lowered {
    nas_network_t network;
    nas_lowered_node_t *node;
    int n_nodes;
    nas_lowered_link_t *link;
    int n_links;
    nas_lowered_norm_t *norm;
    int n_norms;
    nas_lowered_input_t *input; /**< of all nodes */
    int n_inputs;
    const nas_parameter_t *parameter; /**< the graph's */
    int n_parameters;
    /* The head: mean over the pixels of a node, and a linear layer behind it. */
    int head;            /**< node */
    int linear_weight;   /**< parameter; -1: the means are the logits */
    int linear_bias;     /**< parameter, or -1 */
    bool head_rectified; /**< it is the rectified node's */
    bool has_blocks; /**< synflow rescales at their ends; else every node has a scale (flow.c) */
    int64_t n_values;
    int64_t n_statistics;
} nas_lowered_t;

/** Bring a graph into this form.  Not collective.
 *  graph: borrowed while *lowered_p lives.
 *  NAS_EARG: what programs cannot compute, by name. NAS_ENOMEM. The caller owns *lowered_p. */
nas_status_t nas_lower(const nas_graph_t *graph, nas_lowered_t **lowered_p, nas_error_t *err);

/** Whether a link is a convolution that every backend has (backend.h). */
bool nas_link_is_plain(const nas_lowered_link_t *link);

/** Accepts NULL. */
void nas_lowered_destroy(nas_lowered_t *lowered);

#endif
