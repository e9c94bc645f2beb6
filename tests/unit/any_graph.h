/* Random networks of everything that a graph can have: convolutions of any window and number of
 * groups, with weights of their own or shared, with biases and BNs or without; pools; parts, flat
 * tensors and linear layers anywhere; sums and concatenations of any tensors; ReLU and ReLU6. */
#ifndef NAS_TESTS_UNIT_ANY_GRAPH_H
#define NAS_TESTS_UNIT_ANY_GRAPH_H

#include "common/base/rng.h"
#include "worker/engine/graph/graph.h"

#include <stdio.h>

enum { ANY_TENSORS = 24, ANY_STEPS = 12, ANY_KINDS = 10 };

typedef struct any_graph {
    nas_builder_t *b;
    nas_rng_t rng;
    int tensor[ANY_TENSORS]; /* those that there are */
    bool is_read[ANY_TENSORS];
    int n;
    int conv[ANY_TENSORS]; /* convolutions of own weights, and what they are of */
    nas_conv_spec_t spec[ANY_TENSORS];
    nas_window_t window[ANY_TENSORS];
    nas_extents_t from[ANY_TENSORS];
    int n_convs;
    char name[32]; /* of the step under way */
} any_graph_t;

static inline int any_below(any_graph_t *g, int n)
{
    return (int)nas_rng_below(&g->rng, (uint64_t)n);
}

static inline int any_between(any_graph_t *g, int least, int most)
{
    return least + any_below(g, most - least + 1);
}

static inline int any_put(any_graph_t *g, int tensor)
{
    g->tensor[g->n] = tensor;
    return g->n++;
}

/* One of the tensors, the newer ones more often; it is read now. */
static inline int any_pick(any_graph_t *g)
{
    const int a = any_below(g, g->n), b = any_below(g, g->n), pick = a > b ? a : b;
    g->is_read[pick] = true;
    return g->tensor[pick];
}

/* Extents of an axis of a window that fits. */
static inline void any_axis(any_graph_t *g, int extent, int k[4], bool is_pool)
{
    const int most = extent < 5 ? extent : 5;
    k[0] = any_between(g, 1, most);
    k[1] = any_between(g, 1, 2);
    k[2] = is_pool ? 0 : any_below(g, 3);
    k[3] = is_pool ? 0 : any_below(g, 3);
    for (int i = 2; is_pool && i < 4; i++) k[i] = any_below(g, (k[0] + 1) / 2);
}

static inline nas_window_t any_window(any_graph_t *g, nas_extents_t e, bool is_pool)
{
    int h[4], w[4];
    any_axis(g, e.h, h, is_pool);
    any_axis(g, e.w, w, is_pool);
    nas_window_t window = {h[0], w[0], h[1], w[1], 1, 1, h[2], w[2], h[3], w[3]};
    const bool has_room = 2 * (h[0] - 1) < e.h && 2 * (w[0] - 1) < e.w;
    if (!is_pool && has_room && any_below(g, 2) == 0) window.dilation_h = window.dilation_w = 2;
    return window;
}

static inline int any_channels(any_graph_t *g)
{
    static const int c[] = {3, 4, 6, 8, 16};
    return c[any_below(g, 5)];
}

static inline int any_groups(any_graph_t *g, int c_in, int *c_out)
{
    const int choice = any_below(g, 3);
    if (choice == 0) *c_out = c_in; /* depthwise */
    if (choice == 0) return c_in;
    if (choice == 1 && c_in % 2 == 0 && *c_out % 2 == 0) return 2;
    return 1;
}

/* Window and groups at random, or, of a stem, none; every third has the weight of one before that
 * is of as many channels. */
static inline int any_conv(any_graph_t *g, int source)
{
    const nas_extents_t e = g->b->extents(g->b, source);
    const bool is_image = g->n == 0;
    for (int i = 0; i < g->n_convs && any_below(g, 3) == 0; i++)
        if (g->from[i].c == e.c && g->from[i].h <= e.h && g->from[i].w <= e.w) {
            nas_conv_spec_t spec = g->spec[i];
            spec.window = &g->window[i];
            spec.name = g->name;
            spec.shares = 1 + g->conv[i];
            return g->b->conv(g->b, source, &spec);
        }
    const int at = g->n_convs++;
    int c_out = any_channels(g);
    const int groups = is_image ? 1 : any_groups(g, e.c, &c_out);
    g->window[at] = any_window(g, e, false);
    g->from[at] = e;
    g->spec[at] = (nas_conv_spec_t){.name = g->name,
                                    .c_out = c_out,
                                    .window = &g->window[at],
                                    .groups = groups,
                                    .bias = any_below(g, 2) == 0};
    return g->conv[at] = g->b->conv(g->b, source, &g->spec[at]);
}

static inline int any_norm(any_graph_t *g, int source)
{
    return g->b->norm(
        g->b, source,
        &(nas_norm_spec_t){.name = g->name, .eps = 0.03125, .affine = any_below(g, 2) == 0});
}

static inline int any_pool(any_graph_t *g, int source)
{
    const nas_extents_t e = g->b->extents(g->b, source);
    const nas_window_t window = any_window(g, e, true);
    nas_pool_spec_t spec = {.name = g->name,
                            .kind = any_below(g, 2) ? NAS_POOL_MAX : NAS_POOL_MEAN,
                            .counts_padding = any_below(g, 2),
                            .ceil = any_below(g, 2),
                            .window = &window};
    static const nas_pool_spec_t usual[] = {{.k = 3, .padding = 1}, {.k = 2, .stride = 2}};
    const int choice = any_below(g, 4);
    if (choice < 2 && e.h >= 2 && e.w >= 2) {
        spec = usual[choice];
        spec.name = g->name;
    }
    return g->b->pool(g->b, source, &spec);
}

static inline int any_crop(any_graph_t *g, int source)
{
    const nas_extents_t e = g->b->extents(g->b, source);
    const int top = any_between(g, -1, 1), left = any_between(g, -1, 1);
    return g->b->crop(g->b, source,
                      &(nas_crop_spec_t){.name = g->name,
                                         .top = top >= e.h ? 0 : top,
                                         .left = left >= e.w ? 0 : left,
                                         .h = any_between(g, 2, e.h + 1),
                                         .w = any_between(g, 2, e.w + 1)});
}

/* Of all that is as large: a sum of as many channels, a concatenation of any. */
static inline int any_join(any_graph_t *g, int source, bool is_sum)
{
    const nas_extents_t e = g->b->extents(g->b, source);
    int all[4] = {source}, n = 1;
    for (int i = g->n - 1; i >= 0 && n < 4; i--) {
        const nas_extents_t o = g->b->extents(g->b, g->tensor[i]);
        if (g->tensor[i] == source || o.h != e.h || o.w != e.w || (is_sum && o.c != e.c)) continue;
        g->is_read[i] = true;
        all[n++] = g->tensor[i];
    }
    const nas_join_spec_t spec = {.name = g->name, .source = all, .n = n};
    return is_sum ? g->b->sum(g->b, &spec, e) : g->b->concat(g->b, &spec);
}

static inline int any_linear(any_graph_t *g, int source)
{
    const int flat = g->b->flatten(g->b, source, g->name);
    char name[48];
    (void)snprintf(name, sizeof name, "%s_layer", g->name);
    return g->b->linear(
        g->b, flat,
        &(nas_linear_spec_t){.name = name, .n_out = any_channels(g), .bias = any_below(g, 2) == 0});
}

static inline int any_step(any_graph_t *g, int step)
{
    const int source = any_pick(g), kind = any_below(g, ANY_KINDS);
    (void)snprintf(g->name, sizeof g->name, "step%d", step);
    switch (kind) {
    case 0:
    case 1:
    case 2:
        return any_conv(g, source);
    case 3:
        return any_norm(g, source);
    case 4:
    case 5:
        return g->b->rectify(g->b, source, kind == 4 ? NAS_RECTIFIER_RELU : NAS_RECTIFIER_RELU6);
    case 6:
        return any_pool(g, source);
    case 7:
        return any_crop(g, source);
    case 8:
        return any_join(g, source, any_below(g, 2));
    default:
        return any_linear(g, source);
    }
}

/* The means of all that nothing reads side by side, then a layer, or a convolution. */
static inline void any_end(any_graph_t *g, const nas_network_t *network)
{
    int mean[ANY_TENSORS], n = 0;
    for (int i = 0; i < g->n; i++) {
        if (g->is_read[i]) continue;
        (void)snprintf(g->name, sizeof g->name, "mean%d", i);
        mean[n++] = g->b->pool(g->b, g->tensor[i], &(nas_pool_spec_t){.name = g->name});
    }
    const int all =
        n > 1 ? g->b->concat(g->b, &(nas_join_spec_t){.name = "means", .source = mean, .n = n})
              : mean[0];
    const bool has_bias = any_below(g, 2);
    if (any_below(g, 3) == 0) {
        const int x = g->b->conv(
            g->b, all,
            &(nas_conv_spec_t){.name = "end", .c_out = network->classes, .k = 1, .bias = has_bias});
        g->b->output(g->b, any_below(g, 2) ? g->b->rectify(g->b, x, NAS_RECTIFIER_RELU) : x);
        return;
    }
    const nas_linear_spec_t layer = {.name = "end", .n_out = network->classes, .bias = has_bias};
    g->b->output(g->b, g->b->linear(g->b, g->b->flatten(g->b, all, "features"), &layer));
}

/* what: the number of one. */
static inline nas_status_t make_any(const void *what, const nas_network_t *network,
                                    nas_builder_t *b, nas_error_t *err)
{
    any_graph_t g = {.b = b, .name = "stem"};
    (void)err;
    nas_rng_init(&g.rng, 11, NAS_STREAM_BENCH, (uint64_t) * (const int *)what);
    (void)any_put(&g, any_conv(&g, b->image(b)));
    for (int i = 0; i < ANY_STEPS; i++) (void)any_put(&g, any_step(&g, i));
    any_end(&g, network);
    return NAS_OK;
}

#endif
