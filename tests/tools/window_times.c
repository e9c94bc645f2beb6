/* Milliseconds that depthwise convolutions and pools take on an instruction set of the cpu backend, for
 * docs/performance.md: best of 30 runs, and beside them a copy of the input, which reads and writes
 * as many bytes as a pass of stride 1.
 *
 * usage: window_times ISA    plain, avx2 or avx512 */
#include "common/base/clock.h"
#include "common/base/huge_pages.h"
#include "worker/engine/backends/backend.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N_RUNS = 30, N_IMAGES = 64 };

/* Channels and pixels: the stages of networks for CIFAR-10, and an early one for ImageNet. */
static const struct {
    int c;
    int size;
} STAGES[] = {{16, 32}, {32, 16}, {64, 8}, {32, 112}};

static const struct {
    int k;
    int stride;
    int dilation;
} WINDOWS[] = {{3, 1, 1}, {5, 1, 1}, {3, 1, 2}, {5, 1, 2}, {3, 2, 1}, {5, 2, 1}};

/* Of pools: 3 x 3. */
static const struct {
    nas_pool_kind_t kind;
    int stride;
} POOLS[] = {{NAS_POOL_MEAN, 1}, {NAS_POOL_MEAN, 2}, {NAS_POOL_MAX, 1}, {NAS_POOL_MAX, 2}};

typedef struct operands {
    const nas_backend_t *backend;
    const nas_conv_t *conv; /* NULL: a pool */
    nas_pool_shape_t pool;
    size_t input_bytes;
    void *x, *dx, *y, *packed, *dw, *scratch;
} operands_t;

typedef void (*pass_t)(const operands_t *o);

static void forward(const operands_t *o)
{
    o->backend->conv_forward(o->conv, o->packed, o->x, o->y, o->scratch);
}

static void backward_data(const operands_t *o)
{
    o->backend->conv_backward_data(o->conv, o->packed, o->y, o->dx, o->scratch);
}

static void backward_weights(const operands_t *o)
{
    o->backend->conv_backward_weights(o->conv, o->x, o->y, o->dw, o->scratch);
}

static void pool_forward(const operands_t *o)
{
    o->backend->pool_forward(&o->pool, (nas_channels_t){o->x, o->pool.c, 0},
                             (nas_channels_t){o->y, o->pool.c, 0});
}

static void pool_backward(const operands_t *o)
{
    o->backend->pool_backward(&o->pool, (nas_channels_t){o->x, o->pool.c, 0},
                              (nas_channels_t){o->y, o->pool.c, 0},
                              (nas_channels_t){o->dx, o->pool.c, 0});
}

static void pool_tangent(const operands_t *o)
{
    o->backend->pool_tangent(&o->pool, (nas_channels_t){o->x, o->pool.c, 0},
                             (nas_channels_t){o->dx, o->pool.c, 0},
                             (nas_channels_t){o->y, o->pool.c, 0});
}

static void copy(const operands_t *o)
{
    memcpy(o->dx, o->x, o->input_bytes);
}

static double best_ms(const operands_t *o, pass_t pass)
{
    double best = INFINITY;
    for (int run = 0; run < N_RUNS; run++) {
        const double begin = nas_clock_processor_s();
        pass(o);
        best = fmin(best, nas_clock_processor_s() - begin);
    }
    return 1e3 * best;
}

static nas_conv_shape_t shape_of(int stage, int window)
{
    const int c = STAGES[stage].c, size = STAGES[stage].size;
    const int k = WINDOWS[window].k, s = WINDOWS[window].stride, d = WINDOWS[window].dilation;
    const int p = d * (k / 2), out = (size - 1) / s + 1;
    return (nas_conv_shape_t){.n = N_IMAGES,
                              .c_in = c,
                              .c_out = c,
                              .h_in = size,
                              .w_in = size,
                              .h_out = out,
                              .w_out = out,
                              .groups = c,
                              .window = {k, k, s, s, d, d, p, p, p, p}};
}

static bool make_tensors(const nas_backend_t *backend, nas_shape_t in, nas_shape_t out,
                         operands_t *o)
{
    *o = (operands_t){.backend = backend, .input_bytes = backend->tensor_bytes(in)};
    o->x = nas_huge_pages_create(o->input_bytes);
    o->dx = nas_huge_pages_create(o->input_bytes);
    o->y = nas_huge_pages_create(backend->tensor_bytes(out));
    return o->x && o->dx && o->y;
}

static bool make_weights(const nas_conv_shape_t *s, operands_t *o)
{
    const nas_backend_t *backend = o->backend;
    nas_error_t err = {0};
    if (backend->conv_find(s, true, &o->conv, &err)) {
        (void)fprintf(stderr, "window_times: %s\n", err.text);
        return false;
    }
    o->packed = nas_huge_pages_create(backend->conv_packed_bytes(o->conv));
    o->dw = nas_huge_pages_create(backend->conv_weight_elements(o->conv) * backend->element_bytes);
    o->scratch = nas_huge_pages_create(backend->conv_scratch_bytes(o->conv));
    return o->packed && o->dw && o->scratch;
}

static void destroy(operands_t *o)
{
    free(o->x);
    free(o->dx);
    free(o->y);
    free(o->packed);
    free(o->dw);
    free(o->scratch);
}

static bool print_conv(const nas_backend_t *backend, int stage, int window)
{
    const nas_conv_shape_t s = shape_of(stage, window);
    operands_t o;
    const bool made = make_tensors(backend, (nas_shape_t){s.n, s.c_in, s.h_in, s.w_in},
                                   (nas_shape_t){s.n, s.c_out, s.h_out, s.w_out}, &o) &&
                      make_weights(&s, &o);
    if (made)
        printf("%d channels, %d x %d pixels, %d x %d, stride %d, dilation %d: "
               "%.3f ms forward, %.3f by data, %.3f by weights; %.3f a copy\n",
               s.c_in, s.h_in, s.w_in, s.window.k_h, s.window.k_w, s.window.stride_h,
               s.window.dilation_h, best_ms(&o, forward), best_ms(&o, backward_data),
               best_ms(&o, backward_weights), best_ms(&o, copy));
    destroy(&o);
    return made;
}

static bool print_pool(const nas_backend_t *backend, int stage, int which)
{
    const int size = STAGES[stage].size, stride = POOLS[which].stride;
    const int out = (size - 1) / stride + 1, c = STAGES[stage].c;
    operands_t o;
    const bool made = make_tensors(backend, (nas_shape_t){N_IMAGES, c, size, size},
                                   (nas_shape_t){N_IMAGES, c, out, out}, &o);
    o.pool = (nas_pool_shape_t){.n = N_IMAGES,
                                .c = c,
                                .h_in = size,
                                .w_in = size,
                                .h_out = out,
                                .w_out = out,
                                .window = {3, 3, stride, stride, 1, 1, 1, 1, 1, 1},
                                .kind = POOLS[which].kind};
    if (made)
        printf("%d channels, %d x %d pixels, %s, stride %d: "
               "%.3f ms forward, %.3f backward, %.3f tangent; %.3f a copy\n",
               c, size, size, POOLS[which].kind == NAS_POOL_MAX ? "max pool" : "mean pool", stride,
               best_ms(&o, pool_forward), best_ms(&o, pool_backward), best_ms(&o, pool_tangent),
               best_ms(&o, copy));
    destroy(&o);
    return made;
}

static const nas_backend_t *backend_of(const char *name)
{
    for (int isa = 0; isa < NAS_ISA_COUNT; isa++)
        if (strcmp(name, nas_isa_name((nas_isa_t)isa)) == 0 && nas_isa_available((nas_isa_t)isa))
            return nas_backend_cpu((nas_isa_t)isa);
    return NULL;
}

int main(int argc, char **argv)
{
    const nas_backend_t *backend = argc > 1 ? backend_of(argv[1]) : NULL;
    if (!backend) {
        (void)fprintf(stderr, "window_times: want an instruction set of this machine\n");
        return 2;
    }
    bool made = true;
    for (int i = 0; i < (int)(sizeof STAGES / sizeof *STAGES); i++) {
        for (int j = 0; j < (int)(sizeof WINDOWS / sizeof *WINDOWS); j++)
            made = print_conv(backend, i, j) && made;
        for (int j = 0; j < (int)(sizeof POOLS / sizeof *POOLS); j++)
            made = print_pool(backend, i, j) && made;
    }
    return made ? 0 : 1;
}
