/* clause_keep.c: what is kept for the gradients: `recompute block.attn`, `save block.mlp as int8(block = 256)`. */
#include "sema/clause.h"

#include <string.h>

static const char recompute_example[] =
    "recompute block.attn, recompute every 4 blocks, or recompute auto within 60 GiB";
static const char save_example[] = "save block.mlp as int8(block = 256)";

/* One operation is recomputed by one clause. */
static bool add_recomputed(setup *u, const path_set *set, span at)
{
    for (size_t i = 0; i < u->said.recomputed.count; i++) {
        const plan_kept *before = &u->said.recomputed.items[i];
        if (!path_sets_overlap(set, &before->set))
            continue;
        const path_node *inner = path_is_under(before->set.nodes.items[0], set->nodes.items[0])
                                     ? before->set.nodes.items[0]
                                     : set->nodes.items[0];
        diag *d = sema_report(u->sema, E0203, at, "'%s' is recomputed twice",
                              path_words(inner, u->sema->memory));
        diag_note(d, before->at, "first here");
        return false;
    }
    vec_push(u->sema->memory, &u->said.recomputed, (plan_kept){*set, at});
    return true;
}

/* `blocks` for `block`: what is counted stands in the plural. */
static const ast_node *singular(setup *u, const ast_node *x)
{
    size_t length = x->name ? strlen(x->name) : 0;
    if ((x->kind != AST_NAME && x->kind != AST_MEMBER) || length < 2 || x->name[length - 1] != 's')
        return x;
    ast_node *one = arena_make(u->sema->memory, ast_node);
    *one = *x;
    one->name = atom_intern(u->sema->atoms, x->name, length - 1);
    return one;
}

static bool has_layer(const path_node *node, atom name)
{
    for (size_t i = 0; i < node->inside.count; i++)
        if ((node->inside.items[i]->kind == PATH_LAYER && node->inside.items[i]->name == name) ||
            has_layer(node->inside.items[i], name))
            return true;
    return false;
}

/* `recompute every 4 blocks`: the inputs of each fourth block are kept. */
static void recompute_every(setup *u, const ast_node *clause, const ast_node *phrase)
{
    const ast_node *part = phrase->children[0];
    if (part->count != 2 || part->children[1]->kind == AST_NAMED) {
        clause_malformed(u, part->at, clause, recompute_example);
        return;
    }
    const ast_node *said = part->children[1];
    bool plural = said->name && !has_layer(u->paths, said->name);
    path_set set;
    int64_t every;
    bool fine =
        !u->shaped || path_find(u, plural ? singular(u, said) : said, PATH_OPERATIONS, &set);
    if (u->shaped && fine && !set.nodes.items[0]->rounds) {
        diag *d = sema_report(u->sema, E0249, said->at, "'%s' is not repeated: it has no rounds",
                              path_words(set.nodes.items[0], u->sema->memory));
        diag_note(d, set.nodes.items[0]->at, "it is called here");
        fine = false;
    }
    whole_range range = {"a number of rounds", 1,
                         u->shaped && fine ? set.nodes.items[0]->rounds : INT32_MAX};
    fine = constant_whole(u->sema, part->children[0], range, &every) && fine;
    if (!fine || (u->shaped && !add_recomputed(u, &set, phrase->at)))
        u->poisoned = true;
}

/* `recompute auto within 60 GiB`. */
static void recompute_auto(setup *u, const ast_node *clause, const ast_node *phrase)
{
    double budget;
    const ast_node *within = ast_part(phrase, "within");
    if (!phrase_fits(u, clause, phrase, &(phrase_shape){1, {"within", NULL}, recompute_example}))
        return;
    if (!within) {
        diag *d = sema_report(u->sema, E0225, phrase->at, "'auto' needs a bound of memory");
        diag_fix(d, "recompute auto within 60 GiB");
        u->poisoned = true;
        return;
    }
    if (!constant_quantity(u->sema, within->children[0], BYTES, &budget)) {
        u->poisoned = true;
        return;
    }
    if (budget < 1) {
        sema_report(u->sema, E0236, within->children[0]->at, "a bound of memory is above 0");
        u->poisoned = true;
        return;
    }
    if (u->said.budget > 0) {
        diag *d = sema_report(u->sema, E0203, phrase->at, "'auto' is said twice");
        diag_note(d, u->said.automatic, "first here");
        u->poisoned = true;
        return;
    }
    u->said.budget = budget;
    u->said.automatic = phrase->at;
}

static void recompute_path(setup *u, const ast_node *clause, const ast_node *phrase)
{
    path_set set;
    if (!phrase_fits(u, clause, phrase, &(phrase_shape){1, {NULL}, recompute_example}))
        return;
    if (u->shaped && (!path_find(u, phrase->children[0], PATH_OPERATIONS, &set) ||
                      !add_recomputed(u, &set, phrase->at)))
        u->poisoned = true;
}

static bool is_auto(const path_node *model, const ast_node *phrase)
{
    const ast_node *first = phrase->count ? phrase->children[0] : NULL;
    if (!first || first->kind != AST_NAME || strcmp(first->name, "auto") != 0)
        return false;
    return ast_part(phrase, "within") || !has_layer(model, first->name);
}

void clause_recompute(setup *u, const ast_node *clause)
{
    if (!clause->count)
        clause_malformed(u, clause->at, clause, recompute_example);
    for (size_t i = 0; i < clause->count; i++) {
        const ast_node *phrase = clause->children[i];
        bool part = phrase->kind == AST_PHRASE && phrase->count == 1 &&
                    phrase->children[0]->kind == AST_PART;
        if (part && !strcmp(phrase->children[0]->name, "every"))
            recompute_every(u, clause, phrase);
        else if (phrase->kind == AST_PHRASE && is_auto(u->paths, phrase))
            recompute_auto(u, clause, phrase);
        else
            recompute_path(u, clause, phrase);
    }
}

static bool add_saved(setup *u, const path_set *set, span at)
{
    for (size_t i = 0; i < u->said.saved.count; i++)
        if (path_sets_equal(set, &u->said.saved.items[i].set)) {
            diag *d = sema_report(u->sema, E0203, at, "'%s' is saved twice",
                                  path_words(set->nodes.items[0], u->sema->memory));
            diag_note(d, u->said.saved.items[i].at, "first here");
            return false;
        }
    vec_push(u->sema->memory, &u->said.saved, (plan_kept){*set, at});
    return true;
}

/* A phrase without `as` goes with the next that has one. */
void clause_save(setup *u, const ast_node *clause)
{
    if (!clause->count)
        clause_malformed(u, clause->at, clause, save_example);
    for (size_t i = 0; i < clause->count; i++) {
        const ast_node *phrase = clause->children[i];
        path_set set;
        encoding how;
        if (!phrase_fits(u, clause, phrase, &(phrase_shape){1, {"as", NULL}, save_example}))
            return;
        const ast_node *as = phrase_part(clause, i, "as");
        if (!as) {
            clause_malformed(u, phrase->at, clause, save_example);
            return;
        }
        bool fine = encoding_read(u, as->children[0], &how);
        if (u->shaped)
            fine = path_find(u, phrase->children[0], PATH_OPERATIONS, &set) &&
                   add_saved(u, &set, phrase->at) && fine;
        u->poisoned = u->poisoned || !fine;
    }
}
