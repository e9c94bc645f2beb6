#include "worker/engine/gpu/plan/variants.h"

#include "worker/engine/gpu/plan/window.h"

#include <stdlib.h>

/* Slots of the table of convolutions to begin with, a power of two. */
enum { FEWEST_SLOTS = 256 };

typedef struct entry {
    nas_gpu_variant_t variant;
    const nas_gpu_kernel_t *kernel; /* NULL: not asked for yet */
} entry_t;

struct nas_gpu_variants {
    entry_t *entry;
    int n, room;
    nas_gpu_conv_kernel_t *conv; /* in the order they came */
    int n_convs, conv_room;
    int *slot; /* [n_slots] of `conv`, plus 1; 0: free */
    int n_slots;
};

/* ------------------------------------------------------------------------------------- variants */

static int add_variant(nas_gpu_variants_t *variants, const nas_gpu_variant_t *variant)
{
    if (variants->n == variants->room) {
        const int room = variants->room ? 2 * variants->room : 64;
        entry_t *entry = realloc(variants->entry, (size_t)room * sizeof *entry);
        if (!entry) return -1;
        variants->entry = entry;
        variants->room = room;
    }
    variants->entry[variants->n] = (entry_t){.variant = *variant};
    return variants->n++;
}

static int find_variant(nas_gpu_variants_t *variants, const nas_gpu_variant_t *variant)
{
    for (int i = NAS_GPU_PLAIN_COUNT; i < variants->n; i++)
        if (nas_gpu_variant_is(&variants->entry[i].variant, variant)) return i;
    return add_variant(variants, variant);
}

static nas_status_t add_plain(nas_gpu_variants_t *variants)
{
    static const struct {
        const char *source, *kernel;
    } plain[NAS_GPU_PLAIN_COUNT] = {
        [NAS_GPU_PLAIN_CLEAR] = {"begin", "clear"},
        [NAS_GPU_PLAIN_INIT] = {"begin", "init"},
        [NAS_GPU_PLAIN_PACK] = {"begin", "pack"},
        [NAS_GPU_PLAIN_UNPACK] = {"begin", "unpack"},
        [NAS_GPU_PLAIN_LOAD] = {"begin", "load"},
        [NAS_GPU_PLAIN_COMBINE] = {"combine", "combine"},
        [NAS_GPU_PLAIN_IMAGE_DOTS] = {"sums", "image_dots"},
        [NAS_GPU_PLAIN_MOMENTS] = {"sums", "moments"},
        [NAS_GPU_PLAIN_WEIGHT_DOTS] = {"sums", "weight_dots"},
        [NAS_GPU_PLAIN_WEIGHT_PARTS] = {"parts", "weight_parts"},
        [NAS_GPU_PLAIN_AGREEMENT] = {"signs", "agreement"},
        [NAS_GPU_PLAIN_STANDARDISE] = {"jacobian", "standardise"},
        [NAS_GPU_PLAIN_CORRELATE] = {"jacobian", "correlate"},
        [NAS_GPU_PLAIN_SCALARS] = {"scalars", "scalars"},
        [NAS_GPU_PLAIN_AUGMENT] = {"train", "augment"},
        [NAS_GPU_PLAIN_GATHER] = {"train", "gather"},
        [NAS_GPU_PLAIN_SETTLE] = {"train", "settle"},
        [NAS_GPU_PLAIN_DESCEND] = {"train", "descend"},
        [NAS_GPU_PLAIN_POOL] = {"links", "pool"},
        [NAS_GPU_PLAIN_POOL_ADJOINT] = {"links", "pool_adjoint"},
        [NAS_GPU_PLAIN_COPY] = {"links", "copy"},
        [NAS_GPU_PLAIN_FLATTEN] = {"links", "flatten"},
    };
    for (int i = 0; i < NAS_GPU_PLAIN_COUNT; i++) {
        const nas_gpu_variant_t variant = nas_gpu_plain_variant(plain[i].source, plain[i].kernel);
        if (add_variant(variants, &variant) < 0) return NAS_ENOMEM;
    }
    return NAS_OK;
}

/* --------------------------------------------------------------------------------- convolutions */

static bool is_same(const nas_gpu_conv_kernel_t *conv, const nas_conv_shape_t *b,
                    nas_gpu_pass_t pass)
{
    return conv->pass == pass && nas_conv_is_same(&conv->shape, b);
}

static size_t hash(const nas_conv_shape_t *shape, nas_gpu_pass_t pass)
{
    const nas_window_t window = nas_conv_window(shape);
    const int field[] = {shape->n,    shape->c_in,     shape->c_out,           shape->h_in,
                         shape->w_in, shape->image,    nas_conv_groups(shape), window.k_h,
                         window.k_w,  window.stride_h, window.dilation_h,      (int)pass};
    size_t state = 0;
    for (size_t i = 0; i < sizeof field / sizeof *field; i++)
        state = (state ^ (size_t)field[i]) * 0x9e3779b97f4a7c15u;
    return state >> 32;
}

/* Where it is in the table, or would be. */
static int *slot_of(const nas_gpu_variants_t *variants, const nas_conv_shape_t *shape,
                    nas_gpu_pass_t pass)
{
    const size_t mask = (size_t)variants->n_slots - 1;
    size_t at = hash(shape, pass) & mask;
    while (variants->slot[at] && !is_same(&variants->conv[variants->slot[at] - 1], shape, pass))
        at = (at + 1) & mask;
    return &variants->slot[at];
}

/* Room for one more, with half of the slots free. */
static nas_status_t grow_convs(nas_gpu_variants_t *variants)
{
    if (variants->n_convs < variants->conv_room) return NAS_OK;
    const int n_slots = variants->n_slots ? 2 * variants->n_slots : FEWEST_SLOTS;
    nas_gpu_conv_kernel_t *conv =
        realloc(variants->conv, (size_t)n_slots / 2 * sizeof *variants->conv);
    if (!conv) return NAS_ENOMEM;
    variants->conv = conv;
    int *slot = calloc((size_t)n_slots, sizeof *slot);
    if (!slot) return NAS_ENOMEM;
    free(variants->slot);
    variants->slot = slot;
    variants->n_slots = n_slots;
    variants->conv_room = n_slots / 2;
    for (int i = 0; i < variants->n_convs; i++)
        *slot_of(variants, &conv[i].shape, conv[i].pass) = i + 1;
    return NAS_OK;
}

static int groups_of(const nas_gpu_variant_t *variant, const nas_conv_shape_t *shape,
                     nas_gpu_pass_t pass)
{
    if (!shape->k) return nas_gpu_window_groups(shape, pass);
    return pass == NAS_GPU_BACKWARD_WEIGHTS ? nas_gpu_weight_splits(variant, shape->n)
                                            : nas_gpu_conv_tiles(variant, shape->n);
}

const nas_gpu_conv_kernel_t *nas_gpu_variants_conv(nas_gpu_variants_t *variants,
                                                   const nas_conv_shape_t *shape,
                                                   nas_gpu_pass_t pass)
{
    int *slot = slot_of(variants, shape, pass);
    if (*slot) return &variants->conv[*slot - 1];
    const nas_gpu_variant_t variant = nas_gpu_conv_variant(shape, pass);
    const int number = find_variant(variants, &variant);
    if (number < 0 || grow_convs(variants)) return NULL;
    nas_gpu_conv_kernel_t *conv = &variants->conv[variants->n_convs++];
    *conv = (nas_gpu_conv_kernel_t){.shape = *shape,
                                    .pass = pass,
                                    .variant = number,
                                    .groups_x = groups_of(&variant, shape, pass),
                                    .block_o = variant.block_o,
                                    .block_i = variant.block_i,
                                    .tile_images = variant.tile_images,
                                    .tile_rows = variant.tile_rows};
    *slot_of(variants, shape, pass) = variants->n_convs;
    return conv;
}

/* ------------------------------------------------------------------------------------------ all */

nas_gpu_variants_t *nas_gpu_variants_create(void)
{
    nas_gpu_variants_t *variants = calloc(1, sizeof *variants);
    if (!variants) return NULL;
    if (!add_plain(variants) && !grow_convs(variants)) return variants;
    nas_gpu_variants_destroy(variants);
    return NULL;
}

int nas_gpu_variants_count(const nas_gpu_variants_t *variants)
{
    return variants->n;
}

const nas_gpu_variant_t *nas_gpu_variants_at(const nas_gpu_variants_t *variants, int number)
{
    return &variants->entry[number].variant;
}

nas_status_t nas_gpu_variants_kernel(nas_gpu_variants_t *variants, nas_gpu_t *gpu, int number,
                                     const nas_gpu_kernel_t **kernel_p, nas_error_t *err)
{
    entry_t *entry = &variants->entry[number];
    const nas_status_t status =
        entry->kernel ? NAS_OK : nas_gpu_variant_kernel(gpu, &entry->variant, &entry->kernel, err);
    *kernel_p = entry->kernel;
    return status;
}

void nas_gpu_variants_destroy(nas_gpu_variants_t *variants)
{
    if (!variants) return;
    free(variants->entry);
    free(variants->conv);
    free(variants->slot);
    free(variants);
}
