/* The graph of a network: what it computes, from the images to the logits, and with which
 * parameters. How that is computed is a program's business (program.h).
 *
 * It is made by a space's calls on a builder (common/space/builder.h) and has a node for each call,
 * in their order, so that every node comes after those that it reads. It has all operations of the
 * architecture; what reaches the logits is marked live.
 */
#ifndef NAS_WORKER_ENGINE_GRAPH_GRAPH_H
#define NAS_WORKER_ENGINE_GRAPH_GRAPH_H

#include "common/base/error.h"
#include "common/space/arch.h"
#include "common/space/builder.h"
#include "common/space/network.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum nas_parameter_kind {
    NAS_PARAMETER_WEIGHT = 0, /**< of a convolution [O, I / groups, K, K] or linear layer [O, I] */
    NAS_PARAMETER_BIAS,
    NAS_PARAMETER_GAMMA,
    NAS_PARAMETER_BETA
} nas_parameter_kind_t;

/** One array of parameters. */
typedef struct nas_parameter {
    const char *name; /**< like "cell3/edge0/conv/weight" (builder.h); the graph's */
    nas_parameter_kind_t kind;
    int shape[4]; /**< unused dimensions are 1 */
    int n_dims;
    int64_t n;      /**< elements */
    int64_t offset; /**< of the first element in an array of all parameters */
    int fan_in;     /**< of its layer: inputs that an output is a sum over */
} nas_parameter_t;

typedef enum nas_node_kind {
    NAS_NODE_IMAGE = 0,
    NAS_NODE_CONV,
    NAS_NODE_NORM,
    NAS_NODE_RECTIFIER,
    NAS_NODE_POOL,
    NAS_NODE_SUM,
    NAS_NODE_CONCAT,
    NAS_NODE_CROP,
    NAS_NODE_FLATTEN,
    NAS_NODE_LINEAR
} nas_node_kind_t;

/** A node: an operation, and the tensor that it makes. */
typedef struct nas_node {
    nas_node_kind_t kind;
    const char *name; /**< like "cell3/edge0/conv"; NULL: it was given none; the graph's */
    nas_extents_t extents;
    int input; /**< the first of n_inputs entries in the graph's list */
    int n_inputs;
    int n_readers;             /**< nodes that read it, live or not */
    nas_window_t window;       /**< CONV, POOL */
    int groups;                /**< CONV */
    nas_pool_kind_t pool;      /**< POOL */
    bool is_global;            /**< POOL: one window, of the whole tensor */
    bool counts_padding;       /**< POOL */
    bool ceil;                 /**< POOL: windows that stick out count */
    int top, left;             /**< CROP: pixel of its input at the corner */
    nas_rectifier_t rectifier; /**< RECTIFIER */
    int weight; /**< CONV, LINEAR: parameter, of several of them where they share it; NORM: gamma, or
                     -1 */
    bool shares_weight; /**< CONV, LINEAR: that of a node before */
    int bias;           /**< CONV, LINEAR, or -1; NORM: beta, or -1 */
    double eps;         /**< NORM */
    double momentum;    /**< NORM */
    bool is_kept;       /**< NORM: synflow keeps it */
    int64_t
        statistics;  /**< NORM: of its c means, then c variances, in an array of all statistics */
    bool live;       /**< reaches the logits */
    bool ends_block; /**< see builder.h */
} nas_node_t;

/** Arrays are owned. */
typedef struct nas_graph {
    nas_network_t network; /**< that it was built with */
    nas_node_t *node;
    int n_nodes;
    int *input; /**< of all nodes, one after the other */
    int n_inputs;
    int output; /**< node: the logits */
    nas_parameter_t *parameter;
    int n_parameters;
    int64_t n_values;     /**< elements of all parameters */
    int64_t n_statistics; /**< elements of all norms' statistics */
    char **text;          /**< names of nodes and parameters, no two of them equal */
    int n_texts;
} nas_graph_t;

/** Build the graph of an architecture.  Not collective.
 *  NAS_EARG: its space has no networks, none of these extents, or calls that cannot be: by name.
 *  NAS_ENOMEM. The caller owns *graph_p. */
nas_status_t nas_graph_create(const nas_network_t *network, const nas_arch_t *arch,
                              nas_graph_t **graph_p, nas_error_t *err);

/** A function that makes a network by calls on a builder, as a space's does. */
typedef nas_status_t nas_graph_maker_t(const void *what, const nas_network_t *network,
                                       nas_builder_t *builder, nas_error_t *err);

/** As nas_graph_create, of what a function makes: `what` is handed to it. */
nas_status_t nas_graph_make(nas_graph_maker_t *maker, const void *what,
                            const nas_network_t *network, nas_graph_t **graph_p, nas_error_t *err);

/** As nas_graph_create, without names of nodes and parameters, which takes most of the time: for
 *  whoever counts (cost.h). */
nas_status_t nas_graph_create_nameless(const nas_network_t *network, const nas_arch_t *arch,
                                       nas_graph_t **graph_p, nas_error_t *err);

/** Input number i of a node. */
int nas_graph_input(const nas_graph_t *graph, int node, int i);

/** The parameter of this name, or -1. */
int nas_graph_find(const nas_graph_t *graph, const char *name);

/** What messages call a node: its name, or what it is and its source's. text [out] size bytes;
 *  returned. */
const char *nas_graph_describe(const nas_graph_t *graph, int node, char *text, size_t size);

/** Accepts NULL. */
void nas_graph_destroy(nas_graph_t *graph);

#endif
