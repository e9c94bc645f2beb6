/* synflow against a network that is evaluated naively, in float64 and without any rescaling. */
#include "backend_case.h"
#include "program_case.h"

enum { MOST_VALUES = 16 * 12 * 12 }; /* of a node: channels and pixels of the largest network */

/* One node's values [C, H, W]. */
typedef struct plane {
    int c, h, w;
    double at[MOST_VALUES];
} plane_t;

static double value_at(const plane_t *x, int c, int h, int w)
{
    const bool inside = h >= 0 && h < x->h && w >= 0 && w < x->w;
    return inside ? x->at[(c * x->h + h) * x->w + w] : 0.0;
}

static plane_t rectified(const plane_t *x)
{
    plane_t y = *x;
    for (int i = 0; i < x->c * x->h * x->w; i++) y.at[i] = fmax(x->at[i], 0);
    return y;
}

/* Mean of the pixels of x from (h, w) on, `size` a side, that are there. */
static double window_mean(const plane_t *x, int c, int h, int w, int size)
{
    double sum = 0;
    int n = 0;
    for (int i = h; i < h + size; i++)
        for (int j = w; j < w + size; j++) {
            n += i >= 0 && i < x->h && j >= 0 && j < x->w;
            sum += value_at(x, c, i, j);
        }
    return sum / n;
}

static plane_t pooled(const plane_t *x, int size, int stride)
{
    plane_t y = {.c = x->c, .h = x->h / stride, .w = x->w / stride};
    const int before = size == 3 ? 1 : 0;
    for (int i = 0; i < y.c * y.h * y.w; i++)
        y.at[i] = window_mean(x, i / (y.h * y.w), i / y.w % y.h * stride - before,
                              i % y.w * stride - before, size);
    return y;
}

static plane_t convolved(const plane_t *x, const nas_node_t *conv, const double *weight,
                         const double *bias)
{
    const bool is_linear = conv->kind == NAS_NODE_LINEAR; /* of one pixel */
    const int k = is_linear ? 1 : conv->window.k_h, stride = is_linear ? 1 : conv->window.stride_h;
    plane_t y = {.c = conv->extents.c, .h = conv->extents.h, .w = conv->extents.w};
    for (int i = 0; i < y.c * y.h * y.w; i++) {
        const int o = i / (y.h * y.w), h = i / y.w % y.h, w = i % y.w;
        const double *at = weight + o * x->c * k * k;
        y.at[i] = bias ? bias[o] : 0;
        for (int c = 0; c < x->c; c++)
            for (int a = 0; a < k; a++)
                for (int b = 0; b < k; b++)
                    y.at[i] +=
                        *at++ * value_at(x, c, h * stride + a - k / 2, w * stride + b - k / 2);
    }
    return y;
}

static void normalise(plane_t *x, const double *gamma, const double *beta)
{
    const int n = x->h * x->w;
    for (int c = 0; c < x->c; c++) {
        double *at = x->at + c * n, mean = 0, variance = 0;
        for (int i = 0; i < n; i++) mean += at[i] / n;
        for (int i = 0; i < n; i++) variance += (at[i] - mean) * (at[i] - mean) / n;
        for (int i = 0; i < n; i++)
            at[i] = (at[i] - mean) / sqrt(variance + 1e-5) * gamma[c] + beta[c];
    }
}

static const double *values_of(const nas_graph_t *graph, int parameter, const double *p)
{
    return parameter < 0 ? NULL : p + graph->parameter[parameter].offset;
}

static plane_t image_of_ones(const nas_node_t *node)
{
    plane_t image = {.c = node->extents.c, .h = node->extents.h, .w = node->extents.w};
    for (int i = 0; i < image.c * image.h * image.w; i++) image.at[i] = 1;
    return image;
}

static plane_t sum_of(const nas_graph_t *graph, int index, const plane_t *node)
{
    const nas_extents_t e = graph->node[index].extents;
    plane_t sum = {.c = e.c, .h = e.h, .w = e.w};
    for (int t = 0; t < graph->node[index].n_inputs; t++)
        for (int k = 0; k < e.c * e.h * e.w; k++)
            sum.at[k] += node[nas_graph_input(graph, index, t)].at[k];
    return sum;
}

/* A mean of the whole image, or of windows. */
static plane_t pool_of(const nas_node_t *pool, const plane_t *x)
{
    if (!pool->is_global) return pooled(x, pool->window.k_h, pool->window.stride_h);
    plane_t mean = {.c = x->c, .h = 1, .w = 1};
    for (int i = 0; i < x->c * x->h * x->w; i++)
        mean.at[i / (x->h * x->w)] += x->at[i] / (x->h * x->w);
    return mean;
}

/* The value of a node, of those before it; BNs are there where synflow keeps them, and the linear
 * layer's biases, which no weight changes, are not. */
static plane_t value_of(const nas_graph_t *graph, int index, const double *p, const plane_t *node)
{
    const nas_node_t *n = &graph->node[index];
    const plane_t *x = n->n_inputs > 0 ? &node[nas_graph_input(graph, index, 0)] : NULL;
    plane_t y;
    switch (n->kind) {
    case NAS_NODE_IMAGE:
        return image_of_ones(n);
    case NAS_NODE_CONV:
    case NAS_NODE_LINEAR:
        return convolved(x, n, values_of(graph, n->weight, p),
                         n->kind == NAS_NODE_LINEAR ? NULL : values_of(graph, n->bias, p));
    case NAS_NODE_NORM:
        y = *x;
        if (n->is_kept) normalise(&y, values_of(graph, n->weight, p), values_of(graph, n->bias, p));
        return y;
    case NAS_NODE_RECTIFIER:
        return rectified(x);
    case NAS_NODE_POOL:
        return pool_of(n, x);
    case NAS_NODE_SUM:
        return sum_of(graph, index, node);
    case NAS_NODE_CONCAT:
    case NAS_NODE_CROP:
    case NAS_NODE_FLATTEN:
        break;
    }
    return *x;
}

/* Sum of the logits for an image of ones; p: absolute values of the parameters. */
static double evaluate(const nas_graph_t *graph, const double *p, plane_t *node)
{
    double sum = 0;
    for (int i = 0; i < graph->n_nodes; i++) node[i] = value_of(graph, i, p, node);
    for (int o = 0; o < graph->network.classes; o++) sum += node[graph->output].at[o];
    return sum;
}

/* Sum of |w dR/dw| over all weights, by central differences. */
static double naive_flow(const program_case_t *c)
{
    const nas_graph_t *graph = c->graph;
    const double h = 1e-5;
    plane_t *node = calloc((size_t)graph->n_nodes, sizeof *node);
    double *p = copy_of(c->parameters, (size_t)graph->n_values), total = 0;
    cr_assert_not_null(node);
    for (int64_t i = 0; i < graph->n_values; i++) p[i] = fabs(p[i]);
    for (int k = 0; k < graph->n_parameters; k++) {
        const nas_parameter_t *parameter = &graph->parameter[k];
        if (parameter->kind != NAS_PARAMETER_WEIGHT) continue;
        for (int64_t i = parameter->offset; i < parameter->offset + parameter->n; i++) {
            const double w = p[i];
            p[i] = w * (1 + h);
            const double ahead = evaluate(graph, p, node);
            p[i] = w * (1 - h);
            const double behind = evaluate(graph, p, node);
            p[i] = w;
            total += fabs((ahead - behind) / (2 * h));
        }
    }
    free(p);
    free(node);
    return total;
}

/* Multiply all weights but those of the reductions, whose BNs undo it. */
static void scale_weights(program_case_t *c, double factor)
{
    for (int k = 0; k < c->graph->n_parameters; k++) {
        const nas_parameter_t *parameter = &c->graph->parameter[k];
        if (parameter->kind != NAS_PARAMETER_WEIGHT || strstr(parameter->name, "reduction"))
            continue;
        for (int64_t i = 0; i < parameter->n; i++) c->parameters[parameter->offset + i] *= factor;
    }
}

/* Weights of any size: with large ones activations pass 1e30, with small ones the eps of the BNs
 * decides. */
static const double FACTORS[] = {1.0, 1e-3, 1e6};

enum { N_FACTORS = sizeof FACTORS / sizeof *FACTORS };

Test(flow, equals_the_naive_network)
{
    const nas_network_t network = {2, 8, 12, 1, 1, 3, NAS_CONVENTION_SCORE};
    for (int number = 0; number < N_CASES; number++)
        for (int k = 0; k < N_FACTORS; k++) {
            program_case_t c = make_case(nas_backend_ref(), &network, 1, number);
            scale_weights(&c, FACTORS[k]);
            const double expected = log(naive_flow(&c)), found = log_flow(&c);
            cr_assert(found == expected || fabs(found - expected) <= 1e-6,
                      "cell %d, factor %g: log synflow is %.12g, expected %.12g", number,
                      FACTORS[k], found, expected);
            free_case(&c);
        }
}

/* float32 has the same value, far beyond its range too. */
BACKEND_TEST(flow, backends_agree)
{
    fixture_t f = setup(*index);
    const nas_network_t network = {3, 12, 12, 8, 2, 10, NAS_CONVENTION_TRAIN};
    for (int number = 0; number < N_CASES; number++)
        for (int k = 0; k < N_FACTORS; k++) {
            program_case_t c = make_case(f.backend, &network, 1, number);
            program_case_t yardstick = make_case(nas_backend_ref(), &network, 1, number);
            scale_weights(&c, FACTORS[k]);
            scale_weights(&yardstick, FACTORS[k]);
            const double expected = log_flow(&yardstick), found = log_flow(&c);
            cr_assert(found == expected || fabs(found - expected) <= 1e-5,
                      "cell %d, factor %g: log synflow is %.12g, expected %.12g", number,
                      FACTORS[k], found, expected);
            free_case(&c);
            free_case(&yardstick);
        }
    teardown(&f);
}
