#include "cluster/rings.h"

#include "cluster/rank_net.h"

#include <string.h>

/* How many steps of the search are worth it; subsets of a DGX-1 need some hundreds. */
enum { RING_STEPS_MOST = 400000, RING_LANES_MOST = 24, RING_WIDTHS_MOST = 6 };

/* Search for the most link-disjoint Hamiltonian cycles. */
typedef struct ring_search {
    int n;
    int64_t *room; /* by from * n + to: units left, symmetric */
    int *path;     /* the cycle being made, from rank 0 */
    bool *on_path;
    int found;  /* complete cycles on the stack */
    int *stack; /* n ranks each */
    int best;
    int *best_stack;
    int most; /* no set can have more */
    long steps;
} ring_search;

static int64_t *ring_room(const ring_search *s, int a, int b)
{
    return &s->room[a * s->n + b];
}

static void ring_use(ring_search *s, int a, int b, int64_t amount)
{
    *ring_room(s, a, b) -= amount;
    *ring_room(s, b, a) -= amount;
}

/* A cycle takes two units of every rank's links. */
static int ring_most(const ring_search *s)
{
    int64_t least = INT64_MAX;
    for (int a = 0; a < s->n; a++) {
        int64_t degree = 0;
        for (int b = 0; b < s->n; b++)
            degree += *ring_room(s, a, b);
        if (degree / 2 < least)
            least = degree / 2;
    }
    return least > 64 ? 64 : (int)least;
}

static void ring_next_cycle(ring_search *s);

static void ring_close(ring_search *s, int length)
{
    ring_use(s, s->path[length - 1], 0, 1);
    int path[64];
    memcpy(path, s->path, sizeof(int) * (size_t)s->n);
    memcpy(s->stack + s->found * s->n, path, sizeof(int) * (size_t)s->n);
    s->found++;
    if (s->found > s->best) {
        s->best = s->found;
        memcpy(s->best_stack, s->stack, sizeof(int) * (size_t)(s->found * s->n));
    }
    ring_next_cycle(s);
    s->found--;
    memcpy(s->path, path, sizeof(int) * (size_t)s->n);
    memset(s->on_path, 1, sizeof(bool) * (size_t)s->n);
    ring_use(s, s->path[length - 1], 0, -1);
}

static void ring_extend(ring_search *s, int length)
{
    if (s->best == s->most || ++s->steps > RING_STEPS_MOST)
        return;
    int last = s->path[length - 1];
    if (length == s->n) {
        /* each cycle one way round only, and sets of cycles in one order only (ranks fit a byte) */
        bool forward = s->n < 3 || s->path[1] < last;
        const int *before = s->found ? s->stack + (s->found - 1) * s->n : NULL;
        bool ordered = !before || memcmp(before, s->path, sizeof(int) * (size_t)s->n) <= 0;
        if (forward && ordered && *ring_room(s, last, 0) > 0)
            ring_close(s, length);
        return;
    }
    for (int next = 1; next < s->n; next++) {
        if (s->on_path[next] || *ring_room(s, last, next) == 0)
            continue;
        s->on_path[next] = true;
        s->path[length] = next;
        ring_use(s, last, next, 1);
        ring_extend(s, length + 1);
        ring_use(s, last, next, -1);
        s->on_path[next] = false;
    }
}

static void ring_next_cycle(ring_search *s)
{
    if (s->found + ring_most(s) <= s->best)
        return;
    memset(s->on_path, 0, sizeof(bool) * (size_t)s->n);
    s->path[0] = 0;
    s->on_path[0] = true;
    ring_extend(s, 1);
}

static rational ring_rate(rational each, int directed, int n)
{
    return rational_multiply(each, rational_of((int64_t)directed * n, 2 * (n - 1)));
}

static ring_set rings_of_pair(arena *a, const rank_net *net)
{
    int *order = arena_array(a, int, 2);
    const int **orders = arena_array(a, const int *, 1);
    order[1] = 1;
    orders[0] = order;
    rational each = rational_of(net->arcs.items[0].capacity * net->unit, 1);
    return (ring_set){1, orders, each, 1, ring_rate(each, 1, 2), true};
}

/* Rings of `lane` units each; what a link has beyond whole lanes is left. */
static ring_set rings_of_lanes(arena *a, const rank_net *net, int64_t lane)
{
    int n = net->rank_count;
    ring_search s = {.n = n, .path = arena_array(a, int, n), .on_path = arena_array(a, bool, n)};
    s.room = arena_array(a, int64_t, n * n);
    for (size_t i = 0; i < net->arcs.count; i++)
        *ring_room(&s, net->arcs.items[i].from, net->arcs.items[i].to) =
            net->arcs.items[i].capacity / lane;
    s.most = ring_most(&s);
    s.stack = arena_array(a, int, (s.most + 1) * n);
    s.best_stack = arena_array(a, int, (s.most + 1) * n);
    ring_next_cycle(&s);
    const int **orders = arena_array(a, const int *, s.best + 1);
    for (int i = 0; i < s.best; i++)
        orders[i] = s.best_stack + i * n;
    rational each = rational_of(lane * net->unit, 1);
    bool sure = s.best == s.most || s.steps <= RING_STEPS_MOST;
    return (ring_set){
        s.best, orders, each, 2 * s.best, s.best ? ring_rate(each, 2 * s.best, n) : RATIONAL_ZERO,
        sure};
}

/* Lanes of the common divisor where links have few of those; else the best of the links' own widths and their halves
 * and thirds. */
static ring_set rings_on_links(arena *a, const rank_net *net)
{
    int64_t widest = 0;
    for (size_t i = 0; i < net->arcs.count; i++)
        if (net->arcs.items[i].capacity > widest)
            widest = net->arcs.items[i].capacity;
    if (widest <= RING_LANES_MOST)
        return rings_of_lanes(a, net, 1);
    ring_set best = {.rate = RATIONAL_ZERO};
    int64_t tried[RING_WIDTHS_MOST];
    int count = 0;
    for (size_t i = 0; i < net->arcs.count && count < RING_WIDTHS_MOST; i++) {
        int64_t width = net->arcs.items[i].capacity;
        bool known = false;
        for (int k = 0; k < count; k++)
            known = known || tried[k] == width;
        if (known)
            continue;
        tried[count++] = width;
        for (int part = 1; part <= 3 && width >= part; part++) {
            ring_set set = rings_of_lanes(a, net, width / part);
            if (rational_compare(set.rate, best.rate) > 0)
                best = set;
        }
    }
    best.sure = false;
    return best;
}

/* Rings over switches: loads of arcs by the units of all rings. */
typedef struct ring_loads {
    const rank_net *net;
    int64_t *load; /* by net arc */
    int *reached;  /* by node: arc it was reached by + 1 */
    int *queue;
} ring_loads;

/* A shortest way from one rank to another over a direct link or switches; adds to the loads along it. */
static bool ring_route(ring_loads *l, int from, int to)
{
    const rank_net *net = l->net;
    memset(l->reached, 0, sizeof(int) * (size_t)net->node_count);
    int end = 0;
    l->queue[end++] = from;
    for (int at = 0; at < end && !l->reached[to]; at++) {
        int node = l->queue[at];
        if (node != from && node < net->rank_count)
            continue;
        for (size_t i = 0; i < net->arcs.count; i++) {
            const net_arc *arc = &net->arcs.items[i];
            if (arc->from != node || arc->to == from || l->reached[arc->to])
                continue;
            l->reached[arc->to] = (int)i + 1;
            l->queue[end++] = arc->to;
        }
    }
    for (int node = to; node != from; node = net->arcs.items[l->reached[node] - 1].from) {
        if (!l->reached[node])
            return false;
        l->load[l->reached[node] - 1]++;
    }
    return true;
}

/* By rank: the switch that its widest arc leads to, or -1: who hangs on one box's switch. */
static void ring_groups(const rank_net *net, int *group)
{
    for (int r = 0; r < net->rank_count; r++) {
        int64_t widest = 0;
        group[r] = -1;
        for (size_t i = 0; i < net->arcs.count; i++) {
            const net_arc *arc = &net->arcs.items[i];
            if (arc->from != r || arc->to < net->rank_count || arc->capacity <= widest)
                continue;
            widest = arc->capacity;
            group[r] = arc->to;
        }
    }
}

/* Rank order, turned by `turn` within each run of ranks of one group. */
static void ring_turned(const int *group, int n, int turn, int *order)
{
    for (int begin = 0; begin < n;) {
        int size = 1;
        while (begin + size < n && group[begin + size] == group[begin])
            size++;
        for (int i = 0; i < size; i++)
            order[begin + i] = begin + (i + turn) % size;
        begin += size;
    }
}

static int ring_group_size(const int *group, int n)
{
    int size = 1;
    while (size < n && group[size] == group[0])
        size++;
    return size;
}

/* `count` rings, turned by 0, 1, ...; each gets what the most loaded arc lets all of them have. */
static ring_set rings_turned(arena *a, const rank_net *net, const int *group, int count)
{
    int n = net->rank_count;
    ring_loads l = {net, arena_array(a, int64_t, net->arcs.count),
                    arena_array(a, int, net->node_count), arena_array(a, int, net->node_count)};
    const int **orders = arena_array(a, const int *, count);
    for (int turn = 0; turn < count; turn++) {
        int *order = arena_array(a, int, n);
        ring_turned(group, n, turn, order);
        orders[turn] = order;
        for (int i = 0; i < n; i++)
            if (!ring_route(&l, order[i], order[(i + 1) % n]))
                return (ring_set){.rate = RATIONAL_ZERO};
    }
    rational each = RATIONAL_UNBOUNDED;
    for (size_t i = 0; i < net->arcs.count; i++) {
        if (l.load[i] == 0)
            continue;
        rational share = rational_of(net->arcs.items[i].capacity, l.load[i]);
        if (rational_compare(share, each) < 0)
            each = share;
    }
    each = rational_multiply(each, rational_of(net->unit, 1));
    return (ring_set){count, orders, each, count, ring_rate(each, count, n), false};
}

static ring_set rings_over_switches(arena *a, const rank_net *net)
{
    int *group = arena_array(a, int, net->rank_count);
    ring_groups(net, group);
    ring_set plain = rings_turned(a, net, group, 1);
    int turns = ring_group_size(group, net->rank_count);
    if (turns < 2 || turns > 16 || turns == net->rank_count || plain.count == 0)
        return plain;
    ring_set turned = rings_turned(a, net, group, turns);
    return rational_compare(turned.rate, plain.rate) > 0 ? turned : plain;
}

ring_set rings_of(arena *a, const link_graph *g, const int *ranks, int count)
{
    rank_net net = rank_net_of(a, g, ranks, count, true);
    if (net.status != SYNTHESIS_OK || count < 2)
        return (ring_set){.rate = count < 2 ? RATIONAL_UNBOUNDED : RATIONAL_ZERO, .sure = true};
    if (net.node_count > count)
        return rings_over_switches(a, &net);
    if (!rank_net_is_symmetric(&net) || count > 64)
        return (ring_set){.rate = RATIONAL_ZERO};
    return count == 2 ? rings_of_pair(a, &net) : rings_on_links(a, &net);
}
