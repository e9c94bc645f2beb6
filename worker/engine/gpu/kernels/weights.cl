/* Gradients of convolutions by their weights, in parts: implicit matrix products, whose inner
 * dimension is the batch's pixels.
 *
 * A work-item has 8 outputs times the 9 taps of one input (IT inputs of 1 x 1), whose sums stay in
 * registers, and takes 4 pixels of a row at a time: 6 + 8 reads of local memory for 288 products.
 * SLICES of the work-items share the pixels of a block of outputs and inputs and are added up at the
 * end. A unit is what lies in local memory at once: UNIT_ROWS rows and UNIT_COLUMNS columns of dy
 * of UNIT_IMAGES images, with the pixels of x around them. A part is UNITS of them, one behind the
 * other; parts.cl adds them.
 *
 * A work-item's float32 sum is over a few hundred pixels; slices are added in float64, in their
 * order. All depends on the shape alone.
 *
 * Definitions:
 *   K, STRIDE            1 or 3; 1 or 2
 *   H W, H_IN W_IN       pixels of dy, of x
 *   CI, IT               lanes over inputs, inputs of each; IT is 1 unless K is 1
 *   CO                   outputs of a block, a multiple of 8
 *   SLICES               lanes that share the pixels
 *   UNIT_ROWS, UNIT_COLUMNS, UNIT_IMAGES; UNIT_COLUMNS is a multiple of 4
 *   UNITS                of a part
 */
#define PAD (K / 2)
#define TAPS (K * K)
#define INPUTS (CI * IT) /* of a block */
#define BLOCK_LANES (CI * (CO / 8))
#define LANES (BLOCK_LANES * SLICES)
#define SUMS (TAPS * IT) /* an output */

#define ROW_UNITS ((H + UNIT_ROWS - 1) / UNIT_ROWS)
#define COLUMN_UNITS ((W + UNIT_COLUMNS - 1) / UNIT_COLUMNS)

/* x in local memory. A row begins 4 floats behind the one before, whose pixel on the right is the
 * first of these, while the last is this one's pixel on the left. With stride 2 odd and even columns
 * lie apart. Channels are an odd number of four floats apart: neighbouring work-items find
 * different banks. */
#define PARITIES (STRIDE == 2 && K > 1 ? 2 : 1)
#define MARGIN (K > 1 ? 4 : 0)
#define X_ROWS (K > 1 ? (UNIT_ROWS - 1) * STRIDE + K : UNIT_ROWS)
#define X_ROW (PARITIES * (UNIT_COLUMNS + MARGIN))
#define X_PLANE ((UNIT_IMAGES * X_ROWS * X_ROW + MARGIN + 7) / 8 * 8 + 4)
#define D_PLANE (UNIT_IMAGES * UNIT_ROWS * UNIT_COLUMNS + 4)

/* Pixels of x from row to row and column to column in local memory. */
#define STEP (K > 1 ? 1 : STRIDE)

#define LARGER(a, b) ((a) > (b) ? (a) : (b))

/* i: this work-item's of 0 to n - 1, in as many turns for all. */
#define EACH(i, n)                                                                                 \
    for (int i = LANE, turn_##i = 0; turn_##i < (n); turn_##i += LANES, i += LANES)                \
        if (i < (n))

/* Where a unit begins. */
typedef struct unit {
    int image, n; /* first image; how many there are */
    int row, column;
} unit_t;

DEVICE unit_t find_unit(int number, int n)
{
    unit_t unit;
    unit.column = number % COLUMN_UNITS * UNIT_COLUMNS;
    unit.row = number / COLUMN_UNITS % ROW_UNITS * UNIT_ROWS;
    unit.image = number / (COLUMN_UNITS * ROW_UNITS) * UNIT_IMAGES;
    unit.n = n - unit.image < UNIT_IMAGES ? n - unit.image : UNIT_IMAGES;
    return unit;
}

/* Pixel (h, w) of x from `from` on, or 0. */
DEVICE float pixel_of_x(const GLOBAL float *from, int h, int w, int is_there)
{
    return is_there && h >= 0 && h < H_IN && w >= 0 && w < W_IN ? from[h * W_IN + w] : 0;
}

#if PARITIES == 1 && STEP == 1 && W_IN % 4 == 0
#define QUADS (UNIT_COLUMNS / 4)

/* n_c channels of x, four pixels at a time. */
DEVICE void read_x(LOCAL_POINTER float *to, const GLOBAL float *from, int c_total, int n_c,
                   const unit_t *unit)
{
    UNROLL_BY(2) EACH(i, INPUTS * UNIT_IMAGES * X_ROWS * QUADS) {
        const int quad = i % QUADS, row = i / QUADS % X_ROWS;
        const int image = i / (QUADS * X_ROWS) % UNIT_IMAGES;
        const int c = i / (QUADS * X_ROWS * UNIT_IMAGES);
        const int h = unit->row + row - PAD, w = unit->column + quad * 4;
        float v[4];
        UNROLL for (int j = 0; j < 4; j++) v[j] = 0;
        if (c < n_c && image < unit->n && h >= 0 && h < H_IN && w < W_IN) {
            const GLOBAL float *at = from + ((i64)image * c_total + c) * NAS_GPU_PITCH(H_IN, W_IN) +
                                     (h * W_IN + w);
            LOAD4(v, at);
        }
        STORE4_LOCAL(to + c * X_PLANE + (image * X_ROWS + row) * X_ROW + MARGIN + quad * 4, v);
    }
#if MARGIN
    UNROLL_BY(1) EACH(i, INPUTS * UNIT_IMAGES * X_ROWS * 2) {
        const int right = i % 2, row = i / 2 % X_ROWS;
        const int image = i / (2 * X_ROWS) % UNIT_IMAGES, c = i / (2 * X_ROWS * UNIT_IMAGES);
        const int column = right ? UNIT_COLUMNS : -1;
        float v = 0;
        if (COLUMN_UNITS > 1)
            v = pixel_of_x(from + ((i64)image * c_total + c) * NAS_GPU_PITCH(H_IN, W_IN),
                           unit->row + row - PAD, unit->column + column,
                           c < n_c && image < unit->n);
        to[c * X_PLANE + (image * X_ROWS + row) * X_ROW + MARGIN + column] = v;
    }
#endif
}
#else
/* Columns that a row of x has of either parity: one more, where that is to the left. */
#define X_COLUMNS (UNIT_COLUMNS + (PARITIES == 1 ? 2 * PAD : 1))

DEVICE void read_x(LOCAL_POINTER float *to, const GLOBAL float *from, int c_total, int n_c,
                   const unit_t *unit)
{
    UNROLL_BY(1) EACH(i, INPUTS * UNIT_IMAGES * X_ROWS * PARITIES * X_COLUMNS) {
        const int column = i % X_COLUMNS, parity = i / X_COLUMNS % PARITIES;
        const int row = i / (X_COLUMNS * PARITIES) % X_ROWS;
        const int image = i / (X_COLUMNS * PARITIES * X_ROWS) % UNIT_IMAGES;
        const int c = i / (X_COLUMNS * PARITIES * X_ROWS * UNIT_IMAGES);
        const float v =
            pixel_of_x(from + ((i64)image * c_total + c) * NAS_GPU_PITCH(H_IN, W_IN),
                       unit->row * STRIDE + row * STEP - PAD,
                       unit->column * STRIDE + column * (PARITIES * STEP) + parity - PAD,
                       c < n_c && image < unit->n);
        LOCAL_POINTER float *row_at = to + c * X_PLANE + (image * X_ROWS + row) * X_ROW;
#if PARITIES == 1
        row_at[MARGIN - PAD + column] = v;
#else
        row_at[parity * (UNIT_COLUMNS + MARGIN) + column] = v;
#endif
    }
}
#endif

/* n_c channels of dy, with zeros where the plane has ended. */
DEVICE void read_dy(LOCAL_POINTER float *to, const GLOBAL float *from, int c_total, int n_c,
                    const unit_t *unit)
{
    UNROLL_BY(2) EACH(i, CO * UNIT_IMAGES * UNIT_ROWS * (UNIT_COLUMNS / 4)) {
        const int quad = i % (UNIT_COLUMNS / 4), row = i / (UNIT_COLUMNS / 4) % UNIT_ROWS;
        const int image = i / (UNIT_COLUMNS / 4 * UNIT_ROWS) % UNIT_IMAGES;
        const int c = i / (UNIT_COLUMNS / 4 * UNIT_ROWS * UNIT_IMAGES);
        const int h = unit->row + row, w = unit->column + quad * 4;
        float v[4];
        UNROLL for (int j = 0; j < 4; j++) v[j] = 0;
        if (c < n_c && image < unit->n && h < H && w < W) {
            const GLOBAL float *at =
                from + ((i64)image * c_total + c) * NAS_GPU_PITCH(H, W) + (h * W + w);
#if W % 4 == 0
            LOAD4(v, at);
#else
            UNROLL for (int j = 0; j < 4; j++) if (w + j < W) v[j] = at[j];
#endif
        }
        STORE4_LOCAL(to + c * D_PLANE + (image * UNIT_ROWS + row) * UNIT_COLUMNS + quad * 4, v);
    }
}

/* 8 outputs, 4 pixels; in: of each tap, or input of 1 x 1. */
DEVICE void add_products(float sum[8][SUMS], const LOCAL_POINTER float *dy, float in[SUMS][4])
{
    UNROLL for (int o = 0; o < 8; o++) {
        float d[4];
        LOAD4_LOCAL(d, dy + o * D_PLANE);
        UNROLL for (int p = 0; p < 4; p++)
            UNROLL for (int t = 0; t < SUMS; t++) sum[o][t] = MAD(d[p], in[t][p], sum[o][t]);
    }
}

/* What the slice has of a unit. x: of the lane's input; dy: of its outputs. */
#if K == 1
DEVICE void add_unit(float sum[8][SUMS], const LOCAL_POINTER float *x,
                     const LOCAL_POINTER float *dy, int slice)
{
    enum { PIXELS = UNIT_IMAGES * UNIT_ROWS * UNIT_COLUMNS };
    UNROLL_BY(1) for (int first = 0; first < PIXELS; first += SLICES * 4) {
        const int i = first + slice * 4;
        if (PIXELS % (SLICES * 4) != 0 && i >= PIXELS) continue;
        float in[SUMS][4];
        UNROLL for (int t = 0; t < SUMS; t++) LOAD4_LOCAL(in[t], x + t * CI * X_PLANE + i);
        add_products(sum, dy + i, in);
    }
}
#else
/* Pixels of taps for 4 pixels of dy, at `column` of a unit's row. */
DEVICE void find_taps(float in[SUMS][4], const LOCAL_POINTER float *row, int column)
{
    UNROLL for (int r = 0; r < K; r++) {
        const LOCAL_POINTER float *at = row + r * X_ROW + column;
#if STRIDE == 1
        float v[6];
        v[0] = at[MARGIN - 1];
        LOAD4_LOCAL(v + 1, at + MARGIN);
        v[5] = at[MARGIN + 4];
        UNROLL for (int s = 0; s < K; s++)
            UNROLL for (int p = 0; p < 4; p++) in[r * K + s][p] = v[s + p];
#else
        float odd[5];
        LOAD4_LOCAL(odd, at);
        odd[4] = at[4];
        LOAD4_LOCAL(in[r * K + 1], at + UNIT_COLUMNS + MARGIN);
        UNROLL for (int p = 0; p < 4; p++) {
            in[r * K][p] = odd[p];
            in[r * K + 2][p] = odd[p + 1];
        }
#endif
    }
}

DEVICE void add_unit(float sum[8][SUMS], const LOCAL_POINTER float *x,
                     const LOCAL_POINTER float *dy, int slice)
{
    UNROLL_BY(1) for (int first = 0; first < UNIT_IMAGES * UNIT_ROWS; first += SLICES) {
        const int i = first + slice;
        if (UNIT_IMAGES * UNIT_ROWS % SLICES != 0 && i >= UNIT_IMAGES * UNIT_ROWS) continue;
        const LOCAL_POINTER float *row =
            x + (i / UNIT_ROWS * X_ROWS + i % UNIT_ROWS * STRIDE) * X_ROW;
        UNROLL_BY(1) for (int column = 0; column < UNIT_COLUMNS; column += 4) {
            float in[SUMS][4];
            find_taps(in, row, column);
            add_products(sum, dy + i * UNIT_COLUMNS + column, in);
        }
    }
}
#endif

/* Slices are added in their order, an output of every lane at a time. What the descriptor says is
 * read before: PoCL, optimising, takes a condition on it between barriers for true. */
DEVICE void write_sums(GLOBAL float *part, const GLOBAL nas_gpu_weights_t *work,
                       LOCAL_POINTER float *room, float sum[8][SUMS])
{
    const int w_o = work->w_o, w_i = work->w_i;
    UNROLL for (int o = 0; o < 8; o++) {
        BARRIER();
        UNROLL for (int t = 0; t < SUMS; t++) room[t * (LANES + 1) + LANE] = sum[o][t];
        BARRIER();
        EACH(i, CO / 8 * INPUTS * TAPS) {
            const int tap = i % TAPS, input = i / TAPS % INPUTS, outputs = i / (TAPS * INPUTS);
            const int at = (input / CI * TAPS + tap) * (LANES + 1) + outputs * CI + input % CI;
            double total = 0;
            UNROLL for (int s = 0; s < SLICES; s++) total += (double)room[at + s * BLOCK_LANES];
            const int to_o = work->o_block + outputs * 8 + o, to_i = work->i_block + input;
            const i64 to = ((i64)to_o * w_i + to_i) * TAPS + tap;
            if (to_o < w_o && to_i < w_i) part[to] = (float)total;
        }
    }
    /* Nobody waits for it; but without it PoCL, optimising, has the last turn wrong now and then on
     * two threads. */
    BARRIER();
}

NAS_KERNEL(weights, LANES)
{
    LOCAL(float, x, LARGER(INPUTS *X_PLANE, SUMS *(LANES + 1)));
    LOCAL(float, d, CO *D_PLANE);
    const GLOBAL nas_gpu_weights_t *work = NAS_WORK(nas_gpu_weights_t);
    const int n_units = (work->n + UNIT_IMAGES - 1) / UNIT_IMAGES * (ROW_UNITS * COLUMN_UNITS);
    const int first = GROUP_X * UNITS;
    const int end = first + UNITS < n_units ? first + UNITS : n_units;
    if (first >= end) return; /* of a launch with a work of more parts */
    const int slice = LANE / BLOCK_LANES, outputs = LANE % BLOCK_LANES / CI, input = LANE % CI;
    float sum[8][SUMS];
    UNROLL for (int o = 0; o < 8; o++) UNROLL for (int t = 0; t < SUMS; t++) sum[o][t] = 0;
    for (int u = first; u < end; u++) {
        const unit_t unit = find_unit(u, work->n);
        BARRIER();
        read_x(x,
               arena + work->x.at +
                   ((i64)unit.image * work->x.c_total + work->x.c_first + work->i_block) *
                       NAS_GPU_PITCH(H_IN, W_IN),
               work->x.c_total, work->w_i - work->i_block, &unit);
        read_dy(d,
                arena + work->dy.at +
                    ((i64)unit.image * work->dy.c_total + work->dy.c_first + work->o_block) *
                        NAS_GPU_PITCH(H, W),
                work->dy.c_total, work->w_o - work->o_block, &unit);
        BARRIER();
        add_unit(sum, x + input * X_PLANE, d + outputs * 8 * D_PLANE, slice);
    }
    write_sums(arena + work->parts + (i64)GROUP_X * work->w_o * work->w_i * TAPS, work, x, sum);
}
