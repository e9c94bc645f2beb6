#include "worker/bench/bench_floor.h"

#include "common/base/clock.h"
#include "common/base/huge_pages.h"
#include "worker/ranking/score.h"

#include <math.h>
#include <stdlib.h>

enum { READ_BYTES = 256 << 20, READ_PASSES = 5, MIN_RUNS = 3, MAX_RUNS = 200 };

static const double least_s = 0.01; /* of one convolution's runs together */

nas_status_t nas_bench_bandwidth(double *bytes_per_s, nas_error_t *err)
{
    uint64_t *line = nas_huge_pages_create(READ_BYTES);
    double best = INFINITY;
    if (!line) return nas_error_nomem(err, "the bench");
    for (int pass = 0; pass < READ_PASSES; pass++) {
        const double begin = nas_clock_processor_s();
        const uint64_t bits =
            nas_score_kernel(nas_isa_best())->read(line, READ_BYTES / NAS_SCORE_LINE);
        best = fmin(best, nas_clock_processor_s() - begin);
        NAS_ASSERT(bits == 0);
    }
    free(line);
    *bytes_per_s = READ_BYTES / best;
    return NAS_OK;
}

/* A convolution with its operands, alone. */
typedef struct alone {
    const nas_backend_t *backend;
    const nas_conv_t *conv;
    void *in, *out, *packed, *gradient, *scratch;
} alone_t;

static size_t image_input_bytes(const nas_backend_t *backend, nas_shape_t shape)
{
    const size_t n_values = (size_t)shape.n * (size_t)shape.c * (size_t)shape.h * (size_t)shape.w;
    const size_t adjoint = n_values * sizeof(double), values = backend->image_bytes(shape);
    return adjoint > values ? adjoint : values;
}

/* Operands hold zeros: no kernel's time depends on values. */
static nas_status_t make_alone(const nas_backend_t *backend, const nas_conv_shape_t *s,
                               alone_t *alone, nas_error_t *err)
{
    const nas_shape_t in = {s->n, s->c_in, s->h_in, s->w_in};
    const nas_shape_t out = {s->n, s->c_out, nas_conv_h_out(s), nas_conv_w_out(s)};
    const nas_status_t status = backend->conv_find(s, true, &alone->conv, err);
    if (status) return status;
    alone->backend = backend;
    alone->in = nas_huge_pages_create(s->image ? image_input_bytes(backend, in)
                                               : backend->tensor_bytes(in));
    alone->out = nas_huge_pages_create(backend->tensor_bytes(out));
    alone->packed = nas_huge_pages_create(backend->conv_packed_bytes(alone->conv));
    alone->gradient =
        nas_huge_pages_create(backend->conv_weight_elements(alone->conv) * backend->element_bytes);
    alone->scratch = nas_huge_pages_create(backend->conv_scratch_bytes(alone->conv) + 1);
    const bool good = alone->in && alone->out && alone->packed && alone->gradient && alone->scratch;
    return good ? NAS_OK : nas_error_nomem(err, "the bench");
}

static void free_alone(alone_t *alone)
{
    free(alone->in);
    free(alone->out);
    free(alone->packed);
    free(alone->gradient);
    free(alone->scratch);
}

static void run_alone(const alone_t *a, nas_work_t work)
{
    switch (work) {
    case NAS_WORK_CONV_FORWARD:
        a->backend->conv_forward(a->conv, a->packed, a->in, a->out, a->scratch);
        break;
    case NAS_WORK_CONV_BACKWARD_DATA:
        a->backend->conv_backward_data(a->conv, a->packed, a->out, a->in, a->scratch);
        break;
    default:
        a->backend->conv_backward_weights(a->conv, a->in, a->out, a->gradient, a->scratch);
        break;
    }
}

/* Best time of one call. */
static nas_status_t time_alone(const nas_backend_t *backend, const nas_profile_entry_t *entry,
                               double *seconds, nas_error_t *err)
{
    alone_t alone = {0};
    double best = INFINITY, total = 0;
    const nas_status_t status = make_alone(backend, &entry->shape, &alone, err);
    for (int run = 0; !status && run < MAX_RUNS && (run < MIN_RUNS || total < least_s); run++) {
        const double begin = nas_clock_processor_s();
        run_alone(&alone, entry->work);
        const double took = nas_clock_processor_s() - begin;
        best = fmin(best, took);
        total += took;
    }
    free_alone(&alone);
    if (!status) *seconds = best;
    return status;
}

nas_status_t nas_bench_floor(const nas_backend_t *backend, const nas_profile_t *profile,
                             double bytes_per_s, nas_bench_floor_t *floor, nas_error_t *err)
{
    nas_bench_floor_t sum = {0};
    for (int i = 0; i < profile->n; i++) {
        const nas_profile_entry_t *entry = &profile->entry[i];
        if (nas_work_is_conv(entry->work)) {
            double seconds = 0;
            const nas_status_t status = time_alone(backend, entry, &seconds, err);
            if (status) return status;
            sum.entry_s[i] = (double)entry->n_calls * seconds;
            sum.conv_s += sum.entry_s[i];
        } else {
            sum.entry_s[i] = entry->bytes / bytes_per_s;
            sum.memory_s += sum.entry_s[i];
        }
    }
    *floor = sum;
    return NAS_OK;
}
