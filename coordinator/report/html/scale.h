/* The scale of an axis: which numbers are along it, at which round ones it has ticks. */
#ifndef NAS_COORDINATOR_REPORT_HTML_SCALE_H
#define NAS_COORDINATOR_REPORT_HTML_SCALE_H

#include <stdio.h>

/** A plain value. */
typedef struct nas_scale {
    double from, to;      /**< numbers at both ends, from < to, both ticks */
    double step;          /**< between ticks: 1, 2 or 5 times a power of ten */
    int n_ticks;          /**< at least 2 */
    int decimals;         /**< of the ticks' labels; -1: they take an exponent */
    double start, length; /**< of the axis, in units of the drawing; length may be negative */
} nas_scale_t;

/** A scale of about n ticks that takes in two numbers.  Not collective.
 *  least <= largest; where they are equal, or not finite, it takes in more; they are cut to 1e300.
 *  n >= 2: at most n + 3 ticks come of it. start, length: of the axis. Deterministic. */
nas_scale_t nas_scale_make(double least, double largest, int n, double start, double length);

/** Where a number is along the axis, at most at its ends. */
double nas_scale_at(const nas_scale_t *scale, double x);

/** Tick i, 0 <= i < n_ticks. */
double nas_scale_tick(const nas_scale_t *scale, int i);

/** Its label. */
void nas_scale_label(const nas_scale_t *scale, int i, FILE *out);

#endif
