#include "coordinator/report/html/plot.h"

#include "coordinator/report/html/markup.h"

#include <math.h>

enum { WIDTH = 520, HEIGHT = 320, SMALL = 300, LEFT = 64, RIGHT = 22, TOP = 14, BOTTOM = 50 };

static const char *const shape[NAS_PLOT_SERIES] = {"m-3.5 0a3.5 3.5 0 1 0 7 0 3.5 3.5 0 1 0-7 0",
                                                   "m-3-3h6v6h-6z",
                                                   "m0-4l4 7h-8z",
                                                   "m0-4.5l4.5 4.5-4.5 4.5-4.5-4.5z",
                                                   "m-4 0h8m-4-4v8",
                                                   "m-3.5-3.5l7 7m-7 0l7-7"};

void nas_extent_add(nas_extent_t *extent, double x)
{
    if (!isfinite(x)) return;
    extent->least = extent->n ? fmin(extent->least, x) : x;
    extent->largest = extent->n ? fmax(extent->largest, x) : x;
    extent->n++;
}

static int width_of(const nas_plot_t *plot)
{
    return plot->is_small ? SMALL : WIDTH;
}

static void print_tick(const nas_plot_t *plot, const nas_scale_t *scale, int i)
{
    const bool is_x = scale == &plot->x;
    const double at = nas_scale_at(scale, nas_scale_tick(scale, i));
    if (is_x)
        (void)fprintf(plot->out, "<text class=\"tick\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">",
                      at, HEIGHT - BOTTOM + 19);
    else
        (void)fprintf(plot->out,
                      "<path class=\"rule\" d=\"M%d %.1fH%d\"/><text class=\"tick\" x=\"%d\" "
                      "y=\"%.1f\" text-anchor=\"end\">",
                      LEFT, at, width_of(plot) - RIGHT, LEFT - 7, at + 4.5);
    nas_scale_label(scale, i, plot->out);
    (void)fputs("</text>", plot->out);
}

static void print_names(const nas_plot_t *plot)
{
    FILE *out = plot->out;
    const int middle = (LEFT + width_of(plot) - RIGHT) / 2;
    (void)fprintf(out, "<text class=\"axis-name\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">",
                  middle, HEIGHT - 10);
    nas_html_text(plot->x_label, out);
    (void)fprintf(out,
                  "</text><text class=\"axis-name\" transform=\"translate(14 %d) rotate(-90)\" "
                  "text-anchor=\"middle\">",
                  (TOP + HEIGHT - BOTTOM) / 2);
    nas_html_text(plot->y_label, out);
    (void)fputs("</text>\n", out);
}

/* The name of the drawing, for those who do not see it. */
static void print_title(const nas_plot_t *plot)
{
    (void)fprintf(plot->out,
                  "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-labelledby=\"%s-%d\"%s>"
                  "<title id=\"%s-%d\">",
                  width_of(plot), HEIGHT, plot->id, plot->number,
                  plot->is_small ? " class=\"small\"" : "", plot->id, plot->number);
    nas_html_text(plot->title, plot->out);
    (void)fputs("</title><desc>", plot->out);
    nas_html_text(plot->y_label, plot->out);
    (void)fprintf(plot->out, " from %.6g to %.6g, against ", plot->y_extent.least,
                  plot->y_extent.largest);
    nas_html_text(plot->x_label, plot->out);
    (void)fprintf(plot->out, " from %.6g to %.6g</desc>\n", plot->x_extent.least,
                  plot->x_extent.largest);
}

void nas_plot_begin(nas_plot_t *plot)
{
    const double right = width_of(plot) - RIGHT;
    const double range = plot->x_extent.largest - plot->x_extent.least;
    const int n_ticks = plot->is_small ? 4 : plot->x_is_whole && range < 5 ? (int)range + 1 : 6;
    plot->x = nas_scale_make(plot->x_extent.least, plot->x_extent.largest,
                             n_ticks > 2 ? n_ticks : 2, LEFT, right - LEFT);
    plot->y = nas_scale_make(plot->y_extent.least, plot->y_extent.largest, 5, HEIGHT - BOTTOM,
                             -(double)(HEIGHT - BOTTOM - TOP));
    print_title(plot);
    const int every = plot->is_small && plot->x.n_ticks > 3 ? 2 : 1; /* as there is room */
    for (int i = 0; i < plot->x.n_ticks; i += every) print_tick(plot, &plot->x, i);
    for (int i = 0; i < plot->y.n_ticks; i++) print_tick(plot, &plot->y, i);
    (void)fprintf(plot->out, "<path class=\"axis\" d=\"M%d %dV%dH%.0f\"/>", LEFT, TOP,
                  HEIGHT - BOTTOM, right);
    print_names(plot);
}

static void trace(const nas_plot_t *plot, const double *x, const double *y, int64_t n, bool stairs)
{
    bool pen_down = false;
    for (int64_t i = 0; i < n; i++) {
        const bool is_there = isfinite(x[i]) && isfinite(y[i]);
        const double at_x = nas_scale_at(&plot->x, x[i]);
        if (is_there && pen_down && stairs)
            (void)fprintf(plot->out, "H%.1fV%.1f", at_x, nas_scale_at(&plot->y, y[i]));
        else if (is_there)
            (void)fprintf(plot->out, "%c%.1f %.1f", pen_down ? 'L' : 'M', at_x,
                          nas_scale_at(&plot->y, y[i]));
        pen_down = is_there;
    }
}

static void line(const nas_plot_t *plot, int series, const char *kind)
{
    (void)fprintf(plot->out, "<path class=\"line s%d %s\" d=\"M0 0", series % NAS_PLOT_SERIES,
                  kind);
}

void nas_plot_line(const nas_plot_t *plot, const double *x, const double *y, int64_t n, int series,
                   const char *kind)
{
    line(plot, series, kind);
    trace(plot, x, y, n, false);
    (void)fputs("\"/>\n", plot->out);
}

void nas_plot_stairs(const nas_plot_t *plot, const double *x, const double *y, int64_t n,
                     int series, const char *kind)
{
    line(plot, series, kind);
    trace(plot, x, y, n, true);
    (void)fputs("\"/>\n", plot->out);
}

int64_t nas_plot_marks(const nas_plot_t *plot, const double *x, const double *y, int64_t n,
                       int series, int64_t most)
{
    int64_t n_finite = 0, n_seen = 0, n_drawn = 0;
    for (int64_t i = 0; i < n; i++) n_finite += isfinite(x[i]) && isfinite(y[i]);
    const int64_t stride = nas_html_stride(n_finite, most);
    (void)fprintf(plot->out, "<path class=\"mark s%d\" d=\"M0 0", series % NAS_PLOT_SERIES);
    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(x[i]) || !isfinite(y[i]) || n_seen++ % stride != 0) continue;
        (void)fprintf(plot->out, "M%.1f %.1f%s", nas_scale_at(&plot->x, x[i]),
                      nas_scale_at(&plot->y, y[i]), shape[series % NAS_PLOT_SERIES]);
        n_drawn++;
    }
    (void)fputs("\"/>\n", plot->out);
    return n_drawn;
}

void nas_plot_end(const nas_plot_t *plot)
{
    (void)fputs("</svg>\n", plot->out);
}

void nas_plot_key(int series, bool is_line, const char *name, FILE *out)
{
    const int s = series % NAS_PLOT_SERIES;
    (void)fprintf(out, "<li><svg viewBox=\"0 0 28 12\" class=\"key\" aria-hidden=\"true\">");
    if (is_line)
        (void)fprintf(out, "<path class=\"line s%d main\" d=\"M0 6H28\"/>", s);
    else
        (void)fprintf(out, "<path class=\"mark s%d\" d=\"M14 6%s\"/>", s, shape[s]);
    (void)fputs("</svg>", out);
    nas_html_text(name, out);
    (void)fputs("</li>\n", out);
}
