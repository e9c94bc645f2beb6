/* The graph of a NAS-Bench-201 network: tensors (nodes), the terms they are sums of, convolutions.
 *
 * Stem conv3x3 + BN; three stages of cells at C, 2C, 4C channels; a residual reduction block before
 * stages 2 and 3; BN, ReLU, global average pool, linear layer. A cell has 4 nodes; edge e of
 * [0>1, 0>2, 1>2, 0>3, 1>3, 2>3] carries an operation. Dong & Yang, NAS-Bench-201, ICLR 2020.
 *
 * The graph has every operation of the architecture. What reaches the logits is marked live; a
 * program (program.h) is made of the part that is wanted.
 */
#ifndef NAS_WORKER_ENGINE_GRAPH_GRAPH_H
#define NAS_WORKER_ENGINE_GRAPH_GRAPH_H

#include "common/base/error.h"
#include "common/space/arch.h"
#include "common/space/network.h"
#include "common/space/space_nb201.h"

#include <stdbool.h>
#include <stdint.h>

enum { NAS_NAME_SIZE = 64, NAS_NODE_TERMS = 3, NAS_GROUP_CONVS = 3 };

typedef enum nas_parameter_kind {
    NAS_PARAMETER_WEIGHT = 0, /**< of a convolution [O, I, K, K] or of the linear layer [O, I] */
    NAS_PARAMETER_BIAS,
    NAS_PARAMETER_GAMMA,
    NAS_PARAMETER_BETA
} nas_parameter_kind_t;

/** One array of parameters, named like "cell3/edge0/conv/weight". */
typedef struct nas_parameter {
    char name[NAS_NAME_SIZE];
    nas_parameter_kind_t kind;
    int shape[4]; /**< unused dimensions are 1 */
    int n_dims;
    int64_t n;      /**< elements */
    int64_t offset; /**< of the first element in an array of all parameters */
    int fan_in;     /**< of its layer: I K K */
} nas_parameter_t;

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
    int group;
    int c_first; /**< its first output channel in the group's */
} nas_graph_conv_t;

/** A batch normalisation. */
typedef struct nas_graph_norm {
    int c;
    int gamma; /**< parameter, or -1: 1 */
    int beta;  /**< parameter, or -1: 0 */
    int conv;  /**< that it is behind; -1: behind the node `source` */
    int source;
    bool in_reduction;  /**< kept where synflow drops the others */
    int64_t statistics; /**< of its c means, then c variances, in an array of all statistics */
} nas_graph_norm_t;

typedef enum nas_input_kind {
    NAS_INPUT_CONV = 0, /**< index: convolution */
    NAS_INPUT_COPY,     /**< index: node */
    NAS_INPUT_POOL3,    /**< index: node, mean of the pixels within one step */
    NAS_INPUT_NORM      /**< index: norm behind a node */
} nas_input_kind_t;

/** A node is the sum of its inputs; without inputs it is 0. */
typedef struct nas_graph_node {
    int c;
    int h;
    int w;
    int n_inputs;
    struct {
        nas_input_kind_t kind;
        int index;
    } input[NAS_NODE_TERMS];
    int n_relu;     /**< ReLUs of the network that read it, live or not */
    bool live;      /**< reaches the logits */
    bool is_output; /**< of a cell or block: where synflow rescales */
    int scale_from; /**< synflow: node whose exponent its inputs have; -1: exponent 0 */
} nas_graph_node_t;

/** Convolutions of one source and kernel, alike in being live, computed as one. */
typedef struct nas_graph_group {
    int n_convs;
    int conv[NAS_GROUP_CONVS];
    int c_out; /**< of all */
    bool live;
} nas_graph_group_t;

/** Arrays are owned; nodes stand in topological order, the head's last. */
typedef struct nas_graph {
    nas_network_t network;
    nas_graph_node_t *node;
    int n_nodes;
    nas_graph_conv_t *conv;
    int n_convs;
    nas_graph_norm_t *norm;
    int n_norms;
    nas_graph_group_t *group;
    int n_groups;
    nas_parameter_t *parameter;
    int n_parameters;
    int64_t n_values;     /**< elements of all parameters */
    int64_t n_statistics; /**< elements of all norms' statistics */
    int linear_weight;    /**< parameter */
    int linear_bias;      /**< parameter */
} nas_graph_t;

/** Build the graph of an architecture.  Not collective.
 *  channel_block: convolutions are grouped only where each one's
 *  output channels are a multiple of it.
 *  NAS_EARG: extents that no such network has. NAS_ENOMEM. The caller owns *graph_p. */
nas_status_t nas_graph_create(const nas_network_t *network, const nas_arch_t *arch,
                              int channel_block, nas_graph_t **graph_p, nas_error_t *err);

/** The node that an input of a node is made of, through its convolution or norm; -1: the image. */
int nas_graph_source(const nas_graph_t *graph, int node, int input);

/** The parameter of this name, or -1. */
int nas_graph_find(const nas_graph_t *graph, const char *name);

/** Accepts NULL. */
void nas_graph_destroy(nas_graph_t *graph);

#endif
