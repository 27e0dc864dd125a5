#include "cluster/islands.h"
#include "cluster/logical.h"

#include <assert.h>
#include <stdlib.h>
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

/* So many shifts are used all, in equal parts; of more, the powers of two. */
enum { SHIFTS_MOST = 32 };

/* A pair of a switch's arcs to be joined: from `in` to `out`. */
typedef struct split_pair {
    int in; /* bundles */
    int out;
    int64_t amount;
} split_pair;

typedef VEC(split_pair) pair_list;

typedef VEC(int) bundle_list;

typedef struct split_state {
    arena *memory;
    const rank_net *net;
    const int64_t *demand;
    logical_net *made;
    int32_t *slots; /* bundles by their ends: open addressing, bundle + 1 */
    size_t slot_count;
    VEC(split_bundle) bundles;
    bundle_list *at; /* by node: bundles that begin or end there */
    VEC(split_piece) pieces;
    int *doubtful; /* the rank that was last found short: asked first */
} split_state;

static int32_t *split_slot(const split_state *s, int from, int to)
{
    uint64_t hash = ((uint64_t)(uint32_t)from << 32 | (uint32_t)to) * 0x9e3779b97f4a7c15u;
    for (size_t at = hash >> 24;; at++) {
        int32_t *slot = &s->slots[at & (s->slot_count - 1)];
        const split_bundle *b = *slot ? &s->bundles.items[*slot - 1] : NULL;
        if (!b || (b->from == from && b->to == to))
            return slot;
    }
}

static void split_slots_grow(split_state *s)
{
    s->slot_count = s->slot_count ? 2 * s->slot_count : 256;
    s->slots = arena_array(s->memory, int32_t, s->slot_count);
    for (size_t i = 0; i < s->bundles.count; i++)
        *split_slot(s, s->bundles.items[i].from, s->bundles.items[i].to) = (int32_t)i + 1;
}

static int split_bundle_of(split_state *s, int from, int to)
{
    if (2 * (s->bundles.count + 1) > s->slot_count)
        split_slots_grow(s);
    int32_t *slot = split_slot(s, from, to);
    if (*slot == 0) {
        vec_push(s->memory, &s->bundles, (split_bundle){from, to, 0, -1});
        int made = (int)s->bundles.count - 1;
        vec_push(s->memory, &s->at[from], made);
        vec_push(s->memory, &s->at[to], made);
        *slot = made + 1;
    }
    return *slot - 1;
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
    if (!effort_spend(s->made->work, EFFORT_OF_ARENA + 4 * (int64_t)(s->bundles.count + count)))
        return false;
    arena *a = arena_new();
    gather_demand d = {s->net->node_count, s->net->rank_count, NULL, 0, s->demand, s->made->work};
    d.arcs = split_trial(a, s, pairs, count, &d.arc_count);
    bool allowed = gather_feasible(&d, s->doubtful);
    arena_free(a);
    return allowed;
}

/* The most of one pair that can be joined: allowed amounts are 0 .. the most, since joining more only lowers cuts. */
static int64_t split_most(const split_state *s, split_pair pair)
{
    int64_t allowed = 0, refused = pair.amount + 1;
    while (refused - allowed > 1 && !effort_is_spent(s->made->work)) {
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
    if (count == 0 || effort_is_spent(s->made->work))
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

static split_ports split_ports_of(arena *a, const split_state *s, int hub)
{
    int nodes = s->net->node_count;
    split_ports p = {0, arena_array(a, int, nodes), arena_array(a, int, nodes)};
    memset(p.in, -1, sizeof(int) * (size_t)nodes);
    memset(p.out, -1, sizeof(int) * (size_t)nodes);
    for (size_t i = 0; i < s->at[hub].count; i++) {
        int bundle = s->at[hub].items[i];
        const split_bundle *b = &s->bundles.items[bundle];
        if (b->capacity > 0)
            *(b->to == hub ? &p.in[b->from] : &p.out[b->to]) = bundle;
    }
    for (int node = 0; node < nodes; node++) {
        if (p.in[node] < 0 && p.out[node] < 0)
            continue;
        p.in[p.count] = p.in[node];
        p.out[p.count++] = p.out[node];
    }
    effort_spend(s->made->work, nodes);
    return p;
}

/* A switch's pairs as they are planned: what each port has left. */
typedef struct split_plan {
    arena *memory;
    const split_state *s;
    const split_ports *p;
    const int
        *island; /* by node: what hangs together without the switch; NULL: not to be looked at */
    int64_t *in_left; /* by port */
    int64_t *out_left;
    pair_list pairs;
} split_plan;

static void plan_read_ports(split_plan *plan)
{
    for (int i = 0; i < plan->p->count; i++) {
        int in = plan->p->in[i], out = plan->p->out[i];
        plan->in_left[i] = in < 0 ? 0 : plan->s->bundles.items[in].capacity;
        plan->out_left[i] = out < 0 ? 0 : plan->s->bundles.items[out].capacity;
    }
}

static int plan_node(const split_plan *plan, int port)
{
    int in = plan->p->in[port];
    return in >= 0 ? plan->s->bundles.items[in].from
                   : plan->s->bundles.items[plan->p->out[port]].to;
}

static bool plan_same_island(const split_plan *plan, int a, int b)
{
    return plan->island && plan->island[plan_node(plan, a)] == plan->island[plan_node(plan, b)];
}

/* Every port to the port `shift` further on: one part in `shares` of what both have left. */
static void plan_shift(split_plan *plan, int shift, int shares)
{
    for (int i = 0; i < plan->p->count; i++) {
        int to = (i + shift) % plan->p->count;
        int64_t amount =
            plan->in_left[i] < plan->out_left[to] ? plan->in_left[i] : plan->out_left[to];
        amount /= shares;
        if (amount == 0 || plan_same_island(plan, i, to))
            continue;
        plan->in_left[i] -= amount;
        plan->out_left[to] -= amount;
        vec_push(plan->memory, &plan->pairs,
                 (split_pair){plan->p->in[i], plan->p->out[to], amount});
    }
}

/* The smallest shift that takes every port to another island; 0: none does. */
static int plan_stride(const split_plan *plan)
{
    for (int shift = 1; shift < plan->p->count; shift++) {
        bool apart = true;
        for (int i = 0; i < plan->p->count && apart; i++)
            apart = !plan_same_island(plan, i, (i + shift) % plan->p->count);
        if (apart)
            return shift;
    }
    return 0;
}

/* An even spread over shifts that keep trees shallow (all multiples of the stride if few, else its powers of two),
 * then what is left between islands, then what is left. Equal ports make each shift a permutation. */
static void plan_switch(split_plan *plan)
{
    int ports = plan->p->count, stride = plan_stride(plan), shifts = 0, shift_at[SHIFTS_MOST];
    if (stride == 0) {
        plan->island = NULL;
        stride = 1;
    }
    for (int shift = stride; shift < ports && shifts < SHIFTS_MOST;
         shift = ports / stride <= SHIFTS_MOST ? shift + stride : shift * 2)
        shift_at[shifts++] = shift;
    for (int i = 0; i < shifts; i++)
        plan_shift(plan, shift_at[i], shifts - i);
    for (int shift = ports - 1; shift > 0; shift--)
        plan_shift(plan, shift, 1);
    plan->island = NULL;
    for (int shift = ports - 1; shift > 0; shift--)
        plan_shift(plan, shift, 1);
}

/* By node: the lowest node it hangs together with when `hub` is gone. */
static int *split_islands(arena *a, const split_state *s, int hub)
{
    int *island = arena_array(a, int, s->net->node_count);
    for (int node = 0; node < s->net->node_count; node++)
        island[node] = node;
    for (size_t i = 0; i < s->bundles.count; i++) {
        const split_bundle *b = &s->bundles.items[i];
        if (b->capacity > 0 && b->from != hub && b->to != hub)
            islands_join(island, b->from, b->to);
    }
    for (int node = 0; node < s->net->node_count; node++)
        island[node] = islands_find(island, node);
    effort_spend(s->made->work, (int64_t)s->bundles.count + s->net->node_count);
    return island;
}

static void split_by_plan(split_state *s, const split_ports *p, int hub)
{
    arena *a = arena_new();
    split_plan plan = {a,
                       s,
                       p,
                       split_islands(a, s, hub),
                       arena_array(a, int64_t, p->count),
                       arena_array(a, int64_t, p->count),
                       {0}};
    plan_read_ports(&plan);
    plan_switch(&plan);
    split_pairs(s, plan.pairs.items, plan.pairs.count);
    arena_free(a);
}

/* What a plan that was not all allowed has left: every pair of ports, to its most. */
static void split_by_shift(split_state *s, const split_ports *p, int shift)
{
    arena *a = arena_new();
    split_plan plan = {
        a, s, p, NULL, arena_array(a, int64_t, p->count), arena_array(a, int64_t, p->count), {0}};
    plan_read_ports(&plan);
    plan_shift(&plan, shift, 1);
    split_pairs(s, plan.pairs.items, plan.pairs.count);
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

static void split_switch(split_state *s, int hub)
{
    arena *a = arena_new();
    split_ports p = split_ports_of(a, s, hub);
    effort_spend(s->made->work, (int64_t)p.count * p.count); /* pairs of ports */
    split_by_plan(s, &p, hub);
    for (int shift = p.count - 1;
         shift > 0 && !split_is_done(s, &p) && !effort_is_spent(s->made->work); shift--)
        split_by_shift(s, &p, shift);
    for (int i = 0; i < p.count;
         i++) { /* only ways back to where they came from are left, or nothing */
        if (p.in[i] >= 0)
            s->bundles.items[p.in[i]].capacity = 0;
        if (p.out[i] >= 0)
            s->bundles.items[p.out[i]].capacity = 0;
    }
    arena_free(a);
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

static int split_compare(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Switches with the fewest arcs first, as arcs << 32 | node: those at the edge are mere passages, and gone before a core
 * meets them. */
static const int64_t *split_order(arena *a, const rank_net *net)
{
    int switches = net->node_count - net->rank_count;
    int64_t *order = arena_array(a, int64_t, switches + 1);
    for (int i = 0; i < switches; i++)
        order[i] = net->rank_count + i;
    for (size_t i = 0; i < net->arcs.count; i++) {
        const net_arc *arc = &net->arcs.items[i];
        if (arc->from >= net->rank_count)
            order[arc->from - net->rank_count] += INT64_C(1) << 32;
        if (arc->to >= net->rank_count)
            order[arc->to - net->rank_count] += INT64_C(1) << 32;
    }
    if (switches > 0)
        qsort(order, (size_t)switches, sizeof *order, split_compare);
    return order;
}

logical_net *logical_of(arena *a, const rank_net *net, int64_t scale, const int64_t *demand)
{
    split_state s = {.memory = a, .net = net, .demand = demand};
    s.doubtful = arena_make(a, int);
    s.made = arena_make(a, logical_net);
    s.made->rank_count = net->rank_count;
    s.made->work = net->graph->work;
    s.at = arena_array(a, bundle_list, net->node_count);
    split_start(&s, scale);
    const int64_t *order = split_order(a, net);
    for (int i = 0; i < net->node_count - net->rank_count && !effort_is_spent(s.made->work); i++)
        split_switch(&s, (int)(uint32_t)order[i]);
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
