/* The builder that makes a graph. */
#ifndef NAS_WORKER_ENGINE_GRAPH_BUILD_H
#define NAS_WORKER_ENGINE_GRAPH_BUILD_H

#include "worker/engine/graph/graph.h"

/** A graph under construction. Whoever made the calls frees scope. */
typedef struct nas_graph_builder {
    nas_builder_t table; /**< the first member: its address is the builder's */
    nas_graph_t *graph;
    bool is_nameless;    /**< nobody will ask for names */
    char *scope;         /**< names of the open scopes; NULL: none */
    nas_status_t status; /**< of the first call that failed */
    nas_error_t err;     /**< its reason */
    int node_room, input_room, parameter_room, text_room;
} nas_graph_builder_t;

/** A builder of a graph that has its network and nothing else. */
nas_graph_builder_t nas_graph_builder(nas_graph_t *graph, bool is_nameless);

#endif
