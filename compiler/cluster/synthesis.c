#include "cluster/synthesis.h"

#include "cluster/assemble.h"
#include "cluster/bounds.h"
#include "cluster/descent.h"
#include "cluster/nested.h"
#include "cluster/optimum.h"

#include <string.h>

static synthesis synthesis_failed(const rank_net *net)
{
    return (synthesis){.status = net->status, .unreached = net->unreached, .rate = RATIONAL_ZERO};
}

static synthesis synthesis_given_up(synthesis_status status)
{
    return (synthesis){.status = status, .unreached = -1, .rate = RATIONAL_ZERO};
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
enum { GENERAL_RANKS_MOST = 384, NEARLY_STEPS = 64, NEARLY_LEAST = 48 };

/* Box by box at the greatest part of the optimum, in 64ths and not below `least` of them, at which the boxes can spread
 * what enters them. */
static bool gather_nearly(arena *a, const rank_net *net, rational per_rank, int least, forest *f)
{
    int reached = least - 1, refused = NEARLY_STEPS;
    while (refused - reached > 1 && !effort_is_spent(net->graph->work)) {
        int part = (reached + refused) / 2;
        rational rate = rational_multiply(per_rank, rational_of(part, NEARLY_STEPS));
        if (nested_gather(a, net, rate, f))
            reached = part;
        else
            refused = part;
    }
    return reached >= least && !effort_is_spent(net->graph->work);
}

/* Trees grown over the arcs that are left without switches; more edges than are allowed are LARGE. */
static synthesis gather_by_growth(arena *a, const rank_net *net, rational per_rank)
{
    const int64_t *demand = equal_demand(a, net->rank_count, per_rank.numerator);
    logical_net *logical = logical_of(a, net, per_rank.denominator, demand);
    int64_t scale = per_rank.denominator;
    if (effort_is_spent(net->graph->work)) /* switches are left */
        return synthesis_given_up(SYNTHESIS_EFFORT);
    if (!logical->served) {
        rational rest = gather_of_rest(a, net, logical);
        if (effort_is_spent(net->graph->work))
            return synthesis_given_up(SYNTHESIS_EFFORT);
        if (rest.numerator == 0)
            return synthesis_given_up(SYNTHESIS_ASYMMETRIC);
        demand = equal_demand(a, net->rank_count, rest.numerator);
        scale *= rest.denominator;
    }
    forest_draft d = forest_begin(a, net, FOREST_ALL_GATHER, scale);
    grown_trees trees = grow_trees(a, logical, demand);
    if (trees.status != SYNTHESIS_OK)
        return synthesis_given_up(trees.status);
    forest_add_grown(&d, logical, &trees);
    return synthesis_of_forest(forest_finish(&d));
}

/* The general way with half of the work that is left, and if that is too little, nearly with the other half. */
static synthesis gather_within(arena *a, const rank_net *net, rational per_rank)
{
    effort *work = net->graph->work;
    int64_t half = work ? work->left / 2 : 0;
    if (work)
        work->left -= half;
    synthesis made = gather_by_growth(a, net, per_rank);
    bool spent = effort_is_spent(work);
    forest regular;
    if (work)
        work->left = (spent ? 0 : work->left) + half;
    if (spent && gather_nearly(a, net, per_rank, NEARLY_LEAST, &regular))
        return synthesis_of_forest(regular);
    return made;
}

/* Every root's trees weigh the optimum's numerator, with capacities times its denominator. */
static synthesis gather_grown(arena *a, const rank_net *net, rational per_rank)
{
    forest regular;
    effort *work = net->graph->work;
    int64_t ranks = net->rank_count;
    if (effort_is_spent(work))
        return synthesis_given_up(SYNTHESIS_EFFORT);
    if (!effort_allows_edges(work, ranks * (ranks - 1)))
        return synthesis_given_up(SYNTHESIS_LARGE);
    if (descent_gather(a, net, per_rank, &regular) || nested_gather(a, net, per_rank, &regular))
        return synthesis_of_forest(regular);
    if (ranks <= GENERAL_RANKS_MOST)
        return gather_within(a, net, per_rank);
    if (gather_nearly(a, net, per_rank, 1, &regular))
        return synthesis_of_forest(regular);
    return gather_by_growth(a, net, per_rank);
}

/* `per_rank` in bytes/s where it is known already, else unbounded. */
static synthesis gather_at(arena *a, const link_graph *g, const int *ranks, int count,
                           rational per_rank)
{
    rank_net net = rank_net_of(a, g, ranks, count, true);
    if (net.status != SYNTHESIS_OK)
        return synthesis_failed(&net);
    if (count < 2)
        return synthesis_of_one_rank(a, &net, FOREST_ALL_GATHER);
    if (rational_is_unbounded(per_rank))
        return gather_grown(a, &net, gather_optimum_of(a, &net).per_rank);
    return gather_grown(a, &net, rational_multiply(per_rank, rational_of(1, net.unit)));
}

synthesis synthesis_all_gather(arena *a, const link_graph *g, const int *ranks, int count)
{
    return gather_at(a, g, ranks, count, RATIONAL_UNBOUNDED);
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

/* `part_of`, by node of the graph, is a least partition; NULL: not known. */
static synthesis packing_of_net(arena *a, const link_graph *g, const rank_net *net,
                                const int *part_of)
{
    int *begin = part_of ? arena_array(a, int, net->rank_count) : NULL;
    for (int r = 0; begin && r < net->rank_count; r++)
        begin[r] = part_of[net->ranks[r]];
    packing_optimum best = packing_oriented(a, net, begin);
    if (effort_is_spent(g->work))
        return synthesis_given_up(SYNTHESIS_EFFORT);
    logical_net logical = {.rank_count = net->rank_count, .served = true, .work = g->work};
    for (size_t i = 0; i < best.oriented_count; i++) {
        const net_arc *arc = &best.oriented[i];
        vec_push(a, &logical.ways, (logical_way){arc->link, -1, -1});
        vec_push(a, &logical.arcs, (logical_arc){arc->from, arc->to, arc->capacity, (int)i});
    }
    int64_t *demand = arena_array(a, int64_t, net->rank_count);
    demand[best.root] = best.rate.numerator;
    grown_trees trees = grow_trees(a, &logical, demand);
    if (trees.status != SYNTHESIS_OK)
        return synthesis_given_up(trees.status);
    forest_draft d = forest_begin(a, net, FOREST_ALL_REDUCE, best.rate.denominator);
    forest_add_grown(&d, &logical, &trees);
    forest packed = forest_finish(&d);
    return synthesis_of_forest(forest_centred(a, g, &packed));
}

static synthesis packing_at(arena *a, const link_graph *g, const int *ranks, int count,
                            const int *part_of)
{
    rank_net net = rank_net_of(a, g, ranks, count, false);
    if (net.status != SYNTHESIS_OK)
        return synthesis_failed(&net);
    if (count < 2)
        return synthesis_of_one_rank(a, &net, FOREST_ALL_REDUCE);
    if (!rank_net_is_symmetric(&net))
        return synthesis_given_up(SYNTHESIS_ASYMMETRIC);
    return packing_of_net(a, g, &net, part_of);
}

synthesis synthesis_packing(arena *a, const link_graph *g, const int *ranks, int count)
{
    return packing_at(a, g, ranks, count, NULL);
}

static synthesis scatter_then_gather(arena *a, const link_graph *g, const int *ranks, int count,
                                     const bound *best)
{
    bool symmetric = link_graph_is_symmetric(g);
    rational known = symmetric ? rational_of(best->capacity, best->divisor) : RATIONAL_UNBOUNDED;
    synthesis gather = gather_at(a, g, ranks, count, known);
    if (gather.status != SYNTHESIS_OK)
        return gather;
    synthesis scatter = gather;
    if (symmetric)
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
        return scatter_then_gather(a, g, ranks, count, &best);
    synthesis flat;
    rank_net net = rank_net_of(a, g, ranks, count, true);
    if (best.kind == BOUND_PARTITION && flat_enough(a, &net, best.rate, &flat))
        return flat;
    return packing_at(a, g, ranks, count, best.kind == BOUND_PARTITION ? best.part_of : NULL);
}

static forest forest_copy(arena *a, const forest *f, const int *ranks)
{
    forest copy = *f;
    size_t bytes = sizeof(tree_edge) * (size_t)(f->rank_count - 1);
    forest_tree *trees = arena_array(a, forest_tree, f->tree_count + 1);
    forest_route *routes = arena_array(a, forest_route, f->route_count + 1);
    for (int t = 0; t < f->tree_count; t++) {
        tree_edge *edges = arena_alloc(a, bytes);
        memcpy(edges, f->trees[t].edges, bytes);
        trees[t] = (forest_tree){f->trees[t].root, f->trees[t].weight, edges};
    }
    for (int r = 0; r < f->route_count; r++) {
        int32_t *arcs = arena_array(a, int32_t, f->routes[r].arc_count);
        memcpy(arcs, f->routes[r].arcs, sizeof *arcs * (size_t)f->routes[r].arc_count);
        routes[r] = (forest_route){f->routes[r].arc_count, arcs};
    }
    copy.ranks = ranks;
    copy.trees = trees;
    copy.routes = routes;
    return copy;
}

synthesis synthesis_copy(arena *a, const synthesis *s, const int *ranks)
{
    synthesis copy = *s;
    for (int p = 0; p < s->phase_count; p++)
        copy.phases[p] = forest_copy(a, &s->phases[p], ranks);
    return copy;
}
