#include "coll/fit.h"
#include "cluster/rational.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { FIT_BUDGET = 1 << 18, FIT_MOST_CYCLES = 1 << 13, FIT_MOST_RANKS = 64, FIT_MOST_RINGS = 64 };

/* Who sends to whom in a program. */
typedef struct traffic {
    int ranks;
    uint8_t *sends; /* [from * ranks + to] */
} traffic;

static traffic traffic_of(const coll_program *p, arena *a)
{
    traffic t = {p->ranks, arena_array(a, uint8_t, (size_t)p->ranks * (size_t)p->ranks)};
    for (size_t i = 0; i < p->sends.count; i++)
        t.sends[(size_t)p->sends.items[i].from * (size_t)p->ranks + (size_t)p->sends.items[i].to] =
            1;
    return t;
}

/* Each rank sends to the next alone. */
static bool is_ring(const traffic *t)
{
    for (int from = 0; from < t->ranks; from++)
        for (int to = 0; to < t->ranks; to++)
            if (t->sends[from * t->ranks + to] != (to == (from + 1) % t->ranks))
                return false;
    return t->ranks > 2;
}

static bool linked(const coll_program *p, coll_routes *routes)
{
    arena *scratch = arena_new();
    coll_fault fault;
    bool right = coll_prove_links(p, routes, &fault, scratch);
    arena_free(scratch);
    return right;
}

/* ------------------------------------------------------------------------------------- rings on direct links */

typedef struct cycle_search {
    int ranks;
    int64_t *lanes; /* [from * ranks + to]: links left, in units of one */
    int32_t *order; /* the cycle that grows */
    uint8_t *taken; /* [ranks] */
    VEC(int32_t *) cycles;
    VEC(int32_t *) chosen;
    VEC(int32_t *) best;
    int64_t most; /* no packing has more */
    int64_t budget;
    bool both_ways;
    arena *memory;
} cycle_search;

static int64_t *lane(cycle_search *s, int from, int to)
{
    return &s->lanes[(size_t)from * (size_t)s->ranks + (size_t)to];
}

/* All Hamiltonian cycles from rank 0; where links go both ways, each in one direction only. */
static void find_cycles(cycle_search *s, int length)
{
    if (s->budget-- <= 0 || s->cycles.count >= FIT_MOST_CYCLES)
        return;
    if (length == s->ranks) {
        if (*lane(s, s->order[length - 1], 0) == 0 ||
            (s->both_ways && s->order[1] > s->order[length - 1]))
            return;
        int32_t *cycle = arena_array(s->memory, int32_t, s->ranks);
        memcpy(cycle, s->order, sizeof *cycle * (size_t)s->ranks);
        vec_push(s->memory, &s->cycles, cycle);
        return;
    }
    for (int next = 1; next < s->ranks; next++) {
        if (s->taken[next] || *lane(s, s->order[length - 1], next) == 0)
            continue;
        s->taken[next] = 1;
        s->order[length] = next;
        find_cycles(s, length + 1);
        s->taken[next] = 0;
    }
}

/* What a cycle takes of between two ranks: one link, whichever way it runs, if it is to be used both ways. */
static int64_t *taken_lane(cycle_search *s, int from, int to)
{
    return s->both_ways && from > to ? lane(s, to, from) : lane(s, from, to);
}

static bool take_cycle(cycle_search *s, const int32_t *cycle)
{
    for (int i = 0; i < s->ranks; i++)
        if (*taken_lane(s, cycle[i], cycle[(i + 1) % s->ranks]) == 0)
            return false;
    for (int i = 0; i < s->ranks; i++)
        --*taken_lane(s, cycle[i], cycle[(i + 1) % s->ranks]);
    return true;
}

static void give_back(cycle_search *s, const int32_t *cycle)
{
    for (int i = 0; i < s->ranks; i++)
        ++*taken_lane(s, cycle[i], cycle[(i + 1) % s->ranks]);
}

/* The most cycles from number `first` on that share no link. */
static void pack_cycles(cycle_search *s, size_t first)
{
    if (s->chosen.count > s->best.count) {
        s->best.count = 0;
        for (size_t i = 0; i < s->chosen.count; i++)
            vec_push(s->memory, &s->best, s->chosen.items[i]);
    }
    for (size_t i = first;
         i < s->cycles.count && (int64_t)s->best.count < s->most && s->budget-- > 0; i++) {
        if (!take_cycle(s, s->cycles.items[i]))
            continue;
        vec_push(s->memory, &s->chosen, s->cycles.items[i]);
        pack_cycles(s, i);
        s->chosen.count--;
        give_back(s, s->cycles.items[i]);
    }
}

/* Links between the ranks' devices, in units of the greatest common divisor of their bandwidths. */
static void count_lanes(cycle_search *s, coll_routes *routes, const int *nodes)
{
    const link_graph *g = coll_routes_graph(routes);
    int64_t unit = 0;
    s->both_ways = true;
    for (int from = 0; from < s->ranks; from++) {
        for (int to = 0; to < s->ranks; to++) {
            int arc = from == to ? -1 : link_graph_find_arc(g, nodes[from], nodes[to]);
            *lane(s, from, to) = arc < 0 ? 0 : g->arcs.items[arc].bytes_per_second;
            unit = integer_gcd(unit, *lane(s, from, to));
        }
    }
    s->most = INT64_MAX;
    for (int from = 0; from < s->ranks; from++) {
        int64_t out = 0;
        for (int to = 0; to < s->ranks; to++) {
            *lane(s, from, to) = unit ? *lane(s, from, to) / unit : 0;
            out += *lane(s, from, to);
        }
        s->most = out < s->most ? out : s->most;
    }
    for (int from = 0; from < s->ranks; from++)
        for (int to = 0; to < s->ranks; to++)
            s->both_ways = s->both_ways && *lane(s, from, to) == *lane(s, to, from);
    /* A cycle that is used both ways takes two links of each rank. One more than can be used tells as much as all. */
    s->most = s->both_ways ? s->most / 2 : s->most;
    s->most = s->most > FIT_MOST_RINGS ? FIT_MOST_RINGS + 1 : s->most;
}

static coll_program *ring_on_links(const coll_program *p, coll_routes *routes, arena *a)
{
    cycle_search s = {.ranks = p->ranks, .budget = FIT_BUDGET, .memory = a};
    s.lanes = arena_array(a, int64_t, (size_t)p->ranks * (size_t)p->ranks);
    s.order = arena_array(a, int32_t, p->ranks);
    s.taken = arena_array(a, uint8_t, p->ranks);
    count_lanes(&s, routes, coll_routes_nodes(routes));
    if (s.most == 0)
        return NULL;
    find_cycles(&s, 1);
    s.budget = FIT_BUDGET;
    pack_cycles(&s, 0);
    int count = (int)s.best.count * (s.both_ways ? 2 : 1);
    if (count == 0 || count > FIT_MOST_RINGS)
        return NULL;
    const coll_program **programs = arena_array(a, const coll_program *, count);
    const int32_t **places = arena_array(a, const int32_t *, count);
    for (int i = 0; i < count; i++) {
        programs[i] = p;
        int32_t *cycle = s.best.items[s.both_ways ? i / 2 : i];
        places[i] = cycle;
        if (s.both_ways && i % 2) {
            int32_t *reversed = arena_array(a, int32_t, p->ranks);
            for (int k = 0; k < p->ranks; k++)
                reversed[k] = cycle[(p->ranks - k) % p->ranks];
            places[i] = reversed;
        }
    }
    return coll_side_by_side(programs, places, count, a);
}

/* ---------------------------------------------------------------------------------------- rings between nodes */

/* Length of the device's name up to the last '.', or 0. */
static size_t node_name(const link_graph *g, int node)
{
    const char *dot = strrchr(g->nodes.items[node].name, '.');
    return dot ? (size_t)(dot - g->nodes.items[node].name) : 0;
}

static bool same_node(const link_graph *g, int x, int y)
{
    size_t length = node_name(g, x);
    return length > 0 && length == node_name(g, y) &&
           memcmp(g->nodes.items[x].name, g->nodes.items[y].name, length) == 0;
}

int coll_ranks_per_node(const link_graph *g, const int *nodes, int ranks)
{
    int per_node = 1;
    while (per_node < ranks && same_node(g, nodes[0], nodes[per_node]))
        per_node++;
    if (ranks % per_node != 0)
        return 0;
    for (int r = 0; r < ranks; r++) {
        int head = r / per_node * per_node;
        if (r != head && !same_node(g, nodes[head], nodes[r]))
            return 0;
        if (r == head && r > 0 && same_node(g, nodes[r - 1], nodes[r]))
            return 0;
    }
    return per_node;
}

/* Copy k leaves each node at its place k and enters the next at place k + 1. */
static coll_program *ring_between_nodes(const coll_program *p, coll_routes *routes, arena *a)
{
    int per_node =
        coll_ranks_per_node(coll_routes_graph(routes), coll_routes_nodes(routes), p->ranks);
    if (per_node < 2 || per_node == p->ranks || per_node > 64)
        return NULL;
    const coll_program **programs = arena_array(a, const coll_program *, per_node);
    const int32_t **places = arena_array(a, const int32_t *, per_node);
    for (int k = 0; k < per_node; k++) {
        int32_t *place = arena_array(a, int32_t, p->ranks);
        for (int r = 0; r < p->ranks; r++)
            place[r] = r / per_node * per_node + (r % per_node + k + 1) % per_node;
        programs[k] = p;
        places[k] = place;
    }
    return coll_side_by_side(programs, places, per_node, a);
}

/* ---------------------------------------------------------------------------------------- any other topology */

typedef struct renaming {
    const coll_program *program;
    coll_routes *routes;
    const traffic *traffic;
    int32_t *place; /* [ranks]: device rank of each rank */
    uint8_t *taken; /* [ranks] */
    int64_t budget;
    coll_program *best;
    double rate;
    arena *memory;
} renaming;

static bool place_fits(const renaming *n, int rank)
{
    for (int other = 0; other < rank; other++) {
        bool out = n->traffic->sends[rank * n->traffic->ranks + other];
        bool in = n->traffic->sends[other * n->traffic->ranks + rank];
        if ((out && coll_route_between(n->routes, n->place[rank], n->place[other]).count == 0) ||
            (in && coll_route_between(n->routes, n->place[other], n->place[rank]).count == 0))
            return false;
    }
    return true;
}

static void try_places(renaming *n, int rank)
{
    if (rank == n->program->ranks) {
        const int32_t *places = n->place;
        coll_program *p = coll_side_by_side(&n->program, &places, 1, n->memory);
        double rate = coll_rate(p, n->routes);
        n->budget -= 64;
        if (!n->best || rate > n->rate * (1 + 1e-9)) {
            n->best = p;
            n->rate = rate;
        }
        return;
    }
    for (int device = 0; device < n->program->ranks && n->budget-- > 0; device++) {
        if (n->taken[device])
            continue;
        n->taken[device] = 1;
        n->place[rank] = device;
        if (place_fits(n, rank))
            try_places(n, rank + 1);
        n->taken[device] = 0;
    }
}

static coll_program *renamed_program(const coll_program *p, coll_routes *routes, const traffic *t,
                                     arena *a)
{
    renaming n = {
        .program = p, .routes = routes, .traffic = t, .budget = FIT_BUDGET / 4, .memory = a};
    n.place = arena_array(a, int32_t, p->ranks);
    n.taken = arena_array(a, uint8_t, p->ranks);
    try_places(&n, 0);
    return n.best;
}

/* The root of a rooted collective stays who it is, and an all-to-all's chunks stay where they are. */
static bool may_rename(const coll_program *p)
{
    return p->ranks <= FIT_MOST_RANKS && p->kind != COLL_ALL_TO_ALL && p->kind != COLL_BROADCAST &&
           p->kind != COLL_REDUCE_TO_ROOT;
}

coll_program *coll_fit(const coll_program *p, coll_routes *routes, arena *a)
{
    traffic t = traffic_of(p, a);
    coll_program *own = arena_make(a, coll_program);
    *own = *p;
    bool stands = linked(p, routes);
    coll_program *candidates[3] = {stands ? own : NULL};
    if (may_rename(p) && is_ring(&t)) {
        candidates[1] = ring_on_links(p, routes, a);
        candidates[2] = ring_between_nodes(p, routes, a);
    } else if (may_rename(p) && !stands) {
        candidates[1] = renamed_program(p, routes, &t, a);
    }
    coll_program *best = NULL;
    for (int i = 0; i < 3; i++) {
        if (!candidates[i] || (i > 0 && !linked(candidates[i], routes)))
            continue;
        if (!best || coll_rate(candidates[i], routes) > coll_rate(best, routes) * (1 + 1e-9))
            best = candidates[i];
    }
    return best;
}
