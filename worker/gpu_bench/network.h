/* Networks of NAS-Bench-201 as the bench measures them, and the programs that they become. */
#ifndef NAS_WORKER_GPU_BENCH_NETWORK_H
#define NAS_WORKER_GPU_BENCH_NETWORK_H

#include "common/space/arch.h"
#include "worker/engine/engine.h"
#include "worker/gpu_bench/bench.h"

/** Of public tables, with 64 images, or small enough for tests. */
nas_network_t nas_bench_network(bool is_quick, nas_convention_t convention);

enum { NAS_BENCH_MOST_PROGRAMS = 2 };

/** A network with its programs. Zero-initialise it; end with nas_bench_member_fini. */
typedef struct nas_bench_member {
    nas_graph_t *graph;
    nas_program_t *program[NAS_BENCH_MOST_PROGRAMS];
    int n_programs;
    char *name; /**< the architecture's */
} nas_bench_member_t;

/** The graph of an architecture.  Not collective.  NAS_ENOMEM. */
nas_status_t nas_bench_member_init(nas_bench_member_t *member, const nas_network_t *network,
                                   const nas_arch_t *arch, nas_error_t *err);

/** Add a program of so many images.  Not collective.  NAS_ENOMEM. */
nas_status_t nas_bench_member_add(nas_bench_member_t *member, int batch, unsigned needs,
                                  nas_error_t *err);

/** Accepts a zeroed one. */
void nas_bench_member_fini(nas_bench_member_t *member);

#endif
