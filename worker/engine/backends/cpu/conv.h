/* Convolutions of the cpu backend: a cache of them, their packed weights, and their passes, by
 * oneDNN or, where it has none, by own kernels. The functions are those of the backend's table. */
#ifndef NAS_WORKER_ENGINE_BACKENDS_CPU_CONV_H
#define NAS_WORKER_ENGINE_BACKENDS_CPU_CONV_H

#include "worker/engine/backends/backend.h"
#include "worker/engine/backends/cpu/kernels.h"

/** The kernels of all convolutions from now on. Once a process.  Not collective. */
void nas_cpu_conv_setup(nas_isa_t isa, const nas_cpu_kernels_t *kernels);

/** Set the convolutions' entries of a backend's table.  Not collective. */
void nas_cpu_conv_fill(nas_backend_t *backend);

#endif
