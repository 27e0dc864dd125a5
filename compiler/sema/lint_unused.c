/* lint_unused.c: what a definition declares and does not use. */
#include "sema/lint.h"

static bool is_inside(span at, span whole)
{
    return at.file == whole.file && at.begin >= whole.begin && at.end <= whole.end;
}

/* Is an error about it, in its place or in a note? What seems not to be used may be what that error is about. */
static bool has_error(const sema *s, const definition *d)
{
    size_t count;
    const diag *const *all = diag_ordered(s->diags, &count);
    for (size_t i = 0; i < count; i++) {
        if (is_inside(all[i]->at, d->node->at))
            return true;
        for (size_t k = 0; k < all[i]->notes.count; k++)
            if (is_inside(all[i]->notes.items[k].at, d->node->at))
                return true;
    }
    return false;
}

static void report_unused(sema *s, const ast_node *node, const char *kind)
{
    sema_report(s, E0223, node->name_at, "%s '%s' is declared and not used", kind, node->name);
}

/* What a layer or schedule computes and neither uses nor returns; where nothing else is wrong, as it may be part of that. A model's
 * values may be asked for by samples. */
static void unused_values(sema *s, const definition *d, const ast_node *block)
{
    for (size_t i = 0; block && i < block->count; i++) {
        const ast_node *node = block->children[i];
        if (node->kind == AST_ASSIGN && node->name && !table_get(&d->names, node->name, LINT_USED))
            report_unused(s, node, "value");
        if (node->kind == AST_IF)
            unused_values(s, d, ast_child(node, AST_BODY));
    }
}

void lint_unused(sema *s, definition *d)
{
    const ast_node *block = ast_child(d->node, AST_BODY);
    /* A word that was not read may have been a use. */
    if (!sema_suggests(s) || !d->names.memory || d->poisoned || d->unknown->count || s->misread ||
        (block && block->poisoned) || has_error(s, d))
        return;
    for (int i = 0; i < d->parameter_count; i++)
        if (!table_get(&d->names, d->parameters[i].name, LINT_USED))
            report_unused(s, d->parameters[i].node, "parameter");
    for (size_t i = 0; block && i < block->count; i++) {
        const ast_node *node = block->children[i];
        bool declares =
            node->kind == AST_PARAM || node->kind == AST_STATE || node->kind == AST_INPUT;
        if (declares && !node->poisoned && !table_get(&d->names, node->name, LINT_USED))
            report_unused(s, node, ast_kind_name(node->kind));
    }
    bool returns = d->kind == AST_LAYER || d->kind == AST_SCHEDULE;
    if (returns && diag_error_count(s->diags) == 0)
        unused_values(s, d, block);
}
