/* The kernels' sources, which are a part of the program. */
#ifndef NAS_WORKER_ENGINE_GPU_KERNELS_SOURCES_H
#define NAS_WORKER_ENGINE_GPU_KERNELS_SOURCES_H

/** The text of kernels/NAME.cl behind prelude.h, work.h and math.h; NULL: there is none. */
const char *nas_gpu_source(const char *name);

/** The names of all; NULL: there are no more. */
const char *nas_gpu_source_name(int place);

#endif
