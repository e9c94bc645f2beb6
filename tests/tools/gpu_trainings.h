/* Trainings of cells of nb201 at the size of the public tables, as members of one learner on a GPU
 * that computes nothing: for counting launches, and the device's memory. */
#ifndef NAS_TESTS_TOOLS_GPU_TRAININGS_H
#define NAS_TESTS_TOOLS_GPU_TRAININGS_H

#include <stdbool.h>

enum { NAS_GPU_TRAININGS_MOST = 32 };

/** What a step of all took, a mean network. */
typedef struct nas_gpu_trainings_took {
    double launches;
    double device_bytes; /**< without images */
    double plan_s;       /**< user and system, of creating the learner */
} nas_gpu_trainings_took_t;

/** A step of n random unique cells: 256 images of 32 x 32, 16 channels, 5 cells a stage.  Returns
 *  whether it could. */
bool nas_gpu_trainings_step(int n, nas_gpu_trainings_took_t *took);

#endif
