#include "cluster/orbits.h"

#include <stdlib.h>
#include <string.h>

typedef struct orbit_work {
    arena *memory;
    const rank_net *net;
    const rank_digits *digits;
    int *arc_at;   /* by arc of the graph: arc of the net */
    int *orbit;    /* by net arc: union-find */
    int *far;      /* by node: arcs from rank 0 over switches; -1: not reached */
    int *first_in; /* by node: into in_arcs */
    int *in_arcs;
    orbit_table *table;
    int *class_way; /* by class: a way of it */
} orbit_work;

static int orbit_find(const orbit_work *w, int arc)
{
    while (w->orbit[arc] != arc)
        arc = w->orbit[arc];
    return arc;
}

static int orbit_net_arc(const orbit_work *w, int from, int to)
{
    return w->arc_at[link_graph_find_arc(w->net->graph, w->net->origin[from], w->net->origin[to])];
}

static void orbit_join_all(orbit_work *w)
{
    int arcs = (int)w->net->arcs.count;
    for (int i = 0; i < arcs; i++)
        w->orbit[i] = i;
    for (int k = 0; k < w->digits->count; k++) {
        const int32_t *turn = w->digits->turned[k] + w->digits->node_count;
        for (int i = 0; i < arcs; i++) {
            const net_arc *arc = &w->net->arcs.items[i];
            int image = orbit_net_arc(w, turn[arc->from], turn[arc->to]);
            int a = orbit_find(w, i), b = orbit_find(w, image);
            w->orbit[a > b ? a : b] = a > b ? b : a;
        }
    }
    for (int i = 0; i < arcs; i++)
        w->orbit[i] = orbit_find(w, i);
}

static void orbit_sort_arcs(orbit_work *w)
{
    int nodes = w->net->node_count;
    w->first_in = arena_array(w->memory, int, nodes + 2);
    w->in_arcs = arena_array(w->memory, int, w->net->arcs.count + 1);
    for (size_t i = 0; i < w->net->arcs.count; i++)
        w->first_in[w->net->arcs.items[i].to + 2]++;
    for (int node = 0; node <= nodes; node++)
        w->first_in[node + 1] += w->first_in[node];
    for (size_t i = 0; i < w->net->arcs.count; i++)
        w->in_arcs[w->first_in[w->net->arcs.items[i].to + 1]++] = (int)i;
}

/* Distances from rank 0 by switches alone; direct links between ranks are ways of their own. */
static void orbit_find_distances(orbit_work *w)
{
    const rank_net *net = w->net;
    for (int node = 0; node < net->node_count; node++)
        w->far[node] = node == 0 ? 0 : -1;
    bool found = true;
    for (int distance = 0; found; distance++) {
        found = false;
        for (size_t i = 0; i < net->arcs.count; i++) {
            const net_arc *arc = &net->arcs.items[i];
            bool open =
                arc->from >= net->rank_count || (distance == 0 && arc->to >= net->rank_count);
            if (!open || w->far[arc->from] != distance || w->far[arc->to] >= 0)
                continue;
            w->far[arc->to] = distance + 1;
            found = true;
        }
    }
}

static int orbit_compare(const void *a, const void *b)
{
    const int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}

/* The orbits of a way in order; false if one comes twice. */
static bool orbit_list(const orbit_work *w, const orbit_way *way, int *list)
{
    for (int i = 0; i < way->count; i++)
        list[i] = w->orbit[orbit_net_arc(w, way->nodes[i], way->nodes[i + 1])];
    qsort(list, (size_t)way->count, sizeof(int), orbit_compare);
    for (int i = 0; i + 1 < way->count; i++)
        if (list[i] == list[i + 1])
            return false;
    return true;
}

static int orbit_class_of(orbit_work *w, const orbit_way *way)
{
    orbit_table *t = w->table;
    int mine[64], other[64];
    if (way->count > 64 || !orbit_list(w, way, mine))
        return -1;
    for (int c = 0; c < t->class_count; c++) {
        const orbit_way *known = &t->ways.items[w->class_way[c]];
        if (known->count != way->count)
            continue;
        orbit_list(w, known, other);
        if (memcmp(mine, other, sizeof(int) * (size_t)way->count) == 0)
            return c;
    }
    if (t->class_count == ORBIT_CLASSES_MOST)
        return -1;
    w->class_way[t->class_count] = (int)t->ways.count;
    return t->class_count++;
}

static void orbit_add_way(orbit_work *w, int digit, int step, const int *backward, int count)
{
    int *nodes = arena_array(w->memory, int, count + 1);
    for (int i = 0; i <= count; i++)
        nodes[i] = backward[count - i];
    orbit_way way = {digit, step, count, nodes, 0};
    way.of_class = orbit_class_of(w, &way);
    if (way.of_class < 0)
        w->table->usable = false;
    else
        vec_push(w->memory, &w->table->ways, way);
}

/* All shortest ways through switches that end in backward[0..length], from their end. */
typedef struct orbit_trail {
    int digit;
    int step;
    int found;
    int nodes[66]; /* backward */
} orbit_trail;

static void orbit_follow(orbit_work *w, orbit_trail *trail, int length)
{
    int node = trail->nodes[length];
    if (node == 0) {
        orbit_add_way(w, trail->digit, trail->step, trail->nodes, length);
        trail->found++;
        return;
    }
    for (int i = w->first_in[node]; i < w->first_in[node + 1]; i++) {
        int before = w->net->arcs.items[w->in_arcs[i]].from;
        bool nearer =
            w->far[before] == w->far[node] - 1 && (before == 0 || before >= w->net->rank_count);
        if (!nearer || (before == 0 && length == 0) || length >= 64 ||
            trail->found >= ORBIT_WAYS_EACH)
            continue;
        trail->nodes[length + 1] = before;
        orbit_follow(w, trail, length + 1);
    }
}

static void orbit_find_ways(orbit_work *w)
{
    for (int k = 0; k < w->digits->count; k++) {
        for (int step = 1; step < w->digits->size[k]; step++) {
            orbit_trail trail = {.digit = k, .step = step};
            trail.nodes[0] = step * w->digits->stride[k];
            const rank_net *net = w->net;
            if (link_graph_find_arc(net->graph, net->origin[0], net->origin[trail.nodes[0]]) >= 0) {
                const int direct[2] = {trail.nodes[0], 0};
                orbit_add_way(w, k, step, direct, 1);
            }
            if (w->far[trail.nodes[0]] > 0)
                orbit_follow(w, &trail, 0);
        }
    }
}

static void orbit_add_limit(orbit_work *w, uint64_t classes, __int128 capacity)
{
    orbit_table *t = w->table;
    for (size_t i = 0; i < t->limits.count; i++) {
        if (t->limits.items[i].classes != classes)
            continue;
        if (t->limits.items[i].capacity > capacity)
            t->limits.items[i].capacity = capacity;
        return;
    }
    vec_push(w->memory, &t->limits, (orbit_limit){classes, capacity});
}

static int orbit_compare_limits(const void *a, const void *b)
{
    const orbit_limit *x = a, *y = b;
    int by_size = __builtin_popcountll(x->classes) - __builtin_popcountll(y->classes);
    return by_size != 0 ? by_size : (x->classes > y->classes) - (x->classes < y->classes);
}

static void orbit_find_limits(orbit_work *w)
{
    size_t arcs = w->net->arcs.count;
    uint64_t *classes = arena_array(w->memory, uint64_t, arcs + 1);
    int64_t *size = arena_array(w->memory, int64_t, arcs + 1);
    for (size_t i = 0; i < arcs; i++)
        size[w->orbit[i]]++;
    for (int c = 0; c < w->table->class_count; c++) {
        const orbit_way *way = &w->table->ways.items[w->class_way[c]];
        for (int i = 0; i < way->count; i++)
            classes[w->orbit[orbit_net_arc(w, way->nodes[i], way->nodes[i + 1])]] |= UINT64_C(1)
                                                                                     << c;
    }
    for (size_t i = 0; i < arcs; i++)
        if (classes[i] != 0)
            orbit_add_limit(w, classes[i], (__int128)size[i] * w->net->arcs.items[i].capacity);
    if (w->table->limits.count > 0)
        qsort(w->table->limits.items, w->table->limits.count, sizeof(orbit_limit),
              orbit_compare_limits);
}

orbit_table orbit_table_of(arena *a, const rank_net *net, const rank_digits *d)
{
    orbit_table table = {.usable = true};
    orbit_work w = {.memory = a, .net = net, .digits = d, .table = &table};
    w.arc_at = arena_array(a, int, net->graph->arcs.count + 1);
    w.orbit = arena_array(a, int, net->arcs.count + 1);
    w.far = arena_array(a, int, net->node_count);
    w.class_way = arena_array(a, int, ORBIT_CLASSES_MOST);
    for (size_t i = 0; i < net->arcs.count; i++)
        w.arc_at[net->arcs.items[i].link] = (int)i;
    orbit_join_all(&w);
    orbit_sort_arcs(&w);
    orbit_find_distances(&w);
    orbit_find_ways(&w);
    if (table.usable)
        orbit_find_limits(&w);
    return table;
}
