/* agreement: how many signs of two images differ, for every two.
 *
 * A group has a slice of NAS_GPU_SIGNS of an image's floats and two blocks of images, or twice the
 * same. It reads the slice of all images of both, packs whether its floats are > 0 into bits, and
 * counts the bits that differ. Which bit is whose does not matter, as long as it is the same for all
 * images: a work-item packs 8 quads that are 32 quads apart, so that a load of 32 work-items is one
 * piece of memory. Padding has the bit 0.
 *
 * Counts are whole numbers: in which order groups add them does not matter.
 */
#define SIGNS_LANES 256
#define SIGNS_BLOCK NAS_GPU_SIGN_IMAGES
#define SIGNS_WORDS (NAS_GPU_SIGNS / 32)
#define SIGNS_PITCH (SIGNS_WORDS + 1) /* words of an image: odd, for the banks of local memory */

/* One word of an image: quads first, first + SIGNS_WORDS, ... of n_quads. */
DEVICE u32 signs_word(const GLOBAL float *x, int first, int n_quads, int plane_quads, int n_pixels)
{
    u32 word = 0;
    UNROLL for (int i = 0; i < 8; i++) {
        const int quad = first + i * SIGNS_WORDS;
        float a[4];
        UNROLL for (int j = 0; j < 4; j++) a[j] = 0;
        if (quad < n_quads) LOAD4(a, x + 4 * (i64)quad);
        int n_left = 4;
        if (n_pixels % 4 != 0) n_left = n_pixels - 4 * (quad % plane_quads);
        UNROLL for (int j = 0; j < 4; j++) word |= (u32)(j < n_left && a[j] > 0) << (4 * i + j);
    }
    return word;
}

/* The words of a block of images, from image `first` on. */
DEVICE void signs_pack(LOCAL_POINTER u32 *words, const GLOBAL nas_gpu_agreement_t *k,
                       const GLOBAL float *arena, int slice, int first)
{
    const int pitch = NAS_GPU_PITCH(k->h, k->w), word = LANE % SIGNS_WORDS;
    const int begin = slice * (NAS_GPU_SIGNS / 4) + word, n_quads = k->c * (pitch / 4);
    const GLOBAL float *x = arena + k->relu.at + (i64)k->relu.c_first * pitch;
    for (int row = 0; row < SIGNS_BLOCK; row += SIGNS_LANES / SIGNS_WORDS) {
        const int i = row + LANE / SIGNS_WORDS;
        if (first + i < k->n)
            words[i * SIGNS_PITCH + word] =
                signs_word(x + (i64)(first + i) * k->relu.c_total * pitch, begin, n_quads,
                           pitch / 4, k->h * k->w);
    }
}

/* Images of one block against those of another, or of the same: each two once. */
DEVICE void signs_count(GLOBAL double *vectors, const GLOBAL nas_gpu_agreement_t *k,
                        const LOCAL_POINTER u32 *a, int a_first, const LOCAL_POINTER u32 *b,
                        int b_first)
{
    GLOBAL u32 *counts = (GLOBAL u32 *)(vectors + k->counts);
    const int j = LANE % SIGNS_BLOCK, b_image = b_first + j;
    for (int row = 0; row < SIGNS_BLOCK; row += SIGNS_LANES / SIGNS_BLOCK) {
        const int i = row + LANE / SIGNS_BLOCK, a_image = a_first + i;
        if (a_image < k->n && b_image < a_image) {
            int n = 0;
            for (int w = 0; w < SIGNS_WORDS; w++)
                n += POPCOUNT(a[i * SIGNS_PITCH + w] ^ b[j * SIGNS_PITCH + w]);
            ATOMIC_ADD(counts + (i64)a_image * k->n + b_image, n * k->times);
        }
    }
}

NAS_KERNEL(agreement, SIGNS_LANES)
{
    LOCAL(u32, a, SIGNS_BLOCK *SIGNS_PITCH);
    LOCAL(u32, b, SIGNS_BLOCK *SIGNS_PITCH);
    const GLOBAL nas_gpu_agreement_t *k = NAS_WORK(nas_gpu_agreement_t);
    const int slices = NAS_GPU_SIGN_SLICES(k->c, k->h, k->w);
    const int pair = GROUP_X / slices, slice = GROUP_X - pair * slices;
    if (pair >= NAS_GPU_SIGN_PAIRS(k->n)) return;
    int a_block = 0; /* pair (i, j) with j <= i is number i (i + 1) / 2 + j */
    while ((a_block + 1) * (a_block + 2) / 2 <= pair) a_block++;
    const int b_block = pair - a_block * (a_block + 1) / 2;
    signs_pack(a, k, arena, slice, a_block * SIGNS_BLOCK);
    if (b_block != a_block) signs_pack(b, k, arena, slice, b_block * SIGNS_BLOCK);
    BARRIER();
    signs_count(vectors, k, a, a_block * SIGNS_BLOCK, b_block == a_block ? a : b,
                b_block * SIGNS_BLOCK);
}
