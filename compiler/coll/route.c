#include "coll/route.h"

#include <assert.h>
#include <math.h>
#include <string.h>

struct coll_routes {
    arena *memory;
    const link_graph *graph;
    int *nodes; /* [ranks] */
    int ranks;
    coll_route *found; /* [ranks * ranks] */
    uint8_t *searched; /* [ranks]: whether the routes from this rank have been found */
    int *first_out;    /* [nodes + 1]: arcs out of each node, in `out` */
    int *out;
    int *first_in; /* [nodes + 1]: arcs into each node, in `in` */
    int *in;
};

/* Arcs by one end, in the order of their numbers. */
static void index_arcs(coll_routes *r, bool by_from, int **first, int **arcs)
{
    const link_graph *g = r->graph;
    *first = arena_array(r->memory, int, g->nodes.count + 2);
    *arcs = arena_array(r->memory, int, g->arcs.count + 1);
    for (size_t i = 0; i < g->arcs.count; i++)
        (*first)[(by_from ? g->arcs.items[i].from : g->arcs.items[i].to) + 2]++;
    for (size_t n = 0; n < g->nodes.count; n++)
        (*first)[n + 1] += (*first)[n];
    for (size_t i = 0; i < g->arcs.count; i++)
        (*arcs)[(*first)[(by_from ? g->arcs.items[i].from : g->arcs.items[i].to) + 1]++] = (int)i;
}

coll_routes *coll_routes_new(const link_graph *g, const int *nodes, int ranks, arena *a)
{
    coll_routes *r = arena_make(a, coll_routes);
    r->memory = a;
    r->graph = g;
    r->ranks = ranks;
    r->nodes = arena_array(a, int, ranks);
    memcpy(r->nodes, nodes, sizeof *nodes * (size_t)ranks);
    r->found = arena_array(a, coll_route, (size_t)ranks * (size_t)ranks);
    r->searched = arena_array(a, uint8_t, ranks);
    index_arcs(r, true, &r->first_out, &r->out);
    index_arcs(r, false, &r->first_in, &r->in);
    return r;
}

const link_graph *coll_routes_graph(const coll_routes *routes)
{
    return routes->graph;
}

const int *coll_routes_nodes(const coll_routes *routes)
{
    return routes->nodes;
}

/* Fewest arcs from one rank to every node; of these the greatest least bandwidth. */
typedef struct reach {
    int *hops;      /* [nodes]; -1: not reached */
    int64_t *width; /* [nodes] */
} reach;

static bool relays(const coll_routes *r, int node)
{
    return r->graph->nodes.items[node].kind == LINK_SWITCH;
}

static reach reach_from(const coll_routes *r, int source, arena *scratch)
{
    const link_graph *g = r->graph;
    reach at = {arena_array(scratch, int, g->nodes.count),
                arena_array(scratch, int64_t, g->nodes.count)};
    int *queue = arena_array(scratch, int, g->nodes.count), head = 0, tail = 0;
    memset(at.hops, 0xff, sizeof *at.hops * g->nodes.count);
    at.hops[source] = 0;
    at.width[source] = INT64_MAX;
    queue[tail++] = source;
    while (head < tail) {
        int node = queue[head++];
        if (node != source && !relays(r, node))
            continue;
        for (int i = r->first_out[node]; i < r->first_out[node + 1]; i++) {
            const link_arc *arc = &g->arcs.items[r->out[i]];
            if (at.hops[arc->to] < 0) {
                at.hops[arc->to] = at.hops[node] + 1;
                queue[tail++] = arc->to;
            }
            if (at.hops[arc->to] != at.hops[node] + 1)
                continue;
            int64_t width =
                at.width[node] < arc->bytes_per_second ? at.width[node] : arc->bytes_per_second;
            if (width > at.width[arc->to])
                at.width[arc->to] = width;
        }
    }
    return at;
}

/* Whether the arc is the last of a best way to its end. */
static bool leads(const coll_routes *r, const reach *at, int source, int arc, int64_t width)
{
    const link_arc *a = &r->graph->arcs.items[arc];
    return (a->from == source || relays(r, a->from)) && at->hops[a->from] >= 0 &&
           at->hops[a->from] + 1 == at->hops[a->to] && a->bytes_per_second >= width &&
           at->width[a->from] >= width;
}

/* Back from the end: among the arcs that are alike, one by the pair's number. */
static coll_route trace(const coll_routes *r, const reach *at, int from, int to)
{
    int source = r->nodes[from], node = r->nodes[to];
    int32_t count = at->hops[node];
    int32_t *arcs = arena_array(r->memory, int32_t, count);
    int64_t width = at->width[node];
    for (int32_t k = count - 1; k >= 0; k--) {
        int alike = 0, chosen = -1;
        for (int i = r->first_in[node]; i < r->first_in[node + 1]; i++)
            alike += leads(r, at, source, r->in[i], width);
        int wanted = (from + to) % alike;
        for (int i = r->first_in[node]; i < r->first_in[node + 1] && chosen < 0; i++)
            if (leads(r, at, source, r->in[i], width) && wanted-- == 0)
                chosen = r->in[i];
        arcs[k] = chosen;
        node = r->graph->arcs.items[chosen].from;
    }
    return (coll_route){arcs, count};
}

static void search_from(coll_routes *r, int from)
{
    arena *scratch = arena_new();
    reach at = reach_from(r, r->nodes[from], scratch);
    for (int to = 0; to < r->ranks; to++)
        if (to != from && at.hops[r->nodes[to]] > 0)
            r->found[(size_t)from * (size_t)r->ranks + (size_t)to] = trace(r, &at, from, to);
    r->searched[from] = 1;
    arena_free(scratch);
}

coll_route coll_route_between(coll_routes *routes, int from, int to)
{
    assert(from >= 0 && from < routes->ranks && to >= 0 && to < routes->ranks && from != to);
    if (!routes->searched[from])
        search_from(routes, from);
    return routes->found[(size_t)from * (size_t)routes->ranks + (size_t)to];
}

coll_route coll_route_of(coll_routes *routes, const coll_program *p, const coll_send *send)
{
    if (send->route_count > 0)
        return (coll_route){p->links.items + send->route, send->route_count};
    return coll_route_between(routes, send->from, send->to);
}

/* NULL, or what is wrong with a way from one device to another. */
static const char *way_fault(const coll_routes *r, coll_route way, int from, int to)
{
    const link_graph *g = r->graph;
    int node = r->nodes[from];
    if (way.count == 0)
        return "no link joins them, nor do switches";
    for (int32_t i = 0; i < way.count; i++) {
        if (way.arcs[i] < 0 || (size_t)way.arcs[i] >= g->arcs.count)
            return "its route names a link that the cluster does not have";
        const link_arc *arc = &g->arcs.items[way.arcs[i]];
        if (arc->from != node || (i > 0 && !relays(r, node)))
            return "its route is broken";
        node = arc->to;
    }
    return node == r->nodes[to] ? NULL : "its route ends elsewhere";
}

bool coll_prove_links(const coll_program *p, coll_routes *routes, coll_fault *fault, arena *a)
{
    assert(p->ranks == routes->ranks);
    for (size_t i = 0; i < p->sends.count; i++) {
        const coll_send *s = &p->sends.items[i];
        const char *wrong = way_fault(routes, coll_route_of(routes, p, s), s->from, s->to);
        if (!wrong)
            continue;
        const link_graph *g = routes->graph;
        *fault = (coll_fault){.code = E0341,
                              .step = s->step,
                              .chunk = s->chunk,
                              .rank = s->from,
                              .missing = -1,
                              .at = p->at,
                              .note_at = s->at,
                              .note = "sent here",
                              .fix = "'trees' uses the links that there are"};
        fault->message = arena_format(
            a, "topology '%s' sends from '%s' to '%s' (step %d, rank %d to rank %d), and %s",
            p->name, g->nodes.items[routes->nodes[s->from]].name,
            g->nodes.items[routes->nodes[s->to]].name, s->step, s->from, s->to, wrong);
        return false;
    }
    return true;
}

double *coll_arc_seconds(const coll_program *p, coll_routes *routes, arena *a)
{
    const link_graph *g = routes->graph;
    double *seconds = arena_array(a, double, g->arcs.count + 1),
           total = (double)coll_total_weight(p);
    for (size_t i = 0; i < p->sends.count; i++) {
        const coll_send *s = &p->sends.items[i];
        coll_route way = coll_route_of(routes, p, s);
        for (int32_t k = 0; k < way.count; k++)
            seconds[way.arcs[k]] += (double)p->weights[s->chunk];
    }
    for (size_t i = 0; i < g->arcs.count; i++)
        seconds[i] /= (double)g->arcs.items[i].bytes_per_second * total;
    return seconds;
}

static double rate_of(const coll_program *p, coll_routes *routes, int *fullest)
{
    arena *scratch = arena_new();
    double *seconds = coll_arc_seconds(p, routes, scratch), rate = HUGE_VAL;
    *fullest = -1;
    for (size_t i = 0; i < routes->graph->arcs.count; i++) {
        if (seconds[i] > 0 && 1 / seconds[i] < rate) {
            rate = 1 / seconds[i];
            *fullest = (int)i;
        }
    }
    arena_free(scratch);
    return rate;
}

double coll_rate(const coll_program *p, coll_routes *routes)
{
    int fullest;
    return rate_of(p, routes, &fullest);
}

int coll_fullest_arc(const coll_program *p, coll_routes *routes)
{
    int fullest;
    rate_of(p, routes, &fullest);
    return fullest;
}
