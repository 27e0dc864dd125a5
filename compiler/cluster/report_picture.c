#include "cluster/report.h"

#include <math.h>

static const char *const tree_colours[] = {"#1b6ca8", "#d1495b", "#2e8b57", "#c98a00", "#7a4fa3",
                                           "#00838f", "#a0522d", "#5c6b73", "#b0307a", "#4f7942"};
enum { COLOURS = sizeof tree_colours / sizeof *tree_colours, PANELS_MOST = 48 };

static const forest *picture_forest(const topology_report *r)
{
    const synthesis *s = &r->parts[REPORT_ALL_REDUCE].made;
    return s->status == SYNTHESIS_OK && r->count > 1 ? &s->phases[s->phase_count - 1] : NULL;
}

static bool picture_is_rank(const topology_report *r, int node)
{
    for (int i = 0; i < r->count; i++)
        if (r->ranks[i] == node)
            return true;
    return false;
}

static void dot_quoted(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text; text++)
        fprintf(out, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
    fputc('"', out);
}

/* Each pair of nodes once: a link of both ways, or an arrow of one. */
static void dot_links(const topology_report *r, FILE *out)
{
    const link_graph *g = r->graph;
    for (size_t i = 0; i < g->arcs.count; i++) {
        const link_arc *arc = &g->arcs.items[i];
        int back = link_graph_find_arc(g, arc->to, arc->from);
        bool both = back >= 0 && g->arcs.items[back].bytes_per_second == arc->bytes_per_second;
        if (both && arc->from > arc->to)
            continue;
        fprintf(out, "  n%d -> n%d [dir=%s, color=\"#cccccc\", penwidth=3, label=\"%.4g GB/s\"];\n",
                arc->from, arc->to, both ? "both" : "forward", (double)arc->bytes_per_second / 1e9);
    }
}

void report_print_dot(const topology_report *r, FILE *out)
{
    const link_graph *g = r->graph;
    fputs("digraph ", out);
    dot_quoted(out, g->name);
    fputs(" {\n  node [fontname=\"sans-serif\"];\n  edge [fontname=\"sans-serif\", fontsize=9];\n",
          out);
    for (size_t i = 0; i < g->nodes.count; i++) {
        bool device = g->nodes.items[i].kind == LINK_DEVICE;
        fprintf(out, "  n%zu [shape=%s%s, label=", i, device ? "circle" : "box",
                picture_is_rank(r, (int)i) || !device ? "" : ", color=\"#cccccc\"");
        dot_quoted(out, g->nodes.items[i].name);
        fputs("];\n", out);
    }
    dot_links(r, out);
    const forest *f = picture_forest(r);
    for (int t = 0; f && t < f->tree_count && t < PANELS_MOST; t++)
        for (int i = 0; i < f->rank_count - 1; i++)
            fprintf(out, "  n%d -> n%d [color=\"%s\", constraint=false, tooltip=\"tree %d\"];\n",
                    r->ranks[f->trees[t].edges[i].parent], r->ranks[f->trees[t].edges[i].child],
                    tree_colours[t % COLOURS], t + 1);
    fputs("}\n", out);
}

enum { PANEL = 240, RADIUS = 90, PANELS_WIDE = 4 };

typedef struct svg_panel {
    FILE *out;
    const topology_report *r;
    double x; /* of the middle */
    double y;
} svg_panel;

static void svg_place(const svg_panel *p, int rank, double *x, double *y)
{
    double turn = 2 * 3.14159265358979323846 * rank / p->r->count;
    *x = p->x + RADIUS * sin(turn);
    *y = p->y - RADIUS * cos(turn);
}

static void svg_line(const svg_panel *p, int from, int to, const char *style)
{
    double x1, y1, x2, y2;
    svg_place(p, from, &x1, &y1);
    svg_place(p, to, &x2, &y2);
    double length = hypot(x2 - x1, y2 - y1), cut = length > 24 ? 12 / length : 0;
    fprintf(p->out, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" %s/>\n",
            x1 + (x2 - x1) * cut, y1 + (y2 - y1) * cut, x2 - (x2 - x1) * cut, y2 - (y2 - y1) * cut,
            style);
}

static void svg_links(const svg_panel *p)
{
    for (int a = 0; a < p->r->count; a++)
        for (int b = a + 1; b < p->r->count; b++)
            if (link_graph_find_arc(p->r->graph, p->r->ranks[a], p->r->ranks[b]) >= 0)
                svg_line(p, a, b, "stroke=\"#dddddd\" stroke-width=\"1\"");
}

static void svg_ranks(const svg_panel *p, int root, const char *colour)
{
    for (int rank = 0; rank < p->r->count; rank++) {
        double x, y;
        svg_place(p, rank, &x, &y);
        fprintf(p->out,
                "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"10\" fill=\"%s\" stroke=\"%s\"/>"
                "<text x=\"%.1f\" y=\"%.1f\" fill=\"%s\">%d</text>\n",
                x, y, rank == root ? colour : "#ffffff", colour, x, y + 3.5,
                rank == root ? "#ffffff" : "#222222", report_device_number(p->r, rank));
    }
}

static void svg_tree(const svg_panel *p, const forest *f, int number)
{
    const forest_tree *t = &f->trees[number];
    const char *colour = tree_colours[number % COLOURS];
    char style[128];
    snprintf(style, sizeof style, "stroke=\"%s\" stroke-width=\"2\" marker-end=\"url(#a%d)\"",
             colour, number % COLOURS);
    svg_links(p);
    for (int i = 0; i < f->rank_count - 1; i++)
        svg_line(p, t->edges[i].parent, t->edges[i].child, style);
    svg_ranks(p, t->root, colour);
    fprintf(p->out, "<text x=\"%.1f\" y=\"%.1f\">tree %d: %.4g %% of the data</text>\n", p->x,
            p->y + PANEL / 2 - 6, number + 1, 100.0 * (double)t->weight / (double)f->total_weight);
}

static void svg_arrowheads(FILE *out)
{
    fputs("<defs>\n", out);
    for (int i = 0; i < COLOURS; i++)
        fprintf(out,
                "<marker id=\"a%d\" viewBox=\"0 0 6 6\" refX=\"5\" refY=\"3\" markerWidth=\"5\" "
                "markerHeight=\"5\" orient=\"auto\"><path d=\"M0,0 L6,3 L0,6 z\" "
                "fill=\"%s\"/></marker>\n",
                i, tree_colours[i]);
    fputs("</defs>\n", out);
}

void report_print_svg(const topology_report *r, FILE *out)
{
    const forest *f = picture_forest(r);
    int panels = f ? (f->tree_count < PANELS_MOST ? f->tree_count : PANELS_MOST) : 1;
    int wide = panels < PANELS_WIDE ? panels : PANELS_WIDE;
    int high = (panels + wide - 1) / wide;
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
            "font-family=\"sans-serif\" font-size=\"10\" text-anchor=\"middle\">\n"
            "<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n",
            wide * PANEL, high * PANEL + 24);
    svg_arrowheads(out);
    fprintf(out,
            "<text x=\"%d\" y=\"16\" font-size=\"12\">all-reduce on %d ranks: %.6g GB/s of "
            "%.6g</text>\n",
            wide * PANEL / 2, r->count, rational_value(r->parts[REPORT_ALL_REDUCE].made.rate) / 1e9,
            rational_value(r->parts[REPORT_ALL_REDUCE].best.rate) / 1e9);
    for (int i = 0; i < panels; i++) {
        svg_panel p = {out, r, (i % wide + 0.5) * PANEL, (i / wide + 0.5) * PANEL + 16};
        if (f)
            svg_tree(&p, f, i);
        else
            svg_ranks(&p, -1, tree_colours[0]);
    }
    fputs("</svg>\n", out);
}
