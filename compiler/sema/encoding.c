/* encoding.c: how numbers are kept or sent: `as int8(block = 256)`, and the clause `precision`. */
#include "sema/clause.h"

#include <string.h>

enum { LARGEST_BLOCK = 1 << 20 };

static const struct {
    const char *name;
    int bits;
    bool scaled; /* in blocks that share a scale */
} types[] = {{"int8", 8, true}, {"int4", 4, true},   {"e4m3", 8, true},
             {"e5m2", 8, true}, {"bf16", 16, false}, {"f32", 32, false}};
static const char *const type_words[] = {"int8", "int4", "e4m3", "e5m2", "bf16", "f32", NULL};
static const char *const roundings[] = {"nearest", "stochastic", NULL};

static bool read_block(setup *u, const ast_node *option, int type, encoding *out)
{
    if (!types[type].scaled) {
        diag *d = sema_report(u->sema, E0202, option->at, "'%s' has no scales, so no blocks",
                              types[type].name);
        diag_fix(d, "%s", types[type].name);
        return false;
    }
    return constant_whole(u->sema, option->children[0], (whole_range){"a block", 2, LARGEST_BLOCK},
                          &out->block);
}

static bool read_option(setup *u, const ast_node *option, int type, encoding *out)
{
    static const char *const names[] = {"block", "rounding", NULL};
    arena *a = u->sema->memory;
    if (option->kind != AST_NAMED) {
        text words = text_in(a);
        ast_write(option, &words);
        diag *d = sema_report(u->sema, E0225, option->at, "what '%s' is here is not said",
                              text_done(&words));
        const char *name = option->kind == AST_NAME ? "rounding" : "block";
        diag_fix_edit(d, option->at, arena_format(a, "%s = %s", name, text_done(&words)), "%s = %s",
                      name, text_done(&words));
        return false;
    }
    ast_node name = {.kind = AST_NAME, .name = option->name, .at = option->name_at};
    int which =
        clause_word(u, &name, arena_format(a, "no option of '%s'", types[type].name), names);
    if (which == 0)
        return read_block(u, option, type, out);
    int rounding = which == 1 ? clause_word(u, option->children[0], "no rounding", roundings) : -1;
    out->stochastic = rounding == 1;
    return rounding >= 0;
}

static bool read_options(setup *u, const ast_node *call, int type, encoding *out)
{
    for (size_t i = 1; i < call->count; i++) {
        const ast_node *option = call->children[i];
        for (size_t k = 1; k < i; k++)
            if (option->kind == AST_NAMED && call->children[k]->name == option->name) {
                diag *d =
                    sema_report(u->sema, E0203, option->at, "'%s' is said twice", option->name);
                diag_note(d, call->children[k]->at, "first here");
                return false;
            }
        if (!read_option(u, option, type, out))
            return false;
    }
    return true;
}

bool encoding_read(setup *u, const ast_node *x, encoding *out)
{
    int type = clause_word(u, x->kind == AST_CALL ? x->children[0] : x, "no way to keep a number",
                           type_words);
    *out = (encoding){.type = type < 0 ? NULL : types[type].name};
    bool fine = type >= 0 && (x->kind != AST_CALL || read_options(u, x, type, out));
    u->poisoned = u->poisoned || !fine;
    return fine;
}

typedef enum precision_part { PART_COMPUTE, PART_MASTER, PART_MOMENTS, PART_COUNT } precision_part;
static const char *const part_words[] = {"compute", "master", "moments", NULL};

typedef struct precision_said {
    const ast_node *at[PART_COUNT]; /* NULL: not said */
    const char *type[PART_COUNT];
} precision_said;

static const char example[] = "precision bf16, master f32, moments int8(block = 256)";

/* The type of the part: f32, f64 or bf16; for moments also what is quantized. */
static const char *read_type(setup *u, precision_part part, const ast_node *x)
{
    static const char *const plain[] = {"f32", "f64", "bf16", NULL};
    encoding how;
    bool wide = x->kind == AST_NAME && !strcmp(x->name, "f64");
    if (part == PART_MOMENTS && !wide)
        return encoding_read(u, x, &how) ? how.type : NULL;
    int type = clause_word(
        u, x, part == PART_COMPUTE ? "no precision" : "no precision of master weights", plain);
    return type < 0 ? NULL : plain[type];
}

/* `bf16`, or `master f32`. */
static bool read_part(setup *u, const ast_node *clause, const ast_node *phrase,
                      precision_said *said)
{
    bool bare = phrase->count == 1;
    if (!phrase_fits(u, clause, phrase, &(phrase_shape){bare ? 1 : 2, {NULL}, example}))
        return false;
    int part =
        bare ? PART_COMPUTE
             : clause_word(u, phrase->children[0], "no part of 'precision'", part_words + 1) + 1;
    if (!bare && part == PART_COMPUTE)
        return false;
    if (said->at[part]) {
        diag *d =
            sema_report(u->sema, E0203, phrase->at,
                        part == PART_COMPUTE ? "the precision is said twice" : "'%s' is said twice",
                        part_words[part]);
        diag_note(d, said->at[part]->at, "first here");
        u->poisoned = true;
        return false;
    }
    said->at[part] = phrase;
    said->type[part] = read_type(u, (precision_part)part, phrase->children[bare ? 0 : 1]);
    return said->type[part] != NULL;
}

static int bits_of(const char *type)
{
    return !strcmp(type, "f64") ? 64 : !strcmp(type, "f32") ? 32 : 16;
}

/* Master weights are what the others are rounded from. */
static bool check_master(setup *u, const precision_said *said)
{
    if (!said->at[PART_MASTER] ||
        bits_of(said->type[PART_MASTER]) >= bits_of(said->type[PART_COMPUTE]))
        return true;
    diag *d = sema_report(u->sema, E0235, said->at[PART_MASTER]->at,
                          "master weights in %s are coarser than the %s computed in",
                          said->type[PART_MASTER], said->type[PART_COMPUTE]);
    if (said->at[PART_COMPUTE])
        diag_note(d, said->at[PART_COMPUTE]->at, "computed in %s", said->type[PART_COMPUTE]);
    diag_fix(d, "master %s", said->type[PART_COMPUTE]);
    u->poisoned = true;
    return false;
}

void clause_precision(setup *u, const ast_node *clause)
{
    precision_said said = {.at = {NULL}};
    if (!clause->count)
        clause_malformed(u, clause->at, clause, example);
    for (size_t i = 0; i < clause->count; i++)
        if (!read_part(u, clause, clause->children[i], &said))
            u->poisoned = true;
    if (u->poisoned)
        return;
    if (!said.at[PART_COMPUTE])
        said.type[PART_COMPUTE] = "f32";
    if (!check_master(u, &said))
        return;
    bool mixed = !strcmp(said.type[PART_COMPUTE], "bf16");
    for (int i = PART_MASTER; i < PART_COUNT; i++)
        mixed = mixed || (said.at[i] && strcmp(said.type[i], said.type[PART_COMPUTE]) != 0);
    u->out->precision = !strcmp(said.type[PART_COMPUTE], "f64") ? DTYPE_F64 : DTYPE_F32;
    if (mixed)
        clause_postpone(u, (postponed){E0905, clause->at,
                                       "mixed precision is understood, and not carried out yet",
                                       "precision f32, or precision f64"});
}
