#include "cluster/digits.h"

#include <string.h>

/* How far each switch is from the ranks, in arcs, and the neighbours that a turn can be known from. */
typedef struct digits_work {
    const rank_net *net;
    int *level; /* by node; ranks 0 */
    int levels;
    uint64_t *seen; /* by switch: key of its nearer neighbours as they are */
    uint64_t *moved;
} digits_work;

static uint64_t digits_mix(uint64_t x)
{
    x ^= x >> 31;
    x *= 0x7fb5d329728ea185u;
    x ^= x >> 27;
    x *= 0x81dadef4bc2dd44du;
    return x ^ x >> 33;
}

static void digits_find_levels(digits_work *w)
{
    const rank_net *net = w->net;
    for (int node = 0; node < net->node_count; node++)
        w->level[node] = node < net->rank_count ? 0 : -1;
    for (bool found = true; found;) {
        found = false;
        for (size_t i = 0; i < net->arcs.count; i++) {
            const net_arc *arc = &net->arcs.items[i];
            if (w->level[arc->from] != w->levels || w->level[arc->to] >= 0)
                continue;
            w->level[arc->to] = w->levels + 1;
            found = true;
        }
        w->levels += found;
    }
}

/* Keys of the switches of one level, from neighbours nearer the ranks: a sum, so that order does not count. */
static void digits_find_keys(digits_work *w, int level, const int32_t *to)
{
    for (size_t i = 0; i < w->net->arcs.count; i++) {
        const net_arc *arc = &w->net->arcs.items[i];
        bool inward = w->level[arc->to] == level && w->level[arc->from] < level;
        bool outward = w->level[arc->from] == level && w->level[arc->to] < level;
        if (!inward && !outward)
            continue;
        int hub = inward ? arc->to : arc->from, near = inward ? arc->from : arc->to;
        uint64_t salt = digits_mix((uint64_t)arc->capacity * 2 + inward);
        w->seen[hub] += digits_mix(salt + (uint64_t)near);
        w->moved[hub] += digits_mix(salt + (uint64_t)to[near]);
    }
}

/* Each switch goes to the one whose neighbours are where its own go; of several alike, in order. */
static bool digits_place_level(digits_work *w, int level, int32_t *to, bool *taken)
{
    int nodes = w->net->node_count, ranks = w->net->rank_count;
    for (int hub = ranks; hub < nodes; hub++) {
        if (w->level[hub] != level)
            continue;
        int found = -1;
        for (int other = ranks; other < nodes && found < 0; other++)
            if (w->level[other] == level && !taken[other] && w->seen[other] == w->moved[hub])
                found = other;
        if (found < 0 || !effort_spend(w->net->graph->work, found - ranks))
            return false;
        taken[found] = true;
        to[hub] = found;
    }
    return true;
}

static bool digits_keeps_arcs(const rank_net *net, const int32_t *to)
{
    const link_graph *g = net->graph;
    for (size_t i = 0; i < net->arcs.count; i++) {
        const net_arc *arc = &net->arcs.items[i];
        int image = link_graph_find_arc(g, net->origin[to[arc->from]], net->origin[to[arc->to]]);
        if (image < 0 ||
            g->arcs.items[image].bytes_per_second != g->arcs.items[arc->link].bytes_per_second)
            return false;
    }
    return effort_spend(g->work, 4 * (int64_t)net->arcs.count); /* arcs are looked up */
}

/* Turning the digit of that stride and size by one, on all nodes; whether it keeps the net. */
static bool digits_turn(digits_work *w, int stride, int size, int32_t *to)
{
    const rank_net *net = w->net;
    for (int r = 0; r < net->rank_count; r++) {
        int digit = r / stride % size;
        to[r] = r + ((digit + 1) % size - digit) * stride;
    }
    arena *a = arena_new();
    w->seen = arena_array(a, uint64_t, net->node_count);
    w->moved = arena_array(a, uint64_t, net->node_count);
    bool *taken = arena_array(a, bool, net->node_count), kept = true;
    for (int level = 1; level <= w->levels && kept; level++) {
        digits_find_keys(w, level, to);
        kept = digits_place_level(w, level, to, taken);
    }
    arena_free(a);
    return kept && digits_keeps_arcs(net, to);
}

/* Fewest digits from each stride up to the number of ranks: a shortest path over its divisors. */
typedef struct digits_search {
    int *fewest; /* by stride: digits needed above it; 0: none found */
    int *next;   /* by stride: the stride of the next digit */
} digits_search;

static void digits_search_stride(digits_work *w, digits_search *s, int stride, int32_t *to)
{
    int ranks = w->net->rank_count;
    for (int next = ranks; next > stride; next--) {
        if (ranks % next != 0 || next % stride != 0 || (next < ranks && s->fewest[next] == 0))
            continue;
        int digits = 1 + (next < ranks ? s->fewest[next] : 0);
        if (digits > DIGITS_MOST || (s->fewest[stride] > 0 && digits >= s->fewest[stride]))
            continue;
        if (!digits_turn(w, stride, next / stride, to))
            continue;
        s->fewest[stride] = digits;
        s->next[stride] = next;
    }
}

static void digits_tabulate(arena *a, digits_work *w, rank_digits *d, int k)
{
    size_t nodes = (size_t)w->net->node_count;
    int32_t *to = arena_array(a, int32_t, nodes);
    digits_turn(w, d->stride[k], d->size[k], to);
    int32_t *table = arena_array(a, int32_t, nodes * (size_t)d->size[k]);
    for (size_t node = 0; node < nodes; node++)
        table[node] = (int32_t)node;
    for (size_t v = 1; v < (size_t)d->size[k]; v++)
        for (size_t node = 0; node < nodes; node++)
            table[v * nodes + node] = to[table[(v - 1) * nodes + node]];
    d->turned[k] = table;
}

rank_digits rank_digits_of(arena *a, const rank_net *net)
{
    int ranks = net->rank_count;
    digits_work w = {.net = net, .level = arena_array(a, int, net->node_count)};
    digits_find_levels(&w);
    rank_digits d = {.node_count = net->node_count};
    digits_search s = {arena_array(a, int, ranks + 1), arena_array(a, int, ranks + 1)};
    int32_t *to = arena_array(a, int32_t, net->node_count);
    bool one = ranks > 1 && digits_turn(&w, 1, ranks, to);
    if (one)
        s.next[1] = ranks;
    for (int stride = ranks - 1; stride > 0 && !one; stride--)
        if (ranks % stride == 0)
            digits_search_stride(&w, &s, stride, to);
    if (ranks < 2 || s.next[1] == 0)
        return d;
    for (int stride = 1; stride < ranks; stride = s.next[stride]) {
        d.stride[d.count] = stride;
        d.size[d.count] = s.next[stride] / stride;
        digits_tabulate(a, &w, &d, d.count);
        d.count++;
    }
    return d;
}

int rank_digit(const rank_digits *d, int rank, int k)
{
    return rank / d->stride[k] % d->size[k];
}

int rank_digits_move(const rank_digits *d, int node, int rank)
{
    for (int k = 0; k < d->count; k++)
        node = d->turned[k][rank_digit(d, rank, k) * d->node_count + node];
    return node;
}
