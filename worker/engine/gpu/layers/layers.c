#include "worker/engine/gpu/layers/layer.h"

#include <string.h>

static const nas_gpu_layer_t *const layers[] = {
    &nas_gpu_layer_cuda,
    &nas_gpu_layer_hip,
    &nas_gpu_layer_opencl,
#ifdef ROBOTNAS_TESTS
    &nas_gpu_layer_threads,
#endif
};

enum { N_LAYERS = (int)(sizeof layers / sizeof layers[0]) };

const nas_gpu_layer_t *nas_gpu_layer_at(int place)
{
    return place >= 0 && place < N_LAYERS ? layers[place] : NULL;
}

const nas_gpu_layer_t *nas_gpu_layer_named(const char *name)
{
    for (int i = 0; i < N_LAYERS; i++) {
        if (strcmp(layers[i]->name, name) == 0) return layers[i];
    }
    return NULL;
}
