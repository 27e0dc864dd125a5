/* clause.c: the table of clauses: which words there are, where, how often, and who carries them out. */
#include "sema/clause.h"

#include <string.h>

typedef struct clause_row {
    clause_block block;
    const char *word;
    void (*handler)(setup *, const ast_node *);
    bool repeated;
    diag_code later;
} clause_row;

#define clause_later NULL
static const clause_row rows[] = {
#define CLAUSE(block, word, handler, repeated, code)                                               \
    {CLAUSE_##block, word, clause_##handler, repeated, (diag_code)code},
#include "sema/clause.def"
#undef CLAUSE
};
enum { ROW_COUNT = sizeof rows / sizeof *rows };

static const clause_row *row_of(atom word, clause_block block)
{
    for (int i = 0; i < ROW_COUNT; i++)
        if (rows[i].block == block && !strcmp(rows[i].word, word))
            return &rows[i];
    return NULL;
}

static void report_unknown(setup *u, const ast_node *clause, clause_block block)
{
    clause_block other = block == CLAUSE_TRAIN ? CLAUSE_PLAN : CLAUSE_TRAIN;
    const char *here = block == CLAUSE_TRAIN ? "train" : "plan";
    const char *there = block == CLAUSE_TRAIN ? "plan" : "train";
    u->poisoned = true;
    u->mesh_lost = u->mesh_lost || block == CLAUSE_PLAN;
    if (row_of(clause->name, other)) {
        diag *d = sema_report(u->sema, E0224, clause->name_at, "'%s' is no clause of a %s",
                              clause->name, here);
        diag_fix(d, "'%s' stands in a %s", clause->name, there);
        return;
    }
    nearest n = nearest_to(clause->name);
    for (int i = 0; i < ROW_COUNT; i++)
        if (rows[i].block == block)
            nearest_offer(&n, rows[i].word);
    diag *d =
        sema_report(u->sema, E0224, clause->name_at, "a %s has no clause '%s'", here, clause->name);
    if (nearest_found(&n))
        diag_fix_edit(d, clause->name_at, n.best, "did you mean '%s'?", n.best);
}

/* Axes that a clause names count as used, whether or not it is carried out. */
static void mark_axes(setup *u, const ast_node *node)
{
    for (size_t i = 0; node->kind == AST_NAME && i < u->out->mesh.count; i++)
        if (u->out->mesh.items[i].name == node->name)
            u->axis_used.items[i] = true;
    for (size_t i = 0; i < node->count; i++)
        mark_axes(u, node->children[i]);
}

static void clause_read(setup *u, const ast_node *clause, clause_block block)
{
    const clause_row *row = row_of(clause->name, block);
    if (!row) {
        report_unknown(u, clause, block);
        return;
    }
    const ast_node *before = table_get(&u->clauses, clause->name, (int)block);
    if (before && !row->repeated) {
        diag *d = sema_report(u->sema, E0203, clause->at, "'%s' is said twice", clause->name);
        diag_note(d, before->at, "first here");
        return;
    }
    table_set(&u->clauses, clause->name, (int)block, (void *)(uintptr_t)clause);
    if (row->handler) {
        bool poisoned = u->poisoned;
        u->poisoned = false;
        row->handler(u, clause);
        u->data_lost = u->data_lost || (u->poisoned && !strcmp(row->word, "data"));
        u->poisoned = u->poisoned || poisoned;
        return;
    }
    mark_axes(u, clause);
    sema_report(u->sema, row->later, clause->at, "'%s' is understood, and not carried out yet",
                clause->name);
    u->poisoned = true;
}

static bool is_mesh(const ast_node *clause)
{
    return clause->kind == AST_CLAUSE && !strcmp(clause->name, "mesh");
}

/* The order of clauses is free, so the mesh, which others name, comes first. */
void clauses_read(setup *u, const ast_node *body, clause_block block)
{
    for (int mesh = 1; mesh >= 0; mesh--)
        for (size_t i = 0; body && i < body->count; i++) {
            const ast_node *clause = body->children[i];
            if (clause->poisoned || clause->kind != AST_CLAUSE) {
                u->poisoned = u->poisoned || clause->poisoned;
                u->mesh_lost =
                    u->mesh_lost || (clause->poisoned && (!clause->name || is_mesh(clause)));
                if (clause->kind == AST_CLAUSE && clause->name)
                    table_set(&u->clauses, clause->name, (int)block, (void *)(uintptr_t)clause);
                continue;
            }
            if (is_mesh(clause) == (mesh == 1))
                clause_read(u, clause, block);
        }
}

void clause_malformed(setup *u, span at, const ast_node *clause, const char *example)
{
    diag *d = sema_report(u->sema, E0225, at, "'%s' is written otherwise", clause->name);
    diag_fix(d, "%s", example);
    u->poisoned = true;
}

const ast_node *clause_only(setup *u, const ast_node *clause, const char *example)
{
    const ast_node *phrase = clause->count == 1 ? clause->children[0] : NULL;
    if (phrase && phrase->kind == AST_PHRASE && phrase->count == 1 &&
        ast_is_expression(phrase->children[0]->kind))
        return phrase->children[0];
    clause_malformed(u, clause->at, clause, example);
    return NULL;
}
