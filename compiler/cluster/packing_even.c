#include "cluster/digits.h"
#include "cluster/optimum.h"

/* Why. For ranks N, c(T) the capacity out of T, and g = min over T of N c(T) / (2 (N - |T|)), half of all-gather's rate:
 * of any partition, c(part) >= 2 g (N - |part|) / N, and the sum over its p parts says c(between) >= g (p - 1). So no
 * partition is below g. The sets T with equality meet in such sets (c(T) + 2 g |T| / N is submodular), so the smallest
 * of them are apart; turns take each to another, so they are a partition, and it has equality.
 */

/* By node: outside S of the least cut that leaves the most nodes inside and rank 0 out. */
static bool *even_smallest(arena *a, const rank_net *net, rational per_rank)
{
    flow_net *f = flow_net_new(a, net->node_count + 1, net->graph->work);
    int source = net->node_count;
    for (size_t i = 0; i < net->arcs.count; i++) /* turned round: the side nearest rank 0 */
        flow_add(f, net->arcs.items[i].to, net->arcs.items[i].from,
                 net->arcs.items[i].capacity * per_rank.denominator);
    for (int r = 0; r < net->rank_count; r++)
        flow_add(f, r, source, per_rank.numerator);
    flow_value(f, 0, source, FLOW_INFINITE);
    bool *left_out = arena_array(a, bool, net->node_count);
    for (int node = 0; node < net->node_count; node++)
        left_out[node] = flow_on_source_side(f, node);
    return left_out;
}

/* The turns of `first` that take rank 0 to each rank, as parts; how many. */
static int even_turn(const rank_net *net, const rank_digits *d, const bool *first, int *part_of)
{
    int parts = 0;
    for (int r = 0; r < net->rank_count; r++)
        part_of[r] = -1;
    for (int r = 0; r < net->rank_count && !effort_is_spent(net->graph->work); r++) {
        if (part_of[r] >= 0)
            continue;
        for (int inside = 0; inside < net->rank_count; inside++)
            if (first[inside])
                part_of[rank_digits_move(d, inside, r)] = parts;
        parts++;
    }
    return parts;
}

int packing_even_parts(const rank_net *net, int *part_of)
{
    arena *a = arena_new();
    rank_digits d = rank_digits_of(a, net);
    int parts = 0;
    if (d.count > 0) {
        const bool *first = even_smallest(a, net, gather_optimum_of(a, net).per_rank);
        parts = even_turn(net, &d, first, part_of);
    }
    arena_free(a);
    return parts;
}
