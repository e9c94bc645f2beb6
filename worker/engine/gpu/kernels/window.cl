/* Convolutions of any window and any number of groups, and their adjoints: direct, out of the caches.
 *
 * A work-item of `window` has PIXELS pixels, a group's work-items apart, of OUTPUTS channels of what
 * is written, whose sums stay in registers. It takes a tap at a time, and of each all channels that
 * are read: where a tap reads is worked out once for all of them, and neighbouring work-items read
 * neighbouring pixels. The adjoint by the data is the same with inputs and outputs swapped, and reads
 * a pixel only where a stride falls on it.
 *
 * A work-item of `window_weights` has one weight of OUTPUTS outputs, over the images of a part, row
 * by row: float32 along a row, float64 over rows. parts.cl adds the parts.
 *
 * No local memory and no barriers. A sum is added up in an order of its own shape's; a depthwise
 * convolution, of one output a group, is built with OUTPUTS 1, so that no products with zeros are
 * computed.
 *
 * Definitions:
 *   OUTPUTS   1 or 8
 */
#define LANES NAS_GPU_WINDOW_LANES
#define PIXELS NAS_GPU_WINDOW_PIXELS(OUTPUTS)

/* What of a row or column is read at `at` for a tap; beyond what there is: -1 or more than that. */
DEVICE int source_of(int at, int tap, int stride, int dilation, int before, int adjoint)
{
    const int place = adjoint ? at + before - tap * dilation : at * stride - before + tap * dilation;
    if (!adjoint || stride == 1) return place;
    return place >= 0 && place % stride == 0 ? place / stride : -1;
}

/* ---------------------------------------------------------------------------- forward, by the data */

/* A block of channels that are written: those of one group. */
typedef struct block {
    int group, first, n; /* first: in the group */
    int n_read;          /* channels of the group that are read */
    i64 weights;         /* of the first one that is read */
    i64 w_write, w_read; /* from channel to channel */
} block_t;

DEVICE block_t find_block(const GLOBAL nas_gpu_window_t *k, int number)
{
    const int taps = k->k_h * k->k_w, fan_in = k->c_in * taps;
    const int n_written = k->adjoint ? k->c_in : k->c_out;
    const int blocks = NAS_GPU_WINDOW_BLOCKS(n_written, OUTPUTS);
    block_t block;
    block.group = number / blocks;
    block.first = number % blocks * OUTPUTS;
    block.n = n_written - block.first < OUTPUTS ? n_written - block.first : OUTPUTS;
    block.n_read = k->adjoint ? k->c_out : k->c_in;
    block.w_write = k->adjoint ? taps : fan_in;
    block.w_read = k->adjoint ? fan_in : taps;
    block.weights = k->w + (i64)block.group * k->c_out * fan_in + block.first * block.w_write;
    return block;
}

/* Products of one tap. at: where the first channel has the pixel; -1: nowhere. */
DEVICE void add_tap(float sum[OUTPUTS][PIXELS], const GLOBAL float *x, const i64 at[PIXELS],
                    i64 plane, const GLOBAL float *w, const block_t *block)
{
    for (int c = 0; c < block->n_read; c++) {
        float f[OUTPUTS];
        UNROLL for (int o = 0; o < OUTPUTS; o++)
            f[o] = o < block->n ? w[c * block->w_read + o * block->w_write] : 0;
        UNROLL for (int p = 0; p < PIXELS; p++) {
            const float v = at[p] < 0 ? 0 : x[at[p] + c * plane];
            UNROLL for (int o = 0; o < OUTPUTS; o++) sum[o][p] = MAD(f[o], v, sum[o][p]);
        }
    }
}

NAS_KERNEL(window, LANES)
{
    const GLOBAL nas_gpu_window_t *k = NAS_WORK(nas_gpu_window_t);
    const int n_pixels = k->h_out * k->w_out, tiles = NAS_GPU_WINDOW_TILES(k->n, n_pixels, OUTPUTS);
    const int tile = GROUP_X % tiles;
    const block_t block = find_block(k, GROUP_X / tiles);
    const i64 plane = NAS_GPU_PITCH(k->h_in, k->w_in), n_all = (i64)k->n * n_pixels;
    const GLOBAL float *x = arena + k->x.at;
    i64 image[PIXELS], from[PIXELS];
    int pixel[PIXELS];
    float sum[OUTPUTS][PIXELS];
    if (block.group >= k->groups) return; /* of a launch with a work of more */
    UNROLL for (int p = 0; p < PIXELS; p++) {
        const i64 i = ((i64)tile * PIXELS + p) * LANES + LANE;
        image[p] = i < n_all ? i / n_pixels : -1;
        pixel[p] = (int)(i % n_pixels);
        UNROLL for (int o = 0; o < OUTPUTS; o++) sum[o][p] = 0;
    }
    const int first_read = k->x.c_first + block.group * block.n_read;
    for (int r = 0; r < k->k_h; r++)
        for (int t = 0; t < k->k_w; t++) {
            UNROLL for (int p = 0; p < PIXELS; p++) {
                const int y = source_of(pixel[p] / k->w_out, r, k->stride_h, k->dilation_h, k->top,
                                        k->adjoint);
                const int z = source_of(pixel[p] % k->w_out, t, k->stride_w, k->dilation_w, k->left,
                                        k->adjoint);
                const int is_there =
                    image[p] >= 0 && y >= 0 && y < k->h_in && z >= 0 && z < k->w_in;
                from[p] = is_there ? (image[p] * k->x.c_total + first_read) * plane + y * k->w_in + z
                                 : -1;
            }
            add_tap(sum, x, from, plane, arena + block.weights + (r * k->k_w + t), &block);
        }
    const int n_written = k->adjoint ? k->c_in : k->c_out;
    const int first = k->y.c_first + block.group * n_written + block.first;
    const i64 pitch = k->image ? n_pixels : NAS_GPU_PITCH(k->h_out, k->w_out);
    UNROLL for (int p = 0; p < PIXELS; p++) {
        if (image[p] < 0) continue;
        const i64 to = k->y.at + (image[p] * k->y.c_total + first) * pitch + pixel[p];
        UNROLL for (int o = 0; o < OUTPUTS; o++) {
            if (o >= block.n) continue;
            if (k->image)
                vectors[to + o * pitch] = (double)sum[o][p];
            else
                arena[to + o * pitch] = sum[o][p];
        }
    }
}

/* ------------------------------------------------------------------------------------ by the weights */

/* Along a row of dy: sum[o] += that of output o with x, whose row is `x_row`. */
DEVICE void add_row(float sum[OUTPUTS], const GLOBAL nas_gpu_window_t *k, const GLOBAL float *x_row,
                    const GLOBAL float *dy_row, int dy_plane, int n, int tap)
{
    for (int w = 0; w < k->w_out; w++) {
        const int z = w * k->stride_w - k->left + tap * k->dilation_w;
        const float v = z >= 0 && z < k->w_in ? x_row[z] : 0;
        const GLOBAL float *dy = dy_row + w; /* one place in a register, not one an output */
        UNROLL for (int o = 0; o < OUTPUTS; o++, dy += dy_plane)
            if (o < n) sum[o] = MAD(v, *dy, sum[o]);
    }
}

NAS_KERNEL(window_weights, LANES)
{
    const GLOBAL nas_gpu_window_t *k = NAS_WORK(nas_gpu_window_t);
    const int taps = k->k_h * k->k_w, fan_in = k->c_in * taps;
    const int blocks = NAS_GPU_WINDOW_BLOCKS(k->c_out, OUTPUTS);
    const i64 items = (i64)k->groups * blocks * fan_in;
    const int chunks = (int)((items + LANES - 1) / LANES);
    const int split = GROUP_X / chunks;
    const i64 item = (i64)(GROUP_X % chunks) * LANES + LANE;
    if (split >= k->splits || item >= items) return;
    const int number = (int)(item / fan_in), weight = (int)(item % fan_in);
    const int group = number / blocks, first = number % blocks * OUTPUTS;
    const int n = k->c_out - first < OUTPUTS ? k->c_out - first : OUTPUTS;
    const int row_tap = weight % taps / k->k_w, tap = weight % taps % k->k_w;
    const int x_plane = NAS_GPU_PITCH(k->h_in, k->w_in);
    const int dy_plane = NAS_GPU_PITCH(k->h_out, k->w_out);
    const int x_channel = k->x.c_first + group * k->c_in + weight / taps;
    const int dy_channel = k->y.c_first + group * k->c_out + first;
    const int end = (int)((i64)k->n * (split + 1) / k->splits);
    double total[OUTPUTS];
    UNROLL for (int o = 0; o < OUTPUTS; o++) total[o] = 0;
    for (int i = (int)((i64)k->n * split / k->splits); i < end; i++) {
        const GLOBAL float *x = arena + k->x.at + ((i64)i * k->x.c_total + x_channel) * x_plane;
        const GLOBAL float *dy = arena + k->y.at + ((i64)i * k->y.c_total + dy_channel) * dy_plane;
        for (int h = 0; h < k->h_out; h++) {
            const int y = h * k->stride_h - k->top + row_tap * k->dilation_h;
            float sum[OUTPUTS];
            if (y < 0 || y >= k->h_in) continue;
            UNROLL for (int o = 0; o < OUTPUTS; o++) sum[o] = 0;
            add_row(sum, k, x + (i64)y * k->w_in, dy + (i64)h * k->w_out, dy_plane, n, tap);
            UNROLL for (int o = 0; o < OUTPUTS; o++) total[o] += (double)sum[o];
        }
    }
    GLOBAL float *part = arena + k->parts + (i64)split * k->groups * k->c_out * fan_in +
                         ((i64)group * k->c_out + first) * fan_in + weight;
    UNROLL for (int o = 0; o < OUTPUTS; o++)
        if (o < n) part[(i64)o * fan_in] = (float)total[o];
}
