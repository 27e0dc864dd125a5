#include "cluster/flow_net.h"

#include <string.h>

/* Preflows: every node may hold more than it passes on. Its level is a lower bound of its distance to the sink; at
 * level `nodes` the sink is out of reach and what is held stays there. The source begins as a node that holds the limit.
 * It may have an arc to every other node, so it does not look through them at each level: they stand in buckets by the
 * level of their ends, from which it takes them as its own level rises.
 */

static void value_make_room(flow_net *f, int source)
{
    if (!f->excess) {
        f->excess = arena_array(f->memory, int64_t, f->nodes);
        f->bucket = arena_array(f->memory, int32_t, f->nodes + 1);
        f->behind = arena_array(f->memory, int32_t, f->nodes);
        f->crowd = arena_array(f->memory, int32_t, f->nodes + 1);
        f->feed_bucket = arena_array(f->memory, int32_t, f->nodes + 1);
        f->feed_behind = arena_array(f->memory, int32_t, f->halves.count + 1);
    }
    f->source = source;
}

static void value_activate(flow_net *f, int node)
{
    int level = f->level[node];
    if (level >= f->nodes)
        return;
    f->behind[node] = f->bucket[level];
    f->bucket[level] = node;
    if (level > f->highest)
        f->highest = level;
}

/* An arc of the source that has room again, or whose end has risen. */
static void value_file_feed(flow_net *f, int32_t arc)
{
    int level = f->level[f->to[arc]];
    if (level >= f->nodes)
        return;
    f->feed_behind[arc] = f->feed_bucket[level];
    f->feed_bucket[level] = arc;
}

/* True distances to the sink. */
static void value_find_levels(flow_net *f, int sink)
{
    int nodes = f->nodes, end = 1;
    for (int node = 0; node < nodes; node++)
        f->level[node] = nodes;
    f->level[sink] = 0;
    f->queue[0] = sink;
    for (int begin = 0; begin < end; begin++) {
        int node = f->queue[begin];
        for (int32_t i = f->first[node]; i < f->first[node + 1]; i++) {
            int before = f->to[i];
            if (f->level[before] < nodes || f->room[f->mate[i]] == 0)
                continue;
            f->level[before] = f->level[node] + 1;
            f->queue[end++] = before;
        }
    }
    effort_spend(f->work, (int64_t)f->halves.count + nodes);
}

/* Levels made true, and nodes and feeds put into their buckets. */
static void value_measure(flow_net *f, int sink)
{
    value_find_levels(f, sink);
    size_t bytes = sizeof(int32_t) * (size_t)(f->nodes + 1);
    memset(f->crowd, 0, bytes);
    memset(f->bucket, -1, bytes);
    memset(f->feed_bucket, -1, bytes);
    f->highest = 0;
    for (int node = 0; node < f->nodes; node++) {
        f->crowd[f->level[node]]++;
        f->cursor[node] = f->first[node];
        if (f->excess[node] > 0 && node != sink)
            value_activate(f, node);
    }
    for (int32_t i = f->first[f->source]; i < f->first[f->source + 1]; i++)
        if (f->room[i] > 0)
            value_file_feed(f, i);
    f->relabels = 0;
}

/* No node is left at a level: those above it cannot reach the sink any more. */
static void value_close_gap(flow_net *f, int gap)
{
    for (int node = 0; node < f->nodes; node++) {
        if (f->level[node] <= gap || f->level[node] == f->nodes)
            continue;
        f->crowd[f->level[node]]--;
        f->level[node] = f->nodes;
        f->crowd[f->nodes]++;
    }
    for (int level = gap + 1; level <= f->highest; level++)
        f->bucket[level] = -1;
    f->highest = gap;
    f->relabels += f->nodes;
}

static void value_raise(flow_net *f, int node, int level)
{
    int was = f->level[node];
    f->level[node] = level;
    f->crowd[was]--;
    f->crowd[level]++;
    if (f->crowd[was] == 0)
        value_close_gap(f, was);
}

/* One more than the lowest level that the node has room to. */
static void value_lift(flow_net *f, int node)
{
    int level = f->nodes - 1;
    for (int32_t i = f->first[node]; i < f->first[node + 1]; i++)
        if (f->room[i] > 0 && f->level[f->to[i]] < level)
            level = f->level[f->to[i]];
    f->relabels += f->first[node + 1] - f->first[node] + 12;
    effort_spend(f->work, 2 * (f->first[node + 1] - f->first[node]));
    f->cursor[node] = f->first[node];
    value_raise(f, node, level + 1);
}

/* Along an arc to a level lower by one. */
static void value_push(flow_net *f, int node, int32_t arc, int sink)
{
    int to = f->to[arc];
    int64_t went = f->room[arc] < f->excess[node] ? f->room[arc] : f->excess[node];
    bool feeds_again = to == f->source && f->room[f->mate[arc]] == 0;
    f->room[arc] -= went;
    f->room[f->mate[arc]] += went;
    f->excess[node] -= went;
    if (f->excess[to] == 0 && to != sink)
        value_activate(f, to);
    f->excess[to] += went;
    if (feeds_again)
        value_file_feed(f, f->mate[arc]);
}

/* Passes on what the node holds, lifting it as needed. */
static void value_discharge(flow_net *f, int node, int sink)
{
    int32_t begin = f->cursor[node];
    while (f->excess[node] > 0 && f->level[node] < f->nodes) {
        if (f->cursor[node] == f->first[node + 1]) {
            value_lift(f, node);
            begin = f->cursor[node];
            continue;
        }
        int32_t i = f->cursor[node];
        if (f->room[i] > 0 && f->level[f->to[i]] + 1 == f->level[node])
            value_push(f, node, i, sink);
        else
            f->cursor[node]++;
    }
    effort_spend(f->work, f->cursor[node] - begin + 8);
}

/* The same for the source: its level is one above the lowest bucket of feeds. */
static void value_feed(flow_net *f, int sink)
{
    int source = f->source, steps = 0;
    for (; f->excess[source] > 0 && f->level[source] < f->nodes; steps++) {
        int below = f->level[source] - 1;
        int32_t arc = f->feed_bucket[below];
        if (arc < 0) {
            value_raise(f, source, below + 2);
            continue;
        }
        f->feed_bucket[below] = f->feed_behind[arc];
        if (f->level[f->to[arc]] == below)
            value_push(f, source, arc, sink);
        if (f->room[arc] > 0)
            value_file_feed(f, arc);
    }
    effort_spend(f->work, steps + 4);
}

/* What can be reached from the source, or from where something is held back: of a greatest preflow that is the least
 * side of a smallest cut, whatever preflow it is. */
static void value_find_side(flow_net *f, int sink)
{
    memset(f->near, 0, sizeof(bool) * (size_t)f->nodes);
    int end = 0;
    for (int node = 0; node < f->nodes; node++) {
        if (node != f->source && (f->excess[node] == 0 || node == sink))
            continue;
        f->near[node] = true;
        f->queue[end++] = node;
    }
    for (int begin = 0; begin < end; begin++) {
        int node = f->queue[begin];
        for (int32_t i = f->first[node]; i < f->first[node + 1]; i++) {
            if (f->room[i] == 0 || f->near[f->to[i]])
                continue;
            f->near[f->to[i]] = true;
            f->queue[end++] = f->to[i];
        }
    }
    effort_spend(f->work, (int64_t)f->halves.count);
}

int64_t flow_value(flow_net *f, int source, int sink, int64_t limit)
{
    flow_settle(f);
    value_make_room(f, source);
    memset(f->excess, 0, sizeof(int64_t) * (size_t)f->nodes);
    f->excess[source] = limit;
    value_measure(f, sink);
    int64_t patience = 6 * f->nodes + (int64_t)f->halves.count;
    while (f->excess[sink] < limit && f->highest >= 0 && !effort_is_spent(f->work)) {
        int node = f->bucket[f->highest];
        if (node < 0) {
            f->highest--;
            continue;
        }
        f->bucket[f->highest] = f->behind[node];
        if (node == source)
            value_feed(f, sink);
        else
            value_discharge(f, node, sink);
        if (f->relabels > patience)
            value_measure(f, sink);
    }
    if (f->excess[sink] < limit)
        value_find_side(f, sink);
    return f->excess[sink];
}
