/* clause_state.c: what a training keeps beside its parameters: `checkpoint every 1000 steps to "ckpt", keep 3`,
 * `average ema(decay = 0.999)`. */
#include "sema/clause.h"

#include <string.h>

static const int64_t MOST = (int64_t)1 << 53;
static const char *const checkpoint_example = "checkpoint every 1000 steps to \"ckpt\", keep 3";

static bool is_word(const ast_node *x, const char *word, const char *plural)
{
    return x->kind == AST_NAME && (!strcmp(x->name, word) || !strcmp(x->name, plural));
}

/* `every 1000 steps`, `every epoch`; a number alone counts steps. */
static bool read_every(setup *u, const ast_node *part)
{
    training_checkpoint *c = &u->out->checkpoint;
    const ast_node *last = part->children[part->count - 1];
    bool epochs = is_word(last, "epoch", "epochs"),
         named = epochs || is_word(last, "step", "steps");
    size_t numbers = part->count - (named ? 1 : 0);
    if (numbers > 1)
        return false;
    c->epochs = epochs;
    c->every = 1;
    whole_range range = {epochs ? "the number of epochs between checkpoints"
                                : "the number of steps between checkpoints",
                         1, MOST};
    if (numbers && !constant_whole(u->sema, part->children[0], range, &c->every))
        u->poisoned = true;
    return true;
}

static bool read_folder(setup *u, const ast_node *part)
{
    const ast_node *x = part->count == 1 ? part->children[0] : NULL;
    if (!x || x->kind != AST_STRING || !*x->name)
        return false;
    u->out->checkpoint.folder = x->name;
    u->out->checkpoint.base = clause_folder(u);
    return true;
}

static bool read_keep(setup *u, const ast_node *x)
{
    whole_range range = {"the number of checkpoints to keep", 1, INT32_MAX};
    if (!constant_whole(u->sema, x, range, &u->out->checkpoint.keep))
        u->poisoned = true;
    return true;
}

/* A phrase's parts in any order; false where it says something else, or something again. */
static bool read_phrase(setup *u, const ast_node *phrase)
{
    training_checkpoint *c = &u->out->checkpoint;
    if (phrase->kind != AST_PHRASE)
        return false;
    for (size_t i = 0; i < phrase->count; i++) {
        const ast_node *x = phrase->children[i];
        bool fine = false;
        if (x->kind == AST_PART && !strcmp(x->name, "every"))
            fine = !c->every && read_every(u, x);
        else if (x->kind == AST_PART && !strcmp(x->name, "to"))
            fine = !c->folder && read_folder(u, x);
        else if (is_word(x, "keep", "keep") && i + 1 < phrase->count)
            fine = !c->keep && read_keep(u, phrase->children[++i]);
        if (!fine)
            return false;
    }
    return true;
}

void clause_checkpoint(setup *u, const ast_node *clause)
{
    training_checkpoint *c = &u->out->checkpoint;
    bool fine = true;
    for (size_t i = 0; fine && i < clause->count; i++)
        fine = read_phrase(u, clause->children[i]);
    if (!fine || !c->folder) {
        clause_malformed(u, clause->at, clause, checkpoint_example);
        return;
    }
    c->at = clause->at;
    const ast_node *set = clause_setting(u, clause->name);
    if (set && !constant_whole(u->sema, set,
                               (whole_range){"the number between checkpoints", 1, MOST}, &c->every))
        u->poisoned = true;
}

static const char *const average_example =
    "average ema(decay = 0.999), or average swa(from = 1000, every = 100)";

static bool read_decay(setup *u, const ast_node *x)
{
    value v = constant_of(u->sema, x);
    u->out->average.decay = v.number;
    if (v.kind == VALUE_NUMBER && v.quantity == BARE && v.number >= 0 && v.number < 1)
        return true;
    if (v.kind != VALUE_POISON)
        sema_report(u->sema, E0236, x->at, "a decay is a number from 0 to less than 1");
    return false;
}

/* One argument; false after a report, or where the average has none of that name. */
static bool read_average(setup *u, const ast_node *clause, const ast_node *arg)
{
    training_average *a = &u->out->average;
    const ast_node *x = arg->count ? arg->children[0] : NULL;
    if (arg->kind == AST_NAMED && !strcmp(arg->name, "decay") && !a->mean)
        return read_decay(u, x);
    if (arg->kind == AST_NAMED && !strcmp(arg->name, "from"))
        return constant_whole(u->sema, x, (whole_range){"the step to average from", 0, MOST},
                              &a->from);
    if (arg->kind == AST_NAMED && !strcmp(arg->name, "every"))
        return constant_whole(u->sema, x, (whole_range){"the number of steps between", 1, MOST},
                              &a->every);
    clause_malformed(u, arg->at, clause, average_example);
    return false;
}

void clause_average(setup *u, const ast_node *clause)
{
    const ast_node *x = clause_only(u, clause, average_example);
    const ast_node *name = x && x->kind == AST_CALL ? x->children[0] : x;
    if (!x)
        return;
    if (name->kind != AST_NAME || (strcmp(name->name, "ema") && strcmp(name->name, "swa"))) {
        clause_malformed(u, x->at, clause, average_example);
        return;
    }
    u->out->average = (training_average){.name = name->name,
                                         .mean = !strcmp(name->name, "swa"),
                                         .decay = 0.999,
                                         .every = 1,
                                         .at = clause->at};
    for (size_t i = 1; x->kind == AST_CALL && i < x->count; i++)
        if (!read_average(u, clause, x->children[i])) {
            u->poisoned = true;
            return;
        }
}
