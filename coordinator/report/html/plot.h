/* Plots of two axes, as inline SVG: a drawing that is read without scripts, says in words what it
 * shows, and takes its colours from the page's style. */
#ifndef NAS_COORDINATOR_REPORT_HTML_PLOT_H
#define NAS_COORDINATOR_REPORT_HTML_PLOT_H

#include "coordinator/report/html/scale.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/** Series differ by colour and by mark or dashes; number NAS_PLOT_SERIES looks like number 0. */
enum { NAS_PLOT_SERIES = 6 };

/** Numbers that an axis has to take in. Zero-initialise it. */
typedef struct nas_extent {
    double least, largest; /**< where n > 0 */
    int64_t n;
} nas_extent_t;

/** One number more, unless it is not finite. */
void nas_extent_add(nas_extent_t *extent, double x);

/** What a plot is of. Texts are from anywhere, borrowed. */
typedef struct nas_plot {
    FILE *out;
    const char *id;      /**< on the page, where it is the only one of this name; markup */
    int number;          /**< behind the id, where there are several */
    const char *title;   /**< what it shows */
    const char *x_label; /**< what is along its axes */
    const char *y_label;
    nas_extent_t x_extent, y_extent;
    bool x_is_whole; /**< a count, without parts */
    bool is_small;   /**< one of several beside each other */
    /* set by nas_plot_begin */
    nas_scale_t x, y;
} nas_plot_t;

/** The axes.  Not collective. */
void nas_plot_begin(nas_plot_t *plot);

/** A line through n points, with a gap where y is not finite.  `kind` is a class of the style, as
 *  "main", "plain" or "thin". */
void nas_plot_line(const nas_plot_t *plot, const double *x, const double *y, int64_t n, int series,
                   const char *kind);

/** The same, as stairs: y stays as it is until the next point. */
void nas_plot_stairs(const nas_plot_t *plot, const double *x, const double *y, int64_t n,
                     int series, const char *kind);

/** A mark at each of n points whose x and y are finite, of at most `most` of them, every k-th.
 *  Returns how many are drawn. */
int64_t nas_plot_marks(const nas_plot_t *plot, const double *x, const double *y, int64_t n,
                       int series, int64_t most);

/** The end of the drawing. */
void nas_plot_end(const nas_plot_t *plot);

/** How a series looks, for a list of them. is_line: by its line, else by its mark. */
void nas_plot_key(int series, bool is_line, const char *name, FILE *out);

#endif
