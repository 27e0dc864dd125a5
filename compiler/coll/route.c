#include "coll/route.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* Fewest arcs from one rank to every node; of these the greatest least bandwidth. */
typedef struct reach {
    int from;       /* the rank; -1: of none yet */
    int *hops;      /* [nodes]; -1: not reached */
    int64_t *width; /* [nodes] */
    int *
        direct; /* [nodes]: the first arc there from the rank's own node, in the order of their numbers; -1 */
    int *next;  /* [arcs]: the one behind it; -1 */
    int *queue; /* [nodes] */
} reach;

/* A rank that sends to a few others has those ways looked for, one by one, whenever they are asked for; one that sends to
 * more has them all found at once. The first keeps a ring of thousands cheap, the second an all-to-all of hundreds. */
enum { FEW_PEERS = 16, NOT_FOUND = 0, NO_WAY = -1 };

struct coll_routes {
    arena *memory;
    const link_graph *graph;
    int *nodes; /* [ranks] */
    int ranks;
    int32_t *found;       /* [ranks * ranks]: where the way begins in `ways`; NOT_FOUND, NO_WAY */
    uint8_t *asked;       /* [ranks]: how many ways from this rank have been looked for */
    VEC(coll_route) ways; /* number 0 is nothing */
    int32_t *pool;        /* for their arcs, which stay where they are */
    int32_t pool_left;
    reach last;
    int *first_out; /* [nodes + 1]: arcs out of each node, in `out` */
    int *out;
    int *first_in; /* [nodes + 1]: arcs into each node from those that relay, in `in` */
    int *in;
};

static bool relays(const coll_routes *r, int node)
{
    return r->graph->nodes.items[node].kind == LINK_SWITCH;
}

/* Arcs by one end, in the order of their numbers; of those into a node only what comes from relays. */
static void index_arcs(coll_routes *r, bool by_from, int **first, int **arcs)
{
    const link_graph *g = r->graph;
    *first = arena_array(r->memory, int, g->nodes.count + 2);
    *arcs = arena_array(r->memory, int, g->arcs.count + 1);
    for (size_t i = 0; i < g->arcs.count; i++)
        if (by_from || relays(r, g->arcs.items[i].from))
            (*first)[(by_from ? g->arcs.items[i].from : g->arcs.items[i].to) + 2]++;
    for (size_t n = 0; n < g->nodes.count; n++)
        (*first)[n + 1] += (*first)[n];
    for (size_t i = 0; i < g->arcs.count; i++)
        if (by_from || relays(r, g->arcs.items[i].from))
            (*arcs)[(*first)[(by_from ? g->arcs.items[i].from : g->arcs.items[i].to) + 1]++] =
                (int)i;
}

coll_routes *coll_routes_new(const link_graph *g, const int *nodes, int ranks, arena *a)
{
    coll_routes *r = arena_make(a, coll_routes);
    r->memory = a;
    r->graph = g;
    r->ranks = ranks;
    r->nodes = arena_array(a, int, ranks);
    memcpy(r->nodes, nodes, sizeof *nodes * (size_t)ranks);
    r->found = arena_array(a, int32_t, (size_t)ranks * (size_t)ranks);
    r->asked = arena_array(a, uint8_t, ranks);
    vec_push(a, &r->ways, (coll_route){NULL, 0});
    r->last = (reach){.from = -1,
                      .hops = arena_array(a, int, g->nodes.count),
                      .width = arena_array(a, int64_t, g->nodes.count),
                      .direct = arena_array(a, int, g->nodes.count),
                      .next = arena_array(a, int, g->arcs.count + 1),
                      .queue = arena_array(a, int, g->nodes.count)};
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

/* Lists the arcs straight from the source to each node. */
static void list_direct(coll_routes *r, int source)
{
    reach *at = &r->last;
    memset(at->direct, 0xff, sizeof *at->direct * r->graph->nodes.count);
    for (int i = r->first_out[source + 1] - 1; i >= r->first_out[source]; i--) {
        int *first = &at->direct[r->graph->arcs.items[r->out[i]].to];
        at->next[r->out[i]] = *first;
        *first = r->out[i];
    }
}

/* Fills `last` for this rank. */
static void reach_from(coll_routes *r, int from)
{
    reach *at = &r->last;
    int source = r->nodes[from], head = 0, tail = 0;
    at->from = from;
    memset(at->hops, 0xff, sizeof *at->hops * r->graph->nodes.count);
    memset(at->width, 0, sizeof *at->width * r->graph->nodes.count);
    at->hops[source] = 0;
    at->width[source] = INT64_MAX;
    at->queue[tail++] = source;
    while (head < tail) {
        int node = at->queue[head++];
        if (node != source && !relays(r, node))
            continue;
        for (int i = r->first_out[node]; i < r->first_out[node + 1]; i++) {
            const link_arc *arc = &r->graph->arcs.items[r->out[i]];
            if (at->hops[arc->to] < 0) {
                at->hops[arc->to] = at->hops[node] + 1;
                at->queue[tail++] = arc->to;
            }
            if (at->hops[arc->to] != at->hops[node] + 1)
                continue;
            int64_t width =
                at->width[node] < arc->bytes_per_second ? at->width[node] : arc->bytes_per_second;
            if (width > at->width[arc->to])
                at->width[arc->to] = width;
        }
    }
    list_direct(r, source);
}

/* Whether the arc is the last of a best way to its end. */
static bool leads(const coll_routes *r, int arc, int64_t width)
{
    const link_arc *a = &r->graph->arcs.items[arc];
    const reach *at = &r->last;
    return at->hops[a->from] >= 0 && at->hops[a->from] + 1 == at->hops[a->to] &&
           a->bytes_per_second >= width && at->width[a->from] >= width;
}

/* Counts the arcs into `node` that end a best way, and gives number `wanted` of them: -1 if there are not so many. */
static int leading_arc(const coll_routes *r, int node, int64_t width, int wanted, int *count)
{
    *count = 0;
    if (r->last.hops[node] == 1) {
        for (int arc = r->last.direct[node]; arc >= 0; arc = r->last.next[arc])
            if (leads(r, arc, width) && (*count)++ == wanted)
                return arc;
        return -1;
    }
    for (int i = r->first_in[node]; i < r->first_in[node + 1]; i++)
        if (leads(r, r->in[i], width) && (*count)++ == wanted)
            return r->in[i];
    return -1;
}

static int32_t *arcs_new(coll_routes *r, int32_t count)
{
    if (r->pool_left < count) {
        r->pool_left = count > 4096 ? count : 4096;
        r->pool = arena_array(r->memory, int32_t, r->pool_left);
    }
    r->pool += count;
    r->pool_left -= count;
    return r->pool - count;
}

/* Back from the end: among the arcs that are alike, one by the pair's number. */
static void trace(coll_routes *r, int from, int to)
{
    const reach *at = &r->last;
    int node = r->nodes[to];
    int32_t count = at->hops[node],
            *place = &r->found[(size_t)from * (size_t)r->ranks + (size_t)to];
    if (*place != NOT_FOUND)
        return;
    if (count <= 0) {
        *place = NO_WAY;
        return;
    }
    *place = (int32_t)r->ways.count;
    int32_t *arcs = arcs_new(r, count);
    vec_push(r->memory, &r->ways, (coll_route){arcs, count});
    int64_t width = at->width[node];
    for (int32_t k = count - 1; k >= 0; k--) {
        int alike, ignored;
        leading_arc(r, node, width, -1, &alike);
        int arc = leading_arc(r, node, width, (from + to) % alike, &ignored);
        arcs[k] = arc;
        node = r->graph->arcs.items[arc].from;
    }
}

static void search(coll_routes *r, int from, int to)
{
    if (r->last.from != from)
        reach_from(r, from);
    if (r->asked[from]++ < FEW_PEERS) {
        trace(r, from, to);
        return;
    }
    for (int other = 0; other < r->ranks; other++)
        if (other != from)
            trace(r, from, other);
}

coll_route coll_route_between(coll_routes *routes, int from, int to)
{
    assert(from >= 0 && from < routes->ranks && to >= 0 && to < routes->ranks && from != to);
    const int32_t *place = &routes->found[(size_t)from * (size_t)routes->ranks + (size_t)to];
    if (*place == NOT_FOUND)
        search(routes, from, to);
    return *place == NO_WAY ? (coll_route){NULL, 0} : routes->ways.items[*place];
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
                              .note_at = coll_place_of(p, s).at,
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
