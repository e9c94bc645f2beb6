/* A graph as what programs are made of: nodes that are sums of terms, and convolutions.
 *
 * A term is a convolution with the BN behind it, a node as it stands, one pooled, or one behind a
 * BN; a convolution reads the images, a rectified node, or a node pooled 2 x 2. So ReLUs, BNs and
 * pools need no tensors of their own. What cannot be brought into this form, or what no kernel
 * computes yet, is refused by the name that it has in the graph.
 */
#ifndef NAS_WORKER_ENGINE_PROGRAM_LOWER_H
#define NAS_WORKER_ENGINE_PROGRAM_LOWER_H

#include "worker/engine/graph/graph.h"

/** What a convolution reads. */
typedef enum nas_feed {
    NAS_FEED_IMAGE = 0,
    NAS_FEED_RELU, /**< a rectified node */
    NAS_FEED_POOL2 /**< a node, pooled 2 x 2 */
} nas_feed_t;

typedef struct nas_graph_conv {
    int source; /**< node; -1 for the image */
    nas_feed_t feed;
    int k;
    int stride;
    int c_in;
    int c_out;
    int target; /**< node that it is a term of */
    int weight; /**< parameter */
    int bias;   /**< parameter, or -1 */
    int norm;   /**< behind it, or -1 */
    bool live;
} nas_lowered_conv_t;

/** A batch normalisation. */
typedef struct nas_graph_norm {
    int c;
    int gamma; /**< parameter, or -1: 1 */
    int beta;  /**< parameter, or -1: 0 */
    int conv;  /**< that it is behind; -1: behind the node `source` */
    int source;
    double eps;
    bool in_reduction;  /**< kept where synflow drops the others */
    int64_t statistics; /**< of its c means, then c variances, in an array of all statistics */
} nas_lowered_norm_t;

typedef enum nas_input_kind {
    NAS_INPUT_CONV = 0, /**< index: convolution */
    NAS_INPUT_COPY,     /**< index: node */
    NAS_INPUT_POOL3,    /**< index: node, mean of the pixels within one step */
    NAS_INPUT_NORM      /**< index: norm behind a node */
} nas_input_kind_t;

typedef struct nas_lowered_input {
    nas_input_kind_t kind;
    int index;
    int node;   /**< whose input it is */
    int source; /**< node that it is made of, through its convolution or norm; -1: the image */
    const struct nas_lowered_input *next_reader; /**< of its source; NULL: the last */
} nas_lowered_input_t;

/** A node is the sum of its inputs; without inputs it is 0. */
typedef struct nas_graph_node {
    int c;
    int h;
    int w;
    int n_inputs;
    nas_lowered_input_t *input;        /**< [n_inputs] the form's */
    const nas_lowered_input_t *reader; /**< inputs that are made of it, in the order of their nodes;
                                            NULL: none */
    int n_relu;                        /**< ReLUs of the network that read it, live or not */
    bool live;                         /**< reaches the logits */
    bool is_output;                    /**< of a block: where synflow rescales */
    int scale_from; /**< synflow: node whose exponent its inputs have; -1: exponent 0 */
} nas_lowered_node_t;

/** Arrays are owned, but those of parameters; nodes stand in topological order. The last is what
 *  the head reads, rectified: mean over its pixels, linear layer. */
typedef struct nas_lowered {
    nas_network_t network;
    nas_lowered_node_t *node;
    int n_nodes;
    nas_lowered_conv_t *conv;
    int n_convs;
    nas_lowered_norm_t *norm;
    int n_norms;
    nas_lowered_input_t *input; /**< of all nodes */
    int n_inputs;
    const nas_parameter_t *parameter; /**< the graph's */
    int n_parameters;
    int64_t n_values;
    int64_t n_statistics;
    int linear_weight; /**< parameter */
    int linear_bias;   /**< parameter */
} nas_lowered_t;

/** Bring a graph into this form.  Not collective.
 *  graph: borrowed while *lowered_p lives.
 *  NAS_EARG: what programs cannot compute, by name. NAS_ENOMEM. The caller owns *lowered_p. */
nas_status_t nas_lower(const nas_graph_t *graph, nas_lowered_t **lowered_p, nas_error_t *err);

/** Accepts NULL. */
void nas_lowered_destroy(nas_lowered_t *lowered);

#endif
