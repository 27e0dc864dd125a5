/* clause.c: the table of clauses: which words there are, where, how often, and who carries them out. */
#include "sema/clause.h"

#include <string.h>

typedef struct clause_row {
    clause_block block;
    const char *word;
    void (*handler)(setup *, const ast_node *);
    int repeated;
    diag_code later; /* 0: it is carried out */
} clause_row;

static const clause_row rows[] = {
#define CLAUSE(block, word, handler, repeated, code)                                               \
    {CLAUSE_##block, word, clause_##handler, repeated, (diag_code)code},
#include "sema/clause.def"
#undef CLAUSE
};
enum { ROW_COUNT = sizeof rows / sizeof *rows, MOST_PHRASES = 1000 };

static const clause_row *row_of(atom word, clause_block block)
{
    for (int i = 0; i < ROW_COUNT; i++)
        if (rows[i].block == block && !strcmp(rows[i].word, word))
            return &rows[i];
    return NULL;
}

static bool takes_value(const clause_row *row)
{
    return row->repeated != 1 && !row->later;
}

bool clause_settable(atom word, clause_block block)
{
    const clause_row *row = row_of(word, block);
    return row && takes_value(row);
}

/* `batch_size` begins with `batch`; NULL: no clause of the block is called as such a word begins. */
static const char *first_word(const char *name, clause_block block)
{
    size_t length = strcspn(name, "_");
    for (int i = 0; name[length] && i < ROW_COUNT; i++)
        if (rows[i].block == block && strlen(rows[i].word) == length &&
            strncmp(rows[i].word, name, length) == 0)
            return rows[i].word;
    return NULL;
}

void clause_offer_settable(nearest *n)
{
    for (int i = 0; i < ROW_COUNT; i++)
        if (takes_value(&rows[i]))
            nearest_offer(n, rows[i].word);
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
    const char *meant = nearest_found(&n) ? n.best : first_word(clause->name, block);
    if (meant)
        diag_fix_edit(d, clause->name_at, meant, "did you mean '%s'?", meant);
}

void clause_postpone(setup *u, postponed what)
{
    vec_push(u->sema->memory, &u->later, what);
}

/* Nothing of it is checked. */
void clause_later(setup *u, const ast_node *clause)
{
    (void)u;
    (void)clause;
}

static bool carry_out(setup *u, const clause_row *row, const ast_node *clause)
{
    if (clause->count > MOST_PHRASES) {
        sema_report(u->sema, E0238, clause->children[MOST_PHRASES]->at,
                    "a clause has at most %d parts", MOST_PHRASES);
        u->poisoned = true;
        return false;
    }
    bool poisoned = u->poisoned;
    u->poisoned = false;
    u->sema->clause = clause->at;
    u->sema->clause_code = -1;
    u->sema->clause_reported = false;
    row->handler(u, clause);
    u->sema->clause = SPAN_NONE;
    bool fine = !u->poisoned;
    u->poisoned = u->poisoned || poisoned;
    return fine;
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
    bool fine = carry_out(u, row, clause);
    u->data_lost = u->data_lost || (!fine && !strcmp(row->word, "data"));
    if (fine && row->later)
        clause_postpone(u, (postponed){row->later, clause->at,
                                       arena_format(u->sema->memory,
                                                    "'%s' is understood, and not carried out yet",
                                                    clause->name),
                                       NULL});
}

static bool is_mesh(const ast_node *clause)
{
    return clause->kind == AST_CLAUSE && !strcmp(clause->name, "mesh");
}

/* What others name or the graph needs: the mesh and the precision. */
static bool is_early(const ast_node *clause)
{
    const clause_row *row = row_of(clause->name, CLAUSE_PLAN);
    return row && (row->handler == clause_mesh || row->handler == clause_precision);
}

/* What could not be read is known to have been said. */
static void note_lost(setup *u, const ast_node *clause, clause_block block)
{
    u->poisoned = u->poisoned || clause->poisoned;
    bool unknown = !clause->name || !row_of(clause->name, block);
    u->mesh_lost = u->mesh_lost || (clause->poisoned && (unknown || is_mesh(clause)));
    if (clause->kind == AST_CLAUSE && clause->name)
        table_set(&u->clauses, clause->name, (int)block, (void *)(uintptr_t)clause);
}

void clauses_read(setup *u, const ast_node *body, clause_block block)
{
    for (size_t i = 0; body && i < body->count; i++) {
        const ast_node *clause = body->children[i];
        if (clause->poisoned || clause->kind != AST_CLAUSE)
            note_lost(u, clause, block);
        else
            clause_read(u, clause, block);
    }
}

void clauses_read_first(setup *u, const ast_node *body)
{
    for (size_t i = 0; body && i < body->count; i++) {
        const ast_node *clause = body->children[i];
        if (clause->poisoned || clause->kind != AST_CLAUSE)
            note_lost(u, clause, CLAUSE_PLAN);
        else if (is_early(clause))
            clause_read(u, clause, CLAUSE_PLAN);
    }
}

void clauses_read_rest(setup *u, const ast_node *body)
{
    for (size_t i = 0; body && i < body->count; i++) {
        const ast_node *clause = body->children[i];
        if (!clause->poisoned && clause->kind == AST_CLAUSE && !is_early(clause))
            clause_read(u, clause, CLAUSE_PLAN);
    }
}

void clause_malformed(setup *u, span at, const ast_node *clause, const char *example)
{
    diag *d = sema_report(u->sema, E0225, at, "'%s' is written otherwise", clause->name);
    diag_fix(d, "%s", example);
    u->poisoned = true;
}

static bool is_number(const ast_node *phrase)
{
    return phrase->kind == AST_PHRASE && phrase->count == 1 &&
           phrase->children[0]->kind == AST_NUMBER;
}

const ast_node *clause_only(setup *u, const ast_node *clause, const char *example)
{
    const ast_node *phrase = clause->count == 1 ? clause->children[0] : NULL;
    if (phrase && phrase->kind == AST_PHRASE && phrase->count == 1 &&
        ast_is_expression(phrase->children[0]->kind))
        return phrase->children[0];
    bool cut = clause->count == 2 && is_number(clause->children[0]) &&
               is_number(clause->children[1]) &&
               clause->children[0]->at.end + 1 == clause->children[1]->at.begin;
    clause_malformed(u, clause->at, clause, cut ? "a ',' ends a number: 100_000 and 0.5" : example);
    return NULL;
}

const ast_node *phrase_part(const ast_node *clause, size_t i, const char *word)
{
    const ast_node *part = NULL;
    for (; i < clause->count && !part && clause->children[i]->kind == AST_PHRASE; i++)
        part = ast_part(clause->children[i], word);
    return part;
}

/* Is the part one of those words, once, and with as many terms as it should have? */
static bool part_fits(setup *u, const ast_node *clause, const ast_node *phrase, size_t i,
                      const phrase_shape *shape)
{
    const ast_node *part = phrase->children[i];
    bool known = false;
    for (int k = 0; k < PHRASE_PARTS && shape->parts[k]; k++)
        known = known || !strcmp(shape->parts[k], part->name);
    if (!known) {
        diag *d = sema_report(u->sema, E0225, part->at, "'%s' says nothing in '%s'", part->name,
                              clause->name);
        diag_fix(d, "%s", shape->example);
        u->poisoned = true;
        return false;
    }
    const ast_node *first = ast_part(phrase, part->name);
    if (first != part) {
        diag *d = sema_report(u->sema, E0203, part->at, "'%s' is said twice", part->name);
        diag_note(d, first->at, "first here");
        u->poisoned = true;
        return false;
    }
    if (part->count == 1 && part->children[0]->kind != AST_NAMED)
        return true;
    clause_malformed(u, part->at, clause, shape->example);
    return false;
}

bool phrase_fits(setup *u, const ast_node *clause, const ast_node *phrase,
                 const phrase_shape *shape)
{
    if (phrase->kind != AST_PHRASE) {
        clause_malformed(u, phrase->at, clause, shape->example);
        return false;
    }
    size_t terms = 0;
    while (terms < phrase->count && phrase->children[terms]->kind != AST_PART)
        terms++;
    for (size_t i = terms; i < phrase->count; i++)
        if (!part_fits(u, clause, phrase, i, shape))
            return false;
    bool plain = true;
    for (size_t i = 0; i < terms; i++)
        plain = plain && phrase->children[i]->kind != AST_NAMED;
    if (terms == (size_t)shape->terms && plain)
        return true;
    clause_malformed(u, phrase->at, clause, shape->example);
    return false;
}

int clause_word(setup *u, const ast_node *x, const char *what, const char *const *words)
{
    text all = text_in(u->sema->memory), said = text_in(u->sema->memory);
    nearest n = nearest_to(x->kind == AST_NAME ? x->name : "");
    for (int i = 0; words[i]; i++) {
        if (x->kind == AST_NAME && !strcmp(x->name, words[i]))
            return i;
        nearest_offer(&n, words[i]);
        text_add(&all, "%s%s", !i ? "" : words[i + 1] ? ", " : " or ", words[i]);
    }
    ast_write(x, &said);
    diag *d = sema_report(u->sema, E0245, x->at, "'%s' is %s", text_done(&said), what);
    if (x->kind == AST_NAME && nearest_found(&n))
        diag_fix_edit(d, x->at, n.best, "did you mean '%s'?", n.best);
    else
        diag_fix(d, "%s", text_done(&all));
    u->poisoned = true;
    return -1;
}
