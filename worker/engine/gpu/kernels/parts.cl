/* A convolution's gradient out of its parts (weights.cl), added in their order in float64. */
#define LANES 256

NAS_KERNEL(weight_parts, LANES)
{
    const GLOBAL nas_gpu_weight_parts_t *work = NAS_WORK(nas_gpu_weight_parts_t);
    const i64 i = (i64)GROUP_X * LANES + LANE;
    if (i >= work->n) return;
    const GLOBAL float *part = arena + work->parts + i;
    double sum = 0;
    for (int s = 0; s < work->splits; s++) sum += (double)part[s * work->n];
    arena[work->gradient + i] = (float)sum;
}
