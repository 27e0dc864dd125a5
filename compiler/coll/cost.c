#include "coll/cost.h"
#include "coll/message.h"
#include "coll/simulate.h"

#include <math.h>
#include <string.h>

enum { MOST_PIECES = 1 << 12 };

/* Much data, to find what each byte adds. */
static const double much = 1099511627776.0;

static double unit_bytes(const coll_program *p)
{
    if (p->kind != COLL_ALL_TO_ALL)
        return 1.0 / (double)coll_total_weight(p);
    int64_t of_first = 0;
    for (int c = 0; c < p->chunks; c++)
        of_first += p->home[c] == 0 ? p->weights[c] : 0;
    return 1.0 / (double)of_first;
}

/* No other way is at least as slow in both latency and bytes. */
static bool is_slowest_somewhere(const coll_way *ways, size_t count, size_t i)
{
    for (size_t k = 0; k < count; k++) {
        bool covers = ways[k].seconds >= ways[i].seconds && ways[k].per_byte >= ways[i].per_byte;
        bool equal = ways[k].seconds == ways[i].seconds && ways[k].per_byte == ways[i].per_byte;
        if (k != i && covers && (!equal || k < i))
            return false;
    }
    return true;
}

/* What one message adds to its way. `arcs`: seconds of each arc for a byte of the whole vector. */
static void add_message(coll_way *way, const coll_program *p, coll_routes *routes,
                        const coll_send *send, const double *arcs)
{
    coll_route route = coll_route_of(routes, p, send);
    for (int32_t i = 0; i < route.count; i++) {
        way->seconds += coll_routes_graph(routes)->arcs.items[route.arcs[i]].seconds;
        way->per_byte = fmax(way->per_byte, arcs[route.arcs[i]]);
    }
}

static void add_ways(coll_cost *cost, const coll_program *p, coll_routes *routes, arena *a)
{
    arena *scratch = arena_new();
    const coll_message_graph *messages = coll_message_graph_of(p, scratch);
    const double *arcs = coll_arc_seconds(p, routes, scratch);
    size_t pairs = (size_t)p->ranks * (size_t)p->ranks, count = 0;
    coll_way *all = arena_array(scratch, coll_way, pairs);
    for (size_t m = 0; m < messages->messages.count; m++) {
        const coll_send *send = &p->sends.items[messages->messages.items[m].first];
        add_message(&all[(size_t)send->from * (size_t)p->ranks + (size_t)send->to], p, routes, send,
                    arcs);
    }
    for (size_t i = 0; i < pairs; i++) { /* of many pairs there are few kinds */
        bool known = all[i].per_byte == 0;
        for (size_t k = 0; k < count && !known; k++)
            known = all[k].seconds == all[i].seconds && all[k].per_byte == all[i].per_byte;
        if (!known)
            all[count++] = all[i];
    }
    double scale = unit_bytes(p) * (double)coll_total_weight(p); /* 1, but for all_to_all */
    for (size_t i = 0; i < count; i++)
        if (is_slowest_somewhere(all, count, i))
            vec_push(a, &cost->ways, (coll_way){all[i].seconds, all[i].per_byte * scale});
    arena_free(scratch);
}

coll_cost coll_cost_of(const coll_program *p, coll_routes *routes, arena *a)
{
    coll_cost cost = {.rate = coll_rate(p, routes)};
    if (p->kind == COLL_ALL_TO_ALL)
        cost.rate *= 1.0 / (double)coll_total_weight(p) / unit_bytes(p);
    cost.seconds = coll_simulate(p, routes, (coll_load){.bytes = 0, .pieces = 1}).seconds;
    cost.per_byte =
        (coll_simulate(p, routes, (coll_load){.bytes = much, .pieces = 1}).seconds - cost.seconds) /
        much;
    add_ways(&cost, p, routes, a);
    return cost;
}

static double seconds_in_pieces(const coll_cost *cost, double bytes, int pieces)
{
    double piece = bytes / pieces, slowest = 0;
    for (size_t i = 0; i < cost->ways.count; i++)
        slowest = fmax(slowest, cost->ways.items[i].seconds + piece * cost->ways.items[i].per_byte);
    return cost->seconds + cost->per_byte * piece + (pieces - 1) * slowest;
}

double coll_cost_seconds(const coll_cost *cost, double bytes, int *pieces)
{
    double best = HUGE_VAL;
    for (int n = 1; n <= MOST_PIECES; n *= 2) {
        double seconds = seconds_in_pieces(cost, bytes, n);
        if (seconds >= best)
            continue;
        best = seconds;
        if (pieces)
            *pieces = n;
    }
    return best;
}

int coll_cheapest(const coll_cost *costs, int count, double bytes)
{
    int cheapest = 0;
    double least = HUGE_VAL;
    for (int i = 0; i < count; i++) {
        double seconds = coll_cost_seconds(&costs[i], bytes, NULL);
        if (seconds < least) {
            least = seconds;
            cheapest = i;
        }
    }
    return cheapest;
}

/* The size between two at which another becomes the cheapest, to 1 in 1000. */
static double change_between(const coll_cost *costs, int count, double low, double high)
{
    int before = coll_cheapest(costs, count, low);
    while (high > low * 1.001) {
        double middle = sqrt(low * high);
        if (coll_cheapest(costs, count, middle) == before)
            low = middle;
        else
            high = middle;
    }
    return high;
}

coll_crossovers coll_crossovers_of(const coll_cost *costs, int count, double first, double last,
                                   arena *a)
{
    coll_crossovers found = {0};
    vec_push(a, &found, (coll_crossover){first, coll_cheapest(costs, count, first)});
    for (double low = first; low < last; low *= 1.25) {
        double high = fmin(low * 1.25, last), from = low;
        while (coll_cheapest(costs, count, high) != vec_last(&found).cheapest) {
            double at = change_between(costs, count, from, high);
            vec_push(a, &found, (coll_crossover){at, coll_cheapest(costs, count, at)});
            from = at;
        }
    }
    return found;
}
