/* clause_optimizer.c: `optimizer adamw(lr = 3e-4, weight_decay = 0.1)`, and others for the parameters under some paths:
 * `optimizer adamw(lr = 3e-4, weight_decay = 0) for *.b, *.gain`. */
#include "sema/clause.h"
#include "sema/path.h"

#include <string.h>

static const char *const example = "optimizer sgd(lr = 0.1), or optimizer sgd(lr = 0.01) for embed";

static bool knows_nothing(const void *scope, atom name)
{
    (void)scope;
    (void)name;
    return false;
}

/* The paths behind `for`: its own terms, and the phrases behind the next commas. False where something else stands there. */
static bool read_paths(setup *u, const ast_node *clause, optimizer_rule *rule)
{
    const ast_node *first = clause->children[0], *part = ast_part(first, "for");
    if (first->count > (part ? 2u : 1u) || (!part && clause->count > 1))
        return false;
    for (size_t i = 0; part && i < part->count; i++)
        vec_push(u->sema->memory, &rule->paths, part->children[i]);
    for (size_t i = 1; i < clause->count; i++) {
        const ast_node *phrase = clause->children[i];
        if (phrase->kind != AST_PHRASE || phrase->count != 1)
            return false;
        vec_push(u->sema->memory, &rule->paths, phrase->children[0]);
    }
    return true;
}

/* The optimizer that x calls, its arguments matched; NULL after a report. */
static const definition *find_optimizer(setup *u, const ast_node *x)
{
    const ast_node *name = x->kind == AST_CALL ? x->children[0] : x;
    const definition *d = scope_find(u->sema, u->train->file, AST_OPTIMIZER, name->name);
    if (!d) {
        scope_report_unknown(u->sema, u->train->file, AST_OPTIMIZER, name);
        return NULL;
    }
    caller_names none = {knows_nothing, NULL};
    bool fine = x->kind != AST_CALL || d->poisoned ||
                call_match(u->sema, &none, d, x,
                           arena_array(u->sema->memory, const ast_node *, d->parameter_count + 1));
    return fine ? d : NULL;
}

static bool is_call(const ast_node *x)
{
    return x->kind == AST_NAME || (x->kind == AST_CALL && x->children[0]->kind == AST_NAME);
}

/* The one without `for` is for all that the others leave. */
static void take(setup *u, const ast_node *clause, const optimizer_rule *rule)
{
    if (rule->paths.count) {
        vec_push(u->sema->memory, &u->rules, *rule);
        return;
    }
    if (u->optimizer) {
        diag *d = sema_report(u->sema, E0203, clause->at, "'optimizer' is said twice");
        diag_note(d, u->optimizer->at, "first here");
        diag_fix(d, "optimizer ... for the paths that have one of their own");
        u->poisoned = true;
        return;
    }
    u->optimizer = rule->call;
}

void clause_optimizer(setup *u, const ast_node *clause)
{
    optimizer_rule rule = {.at = clause->at};
    const ast_node *phrase = clause->count ? clause->children[0] : NULL;
    const ast_node *x =
        phrase && phrase->kind == AST_PHRASE && phrase->count ? phrase->children[0] : NULL;
    if (!x || !is_call(x) || !read_paths(u, clause, &rule)) {
        clause_malformed(u, x ? x->at : clause->at, clause, example);
        return;
    }
    const ast_node *name = x->kind == AST_CALL ? x->children[0] : x;
    const definition *d = scope_find(u->sema, u->train->file, AST_OPTIMIZER, name->name);
    rule.call = d && u->setting_count && !rule.paths.count ? setting_call(u, d, x) : x;
    if (!find_optimizer(u, rule.call))
        u->poisoned = true;
    if (d)
        take(u, clause, &rule);
}

typedef struct placing {
    elaboration *e;
    int *rule_of; /* by variable */
    int rule;     /* number + 1 */
    const ast_node *said;
    int trained;
} placing;

/* The parameters at the node and inside it. False after a report. */
static bool place_all(placing *p, const path_node *node)
{
    const graph_variable *v =
        node->variable >= 0 ? &p->e->graph->variables.items[node->variable] : NULL;
    int *rule = v ? &p->rule_of[node->variable] : NULL;
    if (rule && *rule && *rule != p->rule) {
        diag *d = sema_report(p->e->sema, E0260, p->said->at, "'%s' has two optimizers", v->path);
        diag_note(d, p->e->setup->rules.items[*rule - 1].at, "the other one");
        return false;
    }
    if (rule) {
        *rule = p->rule;
        p->trained += !v->frozen;
    }
    for (size_t i = 0; i < node->inside.count; i++)
        if (!place_all(p, node->inside.items[i]))
            return false;
    return true;
}

static bool place_path(placing *p)
{
    setup *u = p->e->setup;
    path_set set;
    if (!path_find(u, p->said, PATH_PARAMETERS, &set))
        return false;
    if (set.ranged) {
        diag *d = sema_report(u->sema, E0249, set.range_at,
                              "'optimizer' takes a layer in all of its rounds");
        diag_note(d, set.nodes.items[0]->at, "it is repeated here");
        return false;
    }
    p->trained = 0;
    for (size_t k = 0; k < set.nodes.count; k++)
        if (!place_all(p, set.nodes.items[k]))
            return false;
    if (p->trained)
        return true;
    sema_report(u->sema, E0230, p->said->at, "nothing under '%s' is trained",
                path_words(set.nodes.items[0], u->sema->memory));
    return false;
}

int *optimizer_rules_place(elaboration *e)
{
    setup *u = e->setup;
    placing p = {.e = e};
    p.rule_of = arena_array(e->sema->memory, int, e->graph->variables.count + 1);
    for (size_t i = 0; i < u->rules.count; i++)
        for (size_t k = 0; k < u->rules.items[i].paths.count; k++) {
            p.rule = (int)i + 1;
            p.said = u->rules.items[i].paths.items[k];
            if (!place_path(&p))
                return NULL;
        }
    return p.rule_of;
}
