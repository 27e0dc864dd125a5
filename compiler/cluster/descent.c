#include "cluster/descent.h"

#include "cluster/assemble.h"
#include "cluster/orbits.h"

#include <stdlib.h>
#include <string.h>

/* Ranks other than 0 with the same choice of classes. */
typedef struct descent_group {
    orbit_set choices;
    VEC(int) members;
    int64_t *amount; /* by class: flow to it */
} descent_group;

typedef VEC(int) way_list;

typedef struct descent_work {
    arena *memory;
    const rank_net *net;
    rank_digits digits;
    orbit_table table;
    int64_t weight; /* of the trees of one root */
    int64_t scale;  /* of the capacities */
    VEC(descent_group) groups;
    VEC(int64_t) breaks; /* where in 0 .. weight one tree ends and the next begins */
    way_list *way_of;    /* by digit * ranks + step: its ways */
} descent_work;

static bool descent_has_jump(const descent_work *w, int digit, int step)
{
    return w->way_of[digit * w->net->rank_count + step].count > 0;
}

/* The steps by which a digit of this value may be reached from a value nearer 0. */
static int descent_steps(const descent_work *w, int digit, int value, int step[2])
{
    int size = w->digits.size[digit], count = 0;
    if (value == 0)
        return 0;
    if (descent_has_jump(w, digit, value)) {
        step[count++] = value;
        return count;
    }
    if (2 * value <= size && descent_has_jump(w, digit, 1))
        step[count++] = 1;
    if (2 * value >= size && descent_has_jump(w, digit, size - 1))
        step[count++] = size - 1;
    return count;
}

/* Calls on each way into a rank; returns the first of class `wanted`, or with wanted < 0 the set of all classes. */
static int descent_way_into(const descent_work *w, int rank, int wanted, orbit_set *classes)
{
    for (int k = 0; k < w->digits.count; k++) {
        int step[2], steps = descent_steps(w, k, rank_digit(&w->digits, rank, k), step);
        for (int i = 0; i < steps; i++) {
            const way_list *ways = &w->way_of[k * w->net->rank_count + step[i]];
            for (size_t j = 0; j < ways->count; j++) {
                int of_class = w->table.ways.items[ways->items[j]].of_class;
                if (of_class == wanted)
                    return ways->items[j];
                orbit_set_add(classes, of_class);
            }
        }
    }
    return -1;
}

static bool descent_group_ranks(descent_work *w)
{
    for (int rank = 1; rank < w->net->rank_count; rank++) {
        orbit_set choices = {0};
        descent_way_into(w, rank, -1, &choices);
        if (orbit_set_size(&choices) == 0)
            return false;
        size_t at = 0;
        while (at < w->groups.count &&
               orbit_set_compare(&w->groups.items[at].choices, &choices) != 0)
            at++;
        if (at == w->groups.count) {
            descent_group made = {.choices = choices};
            made.amount = arena_array(w->memory, int64_t, w->table.class_count);
            vec_push(w->memory, &w->groups, made);
        }
        vec_push(w->memory, &w->groups.items[at].members, rank);
    }
    return true;
}

/* Weight and scale so that each limit's share of one root is whole; false if that leaves 64 bits. */
static bool descent_set_scale(descent_work *w, rational per_rank)
{
    int64_t ranks = w->net->rank_count, missing = 1;
    for (size_t i = 0; i < w->table.limits.count; i++) {
        int64_t rest = (int64_t)(w->table.limits.items[i].capacity * per_rank.denominator % ranks);
        int64_t needs = ranks / integer_gcd(ranks, rest);
        missing = missing / integer_gcd(missing, needs) * needs;
    }
    w->weight = per_rank.numerator * missing;
    w->scale = per_rank.denominator * missing;
    for (size_t i = 0; i < w->table.limits.count; i++)
        if (w->table.limits.items[i].capacity * w->scale > INT64_MAX / 8)
            return false;
    return (__int128)per_rank.numerator * missing * ranks < INT64_MAX / 8;
}

/* Limits must be nested or apart: then they are a chain of flow arcs behind each class. */
static bool descent_nested(const orbit_table *t)
{
    for (size_t i = 0; i < t->limits.count; i++)
        for (size_t j = i + 1; j < t->limits.count; j++) {
            const orbit_set *few = &t->limits.items[i].classes, *many = &t->limits.items[j].classes;
            bool meet = false, within = true;
            for (int k = 0; k < ORBIT_SET_WORDS; k++) {
                meet = meet || (few->words[k] & many->words[k]) != 0;
                within = within && (few->words[k] & ~many->words[k]) == 0;
            }
            if (meet && !within)
                return false;
        }
    return true;
}

/* Limits that even all edges of all trees would not fill count for nothing. */
static void descent_drop_slack(descent_work *w)
{
    orbit_table *t = &w->table;
    size_t kept = 0;
    __int128 most = (__int128)w->weight * w->net->rank_count * (w->net->rank_count - 1);
    for (size_t i = 0; i < t->limits.count; i++)
        if (t->limits.items[i].capacity * w->scale < most)
            t->limits.items[kept++] = t->limits.items[i];
    t->limits.count = kept;
}

/* The flow node behind limit `after` (or behind a class, after = -1) for a class: the next limit that holds it, else
 * the sink. */
static int descent_next_node(const descent_work *w, int after, int of_class, int first, int sink)
{
    for (int i = after + 1; i < (int)w->table.limits.count; i++)
        if (orbit_set_has(&w->table.limits.items[i].classes, of_class))
            return first + i;
    return sink;
}

/* Limits are nested, so one class of a set stands for all. */
static int descent_some_class(const orbit_set *s)
{
    int of_class = 0;
    while (!orbit_set_has(s, of_class))
        of_class++;
    return of_class;
}

/* Shares the ranks of each group out over classes within the limits; whether all find room. */
static bool descent_share(descent_work *w)
{
    int groups = (int)w->groups.count, classes = w->table.class_count;
    int limits = (int)w->table.limits.count, first_limit = groups + classes;
    int source = first_limit + limits, sink = source + 1;
    flow_net *f = flow_net_new(w->memory, sink + 1, w->net->graph->work);
    int *arc = arena_array(w->memory, int, (size_t)groups *(size_t)classes + 1);
    int64_t wanted = 0;
    for (int c = 0; c < classes; c++)
        flow_add(f, groups + c, descent_next_node(w, -1, c, first_limit, sink), FLOW_INFINITE);
    for (int i = 0; i < limits; i++) {
        const orbit_limit *limit = &w->table.limits.items[i];
        int next = descent_next_node(w, i, descent_some_class(&limit->classes), first_limit, sink);
        flow_add(f, first_limit + i, next,
                 (int64_t)(limit->capacity * w->scale / w->net->rank_count));
    }
    for (int g = 0; g < groups; g++) {
        int64_t all = (int64_t)w->groups.items[g].members.count * w->weight;
        flow_add(f, source, g, all);
        wanted += all;
        for (int c = 0; c < classes; c++)
            if (orbit_set_has(&w->groups.items[g].choices, c))
                arc[g * classes + c] = flow_add(f, g, groups + c, all);
    }
    if (flow_maximum(f, source, sink, wanted) < wanted)
        return false;
    for (int g = 0; g < groups; g++)
        for (int c = 0; c < classes; c++)
            if (orbit_set_has(&w->groups.items[g].choices, c))
                w->groups.items[g].amount[c] = flow_used(f, arc[g * classes + c]);
    return true;
}

static int descent_compare(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The members of a group stand in a row, `weight` long each, and classes are laid along it; where a class ends inside
 * a member, the trees divide. */
static void descent_find_breaks(descent_work *w)
{
    vec_push(w->memory, &w->breaks, 0);
    for (size_t g = 0; g < w->groups.count; g++) {
        int64_t end = 0;
        for (int c = 0; c < w->table.class_count; c++) {
            end += w->groups.items[g].amount[c];
            if (w->groups.items[g].amount[c] > 0)
                vec_push(w->memory, &w->breaks, end % w->weight);
        }
    }
    qsort(w->breaks.items, w->breaks.count, sizeof(int64_t), descent_compare);
    size_t kept = 1;
    for (size_t i = 1; i < w->breaks.count; i++)
        if (w->breaks.items[i] != w->breaks.items[kept - 1])
            w->breaks.items[kept++] = w->breaks.items[i];
    w->breaks.count = kept;
}

/* By rank: the way into it in the tree that covers `place` of the weight. */
static void descent_choose_ways(const descent_work *w, int64_t place, int *way)
{
    for (size_t g = 0; g < w->groups.count; g++) {
        const descent_group *group = &w->groups.items[g];
        int of_class = 0;
        int64_t end = group->amount[0];
        for (size_t i = 0; i < group->members.count; i++) {
            orbit_set unused = {0};
            while (end <= (int64_t)i * w->weight + place)
                end += group->amount[++of_class];
            way[group->members.items[i]] =
                descent_way_into(w, group->members.items[i], of_class, &unused);
        }
    }
}

/* A tree for rank 0: ranks in an order where parents come first, and the way into each. */
typedef struct descent_tree {
    int64_t weight;
    int *order; /* without rank 0 */
    int *parent;
    int *way;
} descent_tree;

static int descent_parent(const descent_work *w, int rank, const orbit_way *way)
{
    int size = w->digits.size[way->digit], value = rank_digit(&w->digits, rank, way->digit);
    int before = (value - way->step + size) % size;
    return rank + (before - value) * w->digits.stride[way->digit];
}

static descent_tree descent_tree_at(descent_work *w, size_t at)
{
    int ranks = w->net->rank_count;
    int64_t place = w->breaks.items[at];
    int64_t end = at + 1 < w->breaks.count ? w->breaks.items[at + 1] : w->weight;
    descent_tree t = {end - place, arena_array(w->memory, int, ranks),
                      arena_array(w->memory, int, ranks), arena_array(w->memory, int, ranks)};
    descent_choose_ways(w, place, t.way);
    int *depth = arena_array(w->memory, int, ranks), placed = 0;
    for (int rank = 1; rank < ranks; rank++)
        t.parent[rank] = descent_parent(w, rank, &w->table.ways.items[t.way[rank]]);
    for (int rank = 1; rank < ranks; rank++)
        for (int up = rank; up != 0; up = t.parent[up])
            depth[rank]++;
    for (int level = 1; placed < ranks - 1; level++)
        for (int rank = 1; rank < ranks; rank++)
            if (depth[rank] == level)
                t.order[placed++] = rank;
    return t;
}

/* The route of a way moved to `from`; made when first asked for. */
static int descent_route(const descent_work *w, forest_draft *d, int32_t *known, int way, int from)
{
    int32_t *at = &known[(size_t)from * w->table.ways.count + (size_t)way];
    if (*at > 0)
        return *at - 1;
    const orbit_way *given = &w->table.ways.items[way];
    int32_t arcs[64];
    for (int i = 0; i < given->count; i++) {
        int begin = rank_digits_move(&w->digits, given->nodes[i], from);
        int end = rank_digits_move(&w->digits, given->nodes[i + 1], from);
        arcs[i] = link_graph_find_arc(w->net->graph, w->net->origin[begin], w->net->origin[end]);
    }
    *at = forest_add_route(d, arcs, given->count) + 1;
    return *at - 1;
}

static void descent_emit(descent_work *w, forest_draft *d, const descent_tree *trees, size_t count)
{
    int ranks = w->net->rank_count;
    int32_t *known = arena_array(w->memory, int32_t, (size_t)ranks * w->table.ways.count + 1);
    int *image = arena_array(w->memory, int, ranks);
    for (int root = 0; root < ranks; root++) {
        for (int rank = 0; rank < ranks; rank++)
            image[rank] = rank_digits_move(&w->digits, rank, root);
        for (size_t t = 0; t < count; t++) {
            tree_edge *edges = arena_array(d->memory, tree_edge, ranks);
            for (int i = 0; i < ranks - 1; i++) {
                int child = trees[t].order[i], parent = image[trees[t].parent[child]];
                int route = descent_route(w, d, known, trees[t].way[child], parent);
                edges[i] = (tree_edge){parent, image[child], route};
            }
            forest_add_tree(d, root, trees[t].weight, edges);
        }
    }
}

static bool descent_plan(descent_work *w, rational per_rank)
{
    w->digits = rank_digits_of(w->memory, w->net);
    if (w->digits.count == 0)
        return false;
    w->table = orbit_table_of(w->memory, w->net, &w->digits);
    if (!w->table.usable || !descent_set_scale(w, per_rank))
        return false;
    descent_drop_slack(w);
    if (!descent_nested(&w->table))
        return false;
    size_t slots = (size_t)w->digits.count * (size_t)w->net->rank_count;
    w->way_of = arena_array(w->memory, way_list, slots);
    for (size_t i = 0; i < w->table.ways.count; i++) {
        const orbit_way *way = &w->table.ways.items[i];
        vec_push(w->memory, &w->way_of[way->digit * w->net->rank_count + way->step], (int)i);
    }
    return descent_group_ranks(w) && descent_share(w);
}

/* Whether so many trees from every rank are within what the graph's `work` allows. */
static bool descent_allows(const descent_work *w, size_t trees)
{
    int64_t ranks = w->net->rank_count, edges = ranks * (ranks - 1) * (int64_t)trees;
    effort *work = w->net->graph->work;
    return effort_allows_edges(work, edges) && effort_spend(work, edges);
}

bool descent_gather(arena *a, const rank_net *net, rational per_rank, forest *f)
{
    arena *scratch = arena_new();
    descent_work w = {.memory = scratch, .net = net};
    bool made = descent_allows(&w, 1) && descent_plan(&w, per_rank);
    if (made) {
        descent_find_breaks(&w);
        made = descent_allows(&w, w.breaks.count);
    }
    if (made) {
        descent_tree *trees = arena_array(scratch, descent_tree, w.breaks.count);
        for (size_t t = 0; t < w.breaks.count; t++)
            trees[t] = descent_tree_at(&w, t);
        forest_draft d = forest_begin(a, net, FOREST_ALL_GATHER, w.scale);
        descent_emit(&w, &d, trees, w.breaks.count);
        *f = forest_finish(&d);
        made = forest_check(scratch, net->graph, f) == NULL;
    }
    arena_free(scratch);
    return made;
}
