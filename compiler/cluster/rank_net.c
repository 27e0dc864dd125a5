#include "cluster/rank_net.h"

#include <string.h>

/* What is known of a node of the graph while switches are dropped. */
typedef struct net_survey {
    const link_graph *g;
    bool *kept;
    bool *is_rank;
    int *first; /* by node: into `arcs`; one more at the end */
    int *arcs;  /* at each node */
} net_survey;

/* -1: none; -2: several; else the only neighbour. */
static void survey_note(int *known, int node)
{
    if (*known == -1)
        *known = node;
    else if (*known != node)
        *known = -2;
}

/* A switch helps only between two different nodes: some arc in from one and some arc out to another. */
static bool survey_switch_helps(const net_survey *s, int node)
{
    int from = -1, to = -1;
    for (int i = s->first[node]; i < s->first[node + 1]; i++) {
        const link_arc *arc = &s->g->arcs.items[s->arcs[i]];
        if (s->kept[arc->from] && arc->to == node)
            survey_note(&from, arc->from);
        if (s->kept[arc->to] && arc->from == node)
            survey_note(&to, arc->to);
    }
    if (from == -1 || to == -1)
        return false;
    return from == -2 || to == -2 || from != to;
}

static void survey_sort_arcs(arena *a, net_survey *s)
{
    size_t nodes = s->g->nodes.count, arcs = s->g->arcs.count;
    s->first = arena_array(a, int, nodes + 2);
    s->arcs = arena_array(a, int, 2 * arcs + 1);
    for (size_t i = 0; i < arcs; i++) {
        s->first[s->g->arcs.items[i].from + 2]++;
        s->first[s->g->arcs.items[i].to + 2]++;
    }
    for (size_t node = 0; node < nodes; node++)
        s->first[node + 2] += s->first[node + 1];
    for (size_t i = 0; i < arcs; i++) {
        s->arcs[s->first[s->g->arcs.items[i].from + 1]++] = (int)i;
        s->arcs[s->first[s->g->arcs.items[i].to + 1]++] = (int)i;
    }
}

/* Drops switches that do not help, and looks again at those beside one that is gone. */
static void survey_drop(const net_survey *s, arena *a)
{
    size_t nodes = s->g->nodes.count, room = nodes + 1, begin = 0, waiting = 0;
    int *queue = arena_array(a, int, room);
    bool *queued = arena_array(a, bool, nodes + 1);
    for (size_t i = 0; i < nodes; i++) {
        queued[i] = s->kept[i] && !s->is_rank[i];
        if (queued[i])
            queue[waiting++] = (int)i;
    }
    for (; waiting > 0; begin++, waiting--) {
        int node = queue[begin % room];
        queued[node] = false;
        if (survey_switch_helps(s, node))
            continue;
        s->kept[node] = false;
        for (int i = s->first[node]; i < s->first[node + 1]; i++) {
            const link_arc *arc = &s->g->arcs.items[s->arcs[i]];
            int other = arc->from == node ? arc->to : arc->from;
            if (!s->kept[other] || s->is_rank[other] || queued[other])
                continue;
            queued[other] = true;
            queue[(begin + waiting++) % room] = other;
        }
    }
}

static void survey_nodes(net_survey *s, const rank_net *net, bool with_switches)
{
    bool some = false;
    for (int r = 0; r < net->rank_count; r++)
        s->kept[net->ranks[r]] = s->is_rank[net->ranks[r]] = true;
    for (size_t i = 0; with_switches && i < s->g->nodes.count; i++)
        if (s->g->nodes.items[i].kind == LINK_SWITCH)
            s->kept[i] = some = true;
    if (!some)
        return;
    arena *a = arena_new();
    survey_sort_arcs(a, s);
    survey_drop(s, a);
    arena_free(a);
}

static void net_number(arena *a, rank_net *net, const net_survey *s, int *number)
{
    int *origin = arena_array(a, int, s->g->nodes.count + 1);
    memset(number, -1, sizeof(int) * s->g->nodes.count);
    for (int r = 0; r < net->rank_count; r++) {
        number[net->ranks[r]] = r;
        origin[r] = net->ranks[r];
    }
    net->node_count = net->rank_count;
    for (size_t i = 0; i < s->g->nodes.count; i++) {
        if (!s->kept[i] || s->is_rank[i])
            continue;
        origin[net->node_count] = (int)i;
        number[i] = net->node_count++;
    }
    net->origin = origin;
}

static void net_add_arcs(arena *a, rank_net *net, const int *number)
{
    const link_graph *g = net->graph;
    size_t kept = 0;
    for (size_t i = 0; i < g->arcs.count; i++)
        kept += number[g->arcs.items[i].from] >= 0 && number[g->arcs.items[i].to] >= 0;
    net->arcs.items = arena_array(a, net_arc, kept + 1);
    net->arcs.room = kept + 1;
    for (size_t i = 0; i < g->arcs.count; i++) {
        const link_arc *arc = &g->arcs.items[i];
        if (number[arc->from] < 0 || number[arc->to] < 0)
            continue;
        net_arc made = {number[arc->from], number[arc->to], arc->bytes_per_second, (int)i};
        net->arcs.items[net->arcs.count++] = made;
        net->unit = integer_gcd(net->unit, arc->bytes_per_second);
    }
    if (net->unit == 0)
        net->unit = 1;
    /* Scaled by at most rank_count, sums of capacities must stay well inside 64 bits. */
    __int128 total = 0;
    for (size_t i = 0; i < net->arcs.count; i++) {
        net->arcs.items[i].capacity /= net->unit;
        total += net->arcs.items[i].capacity;
    }
    if (total * (net->rank_count + 1) * 4 > INT64_MAX / 8)
        net->status = SYNTHESIS_RANGE;
}

/* Ranks reached from rank 0, along the arcs or against them; the first that is not, or -1. */
static int net_unreached(const rank_net *net, bool against)
{
    arena *a = arena_new();
    size_t arcs = net->arcs.count;
    int *first = arena_array(a, int, net->node_count + 2), *ends = arena_array(a, int, arcs + 1);
    int *queue = arena_array(a, int, net->node_count + 1), end = 1, unreached = -1;
    bool *reached = arena_array(a, bool, net->node_count + 1);
    for (size_t i = 0; i < arcs; i++)
        first[(against ? net->arcs.items[i].to : net->arcs.items[i].from) + 2]++;
    for (int node = 0; node < net->node_count; node++)
        first[node + 2] += first[node + 1];
    for (size_t i = 0; i < arcs; i++) {
        const net_arc *arc = &net->arcs.items[i];
        ends[first[(against ? arc->to : arc->from) + 1]++] = against ? arc->from : arc->to;
    }
    reached[0] = true;
    for (int begin = 0; begin < end; begin++)
        for (int i = first[queue[begin]]; i < first[queue[begin] + 1]; i++) {
            if (reached[ends[i]])
                continue;
            reached[ends[i]] = true;
            queue[end++] = ends[i];
        }
    for (int r = net->rank_count; r-- > 0;)
        if (!reached[r])
            unreached = r;
    arena_free(a);
    return unreached;
}

rank_net rank_net_of(arena *a, const link_graph *g, const int *ranks, int count, bool with_switches)
{
    rank_net net = {.memory = a, .graph = g, .rank_count = count};
    int *kept_ranks = arena_array(a, int, count + 1);
    memcpy(kept_ranks, ranks, sizeof(int) * (size_t)count);
    net.ranks = kept_ranks;
    net_survey survey = {.g = g,
                         .kept = arena_array(a, bool, g->nodes.count + 1),
                         .is_rank = arena_array(a, bool, g->nodes.count + 1)};
    survey_nodes(&survey, &net, with_switches);
    int *number = arena_array(a, int, g->nodes.count + 1);
    net_number(a, &net, &survey, number);
    net_add_arcs(a, &net, number);
    net.unreached = net_unreached(&net, false);
    if (net.unreached < 0)
        net.unreached = net_unreached(&net, true);
    if (net.unreached >= 0)
        net.status = SYNTHESIS_DISCONNECTED;
    else if (!effort_spend(g->work, (int64_t)g->arcs.count))
        net.status = SYNTHESIS_EFFORT;
    return net;
}

bool rank_net_is_symmetric(const rank_net *net)
{
    const link_graph *g = net->graph;
    for (size_t i = 0; i < net->arcs.count; i++) {
        const link_arc *arc = &g->arcs.items[net->arcs.items[i].link];
        int back = link_graph_find_arc(g, arc->to, arc->from);
        if (back < 0 || g->arcs.items[back].bytes_per_second != arc->bytes_per_second)
            return false;
    }
    return true;
}
