#include "cluster/optimum.h"

#include <assert.h>
#include <string.h>

/* Work on one guess p/q of the rate: capacities are times q, and p trees are wanted.
 *
 * Let i(S) be the capacity of links inside S. Out-trees from a root need an in-degree m(v) for each rank with
 * m(S) >= i(S) + p for every S without the root, and m(S) >= i(S) for every S. Writing p for the root's m turns both
 * into m(S) >= i(S) + p, an intersecting supermodular demand; the greedy below meets it with the least total, which
 * is the maximum over partitions of sum i(part) + p (parts - 1), and the sets found tight merge into that partition.
 */
typedef struct packing_work {
    int ranks;
    const net_arc *links; /* one for each symmetric pair, capacity each way, unscaled */
    size_t link_count;
    effort *effort;
    int64_t p;
    int64_t q;
    int64_t *m;
    int *part; /* by rank: union-find over tight sets */
} packing_work;

static int packing_part(const packing_work *w, int rank)
{
    while (w->part[rank] != rank)
        rank = w->part[rank];
    return rank;
}

/* m(v) = p + max over S in {0..v} with v in S of i(S) - m(S - v), by one minimum cut:
 * 2 (m(S) - i(S)) = d(S) + sum over S of (2 m(u) - degree(u)), all within {0..v}. */
static void packing_place(packing_work *w, int v)
{
    arena *a = arena_new();
    effort_spend(w->effort, (int64_t)w->link_count);
    flow_net *f = flow_net_new(a, v + 2, w->effort);
    int64_t *degree = arena_array(a, int64_t, v + 1), lifted = 0;
    for (size_t i = 0; i < w->link_count; i++) {
        const net_arc *link = &w->links[i];
        if (link->from > v || link->to > v)
            continue;
        degree[link->from] += link->capacity * w->q;
        degree[link->to] += link->capacity * w->q;
        flow_add_both(f, link->from, link->to, link->capacity * w->q);
    }
    for (int u = 0; u < v; u++) {
        int64_t weight = 2 * w->m[u] - degree[u];
        if (weight > 0)
            flow_add(f, u, v + 1, weight);
        else if (weight < 0)
            flow_add(f, v, u, -weight);
        lifted += weight < 0 ? -weight : 0;
    }
    int64_t cut = flow_value(f, v, v + 1, FLOW_INFINITE);
    int64_t least = cut - lifted - degree[v];
    assert((least % 2 == 0 && least <= 0) || effort_is_spent(w->effort));
    w->m[v] = w->p - least / 2;
    for (int u = 0; u < v; u++)
        if (flow_on_source_side(f, u))
            w->part[packing_part(w, u)] = v;
    arena_free(a);
}

/* Total in-degree of the ranks other than the root, rank 0. */
static int64_t packing_place_all(packing_work *w)
{
    int64_t total = 0;
    for (int v = 0; v < w->ranks && !effort_is_spent(w->effort); v++) {
        w->part[v] = v;
        packing_place(w, v);
        total += v > 0 ? w->m[v] : 0;
    }
    return total;
}

static void packing_number(const packing_work *w, packing_optimum *best, int *part_of)
{
    best->part_count = 0;
    for (int v = 0; v < w->ranks; v++)
        if (w->part[v] == v)
            part_of[v] = best->part_count++;
    for (int v = 0; v < w->ranks; v++)
        part_of[v] = part_of[packing_part(w, v)];
}

static void packing_measure(const packing_work *w, packing_optimum *best, const int *part_of)
{
    best->capacity = 0;
    for (size_t i = 0; i < w->link_count; i++)
        if (part_of[w->links[i].from] != part_of[w->links[i].to])
            best->capacity += w->links[i].capacity;
    best->rate = rational_of(best->capacity, best->part_count - 1);
}

/* Splits each link so that rank v gets m(v) of capacity inward. Exists because m(S) >= i(S) for every S and the
 * total is that of all links. */
static void packing_orient(arena *a, const rank_net *net, const packing_work *w,
                           packing_optimum *best)
{
    arena *scratch = arena_new();
    int source = w->ranks, sink = source + 1, first_link = sink + 1;
    flow_net *f = flow_net_new(scratch, first_link + (int)w->link_count, w->effort);
    int *forward = arena_array(scratch, int, w->link_count);
    int64_t total = 0;
    for (size_t i = 0; i < w->link_count; i++) {
        int64_t capacity = w->links[i].capacity * w->q;
        flow_add(f, source, first_link + (int)i, capacity);
        forward[i] = flow_add(f, first_link + (int)i, w->links[i].to, capacity);
        flow_add(f, first_link + (int)i, w->links[i].from, capacity);
        total += capacity;
    }
    for (int v = 1; v < w->ranks; v++)
        flow_add(f, v, sink, w->m[v]);
    int64_t placed = flow_maximum(f, source, sink, FLOW_INFINITE);
    assert(placed == total || effort_is_spent(w->effort));
    net_arc *oriented = arena_array(a, net_arc, 2 * w->link_count);
    for (size_t i = 0; i < w->link_count; i++) {
        net_arc out = w->links[i], back = out;
        back.from = out.to;
        back.to = out.from;
        back.link = link_graph_find_arc(net->graph, net->ranks[out.to], net->ranks[out.from]);
        out.capacity = flow_used(f, forward[i]);
        back.capacity = w->links[i].capacity * w->q - out.capacity;
        if (out.capacity > 0)
            oriented[best->oriented_count++] = out;
        if (back.capacity > 0)
            oriented[best->oriented_count++] = back;
    }
    best->oriented = oriented;
    arena_free(scratch);
}

static void packing_list_links(arena *a, const rank_net *net, packing_work *w)
{
    net_arc *links = arena_array(a, net_arc, net->arcs.count);
    for (size_t i = 0; i < net->arcs.count; i++)
        if (net->arcs.items[i].from < net->arcs.items[i].to)
            links[w->link_count++] = net->arcs.items[i];
    w->links = links;
}

/* From the partition so far, lowers the guess until it holds; then `m` is of the optimum. */
static void packing_search(packing_work *w, packing_optimum *best, int *part_of)
{
    while (!effort_is_spent(w->effort)) {
        w->p = best->rate.numerator;
        w->q = best->rate.denominator;
        int64_t total = packing_place_all(w), room = 0;
        for (size_t i = 0; i < w->link_count; i++)
            room += w->links[i].capacity * w->q;
        if (total == room || effort_is_spent(w->effort))
            return;
        assert(total > room);
        rational before = best->rate;
        packing_number(w, best, part_of);
        packing_measure(w, best, part_of);
        assert(rational_compare(best->rate, before) < 0);
    }
}

static packing_work packing_begin(arena *a, const rank_net *net)
{
    int n = net->rank_count;
    packing_work w = {.ranks = n,
                      .effort = net->graph->work,
                      .m = arena_array(a, int64_t, n),
                      .part = arena_array(a, int, n)};
    packing_list_links(a, net, &w);
    for (int v = 0; v < n; v++)
        w.part[v] = v;
    return w;
}

packing_optimum packing_optimum_of(arena *a, const rank_net *net)
{
    packing_work w = packing_begin(a, net);
    int *part_of = arena_array(a, int, w.ranks);
    packing_optimum best = {.part_of = part_of};
    best.part_count = packing_even_parts(net, part_of);
    if (effort_is_spent(w.effort))
        return best;
    bool even = best.part_count > 0;
    if (!even)
        packing_number(&w, &best, part_of);
    packing_measure(&w, &best, part_of);
    if (!even)
        packing_search(&w, &best, part_of);
    return best;
}

packing_optimum packing_oriented(arena *a, const rank_net *net, const int *begin)
{
    packing_work w = packing_begin(a, net);
    int *part_of = arena_array(a, int, w.ranks), *first = arena_array(a, int, w.ranks);
    packing_optimum best = {.part_of = part_of};
    for (int v = w.ranks; begin && v-- > 0;)
        first[begin[v]] = v;
    for (int v = 0; begin && v < w.ranks; v++)
        w.part[v] = first[begin[v]];
    packing_number(&w, &best, part_of);
    packing_measure(&w, &best, part_of);
    packing_search(&w, &best, part_of);
    if (!effort_is_spent(w.effort))
        packing_orient(a, net, &w, &best);
    return best;
}
