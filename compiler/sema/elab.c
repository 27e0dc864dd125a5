#include "sema/clause.h"

#include <math.h>
#include <string.h>

frame *frame_push(elaboration *e, const definition *of, span call)
{
    frame *f = arena_make(e->sema->memory, frame);
    *f = (frame){.caller = e->frame, .of = of, .file = of->file, .result = value_poison()};
    f->names = e->spare_names.count ? e->spare_names.items[--e->spare_names.count]
                                    : table_in(e->sema->memory);
    f->path = e->frame ? e->frame->path : NULL;
    f->own_path = e->frame ? e->frame->own_path : NULL;
    f->place = e->frame ? e->frame->place : NULL;
    if (e->build && e->frame)
        vec_push(e->sema->memory, &e->build->trail, call);
    e->frame = f;
    e->depth++;
    return f;
}

void frame_pop(elaboration *e)
{
    frame *f = e->frame;
    e->frame = f->caller;
    e->depth--;
    if (!e->build || !e->frame)
        return;
    /* Operators keep the vector that they were given, so a shorter one needs a copy of its own. */
    span_vec old = e->build->trail, shorter = {0};
    for (size_t i = 0; i + 1 < old.count; i++)
        vec_push(e->sema->memory, &shorter, old.items[i]);
    e->build->trail = shorter;
}

void frame_give_back(elaboration *e, frame *f)
{
    for (size_t i = 0; i < f->names.room; i++)
        if (f->names.slots[i].name && f->names.slots[i].kind == NAME_VALUE)
            vec_push(e->sema->memory, &e->spare_bindings, f->names.slots[i].item);
    table_clear(&f->names);
    vec_push(e->sema->memory, &e->spare_names, f->names);
    f->names = table_in(e->sema->memory);
}

binding *frame_bind(elaboration *e, atom name, value v, span at)
{
    binding *b = e->spare_bindings.count ? e->spare_bindings.items[--e->spare_bindings.count]
                                         : arena_make(e->sema->memory, binding);
    *b = (binding){.name = name, .value = v, .at = at, .variable = -1};
    table_set(&e->frame->names, name, NAME_VALUE, b);
    return b;
}

void frame_bind_dim(elaboration *e, atom name, label *l)
{
    table_set(&e->frame->names, name, NAME_DIM, l);
}

binding *frame_lookup(const elaboration *e, atom name)
{
    return table_get(&e->frame->names, name, NAME_VALUE);
}

label *frame_dim(const elaboration *e, atom name)
{
    return table_get(&e->frame->names, name, NAME_DIM);
}

static dim_id dim_of(graph *g, atom name, int64_t size, span at)
{
    for (size_t i = 0; i < g->dims.count; i++)
        if (g->dims.items[i].name == name && g->dims.items[i].size == size &&
            !g->dims.items[i].batch)
            return (dim_id)i;
    return graph_dim_add(g, name, size, at);
}

label *elab_dim_new(elaboration *e, atom name, int64_t size, span at)
{
    dim_id dim = dim_of(e->graph, name, size, at);
    label *known = frame_dim(e, name);
    if (known && known->home == e->frame && known->dim == dim)
        return known;
    label *l = label_new(e->graph, name, dim, at);
    l->home = e->frame;
    frame_bind_dim(e, name, l);
    return l;
}

label *elab_dim_named(elaboration *e, const ast_node *name)
{
    if (name->kind != AST_NAME) {
        if (!name->poisoned)
            sema_report(e->sema, E0209, name->at, "a dimension's name is expected here");
        return NULL;
    }
    label *l = frame_dim(e, name->name);
    if (l)
        return l;
    const binding *b = frame_lookup(e, name->name);
    if (b && b->value.kind != VALUE_POISON) {
        diag *d =
            sema_report(e->sema, E0208, name->at, "a dimension is expected here, and '%s' is %s",
                        name->name, value_words(&b->value, e->sema->memory));
        const parameter *p = definition_parameter(e->frame->of, name->name);
        if (p && (p->kind == PARAMETER_NUMBER || p->kind == PARAMETER_INT))
            diag_fix(d, "%s: dim in the head of '%s'", p->name, e->frame->of->name);
    }
    if (b)
        return NULL;
    if (!definition_first_unknown(e->frame->of, name->name))
        return NULL;
    nearest n = nearest_to(name->name);
    nearest_offer_all(&n, &e->frame->names, NAME_DIM);
    diag *d = sema_report(e->sema, E0209, name->at, "no dimension is called '%s' here", name->name);
    if (nearest_found(&n))
        diag_fix_edit(d, name->at, n.best, "did you mean '%s'?", n.best);
    return NULL;
}

/* A name or a whole number as a size; 0: it is neither. */
static int64_t plain_size(elaboration *e, const ast_node *x)
{
    if (x->kind != AST_NAME && x->kind != AST_NUMBER)
        return 0;
    value v = elab_expression(e, x);
    if (v.kind == VALUE_DIM)
        return v.dim->size;
    bool whole = v.kind == VALUE_NUMBER && v.number == floor(v.number);
    return whole && v.number > 0 && v.number <= INT32_MAX ? (int64_t)v.number : 0;
}

/* What would divide it: the size is known, and so is what it is divided by. */
static void suggest_divisor(elaboration *e, const ast_node *quotient, diag *d)
{
    const ast_node *by = quotient->children[1];
    int64_t size = plain_size(e, quotient->children[0]), parts = plain_size(e, by);
    if (!size || !parts)
        return;
    arena *a = e->sema->memory;
    const char *name = by->kind == AST_NAME ? by->name : NULL;
    const char *divisors = divisors_near(a, size, (int)parts);
    const char *multiples = multiples_near(a, size, (int)parts);
    if (name)
        diag_fix(d, "%s = %s for %lld, or a multiple of %lld: %s", name, divisors, (long long)size,
                 (long long)parts, multiples);
    else
        diag_fix(d, "a divisor of %lld: %s, or a multiple of %lld: %s", (long long)size, divisors,
                 (long long)parts, multiples);
}

int64_t elab_size(elaboration *e, const ast_node *node)
{
    value v = elab_expression(e, node);
    if (v.kind == VALUE_DIM)
        return v.dim->size;
    if (v.kind == VALUE_NUMBER && v.quantity == BARE && v.number != floor(v.number) &&
        node->kind == AST_BINARY && node->word[0] == '/') {
        text words = text_in(e->sema->memory);
        ast_write(node, &words);
        diag *d =
            sema_report(e->sema, E0213, node->at, "%s is %s, and a dimension is a whole number",
                        text_done(&words), number_words(v.number, e->sema->memory));
        suggest_divisor(e, node, d);
        return 0;
    }
    int64_t size = 0;
    value_whole(e->sema, node, v, (whole_range){"a dimension's size", 1, INT32_MAX}, &size);
    return size;
}

label *elab_dim(elaboration *e, const ast_node *node)
{
    if (node->poisoned)
        return NULL;
    if (node->kind == AST_NAMED) {
        int64_t size = elab_size(e, node->children[0]);
        return size ? elab_dim_new(e, node->name, size, node->at) : NULL;
    }
    if (node->kind == AST_NAME)
        return elab_dim_named(e, node);
    if (elab_expression(e, node).kind == VALUE_POISON)
        return NULL;
    text words = text_in(e->sema->memory);
    ast_write(node, &words);
    diag *d = sema_report(e->sema, E0220, node->at, "a dimension needs a name");
    diag_fix(d, "F = %s, or another name for it", text_done(&words));
    return NULL;
}
