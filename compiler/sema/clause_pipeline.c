/* clause_pipeline.c: `pipeline block over pp, microbatches 8, schedule 1f1b`, and `shard optimizer over dp`. */
#include "sema/clause.h"

#include <string.h>

enum { MOST_MICROBATCHES = 1 << 20, MOST_CHUNKS = 1 << 10 };

static const char example[] = "pipeline block over pp, microbatches 8, schedule 1f1b";

typedef struct pipeline_reading {
    setup *u;
    const ast_node *clause;
    const ast_node *microbatches, *schedule; /* phrases */
    const ast_node *chunks;                  /* `schedule interleaved 2`: the number; else NULL */
    plan_pipeline out;
} pipeline_reading;

/* `schedule 1f1b`, `schedule interleaved 2`. */
static bool read_schedule(pipeline_reading *r, const ast_node *phrase)
{
    static const char *const words[] = {"1f1b", "gpipe", "interleaved", NULL};
    setup *u = r->u;
    const ast_node *x = phrase->children[1];
    bool call = x->kind == AST_CALL;
    int which = clause_word(u, call ? x->children[0] : x, "no schedule of a pipeline", words);
    r->chunks = phrase->count == 3      ? phrase->children[2]
                : call && x->count == 2 ? x->children[1]
                                        : NULL;
    if (which < 0)
        return false;
    int64_t chunks = which == 2 ? 2 : 1;
    if (which != 2 && (phrase->count == 3 || call)) {
        clause_malformed(u, phrase->at, r->clause, "schedule 1f1b, gpipe or interleaved 2");
        return false;
    }
    if (r->chunks &&
        !constant_whole(u->sema, r->chunks,
                        (whole_range){"the number of parts of a stage", 2, MOST_CHUNKS}, &chunks))
        return false;
    r->out.chunks = (int)chunks;
    return true;
}

static bool read_setting(pipeline_reading *r, const ast_node *phrase)
{
    static const char *const words[] = {"microbatches", "schedule", NULL};
    setup *u = r->u;
    bool three = phrase->count == 3 && phrase->children[2]->kind != AST_PART;
    if (!phrase_fits(u, r->clause, phrase, &(phrase_shape){three ? 3 : 2, {NULL}, example}))
        return false;
    int which = clause_word(u, phrase->children[0], "no part of 'pipeline'", words);
    if (which < 0)
        return false;
    const ast_node **slot = which ? &r->schedule : &r->microbatches;
    if (*slot) {
        diag *d = sema_report(u->sema, E0203, phrase->at, "'%s' is said twice", words[which]);
        diag_note(d, (*slot)->at, "first here");
        return false;
    }
    *slot = phrase;
    if (which)
        return read_schedule(r, phrase);
    r->out.microbatches_at = phrase->at;
    if (!three)
        return constant_whole(u->sema, phrase->children[1],
                              (whole_range){"the number of microbatches", 1, MOST_MICROBATCHES},
                              &r->out.microbatches);
    clause_malformed(u, phrase->at, r->clause, example);
    return false;
}

/* The names of the layers that the model repeats. */
static const char *repeated_words(const path_node *node, arena *a, const char *before)
{
    if (node->rounds)
        before = arena_format(a, "%s%s%s", before ? before : "", before ? " or " : "",
                              path_words(node, a));
    for (size_t i = 0; i < node->inside.count; i++)
        before = repeated_words(node->inside.items[i], a, before);
    return before;
}

static void report_not_repeated(setup *u, const path_set *set, const path_node *node)
{
    arena *a = u->sema->memory;
    const char *others = repeated_words(u->paths, a, NULL);
    diag *d = sema_report(u->sema, E0243, set->said->at,
                          "'%s' is not repeated, and a pipeline's stages are rounds of a repeat",
                          path_words(node, a));
    diag_note(d, node->at, "'%s' is here", path_words(node, a));
    if (others && !strstr(others, " or "))
        diag_fix_edit(d, set->said->at, others, "pipeline %s", others);
    else if (others)
        diag_fix(d, "pipeline %s", others);
    else
        diag_fix(d, "x = repeat L: block(x)");
}

/* Each stage has equally many rounds. */
static bool check_stages(pipeline_reading *r, const path_node *node)
{
    setup *u = r->u;
    const graph_axis *axis = &u->out->mesh.items[r->out.axis];
    int64_t stages = (int64_t)axis->size * r->out.chunks;
    if (node->rounds % stages == 0)
        return true;
    arena *a = u->sema->memory;
    const char *name = path_words(node, a);
    u->size_doubted = true;
    diag *d = r->out.chunks == 1
                  ? sema_report(u->sema, E0243, r->clause->children[0]->at,
                                "axis '%s' of %d does not divide the %lld rounds of '%s'",
                                axis->name, axis->size, (long long)node->rounds, name)
                  : sema_report(u->sema, E0243, r->schedule->at,
                                "%d stages of %d parts each do not divide the %lld rounds of '%s'",
                                axis->size, r->out.chunks, (long long)node->rounds, name);
    diag_note(d, axis->declared, "axis '%s' declared here", axis->name);
    diag_note(d, node->at, "'%s' is repeated here", name);
    int64_t below = node->rounds / stages * stages;
    if (r->out.chunks == 1)
        diag_fix(d, "%s = %s, or %s = %s", axis->name, divisors_near(a, node->rounds, axis->size),
                 node->count, multiples_near(a, node->rounds, axis->size));
    else if (below)
        diag_fix(d, "%s = %lld or %lld", node->count, (long long)below,
                 (long long)(below + stages));
    else
        diag_fix(d, "%s = %lld", node->count, (long long)stages);
    return false;
}

static bool check_layer(pipeline_reading *r, const ast_node *path)
{
    setup *u = r->u;
    path_set set;
    if (!u->shaped)
        return true; /* the model is wrong: reported */
    if (!path_find(u, path, PATH_OPERATIONS, &set))
        return false;
    for (size_t i = 0; i < set.nodes.count; i++)
        if (!set.nodes.items[i]->rounds && !(set.nodes.count > 1 && set.ranged)) {
            report_not_repeated(u, &set, set.nodes.items[i]);
            return false;
        }
    const path_node *node = set.nodes.items[0];
    if (set.ranged) {
        diag *d = sema_report(u->sema, E0249, set.range_at, "a pipeline takes all rounds of '%s'",
                              path_words(node, u->sema->memory));
        diag_fix_edit(d, path->at, path_words(node, u->sema->memory), "pipeline %s",
                      path_words(node, u->sema->memory));
        return false;
    }
    if (set.nodes.count > 1) {
        diag *d = sema_report(u->sema, E0243, path->at, "a pipeline goes along one repeat");
        diag_note(d, node->at, "'%s' is one", path_words(node, u->sema->memory));
        diag_note(d, set.nodes.items[1]->at, "'%s' is another",
                  path_words(set.nodes.items[1], u->sema->memory));
        return false;
    }
    return r->out.axis < 0 || check_stages(r, node);
}

/* Without a number of its own a pipeline takes the train's. */
static bool check_microbatches(pipeline_reading *r)
{
    setup *u = r->u;
    if (!r->microbatches)
        r->out.microbatches = u->out->microbatches;
    if (!r->microbatches && u->out->microbatches == 1) {
        diag *d = sema_report(u->sema, E0225, r->clause->at,
                              "'pipeline' does not say into how many microbatches a batch goes");
        diag_fix_edit(d, (span){r->clause->at.file, r->clause->at.end, r->clause->at.end},
                      ", microbatches 8", "microbatches 8");
        return false;
    }
    return true;
}

void clause_pipeline(setup *u, const ast_node *clause)
{
    const ast_node *phrase = clause->count ? clause->children[0] : NULL;
    pipeline_reading r = {.u = u, .clause = clause, .out = {.axis = -1, .chunks = 1}};
    r.out.at = clause->at;
    r.out.microbatches_at = clause->at;
    if (!phrase || !phrase_fits(u, clause, phrase, &(phrase_shape){1, {"over", NULL}, example}) ||
        !ast_part(phrase, "over")) {
        if (!phrase || !u->poisoned)
            clause_malformed(u, clause->at, clause, example);
        return;
    }
    r.out.axis = plan_axis_used(u, ast_part(phrase, "over")->children[0]);
    bool fine = r.out.axis >= 0;
    for (size_t i = 1; i < clause->count; i++)
        fine = read_setting(&r, clause->children[i]) && fine;
    fine = check_layer(&r, phrase->children[0]) && fine;
    fine = fine && check_microbatches(&r);
    u->poisoned = u->poisoned || !fine;
    if (fine)
        u->said.pipeline = r.out;
}

static bool add_shard(setup *u, const char *what, int axis, const ast_node *phrase)
{
    for (size_t i = 0; i < u->said.shards.count; i++)
        if (u->said.shards.items[i].what == what) {
            diag *d = sema_report(u->sema, E0203, phrase->at, "'%s' is sharded twice", what);
            diag_note(d, u->said.shards.items[i].at, "first here");
            return false;
        }
    vec_push(u->sema->memory, &u->said.shards, (plan_shard){what, axis, phrase->at});
    return true;
}

/* A phrase without `over` goes with the next that has one. */
void clause_shard(setup *u, const ast_node *clause)
{
    static const char *const words[] = {"optimizer", "gradients", "parameters", NULL};
    static const char shard_example[] = "shard optimizer over dp";
    if (!clause->count)
        clause_malformed(u, clause->at, clause, shard_example);
    for (size_t i = 0; i < clause->count; i++) {
        const ast_node *phrase = clause->children[i];
        if (!phrase_fits(u, clause, phrase, &(phrase_shape){1, {"over", NULL}, shard_example}))
            return;
        const ast_node *over = phrase_part(clause, i, "over");
        if (!over) {
            clause_malformed(u, phrase->at, clause, shard_example);
            return;
        }
        int axis = plan_axis_used(u, over->children[0]);
        int what = clause_word(u, phrase->children[0], "nothing that a plan shards", words);
        if (what < 0 || axis < 0 || !add_shard(u, words[what], axis, phrase))
            u->poisoned = true;
    }
}
