/* combine: value = shift + sum of terms; stored, rectified and multiplied with other tensors, in one
 * pass over memory. What it means is said by backend.h.
 *
 * A group has one channel and a part of the batch. Its quads (4 pixels of a plane, one behind the
 * other; the last one ends in the padding) are walked through from image to image, two at a time, so
 * that two loads are under way. Where the tensors are is worked out once a group, into local memory:
 * a plain term then costs a load and four MADs, without a division. All branches but the ends of
 * planes are the same for all of a group.
 *
 * Sums are float32 over the 8 values of two quads, then float64: of a work-item, and by a tree.
 */
#define COMBINE_LANES 64
#define COMBINE_TERMS 12 /* NAS_MAX_TERMS */
#define COMBINE_DOTS 8   /* NAS_MAX_DOTS */

/* Places: of the terms, of the dots, and then these. */
#define COMBINE_MASK (COMBINE_TERMS + COMBINE_DOTS)
#define COMBINE_OUT (COMBINE_MASK + 1)
#define COMBINE_RELU (COMBINE_OUT + 1)
#define COMBINE_PLACES (COMBINE_RELU + 1)

/* A channel of a tensor: image n is at + n step. */
typedef struct combine_place {
    i64 at; /* floats; -1: none; IMAGE: doubles, of coefficients; -1: all are 1 */
    int step;
    float factor; /* of a term; a dot: its center; RELU: the ceiling, NaN: none */
    int kind; /* -1: no such term or dot */
    int masked;
} combine_place_t;

/* Two quads: image and place in its plane; the first n of them are there. */
typedef struct combine_pair {
    int image[2];
    int quad[2];
    int n;
} combine_pair_t;

/* Quad `to` of a pair becomes the one that is a group's work-items behind quad `from`. */
DEVICE void combine_advance(combine_pair_t *pair, int to, int from, int images, int quads, int n_quads)
{
    pair->image[to] = pair->image[from] + images;
    pair->quad[to] = pair->quad[from] + quads;
    if (pair->quad[to] >= n_quads) pair->quad[to] -= n_quads, pair->image[to]++;
}

DEVICE combine_place_t combine_slice(const nas_gpu_slice_t slice, int channel, int pitch)
{
    combine_place_t place;
    place.at = slice.at < 0 ? -1 : slice.at + (i64)(slice.c_first + channel) * pitch;
    place.step = slice.c_total * pitch;
    place.factor = 1;
    place.kind = NAS_GPU_TERM_PLAIN;
    place.masked = 0;
    return place;
}

DEVICE int combine_pitch(int kind, int h, int w)
{
    if (kind == NAS_GPU_TERM_POOL2) return NAS_GPU_PITCH(2 * h, 2 * w);
    if (kind == NAS_GPU_TERM_POOL2_ADJOINT) return NAS_GPU_PITCH(h / 2, w / 2);
    return NAS_GPU_PITCH(h, w);
}

DEVICE combine_place_t combine_term(const GLOBAL nas_gpu_combination_t *k,
                                    const GLOBAL nas_gpu_term_t *term, int channel,
                                    const GLOBAL double *vectors)
{
    const int kind = term->kind;
    combine_place_t place =
        combine_slice(term->tensor, channel, combine_pitch(kind, k->h, k->w));
    place.kind = kind;
    place.masked = term->masked;
    if (kind == NAS_GPU_TERM_IMAGE) {
        place.at = term->coefficient < 0 ? -1 : term->coefficient + channel;
        place.step = k->c;
    } else if (term->coefficient >= 0) {
        place.factor = (float)vectors[term->coefficient + channel];
    }
    return place;
}

DEVICE combine_place_t combine_dot(const GLOBAL nas_gpu_combination_t *k,
                                   const GLOBAL nas_gpu_dot_t *dot, int channel,
                                   const GLOBAL double *vectors)
{
    combine_place_t place = combine_slice(dot->tensor, channel, NAS_GPU_PITCH(k->h, k->w));
    place.factor = dot->center < 0 ? 0 : (float)vectors[dot->center + channel];
    return place;
}

/* Work-item i of a group finds place i. */
DEVICE void combine_find(LOCAL_POINTER combine_place_t *place, int i, int channel,
                         const GLOBAL nas_gpu_combination_t *k, const GLOBAL double *vectors,
                         const GLOBAL u8 *table)
{
    const int pitch = NAS_GPU_PITCH(k->h, k->w), d = i - COMBINE_TERMS;
    if (i < k->n_terms)
        place[i] = combine_term(k, (const GLOBAL nas_gpu_term_t *)(table + k->terms) + i, channel,
                                vectors);
    else if (d >= 0 && d < k->n_dots)
        place[i] = combine_dot(k, (const GLOBAL nas_gpu_dot_t *)(table + k->dots) + d, channel,
                               vectors);
    else if (i == COMBINE_MASK)
        place[i] = combine_slice(k->mask, channel, pitch);
    else if (i == COMBINE_OUT)
        place[i] = combine_slice(k->out, channel, pitch);
    else if (i == COMBINE_RELU) {
        place[i] = combine_slice(k->relu, channel, pitch);
        place[i].factor = k->ceiling > 0 ? k->ceiling : (float)NAS_GPU_NAN;
    } else
        place[i].kind = -1;
}

/* 3 / (pixels within one step of `at` along an axis): exact. */
DEVICE float combine_edge(int at, int extent)
{
    const int n = 1 + (at > 0) + (at + 1 < extent);
    return n == 3 ? 1.0f : n == 2 ? 1.5f : 3.0f;
}

/* 1 / 9; times 1.5, 2.25, 3, 4.5 or 9 it is 1 / 6, 1 / 4, 1 / 3, 1 / 2 or 1, correctly rounded. */
#define COMBINE_NINTH 0.11111111f

/* What a pool reads at pixel (y, x) of the value, h x w. */
DEVICE float combine_pixel(const GLOBAL float *plane, int kind, int y, int x, int h, int w)
{
    if (kind == NAS_GPU_TERM_POOL2) {
        const GLOBAL float *row = plane + 4 * y * w + 2 * x;
        return 0.25f * ((row[0] + row[1]) + (row[2 * w] + row[2 * w + 1]));
    }
    if (kind == NAS_GPU_TERM_POOL2_ADJOINT) return 0.25f * plane[y / 2 * (w / 2) + x / 2];
    const int adjoint = kind == NAS_GPU_TERM_POOL3_ADJOINT;
    float sum = 0;
    for (int v = y > 0 ? y - 1 : 0; v < h && v <= y + 1; v++)
        for (int u = x > 0 ? x - 1 : 0; u < w && u <= x + 1; u++)
            sum = MAD(adjoint ? combine_edge(v, h) * combine_edge(u, w) : 1.0f,
                      plane[v * w + u], sum);
    return sum * (adjoint ? COMBINE_NINTH : combine_edge(y, h) * combine_edge(x, w) * COMBINE_NINTH);
}

/* The same of a quad that lies in one row: three times six pixels, by columns. */
DEVICE void combine_pool3(float *to, const GLOBAL float *plane, int adjoint, int y, int x, int h,
                          int w)
{
    float column[6];
    UNROLL for (int j = 0; j < 6; j++) column[j] = 0;
    UNROLL for (int i = 0; i < 3; i++) {
        const int v = y - 1 + i;
        if (v < 0 || v >= h) continue;
        const GLOBAL float *row = plane + v * w + x;
        const float weight = adjoint ? combine_edge(v, h) : 1.0f;
        float a[6];
        LOAD4(a + 1, row);
        a[0] = x > 0 ? row[-1] : 0;
        a[5] = x + 4 < w ? row[4] : 0;
        UNROLL for (int j = 0; j < 6; j++) column[j] = MAD(weight, a[j], column[j]);
    }
    if (adjoint)
        UNROLL for (int j = 0; j < 6; j++) column[j] *= combine_edge(x + j - 1, w);
    const float edge = adjoint ? 1.0f : combine_edge(y, h);
    UNROLL for (int j = 0; j < 4; j++)
        to[j] = ((column[j] + column[j + 1]) + column[j + 2]) *
                ((adjoint ? 1.0f : edge * combine_edge(x + j, w)) * COMBINE_NINTH);
}

DEVICE void combine_pool2(float *to, const GLOBAL float *plane, int y, int x, int w)
{
    const GLOBAL float *row = plane + 4 * y * w + 2 * x;
    float upper[8], lower[8];
    LOAD4(upper, row);
    LOAD4(upper + 4, row + 4);
    LOAD4(lower, row + 2 * w);
    LOAD4(lower + 4, row + 2 * w + 4);
    UNROLL for (int j = 0; j < 4; j++)
        to[j] = 0.25f * ((upper[2 * j] + upper[2 * j + 1]) + (lower[2 * j] + lower[2 * j + 1]));
}

/* A quad of a pool; what would be padding is 0. */
DEVICE void combine_pool(float *to, const GLOBAL float *plane, int kind, int quad, int h, int w)
{
    int y = (int)((u32)(4 * quad) / (u32)w), x = 4 * quad - y * w;
    if (w % 4 == 0 && kind == NAS_GPU_TERM_POOL2) {
        combine_pool2(to, plane, y, x, w);
    } else if (w % 4 == 0 && kind != NAS_GPU_TERM_POOL2_ADJOINT) {
        combine_pool3(to, plane, kind == NAS_GPU_TERM_POOL3_ADJOINT, y, x, h, w);
    } else {
        UNROLL for (int j = 0; j < 4; j++) to[j] = 0;
        for (int j = 0; j < 4 && y < h; j++) {
            const float value = combine_pixel(plane, kind, y, x, h, w);
            UNROLL for (int i = 0; i < 4; i++) to[i] = i == j ? value : to[i];
            if (++x == w) x = 0, y++;
        }
    }
}

/* Two quads of a tensor. */
DEVICE void combine_load(float *to, const GLOBAL float *arena,
                         const LOCAL_POINTER combine_place_t *place, const combine_pair_t *pair)
{
    const GLOBAL float *tensor = arena + place->at;
    const int step = place->step;
    UNROLL for (int b = 0; b < 2; b++)
        if (b < pair->n) LOAD4(to + 4 * b, tensor + (i64)pair->image[b] * step + 4 * pair->quad[b]);
}

DEVICE void combine_store(GLOBAL float *arena, const LOCAL_POINTER combine_place_t *place,
                          const combine_pair_t *pair, const float *from)
{
    GLOBAL float *tensor = arena + place->at;
    const int step = place->step;
    UNROLL for (int b = 0; b < 2; b++)
        if (b < pair->n) STORE4(tensor + (i64)pair->image[b] * step + 4 * pair->quad[b], from + 4 * b);
}

/* What a term that is not PLAIN reads at a quad. */
DEVICE void combine_read(float *to, const GLOBAL float *arena, const GLOBAL double *vectors,
                         const LOCAL_POINTER combine_place_t *place, int image, int quad, int h,
                         int w)
{
    const i64 from = place->at + (i64)image * place->step;
    if (place->kind == NAS_GPU_TERM_IMAGE) {
        to[0] = place->at < 0 ? 1.0f : (float)vectors[from];
        to[1] = to[2] = to[3] = to[0];
    } else {
        combine_pool(to, arena + from, place->kind, quad, h, w);
    }
}

/* Bit j: whether x[j] > 0, and below a ceiling that there is: nothing is as large as NaN. */
DEVICE u32 combine_gate(const float *x, float ceiling)
{
    u32 gate = 0;
    UNROLL for (int j = 0; j < 8; j++) gate |= (u32)(x[j] > 0 && !(x[j] >= ceiling)) << j;
    return gate;
}

/* The value of two quads: shift on entry. gate: where masked terms count. */
DEVICE void combine_terms(float *value, u32 gate, const GLOBAL float *arena,
                          const GLOBAL double *vectors, const LOCAL_POINTER combine_place_t *place,
                          const combine_pair_t *pair, int h, int w)
{
    for (int t = 0; t < COMBINE_TERMS && place[t].kind >= 0; t++) {
        const float factor = place[t].factor;
        u32 counted = place[t].masked ? gate : 0xffu;
        if (place[t].kind == NAS_GPU_TERM_PLAIN) {
            float x[8];
            UNROLL for (int j = 0; j < 8; j++) x[j] = 0;
            combine_load(x, arena, place + t, pair);
            UNROLL for (int j = 0; j < 8; j++)
                value[j] = (counted >> j) & 1 ? MAD(factor, x[j], value[j]) : value[j];
            continue;
        }
        for (int b = 0; b < pair->n; b++, counted >>= 4) { /* once in the text: pools are long */
            float x[4];
            combine_read(x, arena, vectors, place + t, b ? pair->image[1] : pair->image[0],
                         b ? pair->quad[1] : pair->quad[0], h, w);
            UNROLL for (int j = 0; j < 4; j++) {
                const float sum = MAD(factor, x[j], b ? value[4 + j] : value[j]);
                const int counts = (counted >> j) & 1;
                value[j] = counts && b == 0 ? sum : value[j];
                value[4 + j] = counts && b == 1 ? sum : value[4 + j];
            }
        }
    }
}

/* The products of two quads, added to the work-item's sums; padding does not count. */
DEVICE void combine_dots(LOCAL_POINTER double *sum, const float *value, const GLOBAL float *arena,
                         const LOCAL_POINTER combine_place_t *dot, const combine_pair_t *pair,
                         int n_pixels)
{
    for (int d = 0; d < COMBINE_DOTS && dot[d].kind >= 0; d++) {
        float x[8], s = 0;
        UNROLL for (int j = 0; j < 8; j++) x[j] = 1;
        if (dot[d].at >= 0) combine_load(x, arena, dot + d, pair);
        const float center = dot[d].factor;
        UNROLL for (int j = 0; j < 8; j++)
            if (j / 4 < pair->n && 4 * pair->quad[j / 4] + j % 4 < n_pixels)
                s = MAD(value[j], x[j] - center, s);
        sum[d * COMBINE_LANES] += s;
    }
}

NAS_KERNEL_RESIDENT(combine, COMBINE_LANES, 16)
{
    LOCAL(combine_place_t, place, COMBINE_PLACES);
    LOCAL(double, sum, COMBINE_DOTS *COMBINE_LANES);
    const GLOBAL nas_gpu_combination_t *k = NAS_WORK(nas_gpu_combination_t);
    const int lane = LANE, part = GROUP_X / k->c, channel = GROUP_X - part * k->c;
    if (part >= NAS_GPU_PARTS) return;
    if (lane < COMBINE_PLACES) combine_find(place, lane, channel, k, vectors, table);
    const int h = k->h, w = k->w;
    for (int d = 0; d < k->n_dots; d++) sum[d * COMBINE_LANES + lane] = 0;
    const float shift = k->shift < 0 ? 0 : (float)vectors[k->shift + channel];
    BARRIER();

    const int n_quads = NAS_GPU_PITCH(h, w) / 4;
    const int begin = (int)((i64)k->n * part / NAS_GPU_PARTS);
    const int end = (int)((i64)k->n * (part + 1) / NAS_GPU_PARTS);
    const int images = COMBINE_LANES / n_quads, quads = COMBINE_LANES - images * n_quads;
    combine_pair_t pair;
    pair.image[0] = begin + lane / n_quads;
    pair.quad[0] = lane % n_quads;
    for (int left = (end - begin) * n_quads; left > 0; left -= 2 * COMBINE_LANES) {
        combine_advance(&pair, 1, 0, images, quads, n_quads);
        pair.n = (pair.image[0] < end) + (pair.image[1] < end);
        float value[8], x[8];
        UNROLL for (int j = 0; j < 8; j++) value[j] = shift, x[j] = 0;
        const int is_masked = place[COMBINE_MASK].at >= 0;
        if (is_masked) combine_load(x, arena, place + COMBINE_MASK, &pair);
        u32 gate = combine_gate(x, place[COMBINE_RELU].factor);
        combine_terms(value, gate, arena, vectors, place, &pair, h, w);
        combine_dots(sum + lane, value, arena, place + COMBINE_TERMS, &pair, h * w);
        if (place[COMBINE_OUT].at >= 0) combine_store(arena, place + COMBINE_OUT, &pair, value);
        if (place[COMBINE_RELU].at >= 0) {
            const float ceiling = place[COMBINE_RELU].factor;
            if (!is_masked) gate = combine_gate(value, ceiling);
            UNROLL for (int j = 0; j < 8; j++) {
                const float beyond = !is_masked && value[j] >= ceiling ? ceiling : 0;
                value[j] = (gate >> j) & 1 ? value[j] : beyond;
            }
            combine_store(arena, place + COMBINE_RELU, &pair, value);
        }
        combine_advance(&pair, 0, 1, images, quads, n_quads);
    }

    const int n_dots = k->n_dots;
    for (int step = COMBINE_LANES / 2; step > 0; step /= 2) {
        BARRIER();
        if (lane < step)
            for (int d = lane; d < n_dots * COMBINE_LANES; d += COMBINE_LANES) sum[d] += sum[d + step];
    }
    BARRIER();
    if (lane < n_dots) {
        const GLOBAL nas_gpu_dot_t *dot = (const GLOBAL nas_gpu_dot_t *)(table + k->dots) + lane;
        vectors[dot->parts + (i64)part * k->c + channel] = sum[lane * COMBINE_LANES];
    }
}
