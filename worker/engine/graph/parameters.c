#include "worker/engine/graph/parameters.h"

#include <math.h>
#include <stdio.h>

/* Uniform in +- bound, rounded to float32. */
static void draw_uniform(nas_rng_t *rng, double bound, size_t n, double *value)
{
    nas_rng_uniforms(rng, n, value);
    for (size_t k = 0; k < n; k++) value[k] = (double)(float)(-bound + 2 * bound * value[k]);
}

static const uint64_t OFFSET_BASIS = 0xcbf29ce484222325;

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
    nas_parameter_draw_t draw = {0};
    switch (parameter->kind) {
    case NAS_PARAMETER_WEIGHT:
    case NAS_PARAMETER_BIAS:
        nas_rng_init(&draw.rng, seed, NAS_STREAM_WEIGHTS,
                     hash(hash(OFFSET_BASIS, arch), parameter->name));
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
        if (draw.bound > 0)
            draw_uniform(&draw.rng, draw.bound, (size_t)parameter->n, value);
        else
            for (int64_t k = 0; k < parameter->n; k++) value[k] = draw.fill;
    }
}

/* ---------------------------------------------------------------------------- of no space's names */

static void fill(const nas_parameter_t *parameter, nas_weights_t weights, nas_rng_t *rng,
                 double *value)
{
    const bool is_layer =
        parameter->kind == NAS_PARAMETER_WEIGHT || parameter->kind == NAS_PARAMETER_BIAS;
    const bool is_normal = weights == NAS_WEIGHTS_KAIMING;
    const double fan_in = parameter->fan_in, bound = 1.0 / sqrt(is_layer ? fan_in : 1);
    const double constant = parameter->kind == NAS_PARAMETER_GAMMA ? 1 : 0;
    const bool is_drawn = is_layer && !(is_normal && parameter->kind == NAS_PARAMETER_BIAS);
    if (is_drawn && !is_normal) {
        draw_uniform(rng, bound, (size_t)parameter->n, value);
        return;
    }
    for (int64_t k = 0; k < parameter->n; k++)
        value[k] = is_drawn ? (double)(float)(sqrt(2.0 / fan_in) * nas_rng_normal(rng)) : constant;
}

void nas_parameters_fill(const nas_graph_t *graph, nas_weights_t weights, uint64_t seed,
                         const char *arch, double *values)
{
    if (weights == NAS_WEIGHTS_BY_NAME) {
        nas_parameters_init(graph, seed, arch, values);
        return;
    }
    for (int i = 0; i < graph->n_parameters; i++) {
        nas_rng_t rng;
        char number[16];
        (void)snprintf(number, sizeof number, "%d", i);
        nas_rng_init(&rng, seed, NAS_STREAM_WEIGHTS, hash(hash(OFFSET_BASIS, arch), number));
        fill(&graph->parameter[i], weights, &rng, values + graph->parameter[i].offset);
    }
}
