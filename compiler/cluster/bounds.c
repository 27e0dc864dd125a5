#include "cluster/bounds.h"

#include "cluster/optimum.h"

static bound bound_failed(const rank_net *net)
{
    return (bound){.status = net->status, .unreached = net->unreached, .rate = RATIONAL_ZERO};
}

static bound bound_given_up(void)
{
    return (bound){.status = SYNTHESIS_EFFORT, .unreached = -1, .rate = RATIONAL_ZERO};
}

static bound bound_of_one_rank(void)
{
    return (bound){.unreached = -1, .rate = RATIONAL_UNBOUNDED, .factor = rational_of(1, 1)};
}

static bound bound_of_cut(arena *a, const rank_net *net)
{
    if (net->status != SYNTHESIS_OK)
        return bound_failed(net);
    if (net->rank_count < 2)
        return bound_of_one_rank();
    gather_optimum best = gather_optimum_of(net->memory, net);
    if (effort_is_spent(net->graph->work))
        return bound_given_up();
    int *part_of = arena_array(a, int, net->graph->nodes.count);
    for (size_t i = 0; i < net->graph->nodes.count; i++)
        part_of[i] = -1;
    for (int node = 0; node < net->node_count; node++)
        part_of[net->origin[node]] = best.inside[node];
    rational factor = rational_of(net->rank_count, 1);
    rational rate = rational_multiply(best.per_rank, rational_of(net->unit, 1));
    return (bound){.unreached = -1,
                   .kind = BOUND_CUT,
                   .rate = rational_multiply(rate, factor),
                   .capacity = best.capacity * net->unit,
                   .divisor = best.ranks_inside,
                   .factor = factor,
                   .part_count = 2,
                   .part_of = part_of};
}

bound bound_all_gather(arena *a, const link_graph *g, const int *ranks, int count)
{
    arena *scratch = arena_new();
    rank_net net = rank_net_of(scratch, g, ranks, count, true);
    bound b = bound_of_cut(a, &net);
    arena_free(scratch);
    return b;
}

bound bound_reduce_scatter(arena *a, const link_graph *g, const int *ranks, int count)
{
    bound turned = bound_all_gather(a, link_graph_reverse(g, a), ranks, count);
    turned.into = true;
    return turned;
}

static bound bound_of_packing(arena *a, const rank_net *net)
{
    if (net->status != SYNTHESIS_OK)
        return bound_failed(net);
    if (net->rank_count < 2)
        return bound_of_one_rank();
    if (!rank_net_is_symmetric(net))
        return (bound){.status = SYNTHESIS_ASYMMETRIC, .unreached = -1, .rate = RATIONAL_ZERO};
    packing_optimum best = packing_optimum_of(net->memory, net);
    if (effort_is_spent(net->graph->work))
        return bound_given_up();
    int *part_of = arena_array(a, int, net->graph->nodes.count);
    for (size_t i = 0; i < net->graph->nodes.count; i++)
        part_of[i] = -1;
    for (int r = 0; r < net->rank_count; r++)
        part_of[net->ranks[r]] = best.part_of[r];
    return (bound){.unreached = -1,
                   .kind = BOUND_PARTITION,
                   .rate = rational_multiply(best.rate, rational_of(net->unit, 1)),
                   .capacity = best.capacity * net->unit,
                   .divisor = best.part_count - 1,
                   .factor = rational_of(1, 1),
                   .part_count = best.part_count,
                   .part_of = part_of};
}

bound bound_packing(arena *a, const link_graph *g, const int *ranks, int count)
{
    arena *scratch = arena_new();
    rank_net net = rank_net_of(scratch, g, ranks, count, false);
    bound b = bound_of_packing(a, &net);
    arena_free(scratch);
    return b;
}

bound bound_all_reduce(arena *a, const link_graph *g, const int *ranks, int count)
{
    bound gather = bound_all_gather(a, g, ranks, count);
    if (gather.status != SYNTHESIS_OK || gather.kind == BOUND_NONE)
        return gather;
    bound scatter = gather;
    if (!link_graph_is_symmetric(g))
        scatter = bound_reduce_scatter(a, g, ranks, count);
    if (scatter.status != SYNTHESIS_OK)
        return scatter;
    bound both = rational_compare(scatter.rate, gather.rate) < 0 ? scatter : gather;
    both.rate = rational_in_turn(scatter.rate, gather.rate);
    both.factor = rational_multiply(both.rate, rational_of(both.divisor, both.capacity));
    bound packing = bound_packing(a, g, ranks, count);
    if (packing.status == SYNTHESIS_EFFORT)
        return packing;
    if (packing.status == SYNTHESIS_OK && rational_compare(packing.rate, both.rate) >= 0)
        return packing;
    return both;
}
