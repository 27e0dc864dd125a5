/* expression.c: from an expression of the tree to a value. */
#include "sema/elab.h"

#include <math.h>
#include <string.h>

/* `step` and `steps` of schedules and optimizers, `training` in layers, `pi`, `yes`, `no`. */
static bool given(elaboration *e, const ast_node *node, value *out)
{
    const sema_words *w = &e->sema->words;
    atom name = node->name;
    if (name == w->w_yes || name == w->w_no)
        *out = value_flag(name == w->w_yes);
    else if (name == w->w_training)
        *out = value_flag(e->learning);
    else if (name == w->w_pi)
        *out = value_number(3.14159265358979323846);
    else if (name == w->w_inf)
        *out = value_number(INFINITY);
    else if (e->scheduling && (name == w->w_step || name == w->w_steps)) {
        elab_place(e, node->at);
        *out = (value){.kind = VALUE_TENSOR, .tensor = elab_clock(e, name), .quantity = BARE};
    } else
        return false;
    return true;
}

static value name_value(elaboration *e, const ast_node *node)
{
    const binding *b = frame_lookup(e, node->name);
    if (b)
        return b->value;
    label *l = frame_dim(e, node->name);
    if (l)
        return (value){.kind = VALUE_DIM, .dim = l, .quantity = BARE};
    value v;
    if (given(e, node, &v))
        return v;
    if (!definition_first_unknown(e->frame->of, node->name))
        return value_poison();
    const definition *called = scope_find(e->sema, e->frame->file, AST_SCHEDULE, node->name);
    if (called) {
        diag *d =
            sema_report(e->sema, E0208, node->at, "'%s' is a schedule, and no value", node->name);
        diag_note(d, called->node->name_at, "'%s' is defined here", node->name);
        diag_fix(d, "%s(…), what it gives", node->name);
        return value_poison();
    }
    nearest n = nearest_to(node->name);
    if (!definition_offer_flag(&n) && sema_suggests(e->sema))
        nearest_offer_all(&n, &e->frame->names, NAME_VALUE);
    nearest_offer_all(&n, &e->frame->names, NAME_DIM);
    diag *d = sema_report(e->sema, E0206, node->at, "nothing is called '%s' here", node->name);
    if (nearest_found(&n))
        diag_fix_edit(d, node->at, n.best, "did you mean '%s'?", n.best);
    return value_poison();
}

static value tuple_value(elaboration *e, const ast_node *node)
{
    if (node->kind == AST_TUPLE && node->count == 1)
        return elab_expression(e, node->children[0]);
    value v = {.kind = VALUE_TUPLE, .count = (int)node->count, .quantity = BARE};
    v.items = arena_array(e->sema->memory, value, node->count + 1);
    bool poisoned = false;
    for (size_t i = 0; i < node->count; i++) {
        v.items[i] = elab_expression(e, node->children[i]);
        poisoned = poisoned || v.items[i].kind == VALUE_POISON;
    }
    for (size_t i = 0; !poisoned && i < node->count; i++)
        if (v.items[i].kind == VALUE_TENSOR && tensor_rank(&v.items[i].tensor)) {
            sema_report(e->sema, E0208, node->at, "a tuple holds numbers, and this has %s in it",
                        value_words(&v.items[i], e->sema->memory));
            poisoned = true;
        }
    return poisoned ? value_poison() : v;
}

static value item_value(elaboration *e, const ast_node *node)
{
    value v = elab_expression(e, node->children[0]);
    bool single = v.kind == VALUE_NUMBER && node->count == 2; /* one for all: each item is itself */
    if (v.kind == VALUE_POISON || single)
        return v;
    if (v.kind != VALUE_TUPLE || node->count != 2) {
        sema_report(e->sema, E0208, node->at, "only a tuple has items, and this is %s",
                    value_words(&v, e->sema->memory));
        return value_poison();
    }
    int64_t i;
    if (!value_whole(e->sema, node->children[1], elab_expression(e, node->children[1]),
                     (whole_range){"the item's number", 0, v.count - 1}, &i))
        return value_poison();
    return v.items[i];
}

static value choice_value(elaboration *e, const ast_node *node)
{
    value x[3] = {elab_expression(e, node->children[0])};
    if (x[0].kind == VALUE_FLAG)
        return elab_expression(e, node->children[x[0].flag ? 1 : 2]);
    x[1] = elab_expression(e, node->children[1]);
    x[2] = elab_expression(e, node->children[2]);
    return elab_map(e, node, OP_where, x, 3);
}

static value range_value(elaboration *e, const ast_node *node)
{
    value a = elab_expression(e, node->children[0]), b = elab_expression(e, node->children[1]);
    double ends[2];
    const value *both[2] = {&a, &b};
    for (int i = 0; i < 2; i++) {
        if (both[i]->kind == VALUE_POISON)
            return value_poison();
        if (both[i]->kind != VALUE_DIM && both[i]->kind != VALUE_NUMBER) {
            sema_report(e->sema, E0208, node->children[i]->at, "a range goes between numbers");
            return value_poison();
        }
        ends[i] = both[i]->kind == VALUE_DIM ? (double)both[i]->dim->size : both[i]->number;
    }
    double last = !strcmp(node->word, "..<") ? ends[1] - 1 : ends[1];
    return (value){.kind = VALUE_RANGE, .number = ends[0], .last = last, .quantity = BARE};
}

bool literal_plain(sema *s, const ast_node *node)
{
    if (node->kind == AST_NUMBER && node->unit && node->unit->measures != SHARE)
        sema_report(s, E0215, node->at, "a bare number is expected here, and this is %s",
                    quantity_name(node->unit->measures));
    else if (node->kind == AST_STRING)
        sema_report(s, E0208, node->at, "a number is expected here, and this is a text");
    else
        return true;
    return false;
}

static value literal(const ast_node *node)
{
    return value_quantity(ast_value(node), node->unit ? (int)node->unit->measures : BARE);
}

value elab_expression(elaboration *e, const ast_node *node)
{
    if (node->poisoned)
        return value_poison();
    switch (node->kind) {
    case AST_NAME:
        return name_value(e, node);
    case AST_NUMBER:
    case AST_STRING:
        return literal_plain(e->sema, node) ? literal(node) : value_poison();
    case AST_CALL:
        return elab_call(e, node);
    case AST_UNARY:
        return elab_unary(e, node, node->word[0] == '-' ? OP_neg : OP_not,
                          elab_expression(e, node->children[0]));
    case AST_BINARY: {
        value x = elab_expression(e, node->children[0]);
        return elab_binary(e, node, x, elab_expression(e, node->children[1]));
    }
    case AST_CHOICE:
        return choice_value(e, node);
    case AST_RANGE:
        return range_value(e, node);
    case AST_TUPLE:
    case AST_LIST:
        return tuple_value(e, node);
    case AST_AT:
        return item_value(e, node);
    case AST_REPEAT:
        return elab_repeat(e, node, NULL);
    default:
        sema_report(e->sema, E0208, node->at, "a value is expected here");
        return value_poison();
    }
}

bool elab_flag(elaboration *e, const ast_node *node, bool *out)
{
    value v = elab_expression(e, node);
    if (v.kind == VALUE_FLAG) {
        *out = v.flag;
        return true;
    }
    if (v.kind != VALUE_POISON)
        sema_report(e->sema, E0217, node->at,
                    "the condition of 'if' is known when the plan is compiled, and this is %s",
                    value_words(&v, e->sema->memory));
    return false;
}
