#include "coll/evaluate.h"
#include "coll/verify.h"
#include "coll/whole.h"
#include "diag/suggest.h"

#include <assert.h>
#include <string.h>

typedef struct send_place {
    const ast_node *statement;
    int32_t place;
} send_place;

/* A block while it is evaluated. */
typedef struct evaluation {
    const ast_node *topology;
    const coll_request *request;
    const source_set *sources;
    arena *memory;
    whole_scope scope;
    coll_program *program; /* NULL until the first send */
    coll_kind kind;
    const ast_node *chunks_clause;
    const ast_node *kind_clause;
    const ast_node *root_clause;
    int64_t chunks;
    int64_t root;
    int32_t step;
    int depth;              /* of `for` */
    VEC(send_place) places; /* of the statements that have sent */
} evaluation;

static bool run_body(evaluation *e, const ast_node *body);
static bool run_statement(evaluation *e, const ast_node *statement);

/* chunks, collective, root, require: what may stand in a topology beside statements. */
typedef struct topology_clause {
    const char *word;
    bool (*apply)(evaluation *e, const ast_node *clause, const ast_node *value);
} topology_clause;

static bool once(evaluation *e, const ast_node **slot, const ast_node *clause)
{
    if (!*slot) {
        *slot = clause;
        return true;
    }
    diag *d = diag_report(e->scope.sink, E0338, clause->at, "topology '%s' has '%s' twice",
                          e->topology->name, clause->name);
    diag_note(d, (*slot)->at, "the first time here");
    return false;
}

static bool apply_chunks(evaluation *e, const ast_node *clause, const ast_node *value)
{
    if (!once(e, &e->chunks_clause, clause) || !whole_value(&e->scope, value, &e->chunks))
        return false;
    if (e->chunks >= 1 && e->chunks <= COLL_MAX_CHUNKS)
        return true;
    diag_report(e->scope.sink, e->chunks < 1 ? E0336 : E0337, value->at,
                "topology '%s' has %lld chunks on %d ranks; 1 to %d are possible",
                e->topology->name, (long long)e->chunks, e->request->ranks, COLL_MAX_CHUNKS);
    return false;
}

static bool apply_collective(evaluation *e, const ast_node *clause, const ast_node *value)
{
    if (!once(e, &e->kind_clause, clause))
        return false;
    if (value->kind == AST_NAME && coll_kind_of_name(value->name, &e->kind))
        return true;
    diag *d = diag_report(e->scope.sink, E0338, value->at, "no such collective");
    diag_fix(d, "all_reduce, reduce_scatter, all_gather, broadcast, reduce or all_to_all");
    return false;
}

static bool apply_root(evaluation *e, const ast_node *clause, const ast_node *value)
{
    if (!once(e, &e->root_clause, clause) || !whole_value(&e->scope, value, &e->root))
        return false;
    if (e->root >= 0 && e->root < e->request->ranks)
        return true;
    diag_report(e->scope.sink, E0336, value->at,
                "root %lld of topology '%s' is none of its %d ranks", (long long)e->root,
                e->topology->name, e->request->ranks);
    return false;
}

static bool apply_require(evaluation *e, const ast_node *clause, const ast_node *value)
{
    int64_t holds;
    if (!whole_value(&e->scope, value, &holds))
        return false;
    if (holds || e->request->trial)
        return holds;
    text written = text_in(e->memory);
    ast_write(value, &written);
    span at = e->request->at.file >= 0 ? e->request->at : clause->at;
    diag *d =
        diag_report(e->scope.sink, E0339, at, "topology '%s' does not fit %d ranks: it requires %s",
                    e->topology->name, e->request->ranks, text_done(&written));
    if (e->request->at.file >= 0)
        diag_note(d, clause->at, "required here");
    return false;
}

static const topology_clause clauses[] = {{"chunks", apply_chunks},
                                          {"collective", apply_collective},
                                          {"root", apply_root},
                                          {"require", apply_require}};

enum { CLAUSE_COUNT = sizeof clauses / sizeof *clauses };

static bool unknown_clause(evaluation *e, const ast_node *clause)
{
    suggestion near = suggest_for(clause->name);
    for (int i = 0; i < CLAUSE_COUNT; i++)
        suggest_offer(&near, clauses[i].word);
    diag *d = diag_report(e->scope.sink, E0338, clause->name_at, "a topology has no clause '%s'",
                          clause->name);
    if (near.best)
        diag_fix_edit(d, clause->name_at, near.best, "did you mean '%s'?", near.best);
    else
        diag_fix(d, "chunks, collective, root, require, for, send, if");
    return false;
}

static bool run_clause(evaluation *e, const ast_node *clause)
{
    for (int i = 0; i < CLAUSE_COUNT; i++) {
        if (strcmp(clause->name, clauses[i].word) != 0)
            continue;
        const ast_node *phrase = clause->count == 1 ? clause->children[0] : NULL;
        if (!phrase || phrase->kind != AST_PHRASE || phrase->count != 1) {
            diag_report(e->scope.sink, E0338, clause->at, "'%s' takes one expression",
                        clause->name);
            return false;
        }
        if (e->program) {
            diag_report(e->scope.sink, E0338, clause->at,
                        "'%s' comes after the first send of topology '%s'", clause->name,
                        e->topology->name);
            return false;
        }
        return clauses[i].apply(e, clause, phrase->children[0]);
    }
    return unknown_clause(e, clause);
}

static bool start_program(evaluation *e)
{
    if (e->program)
        return true;
    if (!e->chunks_clause) {
        diag *d = diag_report(e->scope.sink, E0338, e->topology->name_at,
                              "topology '%s' does not say into how many chunks the data is cut",
                              e->topology->name);
        diag_fix(d, "chunks %s", e->topology->children[0]->name);
        return false;
    }
    int ranks = e->request->ranks;
    if (e->kind == COLL_ALL_TO_ALL && e->chunks % ((int64_t)ranks * ranks) != 0) {
        diag_report(
            e->scope.sink, E0336, e->chunks_clause->at,
            "all_to_all on %d ranks takes a multiple of %d chunks, not %lld: one for each pair",
            ranks, ranks * ranks, (long long)e->chunks);
        return false;
    }
    e->program = coll_program_new(e->memory, e->kind, e->topology->name, ranks, (int)e->chunks);
    e->program->root = (int32_t)e->root;
    e->program->at = e->topology->name_at.file >= 0 ? e->topology->name_at : e->topology->at;
    e->program->line = source_line_name(e->sources, e->topology->at, e->memory);
    return true;
}

static int32_t place_of(evaluation *e, const ast_node *statement)
{
    for (size_t i = 0; i < e->places.count; i++)
        if (e->places.items[i].statement == statement)
            return e->places.items[i].place;
    const char *line = source_line_name(e->sources, statement->at, e->memory);
    vec_push(e->memory, &e->places,
             (send_place){statement, coll_program_place(e->program, statement->at, line)});
    return vec_last(&e->places).place;
}

static int32_t wrapped(int64_t value, int32_t count)
{
    int64_t rest = value % count;
    return (int32_t)(rest < 0 ? rest + count : rest);
}

static bool run_send(evaluation *e, const ast_node *send)
{
    int64_t value[3];
    if (!start_program(e))
        return false;
    for (int i = 0; i < 3; i++)
        if (!whole_value(&e->scope, send->children[i], &value[i]))
            return false;
    bool copies = strcmp(send->word, "copy") == 0;
    if (!copies && strcmp(send->word, "reduce") != 0) {
        diag *d = diag_report(e->scope.sink, E0338, send->at, "a send can not '%s'", send->word);
        diag_fix(d, "reduce or copy");
        return false;
    }
    coll_program *p = e->program;
    if (p->sends.count == COLL_MAX_SENDS || e->step >= COLL_MAX_STEPS) {
        diag_report(e->scope.sink, E0337, send->at, "topology '%s' has more than %d %s on %d ranks",
                    p->name, e->step >= COLL_MAX_STEPS ? COLL_MAX_STEPS : COLL_MAX_SENDS,
                    e->step >= COLL_MAX_STEPS ? "steps" : "sends", p->ranks);
        return false;
    }
    coll_program_add(p, (coll_send){.step = e->step,
                                    .chunk = wrapped(value[0], p->chunks),
                                    .from = wrapped(value[1], p->ranks),
                                    .to = wrapped(value[2], p->ranks),
                                    .op = copies ? COLL_COPY : COLL_REDUCE,
                                    .place = place_of(e, send)});
    return true;
}

/* A step ends where something was sent in it. */
static void end_step(evaluation *e)
{
    if (e->depth == 0 && e->program && e->program->steps > e->step)
        e->step = e->program->steps;
}

static bool run_scoped(evaluation *e, const ast_node *body)
{
    size_t outer = e->scope.bindings.count;
    bool done = run_body(e, body);
    e->scope.bindings.count = outer;
    return done;
}

/* Bounds of `a ..< b` or `a .. b`, the last value included. */
static bool index_range(evaluation *e, const ast_node *index, int64_t *first, int64_t *last)
{
    const ast_node *range = index->children[0];
    if (range->kind != AST_RANGE) {
        diag *d = diag_report(e->scope.sink, E0336, range->at, "'%s' needs a range to run over",
                              index->name);
        diag_fix(d, "for %s in 0 ..< %s", index->name, e->topology->children[0]->name);
        return false;
    }
    if (!whole_value(&e->scope, range->children[0], first) ||
        !whole_value(&e->scope, range->children[1], last))
        return false;
    if (strcmp(range->word, "..<") == 0) {
        if (*last == INT64_MIN)
            *first = *last + 1;
        else
            --*last;
    }
    return true;
}

/* Index number `k` of the `for` and those behind it, then the body. */
static bool run_indices(evaluation *e, const ast_node *loop, size_t k)
{
    const ast_node *index = loop->children[k];
    if (index->kind != AST_INDEX)
        return run_scoped(e, index);
    int64_t first, last;
    if (!index_range(e, index, &first, &last))
        return false;
    size_t slot = e->scope.bindings.count;
    bool going = true;
    for (int64_t value = first; going && value <= last; value++) {
        e->scope.bindings.count = slot;
        whole_bind(&e->scope, index->name, value);
        e->depth++;
        going = whole_spend(&e->scope, loop->at) && run_indices(e, loop, k + 1);
        e->depth--;
        if (k == 0)
            end_step(e);
        if (value == INT64_MAX)
            break;
    }
    e->scope.bindings.count = slot;
    return going;
}

static bool run_if(evaluation *e, const ast_node *branch)
{
    int64_t condition;
    if (!whole_value(&e->scope, branch->children[0], &condition))
        return false;
    if (condition)
        return run_scoped(e, branch->children[1]);
    if (branch->count < 3)
        return true;
    const ast_node *other = branch->children[2]->children[0];
    return other->kind == AST_IF ? run_if(e, other) : run_scoped(e, other);
}

static bool run_assign(evaluation *e, const ast_node *assign)
{
    int64_t value;
    if (!whole_value(&e->scope, assign->children[0], &value))
        return false;
    whole_bind(&e->scope, assign->name, value);
    return true;
}

static bool run_statement(evaluation *e, const ast_node *statement)
{
    if (statement->poisoned || !whole_spend(&e->scope, statement->at))
        return false;
    switch (statement->kind) {
    case AST_FOR:
        return run_indices(e, statement, 0);
    case AST_SEND:
        if (!run_send(e, statement))
            return false;
        end_step(e);
        return true;
    case AST_IF:
        return run_if(e, statement);
    case AST_ASSIGN:
        return run_assign(e, statement);
    case AST_CLAUSE:
        return run_clause(e, statement);
    default:
        diag_report(e->scope.sink, E0338, statement->at, "a topology has no '%s' statement",
                    ast_kind_name(statement->kind));
        return false;
    }
}

static bool run_body(evaluation *e, const ast_node *body)
{
    for (size_t i = 0; i < body->count; i++)
        if (!run_statement(e, body->children[i]))
            return false;
    return true;
}

/* The argument for parameter number `position` (the number of ranks is 0); NULL: none. */
static const coll_argument *argument_for(const evaluation *e, const ast_node *parameter,
                                         size_t position)
{
    size_t unnamed = 0;
    for (size_t i = 0; i < e->request->argument_count; i++) {
        const coll_argument *argument = &e->request->arguments[i];
        if (argument->name ? argument->name == parameter->name : ++unnamed == position)
            return argument;
    }
    return NULL;
}

static bool bind_parameter(evaluation *e, const ast_node *parameter, size_t position)
{
    const ast_node *given = ast_child(parameter, AST_DEFAULT);
    const coll_argument *argument = argument_for(e, parameter, position);
    int64_t value = e->request->ranks;
    if (argument && position > 0) {
        value = argument->value;
    } else if (position > 0 && e->request->per_node > 0 &&
               strcmp(parameter->name, "per_node") == 0) {
        value = e->request->per_node;
    } else if (position > 0 && given) {
        if (!whole_value(&e->scope, given->children[0], &value))
            return false;
    } else if (position > 0 && e->request->trial) {
        return false;
    } else if (position > 0) {
        span at = e->request->at.file >= 0 ? e->request->at : parameter->at;
        diag *d = diag_report(e->scope.sink, E0339, at, "topology '%s' needs a value for '%s'",
                              e->topology->name, parameter->name);
        diag_note(d, parameter->at, "'%s' declared here", parameter->name);
        return false;
    }
    whole_bind(&e->scope, parameter->name, value);
    return true;
}

static void suggest_parameter(const evaluation *e, diag *d, const char *said, size_t parameters)
{
    suggestion near = suggest_for(said);
    text all = text_in(e->memory);
    for (size_t k = 1; k < parameters; k++) {
        suggest_offer(&near, e->topology->children[k]->name);
        text_add(&all, "%s%s", k > 1 ? ", " : "it has ", e->topology->children[k]->name);
    }
    if (near.best)
        diag_fix(d, "did you mean '%s'?", near.best);
    else if (parameters > 1)
        diag_fix(d, "%s", text_done(&all));
}

/* Every argument must be one of a parameter behind the first. */
static bool check_arguments(const evaluation *e, size_t parameters)
{
    size_t unnamed = 0;
    for (size_t i = 0; i < e->request->argument_count; i++) {
        const coll_argument *argument = &e->request->arguments[i];
        bool known = !argument->name && ++unnamed < parameters;
        for (size_t k = 1; k < parameters && argument->name; k++)
            known = known || e->topology->children[k]->name == argument->name;
        if (known)
            continue;
        diag *d = argument->name
                      ? diag_report(e->scope.sink, E0339, argument->at,
                                    "topology '%s' has no parameter '%s'", e->topology->name,
                                    argument->name)
                      : diag_report(e->scope.sink, E0339, argument->at,
                                    "topology '%s' takes no such number beside that of the ranks",
                                    e->topology->name);
        diag_note(d, e->topology->name_at, "declared here");
        if (argument->name)
            suggest_parameter(e, d, argument->name, parameters);
        return false;
    }
    return true;
}

static bool bind_parameters(evaluation *e)
{
    size_t parameters = 0;
    while (parameters < e->topology->count &&
           e->topology->children[parameters]->kind == AST_PARAMETER)
        parameters++;
    if (parameters == 0) {
        diag *d = diag_report(e->scope.sink, E0338, e->topology->name_at,
                              "topology '%s' has no parameter for the number of ranks",
                              e->topology->name);
        diag_fix(d, "topology %s(n)", e->topology->name);
        return false;
    }
    if (!check_arguments(e, parameters))
        return false;
    for (size_t i = 0; i < parameters; i++)
        if (!bind_parameter(e, e->topology->children[i], i))
            return false;
    return true;
}

coll_program *coll_evaluate(const ast_node *topology, const coll_request *request,
                            const source_set *sources, diag_sink *sink, arena *a)
{
    assert(topology->kind == AST_TOPOLOGY && request->ranks >= 1);
    int64_t most = request->budget ? request->budget->most : COLL_MAX_WORK;
    evaluation e = {.topology = topology,
                    .request = request,
                    .sources = sources,
                    .memory = a,
                    .scope = {.memory = a, .sink = sink, .topology = topology, .work = most},
                    .kind = COLL_ALL_REDUCE};
    if (topology->poisoned)
        return NULL;
    if (request->ranks > COLL_MAX_RANKS) {
        diag_report(sink, E0337, request->at, "topology '%s' on %d ranks: at most %d are possible",
                    topology->name, request->ranks, COLL_MAX_RANKS);
        return NULL;
    }
    const ast_node *body = ast_child(topology, AST_BODY);
    bool done = body && bind_parameters(&e) && run_body(&e, body) && start_program(&e);
    if (request->budget)
        request->budget->done += most - e.scope.work;
    return done ? e.program : NULL;
}

bool coll_check_block(const ast_node *topology, const source_set *sources, diag_sink *sink,
                      coll_budget *budget)
{
    static const int counts[] = {4, 2, 3, 1, 5, 6, 7, 8, 9, 12, 16};
    int before = diag_error_count(sink);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        arena *a = arena_new();
        coll_request request = {
            .ranks = counts[i], .at = SPAN_NONE, .budget = budget, .trial = true};
        const coll_program *p = coll_evaluate(topology, &request, sources, sink, a);
        bool right = p ? coll_verify(p, sink) : diag_error_count(sink) == before;
        arena_free(a);
        if (!right)
            return false;
    }
    return !topology->poisoned;
}

coll_kind coll_topology_kind(const ast_node *topology)
{
    coll_kind kind = COLL_ALL_REDUCE;
    const ast_node *body = ast_child(topology, AST_BODY);
    for (size_t i = 0; body && i < body->count; i++) {
        const ast_node *clause = body->children[i];
        if (clause->kind != AST_CLAUSE || strcmp(clause->name, "collective") != 0 ||
            clause->count != 1)
            continue;
        const ast_node *phrase = clause->children[0];
        if (phrase->count >= 1 && phrase->children[0]->kind == AST_NAME)
            coll_kind_of_name(phrase->children[0]->name, &kind);
    }
    return kind;
}

const char *coll_topology_name(const char *base, coll_kind kind, arena *a)
{
    return kind == COLL_ALL_REDUCE ? base : arena_format(a, "%s_%s", base, coll_kind_name(kind));
}
