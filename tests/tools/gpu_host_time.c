/* What an architecture costs the host of a GPU: launches, bytes, and CPU time, of docs/gpu.md.
 *
 * usage: gpu_host_time [PACKS]    of 32 architectures each; 7 where it is left out */
#include "tests/tools/gpu_packs.h"
#include "tests/tools/gpu_trainings.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    const int n_packs = argc > 1 ? atoi(argv[1]) : 7;
    for (int neighbours = 0; neighbours < 2; neighbours++) {
        nas_gpu_packs_took_t took;
        if (!nas_gpu_packs_score(neighbours, n_packs, &took)) return 1;
        printf("%s: %.1f launches, %.0f KiB written, %.2f ms of CPU an architecture\n",
               neighbours ? "neighbours" : "random unique cells", took.launches,
               took.bytes_written / 1024, 1e3 * took.host_s);
    }
    for (int n = 1; n <= NAS_GPU_TRAININGS_MOST; n *= 2) {
        nas_gpu_trainings_took_t took;
        if (!nas_gpu_trainings_step(n, &took)) return 1;
        printf(
            "%d trainings at once: %.1f launches a step, %.0f MiB, %.2f ms of CPU to plan, each\n",
            n, took.launches, took.device_bytes / (1024 * 1024), 1e3 * took.plan_s);
    }
    return 0;
}
