#include "cluster/nested.h"

#include "cluster/assemble.h"
#include "cluster/islands.h"

#include <stdlib.h>
#include <string.h>

/* Fewer ranks than this are quick enough all at once. */
enum { NESTED_RANKS_LEAST = 48 };

/* Out-trees inside one box, and how far those of each rank are used. */
typedef struct nested_box {
    int rank_count;
    int *ranks; /* of the whole net */
    rank_net net;
    logical_net *logical;
    grown_trees trees; /* by root; ranks of the box */
    int *first_tree;   /* by rank of the box: into trees; one more at the end */
    int *current;      /* by rank of the box: tree in use */
    int64_t *left;     /* by rank of the box: weight of it that is not used */
    int *known;        /* by way: route + 1 */
} nested_box;

typedef struct nested_work {
    arena *memory;
    const rank_net *net;
    int64_t weight; /* of the trees of each rank */
    int64_t scale;
    int box_count;
    int *box_of; /* by node: box, or -1 for switches between boxes */
    int *place;  /* by rank: its number in its box */
    nested_box *boxes;
    rank_net outer;
    logical_net *over; /* ranks of it are boxes */
    grown_trees trees;
    int *enters; /* by way of `over`: the rank it ends at */
    int *leaves;
    int *known; /* by way of `over`: route + 1 */
} nested_work;

/* By node: the lowest node that it hangs together with over arcs of at least `width`. */
static void nested_islands(const rank_net *net, int64_t width, int *island)
{
    for (int node = 0; node < net->node_count; node++)
        island[node] = node;
    for (size_t i = 0; i < net->arcs.count; i++)
        if (net->arcs.items[i].capacity >= width)
            islands_join(island, net->arcs.items[i].from, net->arcs.items[i].to);
    for (int node = 0; node < net->node_count; node++)
        island[node] = islands_find(island, node);
}

static int nested_count(const rank_net *net, const int *island)
{
    int count = 0;
    for (int r = 0; r < net->rank_count; r++)
        count += island[r] == r;
    return count;
}

static int nested_compare(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Boxes are two at least, of two ranks and more on average, and links between them end at ranks or at switches that
 * are in none. */
static bool nested_usable(nested_work *w, const int *island)
{
    const rank_net *net = w->net;
    w->box_count = nested_count(net, island);
    if (w->box_count < 2 || 2 * w->box_count > net->rank_count)
        return false;
    int *number = arena_array(w->memory, int, net->node_count), boxes = 0;
    for (int node = 0; node < net->node_count; node++) {
        if (node < net->rank_count && island[node] == node)
            number[node] = ++boxes;
        w->box_of[node] = number[island[node]] - 1;
    }
    for (size_t i = 0; i < net->arcs.count; i++) {
        const net_arc *arc = &net->arcs.items[i];
        int from = w->box_of[arc->from], to = w->box_of[arc->to];
        if (from != to && ((from >= 0 && arc->from >= net->rank_count) ||
                           (to >= 0 && arc->to >= net->rank_count)))
            return false;
    }
    return true;
}

/* The largest boxes that hang together over wide links; false if there are none. */
static bool nested_find_boxes(nested_work *w)
{
    const rank_net *net = w->net;
    int64_t *widths = arena_array(w->memory, int64_t, net->arcs.count + 1);
    int *island = arena_array(w->memory, int, net->node_count);
    for (size_t i = 0; i < net->arcs.count; i++)
        widths[i] = net->arcs.items[i].capacity;
    qsort(widths, net->arcs.count, sizeof(int64_t), nested_compare);
    for (size_t i = 0; i < net->arcs.count; i++) {
        if (i > 0 && widths[i] == widths[i - 1])
            continue;
        if (!effort_spend(net->graph->work, (int64_t)net->arcs.count))
            return false;
        nested_islands(net, widths[i], island);
        if (nested_usable(w, island))
            return true;
    }
    return false;
}

static void nested_fill_boxes(nested_work *w)
{
    const rank_net *net = w->net;
    w->boxes = arena_array(w->memory, nested_box, w->box_count);
    for (int r = 0; r < net->rank_count; r++)
        w->boxes[w->box_of[r]].rank_count++;
    for (int b = 0; b < w->box_count; b++) {
        w->boxes[b].ranks = arena_array(w->memory, int, w->boxes[b].rank_count);
        w->boxes[b].rank_count = 0;
    }
    for (int r = 0; r < net->rank_count; r++) {
        nested_box *box = &w->boxes[w->box_of[r]];
        w->place[r] = box->rank_count;
        box->ranks[box->rank_count++] = r;
    }
}

/* Nets of the boxes, and of what is between them. */
static void nested_divide(nested_work *w)
{
    const rank_net *net = w->net;
    int *number = arena_array(w->memory, int, net->node_count);
    w->outer = (rank_net){.graph = net->graph, .unit = net->unit, .unreached = -1};
    w->outer.rank_count = w->outer.node_count = w->box_count;
    for (int b = 0; b < w->box_count; b++) {
        nested_box *box = &w->boxes[b];
        box->net = (rank_net){.graph = net->graph, .unit = net->unit, .unreached = -1};
        box->net.rank_count = box->net.node_count = box->rank_count;
    }
    for (int node = 0; node < net->node_count; node++) {
        int b = w->box_of[node];
        if (node < net->rank_count)
            number[node] = w->place[node];
        else
            number[node] = b < 0 ? w->outer.node_count++ : w->boxes[b].net.node_count++;
    }
    for (size_t i = 0; i < net->arcs.count; i++) {
        net_arc arc = net->arcs.items[i];
        int from = w->box_of[arc.from], to = w->box_of[arc.to];
        if (from >= 0 && from == to) {
            net_arc inside = {number[arc.from], number[arc.to], arc.capacity, arc.link};
            vec_push(w->memory, &w->boxes[from].net.arcs, inside);
            continue;
        }
        net_arc between = {from >= 0 ? from : number[arc.from], to >= 0 ? to : number[arc.to],
                           arc.capacity, arc.link};
        vec_push(w->memory, &w->outer.arcs, between);
    }
}

static void nested_find_ends(nested_work *w, const int *rank_of_node)
{
    const link_graph *g = w->net->graph;
    w->enters = arena_array(w->memory, int, w->over->ways.count + 1);
    w->leaves = arena_array(w->memory, int, w->over->ways.count + 1);
    for (size_t i = 0; i < w->over->ways.count; i++) {
        const logical_way *way = &w->over->ways.items[i];
        if (way->link >= 0) {
            w->leaves[i] = rank_of_node[g->arcs.items[way->link].from];
            w->enters[i] = rank_of_node[g->arcs.items[way->link].to];
        } else { /* joined from ways made before */
            w->leaves[i] = w->leaves[way->first];
            w->enters[i] = w->enters[way->then];
        }
    }
}

static bool nested_grow_between(nested_work *w)
{
    int64_t *demand = arena_array(w->memory, int64_t, w->box_count);
    for (int b = 0; b < w->box_count; b++)
        demand[b] = w->boxes[b].rank_count * w->weight;
    w->over = logical_of(w->memory, &w->outer, w->scale, demand);
    if (!w->over->served)
        return false;
    w->trees = grow_trees(w->memory, w->over, demand);
    if (w->trees.status != SYNTHESIS_OK)
        return false;
    int *rank_of_node = arena_array(w->memory, int, w->net->graph->nodes.count);
    for (int r = 0; r < w->net->rank_count; r++)
        rank_of_node[w->net->ranks[r]] = r;
    nested_find_ends(w, rank_of_node);
    w->known = arena_array(w->memory, int, w->over->ways.count + 1);
    return true;
}

/* What each rank of a box must spread in it: its own, and what enters there. */
static int64_t *nested_spread(nested_work *w)
{
    int64_t *spread = arena_array(w->memory, int64_t, w->net->rank_count);
    for (int r = 0; r < w->net->rank_count; r++)
        spread[r] = w->weight;
    for (size_t t = 0; t < w->trees.count; t++)
        for (int i = 0; i < w->box_count - 1; i++)
            spread[w->enters[w->trees.items[t].edges[i].way]] += w->trees.items[t].weight;
    return spread;
}

static bool nested_grow_inside(nested_work *w, nested_box *box, const int64_t *spread)
{
    arena *a = w->memory;
    int64_t *demand = arena_array(a, int64_t, box->rank_count);
    for (int i = 0; i < box->rank_count; i++)
        demand[i] = spread[box->ranks[i]];
    box->first_tree = arena_array(a, int, box->rank_count + 1);
    box->current = arena_array(a, int, box->rank_count);
    box->left = arena_array(a, int64_t, box->rank_count);
    box->logical = logical_of(a, &box->net, w->scale, demand);
    if (effort_is_spent(w->net->graph->work)) /* switches are left */
        return false;
    gather_demand whole = {box->rank_count, box->rank_count, NULL, 0, demand, w->net->graph->work};
    net_arc *arcs = arena_array(a, net_arc, box->logical->arcs.count + 1);
    for (; whole.arc_count < box->logical->arcs.count; whole.arc_count++) {
        const logical_arc *arc = &box->logical->arcs.items[whole.arc_count];
        arcs[whole.arc_count] = (net_arc){arc->from, arc->to, arc->capacity, -1};
    }
    whole.arcs = arcs;
    int doubtful = 0;
    if (!gather_feasible(&whole, &doubtful))
        return false;
    box->trees = grow_trees(a, box->logical, demand);
    if (box->trees.status != SYNTHESIS_OK)
        return false;
    box->known = arena_array(a, int, box->logical->ways.count + 1);
    for (size_t t = 0; t < box->trees.count; t++)
        box->first_tree[box->trees.items[t].root + 1] = (int)t + 1;
    for (int i = 0; i < box->rank_count; i++) {
        box->current[i] = box->first_tree[i];
        box->left[i] = box->trees.items[box->first_tree[i]].weight;
    }
    return true;
}

/* One tree over boxes of one root rank, being written: the rank where it enters each box. */
typedef struct nested_piece {
    const grown_tree *over;
    int root;
    int *entry; /* by box: rank */
} nested_piece;

static void nested_enter(const nested_work *w, nested_piece *p)
{
    p->entry[w->box_of[p->root]] = p->root;
    for (int i = 0; i < w->box_count - 1; i++)
        p->entry[p->over->edges[i].child] = w->enters[p->over->edges[i].way];
}

static int nested_add_inside(nested_work *w, forest_draft *d, int rank, tree_edge *edges)
{
    nested_box *box = &w->boxes[w->box_of[rank]];
    const grown_tree *tree = &box->trees.items[box->current[w->place[rank]]];
    for (int i = 0; i < box->rank_count - 1; i++) {
        const grown_edge *e = &tree->edges[i];
        int route = forest_route_of_way(d, box->logical, e->way, box->known);
        edges[i] = (tree_edge){box->ranks[e->parent], box->ranks[e->child], route};
    }
    return box->rank_count - 1;
}

static void nested_write(nested_work *w, forest_draft *d, const nested_piece *p, int64_t weight)
{
    tree_edge *edges = arena_array(d->memory, tree_edge, w->net->rank_count);
    int count = nested_add_inside(w, d, p->root, edges);
    for (int i = 0; i < w->box_count - 1; i++) {
        int way = p->over->edges[i].way;
        int route = forest_route_of_way(d, w->over, way, w->known);
        edges[count++] = (tree_edge){w->leaves[way], w->enters[way], route};
        count += nested_add_inside(w, d, w->enters[way], edges + count);
    }
    forest_add_tree(d, p->root, weight, edges);
}

static int64_t *nested_left(nested_work *w, const nested_piece *p, int box)
{
    return &w->boxes[box].left[w->place[p->entry[box]]];
}

/* Uses up `weight` of the current tree of each entry; where it is used up, the next begins. */
static void nested_advance(nested_work *w, const nested_piece *p, int64_t weight)
{
    for (int b = 0; b < w->box_count; b++) {
        nested_box *box = &w->boxes[b];
        int place = w->place[p->entry[b]];
        box->left[place] -= weight;
        if (box->left[place] == 0 && box->current[place] + 1 < box->first_tree[place + 1])
            box->left[place] = box->trees.items[++box->current[place]].weight;
    }
}

/* Whether one tree more is within what the graph's `work` allows. */
static bool nested_allows(const nested_work *w, const forest_draft *d)
{
    effort *work = w->net->graph->work;
    int64_t edges = w->net->rank_count - 1;
    return effort_allows_edges(work, ((int64_t)d->trees.count + 1) * edges) &&
           effort_spend(work, edges);
}

static void nested_write_piece(nested_work *w, forest_draft *d, nested_piece *p, int64_t weight)
{
    nested_enter(w, p);
    while (weight > 0 && nested_allows(w, d)) {
        int64_t step = weight;
        for (int b = 0; b < w->box_count; b++)
            if (*nested_left(w, p, b) < step)
                step = *nested_left(w, p, b);
        nested_write(w, d, p, step);
        nested_advance(w, p, step);
        weight -= step;
    }
}

/* The trees of a box, one after the other, are dealt out to its ranks, `weight` each. With more trees than are allowed
 * some are missing. */
static void nested_compose(nested_work *w, forest_draft *d)
{
    nested_piece p = {NULL, -1, arena_array(w->memory, int, w->box_count)};
    int at = 0, box = -1;
    int64_t room = 0; /* of the rank that is dealt to */
    for (size_t t = 0; t < w->trees.count; t++) {
        p.over = &w->trees.items[t];
        if (p.over->root != box) {
            box = p.over->root;
            at = -1;
            room = 0;
        }
        for (int64_t rest = p.over->weight; rest > 0;) {
            if (room == 0) {
                p.root = w->boxes[box].ranks[++at];
                room = w->weight;
            }
            int64_t part = rest < room ? rest : room;
            nested_write_piece(w, d, &p, part);
            rest -= part;
            room -= part;
        }
    }
}

static bool nested_plan(nested_work *w)
{
    const rank_net *net = w->net;
    if (net->rank_count < NESTED_RANKS_LEAST)
        return false;
    w->box_of = arena_array(w->memory, int, net->node_count);
    w->place = arena_array(w->memory, int, net->rank_count);
    if (!nested_find_boxes(w))
        return false;
    nested_fill_boxes(w);
    nested_divide(w);
    if (!nested_grow_between(w))
        return false;
    const int64_t *spread = nested_spread(w);
    for (int b = 0; b < w->box_count; b++)
        if (!nested_grow_inside(w, &w->boxes[b], spread))
            return false;
    return true;
}

bool nested_gather(arena *a, const rank_net *net, rational per_rank, forest *f)
{
    arena *scratch = arena_new();
    nested_work w = {
        .memory = scratch, .net = net, .weight = per_rank.numerator, .scale = per_rank.denominator};
    bool made = nested_plan(&w);
    if (made) {
        forest_draft d = forest_begin(a, net, FOREST_ALL_GATHER, w.scale);
        nested_compose(&w, &d);
        *f = forest_finish(&d);
        made = forest_check(scratch, net->graph, f) == NULL;
    }
    arena_free(scratch);
    return made;
}
