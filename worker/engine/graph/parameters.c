#include "worker/engine/graph/parameters.h"

#include <math.h>

/* FNV-1a, 64 bits: a key for the random stream of (architecture, parameter). */
static uint64_t hash(uint64_t state, const char *text)
{
    const uint64_t prime = 0x100000001b3;
    for (const char *c = text; *c; c++) state = (state ^ (unsigned char)*c) * prime;
    return (state ^ '/') * prime;
}

nas_parameter_draw_t nas_parameter_draw(const nas_parameter_t *parameter, uint64_t seed,
                                        const char *arch)
{
    const uint64_t offset_basis = 0xcbf29ce484222325;
    nas_parameter_draw_t draw = {0};
    switch (parameter->kind) {
    case NAS_PARAMETER_WEIGHT:
    case NAS_PARAMETER_BIAS:
        nas_rng_init(&draw.rng, seed, NAS_STREAM_WEIGHTS,
                     hash(hash(offset_basis, arch), parameter->name));
        draw.bound = 1.0 / sqrt((double)parameter->fan_in);
        break;
    case NAS_PARAMETER_GAMMA:
        draw.fill = 1.0;
        break;
    case NAS_PARAMETER_BETA:
        break;
    }
    return draw;
}

void nas_parameters_init(const nas_graph_t *graph, uint64_t seed, const char *arch, double *values)
{
    for (int i = 0; i < graph->n_parameters; i++) {
        const nas_parameter_t *parameter = &graph->parameter[i];
        nas_parameter_draw_t draw = nas_parameter_draw(parameter, seed, arch);
        double *value = values + parameter->offset;
        for (int64_t k = 0; k < parameter->n; k++)
            value[k] = draw.bound > 0
                           ? (double)(float)nas_rng_between(&draw.rng, -draw.bound, draw.bound)
                           : draw.fill;
    }
}
