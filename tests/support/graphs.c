#include "support/graphs.h"

static link_graph *with_devices(arena *a, const char *name, int devices)
{
    link_graph *g = link_graph_new(a, name);
    for (int i = 0; i < devices; i++)
        link_graph_add_device(g, arena_format(a, "g[%d]", i), SPAN_NONE);
    return g;
}

link_graph *graph_complete(arena *a, int devices, link_rate rate)
{
    link_graph *g = with_devices(a, "complete", devices);
    for (int i = 0; i < devices; i++)
        for (int j = i + 1; j < devices; j++)
            link_graph_add_link(g, i, j, rate, SPAN_NONE);
    return g;
}

static void add_switch(arena *a, link_graph *g, int first, int count, link_rate rate)
{
    int *nodes = arena_array(a, int, count);
    for (int i = 0; i < count; i++)
        nodes[i] = first + i;
    link_graph_add_switch_over(g, arena_format(a, "switch %d", first), nodes, count, rate);
}

link_graph *graph_star(arena *a, int devices, link_rate rate)
{
    link_graph *g = with_devices(a, "star", devices);
    add_switch(a, g, 0, devices, rate);
    return g;
}

link_graph *graph_dgx1(arena *a, bool volta)
{
    /* from, to, links of DGX-1V; DGX-1P has one of each. */
    static const int links[][3] = {{0, 1, 2}, {0, 2, 1}, {0, 3, 1}, {0, 4, 2}, {1, 2, 1}, {1, 3, 2},
                                   {1, 5, 1}, {2, 3, 2}, {2, 6, 2}, {3, 7, 1}, {4, 5, 2}, {4, 6, 1},
                                   {4, 7, 1}, {5, 6, 1}, {5, 7, 2}, {6, 7, 2}};
    link_graph *g = with_devices(a, volta ? "dgx1v" : "dgx1p", 8);
    for (int i = 0; i < 16; i++)
        link_graph_add_link(g, links[i][0], links[i][1],
                            (link_rate){25000000000, 1.5e-6, volta ? links[i][2] : 1}, SPAN_NONE);
    return g;
}

link_graph *graph_a100(arena *a, int boxes)
{
    link_graph *g = with_devices(a, "a100", boxes * 8);
    for (int b = 0; b < boxes; b++)
        add_switch(a, g, b * 8, 8, (link_rate){300000000000, 1e-6, 1});
    add_switch(a, g, 0, boxes * 8, (link_rate){25000000000, 5e-6, 1});
    return g;
}

bool graph_connected(const link_graph *g, unsigned set, int *nodes, int *count)
{
    unsigned reached = set & (~set + 1), before = 0;
    while (reached != before) {
        before = reached;
        for (size_t i = 0; i < g->arcs.count; i++) {
            const link_arc *arc = &g->arcs.items[i];
            if (arc->from < 32 && arc->to < 32 && (reached >> arc->from & 1) &&
                (set >> arc->to & 1))
                reached |= 1u << arc->to;
        }
    }
    *count = 0;
    for (int i = 0; i < 32; i++)
        if (set >> i & 1)
            nodes[(*count)++] = i;
    return reached == set;
}
