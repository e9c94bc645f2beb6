/* Who waits for whom: what is read waits for who wrote it, what is written for who wrote or read it
 * before.
 *
 * Tensors are ranges of bytes of the arena, where others lay before and will lie; a range of a
 * tensor's channels is told from another one of the same tensor. Vectors are known by where they
 * begin: no two overlap.
 */
#ifndef NAS_WORKER_ENGINE_GPU_PLAN_HAZARDS_H
#define NAS_WORKER_ENGINE_GPU_PLAN_HAZARDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What an operation reads or writes. */
typedef struct nas_gpu_access {
    int64_t begin, end; /**< bytes of the arena; a vector: `begin` is it, `end` is 0 */
    int c_first, c_end; /**< channels */
    int c_total, plane; /**< what tells tensors apart that have one place: channels, floats of a
                               plane; 0: not a tensor of channels */
    bool is_write;
    bool is_vector;
    int vector; /**< of nas_gpu_hazards_find, for nas_gpu_hazards_note: which vector it is; 0 before */
} nas_gpu_access_t;

/** Opaque. */
typedef struct nas_gpu_hazards nas_gpu_hazards_t;

/** NULL: no memory. The caller destroys it. */
nas_gpu_hazards_t *nas_gpu_hazards_create(void);
/** Accepts NULL. */
void nas_gpu_hazards_destroy(nas_gpu_hazards_t *hazards);

/** Nothing was read or written so far, of a program with this many vectors' elements.
 *  Returns whether there is memory. */
bool nas_gpu_hazards_begin(nas_gpu_hazards_t *hazards, size_t n_vectors);

/** Steps that an operation's n accesses wait for.
 *  wait [out]: appended to, of NAS_GPU_MOST_WAITS, *n_waits so far. What does not fit is lost;
 *  nas_gpu_hazards_failed says so. One may be there several times. */
void nas_gpu_hazards_find(nas_gpu_hazards_t *hazards, nas_gpu_access_t *access, int n, int *wait,
                          int *n_waits);

/** The step makes these accesses. */
void nas_gpu_hazards_note(nas_gpu_hazards_t *hazards, const nas_gpu_access_t *access, int n,
                          int step);

enum { NAS_GPU_MOST_WAITS = 4096 };

/** Whether memory was out, or waits did not fit, since it began. */
bool nas_gpu_hazards_failed(const nas_gpu_hazards_t *hazards);

#endif
