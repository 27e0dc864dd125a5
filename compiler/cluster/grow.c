#include "cluster/grow.h"

#include <assert.h>
#include <string.h>

/* Trees of one weight and one set of ranks reached. */
typedef struct grow_batch {
    int64_t weight;
    int reached_count;
    int *order; /* ranks in order of reaching */
    bool *reached;
    grown_edge *edges;
} grow_batch;

typedef struct grow_bundle {
    int from;
    int to;
    int64_t capacity; /* of all its arcs together */
    int flow;         /* arc of the flow */
} grow_bundle;

typedef struct grow_state {
    arena *memory;
    logical_net *net;
    int64_t *waiting; /* by rank: demand of trees not begun */
    int64_t waiting_total;
    VEC(grow_batch) partial; /* begun, set aside */
    int *first_out;          /* by rank: into out_arcs; one more at the end */
    int *out_arcs;
    arena *flow_memory;
    flow_net *flow; /* waiting demand, partial batches, and the arcs' capacities */
    int *feed;      /* by rank: flow arc from the source */
    int64_t owed;   /* waiting and partial together */
    int *
        bundle_of; /* by logical arc: arcs of one pair of ranks are one bundle, one arc of the flow */
    VEC(grow_bundle) bundles;
    VEC(bool *) tight; /* by rank: inside. Cuts with nothing to spare for the current batch */
} grow_state;

static void grow_sort_arcs(grow_state *g)
{
    int n = g->net->rank_count;
    g->first_out = arena_array(g->memory, int, n + 1);
    g->out_arcs = arena_array(g->memory, int, g->net->arcs.count);
    for (size_t i = 0; i < g->net->arcs.count; i++)
        g->first_out[g->net->arcs.items[i].from + 1]++;
    for (int r = 0; r < n; r++)
        g->first_out[r + 1] += g->first_out[r];
    int *at = arena_array(g->memory, int, n);
    memcpy(at, g->first_out, sizeof(int) * (size_t)n);
    for (size_t i = 0; i < g->net->arcs.count; i++)
        g->out_arcs[at[g->net->arcs.items[i].from]++] = (int)i;
}

static void grow_bundle_arcs(grow_state *g)
{
    int n = g->net->rank_count;
    g->bundle_of = arena_array(g->memory, int, g->net->arcs.count + 1);
    int *bundle_at = arena_array(g->memory, int, n); /* by end, for one beginning: bundle + 1 */
    for (int r = 0; r < n; r++) {
        for (int i = g->first_out[r]; i < g->first_out[r + 1]; i++) {
            const logical_arc *arc = &g->net->arcs.items[g->out_arcs[i]];
            int known = bundle_at[arc->to] - 1;
            if (known < 0 || g->bundles.items[known].from != r) {
                vec_push(g->memory, &g->bundles, (grow_bundle){r, arc->to, 0, 0});
                known = (int)g->bundles.count - 1;
                bundle_at[arc->to] = known + 1;
            }
            g->bundles.items[known].capacity += arc->capacity;
            g->bundle_of[g->out_arcs[i]] = known;
        }
    }
}

/* Node n is the source; partial batches have a node each: they are served by any rank they have reached. */
static void grow_build_flow(grow_state *g)
{
    int n = g->net->rank_count;
    if (g->flow_memory)
        arena_free(g->flow_memory);
    g->flow_memory = arena_new();
    g->tight.items = NULL;
    g->tight.count = g->tight.room = 0;
    g->flow = flow_net_new(g->flow_memory, n + 1 + (int)g->partial.count, g->net->work);
    for (size_t i = 0; i < g->bundles.count; i++) {
        grow_bundle *b = &g->bundles.items[i];
        b->flow = flow_add(g->flow, b->from, b->to, b->capacity);
    }
    for (int r = 0; r < n; r++)
        g->feed[r] = flow_add(g->flow, n, r, g->waiting[r]);
    g->owed = g->waiting_total;
    for (size_t i = 0; i < g->partial.count; i++) {
        const grow_batch *b = &g->partial.items[i];
        int node = n + 1 + (int)i;
        flow_add(g->flow, n, node, b->weight);
        g->owed += b->weight;
        for (int k = 0; k < b->reached_count; k++)
            flow_add(g->flow, node, b->order[k], FLOW_INFINITE);
    }
}

static void grow_note_tight(grow_state *g)
{
    bool *inside = arena_array(g->flow_memory, bool, g->net->rank_count);
    for (int r = 0; r < g->net->rank_count; r++)
        inside[r] = flow_on_source_side(g->flow, r);
    vec_push(g->flow_memory, &g->tight, inside);
}

/* The most weight of the current batch that can take this arc: what all else needs must still be served at the arc's
 * end when its beginning gives without limit. */
static int64_t grow_most(grow_state *g, const grow_batch *b, int arc)
{
    const logical_arc *chosen = &g->net->arcs.items[arc];
    int64_t most = chosen->capacity < b->weight ? chosen->capacity : b->weight;
    if (g->owed == 0) /* the arc itself has room */
        return most;
    flow_set(g->flow, g->feed[chosen->from], FLOW_INFINITE);
    flow_reset(g->flow);
    int64_t served = flow_value(g->flow, g->net->rank_count, chosen->to, g->owed + most);
    flow_set(g->flow, g->feed[chosen->from], g->waiting[chosen->from]);
    if (effort_is_spent(g->net->work))
        return 0;
    assert(served >= g->owed);
    if (served == g->owed)
        grow_note_tight(g);
    return served - g->owed;
}

/* A cut with nothing to spare keeps nothing to spare while the batch grows: no arc over it can be taken. */
static bool grow_is_blocked(const grow_state *g, const logical_arc *arc)
{
    for (size_t i = g->tight.count; i-- > 0;)
        if (g->tight.items[i][arc->from] && !g->tight.items[i][arc->to])
            return true;
    return false;
}

typedef struct grow_choice {
    int arc;
    int64_t most;
} grow_choice;

/* Tries the arcs out of the batch, nearest to the root first: the first that takes the whole weight, else the best.
 * `whole` looks only at arcs with room for the whole weight. */
static void grow_scan(grow_state *g, const grow_batch *b, bool whole, grow_choice *best)
{
    for (int k = 0; k < b->reached_count; k++) {
        int rank = b->order[k];
        for (int i = g->first_out[rank]; i < g->first_out[rank + 1]; i++) {
            const logical_arc *arc = &g->net->arcs.items[g->out_arcs[i]];
            bool room = arc->capacity >= b->weight;
            if (b->reached[arc->to] || room != whole || arc->capacity <= best->most ||
                grow_is_blocked(g, arc))
                continue;
            int64_t most = grow_most(g, b, g->out_arcs[i]);
            if (most > best->most)
                *best = (grow_choice){g->out_arcs[i], most};
            if (best->most == b->weight || effort_is_spent(g->net->work))
                return;
        }
    }
}

static grow_batch grow_copy(arena *a, const grow_batch *b, int n)
{
    grow_batch copy = *b;
    copy.order = arena_array(a, int, n);
    copy.reached = arena_array(a, bool, n);
    copy.edges = arena_array(a, grown_edge, n);
    memcpy(copy.order, b->order, sizeof(int) * (size_t)b->reached_count);
    memcpy(copy.reached, b->reached, sizeof(bool) * (size_t)n);
    memcpy(copy.edges, b->edges, sizeof(grown_edge) * (size_t)(b->reached_count - 1));
    return copy;
}

static void grow_take(grow_state *g, grow_batch *b, grow_choice choice)
{
    logical_arc *arc = &g->net->arcs.items[choice.arc];
    if (choice.most < b->weight) {
        grow_batch rest = grow_copy(g->memory, b, g->net->rank_count);
        rest.weight = b->weight - choice.most;
        vec_push(g->memory, &g->partial, rest);
        b->weight = choice.most;
        grow_build_flow(g);
    }
    arc->capacity -= choice.most;
    grow_bundle *bundle = &g->bundles.items[g->bundle_of[choice.arc]];
    bundle->capacity -= choice.most;
    flow_set(g->flow, bundle->flow, bundle->capacity);
    b->edges[b->reached_count - 1] = (grown_edge){arc->from, arc->to, arc->way};
    b->order[b->reached_count++] = arc->to;
    b->reached[arc->to] = true;
}

static void grow_batch_whole(grow_state *g, grow_batch *b)
{
    g->tight.count = 0;
    while (b->reached_count < g->net->rank_count) {
        grow_choice best = {-1, 0};
        grow_scan(g, b, true, &best);
        if (best.most < b->weight)
            grow_scan(g, b, false, &best);
        if (effort_is_spent(g->net->work))
            return;
        assert(best.most > 0);
        grow_take(g, b, best);
    }
}

/* Sets the status where there is no use in going on. */
static bool grow_goes_on(const grow_state *g, grown_trees *trees)
{
    if (effort_is_spent(g->net->work))
        trees->status = SYNTHESIS_EFFORT;
    else if (!effort_allows_edges(g->net->work, (int64_t)trees->count * (g->net->rank_count - 1)))
        trees->status = SYNTHESIS_LARGE;
    return trees->status == SYNTHESIS_OK;
}

static void grow_root(grow_state *g, int root, grown_trees *trees)
{
    int n = g->net->rank_count;
    grow_batch b = {.weight = g->waiting[root], .reached_count = 1};
    b.order = arena_array(g->memory, int, n);
    b.reached = arena_array(g->memory, bool, n);
    b.edges = arena_array(g->memory, grown_edge, n);
    b.order[0] = root;
    b.reached[root] = true;
    g->waiting_total -= b.weight;
    g->waiting[root] = 0;
    flow_set(g->flow, g->feed[root], 0);
    g->owed -= b.weight;
    for (;;) {
        grow_batch_whole(g, &b);
        vec_push(g->memory, trees, (grown_tree){root, b.weight, b.edges});
        if (!grow_goes_on(g, trees) || g->partial.count == 0)
            return;
        b = g->partial.items[--g->partial.count];
        grow_build_flow(g);
    }
}

grown_trees grow_trees(arena *a, logical_net *l, const int64_t *demand)
{
    int n = l->rank_count;
    grow_state g = {.memory = a, .net = l};
    g.waiting = arena_array(a, int64_t, n);
    g.feed = arena_array(a, int, n);
    for (int r = 0; r < n; r++) {
        g.waiting[r] = demand[r];
        g.waiting_total += demand[r];
    }
    grow_sort_arcs(&g);
    grow_bundle_arcs(&g);
    grow_build_flow(&g);
    grown_trees trees = {0};
    for (int r = 0; r < n && grow_goes_on(&g, &trees); r++)
        if (g.waiting[r] > 0)
            grow_root(&g, r, &trees);
    arena_free(g.flow_memory);
    return trees;
}
