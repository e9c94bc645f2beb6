/* Packs of cells of nb201 at the size of the public tables, on a GPU that computes nothing: for
 * counting launches, and the host's time. */
#ifndef NAS_TESTS_TOOLS_GPU_PACKS_H
#define NAS_TESTS_TOOLS_GPU_PACKS_H

#include <stdbool.h>
#include <stdint.h>

enum { NAS_GPU_PACK_WIDTH = 32 };

/** What packs took, a mean architecture. */
typedef struct nas_gpu_packs_took {
    double launches;
    double works; /**< descriptors */
    double bytes_written;
    double host_s; /**< user and system, of graphs, programs, plans, queueing, metrics */
    int64_t n_reads;
    int n_packs;
} nas_gpu_packs_took_t;

/** Score packs of NAS_GPU_PACK_WIDTH with six metrics, 64 images of 32 x 32, 16 channels, 5 cells a
 *  stage: neighbours in the space's order, or random unique cells.  Returns whether it could. */
bool nas_gpu_packs_score(bool neighbours, int n_packs, nas_gpu_packs_took_t *took);

#endif
