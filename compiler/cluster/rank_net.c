#include "cluster/rank_net.h"

#include <string.h>

enum { SIDE_OUT = 1, SIDE_IN = 2 };

/* What is known of a node of the graph while switches are dropped. */
typedef struct net_survey {
    const link_graph *g;
    bool *kept;
    bool *is_rank;
} net_survey;

/* A switch helps only between two different nodes: some arc in from one and some arc out to another. */
static bool survey_switch_helps(const int *from, const int *to, int node)
{
    if (from[node] == -1 || to[node] == -1)
        return false;
    return from[node] == -2 || to[node] == -2 || from[node] != to[node];
}

/* -1: none; -2: several; else the only neighbour. */
static void survey_note(int *known, int node)
{
    if (*known == -1)
        *known = node;
    else if (*known != node)
        *known = -2;
}

static bool survey_drop_once(const net_survey *s, int *from, int *to)
{
    size_t nodes = s->g->nodes.count;
    memset(from, -1, sizeof(int) * nodes);
    memset(to, -1, sizeof(int) * nodes);
    for (size_t i = 0; i < s->g->arcs.count; i++) {
        const link_arc *arc = &s->g->arcs.items[i];
        if (!s->kept[arc->from] || !s->kept[arc->to])
            continue;
        survey_note(&to[arc->from], arc->to);
        survey_note(&from[arc->to], arc->from);
    }
    bool dropped = false;
    for (size_t i = 0; i < nodes; i++) {
        if (!s->kept[i] || s->is_rank[i] || survey_switch_helps(from, to, (int)i))
            continue;
        s->kept[i] = false;
        dropped = true;
    }
    return dropped;
}

static void survey_nodes(arena *a, const net_survey *s, const rank_net *net, bool with_switches)
{
    for (int r = 0; r < net->rank_count; r++)
        s->kept[net->ranks[r]] = s->is_rank[net->ranks[r]] = true;
    for (size_t i = 0; with_switches && i < s->g->nodes.count; i++)
        if (s->g->nodes.items[i].kind == LINK_SWITCH)
            s->kept[i] = true;
    int *from = arena_array(a, int, s->g->nodes.count),
        *to = arena_array(a, int, s->g->nodes.count);
    while (survey_drop_once(s, from, to))
        ;
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
    for (size_t i = 0; i < g->arcs.count; i++) {
        const link_arc *arc = &g->arcs.items[i];
        if (number[arc->from] < 0 || number[arc->to] < 0)
            continue;
        net_arc made = {number[arc->from], number[arc->to], arc->bytes_per_second, (int)i};
        vec_push(a, &net->arcs, made);
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
static int net_unreached(arena *a, const rank_net *net, bool against)
{
    flow_net *f = flow_net_new(a, net->node_count + 1);
    for (size_t i = 0; i < net->arcs.count; i++) {
        const net_arc *arc = &net->arcs.items[i];
        flow_add(f, against ? arc->to : arc->from, against ? arc->from : arc->to, 1);
    }
    flow_maximum(f, 0, net->node_count, 1); /* no arc enters that node: this only searches */
    for (int r = 0; r < net->rank_count; r++)
        if (!flow_on_source_side(f, r))
            return r;
    return -1;
}

rank_net rank_net_of(arena *a, const link_graph *g, const int *ranks, int count, bool with_switches)
{
    rank_net net = {.graph = g, .rank_count = count};
    int *kept_ranks = arena_array(a, int, count + 1);
    memcpy(kept_ranks, ranks, sizeof(int) * (size_t)count);
    net.ranks = kept_ranks;
    net_survey survey = {g, arena_array(a, bool, g->nodes.count + 1),
                         arena_array(a, bool, g->nodes.count + 1)};
    survey_nodes(a, &survey, &net, with_switches);
    int *number = arena_array(a, int, g->nodes.count + 1);
    net_number(a, &net, &survey, number);
    net_add_arcs(a, &net, number);
    net.unreached = net_unreached(a, &net, false);
    if (net.unreached < 0)
        net.unreached = net_unreached(a, &net, true);
    if (net.unreached >= 0)
        net.status = SYNTHESIS_DISCONNECTED;
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
