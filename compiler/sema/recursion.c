/* recursion.c: layers that call themselves whatever their arguments are, through others or at once. A call inside `if` may
 * come to an end: elaboration counts how deep it goes.
 */
#include "sema/lint.h"

enum { MOST_DEEP = 256, SEARCHED = 1, DONE = 2 };

typedef struct search {
    sema *sema;
    int depth;
} search;

static void search_layer(search *s, definition *d);

static void found(search *s, definition *d, const ast_node *call)
{
    diag *g =
        sema_report(s->sema, E0238, call->at, "layer '%s' calls itself, without an end", d->name);
    diag_note(g, d->node->name_at, "'%s' is defined here", d->name);
    diag_fix(g, "repeat N: %s(…) where it is called, for N of them one after another", d->name);
    d->poisoned = true;
}

/* Calls that are carried out whatever the arguments are. */
static void search_calls(search *s, const definition *in, const ast_node *x)
{
    if (!x || x->poisoned || x->kind == AST_IF || x->kind == AST_CHOICE)
        return;
    const ast_node *callee = x->kind == AST_CALL ? x->children[0] : NULL;
    definition *d = callee && callee->kind == AST_NAME
                        ? scope_find(s->sema, in->file, AST_LAYER, callee->name)
                        : NULL;
    if (d && d->searched == SEARCHED)
        found(s, d, x);
    else if (d)
        search_layer(s, d);
    for (size_t i = 0; i < x->count; i++)
        search_calls(s, in, x->children[i]);
}

static void search_layer(search *s, definition *d)
{
    if (d->searched || d->poisoned || d->file->library || s->depth >= MOST_DEEP)
        return;
    d->searched = SEARCHED;
    s->depth++;
    search_calls(s, d, ast_child(d->node, AST_BODY));
    s->depth--;
    d->searched = DONE;
}

void lint_recursion(sema *s, definition *d)
{
    search all = {.sema = s};
    if (d->kind == AST_LAYER)
        search_layer(&all, d);
}
