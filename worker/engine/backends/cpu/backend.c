#include "worker/engine/backends/backend.h"

#include "worker/engine/backends/cpu/conv.h"
#include "worker/engine/backends/cpu/kernels.h"

#define DECLARE_KERNELS(isa)                                                                       \
    extern const nas_layout_kernel_t nas_layout_kernel_##isa;                                      \
    extern const nas_combine_kernel_t nas_combine_kernel_##isa;                                    \
    extern const nas_reduce_kernel_t nas_reduce_kernel_##isa;                                      \
    extern const nas_conv_kernel_t nas_conv_kernel_##isa;                                          \
    extern const nas_depthwise_kernel_t nas_depthwise_kernel_##isa;                                \
    extern const nas_image_kernel_t nas_image_kernel_##isa;                                        \
    extern const nas_winograd_kernel_t nas_winograd_kernel_##isa;                                  \
    extern const nas_pool_kernel_t nas_pool_kernel_##isa;                                          \
    extern const nas_copy_kernel_t nas_copy_kernel_##isa;                                          \
    static const nas_cpu_kernels_t kernels_##isa = {                                               \
        &nas_layout_kernel_##isa,   &nas_combine_kernel_##isa,   &nas_reduce_kernel_##isa,         \
        &nas_conv_kernel_##isa,     &nas_depthwise_kernel_##isa, &nas_image_kernel_##isa,          \
        &nas_winograd_kernel_##isa, &nas_pool_kernel_##isa,      &nas_copy_kernel_##isa}

DECLARE_KERNELS(plain);
#ifdef NAS_WITH_AVX2
DECLARE_KERNELS(avx2);
#endif
#ifdef NAS_WITH_AVX512
DECLARE_KERNELS(avx512);
#endif

static const nas_cpu_kernels_t *kernels_of(nas_isa_t isa)
{
#ifdef NAS_WITH_AVX512
    if (isa == NAS_ISA_AVX512) return &kernels_avx512;
#endif
#ifdef NAS_WITH_AVX2
    if (isa == NAS_ISA_AVX2) return &kernels_avx2;
#endif
    (void)isa;
    return &kernels_plain;
}

static nas_backend_t table_of(const nas_cpu_kernels_t *kernels)
{
    nas_backend_t table = {
        .name = "cpu",
        .element_bytes = sizeof(float),
        .channel_block = kernels->layout->lanes,
        .tensor_bytes = kernels->layout->tensor_bytes,
        .load_images = kernels->layout->load_images,
        .image_bytes = kernels->layout->image_bytes,
        .load = kernels->layout->load,
        .store = kernels->layout->store,
        .pool_forward = kernels->pool->forward,
        .pool_backward = kernels->pool->backward,
        .pool_tangent = kernels->pool->tangent,
        .copy = kernels->copy->copy,
        .flatten = kernels->copy->flatten,
        .unflatten = kernels->copy->unflatten,
        .moments = kernels->reduce->moments,
        .combine = kernels->combine->combine,
        .image_dots = kernels->reduce->image_dots,
        .max_abs = kernels->reduce->max_abs,
        .signs = kernels->reduce->signs,
        .sign_words = kernels->reduce->sign_words,
        .weight_dots = kernels->reduce->weight_dots,
    };
    nas_cpu_conv_fill(&table);
    return table;
}

/* Built at the first call, and the same from then on. */
const nas_backend_t *nas_backend_cpu(nas_isa_t isa)
{
    static nas_backend_t table;
    if (table.name != NULL) return &table;
    NAS_ASSERT(nas_isa_available(isa));
    nas_cpu_conv_setup(isa, kernels_of(isa));
    table = table_of(kernels_of(isa));
    return &table;
}
