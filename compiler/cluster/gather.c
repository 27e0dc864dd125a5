#include "cluster/digits.h"
#include "cluster/optimum.h"

#include <assert.h>
#include <string.h>

/* One flow network for all sinks: node `source` feeds each rank its demand. */
typedef struct gather_flow {
    flow_net *net;
    int source;
    int64_t total;
} gather_flow;

static gather_flow gather_flow_of(arena *a, const gather_demand *d, int64_t scale)
{
    gather_flow made = {flow_net_new(a, d->node_count + 1, d->work), d->node_count, 0};
    for (size_t i = 0; i < d->arc_count; i++)
        flow_add(made.net, d->arcs[i].from, d->arcs[i].to, d->arcs[i].capacity * scale);
    for (int r = 0; r < d->rank_count; r++) {
        flow_add(made.net, made.source, r, d->demand[r]);
        made.total += d->demand[r];
    }
    return made;
}

static bool gather_reaches(const gather_flow *f, int sink)
{
    flow_reset(f->net);
    return flow_value(f->net, f->source, sink, f->total) == f->total;
}

bool gather_feasible(const gather_demand *d, int *doubtful)
{
    arena *a = arena_new();
    gather_flow f = gather_flow_of(a, d, 1);
    bool feasible = !effort_is_spent(d->work);
    for (int i = 0; i < d->rank_count && feasible; i++) {
        int sink = (*doubtful + i) % d->rank_count;
        feasible = gather_reaches(&f, sink);
        if (!feasible)
            *doubtful = sink;
    }
    arena_free(a);
    return feasible;
}

/* The cut "all but rank v" with the least capacity into v: where the search starts. */
static void gather_first_guess(const rank_net *net, bool *inside)
{
    arena *a = arena_new();
    int64_t *into = arena_array(a, int64_t, net->node_count);
    int left_out = 0;
    for (size_t i = 0; i < net->arcs.count; i++)
        into[net->arcs.items[i].to] += net->arcs.items[i].capacity;
    for (int r = 1; r < net->rank_count; r++)
        if (into[r] < into[left_out])
            left_out = r;
    arena_free(a);
    for (int node = 0; node < net->node_count; node++)
        inside[node] = node != left_out;
}

static void gather_measure(const rank_net *net, gather_optimum *g)
{
    g->capacity = 0;
    g->ranks_inside = 0;
    for (size_t i = 0; i < net->arcs.count; i++)
        if (g->inside[net->arcs.items[i].from] && !g->inside[net->arcs.items[i].to])
            g->capacity += net->arcs.items[i].capacity;
    for (int r = 0; r < net->rank_count; r++)
        g->ranks_inside += g->inside[r];
    g->per_rank = rational_of(g->capacity, g->ranks_inside);
}

/* How many ranks must be asked for what holds of all: one where turns take it to each other. */
static int gather_sinks(const rank_net *net)
{
    if (net->arcs.count == 0 || net->arcs.items[0].link < 0)
        return net->rank_count; /* not links of the graph: it says nothing of their turns */
    arena *a = arena_new();
    int sinks = rank_digits_of(a, net).count > 0 ? 1 : net->rank_count;
    arena_free(a);
    return sinks;
}

/* Serves the sinks from `sink` on at the rate so far, until one falls short; the first that does. */
static int gather_serve(const rank_net *net, const gather_optimum *best, int sink, int sinks,
                        bool *inside)
{
    arena *a = arena_new();
    int64_t *demand = arena_array(a, int64_t, net->rank_count);
    for (int r = 0; r < net->rank_count; r++)
        demand[r] = best->per_rank.numerator;
    gather_demand d = {net->node_count, net->rank_count, net->arcs.items,
                       net->arcs.count, demand,          net->graph->work};
    gather_flow f = gather_flow_of(a, &d, best->per_rank.denominator);
    while (sink < sinks && gather_reaches(&f, sink))
        sink++;
    for (int node = 0; node < net->node_count && sink < sinks; node++)
        inside[node] = flow_on_source_side(f.net, node);
    arena_free(a);
    return sink;
}

/* Dinkelbach: lower the guess at every violated cut. A rank that could be served at a higher guess can be served at a
 * lower one, so each rank is done with once. */
gather_optimum gather_optimum_of(arena *a, const rank_net *net)
{
    bool *inside = arena_array(a, bool, net->node_count);
    gather_optimum best = {.inside = inside};
    gather_first_guess(net, inside);
    gather_measure(net, &best);
    int sinks = gather_sinks(net);
    for (int sink = 0;;) {
        sink = gather_serve(net, &best, sink, sinks, inside);
        if (sink == sinks || effort_is_spent(net->graph->work))
            return best;
        rational before = best.per_rank;
        gather_measure(net, &best);
        assert(rational_compare(best.per_rank, before) < 0);
    }
}
