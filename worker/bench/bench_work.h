/* What benchmarks of networks share: the architectures they measure, and where the time goes by
 * kind of work, beside the floor of bench_floor.h. */
#ifndef NAS_WORKER_BENCH_BENCH_WORK_H
#define NAS_WORKER_BENCH_BENCH_WORK_H

#include "common/base/error.h"
#include "common/space/arch.h"
#include "worker/engine/device/device.h"
#include "worker/engine/host/profile.h"

#include <jansson.h>
#include <stdio.h>

enum { NAS_BENCH_ARCHS = NAS_SPACE_TYPICAL };

/** Name of the i-th architecture that is measured unless another is asked for: the typical ones of
 *  the space that has networks. */
const char *nas_bench_name(int i);

/** The architecture that a text means, of the space that has networks.  Not collective.
 *  arch [out] the caller's, to be ended with nas_arch_fini after errors, too.
 *  NAS_EARG: none. NAS_ENOMEM. */
nas_status_t nas_bench_arch(const char *text, nas_arch_t *arch, nas_error_t *err);

/** "one core: backend cpu", or "cuda:0 NVIDIA H200": where it is measured, for a table's head. */
void nas_bench_print_device(const nas_device_t *device, FILE *out);

/** The images of all benchmarks. */
enum { NAS_BENCH_COLOURS = 3, NAS_BENCH_SIDE = 32, NAS_BENCH_CLASSES = 10 };

/** All calls of one kind of work, convolutions of any shape. */
typedef struct nas_bench_kind {
    double n_calls;
    double seconds;
    double flops; /**< of convolutions */
    double bytes;
    double floor_s;
} nas_bench_kind_t;

/** The work of programs, of one repeat. */
typedef struct nas_bench_work {
    nas_bench_kind_t kind[NAS_WORK_COUNT];
    double seconds;       /**< of all kinds */
    double flops;         /**< of all convolutions */
    double conv_floor_s;  /**< see bench_floor.h */
    double other_floor_s; /**< likewise */
} nas_bench_work_t;

/** Add up a profile by kind, and measure its floor.  Not collective; takes some ms a convolution.
 *  profile [in] of one repeat; bytes_per_s [in] of nas_bench_bandwidth;
 *  work [out].
 *  NAS_ENOMEM, NAS_EARG (the backend has no such kernel). */
nas_status_t nas_bench_work_measure(const nas_backend_t *backend, const nas_profile_t *profile,
                                    double bytes_per_s, nas_bench_work_t *work, nas_error_t *err);

/** The lines that say what a floor is.  Not collective. */
void nas_bench_work_print_formula(double bytes_per_s, FILE *out);

/** "floor ... times the floor", for a repeat that took `seconds`.  Not collective. */
void nas_bench_work_print_floor(const nas_bench_work_t *work, double seconds, FILE *out);

/** The table's head and a row a kind.  Not collective.
 *  total_s [in] what the shares are of. */
void nas_bench_work_print(const nas_bench_work_t *work, double total_s, FILE *out);

/** A further row, of work outside of programs.  Not collective. */
void nas_bench_work_print_outside(const char *name, double seconds, double total_s, FILE *out);

/** An array of an object a kind.  Not collective. The caller owns it; NULL: no memory. */
json_t *nas_bench_work_json(const nas_bench_work_t *work);

#endif
