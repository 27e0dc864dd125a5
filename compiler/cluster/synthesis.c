#include "cluster/synthesis.h"

#include "cluster/assemble.h"
#include "cluster/bounds.h"
#include "cluster/descent.h"
#include "cluster/nested.h"
#include "cluster/optimum.h"

static synthesis synthesis_failed(const rank_net *net)
{
    return (synthesis){.status = net->status, .unreached = net->unreached, .rate = RATIONAL_ZERO};
}

static synthesis synthesis_of_forest(forest f)
{
    return (synthesis){.unreached = -1, .rate = f.rate, .phase_count = 1, .phases = {f}};
}

static synthesis synthesis_of_one_rank(arena *a, const rank_net *net, forest_kind kind)
{
    forest_draft d = forest_begin(a, net, kind, 1);
    return synthesis_of_forest(forest_finish(&d));
}

static const int64_t *equal_demand(arena *a, int ranks, int64_t each)
{
    int64_t *demand = arena_array(a, int64_t, ranks);
    for (int r = 0; r < ranks; r++)
        demand[r] = each;
    return demand;
}

/* Where switches that pass unlike capacities in and out could not be split without loss: what the logical arcs that
 * are left can serve. Scales them for it. Zero if nothing. */
static rational gather_of_rest(arena *a, const rank_net *net, logical_net *logical)
{
    rank_net rest = *net;
    rest.node_count = net->rank_count;
    rest.arcs.items = NULL;
    rest.arcs.count = rest.arcs.room = 0;
    for (size_t i = 0; i < logical->arcs.count; i++) {
        const logical_arc *arc = &logical->arcs.items[i];
        vec_push(a, &rest.arcs, (net_arc){arc->from, arc->to, arc->capacity, -1});
    }
    rational each = gather_optimum_of(a, &rest).per_rank;
    for (size_t i = 0; i < logical->arcs.count; i++)
        logical->arcs.items[i].capacity *= each.denominator;
    return each;
}

/* Above this many ranks the general way takes minutes: a little less than the optimum is better than that. */
enum { GENERAL_RANKS_MOST = 384, NEARLY_STEPS = 64 };

/* Box by box at the greatest part of the optimum, in 64ths, at which the boxes can spread what enters them. */
static bool gather_nearly(arena *a, const rank_net *net, rational per_rank, forest *f)
{
    int reached = 0, refused = NEARLY_STEPS;
    while (net->rank_count > GENERAL_RANKS_MOST && refused - reached > 1) {
        int part = (reached + refused) / 2;
        rational rate = rational_multiply(per_rank, rational_of(part, NEARLY_STEPS));
        if (nested_gather(a, net, rate, f))
            reached = part;
        else
            refused = part;
    }
    return reached > 0;
}

/* Every root's trees weigh the optimum's numerator, with capacities times its denominator. */
static synthesis gather_grown(arena *a, const rank_net *net, rational per_rank)
{
    forest regular;
    if (descent_gather(a, net, per_rank, &regular) || nested_gather(a, net, per_rank, &regular) ||
        gather_nearly(a, net, per_rank, &regular))
        return synthesis_of_forest(regular);
    const int64_t *demand = equal_demand(a, net->rank_count, per_rank.numerator);
    logical_net *logical = logical_of(a, net, per_rank.denominator, demand);
    int64_t scale = per_rank.denominator;
    if (!logical->served) {
        rational rest = gather_of_rest(a, net, logical);
        if (rest.numerator == 0)
            return (synthesis){
                .status = SYNTHESIS_ASYMMETRIC, .unreached = -1, .rate = RATIONAL_ZERO};
        demand = equal_demand(a, net->rank_count, rest.numerator);
        scale *= rest.denominator;
    }
    forest_draft d = forest_begin(a, net, FOREST_ALL_GATHER, scale);
    grown_trees trees = grow_trees(a, logical, demand);
    forest_add_grown(&d, logical, &trees);
    return synthesis_of_forest(forest_finish(&d));
}

synthesis synthesis_all_gather(arena *a, const link_graph *g, const int *ranks, int count)
{
    rank_net net = rank_net_of(a, g, ranks, count, true);
    if (net.status != SYNTHESIS_OK)
        return synthesis_failed(&net);
    if (count < 2)
        return synthesis_of_one_rank(a, &net, FOREST_ALL_GATHER);
    return gather_grown(a, &net, gather_optimum_of(a, &net).per_rank);
}

synthesis synthesis_reduce_scatter(arena *a, const link_graph *g, const int *ranks, int count)
{
    bool twins = link_graph_is_symmetric(g);
    const link_graph *turned = twins ? g : link_graph_reverse(g, a);
    synthesis s = synthesis_all_gather(a, turned, ranks, count);
    if (s.status == SYNTHESIS_OK)
        s.phases[0] = forest_turned(a, g, &s.phases[0], twins);
    return s;
}

static synthesis packing_of_net(arena *a, const link_graph *g, const rank_net *net)
{
    packing_optimum best = packing_optimum_of(a, net);
    logical_net logical = {.rank_count = net->rank_count, .served = true};
    for (size_t i = 0; i < best.oriented_count; i++) {
        const net_arc *arc = &best.oriented[i];
        vec_push(a, &logical.ways, (logical_way){arc->link, -1, -1});
        vec_push(a, &logical.arcs, (logical_arc){arc->from, arc->to, arc->capacity, (int)i});
    }
    int64_t *demand = arena_array(a, int64_t, net->rank_count);
    demand[best.root] = best.rate.numerator;
    grown_trees trees = grow_trees(a, &logical, demand);
    forest_draft d = forest_begin(a, net, FOREST_ALL_REDUCE, best.rate.denominator);
    forest_add_grown(&d, &logical, &trees);
    forest packed = forest_finish(&d);
    return synthesis_of_forest(forest_centred(a, g, &packed));
}

synthesis synthesis_packing(arena *a, const link_graph *g, const int *ranks, int count)
{
    rank_net net = rank_net_of(a, g, ranks, count, false);
    if (net.status != SYNTHESIS_OK)
        return synthesis_failed(&net);
    if (count < 2)
        return synthesis_of_one_rank(a, &net, FOREST_ALL_REDUCE);
    if (!rank_net_is_symmetric(&net))
        return (synthesis){.status = SYNTHESIS_ASYMMETRIC, .unreached = -1, .rate = RATIONAL_ZERO};
    return packing_of_net(a, g, &net);
}

static synthesis scatter_then_gather(arena *a, const link_graph *g, const int *ranks, int count)
{
    synthesis gather = synthesis_all_gather(a, g, ranks, count);
    if (gather.status != SYNTHESIS_OK)
        return gather;
    synthesis scatter = gather;
    if (link_graph_is_symmetric(g))
        scatter.phases[0] = forest_turned(a, g, &gather.phases[0], true);
    else
        scatter = synthesis_reduce_scatter(a, g, ranks, count);
    if (scatter.status != SYNTHESIS_OK)
        return scatter;
    return (synthesis){.unreached = -1,
                       .rate = rational_in_turn(scatter.rate, gather.rate),
                       .phase_count = 2,
                       .phases = {scatter.phases[0], gather.phases[0]}};
}

/* From this many ranks on, of two forms of equal rate the one with the flatter trees is worth its number of them. */
enum { PACKING_RANKS_MOST = 32 };

/* The all-gather of a regular machine at the same all-reduce rate as the packing, if there is one. */
static bool flat_enough(arena *a, const rank_net *net, rational rate, synthesis *made)
{
    if (net->rank_count <= PACKING_RANKS_MOST || !rank_net_is_symmetric(net))
        return false;
    rational per_rank = rational_multiply(rate, rational_of(2, net->rank_count));
    per_rank = rational_multiply(per_rank, rational_of(1, net->unit));
    forest gather;
    if (!descent_gather(a, net, per_rank, &gather))
        return false;
    *made = (synthesis){.unreached = -1, .rate = rate, .phase_count = 2};
    made->phases[0] = forest_turned(a, net->graph, &gather, true);
    made->phases[1] = gather;
    return true;
}

synthesis synthesis_all_reduce(arena *a, const link_graph *g, const int *ranks, int count)
{
    bound best = bound_all_reduce(a, g, ranks, count);
    if (best.status != SYNTHESIS_OK)
        return (synthesis){.status = best.status, .unreached = best.unreached, .rate = best.rate};
    if (best.kind == BOUND_CUT)
        return scatter_then_gather(a, g, ranks, count);
    synthesis flat;
    rank_net net = rank_net_of(a, g, ranks, count, true);
    if (best.kind == BOUND_PARTITION && flat_enough(a, &net, best.rate, &flat))
        return flat;
    return synthesis_packing(a, g, ranks, count);
}
