#include "coll/simulate.h"
#include "coll/heap.h"
#include "coll/message.h"
#include "coll/sharing.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* A way between two ranks: one message at a time, earlier pieces first. */
typedef struct channel {
    int flow;
    double seconds; /* latency of the way */
    double weight;  /* of all it carries in one piece */
    bool busy;
    int64_t carried; /* piece * messages + message that is under way */
    heap waiting;    /* by (piece, message) */
} channel;

typedef struct channel_key {
    coll_route way;
    int32_t next; /* of the same pair; -1 */
} channel_key;

typedef struct simulation {
    const coll_program *program;
    const coll_message_graph *graph;
    arena *memory;
    sharing *net;
    coll_load load;
    double unit; /* bytes of one unit of weight in one piece */
    VEC(channel) channels;
    VEC(channel_key) keys;
    int32_t *channel_of; /* [messages] */
    int32_t **waits;     /* [window]: of the piece in that slot, what each node still waits for */
    int32_t *left;       /* [window]: nodes to go */
    int next_piece;
    heap starts;     /* when a channel's latency is over */
    coll_ints ready; /* nodes that may go, to be looked at; of piece `ready_piece` */
    double now;
    int64_t carried;
} simulation;

static void add_channels(simulation *s, coll_routes *routes)
{
    const coll_program *p = s->program;
    size_t pairs = (size_t)p->ranks * (size_t)p->ranks;
    int32_t *newest = arena_array(s->memory, int32_t, pairs);
    memset(newest, 0xff, sizeof *newest * pairs);
    s->channel_of = arena_array(s->memory, int32_t, s->graph->messages.count + 1);
    for (size_t m = 0; m < s->graph->messages.count; m++) {
        const coll_send *send = &p->sends.items[s->graph->messages.items[m].first];
        coll_route way = coll_route_of(routes, p, send);
        int32_t *head = &newest[(size_t)send->from * (size_t)p->ranks + (size_t)send->to],
                found = *head;
        while (found >= 0 && (s->keys.items[found].way.count != way.count ||
                              memcmp(s->keys.items[found].way.arcs, way.arcs,
                                     sizeof(int32_t) * (size_t)way.count)))
            found = s->keys.items[found].next;
        if (found < 0) {
            channel c = {.flow = sharing_add_flow(s->net, way.arcs, way.count),
                         .waiting = {.memory = s->memory}};
            for (int32_t k = 0; k < way.count; k++)
                c.seconds += coll_routes_graph(routes)->arcs.items[way.arcs[k]].seconds;
            found = (int32_t)s->channels.count;
            vec_push(s->memory, &s->channels, c);
            vec_push(s->memory, &s->keys, (channel_key){way, *head});
            *head = found;
        }
        s->channel_of[m] = found;
        s->channels.items[found].weight += (double)s->graph->messages.items[m].weight;
    }
    for (size_t i = 0; i < s->channels.count; i++)
        sharing_set_weight(s->net, s->channels.items[i].flow, s->channels.items[i].weight);
}

static int slot_of(const simulation *s, int64_t piece)
{
    return (int)(piece % s->load.window);
}

/* Lets the channel take the first message that waits for it. */
static void serve(simulation *s, int number)
{
    channel *c = &s->channels.items[number];
    if (c->busy || c->waiting.items.count == 0)
        return;
    c->busy = true;
    c->carried = heap_pop(&c->waiting).number;
    heap_push(&s->starts, s->now + c->seconds, number);
}

/* A node of a piece may go: a message to its channel, a step of a rank passes on at once. */
static void release_nodes(simulation *s, int64_t piece)
{
    int64_t messages = (int64_t)s->graph->messages.count;
    while (s->ready.count > 0) {
        int32_t node = s->ready.items[--s->ready.count];
        if (node < messages) {
            channel *c = &s->channels.items[s->channel_of[node]];
            heap_push(&c->waiting, 0, piece * messages + node);
            serve(s, s->channel_of[node]);
            continue;
        }
        s->left[slot_of(s, piece)]--;
        for (int32_t i = s->graph->first[node]; i < s->graph->first[node + 1]; i++)
            if (--s->waits[slot_of(s, piece)][s->graph->followers[i]] == 0)
                vec_push(s->memory, &s->ready, s->graph->followers[i]);
    }
}

static void start_piece(simulation *s)
{
    int64_t piece = s->next_piece++;
    int slot = slot_of(s, piece);
    memcpy(s->waits[slot], s->graph->waits, sizeof(int32_t) * (size_t)s->graph->nodes);
    s->left[slot] = s->graph->nodes;
    for (int32_t node = 0; node < s->graph->nodes; node++)
        if (s->graph->waits[node] == 0)
            vec_push(s->memory, &s->ready, node);
    release_nodes(s, piece);
}

static void finish_message(simulation *s, int number)
{
    channel *c = &s->channels.items[number];
    int64_t messages = (int64_t)s->graph->messages.count;
    int64_t piece = c->carried / messages;
    int32_t node = (int32_t)(c->carried % messages);
    int slot = slot_of(s, piece);
    c->busy = false;
    s->carried++;
    s->left[slot]--;
    for (int32_t i = s->graph->first[node]; i < s->graph->first[node + 1]; i++)
        if (--s->waits[slot][s->graph->followers[i]] == 0)
            vec_push(s->memory, &s->ready, s->graph->followers[i]);
    release_nodes(s, piece);
    serve(s, number);
    while (s->next_piece < s->load.pieces && s->left[slot_of(s, s->next_piece)] == 0)
        start_piece(s);
}

/* All whose latency is over by now begin to flow. */
static void start_flows(simulation *s)
{
    while (s->starts.items.count > 0 && s->starts.items.items[0].time <= s->now) {
        channel *c = &s->channels.items[heap_pop(&s->starts).number];
        int64_t message = c->carried % (int64_t)s->graph->messages.count;
        sharing_start(s->net, c->flow, (double)s->graph->messages.items[message].weight * s->unit);
    }
}

static void run(simulation *s)
{
    int first = s->load.pieces < s->load.window ? s->load.pieces : s->load.window;
    for (int i = 0; i < first; i++)
        start_piece(s);
    for (;;) {
        start_flows(s);
        double flow_end = sharing_settle(s->net);
        double start = s->starts.items.count > 0 ? s->starts.items.items[0].time : HUGE_VAL;
        double next = flow_end < start ? flow_end : start;
        if (next == HUGE_VAL)
            return;
        s->now = next;
        sharing_advance(s->net, next);
        for (int flow; (flow = sharing_next_done(s->net)) >= 0;)
            finish_message(s, flow); /* ways and channels are numbered alike */
    }
}

/* Bytes that one unit of weight stands for. */
static double bytes_per_weight(const coll_program *p, double bytes)
{
    if (p->kind != COLL_ALL_TO_ALL)
        return bytes / (double)coll_total_weight(p);
    int64_t of_first = 0;
    for (int c = 0; c < p->chunks; c++)
        of_first += p->home[c] == 0 ? p->weights[c] : 0;
    return bytes / (double)of_first;
}

coll_timing coll_simulate(const coll_program *p, coll_routes *routes, coll_load load)
{
    assert(load.pieces >= 1 && load.window >= 0);
    arena *memory = arena_new();
    const link_graph *g = coll_routes_graph(routes);
    double *capacities = arena_array(memory, double, g->arcs.count + 1);
    for (size_t i = 0; i < g->arcs.count; i++)
        capacities[i] = (double)g->arcs.items[i].bytes_per_second;
    simulation s = {
        .program = p, .graph = coll_message_graph_of(p, memory), .memory = memory, .load = load};
    if (s.load.window == 0)
        s.load.window = COLL_WINDOW;
    if (s.load.window > load.pieces)
        s.load.window = load.pieces;
    s.starts.memory = memory;
    s.net = sharing_new(memory, capacities, (int)g->arcs.count);
    s.unit = bytes_per_weight(p, load.bytes) / load.pieces;
    s.waits = arena_array(memory, int32_t *, s.load.window);
    s.left = arena_array(memory, int32_t, s.load.window);
    for (int i = 0; i < s.load.window; i++)
        s.waits[i] = arena_array(memory, int32_t, s.graph->nodes + 1);
    add_channels(&s, routes);
    if (s.graph->messages.count > 0)
        run(&s);
    coll_timing timing = {s.now, s.carried};
    assert(s.carried == (int64_t)s.graph->messages.count * load.pieces);
    arena_free(memory);
    return timing;
}

coll_timing coll_simulate_best(const coll_program *p, coll_routes *routes, double bytes, int most,
                               int *pieces)
{
    coll_timing best = {HUGE_VAL, 0};
    for (int n = 1; n <= most; n *= 2) {
        coll_timing t = coll_simulate(p, routes, (coll_load){.bytes = bytes, .pieces = n});
        if (t.seconds < best.seconds) {
            best = t;
            *pieces = n;
        } else if (t.seconds > best.seconds * 1.5) {
            break;
        }
    }
    return best;
}
