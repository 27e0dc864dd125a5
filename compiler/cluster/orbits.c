#include "cluster/orbits.h"

#include "cluster/islands.h"

#include <stdlib.h>
#include <string.h>

typedef struct orbit_work {
    arena *memory;
    const rank_net *net;
    const rank_digits *digits;
    int *arc_at;   /* by arc of the graph: arc of the net */
    int *orbit;    /* by net arc: the lowest that turns take it to */
    int *far;      /* by node: arcs from rank 0 over switches; -1: not reached */
    int *first_in; /* by node: into in_arcs */
    int *in_arcs;
    orbit_table *table;
    int *class_way; /* by class: a way of it */
    int **class_orbits;
} orbit_work;

int orbit_set_size(const orbit_set *s)
{
    int size = 0;
    for (int i = 0; i < ORBIT_SET_WORDS; i++)
        size += __builtin_popcountll(s->words[i]);
    return size;
}

int orbit_set_compare(const orbit_set *a, const orbit_set *b)
{
    for (int i = ORBIT_SET_WORDS; i-- > 0;)
        if (a->words[i] != b->words[i])
            return a->words[i] > b->words[i] ? 1 : -1;
    return 0;
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
            islands_join(w->orbit, i, image);
        }
    }
    for (int i = 0; i < arcs; i++)
        w->orbit[i] = islands_find(w->orbit, i);
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
    int mine[64];
    if (way->count > 64 || !orbit_list(w, way, mine))
        return -1;
    for (int c = 0; c < t->class_count; c++) {
        const orbit_way *known = &t->ways.items[w->class_way[c]];
        if (known->count != way->count)
            continue;
        if (memcmp(mine, w->class_orbits[c], sizeof(int) * (size_t)way->count) == 0)
            return c;
    }
    if (t->class_count == ORBIT_CLASSES_MOST)
        return -1;
    w->class_orbits[t->class_count] = arena_array(w->memory, int, way->count);
    memcpy(w->class_orbits[t->class_count], mine, sizeof(int) * (size_t)way->count);
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
        for (int step = 1; step < w->digits->size[k] && w->table->usable; step++) {
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

static int orbit_compare_limits(const void *a, const void *b)
{
    const orbit_limit *x = a, *y = b;
    int by_size = orbit_set_size(&x->classes) - orbit_set_size(&y->classes);
    int by_set = by_size != 0 ? by_size : orbit_set_compare(&x->classes, &y->classes);
    return by_set != 0 ? by_set : (x->capacity > y->capacity) - (x->capacity < y->capacity);
}

/* Of limits on the same classes the least stands first; it alone is kept. */
static void orbit_sort_limits(orbit_table *t)
{
    if (t->limits.count == 0)
        return;
    qsort(t->limits.items, t->limits.count, sizeof(orbit_limit), orbit_compare_limits);
    size_t kept = 1;
    for (size_t i = 1; i < t->limits.count; i++)
        if (orbit_set_compare(&t->limits.items[i].classes, &t->limits.items[kept - 1].classes) != 0)
            t->limits.items[kept++] = t->limits.items[i];
    t->limits.count = kept;
}

/* A limit for each orbit that some class uses. */
static void orbit_find_limits(orbit_work *w)
{
    size_t arcs = w->net->arcs.count;
    int *limit_of = arena_array(w->memory, int, arcs + 1); /* by orbit: limit + 1 */
    int64_t *size = arena_array(w->memory, int64_t, arcs + 1);
    orbit_table *t = w->table;
    for (size_t i = 0; i < arcs; i++)
        size[w->orbit[i]]++;
    for (int c = 0; c < t->class_count; c++) {
        const orbit_way *way = &t->ways.items[w->class_way[c]];
        for (int i = 0; i < way->count; i++) {
            int orbit = w->orbit[orbit_net_arc(w, way->nodes[i], way->nodes[i + 1])];
            if (limit_of[orbit] == 0) {
                __int128 all = (__int128)size[orbit] * w->net->arcs.items[orbit].capacity;
                vec_push(w->memory, &t->limits, (orbit_limit){.capacity = all});
                limit_of[orbit] = (int)t->limits.count;
            }
            orbit_set_add(&t->limits.items[limit_of[orbit] - 1].classes, c);
        }
    }
    orbit_sort_limits(t);
}

orbit_table orbit_table_of(arena *a, const rank_net *net, const rank_digits *d)
{
    orbit_table table = {.usable = true};
    orbit_work w = {.memory = a, .net = net, .digits = d, .table = &table};
    w.arc_at = arena_array(a, int, net->graph->arcs.count + 1);
    w.orbit = arena_array(a, int, net->arcs.count + 1);
    w.far = arena_array(a, int, net->node_count);
    w.class_way = arena_array(a, int, ORBIT_CLASSES_MOST);
    w.class_orbits = arena_array(a, int *, ORBIT_CLASSES_MOST);
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
