#include "cluster/logical.h"

#include <assert.h>
#include <string.h>

/* Capacity from one node to another, by pieces of one way each. */
typedef struct split_piece {
    int64_t capacity;
    int way;
    int next; /* piece; -1: last */
} split_piece;

typedef struct split_bundle {
    int from;
    int to;
    int64_t capacity; /* of all pieces */
    int piece;
} split_bundle;

/* A pair of a switch's arcs to be joined: from `in` to `out`. */
typedef struct split_pair {
    int in; /* bundles */
    int out;
    int64_t amount;
} split_pair;

typedef VEC(split_pair) pair_list;

typedef struct split_state {
    arena *memory;
    const rank_net *net;
    const int64_t *demand;
    logical_net *made;
    int32_t *bundle_at; /* by from * nodes + to: bundle + 1 */
    VEC(split_bundle) bundles;
    VEC(split_piece) pieces;
} split_state;

static int split_bundle_of(split_state *s, int from, int to)
{
    int32_t *at = &s->bundle_at[(size_t)from * (size_t)s->net->node_count + (size_t)to];
    if (*at == 0) {
        vec_push(s->memory, &s->bundles, (split_bundle){from, to, 0, -1});
        *at = (int32_t)s->bundles.count;
    }
    return *at - 1;
}

static void split_add_piece(split_state *s, int bundle, int64_t capacity, int way)
{
    split_bundle *b = &s->bundles.items[bundle];
    b->capacity += capacity;
    if (b->piece >= 0 && s->pieces.items[b->piece].way == way) {
        s->pieces.items[b->piece].capacity += capacity;
        return;
    }
    vec_push(s->memory, &s->pieces, (split_piece){capacity, way, b->piece});
    b->piece = (int)s->pieces.count - 1;
}

static void split_start(split_state *s, int64_t scale)
{
    for (size_t i = 0; i < s->net->arcs.count; i++) {
        const net_arc *arc = &s->net->arcs.items[i];
        vec_push(s->memory, &s->made->ways, (logical_way){arc->link, -1, -1});
        split_add_piece(s, split_bundle_of(s, arc->from, arc->to), arc->capacity * scale,
                        (int)s->made->ways.count - 1);
    }
}

/* Takes up to `limit` off the first piece of a bundle. */
static split_piece split_take(split_state *s, int bundle, int64_t limit)
{
    split_bundle *b = &s->bundles.items[bundle];
    split_piece *first = &s->pieces.items[b->piece];
    split_piece taken = *first;
    if (taken.capacity > limit)
        taken.capacity = limit;
    first->capacity -= taken.capacity;
    b->capacity -= taken.capacity;
    if (first->capacity == 0)
        b->piece = first->next;
    return taken;
}

/* Joins `amount` of two bundles piece by piece. From a node back to itself the capacity is only dropped. */
static void split_join(split_state *s, const split_pair *pair)
{
    int from = s->bundles.items[pair->in].from, to = s->bundles.items[pair->out].to;
    int joined = from == to ? -1 : split_bundle_of(s, from, to);
    for (int64_t left = pair->amount; left > 0;) {
        const split_bundle *out = &s->bundles.items[pair->out];
        int64_t out_room = s->pieces.items[out->piece].capacity;
        split_piece in_piece = split_take(s, pair->in, left < out_room ? left : out_room);
        split_piece out_piece = split_take(s, pair->out, in_piece.capacity);
        assert(in_piece.capacity == out_piece.capacity && in_piece.capacity > 0);
        left -= in_piece.capacity;
        if (joined < 0)
            continue;
        vec_push(s->memory, &s->made->ways, (logical_way){-1, in_piece.way, out_piece.way});
        split_add_piece(s, joined, in_piece.capacity, (int)s->made->ways.count - 1);
    }
}

/* The net as it would be with `pairs` joined. */
static net_arc *split_trial(arena *a, const split_state *s, const split_pair *pairs, size_t count,
                            size_t *arc_count)
{
    net_arc *arcs = arena_array(a, net_arc, s->bundles.count + count);
    for (size_t i = 0; i < s->bundles.count; i++) {
        const split_bundle *b = &s->bundles.items[i];
        arcs[i] = (net_arc){b->from, b->to, b->capacity, -1};
    }
    for (size_t i = 0; i < count; i++) {
        arcs[pairs[i].in].capacity -= pairs[i].amount;
        arcs[pairs[i].out].capacity -= pairs[i].amount;
        arcs[s->bundles.count + i] =
            (net_arc){s->bundles.items[pairs[i].in].from, s->bundles.items[pairs[i].out].to,
                      pairs[i].amount, -1};
    }
    *arc_count = 0;
    for (size_t i = 0; i < s->bundles.count + count; i++)
        if (arcs[i].capacity > 0 && arcs[i].from != arcs[i].to)
            arcs[(*arc_count)++] = arcs[i];
    return arcs;
}

static bool split_allowed(const split_state *s, const split_pair *pairs, size_t count)
{
    arena *a = arena_new();
    gather_demand d = {s->net->node_count, s->net->rank_count, NULL, 0, s->demand};
    d.arcs = split_trial(a, s, pairs, count, &d.arc_count);
    bool allowed = gather_feasible(&d, NULL);
    arena_free(a);
    return allowed;
}

/* The most of one pair that can be joined: allowed amounts are 0 .. the most, since joining more only lowers cuts. */
static int64_t split_most(const split_state *s, split_pair pair)
{
    int64_t allowed = 0, refused = pair.amount + 1;
    while (refused - allowed > 1) {
        pair.amount = allowed + (refused - allowed) / 2;
        if (split_allowed(s, &pair, 1))
            allowed = pair.amount;
        else
            refused = pair.amount;
    }
    return allowed;
}

/* Joins what can be joined of a list: the whole, else each half, down to single pairs. */
static void split_pairs(split_state *s, const split_pair *pairs, size_t count)
{
    if (count == 0)
        return;
    if (split_allowed(s, pairs, count)) {
        for (size_t i = 0; i < count; i++)
            split_join(s, &pairs[i]);
        return;
    }
    if (count > 1) {
        split_pairs(s, pairs, count / 2);
        split_pairs(s, pairs + count / 2, count - count / 2);
        return;
    }
    split_pair some = *pairs;
    some.amount = split_most(s, some);
    if (some.amount > 0)
        split_join(s, &some);
}

/* The ports of a switch: bundles in and out by neighbour, in order of node; -1 where there is none. */
typedef struct split_ports {
    int count;
    int *in;
    int *out;
} split_ports;

static split_ports split_ports_of(const split_state *s, int hub)
{
    int nodes = s->net->node_count;
    split_ports p = {0, arena_array(s->memory, int, nodes), arena_array(s->memory, int, nodes)};
    for (int node = 0; node < nodes; node++) {
        int in = s->bundle_at[(size_t)node * (size_t)nodes + (size_t)hub] - 1;
        int out = s->bundle_at[(size_t)hub * (size_t)nodes + (size_t)node] - 1;
        bool has_in = in >= 0 && s->bundles.items[in].capacity > 0;
        bool has_out = out >= 0 && s->bundles.items[out].capacity > 0;
        if (!has_in && !has_out)
            continue;
        p.in[p.count] = has_in ? in : -1;
        p.out[p.count++] = has_out ? out : -1;
    }
    return p;
}

/* Every port to the port `shift` further on, at most `share` of what each port had. */
static void split_by_shift(split_state *s, const split_ports *p, int shift, int shares)
{
    arena *a = arena_new();
    pair_list list = {0};
    for (int i = 0; i < p->count; i++) {
        int in = p->in[i], out = p->out[(i + shift) % p->count];
        if (in < 0 || out < 0)
            continue;
        int64_t from = s->bundles.items[in].capacity, to = s->bundles.items[out].capacity;
        int64_t amount = (from < to ? from : to) / shares;
        if (amount > 0)
            vec_push(a, &list, (split_pair){in, out, amount});
    }
    split_pairs(s, list.items, list.count);
    arena_free(a);
}

static bool split_is_done(const split_state *s, const split_ports *p)
{
    int64_t in = 0, out = 0;
    for (int i = 0; i < p->count; i++) {
        in += p->in[i] >= 0 ? s->bundles.items[p->in[i]].capacity : 0;
        out += p->out[i] >= 0 ? s->bundles.items[p->out[i]].capacity : 0;
    }
    return in == 0 || out == 0;
}

/* First an even spread over shifts that keep trees shallow (all of few ports, powers of two of many), each a
 * permutation of equal ports; then all that is left, shift by shift, each pair to its most. */
static void split_switch(split_state *s, int hub)
{
    split_ports p = split_ports_of(s, hub);
    int shifts = 0, shift_at[64];
    for (int shift = 1; shift < p.count && shifts < 64;
         shift = p.count <= 8 ? shift + 1 : shift * 2)
        shift_at[shifts++] = shift;
    for (int i = 0; i < shifts; i++)
        split_by_shift(s, &p, shift_at[i], shifts - i);
    for (int shift = p.count - 1; shift > 0 && !split_is_done(s, &p); shift--)
        split_by_shift(s, &p, shift, 1);
    for (int i = 0; i < p.count;
         i++) { /* only ways back to where they came from are left, or nothing */
        if (p.in[i] >= 0)
            s->bundles.items[p.in[i]].capacity = 0;
        if (p.out[i] >= 0)
            s->bundles.items[p.out[i]].capacity = 0;
    }
}

static void split_finish(split_state *s, arena *a)
{
    for (size_t i = 0; i < s->bundles.count; i++) {
        const split_bundle *b = &s->bundles.items[i];
        if (b->capacity == 0)
            continue;
        for (int at = b->piece; at >= 0; at = s->pieces.items[at].next) {
            const split_piece *piece = &s->pieces.items[at];
            logical_arc arc = {b->from, b->to, piece->capacity, piece->way};
            vec_push(a, &s->made->arcs, arc);
        }
    }
}

logical_net *logical_of(arena *a, const rank_net *net, int64_t scale, const int64_t *demand)
{
    split_state s = {.memory = a, .net = net, .demand = demand};
    s.made = arena_make(a, logical_net);
    s.made->rank_count = net->rank_count;
    s.bundle_at = arena_array(a, int32_t, (size_t)net->node_count * (size_t)net->node_count);
    split_start(&s, scale);
    for (int hub = net->rank_count; hub < net->node_count; hub++)
        split_switch(&s, hub);
    s.made->served = net->node_count == net->rank_count || split_allowed(&s, NULL, 0);
    split_finish(&s, a);
    return s.made;
}

void logical_way_links(arena *a, const logical_net *l, int way, link_list *links)
{
    const logical_way *w = &l->ways.items[way];
    if (w->link >= 0) {
        vec_push(a, links, w->link);
        return;
    }
    logical_way_links(a, l, w->first, links);
    logical_way_links(a, l, w->then, links);
}
