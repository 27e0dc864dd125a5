/* setting.c: `--set NAME=VALUE`: what a name means, and the value in the place of what is written.
 *
 * A name is looked for among the model's parameters, then the clauses that take one value, then the optimizer's parameters.
 */
#include "sema/clause.h"

static const ast_node *value_of(const setup *u, atom name)
{
    for (int i = 0; i < u->setting_count; i++)
        if (u->settings[i].name == name)
            return u->settings[i].value;
    return NULL;
}

const ast_node *clause_setting(const setup *u, atom name)
{
    return u->model && definition_parameter(u->model, name) ? NULL : value_of(u, name);
}

/* The value set for the definition's parameter; NULL: none, or another thing is called so before it. */
static const ast_node *parameter_setting(const setup *u, const definition *d, atom name)
{
    bool taken = d != u->model &&
                 ((u->model && definition_parameter(u->model, name)) ||
                  clause_settable(name, CLAUSE_TRAIN) || clause_settable(name, CLAUSE_PLAN));
    return !taken && name && definition_parameter(d, name) ? value_of(u, name) : NULL;
}

static ast_node *named_node(sema *s, atom name, const ast_node *x)
{
    ast_node *named = ast_new(s->memory, AST_NAMED, x->at);
    named->name = name;
    named->name_at = x->at;
    named->children = arena_array(s->memory, ast_node *, 1);
    named->children[0] = (ast_node *)(uintptr_t)x;
    named->count = 1;
    return named;
}

const ast_node *setting_call(setup *u, const definition *d, const ast_node *said)
{
    sema *s = u->sema;
    const ast_node *name = said->kind == AST_CALL ? said->children[0] : said;
    ast_node *call = ast_new(s->memory, AST_CALL, said->at);
    call->children = arena_array(s->memory, ast_node *, said->count + (size_t)u->setting_count + 2);
    call->children[call->count++] = (ast_node *)(uintptr_t)name;
    for (size_t i = 1; said->kind == AST_CALL && i < said->count; i++) {
        ast_node *arg = said->children[i];
        const parameter *positional =
            arg->kind != AST_NAMED && (int)i <= d->parameter_count ? &d->parameters[i - 1] : NULL;
        atom of = positional ? positional->name : arg->name;
        if (!parameter_setting(u, d, of))
            call->children[call->count++] =
                positional && u->setting_count ? named_node(s, of, arg) : arg;
    }
    for (int i = 0; i < u->setting_count; i++)
        if (parameter_setting(u, d, u->settings[i].name))
            call->children[call->count++] =
                named_node(s, u->settings[i].name, u->settings[i].value);
    return call;
}

/* A clause that only --set says. */
static ast_node *clause_of_setting(setup *u, const sema_setting *setting)
{
    sema *s = u->sema;
    ast_node *phrase = ast_new(s->memory, AST_PHRASE, setting->value->at);
    phrase->children = arena_array(s->memory, ast_node *, 1);
    phrase->children[0] = (ast_node *)(uintptr_t)setting->value;
    phrase->count = 1;
    ast_node *clause = ast_new(s->memory, AST_CLAUSE, setting->value->at);
    clause->name = setting->name;
    clause->name_at = setting->value->at;
    clause->children = arena_array(s->memory, ast_node *, 1);
    clause->children[0] = phrase;
    clause->count = 1;
    return clause;
}

/* `optimizer sgd(lr = 0.01) for embed` stays beside the one that is set. */
static bool is_for_paths(const ast_node *clause)
{
    return clause->kind == AST_CLAUSE && clause->count && clause->children[0]->kind == AST_PHRASE &&
           ast_part(clause->children[0], "for");
}

const ast_node *setting_body(setup *u, const ast_node *said, clause_block block)
{
    sema *s = u->sema;
    if (!u->setting_count || !said)
        return said;
    ast_node *body = ast_new(s->memory, AST_BODY, said->at);
    body->children = arena_array(s->memory, ast_node *, said->count + (size_t)u->setting_count);
    atom steps = s->words.w_steps, epochs = atom_of(s->atoms, "epochs");
    atom checkpoint = atom_of(s->atoms, "checkpoint"); /* its clause takes the number by itself */
    bool merged = false;
    for (size_t i = 0; i < said->count; i++) {
        atom name = said->children[i]->name;
        merged = merged || name == checkpoint;
        bool set = name && clause_settable(name, block) && clause_setting(u, name) &&
                   !is_for_paths(said->children[i]);
        bool replaced = (set && name != checkpoint) ||
                        (name == steps && clause_setting(u, epochs)) ||
                        (name == epochs && clause_setting(u, steps));
        if (!replaced)
            body->children[body->count++] = said->children[i];
    }
    for (int i = 0; i < u->setting_count; i++) {
        atom name = u->settings[i].name;
        if (clause_setting(u, name) && clause_settable(name, block) &&
            !(merged && name == checkpoint))
            body->children[body->count++] = clause_of_setting(u, &u->settings[i]);
    }
    return body;
}

bool settings_check(setup *u)
{
    const ast_node *x = u->optimizer;
    const definition *optimizer =
        x ? scope_find(u->sema, u->train->file, AST_OPTIMIZER,
                       x->kind == AST_CALL ? x->children[0]->name : x->name)
          : NULL;
    bool fine = true;
    for (int i = 0; i < u->setting_count; i++) {
        const sema_setting *set = &u->settings[i];
        if ((u->model && definition_parameter(u->model, set->name)) ||
            clause_settable(set->name, CLAUSE_TRAIN) || clause_settable(set->name, CLAUSE_PLAN) ||
            (!x && !u->rules.count) || (optimizer && definition_parameter(optimizer, set->name)))
            continue;
        nearest n = nearest_to(set->name);
        for (int k = 0; k < u->model->parameter_count; k++)
            nearest_offer(&n, u->model->parameters[k].name);
        for (int k = 0; optimizer && k < optimizer->parameter_count; k++)
            nearest_offer(&n, optimizer->parameters[k].name);
        clause_offer_settable(&n);
        diag *d = sema_report(u->sema, E0239, set->value->at,
                              "'%s' is neither a parameter of model '%s' or its optimizer nor a "
                              "clause with one value",
                              set->name, u->model->name);
        if (nearest_found(&n))
            diag_fix(d, "did you mean '%s'?", n.best);
        fine = false;
    }
    return fine;
}
