#include "cluster/flow.h"

#include "base/vec.h"
#include <string.h>

/* Arc i and its reverse i^1. */
typedef struct flow_arc {
    int32_t to;
    int32_t next;
    int64_t room;
} flow_arc;

struct flow_net {
    arena *memory;
    int nodes;
    int32_t *first; /* by node: its newest arc, -1 at the end */
    int32_t *level; /* by node: distance from the source, -1 if not reached */
    int32_t *cursor;
    int32_t *queue;
    VEC(flow_arc) arcs;
    VEC(int64_t) given; /* by arc: capacity after a reset */
};

flow_net *flow_net_new(arena *a, int nodes)
{
    flow_net *f = arena_make(a, flow_net);
    f->memory = a;
    f->nodes = nodes;
    f->first = arena_array(a, int32_t, nodes);
    f->level = arena_array(a, int32_t, nodes);
    f->cursor = arena_array(a, int32_t, nodes);
    f->queue = arena_array(a, int32_t, nodes);
    memset(f->first, -1, sizeof(int32_t) * (size_t)nodes);
    return f;
}

static void flow_half(flow_net *f, int from, int to, int64_t capacity)
{
    vec_push(f->memory, &f->arcs, (flow_arc){to, f->first[from], capacity});
    vec_push(f->memory, &f->given, capacity);
    f->first[from] = (int32_t)f->arcs.count - 1;
}

int flow_add(flow_net *f, int from, int to, int64_t capacity)
{
    flow_half(f, from, to, capacity);
    flow_half(f, to, from, 0);
    return (int)f->arcs.count - 2;
}

int flow_add_both(flow_net *f, int a, int b, int64_t capacity)
{
    flow_half(f, a, b, capacity);
    flow_half(f, b, a, capacity);
    return (int)f->arcs.count - 2;
}

void flow_set(flow_net *f, int arc, int64_t capacity)
{
    f->given.items[arc] = capacity;
}

void flow_reset(flow_net *f)
{
    for (size_t i = 0; i < f->arcs.count; i++)
        f->arcs.items[i].room = f->given.items[i];
}

/* Breadth first over arcs with room; stops when the sink's level is known. */
static bool flow_layer(flow_net *f, int source, int sink)
{
    memset(f->level, -1, sizeof(int32_t) * (size_t)f->nodes);
    f->level[source] = 0;
    f->queue[0] = source;
    for (int begin = 0, end = 1; begin < end; begin++) {
        int node = f->queue[begin];
        for (int32_t i = f->first[node]; i >= 0; i = f->arcs.items[i].next) {
            const flow_arc *arc = &f->arcs.items[i];
            if (arc->room == 0 || f->level[arc->to] >= 0)
                continue;
            f->level[arc->to] = f->level[node] + 1;
            f->queue[end++] = arc->to;
        }
        if (node == sink)
            break;
    }
    return f->level[sink] >= 0;
}

static int64_t flow_push(flow_net *f, int node, int sink, int64_t limit)
{
    if (node == sink)
        return limit;
    int64_t pushed = 0;
    for (; f->cursor[node] >= 0; f->cursor[node] = f->arcs.items[f->cursor[node]].next) {
        int32_t i = f->cursor[node];
        flow_arc *arc = &f->arcs.items[i];
        if (arc->room == 0 || f->level[arc->to] != f->level[node] + 1)
            continue;
        int64_t left = limit - pushed;
        int64_t went = flow_push(f, arc->to, sink, arc->room < left ? arc->room : left);
        arc->room -= went;
        f->arcs.items[i ^ 1].room += went;
        pushed += went;
        if (pushed == limit)
            return pushed;
    }
    return pushed;
}

int64_t flow_maximum(flow_net *f, int source, int sink, int64_t limit)
{
    int64_t total = 0;
    while (total < limit && flow_layer(f, source, sink)) {
        memcpy(f->cursor, f->first, sizeof(int32_t) * (size_t)f->nodes);
        total += flow_push(f, source, sink, limit - total);
    }
    return total;
}

bool flow_on_source_side(const flow_net *f, int node)
{
    return f->level[node] >= 0;
}

int64_t flow_used(const flow_net *f, int arc)
{
    int64_t used = f->given.items[arc] - f->arcs.items[arc].room;
    return used > 0 ? used : 0;
}
