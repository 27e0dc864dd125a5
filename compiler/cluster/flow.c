#include "cluster/flow_net.h"

#include <assert.h>
#include <string.h>

flow_net *flow_net_new(arena *a, int nodes, effort *work)
{
    flow_net *f = arena_make(a, flow_net);
    f->memory = a;
    f->work = work;
    f->nodes = nodes;
    f->first = arena_array(a, int32_t, nodes + 1);
    f->level = arena_array(a, int32_t, nodes);
    f->cursor = arena_array(a, int32_t, nodes);
    f->queue = arena_array(a, int32_t, nodes);
    f->near = arena_array(a, bool, nodes);
    effort_spend(work, EFFORT_OF_ARENA + nodes);
    return f;
}

static int flow_add_halves(flow_net *f, flow_half forward, int64_t back)
{
    assert(!f->place);
    vec_push(f->memory, &f->halves, forward);
    vec_push(f->memory, &f->halves, (flow_half){forward.to, forward.from, back});
    return (int)f->halves.count - 2;
}

int flow_add(flow_net *f, int from, int to, int64_t capacity)
{
    return flow_add_halves(f, (flow_half){from, to, capacity}, 0);
}

int flow_add_both(flow_net *f, int a, int b, int64_t capacity)
{
    return flow_add_halves(f, (flow_half){a, b, capacity}, capacity);
}

void flow_settle(flow_net *f)
{
    if (f->place)
        return;
    size_t count = f->halves.count;
    f->place = arena_array(f->memory, int32_t, count + 1);
    f->to = arena_array(f->memory, int32_t, count + 1);
    f->mate = arena_array(f->memory, int32_t, count + 1);
    f->room = arena_array(f->memory, int64_t, count + 1);
    f->given = arena_array(f->memory, int64_t, count + 1);
    for (size_t i = 0; i < count; i++)
        f->first[f->halves.items[i].from + 1]++;
    for (int node = 0; node < f->nodes; node++)
        f->first[node + 1] += f->first[node];
    for (int node = 0; node < f->nodes; node++)
        f->cursor[node] = f->first[node];
    for (size_t i = count; i-- > 0;)
        f->place[i] = f->cursor[f->halves.items[i].from]++;
    for (size_t i = 0; i < count; i++) {
        int32_t at = f->place[i];
        f->to[at] = f->halves.items[i].to;
        f->mate[at] = f->place[i ^ 1];
        f->given[at] = f->halves.items[i].capacity;
    }
    effort_spend(f->work, 8 * (int64_t)count); /* added, and sorted with little order in memory */
    flow_reset(f);
}

void flow_set(flow_net *f, int arc, int64_t capacity)
{
    f->halves.items[arc].capacity = capacity;
    if (f->place)
        f->given[f->place[arc]] = capacity;
}

void flow_reset(flow_net *f)
{
    if (f->place)
        memcpy(f->room, f->given, sizeof(int64_t) * f->halves.count);
    effort_spend(f->work, (int64_t)f->halves.count / 4); /* arcs in a row are quick */
}

/* Breadth first over arcs with room; stops when the sink's level is known. */
static bool flow_layer(flow_net *f, int source, int sink)
{
    int64_t looked = f->nodes;
    memset(f->level, -1, sizeof(int32_t) * (size_t)f->nodes);
    f->level[source] = 0;
    f->queue[0] = source;
    for (int begin = 0, end = 1; begin < end; begin++) {
        int node = f->queue[begin];
        looked += f->first[node + 1] - f->first[node];
        for (int32_t i = f->first[node]; i < f->first[node + 1]; i++) {
            if (f->room[i] == 0 || f->level[f->to[i]] >= 0)
                continue;
            f->level[f->to[i]] = f->level[node] + 1;
            f->queue[end++] = f->to[i];
        }
        if (node == sink)
            break;
    }
    return effort_spend(f->work, looked) && f->level[sink] >= 0;
}

static int64_t flow_push(flow_net *f, int node, int sink, int64_t limit)
{
    if (node == sink)
        return limit;
    int64_t pushed = 0;
    for (; f->cursor[node] < f->first[node + 1]; f->cursor[node]++) {
        int32_t i = f->cursor[node];
        if (f->room[i] == 0 || f->level[f->to[i]] != f->level[node] + 1)
            continue;
        int64_t left = limit - pushed;
        int64_t went = flow_push(f, f->to[i], sink, f->room[i] < left ? f->room[i] : left);
        f->room[i] -= went;
        f->room[f->mate[i]] += went;
        pushed += went;
        if (pushed == limit)
            return pushed;
    }
    return pushed;
}

int64_t flow_maximum(flow_net *f, int source, int sink, int64_t limit)
{
    flow_settle(f);
    int64_t total = 0;
    while (total < limit && flow_layer(f, source, sink)) {
        memcpy(f->cursor, f->first, sizeof(int32_t) * (size_t)f->nodes);
        total += flow_push(f, source, sink, limit - total);
    }
    for (int node = 0; node < f->nodes; node++)
        f->near[node] = f->level[node] >= 0;
    return total;
}

bool flow_on_source_side(const flow_net *f, int node)
{
    return f->near[node];
}

int64_t flow_used(const flow_net *f, int arc)
{
    int32_t at = f->place[arc];
    int64_t used = f->given[at] - f->room[at];
    return used > 0 ? used : 0;
}
