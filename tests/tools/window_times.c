/* Milliseconds that depthwise convolutions take on an instruction set of the cpu backend, for
 * docs/performance.md: best of 30 runs, and beside them a copy of the input, which reads and writes
 * as many bytes as a pass of stride 1.
 *
 * usage: depthwise_times ISA    plain, avx2 or avx512 */
#include "common/base/clock.h"
#include "common/base/huge_pages.h"
#include "worker/engine/backends/backend.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N_RUNS = 30, N_IMAGES = 64 };

/* Channels and pixels of the stages of networks for CIFAR-10. */
static const struct {
    int c;
    int size;
} STAGES[] = {{16, 32}, {32, 16}, {64, 8}};

static const struct {
    int k;
    int stride;
    int dilation;
} WINDOWS[] = {{3, 1, 1}, {5, 1, 1}, {3, 1, 2}, {5, 1, 2}, {3, 2, 1}, {5, 2, 1}};

typedef struct operands {
    const nas_backend_t *backend;
    const nas_conv_t *conv;
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

static void copy(const operands_t *o)
{
    memcpy(o->dx, o->x, o->input_bytes);
}

static double best_ms(const operands_t *o, pass_t pass)
{
    double best = INFINITY;
    for (int run = 0; run < N_RUNS; run++) {
        const double begin = nas_clock_monotonic_s();
        pass(o);
        best = fmin(best, nas_clock_monotonic_s() - begin);
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

static bool make(const nas_backend_t *backend, const nas_conv_shape_t *s, operands_t *o)
{
    const nas_shape_t in = {s->n, s->c_in, s->h_in, s->w_in};
    const nas_shape_t out = {s->n, s->c_out, s->h_out, s->w_out};
    nas_error_t err = {0};
    *o = (operands_t){.backend = backend, .input_bytes = backend->tensor_bytes(in)};
    if (backend->conv_find(s, true, &o->conv, &err)) {
        (void)fprintf(stderr, "depthwise_times: %s\n", err.text);
        return false;
    }
    o->x = nas_huge_pages_create(o->input_bytes);
    o->dx = nas_huge_pages_create(o->input_bytes);
    o->y = nas_huge_pages_create(backend->tensor_bytes(out));
    o->packed = nas_huge_pages_create(backend->conv_packed_bytes(o->conv));
    o->dw = nas_huge_pages_create(backend->conv_weight_elements(o->conv) * backend->element_bytes);
    o->scratch = nas_huge_pages_create(backend->conv_scratch_bytes(o->conv));
    return o->x && o->dx && o->y && o->packed && o->dw && o->scratch;
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
        (void)fprintf(stderr, "depthwise_times: want an instruction set of this machine\n");
        return 2;
    }
    for (size_t i = 0; i < sizeof STAGES / sizeof *STAGES; i++) {
        for (size_t j = 0; j < sizeof WINDOWS / sizeof *WINDOWS; j++) {
            const nas_conv_shape_t shape = shape_of((int)i, (int)j);
            operands_t o;
            if (!make(backend, &shape, &o)) return 1;
            const double y = best_ms(&o, forward), dx = best_ms(&o, backward_data);
            const double dw = best_ms(&o, backward_weights), memory = best_ms(&o, copy);
            printf(
                "%d channels, %d x %d pixels, %d x %d, stride %d, dilation %d: %.3f ms forward, %.3f by data, %.3f by weights; %.3f a copy\n",
                shape.c_in, shape.h_in, shape.w_in, shape.window.k_h, shape.window.k_w,
                shape.window.stride_h, shape.window.dilation_h, y, dx, dw, memory);
            destroy(&o);
        }
    }
    return 0;
}
