/* Winograd's transforms F(4 x 4, 3 x 3), for the files that are compiled once per instruction set.
 *
 * Along one axis 4 outputs are y = A' ((G g) * (B' d)) for a filter g of 3 and the 6 inputs d
 * that it meets, where * is elementwise; in two dimensions each matrix is applied along both axes
 * (Lavin and Gray 2016). The matrices follow from 6 points: 0, +-a, +-b, infinity. With a = 5 / 8,
 * b = 3 / 2, which are exact and spread the magnitudes little, the rounding is about half that of
 * the usual a = 1, b = 2.
 */
#ifndef NAS_WORKER_ENGINE_BACKENDS_CPU_WINOGRAD_H
#define NAS_WORKER_ENGINE_BACKENDS_CPU_WINOGRAD_H

#include "worker/engine/backends/cpu/lanes.h"

enum {
    NAS_WINOGRAD_TILE = 4,  /* outputs along an axis */
    NAS_WINOGRAD_PATCH = 6, /* inputs, and products, along an axis */
    NAS_WINOGRAD_TAPS = 3   /* of the filter along an axis */
};

/* The points and their powers. */
#define NAS_A 0.625F
#define NAS_A2 (NAS_A * NAS_A)
#define NAS_A3 (NAS_A2 * NAS_A)
#define NAS_B 1.5F
#define NAS_B2 (NAS_B * NAS_B)
#define NAS_B3 (NAS_B2 * NAS_B)

/* What G divides the rows of a point by: its distances from the other finite points. */
#define NAS_G_0 (1.0F / (NAS_A2 * NAS_B2))
#define NAS_G_A (1.0F / (2 * NAS_A2 * (NAS_A2 - NAS_B2)))
#define NAS_G_B (1.0F / (2 * NAS_B2 * (NAS_B2 - NAS_A2)))

/** to = B' from: 6 inputs. `step` is the distance between elements of `to`. */
NAS_INLINE void winograd_input(const lanes_t from[NAS_WINOGRAD_PATCH], lanes_t *to, int step)
{
    const lanes_t even_a = from[4] - NAS_B2 * from[2], odd_a = from[3] - NAS_B2 * from[1];
    const lanes_t even_b = from[4] - NAS_A2 * from[2], odd_b = from[3] - NAS_A2 * from[1];
    to[0] = NAS_A2 * NAS_B2 * from[0] + (from[4] - (NAS_A2 + NAS_B2) * from[2]);
    to[step] = even_a + NAS_A * odd_a;
    to[2 * step] = even_a - NAS_A * odd_a;
    to[3 * step] = even_b + NAS_B * odd_b;
    to[4 * step] = even_b - NAS_B * odd_b;
    to[5 * step] = NAS_A2 * NAS_B2 * from[1] + (from[5] - (NAS_A2 + NAS_B2) * from[3]);
}

/** to = A' from: 6 products to 4 outputs. */
NAS_INLINE void winograd_output(const lanes_t from[NAS_WINOGRAD_PATCH], lanes_t *to, int step)
{
    const lanes_t even_a = from[1] + from[2], odd_a = from[1] - from[2];
    const lanes_t even_b = from[3] + from[4], odd_b = from[3] - from[4];
    to[0] = from[0] + (even_a + even_b);
    to[step] = NAS_A * odd_a + NAS_B * odd_b;
    to[2 * step] = NAS_A2 * even_a + NAS_B2 * even_b;
    to[3 * step] = from[5] + (NAS_A3 * odd_a + NAS_B3 * odd_b);
}

/** Adjoint of winograd_output: to = A from. */
NAS_INLINE void winograd_output_adjoint(const lanes_t from[NAS_WINOGRAD_TILE], lanes_t *to,
                                        int step)
{
    const lanes_t even_a = from[0] + NAS_A2 * from[2], odd_a = from[1] + NAS_A2 * from[3];
    const lanes_t even_b = from[0] + NAS_B2 * from[2], odd_b = from[1] + NAS_B2 * from[3];
    to[0] = from[0];
    to[step] = even_a + NAS_A * odd_a;
    to[2 * step] = even_a - NAS_A * odd_a;
    to[3 * step] = even_b + NAS_B * odd_b;
    to[4 * step] = even_b - NAS_B * odd_b;
    to[5 * step] = from[3];
}

/** to = G from: 3 taps of a filter. */
NAS_INLINE void winograd_filter(const lanes_t from[NAS_WINOGRAD_TAPS], lanes_t *to, int step)
{
    const lanes_t even_a = NAS_G_A * from[0] + (NAS_G_A * NAS_A2) * from[2];
    const lanes_t even_b = NAS_G_B * from[0] + (NAS_G_B * NAS_B2) * from[2];
    to[0] = NAS_G_0 * from[0];
    to[step] = even_a + (NAS_G_A * NAS_A) * from[1];
    to[2 * step] = even_a - (NAS_G_A * NAS_A) * from[1];
    to[3 * step] = even_b + (NAS_G_B * NAS_B) * from[1];
    to[4 * step] = even_b - (NAS_G_B * NAS_B) * from[1];
    to[5 * step] = from[2];
}

/** Adjoint of winograd_filter: to = G' from. */
NAS_INLINE void winograd_filter_adjoint(const lanes_t from[NAS_WINOGRAD_PATCH], lanes_t *to,
                                        int step)
{
    const lanes_t even_a = NAS_G_A * (from[1] + from[2]), odd_a = NAS_G_A * (from[1] - from[2]);
    const lanes_t even_b = NAS_G_B * (from[3] + from[4]), odd_b = NAS_G_B * (from[3] - from[4]);
    to[0] = NAS_G_0 * from[0] + (even_a + even_b);
    to[step] = NAS_A * odd_a + NAS_B * odd_b;
    to[2 * step] = from[5] + (NAS_A2 * even_a + NAS_B2 * even_b);
}

#endif
