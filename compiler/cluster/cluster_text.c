#include "cluster/cluster_text.h"

#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

typedef struct cluster_writer {
    arena *memory;
    const link_graph *g;
    text out;
    int *number;        /* by node: among devices or switches */
    const char **names; /* by node: as written in the block */
    bool *said;         /* by arc */
} cluster_writer;

static const char *writer_bandwidth(cluster_writer *w, int64_t bytes)
{
    static const struct {
        int64_t size;
        const char *unit;
    } units[] = {{1000000000, "GB/s"}, {1000000, "MB/s"}, {1000, "KB/s"}, {1, "B/s"}};
    int i = 0;
    while (bytes % units[i].size != 0)
        i++;
    return arena_format(w->memory, "%lld %s", (long long)(bytes / units[i].size), units[i].unit);
}

static const char *writer_rate(cluster_writer *w, int64_t bytes, double seconds)
{
    return arena_format(w->memory, "%s, %.9g us", writer_bandwidth(w, bytes), seconds * 1e6);
}

/* The last part of a dotted name with brackets gone, made different from those before it. */
static const char *writer_switch_name(cluster_writer *w, int node)
{
    const char *full = w->g->nodes.items[node].name, *dot = strrchr(full, '.');
    char name[64];
    size_t length = 0;
    for (const char *c = dot ? dot + 1 : full; *c && length + 1 < sizeof name; c++)
        if (isalnum((unsigned char)*c) || *c == '_')
            name[length++] = *c;
    name[length] = '\0';
    bool taken = length == 0 || isdigit((unsigned char)name[0]) || strcmp(name, "g") == 0;
    for (int i = 0; i < node && !taken; i++)
        taken = w->names[i] && strcmp(w->names[i], name) == 0;
    return taken ? arena_format(w->memory, "sw%d_%s", w->number[node], name)
                 : arena_copy_text(w->memory, name, length);
}

static void writer_name_nodes(cluster_writer *w)
{
    int devices = 0, switches = 0;
    for (size_t i = 0; i < w->g->nodes.count; i++) {
        bool device = w->g->nodes.items[i].kind == LINK_DEVICE;
        w->number[i] = device ? devices++ : switches++;
        w->names[i] =
            device ? arena_format(w->memory, "g[%d]", w->number[i]) : writer_switch_name(w, (int)i);
    }
}

static int writer_back(const cluster_writer *w, const link_arc *arc)
{
    int back = link_graph_find_arc(w->g, arc->to, arc->from);
    if (back < 0 || w->g->arcs.items[back].bytes_per_second != arc->bytes_per_second)
        return -1;
    return back;
}

static bool writer_direct(const cluster_writer *w, const link_arc *arc)
{
    return w->g->nodes.items[arc->from].kind == LINK_DEVICE &&
           w->g->nodes.items[arc->to].kind == LINK_DEVICE;
}

static void writer_edge(cluster_writer *w, size_t at, const char *before)
{
    const link_arc *arc = &w->g->arcs.items[at];
    int back = writer_back(w, arc);
    text_add(&w->out, "%s%d%s%d", before, w->number[arc->from], back >= 0 ? "-" : " -> ",
             w->number[arc->to]);
    if (arc->lanes > 1)
        text_add(&w->out, " x%d", arc->lanes);
    w->said[at] = true;
    if (back >= 0)
        w->said[back] = true;
}

/* One statement for all direct links whose lanes are alike. */
static void writer_links(cluster_writer *w)
{
    const link_graph *g = w->g;
    for (size_t i = 0; i < g->arcs.count; i++) {
        const link_arc *first = &g->arcs.items[i];
        if (w->said[i] || !writer_direct(w, first))
            continue;
        int64_t lane = first->bytes_per_second / first->lanes;
        text_add(&w->out, "    link g: %s {", writer_rate(w, lane, first->seconds));
        const char *before = " ";
        for (size_t k = i; k < g->arcs.count; k++) {
            const link_arc *arc = &g->arcs.items[k];
            if (w->said[k] || !writer_direct(w, arc) || arc->seconds != first->seconds ||
                arc->bytes_per_second != lane * arc->lanes)
                continue;
            writer_edge(w, k, before);
            before = ", ";
        }
        text_add(&w->out, " }\n");
    }
}

/* The ports of a switch that lead to devices or to switches written before it. */
typedef struct writer_hub {
    int hub;
    int64_t widest;
    double seconds; /* of the whole switch */
    VEC(int) arcs;  /* inward */
} writer_hub;

static writer_hub writer_ports(cluster_writer *w, int hub)
{
    writer_hub h = {.hub = hub};
    for (size_t i = 0; i < w->g->arcs.count; i++) {
        const link_arc *arc = &w->g->arcs.items[i];
        bool below = w->g->nodes.items[arc->from].kind == LINK_DEVICE || arc->from < hub;
        if (arc->to != hub || !below)
            continue;
        vec_push(w->memory, &h.arcs, (int)i);
        if (arc->bytes_per_second > h.widest)
            h.widest = arc->bytes_per_second;
        if (arc->seconds * 2 > h.seconds)
            h.seconds = arc->seconds * 2;
    }
    return h;
}

/* Ports alike for all devices, in order, and nothing else: `over g`. */
static bool writer_over_all(const cluster_writer *w, const writer_hub *h)
{
    if (h->arcs.count != w->g->devices.count)
        return false;
    for (size_t i = 0; i < h->arcs.count; i++) {
        const link_arc *arc = &w->g->arcs.items[h->arcs.items[i]];
        if (arc->from != w->g->devices.items[i] || arc->bytes_per_second != h->widest)
            return false;
    }
    return true;
}

static void writer_switch(cluster_writer *w, int hub)
{
    writer_hub h = writer_ports(w, hub);
    if (h.arcs.count > 0 && writer_over_all(w, &h)) {
        text_add(&w->out, "    switch %s over g: %s\n", w->names[hub],
                 writer_rate(w, h.widest, h.seconds));
        return;
    }
    if (h.arcs.count == 0)
        return;
    text list = text_in(w->memory);
    for (size_t i = 0; i < h.arcs.count; i++) {
        const link_arc *arc = &w->g->arcs.items[h.arcs.items[i]];
        const char *name = w->names[arc->from];
        if (arc->bytes_per_second != h.widest) {
            const char *port = arena_format(w->memory, "%s_p%zu", w->names[hub], i);
            text_add(&w->out, "    switch %s over %s: %s\n", port, name,
                     writer_rate(w, arc->bytes_per_second, 0));
            name = port;
        }
        text_add(&list, "%s%s", i ? ", " : "", name);
    }
    text_add(&w->out, "    switch %s over %s: %s\n", w->names[hub], text_done(&list),
             writer_rate(w, h.widest, h.seconds));
}

static void writer_remarks(cluster_writer *w, const char *remarks)
{
    while (remarks && *remarks) {
        size_t length = strcspn(remarks, "\n");
        text_add(&w->out, "# %.*s\n", (int)length, remarks);
        remarks += length + (remarks[length] == '\n');
    }
}

const char *cluster_text(arena *a, const link_graph *g, const cluster_text_options *options)
{
    size_t nodes = g->nodes.count + 1;
    cluster_writer w = {a,
                        g,
                        text_in(a),
                        arena_array(a, int, nodes),
                        arena_array(a, const char *, nodes),
                        arena_array(a, bool, g->arcs.count + 1)};
    writer_name_nodes(&w);
    writer_remarks(&w, options->remarks);
    text_add(&w.out, "cluster %s {\n  node box {\n    gpu g[%zu]", g->name, g->devices.count);
    if (options->attributes)
        text_add(&w.out, " { %s }", options->attributes);
    text_add(&w.out, "\n");
    writer_links(&w);
    for (size_t i = 0; i < g->nodes.count; i++)
        if (g->nodes.items[i].kind == LINK_SWITCH)
            writer_switch(&w, (int)i);
    text_add(&w.out, "  }\n}\n");
    return text_done(&w.out);
}
