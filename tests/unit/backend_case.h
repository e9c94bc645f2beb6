/* What the tests of backends share: every backend, instruction set and layer of GPUs as a test
 * parameter, memory, tensors with known values, and comparisons.
 *
 * Criterion runs each parameter in a process of its own, which the cpu backend needs, since its
 * first call fixes the instruction set, and so do GPUs, of which one is opened.
 */
#ifndef NAS_TESTS_UNIT_BACKEND_CASE_H
#define NAS_TESTS_UNIT_BACKEND_CASE_H

#include "common/base/rng.h"
#include "tests/tools/gpu_backend.h"
#include "worker/engine/backends/backend.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const GPU_LAYERS[] = {"opencl", "threads"};

enum { N_LAYERS = 2, N_BACKENDS = 1 + NAS_ISA_COUNT + N_LAYERS, MAX_BLOCKS = 256 };

/* Defined as 1 before: layers of GPUs too. */
#ifndef WITH_GPUS
#define WITH_GPUS 0
#endif

#define BACKEND_TEST(suite, name)                                                                  \
    ParameterizedTestParameters(suite, name)                                                       \
    {                                                                                              \
        return every_backend();                                                                    \
    }                                                                                              \
    ParameterizedTest(const int *index, suite, name)

/* Parameter 0 is ref, 1 + isa the cpu backend; GPUs behind them. */
static inline struct criterion_test_params every_backend(void)
{
    enum { N = WITH_GPUS ? N_BACKENDS : N_BACKENDS - N_LAYERS };
    static int index[N];
    for (int i = 0; i < N; i++) index[i] = i;
    return cr_make_param_array(int, index, N);
}

typedef struct fixture {
    const nas_backend_t *backend;
    const char *isa;  /* of the cpu backend; empty for ref */
    double tolerance; /* of a result, relative to its norm */
    nas_rng_t rng;
    void *block[MAX_BLOCKS];
    int n_blocks;
} fixture_t;

/* An element of a tensor. */
typedef struct element {
    int n;
    int c;
    int h;
    int w;
} element_t;

/* A tensor and the values in it, [N, C, H, W]. */
typedef struct tensor {
    nas_shape_t shape;
    double *values;
    void *data;
} tensor_t;

/* Skips the test, naming the backend, where it is not there. */
static inline fixture_t setup(int index)
{
    fixture_t f = {.backend = nas_backend_ref(), .isa = "", .tolerance = 1e-12};
    nas_rng_init(&f.rng, 1, NAS_STREAM_BENCH, 0);
    if (index == 0) return f;
#if WITH_GPUS
    if (index > NAS_ISA_COUNT) {
        const char *layer = GPU_LAYERS[index - 1 - NAS_ISA_COUNT];
        f.tolerance = 1e-6;
        f.backend = gpu_backend(layer);
        if (!f.backend) criterion_skip_test("no device of layer %s", layer);
        return f;
    }
#endif
    cr_assert_leq(index, NAS_ISA_COUNT);
    const nas_isa_t isa = (nas_isa_t)(index - 1);
    f.isa = nas_isa_name(isa);
    f.backend = nas_isa_available(isa) ? nas_backend_cpu(isa) : NULL;
    if (!f.backend) criterion_skip_test("backend cpu %s is not available", f.isa);
    f.tolerance = 1e-5; /* float32, a few hundred products to a sum */
    return f;
}

static inline void teardown(fixture_t *f)
{
    for (int i = 0; i < f->n_blocks; i++) free(f->block[i]);
}

/* Aligned as backends want it, full of NaN: what is not written is found. */
static inline void *take(fixture_t *f, size_t n_bytes)
{
    const size_t size = (n_bytes / 64 + 1) * 64;
    void *block = aligned_alloc(64, size);
    cr_assert_not_null(block);
    cr_assert_lt(f->n_blocks, MAX_BLOCKS);
    f->block[f->n_blocks++] = block;
    return memset(block, 0xff, size);
}

static inline double *take_doubles(fixture_t *f, size_t n)
{
    return take(f, n * sizeof(double));
}

static inline double *take_zeros(fixture_t *f, size_t n)
{
    return memset(take_doubles(f, n), 0, n * sizeof(double));
}

static inline size_t n_elements(nas_shape_t shape)
{
    return (size_t)shape.n * (size_t)shape.c * (size_t)shape.h * (size_t)shape.w;
}

/* Where an element stands among the values. */
static inline size_t position(nas_shape_t shape, element_t e)
{
    const size_t plane = (size_t)e.n * (size_t)shape.c + (size_t)e.c;
    return (plane * (size_t)shape.h + (size_t)e.h) * (size_t)shape.w + (size_t)e.w;
}

/* The element that stands at this position. */
static inline element_t element(nas_shape_t shape, size_t at)
{
    const int w = (int)(at % (size_t)shape.w);
    const int row = (int)(at / (size_t)shape.w);
    const int plane = row / shape.h;
    return (element_t){plane / shape.c, plane % shape.c, row % shape.h, w};
}

/* Multiples of 1/1024 in [-1, 1): exact in float32 too. */
static inline double *take_random(fixture_t *f, size_t n)
{
    double *values = take_doubles(f, n);
    for (size_t i = 0; i < n; i++)
        values[i] = ((double)nas_rng_below(&f->rng, 2048) - 1024.0) / 1024.0;
    return values;
}

static inline tensor_t take_tensor(fixture_t *f, nas_shape_t shape, double *values)
{
    const tensor_t tensor = {shape, values, take(f, f->backend->tensor_bytes(shape))};
    f->backend->load(shape, values, tensor.data);
    return tensor;
}

static inline tensor_t random_tensor(fixture_t *f, nas_shape_t shape)
{
    return take_tensor(f, shape, take_random(f, n_elements(shape)));
}

static inline nas_channels_t channels(const tensor_t *tensor, int c_first)
{
    return (nas_channels_t){tensor->data, tensor->shape.c, c_first};
}

static inline int padded(const fixture_t *f, int c)
{
    const int block = f->backend->channel_block;
    return (c + block - 1) / block * block;
}

/* What a tensor holds; its padding must hold 0. */
static inline double *stored(fixture_t *f, nas_shape_t shape, const void *data)
{
    nas_shape_t whole = shape;
    whole.c = padded(f, shape.c);
    double *all = take_doubles(f, n_elements(whole));
    f->backend->store(whole, data, all);
    const size_t image = n_elements((nas_shape_t){1, shape.c, shape.h, shape.w});
    const size_t image_padded = n_elements((nas_shape_t){1, whole.c, shape.h, shape.w});
    for (int n = 0; n < shape.n; n++) {
        for (size_t i = image; i < image_padded; i++)
            cr_assert_eq(all[(size_t)n * image_padded + i], 0.0, "padding of image %d", n);
    }
    double *values = take_doubles(f, n_elements(shape));
    f->backend->store(shape, data, values);
    return values;
}

/* The difference's norm is at most tolerance times the expected one. */
static inline void check_close(const fixture_t *f, const double *found, const double *expected,
                               size_t n, const char *what)
{
    double difference = 0;
    double norm = 0;
    for (size_t i = 0; i < n; i++) {
        difference += (found[i] - expected[i]) * (found[i] - expected[i]);
        norm += expected[i] * expected[i];
    }
    cr_assert(sqrt(difference) <= f->tolerance * sqrt(norm), "%s %s, %s: differs by %g, norm %g",
              f->backend->name, f->isa, what, sqrt(difference), sqrt(norm));
}

/* A sum that may cancel: magnitude is the sum of absolute values. */
static inline void check_sum(const fixture_t *f, double found, double expected, double magnitude,
                             const char *what)
{
    cr_assert(fabs(found - expected) <= f->tolerance * magnitude,
              "%s %s, %s: %.17g, expected %.17g", f->backend->name, f->isa, what, found, expected);
}

#endif
