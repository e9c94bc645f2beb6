#include "worker/engine/graph/parameters.h"

#include "common/base/rng.h"

#include <math.h>

/* FNV-1a, 64 bits: a key for the random stream of (architecture, parameter). */
static uint64_t hash(uint64_t state, const char *text)
{
    const uint64_t prime = 0x100000001b3;
    for (const char *c = text; *c; c++) state = (state ^ (unsigned char)*c) * prime;
    return (state ^ '/') * prime;
}

static void init_uniform(const nas_parameter_t *parameter, nas_rng_t *rng, double *value)
{
    const double bound = 1.0 / sqrt((double)parameter->fan_in);
    for (int64_t i = 0; i < parameter->n; i++)
        value[i] = (double)(float)nas_rng_between(rng, -bound, bound);
}

void nas_parameters_init(const nas_graph_t *graph, uint64_t seed, const char *arch, double *values)
{
    const uint64_t offset_basis = 0xcbf29ce484222325;
    const uint64_t of_arch = hash(offset_basis, arch);
    for (int i = 0; i < graph->n_parameters; i++) {
        const nas_parameter_t *parameter = &graph->parameter[i];
        double *value = values + parameter->offset;
        nas_rng_t rng;
        switch (parameter->kind) {
        case NAS_PARAMETER_WEIGHT:
        case NAS_PARAMETER_BIAS:
            nas_rng_init(&rng, seed, NAS_STREAM_WEIGHTS, hash(of_arch, parameter->name));
            init_uniform(parameter, &rng, value);
            break;
        case NAS_PARAMETER_GAMMA:
        case NAS_PARAMETER_BETA:
            for (int64_t k = 0; k < parameter->n; k++)
                value[k] = parameter->kind == NAS_PARAMETER_GAMMA;
            break;
        }
    }
}
