#include "coll/forest.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* One chunk: the tree that sums it up to its root, and the tree that brings it down; either may be missing. */
typedef struct forest_chunk {
    const forest *up_of, *down_of;
    const forest_tree *up, *down;
    int64_t weight;
    int root;
} forest_chunk;

typedef VEC(forest_chunk) forest_chunks;

typedef struct growing {
    const link_graph *graph;
    arena *memory;
    coll_program *program;
    coll_sends sends; /* not yet in order of steps */
    int32_t *level;   /* [ranks] */
} growing;

static int first_tree(const forest *f, int root)
{
    int t = 0;
    while (t < f->tree_count && f->trees[t].root != root)
        t++;
    return t;
}

static int64_t root_weight(const forest *f, int root)
{
    int64_t weight = 0;
    for (int t = 0; t < f->tree_count; t++)
        if (f->trees[t].root == root)
            weight += f->trees[t].weight;
    return weight;
}

/* Where both forests cut the share of `root`, it is cut: weights are in parts of both totals' common multiple. */
static bool cut_share(const forest *up, const forest *down, int root, arena *a,
                      forest_chunks *chunks)
{
    int64_t up_total = root_weight(up, root), down_total = root_weight(down, root);
    int64_t shared = integer_gcd(up_total, down_total), up_scale = down_total / shared,
            down_scale = up_total / shared;
    int64_t up_end = 0, down_end = 0, done = 0, end;
    if (__builtin_mul_overflow(up_total, up_scale, &end))
        return false;
    const forest_tree *u = up->trees + first_tree(up, root) - 1,
                      *d = down->trees + first_tree(down, root) - 1;
    while (done < end) {
        if (up_end == done)
            up_end += (++u)->weight * up_scale;
        if (down_end == done)
            down_end += (++d)->weight * down_scale;
        int64_t next = up_end < down_end ? up_end : down_end;
        vec_push(a, chunks, (forest_chunk){up, down, u, d, next - done, root});
        done = next;
    }
    return true;
}

/* Every tree of one forest its chunk. */
static void one_chunk_each(const forest *f, bool up, bool down, arena *a, forest_chunks *chunks)
{
    for (int t = 0; t < f->tree_count; t++)
        vec_push(a, chunks,
                 (forest_chunk){up ? f : NULL, down ? f : NULL, up ? &f->trees[t] : NULL,
                                down ? &f->trees[t] : NULL, f->trees[t].weight, f->trees[t].root});
}

static bool chunks_of(const synthesis *s, arena *a, forest_chunks *chunks)
{
    const forest *f = &s->phases[0];
    if (s->phase_count == 1) {
        one_chunk_each(f, f->kind != FOREST_ALL_GATHER, f->kind != FOREST_REDUCE_SCATTER, a,
                       chunks);
        return true;
    }
    assert(s->phase_count == 2 && f->kind == FOREST_REDUCE_SCATTER);
    for (int root = 0; root < f->rank_count; root++)
        if (!cut_share(f, &s->phases[1], root, a, chunks))
            return false;
    return true;
}

/* The route of an edge in the direction in which the data goes. */
static void add_route(growing *g, coll_send *send, const forest *f, int32_t route, bool reversed)
{
    const forest_route *r = &f->routes[route];
    send->route = (int32_t)g->program->links.count;
    send->route_count = r->arc_count;
    for (int32_t i = 0; i < r->arc_count; i++) {
        int32_t arc = r->arcs[reversed ? r->arc_count - 1 - i : i];
        if (reversed) {
            const link_arc *forward = &g->graph->arcs.items[arc];
            arc = link_graph_find_arc(g->graph, forward->to, forward->from);
            assert(arc >= 0);
        }
        vec_push(g->memory, &g->program->links, arc);
    }
}

/* A rank sends in the step after its last child's. Returns the step in which the root has all. */
static int32_t grow_up(growing *g, const forest *f, const forest_tree *tree, int32_t chunk)
{
    int edges = f->rank_count - 1;
    memset(g->level, 0, sizeof *g->level * (size_t)f->rank_count);
    for (int e = edges - 1; e >= 0; e--) {
        const tree_edge *edge = &tree->edges[e];
        if (g->level[edge->child] >= g->level[edge->parent])
            g->level[edge->parent] = g->level[edge->child] + 1;
    }
    for (int e = edges - 1; e >= 0; e--) {
        const tree_edge *edge = &tree->edges[e];
        coll_send send = {.step = g->level[edge->child],
                          .chunk = chunk,
                          .from = edge->child,
                          .to = edge->parent,
                          .op = COLL_REDUCE};
        add_route(g, &send, f, edge->route, f->kind == FOREST_ALL_REDUCE);
        vec_push(g->memory, &g->sends, send);
    }
    return g->level[tree->root];
}

static void grow_down(growing *g, const forest *f, const forest_tree *tree, int32_t chunk,
                      int32_t step)
{
    memset(g->level, 0, sizeof *g->level * (size_t)f->rank_count);
    for (int e = 0; e < f->rank_count - 1; e++) {
        const tree_edge *edge = &tree->edges[e];
        g->level[edge->child] = g->level[edge->parent] + 1;
        coll_send send = {.step = step + g->level[edge->parent],
                          .chunk = chunk,
                          .from = edge->parent,
                          .to = edge->child,
                          .op = COLL_COPY};
        add_route(g, &send, f, edge->route, false);
        vec_push(g->memory, &g->sends, send);
    }
}

static void exchange(coll_send *sends, size_t *target, size_t i, size_t k)
{
    coll_send send = sends[i];
    size_t goes_to = target[i];
    sends[i] = sends[k];
    target[i] = target[k];
    sends[k] = send;
    target[k] = goes_to;
}

/* Gives the program the sends in the order of their steps, else as they are; in place, as there may be millions. */
static void sort_by_step(growing *g)
{
    arena *scratch = arena_new();
    int32_t steps = 0;
    for (size_t i = 0; i < g->sends.count; i++)
        if (g->sends.items[i].step >= steps)
            steps = g->sends.items[i].step + 1;
    size_t *next = arena_array(scratch, size_t, steps + 1);
    for (size_t i = 0; i < g->sends.count; i++)
        next[g->sends.items[i].step + 1]++;
    for (int32_t s = 0; s < steps; s++)
        next[s + 1] += next[s];
    size_t *target = arena_array(scratch, size_t, g->sends.count + 1);
    for (size_t i = 0; i < g->sends.count; i++)
        target[i] = next[g->sends.items[i].step]++;
    for (size_t i = 0; i < g->sends.count; i++)
        while (target[i] != i)
            exchange(g->sends.items, target, i, target[i]);
    g->program->sends = g->sends;
    g->program->steps = steps;
    arena_free(scratch);
}

coll_program *coll_program_of_synthesis(const synthesis *s, coll_kind kind, const link_graph *graph,
                                        arena *a)
{
    assert(s->status == SYNTHESIS_OK && s->phase_count >= 1);
    int ranks = s->phases[0].rank_count;
    if (ranks == 1)
        return coll_program_new(a, kind, "trees", 1, 1);
    forest_chunks chunks = {0};
    if (!chunks_of(s, a, &chunks))
        return NULL;
    size_t sends = chunks.count * (size_t)(ranks - 1) * (kind == COLL_ALL_REDUCE ? 2 : 1);
    if (ranks > COLL_MAX_RANKS || chunks.count > COLL_MAX_CHUNKS || sends > COLL_MAX_SENDS)
        return NULL;
    coll_program *p = coll_program_new(a, kind, "trees", ranks, (int)chunks.count);
    growing g = {
        .graph = graph, .memory = a, .program = p, .level = arena_array(a, int32_t, ranks)};
    for (int32_t c = 0; c < p->chunks; c++) {
        const forest_chunk *chunk = &chunks.items[c];
        p->weights[c] = chunk->weight;
        p->home[c] = chunk->root;
        int32_t step = chunk->up ? grow_up(&g, chunk->up_of, chunk->up, c) : 0;
        if (chunk->down)
            grow_down(&g, chunk->down_of, chunk->down, c, step);
    }
    sort_by_step(&g);
    return p;
}

void coll_set_place(coll_program *p, span at, const char *line)
{
    p->at = at;
    p->line = line;
    p->places.items[0] = (coll_place){at, line};
    for (size_t i = 0; i < p->sends.count; i++)
        p->sends.items[i].place = 0;
}
