#include "worker/bench/bench_work.h"

#include "worker/bench/bench_floor.h"

#include <stdlib.h>

const char *nas_bench_name(int i)
{
    return nas_space_with_networks()->typical[i];
}

nas_status_t nas_bench_arch(const char *text, nas_arch_t *arch, nas_error_t *err)
{
    const nas_space_t *space = nas_space_with_networks();
    nas_status_t status = nas_arch_init(arch, space, err);
    if (!status) status = nas_arch_parse(arch, text, err);
    if (status != NAS_EINPUT) return status;
    return nas_error_set(err, NAS_EARG, "bench: --arch '%s' is not %s", text, space->forms);
}

/* Entries of the profile, added up by kind. */
static void add_kinds(const nas_profile_t *profile, const nas_bench_floor_t *floor,
                      nas_bench_work_t *work)
{
    for (int i = 0; i < profile->n; i++) {
        const nas_profile_entry_t *entry = &profile->entry[i];
        nas_bench_kind_t *kind = &work->kind[entry->work];
        kind->n_calls += (double)entry->n_calls;
        kind->seconds += entry->seconds;
        kind->flops += entry->flops;
        kind->bytes += entry->bytes;
        kind->floor_s += floor->entry_s[i];
        work->flops += entry->flops;
        work->seconds += entry->seconds;
    }
}

void nas_bench_print_device(const nas_device_t *device, FILE *out)
{
    if (nas_device_kind(device) == NAS_DEVICE_GPU)
        (void)fputs(nas_device_name(device), out);
    else
        (void)fprintf(out, "one core: backend %s", nas_device_layout(device)->name);
}

nas_status_t nas_bench_work_measure(const nas_backend_t *backend, const nas_profile_t *profile,
                                    double bytes_per_s, nas_bench_work_t *work, nas_error_t *err)
{
    nas_bench_floor_t *floor = calloc(1, sizeof *floor);
    if (!floor) return nas_error_nomem(err, "the bench");
    const nas_status_t status = nas_bench_floor(backend, profile, bytes_per_s, floor, err);
    if (!status) {
        *work = (nas_bench_work_t){.conv_floor_s = floor->conv_s, .other_floor_s = floor->memory_s};
        add_kinds(profile, floor, work);
    }
    free(floor);
    return status;
}

/* --------------------------------------------------------------------------------- print */

void nas_bench_work_print_formula(double bytes_per_s, FILE *out)
{
    (void)fprintf(
        out,
        "floor = sum over shapes and passes of convolutions of FLOP / (FLOP/s of that pass alone)\n"
        "      + bytes of all other operations / %.1f GB/s, the measured read bandwidth\n",
        1e-9 * bytes_per_s);
}

void nas_bench_work_print_floor(const nas_bench_work_t *work, double seconds, FILE *out)
{
    const double floor_s = work->conv_floor_s + work->other_floor_s;
    (void)fprintf(
        out,
        "  floor %.1f ms = %.1f ms of convolutions + %.1f ms of memory; %.2f times the floor\n",
        1e3 * floor_s, 1e3 * work->conv_floor_s, 1e3 * work->other_floor_s, seconds / floor_s);
}

static void print_row(const char *name, const nas_bench_kind_t *kind, double total_s, FILE *out)
{
    (void)fprintf(out, "  %-22s %7.0f %9.2f %7.1f %9.2f %10.1f %8.1f\n", name, kind->n_calls,
                  1e3 * kind->seconds, 100.0 * kind->seconds / total_s, 1e3 * kind->floor_s,
                  kind->seconds > 0 ? 1e-9 * kind->flops / kind->seconds : 0.0,
                  kind->seconds > 0 ? 1e-9 * kind->bytes / kind->seconds : 0.0);
}

void nas_bench_work_print(const nas_bench_work_t *work, double total_s, FILE *out)
{
    (void)fprintf(out, "  %-22s %7s %9s %7s %9s %10s %8s\n", "work", "calls", "ms", "share %",
                  "floor ms", "GFLOP/s", "GB/s");
    for (nas_work_t w = 0; w < NAS_WORK_COUNT; w++)
        if (work->kind[w].n_calls > 0) print_row(nas_work_name(w), &work->kind[w], total_s, out);
}

void nas_bench_work_print_outside(const char *name, double seconds, double total_s, FILE *out)
{
    print_row(name, &(nas_bench_kind_t){.n_calls = 1, .seconds = seconds}, total_s, out);
}

json_t *nas_bench_work_json(const nas_bench_work_t *work)
{
    json_t *array = json_array();
    for (nas_work_t w = 0; w < NAS_WORK_COUNT; w++) {
        const nas_bench_kind_t *kind = &work->kind[w];
        if (kind->n_calls > 0)
            (void)json_array_append_new(
                array,
                json_pack("{s:s, s:I, s:f, s:f, s:f, s:f}", "work", nas_work_name(w), "calls",
                          (json_int_t)kind->n_calls, "seconds", kind->seconds, "flops", kind->flops,
                          "bytes", kind->bytes, "floor_seconds", kind->floor_s));
    }
    return array;
}
