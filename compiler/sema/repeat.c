/* repeat.c: `repeat L: block(x, A)`: one body, L sets of parameters. */
#include "sema/elab.h"

/* Whether the expression uses the name. */
static bool mentions(const ast_node *node, atom name)
{
    if (node->kind == AST_NAME && node->name == name)
        return true;
    for (size_t i = 0; i < node->count; i++)
        if (mentions(node->children[i], name))
            return true;
    return false;
}

/* The name whose value goes from one round to the next: the one that is assigned, or the first argument. */
static const ast_node *carried_name(const ast_node *call, atom assigned)
{
    if (call->kind != AST_CALL)
        return NULL;
    for (size_t i = 1; assigned && i < call->count; i++)
        if (call->children[i]->kind == AST_NAME && call->children[i]->name == assigned)
            return call->children[i];
    if (assigned && mentions(call, assigned))
        return call->children[0]; /* deeper inside: its name alone matters */
    return call->count > 1 && call->children[1]->kind == AST_NAME ? call->children[1] : NULL;
}

static bool same_shape(elaboration *e, const ast_node *at, const build_operand *x, build_operand *y)
{
    bool same = tensor_rank(x) == tensor_rank(y) && x->value->type.dtype == y->value->type.dtype;
    for (int i = 0; same && i < tensor_rank(x); i++)
        same = tensor_label(y, label_of(x->labels[i])) != NULL;
    if (same) {
        *y = build_transpose(e->build, *y, x->labels);
        return y->value != NULL;
    }
    sema_report(e->sema, E0237, at->at,
                "a round of 'repeat' takes %s and gives %s: they must be alike",
                tensor_words(x, e->sema->memory), tensor_words(y, e->sema->memory));
    return false;
}

/* Carries out the body and closes the loop. `inside` is what the body returns when all goes well. */
static value run(elaboration *e, const ast_node *node, atom name, build_operand x, label *leading)
{
    build body, *outer = e->build;
    build_operand inside;
    build_scan how = {.dim = leading->dim, .label = leading->text, .carried = &x, .count = 1};
    scan loop = {.around = e->scan, .outer = outer, .within = e->frame, .leading = leading};
    elab_place(e, node->at);
    build_repeat_begin(outer, &body, &how, &inside);
    e->build = &body;
    e->scan = &loop;
    binding *before = frame_lookup(e, name);
    frame_bind(e, name, (value){.kind = VALUE_TENSOR, .tensor = inside, .quantity = BARE},
               node->at);
    value y = elab_expression(e, node->children[1]);
    table_set(&e->frame->names, name, NAME_VALUE, before);
    build_operand results[1 + 64];
    size_t states = loop.stacked_states.count;
    bool fine = y.kind == VALUE_TENSOR && states <= 64 && same_shape(e, node, &x, &y.tensor);
    if (y.kind != VALUE_TENSOR && y.kind != VALUE_POISON)
        sema_report(e->sema, E0208, node->children[1]->at, "a tensor is expected here, not %s",
                    value_words(&y, e->sema->memory));
    /* The loop is closed even after an error: the builder of the body must not be left open. */
    fine = build_repeat_end(&body, fine ? &y.tensor : &inside, loop.stacked_results.items,
                            states <= 64 ? (int)states : 0, results) &&
           fine;
    e->build = outer;
    e->scan = loop.around;
    for (size_t i = 0; fine && i < states; i++)
        elab_state_write(e, loop.stacked_states.items[i], results[1 + i]);
    return fine ? elab_tensor(e, node, results[0]) : value_poison();
}

value elab_repeat(elaboration *e, const ast_node *node, atom assigned)
{
    if (node->poisoned)
        return value_poison();
    const ast_node *count = node->children[0], *call = node->children[1];
    const ast_node *carried = carried_name(call, assigned);
    value times = elab_expression(e, count);
    if (times.kind == VALUE_DIM)
        times = value_number((double)times.dim->size);
    int64_t rounds;
    if (!value_whole(e->sema, count, times,
                     (whole_range){"the count of 'repeat'", 1, ELAB_MOST_LAYERS}, &rounds))
        return value_poison();
    if (!carried) {
        bool said = sema_reported_in(e->sema, call->at) ||
                    (call->kind != AST_CALL && e->frame->of->unknown->count);
        diag *d = said ? NULL
                       : sema_report(e->sema, E0237, call->at,
                                     "'repeat' calls a layer with what it carries on");
        diag_fix(d, "x = repeat L: block(x)");
        return value_poison(); /* or what stands there is wrong in itself */
    }
    atom name = carried == call->children[0] ? assigned : carried->name;
    const binding *b = frame_lookup(e, name);
    if (!b || b->value.kind != VALUE_TENSOR) {
        bool said =
            b ? b->value.kind == VALUE_POISON : table_get(e->frame->of->unknown, name, 0) != NULL;
        if (!said)
            sema_report(e->sema, E0237, call->at, "'repeat' carries a tensor on, and '%s' is none",
                        name);
        return value_poison();
    }
    atom dim = count->kind == AST_NAME ? count->name : atom_of(e->sema->atoms, "layers");
    dim_id id = graph_dim_add(e->graph, dim, rounds, count->at);
    return run(e, node, name, b->value.tensor, label_new(e->graph, dim, id, count->at));
}
