#include "cluster/report.h"

#include <math.h>
#include <string.h>

/* More than this many ranks or trees are counted instead of drawn. */
enum { DRAWN_RANKS_MOST = 32, DRAWN_TREES_MOST = 12 };

static const char *const part_titles[REPORT_PARTS] = {"all-reduce", "all-gather", "reduce-scatter"};

static void text_rate(FILE *out, double rate)
{
    if (isnan(rate))
        fputs("none", out);
    else if (isinf(rate))
        fputs("unbounded", out);
    else
        fprintf(out, "%.6g GB/s", rate / 1e9);
}

/* Numbers as 0..3, 8, 12..15, then the names of switches. */
static void text_part(FILE *out, const topology_report *r, const bound *b, int part)
{
    const char *comma = "";
    size_t count = r->graph->devices.count;
    fputc('{', out);
    for (size_t i = 0; i < count; i++) {
        if (b->part_of[r->graph->devices.items[i]] != part)
            continue;
        size_t last = i;
        while (last + 1 < count && b->part_of[r->graph->devices.items[last + 1]] == part)
            last++;
        fprintf(out,
                last == i       ? "%s%zu"
                : last == i + 1 ? "%s%zu, %zu"
                                : "%s%zu..%zu",
                comma, i, last);
        comma = ", ";
        i = last;
    }
    for (size_t i = 0; i < r->graph->nodes.count; i++) {
        if (r->graph->nodes.items[i].kind != LINK_SWITCH || b->part_of[i] != part)
            continue;
        fprintf(out, "%s%s", comma, r->graph->nodes.items[i].name);
        comma = ", ";
    }
    fputc('}', out);
}

static void text_proof(FILE *out, const topology_report *r, const bound *b)
{
    if (b->kind == BOUND_NONE)
        return;
    double capacity = (double)b->capacity / 1e9, factor = rational_value(b->factor);
    if (b->kind == BOUND_CUT) {
        bool most = 2 * b->divisor > r->count;
        fprintf(out, "    %.6g GB/s %s S = %s", capacity, b->into ? "into" : "out of",
                most ? "all but " : "");
        text_part(out, r, b, most ? 0 : 1);
        fprintf(out, " with %lld ranks, times %.6g\n", (long long)b->divisor, factor);
        return;
    }
    fprintf(out, "    %.6g GB/s between %d parts, over %lld:", capacity, b->part_count,
            (long long)b->divisor);
    for (int part = 0; part < b->part_count; part++) {
        fputc(' ', out);
        text_part(out, r, b, part);
    }
    fputc('\n', out);
}

/* A tree as lines, a child under its parent. */
typedef struct tree_drawing {
    FILE *out;
    const topology_report *r;
    const forest *f;
    const forest_tree *tree;
} tree_drawing;

static void draw_below(const tree_drawing *d, int rank, const char *indent)
{
    int left = 0;
    for (int i = 0; i < d->f->rank_count - 1; i++)
        left += d->tree->edges[i].parent == rank;
    for (int i = 0; i < d->f->rank_count - 1; i++) {
        if (d->tree->edges[i].parent != rank)
            continue;
        left--;
        const forest_route *route = &d->f->routes[d->tree->edges[i].route];
        fprintf(d->out, "%s%s %d", indent, left ? "├─" : "└─",
                report_device_number(d->r, d->tree->edges[i].child));
        for (int k = 0; k + 1 < route->arc_count; k++) {
            const link_arc *arc = &d->r->graph->arcs.items[route->arcs[k]];
            fprintf(d->out, "%s%s", k ? ", " : "  over ", d->r->graph->nodes.items[arc->to].name);
        }
        fputc('\n', d->out);
        char deeper[512];
        snprintf(deeper, sizeof deeper, "%s%s", indent, left ? "│  " : "   ");
        draw_below(d, d->tree->edges[i].child, deeper);
    }
}

static void text_trees(FILE *out, const topology_report *r, const synthesis *s)
{
    if (s->status != SYNTHESIS_OK || r->count < 2)
        return;
    const forest *f = &s->phases[s->phase_count - 1];
    fprintf(
        out, "  %d tree%s%s, at most %d edges deep\n", f->tree_count, f->tree_count == 1 ? "" : "s",
        s->phase_count == 2 ? " each way (reduce-scatter, then all-gather)" : "", forest_depth(f));
    if (f->rank_count > DRAWN_RANKS_MOST)
        return;
    for (int t = 0; t < f->tree_count && t < DRAWN_TREES_MOST; t++) {
        tree_drawing d = {out, r, f, &f->trees[t]};
        fprintf(out, "    tree %d, %.4g %% of the data\n    %d\n", t + 1,
                100.0 * (double)d.tree->weight / (double)f->total_weight,
                report_device_number(r, d.tree->root));
        draw_below(&d, d.tree->root, "    ");
    }
    if (f->tree_count > DRAWN_TREES_MOST)
        fprintf(out, "    and %d more\n", f->tree_count - DRAWN_TREES_MOST);
}

static void text_rates(FILE *out, const report_collective *c)
{
    for (size_t i = 0; i < c->rates.count; i++) {
        fprintf(out, "    %-20s ", c->rates.items[i].name);
        text_rate(out, c->rates.items[i].rate);
        double best = rational_value(c->best.rate);
        if (isfinite(c->rates.items[i].rate) && isfinite(best) && best > 0)
            fprintf(out, "  (%.4g %% of the bound)", 100 * c->rates.items[i].rate / best);
        fputc('\n', out);
    }
}

static void text_size(char *into, size_t room, int64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    int unit = 0;
    while (unit < 4 && bytes >= 1024 && bytes % 1024 == 0) {
        bytes /= 1024;
        unit++;
    }
    snprintf(into, room, "%lld %s", (long long)bytes, units[unit]);
}

static void text_duration(FILE *out, double seconds, bool fastest)
{
    static const char *const units[] = {"us", "ms", "s"};
    double value = seconds * 1e6;
    int unit = 0;
    for (; unit < 2 && value >= 1000; unit++)
        value /= 1000;
    char shown[32];
    snprintf(shown, sizeof shown, "%.4g %s%s", value, units[unit], fastest ? "*" : "");
    fprintf(out, " %13s", shown);
}

/* The topologies in the order in which they were first timed. */
static size_t text_columns(const report_collective *c, const char **names, size_t room)
{
    size_t count = 0;
    for (size_t i = 0; i < c->times.count; i++) {
        size_t k = 0;
        while (k < count && strcmp(names[k], c->times.items[i].name) != 0)
            k++;
        if (k == count && count < room)
            names[count++] = c->times.items[i].name;
    }
    return count;
}

static void text_times_of(FILE *out, const topology_report *r, report_part part, int64_t bytes)
{
    enum { COLUMNS = 16 };
    const report_collective *c = &r->parts[part];
    const char *names[COLUMNS], *fastest = report_fastest(r, part, bytes);
    size_t columns = text_columns(c, names, COLUMNS);
    char size[32];
    text_size(size, sizeof size, bytes);
    fprintf(out, "    %-10s", size);
    for (size_t k = 0; k < columns; k++) {
        const report_time *found = NULL;
        for (size_t i = 0; i < c->times.count && !found; i++)
            if (c->times.items[i].bytes == bytes && strcmp(c->times.items[i].name, names[k]) == 0)
                found = &c->times.items[i];
        if (found)
            text_duration(out, found->seconds, fastest && strcmp(fastest, names[k]) == 0);
        else
            fprintf(out, " %13s", "");
    }
    fputc('\n', out);
}

/* A row for each size, a column for each topology; the fastest has a star. */
static void text_times(FILE *out, const topology_report *r, report_part part)
{
    enum { COLUMNS = 16 };
    const report_collective *c = &r->parts[part];
    const char *names[COLUMNS];
    size_t columns = text_columns(c, names, COLUMNS);
    if (columns == 0)
        return;
    fprintf(out, "  predicted times (* fastest)\n    %-10s", "");
    for (size_t k = 0; k < columns; k++)
        fprintf(out, " %13s", names[k]);
    fputc('\n', out);
    for (size_t i = 0; i < c->times.count; i++) {
        size_t first = 0;
        while (c->times.items[first].bytes != c->times.items[i].bytes)
            first++;
        if (first == i)
            text_times_of(out, r, part, c->times.items[i].bytes);
    }
}

static void text_collective(FILE *out, const topology_report *r, report_part part)
{
    const report_collective *c = &r->parts[part];
    fprintf(out, "%s\n  bound ", part_titles[part]);
    if (c->best.status == SYNTHESIS_DISCONNECTED) {
        fprintf(
            out,
            "0: device %d cannot be reached from device %d over links of the ranks and switches\n",
            report_device_number(r, c->best.unreached), report_device_number(r, 0));
        return;
    }
    if (c->best.status == SYNTHESIS_RANGE) {
        fputs("not found: the bandwidths are too unlike for exact arithmetic in 64 bits\n", out);
        return;
    }
    if (c->best.status == SYNTHESIS_EFFORT) {
        fputs("not found: that takes more work than is done for one cluster\n", out);
        return;
    }
    text_rate(out, rational_value(c->best.rate));
    fputc('\n', out);
    text_proof(out, r, &c->best);
    fputs("  rates\n", out);
    text_rates(out, c);
    if (part == REPORT_ALL_REDUCE)
        text_trees(out, r, &c->made);
    text_times(out, r, part);
}

void report_print_text(const topology_report *r, FILE *out)
{
    fprintf(out, "cluster %s, %d rank%s\n", r->graph->name, r->count, r->count == 1 ? "" : "s");
    for (report_part part = 0; part < REPORT_PARTS; part++)
        text_collective(out, r, part);
    fprintf(out, "found in %.3f s\n", r->seconds);
}
