/* Convolutions, and their adjoints by the data: direct, one group a tile of pixels and a block of
 * channels.
 *
 * A work-item has 8 pixels of a tile times OL channels of what is written, whose sums stay in
 * registers. Of what is read, CC channels at a time lie in local memory with a frame of zeros, and
 * with them their weights, tap by tap, the block's channels side by side: a work-item reads 10
 * pixels and 24 weights for 192 products. Rows begin an odd number of floats apart, images and
 * channels of weights so that neighbouring work-items find different banks.
 *
 * The adjoint at stride 1 is the convolution with mirrored weights and inputs and outputs swapped.
 * That at stride 2 gives a work-item 2 x 4 pixels, which need four of the nine taps or fewer each:
 * all work-items do the same. With stride 2 forward, odd and even rows and columns lie apart in
 * local memory, so that what a work-item reads is side by side there too.
 *
 * A sum is added up channel by channel, tap by tap: it depends on no definition but K, STRIDE and
 * ADJOINT. The moments of a tile depend on TI and TR too.
 *
 * Definitions:
 *   K, STRIDE, ADJOINT  1 or 3; 1 or 2; 0 or 1
 *   H W, H_IN W_IN      pixels of what is written, of what is read
 *   TI, TR              images and rows of a tile; TI is 1 unless TR is H
 *   CO, OL              channels of a block and of a work-item: a multiple of OL; 4 or 8
 *   CC                  channels in local memory
 *   IMAGE_ADJOINT       what is written is float64 [N, C, H, W] among the vectors
 */
#define PAD (K / 2)
#define TAPS (K * K)
#define SPREAD (ADJOINT && STRIDE == 2) /* what is read has fewer pixels than what is written */
#define PARITIES (!ADJOINT && STRIDE == 2 && K > 1 ? 2 : 1)

#define ROW_TILES ((H + TR - 1) / TR)

/* Pixels of a work-item. */
#define PY (SPREAD ? 2 : 1)
#define PX (SPREAD ? 4 : 8)
#define SEGS ((W + PX - 1) / PX)
#define ITEM_ROWS ((TR + PY - 1) / PY)
#define PIXEL_LANES (TI * ITEM_ROWS * SEGS)
#define LANES ((CO / OL * PIXEL_LANES + 31) / 32 * 32)
/* Where a row has 2 work-items, 8 rows and then other channels: 16 rows would share banks. */
#define LOW (SEGS == 2 && TI * ITEM_ROWS % 8 == 0 ? 16 : PIXEL_LANES)

/* What is read, in local memory: rows and columns that are PARITIES apart. */
#define FRAME (SPREAD ? 0 : PAD)
#define READ_ROWS (PARITIES > 1 ? TR + 1 : SPREAD ? ITEM_ROWS + PAD : TR + 2 * PAD)
#define READ_COLUMNS                                                                               \
    (PARITIES > 1 ? SEGS * PX + 1 : SPREAD ? SEGS * 2 + PAD : SEGS * PX + 2 * PAD)
#define ROW (READ_COLUMNS | 1)
#define PARITY_PLANE (READ_ROWS * ROW)
#define PLANE (PARITIES * PARITIES * PARITY_PLANE)
#define IMAGE ((CC * PLANE + 23) / 32 * 32 + 8)
#define WEIGHTS (CO / 8 * 8 + 4) /* floats from tap to tap: 4 more than a multiple of 8 */

/* Pixels of what is read, from row to row and column to column in local memory. */
#define STEP (SPREAD ? 1 : STRIDE)
#define BY_FOUR (PARITIES == 1 && STEP == 1 && W_IN % 4 == 0)

#define LARGER(a, b) ((a) > (b) ? (a) : (b))

/* i: this work-item's of 0 to n - 1, in as many turns for all. */
#define EACH(i, n)                                                                                 \
    for (int i = LANE, turn_##i = 0; turn_##i < (n); turn_##i += LANES, i += LANES)                \
        if (i < (n))

/* Lanes of one channel's sums behind the tile: as many at any block. */
#define TREE 4

/* What one group works on. */
typedef struct tile {
    int row;   /* first row of what is written */
    int n_row; /* rows that there are */
    int image; /* first image */
    int n;     /* images that there are */
    int c_out; /* channels that there are */
} tile_t;

/* Where a work-item's pixels and channels are. */
typedef struct item {
    int seg, row, image; /* in the tile, in pieces of PX, in pieces of PY, in images */
    int first;           /* channel of the block */
    int pixels;          /* number of the pixels among the tile's */
    int works;           /* whether it has any */
} item_t;

DEVICE item_t find_item(int lane)
{
    const int high = lane / (LOW * (CO / OL));
    item_t item;
    item.works = high < PIXEL_LANES / LOW;
    item.pixels = (item.works ? high : 0) * LOW + lane % LOW;
    item.first = lane / LOW % (CO / OL) * OL;
    item.seg = item.pixels % SEGS;
    item.row = item.pixels / SEGS % ITEM_ROWS;
    item.image = item.pixels / (SEGS * ITEM_ROWS);
    return item;
}

#if BY_FOUR
#define QUADS (W_IN / 4)
/* Turns of reading at a time: as many as 128 registers hold beside the sums. */
#if SPREAD
#define TOGETHER 1
#else
#define TOGETHER 3
#endif

/* Columns left and right of the pixels stay 0. */
DEVICE void clear_frame(LOCAL_POINTER float *to)
{
    const int n = ROW - W_IN;
    EACH(i, TI * CC * READ_ROWS * n) {
        const int row = i / n, column = i % n;
        const int image = row / (CC * READ_ROWS);
        to[image * IMAGE + row % (CC * READ_ROWS) * ROW + (column < FRAME ? column : W_IN + column)] =
            0;
    }
}

/* n_c channels from c0 on of the tile's images, four pixels at a time. */
DEVICE void read_pixels(LOCAL_POINTER float *to, const GLOBAL float *from, int c_total, int n_c,
                        const tile_t *tile)
{
    const int first = (SPREAD ? tile->row / 2 : tile->row) - FRAME;
    UNROLL_BY(TOGETHER) EACH(i, TI * CC * READ_ROWS * QUADS) {
        const int quad = i % QUADS, row = i / QUADS % READ_ROWS;
        const int c = i / (QUADS * READ_ROWS) % CC, image = i / (QUADS * READ_ROWS * CC);
        const int h = first + row;
        float v[4];
        UNROLL for (int j = 0; j < 4; j++) v[j] = 0;
        if (h >= 0 && h < H_IN && c < n_c && image < tile->n) {
            const GLOBAL float *at = from + (i64)image * c_total * NAS_GPU_PITCH(H_IN, W_IN) +
                                     (c * NAS_GPU_PITCH(H_IN, W_IN) + h * W_IN + quad * 4);
            LOAD4(v, at);
        }
        LOCAL_POINTER float *put = to + image * IMAGE + c * PLANE + row * ROW + FRAME + quad * 4;
        UNROLL for (int j = 0; j < 4; j++) put[j] = v[j];
    }
}
#else
DEVICE void clear_frame(LOCAL_POINTER float *to)
{
    (void)to; /* read_pixels fills all */
}

DEVICE void read_pixels(LOCAL_POINTER float *to, const GLOBAL float *from, int c_total, int n_c,
                        const tile_t *tile)
{
    const int first = (SPREAD ? tile->row / 2 : tile->row * STEP) - FRAME;
    EACH(i, TI * CC * PARITIES * PARITIES * READ_ROWS * READ_COLUMNS) {
        const int column = i % READ_COLUMNS, row = i / READ_COLUMNS % READ_ROWS;
        const int parity = i / (READ_COLUMNS * READ_ROWS) % (PARITIES * PARITIES);
        const int c = i / (READ_COLUMNS * READ_ROWS * PARITIES * PARITIES) % CC;
        const int image = i / (READ_COLUMNS * READ_ROWS * PARITIES * PARITIES * CC);
        const int h = first + row * STEP + parity / PARITIES;
        const int w = column * STEP + parity % PARITIES - FRAME;
        float v = 0;
        if (h >= 0 && h < H_IN && w >= 0 && w < W_IN && c < n_c && image < tile->n)
            v = from[(i64)image * c_total * NAS_GPU_PITCH(H_IN, W_IN) +
                     (c * NAS_GPU_PITCH(H_IN, W_IN) + h * W_IN + w)];
        to[image * IMAGE + c * PLANE + parity * PARITY_PLANE + row * ROW + column] = v;
    }
}
#endif

#if ADJOINT
/* Weights [w_o, w_i, K, K] of the n_c outputs from c0 on and the block's inputs. */
DEVICE void read_weights(LOCAL_POINTER float *to, const GLOBAL nas_gpu_conv_t *work,
                         const GLOBAL float *weights, int c0, int n_c, int c_out)
{
    const GLOBAL float *from = weights + ((i64)c0 * work->w_i + work->c_block) * TAPS;
    UNROLL_BY(1) EACH(at, CO * TAPS) {
        const int o = at / TAPS, tap = at % TAPS;
        LOCAL_POINTER float *put = to + (STRIDE == 1 ? TAPS - 1 - tap : tap) * WEIGHTS + o;
        UNROLL for (int c = 0; c < CC; c++)
            put[c * TAPS * WEIGHTS] =
                c < n_c && o < c_out ? from[(i64)c * work->w_i * TAPS + at] : 0;
    }
}
#else
/* Weights [w_o, w_i, K, K] of the block's outputs and the n_c inputs from c0 on, 8 side by side at
 * a time. */
DEVICE void read_weights(LOCAL_POINTER float *to, const GLOBAL nas_gpu_conv_t *work,
                         const GLOBAL float *weights, int c0, int n_c, int c_out)
{
    UNROLL_BY(1) for (int first = 0; first < CO; first += LANES / 8) {
        const int o = first + LANE / 8;
        if (CO % (LANES / 8) != 0 && o >= CO) continue;
        const GLOBAL float *from = weights + ((i64)(work->c_block + o) * work->w_i + c0) * TAPS;
        UNROLL for (int i = 0; i < (CC * TAPS + 7) / 8; i++) {
            const int at = i * 8 + LANE % 8;
            const float v = o < c_out && at < n_c * TAPS ? from[at] : 0;
            if (CC * TAPS % 8 == 0 || at < CC * TAPS) to[at * WEIGHTS + o] = v;
        }
    }
}
#endif

/* The products of one channel. x: of the item's pixels; w: of its channels. */
#if SPREAD
DEVICE void add_products(float sum[OL][8], const LOCAL_POINTER float *x,
                         const LOCAL_POINTER float *w)
{
    float in[1 + PAD][2 + PAD];
    UNROLL for (int h = 0; h < 1 + PAD; h++)
        UNROLL for (int p = 0; p < 2 + PAD; p++) in[h][p] = x[h * ROW + p];
    UNROLL for (int r = 0; r < K; r++) UNROLL for (int s = 0; s < K; s++) {
        float f[OL];
        UNROLL for (int o = 0; o < OL; o += 4) LOAD4_LOCAL(f + o, w + (r * K + s) * WEIGHTS + o);
        UNROLL for (int p = 0; p < 8; p++) {
            const int h = p / PX + PAD - r, v = p % PX + PAD - s; /* twice the pixel that is read */
            if (h < 0 || h % 2 != 0 || v < 0 || v % 2 != 0) continue;
            UNROLL for (int o = 0; o < OL; o++) sum[o][p] = MAD(f[o], in[h / 2][v / 2], sum[o][p]);
        }
    }
}
#else
DEVICE void add_products(float sum[OL][8], const LOCAL_POINTER float *x,
                         const LOCAL_POINTER float *w)
{
    UNROLL for (int r = 0; r < K; r++) {
        const LOCAL_POINTER float *row = x + r / PARITIES * ROW + r % PARITIES * 2 * PARITY_PLANE;
        float in[PARITIES][8 + 2 * PAD];
        UNROLL for (int j = 0; j < PARITIES; j++)
            UNROLL for (int p = 0; p < (PARITIES == 1 ? 8 + 2 * PAD : 9 - j); p++)
                in[j][p] = row[j * PARITY_PLANE + p];
        UNROLL for (int s = 0; s < K; s++) {
            float f[OL];
            UNROLL for (int o = 0; o < OL; o += 4)
                LOAD4_LOCAL(f + o, w + (r * K + s) * WEIGHTS + o);
            UNROLL for (int o = 0; o < OL; o++) UNROLL for (int p = 0; p < 8; p++)
                sum[o][p] = MAD(f[o], in[s % PARITIES][p + s / PARITIES], sum[o][p]);
        }
    }
}
#endif

/* Whether pixel p of an item is one of the plane. */
DEVICE int is_pixel(const tile_t *tile, const item_t *item, int p)
{
    return (W % PX == 0 || item->seg * PX + p % PX < W) &&
           ((H % TR == 0 && TR % PY == 0) || item->row * PY + p / PX < tile->n_row);
}

#if IMAGE_ADJOINT
DEVICE void write_pixels(GLOBAL double *vectors, const GLOBAL nas_gpu_conv_t *work,
                         const tile_t *tile, const item_t *item, float sum[OL][8])
{
    const int h = tile->row + item->row * PY, w = item->seg * PX;
    UNROLL for (int o = 0; o < OL; o++) {
        if (item->first + o >= tile->c_out) continue;
        const int c = work->y.c_first + work->c_block + item->first + o;
        GLOBAL double *to = vectors + work->y.at +
                            ((i64)(tile->image + item->image) * work->y.c_total + c) * (H * W) +
                            (h * W + w);
        UNROLL for (int p = 0; p < 8; p++)
            if (is_pixel(tile, item, p)) to[p / PX * W + p % PX] = (double)sum[o][p];
    }
}
#else
DEVICE void write_pixels(GLOBAL float *arena, const GLOBAL nas_gpu_conv_t *work, const tile_t *tile,
                         const item_t *item, float sum[OL][8])
{
    const int h = tile->row + item->row * PY, w = item->seg * PX;
    UNROLL for (int o = 0; o < OL; o++) {
        if (item->first + o >= tile->c_out) continue;
        const int c = work->y.c_first + work->c_block + item->first + o;
        GLOBAL float *to = arena + work->y.at +
                           ((i64)(tile->image + item->image) * work->y.c_total + c) *
                               NAS_GPU_PITCH(H, W) +
                           (h * W + w);
        UNROLL for (int p = 0; p < 8; p += 4) {
#if W % 4 == 0
            if (is_pixel(tile, item, p)) STORE4(to + (p / PX * W + p % PX), sum[o] + p);
#else
            UNROLL for (int j = p; j < p + 4; j++)
                if (is_pixel(tile, item, j)) to[j / PX * W + j % PX] = sum[o][j];
#endif
        }
    }
}

/* Pixels that a place among the tile's PIXEL_LANES has. */
DEVICE int count_pixels(const tile_t *tile, int place)
{
    const int w = W - place % SEGS * PX, h = tile->n_row - place / SEGS % ITEM_ROWS * PY;
    if (place / (SEGS * ITEM_ROWS) >= tile->n || h <= 0) return 0;
    return (w < PX ? w : PX) * (h < PY ? h : PY);
}

/* Mean of a work-item's pixels and squared deviations from it, float, of each channel: mean, and
 * squares behind it, [CO][PIXEL_LANES]. */
DEVICE void leave_moments(LOCAL_POINTER float *part, const tile_t *tile, const item_t *item,
                          float sum[OL][8])
{
    const int n = count_pixels(tile, item->pixels);
    const float scale = n > 0 ? (float)(1.0 / (double)n) : 0;
    UNROLL for (int o = 0; o < OL; o++) {
        float mean = 0, squares = 0;
        UNROLL for (int p = 0; p < 8; p++) mean += is_pixel(tile, item, p) ? sum[o][p] : 0;
        mean = n > 0 ? mean * scale : 0;
        UNROLL for (int p = 0; p < 8; p++) {
            const float d = is_pixel(tile, item, p) ? sum[o][p] - mean : 0;
            squares = MAD(d, d, squares);
        }
        if (item->works) {
            const int at = (item->first + o) * PIXEL_LANES + item->pixels;
            part[at] = mean;
            part[CO * PIXEL_LANES + at] = n > 0 ? squares : 0;
        }
    }
}

/* Sum of a channel's TREE numbers. */
DEVICE double add_tree(const LOCAL_POINTER double *tree, int c)
{
    return tree[c * TREE] + tree[c * TREE + 1] + (tree[c * TREE + 2] + tree[c * TREE + 3]);
}

/* Mean of the tile and squared deviations from it, of every channel, out of those of the work-items
 * (Chan, Golub & LeVeque 1983). tree: [2][CO][TREE]. */
DEVICE void write_moments(GLOBAL double *vectors, const GLOBAL nas_gpu_conv_t *work,
                          const tile_t *tile, const LOCAL_POINTER float *part,
                          LOCAL_POINTER double *tree)
{
    const double count = (double)(tile->n * tile->n_row * W);
    LOCAL_POINTER double *squares = tree + CO * TREE;
    EACH(i, CO * TREE) {
        const LOCAL_POINTER float *mean = part + i / TREE * PIXEL_LANES;
        double s = 0;
        for (int first = 0; first < PIXEL_LANES; first += TREE) {
            const int j = first + i % TREE;
            if (j < PIXEL_LANES) s = MAD64((double)count_pixels(tile, j), (double)mean[j], s);
        }
        tree[i] = s;
    }
    BARRIER();
    EACH(i, CO * TREE) {
        const LOCAL_POINTER float *mean = part + i / TREE * PIXEL_LANES;
        const double whole = add_tree(tree, i / TREE) / count;
        double s = 0;
        for (int first = 0; first < PIXEL_LANES; first += TREE) {
            const int j = first + i % TREE;
            if (j >= PIXEL_LANES) continue;
            const double d = (double)mean[j] - whole;
            s += (double)mean[CO * PIXEL_LANES + j];
            s = MAD64((double)count_pixels(tile, j) * d, d, s);
        }
        squares[i] = s;
    }
    BARRIER();
    EACH(c, tile->c_out) {
        GLOBAL double *out = vectors + work->moments + (i64)GROUP_X * 2 * work->y.c_total +
                             (work->y.c_first + work->c_block + c);
        out[0] = add_tree(tree, c) / count;
        out[work->y.c_total] = add_tree(squares, c);
    }
}
#endif

NAS_KERNEL(conv, LANES)
{
    LOCAL(float, x, LARGER(TI *IMAGE, 2 * CO *PIXEL_LANES));
    LOCAL(float, w, CC *TAPS *WEIGHTS);
#if !IMAGE_ADJOINT
    LOCAL(double, tree, 2 * CO *TREE);
#endif
    const GLOBAL nas_gpu_conv_t *work = NAS_WORK(nas_gpu_conv_t);
    const item_t item = find_item(LANE);
    tile_t tile;
    tile.row = GROUP_X % ROW_TILES * TR;
    tile.n_row = H - tile.row < TR ? H - tile.row : TR;
    tile.image = GROUP_X / ROW_TILES * TI;
    tile.n = work->n - tile.image < TI ? work->n - tile.image : TI;
    tile.c_out = work->c_out - work->c_block < CO ? work->c_out - work->c_block : CO;
    if (tile.n <= 0) return; /* of a launch with a work of more images */
    const GLOBAL float *from =
        arena + work->x.at +
        ((i64)tile.image * work->x.c_total + work->x.c_first) * NAS_GPU_PITCH(H_IN, W_IN);
    float sum[OL][8];
    UNROLL for (int o = 0; o < OL; o++) UNROLL for (int p = 0; p < 8; p++) sum[o][p] = 0;

    clear_frame(x);
    for (int c0 = 0; c0 < work->c_in; c0 += CC) {
        const int n_c = work->c_in - c0 < CC ? work->c_in - c0 : CC;
        BARRIER();
        read_pixels(x, from + (i64)c0 * NAS_GPU_PITCH(H_IN, W_IN), work->x.c_total, n_c, &tile);
        read_weights(w, work, arena + work->w, c0, n_c, tile.c_out);
        BARRIER();
        const LOCAL_POINTER float *pixels =
            x + item.image * IMAGE + item.row * ROW + item.seg * (SPREAD ? 2 : 8);
        for (int c = 0; c < n_c; c++)
            add_products(sum, pixels + c * PLANE, w + c * TAPS * WEIGHTS + item.first);
    }
    if (work->bias >= 0) {
        UNROLL for (int o = 0; o < OL; o++) {
            if (item.first + o >= tile.c_out) continue;
            const float bias = (float)vectors[work->bias + work->c_block + item.first + o];
            UNROLL for (int p = 0; p < 8; p++) sum[o][p] += bias;
        }
    }
#if IMAGE_ADJOINT
    if (item.works && item.image < tile.n) write_pixels(vectors, work, &tile, &item, sum);
#else
    if (item.works && item.image < tile.n) write_pixels(arena, work, &tile, &item, sum);
    if (work->moments >= 0) {
        BARRIER();
        leave_moments(x, &tile, &item, sum);
        BARRIER();
        write_moments(vectors, work, &tile, x, tree);
    }
#endif
}
