/* Initial parameters of a network. */
#ifndef NAS_WORKER_ENGINE_GRAPH_PARAMETERS_H
#define NAS_WORKER_ENGINE_GRAPH_PARAMETERS_H

#include "common/base/rng.h"
#include "worker/engine/graph/graph.h"

#include <stdint.h>

/** How the elements of a parameter are drawn, one after the other. */
typedef struct nas_parameter_draw {
    nas_rng_t rng; /**< where its stream begins */
    double bound;  /**< uniform in +- bound, rounded to float32; 0: all are `fill` */
    double fill;
} nas_parameter_draw_t;

/** What nas_parameters_init does with one parameter. */
nas_parameter_draw_t nas_parameter_draw(const nas_parameter_t *parameter, uint64_t seed,
                                        const char *arch);

/** Fill all parameters as PyTorch's defaults do: weights and biases uniform in +- 1 / sqrt(fan-in),
 *  gamma 1, beta 0; values are float32.  Not collective.
 *  arch: the architecture's native name. Each layer's numbers depend on (seed, arch, name of the
 *  parameter) alone, never on rank, order or pool.
 *  values [out] graph->n_values. */
void nas_parameters_init(const nas_graph_t *graph, uint64_t seed, const char *arch, double *values);

/** What the parameters of a network are to begin with. */
typedef enum nas_weights {
    NAS_WEIGHTS_BY_NAME = 0, /**< as nas_parameters_init draws them: of spaces, whose builders give
                                  every parameter a name that stays */
    NAS_WEIGHTS_KAIMING,     /**< weights normal of variance 2 / fan-in, biases 0 */
    NAS_WEIGHTS_UNIFORM,     /**< weights and biases uniform in +- 1 / sqrt(fan-in) */
    NAS_WEIGHTS_FILE         /**< those of the network's file: not drawn */
} nas_weights_t;

/** Fill all parameters so; gamma 1, beta 0; values are float32.  Not collective.
 *  weights: any but FILE. KAIMING, UNIFORM: each layer's numbers depend on (seed, arch, number of
 *  the parameter in the graph) alone, whatever its name: exporters do not keep names.
 *  values [out] graph->n_values.
 *  He et al., Delving deep into rectifiers, 2015, equation 10. */
void nas_parameters_fill(const nas_graph_t *graph, nas_weights_t weights, uint64_t seed,
                         const char *arch, double *values);

#endif
