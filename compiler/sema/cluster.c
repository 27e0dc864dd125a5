/* cluster.c: a `cluster` block as a link graph: nodes and devices counted out, links and switches between them. */
#include "sema/train.h"

#include "cluster/link_graph.h"

#include <string.h>

enum { MOST_DEVICES = 4096, MOST_LINKS = 1 << 20 };

/* One device, or one node with what is inside it. */
typedef struct instance {
    int node; /* of the link graph; -1: a node that holds others */
    struct group_list *inside;
} instance;

typedef struct group {
    atom name;
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
    bool gap; /* a declaration is lost */
} builder;

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
    if (!constant_quantity(b->sema, a->children[0], attributes[row].measures, &number)) {
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
            continue;
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

static void add_unit(builder *b, const ast_node *declared, group_list *list)
{
    arena *a = b->sema->memory;
    int64_t count;
    group *before = group_find(list, declared->name);
    if (before) {
        sema_report(b->sema, E0203, declared->name_at, "'%s' is declared twice", declared->name);
        fail(b);
        return;
    }
    if (!count_of(b, declared, &count)) {
        fail(b);
        return;
    }
    group *g = arena_make(a, group);
    g->name = declared->name;
    vec_push(a, &list->groups, g);
    bool holds = !strcmp(declared->word, "node");
    device d = {.kind = declared->word, .box = b->box};
    if (!holds)
        read_attributes(b, ast_child(declared, AST_BODY), &d);
    for (int64_t i = 0; i < count && !b->out->poisoned; i++) {
        const char *name =
            count > 1 ? arena_format(a, "%s%s[%lld]", list->path, declared->name, (long long)i)
                      : arena_format(a, "%s%s", list->path, declared->name);
        instance one = {.node = -1};
        if (holds) {
            b->box = b->out->boxes++;
            if (b->out->boxes > MOST_DEVICES) {
                sema_report(b->sema, E0238, declared->at, "a cluster has at most %d nodes",
                            MOST_DEVICES);
                fail(b);
                return;
            }
            one.inside = read_body(b, ast_child(declared, AST_BODY), arena_format(a, "%s.", name));
        } else {
            if (b->out->devices.count == MOST_DEVICES) {
                sema_report(b->sema, E0238, declared->at, "a cluster has at most %d devices",
                            MOST_DEVICES);
                fail(b);
                return;
            }
            d.node = one.node = link_graph_add_device(b->out->links, name, declared->at);
            vec_push(a, &b->out->devices, d);
        }
        vec_push(a, &g->members, one);
    }
}

static void inside_of(builder *b, const ast_node *path, const instance_vec *from, instance_vec *out)
{
    bool found = false;
    nearest n = nearest_to(path->name);
    for (size_t i = 0; i < from->count; i++) {
        const group *g =
            from->items[i].inside ? group_find(from->items[i].inside, path->name) : NULL;
        for (size_t k = 0; from->items[i].inside && k < from->items[i].inside->groups.count; k++)
            nearest_offer(&n, from->items[i].inside->groups.items[k]->name);
        for (size_t k = 0; g && k < g->members.count; k++)
            vec_push(b->sema->memory, out, g->members.items[k]);
        found = found || g;
    }
    if (found)
        return;
    fail(b);
    if (b->gap)
        return;
    diag *d = sema_report(b->sema, E0311, path->name_at.file >= 0 ? path->name_at : path->at,
                          "nothing in the cluster is called '%s' here", path->name);
    if (nearest_found(&n))
        diag_fix_edit(d, path->name_at.file >= 0 ? path->name_at : path->at, n.best,
                      "did you mean '%s'?", n.best);
}

/* `g`, `host.g`, `g[2]`, `host[0..1].g`. Empty after a report. */
static void resolve(builder *b, const ast_node *path, group_list *list, instance_vec *out)
{
    instance_vec from = {0};
    if (path->kind == AST_NAME) {
        vec_push(b->sema->memory, &from, (instance){-1, list});
        inside_of(b, path, &from, out);
    } else if (path->kind == AST_MEMBER) {
        resolve(b, path->children[0], list, &from);
        if (!b->out->poisoned)
            inside_of(b, path, &from, out);
    } else if (path->kind == AST_AT && path->count == 2) {
        resolve(b, path->children[0], list, &from);
        value v = constant_of(b->sema, path->children[1]);
        v.last = v.kind == VALUE_NUMBER ? v.number : v.last;
        if ((v.kind != VALUE_NUMBER && v.kind != VALUE_RANGE) || v.number < 0 ||
            v.last >= (double)from.count) {
            if (v.kind != VALUE_POISON && !b->out->poisoned)
                sema_report(b->sema, E0236, path->children[1]->at, "there are %zu, counted from 0",
                            from.count);
            fail(b);
            return;
        }
        for (int64_t i = (int64_t)v.number; i <= (int64_t)v.last; i++)
            vec_push(b->sema->memory, out, from.items[i]);
    } else {
        sema_report(b->sema, E0311, path->at, "the name of a device is expected here");
        fail(b);
    }
}

/* Devices alone, as nodes of the link graph. */
static bool devices_of(builder *b, const ast_node *path, group_list *list, instance_vec *out)
{
    if (path->poisoned)
        return false;
    resolve(b, path, list, out);
    for (size_t i = 0; i < out->count && !b->out->poisoned; i++)
        if (out->items[i].node < 0) {
            sema_report(b->sema, E0311, path->at, "a link ends at devices, and this is a node");
            fail(b);
        }
    return !b->out->poisoned;
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

static void link_edges(builder *b, const ast_node *edges, const instance_vec *all, link_rate rate)
{
    for (size_t i = 0; i < edges->count && !b->out->poisoned; i++) {
        const ast_node *e = edges->children[i];
        if (e->poisoned)
            continue;
        const instance *x = edge_end(b, e->children[0], all), *y = edge_end(b, e->children[1], all);
        if (!x || !y) {
            fail(b);
            return;
        }
        if (x == y) {
            sema_report(b->sema, E0311, e->at, "a link goes between two devices");
            fail(b);
            return;
        }
        rate.lanes = (int)e->number;
        connect(b, e, x->node, y->node, &rate);
    }
}

static void add_link(builder *b, const ast_node *link, group_list *list)
{
    const ast_node *ends = ast_child(link, AST_ENDS), *edges = ast_child(link, AST_EDGES);
    instance_vec x = {0}, y = {0};
    link_rate rate;
    if (!devices_of(b, ends->children[0], list, &x) ||
        !rate_of(b, ast_child(link, AST_QUANTITIES), &rate)) {
        fail(b);
        return;
    }
    if (edges) {
        link_edges(b, edges, &x, rate);
        return;
    }
    bool same = ends->count < 2 || ast_equal(ends->children[0], ends->children[1]);
    if (!same && !devices_of(b, ends->children[1], list, &y))
        return;
    const instance_vec *other = same ? &x : &y;
    bool directed = link->word && !strcmp(link->word, "->");
    for (size_t i = 0; i < x.count && !b->out->poisoned; i++)
        for (size_t k = same && !directed ? i + 1 : 0; k < other->count && !b->out->poisoned; k++)
            if (x.items[i].node != other->items[k].node)
                connect(b, link, x.items[i].node, other->items[k].node, &rate);
}

static void add_switch(builder *b, const ast_node *node, group_list *list)
{
    const ast_node *ends = ast_child(node, AST_ENDS);
    instance_vec all = {0};
    link_rate rate;
    for (size_t i = 0; i < ends->count; i++)
        if (!devices_of(b, ends->children[i], list, &all))
            return;
    if (!rate_of(b, ast_child(node, AST_QUANTITIES), &rate)) {
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
    vec_push(b->sema->memory, &g->members, (instance){hub, NULL});
    vec_push(b->sema->memory, &list->groups, g);
}

static group_list *read_body(builder *b, const ast_node *body, const char *path)
{
    group_list *list = arena_make(b->sema->memory, group_list);
    list->path = path;
    for (size_t i = 0; body && i < body->count; i++)
        if (body->children[i]->kind == AST_UNIT && !body->children[i]->poisoned)
            add_unit(b, body->children[i], list);
    for (size_t i = 0; body && i < body->count && !b->out->poisoned; i++) {
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
    read_body(&b, ast_child(d->node, AST_BODY), "");
    if (!b.out->poisoned && !b.out->devices.count) {
        diag *e = sema_report(s, E0312, d->node->name_at, "cluster '%s' has no devices", d->name);
        diag_fix(e, "node box { cpu worker[4] { memory 1 GiB } }");
        b.out->poisoned = true;
    }
    return b.out->poisoned ? NULL : b.out;
}
