/* A sum over all work-items of a group, by a tree of fixed shape. */
#ifndef NAS_WORKER_ENGINE_GPU_KERNELS_TREE_H
#define NAS_WORKER_ENGINE_GPU_KERNELS_TREE_H

/** The sum of all, in every work-item; what the tree held before is free to be written.
 *  lanes: a constant, a power of two; tree: as many. */
DEVICE double nas_gpu_tree_sum(LOCAL_POINTER double *tree, int lanes, int lane, double value)
{
    tree[lane] = value;
    for (int step = lanes / 2; step > 0; step /= 2) {
        BARRIER();
        if (lane < step) tree[lane] += tree[lane + step];
    }
    BARRIER();
    const double sum = tree[0];
    BARRIER();
    return sum;
}

#endif
