/* cluster.c: a `cluster` block as a link graph: nodes and devices counted out, links and switches between them. */
#include "sema/spend.h"
#include "sema/train.h"

#include "cluster/link_graph.h"

#include <math.h>
#include <string.h>

enum { MOST_DEVICES = 4096, MOST_LINKS = 1 << 18, MOST_COMPARED = 4096 };

/* One device, or one node with what is inside it. */
typedef struct instance {
    int node; /* of the link graph; -1: a node that holds others */
    struct group_list *inside;
} instance;

typedef struct group {
    atom name;
    span at;
    bool lost; /* something inside is wrong: not all members are here */
    VEC(instance) members;
} group;

typedef struct group_list {
    VEC(group *) groups;
    const char *path;
} group_list;

typedef VEC(instance) instance_vec;

typedef struct builder {
    sema *sema;
    cluster_model *out;
    int64_t links;
    int box;
    bool gap;  /* a declaration is lost */
    bool full; /* larger than the limits: nothing more is added */
} builder;

/* What a cluster is made of beside nodes. */
static const struct {
    const char *name;
    bool computes; /* a rank may be there; else it relays */
} kinds[] = {{"cpu", true}, {"gpu", true}, {"nic", false}};
enum { KIND_COUNT = sizeof kinds / sizeof *kinds };

static int kind_of(builder *b, const ast_node *declared)
{
    nearest n = nearest_to(declared->word);
    for (int i = 0; i < KIND_COUNT; i++) {
        if (!strcmp(kinds[i].name, declared->word))
            return i;
        nearest_offer(&n, kinds[i].name);
    }
    nearest_offer(&n, "node");
    span at = {declared->at.file, declared->at.begin,
               declared->at.begin + (uint32_t)strlen(declared->word)};
    diag *d = sema_report(b->sema, E0246, at, "no kind of device is called '%s'", declared->word);
    if (nearest_found(&n))
        diag_fix_edit(d, at, n.best, "did you mean '%s'?", n.best);
    else
        diag_fix(d, "cpu, gpu or nic");
    return -1;
}

bool cluster_kind_computes(const char *kind)
{
    for (int i = 0; i < KIND_COUNT; i++)
        if (!strcmp(kinds[i].name, kind))
            return kinds[i].computes;
    return false;
}

static void fail(builder *b)
{
    b->out->poisoned = true;
}

static group *group_find(const group_list *list, atom name)
{
    for (size_t i = 0; i < list->groups.count; i++)
        if (list->groups.items[i]->name == name)
            return list->groups.items[i];
    return NULL;
}

static bool count_of(builder *b, const ast_node *declared, int64_t *count)
{
    const ast_node *said = ast_child(declared, AST_COUNT);
    *count = 1;
    return !said || constant_whole(b->sema, said->children[0],
                                   (whole_range){"a count", 1, MOST_DEVICES}, count);
}

static const struct {
    const char *name;
    quantity measures;
} attributes[] = {
    {"memory", BYTES}, {"compute", COMPUTE}, {"bandwidth", BANDWIDTH}, {"latency", TIME}};
enum { ATTRIBUTE_COUNT = sizeof attributes / sizeof *attributes };

/* One quantity; behind a rate of computing may stand the numbers that it is about: `989 TFLOP/s bf16`. */
static bool is_whole_attribute(builder *b, const ast_node *a, int row)
{
    static const char *const types[] = {"f64",  "f32", "tf32", "bf16", "f16",
                                        "fp16", "f8",  "fp8",  "int8"};
    bool typed = attributes[row].measures == COMPUTE && a->count == 2;
    const ast_node *more = a->count > 1 ? a->children[a->count - 1] : NULL;
    if (!more || more->poisoned)
        return true;
    nearest n = nearest_to(more->kind == AST_NAME ? more->name : "");
    for (size_t i = 0; typed && i < sizeof types / sizeof *types; i++) {
        if (more->kind == AST_NAME && !strcmp(types[i], more->name))
            return true;
        nearest_offer(&n, types[i]);
    }
    diag *e = typed ? sema_report(b->sema, E0225, more->at,
                                  "'compute' is about f32, bf16 or other numbers")
                    : sema_report(b->sema, E0225, more->at,
                                  "'%s' is one quantity, and this is one more", a->name);
    if (nearest_found(&n))
        diag_fix_edit(e, more->at, n.best, "did you mean '%s'?", n.best);
    return false;
}

static void read_attribute(builder *b, const ast_node *a, device *d)
{
    nearest n = nearest_to(a->name);
    int row = 0;
    while (row < ATTRIBUTE_COUNT && strcmp(attributes[row].name, a->name))
        nearest_offer(&n, attributes[row++].name);
    if (row == ATTRIBUTE_COUNT) {
        diag *e =
            sema_report(b->sema, E0310, a->name_at, "a device has no attribute '%s'", a->name);
        if (nearest_found(&n))
            diag_fix_edit(e, a->name_at, n.best, "did you mean '%s'?", n.best);
        else
            diag_fix(e, "memory, compute or bandwidth");
        fail(b);
        return;
    }
    double number;
    if (!constant_quantity(b->sema, a->children[0], attributes[row].measures, &number) ||
        !is_whole_attribute(b, a, row)) {
        fail(b);
        return;
    }
    if (number <= 0 || number > 9e18) {
        sema_report(b->sema, E0236, a->children[0]->at, "'%s' is above 0", a->name);
        fail(b);
        return;
    }
    if (attributes[row].measures == BYTES) {
        d->memory = (int64_t)number;
        d->memory_at = a->at;
    }
}

static void read_attributes(builder *b, const ast_node *body, device *d)
{
    table seen = table_in(b->sema->memory);
    for (size_t i = 0; body && i < body->count; i++) {
        const ast_node *list = body->children[i];
        if (list->kind != AST_ATTRIBUTES) {
            if (!list->poisoned)
                sema_report(b->sema, E0241, list->at, "a device has attributes alone");
            fail(b);
            return;
        }
        for (size_t k = 0; k < list->count; k++) {
            const ast_node *a = list->children[k], *before = table_get(&seen, a->name, 0);
            if (a->poisoned || before) {
                if (before && a->name) {
                    bool compute = !strcmp(a->name, "compute") && a->count > 1;
                    diag *e =
                        compute ? NULL
                                : sema_report(b->sema, E0203, a->at, "'%s' is said twice", a->name);
                    diag_note(e, before->at, "first here");
                }
                continue;
            }
            table_set(&seen, a->name, 0, (void *)(uintptr_t)a);
            read_attribute(b, a, d);
        }
    }
}

static group_list *read_body(builder *b, const ast_node *body, const char *path);

/* A name is free in its body, or taken: reported. */
static bool is_free(builder *b, const group_list *list, atom name, span at)
{
    const group *before = group_find(list, name);
    if (!before)
        return true;
    diag *d = sema_report(b->sema, E0203, at, "'%s' is declared twice", name);
    diag_note(d, before->at, "first here");
    fail(b);
    return false;
}

static bool too_many(builder *b, span at, const char *what)
{
    sema_report(b->sema, E0238, at, "a cluster has at most %d %s", MOST_DEVICES, what);
    b->full = true;
    fail(b);
    return false;
}

/* One more of what is declared; its name in the link graph is `name`. */
static bool add_member(builder *b, const ast_node *declared, device *d, const char *name, group *g)
{
    arena *a = b->sema->memory;
    instance one = {.node = -1};
    if (!d) {
        b->box = b->out->boxes++;
        if (b->out->boxes > MOST_DEVICES)
            return too_many(b, declared->at, "nodes");
        one.inside = read_body(b, ast_child(declared, AST_BODY), arena_format(a, "%s.", name));
    } else if (!cluster_kind_computes(d->kind)) {
        if (b->out->links->nodes.count >= 4 * (size_t)MOST_DEVICES)
            return too_many(b, declared->at, "devices");
        one.node = link_graph_add_switch(b->out->links, name, declared->at);
    } else {
        if (b->out->devices.count == MOST_DEVICES)
            return too_many(b, declared->at, "devices");
        d->node = one.node = link_graph_add_device(b->out->links, name, declared->at);
        vec_push(a, &b->out->devices, *d);
    }
    vec_push(a, &g->members, one);
    return true;
}

static void add_unit(builder *b, const ast_node *declared, group_list *list)
{
    arena *a = b->sema->memory;
    int64_t count;
    if (!is_free(b, list, declared->name, declared->name_at))
        return;
    group *g = arena_make(a, group);
    g->name = declared->name;
    g->at = declared->name_at;
    vec_push(a, &list->groups, g);
    bool holds = !strcmp(declared->word, "node");
    device d = {.kind = declared->word, .box = b->box};
    g->lost = !count_of(b, declared, &count) || (!holds && kind_of(b, declared) < 0);
    if (g->lost) {
        fail(b);
        return;
    }
    if (!holds)
        read_attributes(b, ast_child(declared, AST_BODY), &d);
    for (int64_t i = 0; i < count && !b->full; i++) {
        const char *name =
            count > 1 ? arena_format(a, "%s%s[%lld]", list->path, declared->name, (long long)i)
                      : arena_format(a, "%s%s", list->path, declared->name);
        if (!add_member(b, declared, holds ? NULL : &d, name, g))
            return;
    }
}

/* What is called so inside any of `from`. False: nothing is, or not all of it is known; reported. */
static bool inside_of(builder *b, const ast_node *path, const instance_vec *from, instance_vec *out)
{
    bool found = false, lost = false;
    nearest n = nearest_to(path->name);
    for (size_t i = 0; i < from->count; i++) {
        const group *g =
            from->items[i].inside ? group_find(from->items[i].inside, path->name) : NULL;
        for (size_t k = 0; from->items[i].inside && k < from->items[i].inside->groups.count; k++)
            nearest_offer(&n, from->items[i].inside->groups.items[k]->name);
        for (size_t k = 0; g && k < g->members.count; k++)
            vec_push(b->sema->memory, out, g->members.items[k]);
        found = found || g;
        lost = lost || (g && g->lost);
    }
    if (found || b->gap)
        return found && !lost;
    /* One mistake, however many links name the part. */
    atom key = atom_of(b->sema->atoms, arena_format(b->sema->memory, "part %s of cluster %s",
                                                    path->name, b->out->of->name));
    if (table_get(&b->sema->reported, key, -1))
        return false;
    table_set(&b->sema->reported, key, -1, b);
    span at = path->name_at.file >= 0 ? path->name_at : path->at;
    diag *d =
        sema_report(b->sema, E0311, at, "nothing in the cluster is called '%s' here", path->name);
    if (nearest_found(&n))
        diag_fix_edit(d, at, n.best, "did you mean '%s'?", n.best);
    return false;
}

/* `host[0..1]`: some of those that `from` holds. */
static bool take_some(builder *b, const ast_node *range, const instance_vec *from,
                      instance_vec *out)
{
    value v = constant_of(b->sema, range);
    v.last = v.kind == VALUE_NUMBER ? v.number : v.last;
    bool whole = (v.kind == VALUE_NUMBER && v.quantity == BARE) || v.kind == VALUE_RANGE;
    whole = whole && v.number == floor(v.number) && v.last == floor(v.last);
    if (!whole || v.number < 0 || v.last < v.number || v.last >= (double)from->count) {
        if (v.kind != VALUE_POISON)
            sema_report(b->sema, E0236, range->at, "there are %zu, counted from 0", from->count);
        return false;
    }
    for (int64_t i = (int64_t)v.number; i <= (int64_t)v.last; i++)
        vec_push(b->sema->memory, out, from->items[i]);
    return true;
}

/* `g`, `host.g`, `g[2]`, `host[0..1].g`. False after a report. */
static bool resolve(builder *b, const ast_node *path, group_list *list, instance_vec *out)
{
    instance_vec from = {0};
    if (path->kind == AST_NAME) {
        vec_push(b->sema->memory, &from, (instance){-1, list});
        return inside_of(b, path, &from, out);
    }
    if (path->kind == AST_MEMBER)
        return resolve(b, path->children[0], list, &from) && inside_of(b, path, &from, out);
    if (path->kind == AST_AT && path->count == 2)
        return resolve(b, path->children[0], list, &from) &&
               take_some(b, path->children[1], &from, out);
    sema_report(b->sema, E0311, path->at, "the name of a device is expected here");
    return false;
}

/* Devices alone, as nodes of the link graph. */
static bool devices_of(builder *b, const ast_node *path, group_list *list, instance_vec *out)
{
    if (path->poisoned || !resolve(b, path, list, out))
        return false;
    for (size_t i = 0; i < out->count; i++)
        if (out->items[i].node < 0) {
            sema_report(b->sema, E0311, path->at, "a link ends at devices, and this is a node");
            return false;
        }
    return true;
}

static bool rate_of(builder *b, const ast_node *quantities, link_rate *rate)
{
    double bandwidth = 0, latency = 0;
    if (quantities->count < 1 || quantities->count > 2) {
        diag *d =
            sema_report(b->sema, E0225, quantities->at, "a link has a bandwidth and a latency");
        diag_fix(d, "10 GB/s, 1 us");
        return false;
    }
    if (!constant_quantity(b->sema, quantities->children[0], BANDWIDTH, &bandwidth) ||
        (quantities->count == 2 &&
         !constant_quantity(b->sema, quantities->children[1], TIME, &latency)))
        return false;
    rate->bytes_per_second = link_bytes_per_second(bandwidth);
    rate->seconds = latency;
    rate->lanes = 1;
    if (rate->bytes_per_second && latency >= 0)
        return true;
    sema_report(b->sema, E0236, quantities->at,
                "a bandwidth is from 1 B/s to 2^53 B/s, and a latency is not below 0");
    return false;
}

static void connect(builder *b, const ast_node *at, int x, int y, const link_rate *rate)
{
    if (++b->links > MOST_LINKS) {
        sema_report(b->sema, E0238, at->at, "a cluster has at most %d links", MOST_LINKS);
        b->full = true;
        fail(b);
    } else if (at->word && !strcmp(at->word, "->"))
        link_graph_add_arc(b->out->links, x, y, *rate, at->at);
    else
        link_graph_add_link(b->out->links, x, y, *rate, at->at);
}

static const instance *edge_end(builder *b, const ast_node *end, const instance_vec *all)
{
    int64_t i;
    if (end->kind == AST_NUMBER) {
        if (!all->count ||
            !constant_whole(b->sema, end,
                            (whole_range){"a device's number", 0, (int64_t)all->count - 1}, &i))
            return NULL;
        return &all->items[i];
    }
    sema_report(b->sema, E0311, end->at, "the number of a device is expected here");
    return NULL;
}

/* The edge before that joins the same two the same way; NULL if there is none. */
static const ast_node *edge_before(const ast_node *edges, size_t i)
{
    const ast_node *e = edges->children[i];
    for (size_t k = 0; k < i; k++) {
        const ast_node *other = edges->children[k];
        bool same = ast_equal(e->children[0], other->children[0]) &&
                    ast_equal(e->children[1], other->children[1]);
        bool turned = ast_equal(e->children[0], other->children[1]) &&
                      ast_equal(e->children[1], other->children[0]);
        bool directed = !strcmp(e->word, "->");
        if (!other->poisoned && directed == !strcmp(other->word, "->") &&
            (same || (turned && !directed)))
            return other;
    }
    return NULL;
}

static bool add_edge(builder *b, const ast_node *e, const instance_vec *all, link_rate rate)
{
    const instance *x = edge_end(b, e->children[0], all), *y = edge_end(b, e->children[1], all);
    if (x == y && x)
        sema_report(b->sema, E0311, e->at, "a link goes between two devices");
    if (!x || !y || x == y)
        return false;
    rate.lanes = (int)e->number;
    connect(b, e, x->node, y->node, &rate);
    return true;
}

static void link_edges(builder *b, const ast_node *edges, const instance_vec *all, link_rate rate)
{
    for (size_t i = 0; i < edges->count && !b->full; i++) {
        const ast_node *e = edges->children[i];
        const ast_node *before =
            e->poisoned || edges->count > MOST_COMPARED ? NULL : edge_before(edges, i);
        if (before) {
            diag *d = sema_report(b->sema, E0203, e->at, "these two are linked twice");
            diag_note(d, before->at, "first here");
            diag_fix(d, "x2 behind the first, for two links");
        }
        if (e->poisoned || before || !add_edge(b, e, all, rate))
            fail(b);
    }
}

static void add_link(builder *b, const ast_node *link, group_list *list)
{
    const ast_node *ends = ast_child(link, AST_ENDS), *edges = ast_child(link, AST_EDGES);
    instance_vec x = {0}, y = {0};
    link_rate rate;
    bool same = ends->count < 2 || ast_equal(ends->children[0], ends->children[1]);
    bool fine = devices_of(b, ends->children[0], list, &x);
    fine = (same || devices_of(b, ends->children[1], list, &y)) && fine;
    if (!rate_of(b, ast_child(link, AST_QUANTITIES), &rate) || !fine) {
        fail(b);
        return;
    }
    if (edges) {
        link_edges(b, edges, &x, rate);
        return;
    }
    const instance_vec *other = same ? &x : &y;
    bool directed = link->word && !strcmp(link->word, "->");
    for (size_t i = 0; i < x.count && !b->full; i++)
        for (size_t k = same && !directed ? i + 1 : 0; k < other->count && !b->full; k++)
            if (x.items[i].node != other->items[k].node)
                connect(b, link, x.items[i].node, other->items[k].node, &rate);
}

/* The devices of all ends, each once. */
static bool switch_ends(builder *b, const ast_node *ends, group_list *list, instance_vec *all)
{
    bool fine = true;
    for (size_t i = 0; i < ends->count; i++) {
        for (size_t k = 0; k < i; k++)
            if (ast_equal(ends->children[i], ends->children[k])) {
                diag *d = sema_report(b->sema, E0203, ends->children[i]->at,
                                      "these are on the switch already");
                diag_note(d, ends->children[k]->at, "first here");
                fine = false;
            }
        fine = fine && devices_of(b, ends->children[i], list,
                                  all); /* `host, g` for `host.g`: one mistake */
    }
    return fine;
}

static void add_switch(builder *b, const ast_node *node, group_list *list)
{
    instance_vec all = {0};
    link_rate rate;
    bool fine = switch_ends(b, ast_child(node, AST_ENDS), list, &all);
    fine = rate_of(b, ast_child(node, AST_QUANTITIES), &rate) && fine;
    if (!is_free(b, list, node->name, node->name_at) || !fine) {
        fail(b);
        return;
    }
    b->links += (int64_t)all.count;
    if (b->links > MOST_LINKS) {
        sema_report(b->sema, E0238, node->at, "a cluster has at most %d links", MOST_LINKS);
        fail(b);
        return;
    }
    int *nodes = arena_array(b->sema->memory, int, all.count + 1);
    for (size_t i = 0; i < all.count; i++)
        nodes[i] = all.items[i].node;
    const char *name = arena_format(b->sema->memory, "%s%s", list->path, node->name);
    int hub = link_graph_add_switch_over(b->out->links, name, nodes, (int)all.count, rate);
    group *g = arena_make(b->sema->memory, group);
    g->name = node->name;
    g->at = node->name_at;
    vec_push(b->sema->memory, &g->members, (instance){hub, NULL});
    vec_push(b->sema->memory, &list->groups, g);
}

static group_list *read_body(builder *b, const ast_node *body, const char *path)
{
    group_list *list = arena_make(b->sema->memory, group_list);
    list->path = path;
    for (size_t i = 0; body && i < body->count && !b->full; i++)
        if (body->children[i]->kind == AST_UNIT && !body->children[i]->poisoned)
            add_unit(b, body->children[i], list);
    for (size_t i = 0; body && i < body->count && !b->full; i++) {
        const ast_node *node = body->children[i];
        if (node->poisoned)
            fail(b);
        else if (node->kind == AST_LINK)
            add_link(b, node, list);
        else if (node->kind == AST_SWITCH)
            add_switch(b, node, list);
        else if (node->kind != AST_UNIT) {
            sema_report(b->sema, E0241, node->at,
                        "a cluster holds nodes, devices, links and switches");
            fail(b);
        }
    }
    return list;
}

cluster_model *cluster_build(sema *s, const definition *d)
{
    builder b = {.sema = s, .out = arena_make(s->memory, cluster_model)};
    b.out->of = d;
    b.out->poisoned = d->poisoned;
    b.gap = d->node->poisoned;
    b.out->links = link_graph_new(s->memory, d->name);
    b.out->links->work = &s->trees;
    read_body(&b, ast_child(d->node, AST_BODY), "");
    spend(s, (int64_t)b.out->links->arcs.count * SPEND_ARC);
    if (!b.out->poisoned && !b.out->devices.count) {
        diag *e = sema_report(s, E0312, d->node->name_at, "cluster '%s' has no devices", d->name);
        diag_fix(e, "node box { cpu worker[4] { memory 1 GiB } }");
        b.out->poisoned = true;
    }
    return b.out->poisoned ? NULL : b.out;
}
