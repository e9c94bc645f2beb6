/* Initial parameters of a network. */
#ifndef NAS_WORKER_ENGINE_GRAPH_PARAMETERS_H
#define NAS_WORKER_ENGINE_GRAPH_PARAMETERS_H

#include "worker/engine/graph/graph.h"

#include <stdint.h>

/** Fill all parameters as PyTorch's defaults do: weights and biases uniform in +- 1 / sqrt(fan-in),
 *  gamma 1, beta 0; values are float32.  Not collective.
 *  arch: the architecture's native name. Each layer's numbers depend on (seed, arch, name of the
 *  parameter) alone, never on rank, order or pool.
 *  values [out] graph->n_values. */
void nas_parameters_init(const nas_graph_t *graph, uint64_t seed, const char *arch, double *values);

#endif
