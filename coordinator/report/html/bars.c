#include "common/base/utf8.h"
#include "coordinator/report/html/markup.h"
#include "coordinator/report/html/page.h"
#include "coordinator/report/html/scale.h"

#include <math.h>
#include <string.h>

enum { WIDTH = 520, LEFT = 150, RIGHT = 74, ROW = 28, TOP = 6, BOTTOM = 24, MOST_BYTES = 18 };

/* A label as far as it has room; the whole of it is its tooltip. */
static void print_label(const nas_bar_t *bar, double y, FILE *out)
{
    char text[MOST_BYTES + 1];
    size_t n = 0;
    for (size_t k; bar->label[n] && (k = nas_utf8_length(bar->label + n)) > 0; n += k)
        if (n + k > MOST_BYTES) break;
    memcpy(text, bar->label, n);
    text[n] = '\0';
    (void)fprintf(out, "<text x=\"%d\" y=\"%.0f\" text-anchor=\"end\"><title>", LEFT - 8, y + 5);
    nas_html_text(bar->label, out);
    (void)fputs("</title>", out);
    nas_html_text(text, out);
    (void)fprintf(out, "%s</text>", bar->label[n] ? "..." : "");
}

static void print_bar(const nas_bars_t *bars, const nas_scale_t *scale, int i)
{
    const nas_bar_t *bar = &bars->bar[i];
    const double y = TOP + ROW * (i + 0.5), zero = nas_scale_at(scale, 0);
    FILE *out = bars->out;
    print_label(bar, y, out);
    if (!isfinite(bar->value)) {
        (void)fprintf(out, "<text class=\"tick\" x=\"%.1f\" y=\"%.0f\">%s</text>\n", zero + 8,
                      y + 5, bar->when_none ? bar->when_none : "unknown");
        return;
    }
    const double end = nas_scale_at(scale, bar->value);
    (void)fprintf(out, "<rect class=\"bar\" x=\"%.1f\" y=\"%.0f\" width=\"%.1f\" height=\"14\"/>",
                  fmin(zero, end), y - 7, fabs(end - zero));
    for (int k = 0; k < bar->n_part; k++)
        if (isfinite(bar->part[k]))
            (void)fprintf(out, "<path class=\"part\" d=\"M%.1f %.0fv6\"/>",
                          nas_scale_at(scale, bar->part[k]), y + 5);
    (void)fprintf(out, "<text x=\"%d\" y=\"%.0f\" text-anchor=\"end\">", WIDTH - 4, y + 5);
    (void)fprintf(out, bar->format, bar->value);
    (void)fputs("</text>\n", out);
}

void nas_bars_draw(const nas_bars_t *bars)
{
    const int height = TOP + ROW * bars->n + BOTTOM;
    const nas_scale_t scale =
        nas_scale_make(bars->least, bars->largest, 5, LEFT, WIDTH - RIGHT - LEFT);
    FILE *out = bars->out;
    (void)fprintf(out,
                  "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-labelledby=\"%s-0\">"
                  "<title id=\"%s-0\">%s</title><desc>%d bars</desc>\n",
                  WIDTH, height, bars->id, bars->id, bars->title, bars->n);
    for (int i = 0; i < scale.n_ticks; i++) {
        const double x = nas_scale_at(&scale, nas_scale_tick(&scale, i));
        (void)fprintf(out,
                      "<path class=\"rule\" d=\"M%.1f %dV%d\"/><text class=\"tick\" x=\"%.1f\" "
                      "y=\"%d\" text-anchor=\"middle\">",
                      x, TOP, height - BOTTOM, x, height - 6);
        nas_scale_label(&scale, i, out);
        (void)fputs("</text>", out);
    }
    for (int i = 0; i < bars->n; i++) print_bar(bars, &scale, i);
    (void)fprintf(out, "<path class=\"axis\" d=\"M%.1f %dV%d\"/></svg>\n", nas_scale_at(&scale, 0),
                  TOP, height - BOTTOM);
}
