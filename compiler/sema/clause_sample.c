/* clause_sample.c: `sample "The licence" length 200, temperature 0.8, top_k 40, seed 1`. */
#include "sema/clause.h"
#include "sema/sampling.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char EXAMPLE[] =
    "sample \"The licence\" length 200, temperature 0.8, top_k 40, seed 1";

/* The clause as words and expressions in the order written. */
typedef VEC(const ast_node *) node_list;

static void flatten(arena *a, const ast_node *node, node_list *out)
{
    for (size_t i = 0; i < node->count; i++) {
        const ast_node *child = node->children[i];
        if (child->kind == AST_PART)
            vec_push(a, out, child);
        if (child->kind == AST_PHRASE || child->kind == AST_PART)
            flatten(a, child, out);
        else
            vec_push(a, out, child);
    }
}

static bool is_word(const ast_node *node, const char *word)
{
    return (node->kind == AST_NAME || node->kind == AST_PART) && !strcmp(node->name, word);
}

typedef struct sample_option {
    const char *word;
    whole_range range; /* of a whole number */
    size_t offset;     /* of its int64_t in training_sampling */
} sample_option;

#define AT(member) offsetof(training_sampling, member)
static const sample_option whole_options[] = {
    {"length", {"the length of a sample", 1, 1000000000}, AT(length)},
    {"top_k", {"'top_k'", 1, INT32_MAX}, AT(top_k)},
    {"context", {"the context", 2, INT32_MAX}, AT(context)},
    {"every", {"the steps between samples", 1, (int64_t)1 << 53}, AT(every)},
};
enum { WHOLE_OPTIONS = sizeof whole_options / sizeof *whole_options };

static bool read_real(setup *u, const ast_node *x, const char *what, double most, double *out)
{
    value v = constant_of(u->sema, x);
    if (v.kind == VALUE_NUMBER && v.quantity == BARE && v.number >= 0 && v.number <= most) {
        *out = v.number;
        return true;
    }
    if (v.kind != VALUE_POISON)
        sema_report(u->sema, E0236, x->at, "%s is a number from 0 to %g", what, most);
    return false;
}

static bool unknown_word(setup *u, const ast_node *clause, const ast_node *word)
{
    static const char *const others[] = {"temperature", "top_p", "seed", "scores", "ids"};
    if (word->kind != AST_NAME && word->kind != AST_PART) {
        clause_malformed(u, word->at, clause, EXAMPLE);
        return false;
    }
    nearest n = nearest_to(word->name);
    for (int i = 0; i < WHOLE_OPTIONS; i++)
        nearest_offer(&n, whole_options[i].word);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        nearest_offer(&n, others[i]);
    diag *d = sema_report(u->sema, E0225, word->at, "'sample' takes no '%s'", word->name);
    if (nearest_found(&n))
        diag_fix_edit(d, word->at, n.best, "did you mean '%s'?", n.best);
    else
        diag_fix(d, "%s", EXAMPLE);
    return false;
}

/* One `WORD value`. */
static bool read_option(setup *u, const ast_node *clause, const ast_node *word, const ast_node *x)
{
    training_sampling *how = &u->out->sampling;
    if (is_word(word, "temperature"))
        return read_real(u, x, "the temperature", 1000, &how->temperature);
    if (is_word(word, "top_p"))
        return read_real(u, x, "'top_p'", 1, &how->top_p);
    if (is_word(word, "scores")) {
        if (x->kind != AST_NAME)
            clause_malformed(u, x->at, clause, EXAMPLE);
        u->sampled = x->kind == AST_NAME ? x : NULL;
        return x->kind == AST_NAME;
    }
    int64_t seed;
    if (is_word(word, "seed")) {
        if (!constant_whole(u->sema, x, (whole_range){"the seed", 0, (int64_t)1 << 53}, &seed))
            return false;
        how->seed = (uint64_t)seed;
        return true;
    }
    for (int i = 0; i < WHOLE_OPTIONS; i++)
        if (is_word(word, whole_options[i].word))
            return constant_whole(u->sema, x, whole_options[i].range,
                                  (int64_t *)(void *)((char *)how + whole_options[i].offset));
    return unknown_word(u, clause, word);
}

static bool said_before(setup *u, const node_list *items, size_t at, size_t first)
{
    for (size_t i = first; i < at; i++) {
        const ast_node *word = items->items[i];
        if ((word->kind != AST_NAME && word->kind != AST_PART) ||
            !is_word(items->items[at], word->name) || is_word(items->items[i - 1], "scores"))
            continue;
        diag *d =
            sema_report(u->sema, E0203, items->items[at]->at, "'%s' is said twice", word->name);
        diag_note(d, word->at, "first here");
        return true;
    }
    return false;
}

static bool read_options(setup *u, const ast_node *clause, const node_list *items, size_t first)
{
    for (size_t i = first; i < items->count; i += 2) {
        const ast_node *word = items->items[i];
        if (i + 1 == items->count) {
            if (word->kind == AST_NAME || word->kind == AST_PART)
                sema_report(u->sema, E0225, word->at, "'%s' is written otherwise", word->name);
            else
                clause_malformed(u, word->at, clause, EXAMPLE);
            return false;
        }
        if (said_before(u, items, i, first) || !read_option(u, clause, word, items->items[i + 1]))
            return false;
        bool steps = i + 2 < items->count && is_word(items->items[i + 2], "steps");
        if (is_word(word, "every") && steps)
            i++;
    }
    return true;
}

void clause_sample(setup *u, const ast_node *clause)
{
    training_sampling *how = &u->out->sampling;
    node_list items = {.items = NULL};
    flatten(u->sema->memory, clause, &items);
    bool ids = items.count && is_word(items.items[0], "ids");
    const ast_node *prompt = items.count > ids ? items.items[ids] : NULL;
    *how = (training_sampling){.wanted = true,
                               .printed = true,
                               .text = !ids,
                               .length = 200,
                               .temperature = 1,
                               .top_p = 1,
                               .at = clause->at};
    if (!prompt || prompt->kind != AST_STRING) {
        clause_malformed(u, prompt ? prompt->at : clause->at, clause, EXAMPLE);
        return;
    }
    how->prompt = prompt->name;
    u->prompt = prompt;
    if (!read_options(u, clause, &items, ids + 1))
        u->poisoned = true;
}

/* The tensor parameter's dimensions: `rest` alone, or with one behind it. */
static bool has_shape(const parameter *p, size_t dims)
{
    const ast_node *written = p->type ? ast_child(p->type, AST_DIMS) : NULL;
    return p->kind == PARAMETER_TENSOR && written && written->count == dims &&
           written->children[0]->kind == AST_REST;
}

void sampling_note(elaboration *e, const frame *callee)
{
    const definition *d = callee->of;
    const sema_words *w = &e->sema->words;
    const build_operand *scores = NULL, *wanted = NULL;
    if (e->scores.value)
        return;
    for (int i = 0; i < d->parameter_count; i++) {
        const parameter *p = &d->parameters[i];
        const binding *b = table_get(&callee->names, p->name, NAME_VALUE);
        if (p->kind != PARAMETER_TENSOR || !b || b->value.kind != VALUE_TENSOR)
            continue;
        bool ids = p->type->name == w->w_id;
        if (ids && !wanted && has_shape(p, 1))
            wanted = &b->value.tensor;
        if (!ids && !scores && has_shape(p, 2))
            scores = &b->value.tensor;
    }
    bool given = wanted && wanted->value->producer && wanted->value->producer->kind == OP_input;
    if (given && scores && tensor_rank(scores) == tensor_rank(wanted) + 1)
        e->scores = *scores;
}

build_operand sampling_scores(elaboration *e)
{
    setup *u = e->setup;
    build_operand none = {.value = NULL};
    if (u->sampled) {
        const binding *b = frame_lookup(e, u->sampled->name);
        if (b && b->value.kind == VALUE_TENSOR)
            return b->value.tensor;
        if (!b || b->value.kind != VALUE_POISON)
            sema_report(u->sema, b ? E0208 : E0201, u->sampled->at,
                        b ? "'%s' is no tensor" : "model '%2$s' has no value '%1$s'",
                        u->sampled->name, u->model->name);
        return none;
    }
    if (e->scores.value && e->scores.value->region == &e->function->region)
        return e->scores;
    diag *d = sema_report(u->sema, E0266, u->out->sampling.at,
                          "nothing says which values of model '%s' are the scores of the next id",
                          u->model->name);
    diag_fix(d, "loss = cross_entropy(y, next) with ids 'next', or sample … scores y");
    return none;
}

/* "464 3290": whole numbers below the number of ids. */
static bool check_ids(setup *u, const char *at)
{
    int64_t classes = u->out->sampling.classes;
    int count = 0;
    while (*at) {
        char *end;
        unsigned long long id = isdigit((unsigned char)*at) ? strtoull(at, &end, 10) : 0;
        if (!isdigit((unsigned char)*at) || id >= (unsigned long long)classes) {
            diag *d = sema_report(u->sema, E0267, u->prompt->at,
                                  "the prompt has what is no id below %lld", (long long)classes);
            diag_fix(d, "numbers with blanks between: \"464 3290\"");
            return false;
        }
        count++;
        at = end + strspn(end, " ,");
    }
    if (!count)
        sema_report(u->sema, E0267, u->prompt->at, "a prompt has one id or more");
    return count > 0;
}

static bool check_bytes(setup *u, const char *prompt)
{
    int64_t classes = u->out->sampling.classes;
    bool bytes = u->out->data.format && !strcmp(u->out->data.format, "bytes");
    if (!bytes) {
        diag *d = sema_report(u->sema, E0267, u->prompt->at,
                              "the prompt is text, and ids of data '%s' are no bytes",
                              u->out->data.format ? u->out->data.format : "");
        diag_fix(d, "sample ids \"464 3290\"");
        return false;
    }
    for (size_t i = 0; prompt[i]; i++)
        if ((unsigned char)prompt[i] >= classes) {
            sema_report(u->sema, E0267, u->prompt->at,
                        "byte %zu of the prompt is %d, and ids are below %lld", i,
                        (unsigned char)prompt[i], (long long)classes);
            return false;
        }
    if (!*prompt)
        sema_report(u->sema, E0267, u->prompt->at, "a prompt has one byte or more");
    return *prompt;
}

bool sampling_check(setup *u)
{
    training_sampling *how = &u->out->sampling;
    if (!u->prompt)
        return true;
    return how->text ? check_bytes(u, how->prompt) : check_ids(u, how->prompt);
}
