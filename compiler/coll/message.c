#include "coll/message.h"

#include <assert.h>
#include <string.h>

static bool same_route(const coll_program *p, const coll_send *a, const coll_send *b)
{
    return a->route_count == b->route_count &&
           (a->route_count == 0 || memcmp(p->links.items + a->route, p->links.items + b->route,
                                          sizeof(int32_t) * (size_t)a->route_count) == 0);
}

int32_t coll_message_length(const coll_program *p, size_t first)
{
    const coll_send *head = &p->sends.items[first];
    int32_t count = 1;
    for (; first + (size_t)count < p->sends.count; count++) {
        const coll_send *next = head + count;
        if (next->step != head->step || next->from != head->from || next->to != head->to ||
            next->op != head->op || next->chunk != head->chunk + count ||
            !same_route(p, head, next))
            break;
    }
    return count;
}

typedef struct edge {
    int32_t before;
    int32_t after;
} edge;

/* Where one rank stands while messages are gone through. */
typedef struct rank_place {
    int32_t node; /* of its current step; -1: none yet */
    int32_t step;
    coll_ints received; /* messages received in the current step */
} rank_place;

/* A message that reads a (rank, chunk) not written since. */
typedef struct reading {
    int32_t next;
    int32_t message;
} reading;

typedef struct ordering {
    const coll_program *program;
    coll_message_graph *graph;
    arena *scratch;
    VEC(edge) edges;
    VEC(reading) readings;
    int32_t *newest; /* [ranks * chunks]: in `readings`; -1 */
    rank_place *places;
} ordering;

static void add_edge(ordering *o, int32_t before, int32_t after)
{
    vec_push(o->scratch, &o->edges, (edge){before, after});
}

/* The node that stands for `rank` having come to `step`. */
static int32_t enter_step(ordering *o, int rank, int32_t step)
{
    rank_place *place = &o->places[rank];
    if (place->node >= 0 && place->step == step)
        return place->node;
    int32_t node = o->graph->nodes++;
    if (place->node >= 0)
        add_edge(o, place->node, node);
    for (size_t i = 0; i < place->received.count; i++)
        add_edge(o, place->received.items[i], node);
    place->received.count = 0;
    place->node = node;
    place->step = step;
    return node;
}

static int32_t *newest_of(ordering *o, int rank, int chunk)
{
    return &o->newest[(size_t)rank * (size_t)o->program->chunks + (size_t)chunk];
}

/* A write waits for the readings of earlier steps; those of its own step were staged or come from it alone. */
static void wait_for_readings(ordering *o, int32_t message, const coll_send *send)
{
    int32_t *newest = newest_of(o, send->to, send->chunk);
    for (int32_t i = *newest; i >= 0; i = o->readings.items[i].next) {
        int32_t reader = o->readings.items[i].message;
        const coll_send *read = &o->program->sends.items[o->graph->messages.items[reader].first];
        if (read->step < send->step)
            add_edge(o, reader, message);
    }
    *newest = -1;
}

static void add_readings(ordering *o, int32_t message)
{
    const coll_message *m = &o->graph->messages.items[message];
    const coll_send *send = &o->program->sends.items[m->first];
    for (int32_t k = 0; k < m->count; k++) {
        int32_t *newest = newest_of(o, send->from, send[k].chunk);
        vec_push(o->scratch, &o->readings, (reading){*newest, message});
        *newest = (int32_t)o->readings.count - 1;
    }
}

static void order_message(ordering *o, int32_t message)
{
    const coll_message *m = &o->graph->messages.items[message];
    const coll_send *send = &o->program->sends.items[m->first];
    add_edge(o, enter_step(o, send->from, send->step), message);
    add_edge(o, enter_step(o, send->to, send->step), message);
    for (int32_t k = 0; k < m->count; k++)
        wait_for_readings(o, message, &send[k]);
    vec_push(o->scratch, &o->places[send->to].received, message);
}

static void collect_messages(const coll_program *p, coll_message_graph *g, arena *a)
{
    for (size_t i = 0; i < p->sends.count;) {
        coll_message m = {(int32_t)i, coll_message_length(p, i), 0};
        for (int32_t k = 0; k < m.count; k++)
            m.weight += p->weights[p->sends.items[i + (size_t)k].chunk];
        vec_push(a, &g->messages, m);
        i += (size_t)m.count;
    }
    g->nodes = (int32_t)g->messages.count;
}

/* Edges by where they begin. */
static void index_edges(const ordering *o, arena *a)
{
    coll_message_graph *g = o->graph;
    g->waits = arena_array(a, int32_t, g->nodes + 1);
    g->first = arena_array(a, int32_t, g->nodes + 2);
    g->followers = arena_array(a, int32_t, o->edges.count + 1);
    for (size_t i = 0; i < o->edges.count; i++) {
        g->waits[o->edges.items[i].after]++;
        g->first[o->edges.items[i].before + 1]++;
    }
    for (int32_t n = 0; n < g->nodes; n++)
        g->first[n + 1] += g->first[n];
    int32_t *next = arena_array(o->scratch, int32_t, g->nodes + 1);
    memcpy(next, g->first, sizeof *next * (size_t)g->nodes);
    for (size_t i = 0; i < o->edges.count; i++)
        g->followers[next[o->edges.items[i].before]++] = o->edges.items[i].after;
}

coll_message_graph *coll_message_graph_of(const coll_program *p, arena *a)
{
    arena *scratch = arena_new();
    coll_message_graph *g = arena_make(a, coll_message_graph);
    collect_messages(p, g, a);
    size_t places = (size_t)p->ranks * (size_t)p->chunks;
    ordering o = {.program = p, .graph = g, .scratch = scratch};
    o.newest = arena_array(scratch, int32_t, places);
    memset(o.newest, 0xff, sizeof *o.newest * places);
    o.places = arena_array(scratch, rank_place, p->ranks);
    for (int r = 0; r < p->ranks; r++)
        o.places[r].node = -1;
    int32_t count = (int32_t)g->messages.count;
    for (int32_t first = 0, last; first < count; first = last) {
        int32_t step = p->sends.items[g->messages.items[first].first].step;
        for (last = first;
             last < count && p->sends.items[g->messages.items[last].first].step == step; last++)
            order_message(&o, last);
        for (int32_t m = first; m < last; m++)
            add_readings(&o, m);
    }
    index_edges(&o, a);
    arena_free(scratch);
    return g;
}
