/* Items of a reference's file, within limits. */
#include "worker/verify/reference_internal.h"

/* The largest networks of the benchmark take 2 MiB. */
enum { MOST_BYTES = 1 << 30, CPU_S = 60, WALL_S = 300 };

nas_status_t nas_reference_items(const char *path, const nas_untrusted_item_t *item, size_t n,
                                 nas_untrusted_array_t *array, nas_error_t *err)
{
    const nas_untrusted_request_t request = {.path = path,
                                             .item = item,
                                             .n = n,
                                             .max_bytes = MOST_BYTES,
                                             .cpu_s = CPU_S,
                                             .wall_s = WALL_S};
    return nas_untrusted_hdf5_read(&request, array, err);
}

size_t nas_reference_n_pixels(const nas_reference_t *reference)
{
    const nas_network_t *net = &reference->graph->network;
    return (size_t)reference->batch * (size_t)net->image_channels * (size_t)net->height *
           (size_t)net->width;
}

const char *nas_reference_name(const nas_reference_t *reference)
{
    return reference->model ? reference->model : reference->arch.name;
}

const char *nas_reference_parameter_name(const nas_reference_t *reference, int parameter)
{
    if (reference->initialiser) return reference->initialiser[parameter];
    return reference->graph->parameter[parameter].name;
}

bool nas_reference_has_values(const nas_reference_t *reference)
{
    return reference->input.n > 0;
}
