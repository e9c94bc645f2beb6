/* combine, a piece of one row at a time. */
#include "worker/engine/backends/ref/ref_internal.h"

#include <string.h>

/* Pixels of a piece; its value lies on the stack. */
enum { PIECE = 128 };

/* Pixels [w, w + length) of row h in image n, channel c of the value. */
typedef struct piece {
    int n;
    int c;
    int h;
    int w;
    int length;
} piece_t;

/* Pixels within one step of `at` along an axis, those outside the plane not counted. */
static int neighbours(int at, int extent)
{
    return 1 + (at > 0) + (at + 1 < extent);
}

/* Sum of the pixels within one step, each divided by how many its own mean counts if `adjoint`. */
static double sum_3x3(const double *plane, nas_shape_t shape, int h, int w, bool adjoint)
{
    double sum = 0;
    for (int y = h > 0 ? h - 1 : 0; y < shape.h && y <= h + 1; y++) {
        for (int x = w > 0 ? w - 1 : 0; x < shape.w && x <= w + 1; x++) {
            const int count = adjoint ? neighbours(y, shape.h) * neighbours(x, shape.w) : 1;
            sum += plane[(int64_t)y * shape.w + x] / count;
        }
    }
    return sum;
}

static double pool3(const double *plane, nas_shape_t shape, int h, int w)
{
    return sum_3x3(plane, shape, h, w, false) / (neighbours(h, shape.h) * neighbours(w, shape.w));
}

static double pool2(const double *plane, nas_shape_t shape, int h, int w)
{
    const double *upper = plane + 2 * ((int64_t)h * shape.w + w);
    const double *lower = upper + shape.w;
    return 0.25 * (upper[0] + upper[1] + lower[0] + lower[1]);
}

static nas_shape_t term_shape(nas_term_kind_t kind, nas_shape_t value)
{
    if (kind == NAS_TERM_POOL2) return (nas_shape_t){value.n, value.c, 2 * value.h, 2 * value.w};
    if (kind == NAS_TERM_POOL2_ADJOINT)
        return (nas_shape_t){value.n, value.c, value.h / 2, value.w / 2};
    return value;
}

/* The term's reading of its tensor. */
static void read_term(const nas_term_t *term, nas_shape_t value, const piece_t *p, double *out)
{
    const int n = p->length;
    if (term->kind == NAS_TERM_IMAGE) {
        for (int i = 0; i < n; i++) out[i] = 1.0;
        return;
    }
    const nas_shape_t shape = term_shape(term->kind, value);
    const double *plane = nas_ref_plane(term->tensor, shape, p->n, p->c);
    switch (term->kind) {
    case NAS_TERM_POOL3:
        for (int i = 0; i < n; i++) out[i] = pool3(plane, shape, p->h, p->w + i);
        break;
    case NAS_TERM_POOL3_ADJOINT:
        for (int i = 0; i < n; i++) out[i] = sum_3x3(plane, shape, p->h, p->w + i, true);
        break;
    case NAS_TERM_POOL2:
        for (int i = 0; i < n; i++) out[i] = pool2(plane, shape, p->h, p->w + i);
        break;
    case NAS_TERM_POOL2_ADJOINT:
        plane += (int64_t)(p->h / 2) * shape.w;
        for (int i = 0; i < n; i++) out[i] = 0.25 * plane[(p->w + i) / 2];
        break;
    default:
        memcpy(out, plane + (int64_t)p->h * shape.w + p->w, (size_t)n * sizeof *out);
    }
}

/* The piece within a tensor of the value's shape. */
static double *locate(nas_channels_t tensor, nas_shape_t shape, const piece_t *p)
{
    return nas_ref_plane(tensor, shape, p->n, p->c) + (int64_t)p->h * shape.w + p->w;
}

static double term_coefficient(const nas_term_t *term, nas_shape_t shape, const piece_t *p)
{
    if (!term->coefficient) return 1.0;
    const int64_t image = term->kind == NAS_TERM_IMAGE ? p->n : 0;
    return term->coefficient[image * shape.c + p->c];
}

/* Whether the mask counts where it has this value. */
static bool is_open(double mask, double ceiling)
{
    return mask > 0 && !(ceiling > 0 && mask >= ceiling);
}

static void add_term(const nas_combination_t *combination, const nas_term_t *term, const piece_t *p,
                     double *value)
{
    double row[PIECE];
    read_term(term, combination->shape, p, row);
    const double coefficient = term_coefficient(term, combination->shape, p);
    if (!term->masked) {
        for (int i = 0; i < p->length; i++) value[i] += coefficient * row[i];
        return;
    }
    const double *mask = locate(combination->mask, combination->shape, p);
    const double ceiling = combination->ceiling;
    for (int i = 0; i < p->length; i++) {
        if (is_open(mask[i], ceiling)) value[i] += coefficient * row[i];
    }
}

static void add_dot(const nas_dot_t *dot, nas_shape_t shape, const piece_t *p, const double *value)
{
    const double *tensor = dot->tensor.data ? locate(dot->tensor, shape, p) : NULL;
    const double center = dot->center ? dot->center[p->c] : 0.0;
    double sum = 0;
    for (int i = 0; i < p->length; i++) sum += value[i] * ((tensor ? tensor[i] : 1.0) - center);
    dot->sum[p->c] += sum;
}

static void rectify(const nas_combination_t *combination, const piece_t *p, const double *value)
{
    const double ceiling = combination->ceiling;
    double *relu = locate(combination->relu, combination->shape, p);
    if (combination->mask.data) {
        const double *mask = locate(combination->mask, combination->shape, p);
        for (int i = 0; i < p->length; i++) relu[i] = is_open(mask[i], ceiling) ? value[i] : 0;
        return;
    }
    for (int i = 0; i < p->length; i++) {
        const double capped = ceiling > 0 && value[i] > ceiling ? ceiling : value[i];
        relu[i] = capped > 0 ? capped : 0;
    }
}

static void combine_piece(const nas_combination_t *combination, const piece_t *p)
{
    double value[PIECE];
    const double shift = combination->shift ? combination->shift[p->c] : 0.0;
    for (int i = 0; i < p->length; i++) value[i] = shift;
    for (int t = 0; t < combination->n_terms; t++)
        add_term(combination, &combination->term[t], p, value);
    for (int d = 0; d < combination->n_dots; d++)
        add_dot(&combination->dot[d], combination->shape, p, value);
    if (combination->out.data) {
        double *out = locate(combination->out, combination->shape, p);
        memcpy(out, value, (size_t)p->length * sizeof *out);
    }
    if (combination->relu.data) rectify(combination, p, value);
}

void nas_ref_combine(const nas_combination_t *combination)
{
    const nas_shape_t shape = combination->shape;
    for (int d = 0; d < combination->n_dots; d++)
        memset(combination->dot[d].sum, 0, (size_t)shape.c * sizeof(double));
    piece_t p;
    for (p.n = 0; p.n < shape.n; p.n++) {
        for (p.c = 0; p.c < shape.c; p.c++) {
            for (p.h = 0; p.h < shape.h; p.h++) {
                for (p.w = 0; p.w < shape.w; p.w += PIECE) {
                    p.length = shape.w - p.w < PIECE ? shape.w - p.w : PIECE;
                    combine_piece(combination, &p);
                }
            }
        }
    }
}
