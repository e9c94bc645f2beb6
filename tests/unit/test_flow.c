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

static plane_t convolved(const plane_t *x, const nas_graph_conv_t *conv, const double *weight,
                         const double *bias)
{
    plane_t y = {.c = conv->c_out, .h = x->h / conv->stride, .w = x->w / conv->stride};
    for (int i = 0; i < y.c * y.h * y.w; i++) {
        const int o = i / (y.h * y.w), h = i / y.w % y.h, w = i % y.w;
        const double *at = weight + o * x->c * conv->k * conv->k;
        y.at[i] = bias ? bias[o] : 0;
        for (int c = 0; c < x->c; c++)
            for (int a = 0; a < conv->k; a++)
                for (int b = 0; b < conv->k; b++)
                    y.at[i] += *at++ * value_at(x, c, h * conv->stride + a - conv->k / 2,
                                                w * conv->stride + b - conv->k / 2);
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

/* What a convolution, with the BN behind it where that is kept, adds to its target. */
static plane_t conv_term(const nas_graph_t *graph, int index, const double *p, const plane_t *image,
                         const plane_t *node)
{
    const nas_graph_conv_t *conv = &graph->conv[index];
    const nas_parameter_t *parameter = graph->parameter;
    plane_t x = conv->feed == NAS_FEED_IMAGE  ? *image
                : conv->feed == NAS_FEED_RELU ? rectified(&node[conv->source])
                                              : pooled(&node[conv->source], 2, 2);
    x = convolved(&x, conv, p + parameter[conv->weight].offset,
                  conv->bias < 0 ? NULL : p + parameter[conv->bias].offset);
    if (conv->norm >= 0 && graph->norm[conv->norm].in_reduction)
        normalise(&x, p + parameter[graph->norm[conv->norm].gamma].offset,
                  p + parameter[graph->norm[conv->norm].beta].offset);
    return x;
}

/* Sum of the logits for an image of ones, less the linear layer's biases, which no weight changes;
 * p: absolute values of the parameters. */
static double evaluate(const nas_graph_t *graph, const double *p, plane_t *node)
{
    const nas_network_t *net = &graph->network;
    plane_t image = {net->image_channels, net->height, net->width, {0}};
    for (int i = 0; i < image.c * image.h * image.w; i++) image.at[i] = 1;
    for (int i = 0; i < graph->n_nodes; i++) {
        const nas_graph_node_t *to = &graph->node[i];
        node[i] = (plane_t){.c = to->c, .h = to->h, .w = to->w};
        for (int t = 0; t < to->n_inputs; t++) {
            const int index = to->input[t].index;
            const nas_input_kind_t kind = to->input[t].kind;
            const plane_t term = kind == NAS_INPUT_CONV   ? conv_term(graph, index, p, &image, node)
                                 : kind == NAS_INPUT_COPY ? node[index]
                                 : kind == NAS_INPUT_POOL3 ? pooled(&node[index], 3, 1)
                                                           : node[graph->norm[index].source];
            for (int k = 0; k < to->c * to->h * to->w; k++) node[i].at[k] += term.at[k];
        }
    }
    const plane_t head = rectified(&node[graph->n_nodes - 1]);
    const double *weight = p + graph->parameter[graph->linear_weight].offset;
    double sum = 0;
    for (int o = 0; o < net->classes; o++) {
        for (int c = 0; c < head.c; c++) {
            double mean = 0;
            for (int k = 0; k < head.h * head.w; k++)
                mean += head.at[c * head.h * head.w + k] / (head.h * head.w);
            sum += weight[o * head.c + c] * mean;
        }
    }
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

/* log of synflow. */
static double log_flow(const program_case_t *c)
{
    nas_engine_t *engine = NULL;
    nas_program_values_t values;
    program_case_t of_flow = *c;
    of_flow.options.batch = 1;
    of_flow.options.needs = NAS_NEED_FLOW;
    run_case(&of_flow, NULL, &engine, &values);
    const double log_flow = log(values.flow_mantissa) + values.flow_exponent * log(2.0);
    nas_engine_destroy(engine);
    return log_flow;
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
    for (int number = 0; number < N_CELLS; number++)
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
    for (int number = 0; number < N_CELLS; number++)
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
