#include "sema/path.h"

#include "sema/clause.h"

#include <math.h>
#include <string.h>

enum { LONGEST_PATH = 64 };

path_node *path_model(arena *a)
{
    path_node *node = arena_make(a, path_node);
    *node = (path_node){.kind = PATH_MODEL, .variable = -1, .at = SPAN_NONE};
    node->names = table_in(a);
    return node;
}

path_node *path_inside(path_node *parent, path_kind kind, atom name, span at)
{
    path_node *known = parent ? table_get(&parent->names, name, (int)kind) : NULL;
    if (known || !parent)
        return known;
    arena *a = parent->names.memory;
    path_node *node = path_model(a);
    node->kind = kind;
    node->name = name;
    node->parent = parent;
    node->at = at;
    table_set(&parent->names, name, (int)kind, node);
    vec_push(a, &parent->inside, node);
    return node;
}

const char *path_words(const path_node *node, arena *a)
{
    const char *words = node->name;
    for (const path_node *p = node->parent; p && p->parent; p = p->parent)
        if (p->kind == PATH_LAYER)
            words = arena_format(a, "%s.%s", p->name, words);
    return words;
}

bool path_is_under(const path_node *x, const path_node *other)
{
    while (x && x != other)
        x = x->parent;
    return x != NULL;
}

static bool rounds_meet(const path_set *a, const path_set *b)
{
    return !a->ranged || !b->ranged || (a->first <= b->last && b->first <= a->last);
}

bool path_sets_overlap(const path_set *a, const path_set *b)
{
    for (size_t i = 0; i < a->nodes.count && rounds_meet(a, b); i++)
        for (size_t k = 0; k < b->nodes.count; k++)
            if (path_is_under(a->nodes.items[i], b->nodes.items[k]) ||
                path_is_under(b->nodes.items[k], a->nodes.items[i]))
                return true;
    return false;
}

/* Each node of a is one of b, in the same rounds. */
static bool is_part(const path_set *a, const path_set *b)
{
    for (size_t i = 0; i < a->nodes.count; i++) {
        bool found = false;
        for (size_t k = 0; k < b->nodes.count && !found; k++)
            found = a->nodes.items[i] == b->nodes.items[k];
        if (!found)
            return false;
    }
    return a->ranged == b->ranged && (!a->ranged || (a->first == b->first && a->last == b->last));
}

bool path_sets_equal(const path_set *a, const path_set *b)
{
    return is_part(a, b) && is_part(b, a);
}

/* One name of a path; NULL: any. */
typedef struct path_step {
    atom name;
    span at;
    const ast_node *range;
} path_step;

typedef VEC(path_node *) node_list;

typedef struct search {
    setup *u;
    path_sort sort;
    path_step steps[LONGEST_PATH];
    int count;
    node_list found;
} search;

static bool read_steps(search *s, const ast_node *x)
{
    const ast_node *range = NULL;
    if (x->kind == AST_AT && x->count == 2) {
        range = x->children[1];
        x = x->children[0];
    }
    bool member = x->kind == AST_MEMBER;
    if (s->count == LONGEST_PATH || (!member && x->kind != AST_NAME && x->kind != AST_WILDCARD))
        return false;
    if (member && !read_steps(s, x->children[0]))
        return false;
    bool any = x->kind == AST_WILDCARD || (member && !strcmp(x->name, "*"));
    s->steps[s->count++] = (path_step){any ? NULL : x->name, member ? x->name_at : x->at, range};
    return true;
}

static bool speaks_of(const search *s, const path_node *node)
{
    return node->kind != PATH_PARAMETER || s->sort == PATH_PARAMETERS;
}

/* What may stand behind `from`: what is inside it, and inside results there, whose names may be left out. */
static void reach(search *s, const path_node *from, atom name, node_list *out)
{
    for (size_t i = 0; i < from->inside.count; i++) {
        path_node *node = from->inside.items[i];
        if (node->kind == PATH_RESULT)
            reach(s, node, name, out);
        if ((name && node->name != name) || !speaks_of(s, node) || node->mark == s->u->paths->mark)
            continue;
        node->mark = s->u->paths->mark;
        vec_push(s->u->sema->memory, out, node);
    }
}

static void reach_all(search *s, const node_list *from, atom name, node_list *out)
{
    s->u->paths->mark++;
    for (size_t i = 0; i < from->count; i++)
        reach(s, from->items[i], name, out);
}

/* A node of that name, wherever it is. */
static const path_node *anywhere(const search *s, const path_node *from, atom name)
{
    for (size_t i = 0; i < from->inside.count; i++) {
        const path_node *node = from->inside.items[i];
        if (node->name == name && speaks_of(s, node))
            return node;
        node = anywhere(s, node, name);
        if (node)
            return node;
    }
    return NULL;
}

/* "b or w": what may stand there; NULL where that is nothing, or much. */
static const char *choices(search *s, const node_list *all)
{
    enum { MOST = 6 };
    text words = text_in(s->u->sema->memory);
    for (size_t i = 0; i < all->count; i++)
        text_add(&words, "%s%s", !i ? "" : i + 1 < all->count ? ", " : " or ", all->items[i]->name);
    return all->count && all->count <= MOST ? text_done(&words) : NULL;
}

static void report_missing(search *s, int k, const node_list *from)
{
    setup *u = s->u;
    const path_step *step = &s->steps[k];
    node_list all = {0};
    nearest n = nearest_to(step->name ? step->name : "");
    reach_all(s, from, NULL, &all);
    for (size_t i = 0; i < all.count && step->name; i++)
        nearest_offer(&n, all.items[i]->name);
    const char *wanted = step->name ? step->name : "*";
    diag *d = k ? sema_report(u->sema, E0230, step->at, "nothing in '%s' is called '%s'",
                              path_words(from->items[0], u->sema->memory), wanted)
                : sema_report(u->sema, E0230, step->at, "model '%s' has nothing called '%s'",
                              u->model->name, wanted);
    const path_node *other = step->name ? anywhere(s, u->paths, step->name) : NULL;
    const char *path = other ? path_words(other, u->sema->memory) : NULL;
    if (step->name && nearest_found(&n))
        diag_fix_edit(d, step->at, n.best, "did you mean '%s'?", n.best);
    else if (path && s->count == 1 && !step->range)
        diag_fix_edit(d, step->at, path, "did you mean '%s'?", path);
    else if (k && choices(s, &all))
        diag_fix(d, "%s in its place", choices(s, &all));
    else if (path && !k)
        diag_fix(d, "there is '%s'", path);
}

/* `block[0..5]`: of the nodes that are found, those that are repeated, and which of their rounds. */
static bool read_range(search *s, const path_step *step, node_list *found, path_set *out)
{
    setup *u = s->u;
    value v = constant_of(u->sema, step->range);
    v.last = v.kind == VALUE_NUMBER ? v.number : v.last;
    if (v.kind == VALUE_POISON)
        return false;
    node_list repeated = {0};
    for (size_t i = 0; i < found->count; i++)
        if (found->items[i]->rounds)
            vec_push(u->sema->memory, &repeated, found->items[i]);
    if (!repeated.count) {
        diag *d =
            sema_report(u->sema, E0249, step->range->at, "'%s' is not repeated: it has no rounds",
                        path_words(found->items[0], u->sema->memory));
        diag_note(d, found->items[0]->at, "it is called here");
        return false;
    }
    const path_node *first = repeated.items[0];
    bool whole = (v.kind == VALUE_NUMBER && v.quantity == BARE) || v.kind == VALUE_RANGE;
    whole = whole && v.number == floor(v.number) && v.last == floor(v.last);
    if (!whole || v.number < 0 || v.last >= (double)first->rounds || v.last < v.number) {
        diag *d = sema_report(u->sema, E0236, step->range->at,
                              "the rounds of '%s' are numbered from 0 to %lld",
                              path_words(first, u->sema->memory), (long long)first->rounds - 1);
        diag_note(d, first->at, "it is repeated here");
        return false;
    }
    out->ranged = true;
    out->first = (int64_t)v.number;
    out->last = (int64_t)v.last;
    out->range_at = step->range->at;
    *found = repeated;
    return true;
}

bool path_find(setup *u, const ast_node *path, path_sort sort, path_set *out)
{
    search s = {.u = u, .sort = sort};
    *out = (path_set){.said = path, .range_at = SPAN_NONE};
    if (!read_steps(&s, path)) {
        diag *d = sema_report(u->sema, E0225, path->at, "the path of a layer is expected here");
        diag_fix(d, "block.attn, *.linear or block[0..5]");
        return false;
    }
    node_list from = {0};
    vec_push(u->sema->memory, &from, u->paths);
    for (int k = 0; k < s.count; k++) {
        node_list found = {0};
        reach_all(&s, &from, s.steps[k].name, &found);
        if (!found.count) {
            report_missing(&s, k, &from);
            return false;
        }
        if (s.steps[k].range && !read_range(&s, &s.steps[k], &found, out))
            return false;
        from = found;
    }
    out->nodes.items = from.items;
    out->nodes.count = from.count;
    out->nodes.room = from.room;
    return true;
}
