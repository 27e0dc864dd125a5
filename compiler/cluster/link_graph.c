#include "cluster/link_graph.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* Open addressing over (from, to); slots hold arc number + 1. */
struct link_index {
    int32_t *slots;
    size_t size;
};

link_graph *link_graph_new(arena *a, const char *name)
{
    link_graph *g = arena_make(a, link_graph);
    g->memory = a;
    g->name = arena_copy_text(a, name, strlen(name));
    g->index = arena_make(a, struct link_index);
    g->index->size = 64;
    g->index->slots = arena_array(a, int32_t, g->index->size);
    return g;
}

static size_t link_hash(int from, int to)
{
    uint64_t key = (uint64_t)(uint32_t)from << 32 | (uint32_t)to;
    key *= 0x9e3779b97f4a7c15u;
    return (size_t)(key >> 24);
}

static int32_t *link_slot(const link_graph *g, int from, int to)
{
    size_t mask = g->index->size - 1;
    for (size_t at = link_hash(from, to) & mask;; at = (at + 1) & mask) {
        int32_t *slot = &g->index->slots[at];
        if (*slot == 0)
            return slot;
        const link_arc *arc = &g->arcs.items[*slot - 1];
        if (arc->from == from && arc->to == to)
            return slot;
    }
}

static void link_index_grow(link_graph *g)
{
    g->index->size *= 2;
    g->index->slots = arena_array(g->memory, int32_t, g->index->size);
    for (size_t i = 0; i < g->arcs.count; i++)
        *link_slot(g, g->arcs.items[i].from, g->arcs.items[i].to) = (int32_t)i + 1;
}

static int link_graph_add_node(link_graph *g, const char *name, link_node_kind kind, span at)
{
    const char *copy = arena_copy_text(g->memory, name, strlen(name));
    vec_push(g->memory, &g->nodes, (link_node){copy, kind, at});
    return (int)g->nodes.count - 1;
}

int link_graph_add_device(link_graph *g, const char *name, span at)
{
    int node = link_graph_add_node(g, name, LINK_DEVICE, at);
    vec_push(g->memory, &g->devices, node);
    return node;
}

int link_graph_add_switch(link_graph *g, const char *name, span at)
{
    return link_graph_add_node(g, name, LINK_SWITCH, at);
}

void link_graph_add_arc(link_graph *g, int from, int to, link_rate rate, span at)
{
    int lanes = rate.lanes > 0 ? rate.lanes : 1;
    assert(from != to && from >= 0 && to >= 0);
    assert((size_t)from < g->nodes.count && (size_t)to < g->nodes.count);
    assert(rate.bytes_per_second > 0 && rate.bytes_per_second <= INT64_MAX / 64);
    int32_t *slot = link_slot(g, from, to);
    if (*slot != 0) {
        link_arc *known = &g->arcs.items[*slot - 1];
        known->bytes_per_second += rate.bytes_per_second * lanes;
        known->lanes += lanes;
        if (known->seconds < rate.seconds)
            known->seconds = rate.seconds;
        return;
    }
    link_arc arc = {from, to, rate.bytes_per_second * lanes, rate.seconds, lanes, at};
    vec_push(g->memory, &g->arcs, arc);
    *slot = (int32_t)g->arcs.count;
    if (g->arcs.count * 2 > g->index->size)
        link_index_grow(g);
}

void link_graph_add_link(link_graph *g, int a, int b, link_rate rate, span at)
{
    link_graph_add_arc(g, a, b, rate, at);
    link_graph_add_arc(g, b, a, rate, at);
}

void link_graph_add_port(link_graph *g, int hub, int node, link_rate rate, span at)
{
    assert(g->nodes.items[hub].kind == LINK_SWITCH);
    rate.seconds /= 2;
    link_graph_add_link(g, node, hub, rate, at);
}

int link_graph_add_switch_over(link_graph *g, const char *name, const int *nodes, int count,
                               link_rate rate)
{
    int hub = link_graph_add_switch(g, name, SPAN_NONE);
    for (int i = 0; i < count; i++)
        link_graph_add_port(g, hub, nodes[i], rate, SPAN_NONE);
    return hub;
}

int link_graph_find_arc(const link_graph *g, int from, int to)
{
    return *link_slot(g, from, to) - 1;
}

int link_graph_find_node(const link_graph *g, const char *name)
{
    for (size_t i = 0; i < g->nodes.count; i++)
        if (strcmp(g->nodes.items[i].name, name) == 0)
            return (int)i;
    return -1;
}

bool link_graph_is_symmetric(const link_graph *g)
{
    for (size_t i = 0; i < g->arcs.count; i++) {
        const link_arc *arc = &g->arcs.items[i];
        int back = link_graph_find_arc(g, arc->to, arc->from);
        if (back < 0 || g->arcs.items[back].bytes_per_second != arc->bytes_per_second)
            return false;
    }
    return true;
}

link_graph *link_graph_reverse(const link_graph *g, arena *a)
{
    link_graph *turned = link_graph_new(a, g->name);
    turned->work = g->work;
    for (size_t i = 0; i < g->nodes.count; i++) {
        const link_node *node = &g->nodes.items[i];
        if (node->kind == LINK_DEVICE)
            link_graph_add_device(turned, node->name, node->at);
        else
            link_graph_add_switch(turned, node->name, node->at);
    }
    for (size_t i = 0; i < g->arcs.count; i++) {
        const link_arc *arc = &g->arcs.items[i];
        link_rate whole = {arc->bytes_per_second, arc->seconds, 1};
        link_graph_add_arc(turned, arc->to, arc->from, whole, arc->at);
        turned->arcs.items[i].lanes = arc->lanes;
    }
    return turned;
}

int64_t link_bytes_per_second(double declared)
{
    double nearest = round(declared);
    return nearest >= 1 && nearest <= 0x1p53 ? (int64_t)nearest : 0;
}
