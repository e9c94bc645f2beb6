/* An architecture as a picture: the cell that it is, where its space says so, or its choices. */
#include "common/space/arch.h"
#include "coordinator/report/html/markup.h"
#include "coordinator/report/html/page.h"

#include <math.h>
#include <string.h>

enum { WIDTH = 560, MIDDLE = 128, HEIGHT = 250, MARGIN = 30, RADIUS = 17, MOST_EDGES = 64 };

typedef struct cell {
    nas_space_edge_t edge[MOST_EDGES];
    int n_edges;
    int last; /* node */
} cell_t;

static cell_t cell_of(const nas_arch_t *arch)
{
    cell_t cell = {.n_edges = 0};
    while (cell.n_edges < MOST_EDGES &&
           arch->space->edge(arch->code, cell.n_edges, &cell.edge[cell.n_edges])) {
        const int to = cell.edge[cell.n_edges++].to;
        if (to > cell.last) cell.last = to;
    }
    return cell;
}

/* An operation that computes nothing. */
static bool is_none(const nas_space_edge_t *edge)
{
    return strcmp(edge->operation, "none") == 0;
}

static double node_x(const cell_t *cell, int node)
{
    return MARGIN + node * (WIDTH - 2.0 * MARGIN) / cell->last;
}

/* How far an edge bends up (negative) or down: neighbours are joined by straight lines, edges over
 * one node go above, those over two below, and so on. */
static double bend_of(const nas_space_edge_t *edge)
{
    const int span = edge->to - edge->from;
    return span == 1 ? 0 : (span % 2 ? 1 : -1) * 65.0 * (span + 1) / 3;
}

static void draw_edge(const cell_t *cell, const nas_space_edge_t *edge, FILE *out)
{
    const double from = node_x(cell, edge->from), to = node_x(cell, edge->to);
    const double bend = 4.0 / 3 * bend_of(edge), reach = 0.25 * (to - from);
    const double length = hypot(reach, bend), gap = RADIUS + (is_none(edge) ? 1 : 7);
    const double x = reach / length, y = bend / length;
    (void)fprintf(out, "<path class=\"edge%s\" d=\"M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1f\"/>\n",
                  is_none(edge) ? " none" : "\" marker-end=\"url(#tip)", from + RADIUS * x,
                  MIDDLE + RADIUS * y, from + reach, MIDDLE + bend, to - reach, MIDDLE + bend,
                  to - gap * x, MIDDLE + gap * y);
}

static void draw_operation(const cell_t *cell, const nas_space_edge_t *edge, FILE *out)
{
    const double x = 0.5 * (node_x(cell, edge->from) + node_x(cell, edge->to));
    const double bend = bend_of(edge);
    (void)fprintf(out, "<text class=\"op halo\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">", x,
                  MIDDLE + bend + (bend > 0 ? 18 : -8));
    nas_html_text(edge->operation, out);
    (void)fputs("</text>\n", out);
}

static void draw_node(const cell_t *cell, int node, FILE *out)
{
    const double x = node_x(cell, node);
    (void)fprintf(out,
                  "<circle class=\"node\" cx=\"%.1f\" cy=\"%d\" r=\"%d\"/>"
                  "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%d</text>\n",
                  x, MIDDLE, RADIUS, x, MIDDLE + 5, node);
}

static void draw_cell(const cell_t *cell, FILE *out)
{
    (void)fprintf(out,
                  "<figure><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-labelledby=\"cell-0\">"
                  "<title id=\"cell-0\">The cell of the best architecture</title>"
                  "<desc>Nodes 0 to %d, and %d edges, which the table lists</desc>\n"
                  "<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"2\" refY=\"4\" "
                  "markerWidth=\"4.5\" markerHeight=\"4.5\" orient=\"auto\">"
                  "<path class=\"bar\" d=\"M0 0L8 4L0 8z\"/></marker></defs>\n",
                  WIDTH, HEIGHT, cell->last, cell->n_edges);
    for (int i = 0; i < cell->n_edges; i++) draw_edge(cell, &cell->edge[i], out);
    for (int i = 0; i < cell->n_edges; i++) draw_operation(cell, &cell->edge[i], out);
    for (int node = 0; node <= cell->last; node++) draw_node(cell, node, out);
    (void)fprintf(
        out,
        "</svg>\n<figcaption>Its cell: node 0 is the input, node %d the output; a node is "
        "the sum of what comes in. Dashed: none, which passes nothing "
        "on.</figcaption></figure>\n",
        cell->last);
}

static void list_edges(const cell_t *cell, FILE *out)
{
    (void)fputs("<table><thead><tr><th scope=\"col\">edge</th><th scope=\"col\">operation</th></tr>"
                "</thead><tbody>\n",
                out);
    for (int i = 0; i < cell->n_edges; i++) {
        const nas_space_edge_t *edge = &cell->edge[i];
        (void)fprintf(out, "<tr><td>%d to %d</td><td><code>", edge->from, edge->to);
        nas_html_text(edge->operation, out);
        (void)fputs("</code></td></tr>\n", out);
    }
    (void)fputs("</tbody></table>\n", out);
}

static void list_choices(const nas_arch_t *arch, FILE *out)
{
    (void)fprintf(out, "<figure class=\"scroll\"><table class=\"heat\"><tbody><tr><th "
                       "scope=\"row\">position</th>");
    for (int i = 0; i < arch->space->n_position; i++) (void)fprintf(out, "<td>%d</td>", i + 1);
    (void)fputs("</tr><tr><th scope=\"row\">choice</th>", out);
    for (int i = 0; i < arch->space->n_position; i++)
        (void)fprintf(out, "<td class=\"h6\">%d</td>", arch->code[i]);
    (void)fprintf(out,
                  "</tr></tbody></table><figcaption>Its choices in the space %s, numbered from 0 "
                  "in the order of the space.</figcaption></figure>\n",
                  arch->space->name);
}

nas_status_t nas_page_draw_arch(const char *name, FILE *out, nas_error_t *err)
{
    nas_arch_t arch = {0};
    nas_error_t ignored = {0};
    const nas_status_t status = nas_arch_find(name, &arch, &ignored);
    if (status == NAS_ENOMEM) return nas_error_nomem(err, "an architecture");
    /* a tuple of choices may be of several spaces */
    if (status || strcmp(arch.name, name) != 0) {
        (void)fputs(
            "<p class=\"note\">Its name alone does not say of which space it is, so that it "
            "is not drawn.</p>\n",
            out);
    } else if (arch.space->edge) {
        const cell_t cell = cell_of(&arch);
        draw_cell(&cell, out);
        list_edges(&cell, out);
    } else {
        list_choices(&arch, out);
    }
    nas_arch_fini(&arch);
    return NAS_OK;
}
