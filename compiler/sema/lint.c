#include "sema/lint.h"

#include "sema/builtin.h"
#include "sema/train.h"

#include <string.h>

enum { LINT_MADE = 2, LINT_DECLARED = 3, LINT_METRIC = 4, LINT_MOST_LOOKED_INTO = 100 };

typedef struct lint {
    sema *sema;
    const definition *of;
    table names;     /* LINT_NAME: bound so far, LINT_USED: used somewhere */
    bool misplaced;  /* a statement stands where it means nothing */
    bool gap;        /* a statement of the body is lost, and with it what it binds */
    bool branched;   /* inside `if`: what is bound may not be */
    int lost_line;   /* of the last statement that could not be read */
    int looked_into; /* definitions whose bodies were read for the dimensions that they make */
} lint;

static void bind(lint *l, atom name)
{
    if (name)
        table_set(&l->names, name, LINT_NAME, l);
}

static bool knows(const void *scope, atom name)
{
    return table_get(&((const lint *)scope)->names, name, LINT_NAME) != NULL;
}

static bool is_given(const lint *l, atom name)
{
    const sema_words *w = &l->sema->words;
    bool timed = l->of->kind == AST_OPTIMIZER || l->of->kind == AST_SCHEDULE;
    return name == w->w_yes || name == w->w_no || name == w->w_pi || name == w->w_inf ||
           name == w->w_training || (timed && (name == w->w_step || name == w->w_steps));
}

static void offer_given(const lint *l, nearest *n)
{
    const sema_words *w = &l->sema->words;
    const atom words[] = {w->w_pi, w->w_inf, w->w_training, w->w_step, w->w_steps};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (is_given(l, words[i]))
            nearest_offer(n, words[i]);
}

/* `relu(linear)`: what is called so is a definition or an operator, and no value. */
static bool report_called_by_none(lint *l, const ast_node *name)
{
    const definition *d = scope_find(l->sema, l->of->file, AST_LAYER, name->name);
    if (!d)
        d = scope_find(l->sema, l->of->file, AST_SCHEDULE, name->name);
    const builtin *b = d ? NULL : builtin_find(l->sema, name->name);
    if (!d && !b)
        return false;
    diag *g = sema_report(l->sema, E0208, name->at, "'%s' is %s %s, and no value", name->name,
                          d ? "a" : "an", d ? ast_kind_name(d->kind) : "operator");
    if (d)
        diag_note(g, d->node->name_at, "'%s' is defined here", d->name);
    diag_fix(g, "%s(…), what it gives", name->name);
    bind(l, name->name);
    return true;
}

static void use(lint *l, const ast_node *name, diag_code code, const char *what)
{
    table_set(&l->names, name->name, LINT_USED, l);
    if (knows(l, name->name) || is_given(l, name->name) || l->gap)
        return;
    nearest n = nearest_to(name->name);
    if (!definition_offer_flag(&n) && sema_suggests(l->sema)) {
        nearest_offer_all(&n, &l->names, LINT_NAME);
        offer_given(l, &n);
    }
    if (!definition_first_unknown(l->of, name->name))
        return;
    if (report_called_by_none(l, name))
        return;
    diag *d = sema_report(l->sema, code, name->at, what, name->name);
    if (nearest_found(&n)) {
        diag_fix_edit(d, name->at, n.best, "did you mean '%s'?", n.best);
        table_set(&l->names, atom_of(l->sema->atoms, n.best), LINT_USED, l);
    }
    bind(l, name->name); /* one mistake, however often it stands there */
}

static void expression(lint *l, const ast_node *x);

/* A name that nothing has, and a flag of the callee nearly: `self_attention(x, A, casual)`. */
static void use_argument(lint *l, const definition *d, const ast_node *x)
{
    nearest n = nearest_to(x->kind == AST_NAME ? x->name : "");
    bool unknown = x->kind == AST_NAME && !knows(l, x->name) && !is_given(l, x->name) && !l->gap;
    for (int k = 0; unknown && k < d->parameter_count; k++)
        if (d->parameters[k].kind == PARAMETER_FLAG)
            nearest_offer(&n, d->parameters[k].name);
    if (!unknown || !nearest_found(&n) || !definition_first_unknown(l->of, x->name)) {
        expression(l, x);
        return;
    }
    diag *g = sema_report(l->sema, E0206, x->at, "nothing is called '%s' here", x->name);
    diag_fix_edit(g, x->at, n.best, "did you mean '%s'?", n.best);
    bind(l, x->name);
}

/* `linear(h, H2 == H / 2)`: nothing has the name, so it is not compared but given. */
static bool is_compared_for_named(lint *l, const ast_node *x)
{
    const ast_node *name = x->kind == AST_BINARY && !strcmp(x->word, "==") ? x->children[0] : NULL;
    if (!name || name->kind != AST_NAME || knows(l, name->name) || is_given(l, name->name) ||
        l->gap || !definition_first_unknown(l->of, name->name))
        return false;
    diag *d = sema_report(l->sema, E0206, name->at, "nothing is called '%s' here", name->name);
    diag_fix(d, "%s = …, with one '=', gives an argument its name", name->name);
    bind(l, name->name);
    expression(l, x->children[1]);
    return true;
}

/* One argument of a call of `d`; `given` is NULL when the call does not match. */
static void argument(lint *l, const definition *d, const ast_node *arg, const ast_node **given)
{
    bool flag = false, dim = arg->kind == AST_NAMED && !definition_parameter(d, arg->name);
    for (int k = 0; given && k < d->parameter_count; k++)
        if (given[k] == arg) {
            flag = d->parameters[k].kind == PARAMETER_FLAG && arg->kind == AST_NAME;
            dim = dim || (d->parameters[k].kind == PARAMETER_DIM && arg->kind == AST_NAMED);
        }
    const ast_node *x = arg->kind == AST_NAMED ? arg->children[0] : arg;
    if (is_compared_for_named(l, x))
        return;
    bool unknown = arg->kind == AST_NAMED && dim && x->kind == AST_STRING;
    if ((!flag || knows(l, arg->name)) && !unknown)
        use_argument(l, d, x);
    if (dim)
        bind(l, arg->name);
}

static void bind_made(lint *l, const sema_file *file, const ast_node *x);

/* Dimensions that `d` makes come out with their names: those of the head's result, or, where it has none, any. */
static void bind_result(lint *l, const definition *d)
{
    const ast_node *result = ast_child(d->node, AST_RESULT);
    const ast_node *dims =
        result && result->count ? ast_child(result->children[0], AST_DIMS) : NULL;
    for (size_t i = 0; dims && i < dims->count; i++)
        if (dims->children[i]->kind == AST_NAME || dims->children[i]->kind == AST_NAMED)
            bind(l, dims->children[i]->name);
    if (dims || table_get(&l->names, d->name, LINT_MADE))
        return;
    table_set(&l->names, d->name, LINT_MADE, l);
    if (l->looked_into++ < LINT_MOST_LOOKED_INTO)
        bind_made(l, d->file, ast_child(d->node, AST_BODY));
    else
        l->gap = true; /* names may be bound that are not known of */
}

static void bind_made(lint *l, const sema_file *file, const ast_node *x)
{
    if (!x || x->poisoned)
        return;
    if (x->kind == AST_NAMED)
        bind(l, x->name);
    const ast_node *callee = x->kind == AST_CALL ? x->children[0] : NULL;
    const definition *d = callee && callee->kind == AST_NAME
                              ? scope_find(l->sema, file, AST_LAYER, callee->name)
                              : NULL;
    if (d)
        bind_result(l, d);
    for (size_t i = 0; i < x->count; i++)
        bind_made(l, file, x->children[i]);
}

static void call_definition(lint *l, const definition *d, const ast_node *call)
{
    const ast_node **given = arena_array(l->sema->memory, const ast_node *, d->parameter_count + 1);
    caller_names names = {knows, l};
    bool fine = d->poisoned || call_match(l->sema, &names, d, call, given);
    for (size_t i = 1; i < call->count; i++) {
        const ast_node *arg = call->children[i];
        bool over = arg->kind == AST_OVER;
        argument(l, d, over ? arg->children[0] : arg, fine ? given : NULL);
        for (size_t k = 1; over && k < arg->count; k++)
            argument(l, d, arg->children[k], fine ? given : NULL);
    }
    bind_result(l, d);
}

static void call_builtin(lint *l, const builtin *b, const ast_node *call)
{
    int items = 0;
    for (size_t i = 1; i < call->count; i++) {
        const ast_node *arg = call->children[i];
        bool named = arg->kind == AST_NAMED;
        expression(l, named || arg->kind == AST_OVER ? arg->children[0] : arg);
        for (size_t k = 1; arg->kind == AST_OVER && k < arg->count; k++)
            if (arg->children[k]->kind == AST_NAME)
                use(l, arg->children[k], k == 1 ? E0209 : E0206,
                    k == 1 ? "no dimension is called '%s' here" : "nothing is called '%s' here");
        items += arg->kind == AST_OVER ? (int)arg->count - 1 : 1;
        if (named)
            bind(l, arg->name);
    }
    if (items >= b->least && items <= b->most)
        return;
    diag *d = sema_report(l->sema, E0202, call->at, "'%s' does not take %d argument%s", b->name,
                          items, items == 1 ? "" : "s");
    diag_fix(d, "%s", b->signature);
}

static void report_unknown_call(lint *l, const ast_node *callee, ast_kind kind)
{
    if (file_has_gap(l->of->file))
        return;
    nearest n = nearest_to(callee->name);
    if (sema_suggests(l->sema))
        builtin_offer_all(&n);
    if (!nearest_found(&n) || scope_find(l->sema, l->of->file, kind, callee->name)) {
        diag *d = scope_report_unknown(l->sema, l->of->file, kind, callee);
        if (!strcmp(callee->name, "repeat"))
            diag_fix(d, "x = repeat N: layer(x)");
        return;
    }
    nearest_offer_all(&n, &l->of->file->own, (int)kind);
    for (size_t i = 0; i < l->of->file->sees.count; i++)
        nearest_offer_all(&n, &l->of->file->sees.items[i]->own, (int)kind);
    diag *d = sema_report(l->sema, E0201, callee->at, "no %s is called '%s'", ast_kind_name(kind),
                          callee->name);
    diag_fix_edit(d, callee->at, n.best, "did you mean '%s'?", n.best);
}

/* What it takes is not known, so every name in it counts as used and nothing as wrong. */
static void unknown_arguments(lint *l, const ast_node *x)
{
    for (size_t i = 0; i < x->count; i++) {
        if (x->children[i]->kind == AST_NAME)
            table_set(&l->names, x->children[i]->name, LINT_USED, l);
        if (x->children[i]->kind == AST_NAMED)
            bind(l, x->children[i]->name);
        unknown_arguments(l, x->children[i]);
    }
}

/* `nn.Linear(…)`: the names of a part are seen without it. */
static void suggest_alone(lint *l, diag *d, const ast_node *callee)
{
    nearest n = nearest_to(callee->name);
    for (size_t i = 0; i < l->of->file->sees.count; i++)
        nearest_offer_all(&n, &l->of->file->sees.items[i]->own, AST_LAYER);
    bool known = scope_find(l->sema, l->of->file, AST_LAYER, callee->name) != NULL;
    const char *name = known || !nearest_found(&n) ? callee->name : n.best;
    diag_fix_edit(d, callee->at, name, "write '%s' alone", name);
}

static void call(lint *l, const ast_node *x)
{
    const ast_node *callee = x->children[0];
    if (callee->kind != AST_NAME) {
        diag *d = sema_report(l->sema, E0208, callee->at, "only a name can be called");
        bool library = callee->kind == AST_MEMBER && callee->children[0]->kind == AST_NAME &&
                       scope_library_name(callee->children[0]->name);
        if (library)
            suggest_alone(l, d, callee);
        else if (callee->kind == AST_MEMBER)
            diag_fix(d, "%s(x, …) for x.%s(…)", callee->name, callee->name);
        return;
    }
    bool timed = l->of->kind == AST_OPTIMIZER || l->of->kind == AST_SCHEDULE;
    const definition *d = scope_find(l->sema, l->of->file, AST_LAYER, callee->name);
    if (!d)
        d = scope_find(l->sema, l->of->file, AST_SCHEDULE, callee->name);
    const builtin *b = d ? NULL : builtin_find(l->sema, callee->name);
    if (d)
        call_definition(l, d, x);
    else if (b)
        call_builtin(l, b, x);
    else {
        report_unknown_call(l, callee, timed ? AST_SCHEDULE : AST_LAYER);
        unknown_arguments(l, x);
    }
}

static void expression(lint *l, const ast_node *x)
{
    if (x->poisoned)
        return;
    if (x->kind == AST_NAME)
        use(l, x, E0206, "nothing is called '%s' here");
    else if (x->kind == AST_NUMBER || x->kind == AST_STRING)
        literal_plain(l->sema, x);
    else if (x->kind == AST_CALL)
        call(l, x);
    else
        for (size_t i = 0; i < x->count; i++)
            expression(l, x->children[i]);
}

/* Whatever is wrong with it, its names may be those of dimensions. */
static void bind_words(lint *l, const ast_node *x)
{
    bind(l, x->name);
    for (size_t i = 0; i < x->count; i++)
        bind_words(l, x->children[i]);
}

/* Dimensions that a head or an input names are names from there on; one that is a parameter is used by it. */
static void head_dims(lint *l, const ast_node *type)
{
    const ast_node *dims = type ? ast_child(type, AST_DIMS) : NULL;
    for (size_t i = 0; dims && i < dims->count; i++) {
        const ast_node *d = dims->children[i];
        if (d->kind != AST_NAME && d->kind != AST_NAMED) {
            bind_words(l, d);
            continue;
        }
        if (d->kind == AST_NAMED)
            expression(l, d->children[0]);
        if (knows(l, d->name))
            table_set(&l->names, d->name, LINT_USED, l);
        bind(l, d->name);
    }
}

/* `param w: [2 * D]`, unless something in it is wrong already. */
static void nameless_dim(lint *l, const ast_node *d)
{
    size_t before = diag_report_count(l->sema->diags);
    text words = text_in(l->sema->memory);
    expression(l, d);
    ast_write(d, &words);
    if (diag_report_count(l->sema->diags) > before)
        return;
    diag *g = sema_report(l->sema, E0220, d->at, "a dimension needs a name");
    diag_fix(g, "F = %s, or another name for it", text_done(&words));
}

static void used_dims(lint *l, const ast_node *type)
{
    const ast_node *dims = type ? ast_child(type, AST_DIMS) : NULL;
    for (size_t i = 0; dims && i < dims->count; i++) {
        const ast_node *d = dims->children[i];
        if (d->kind == AST_NAME)
            use(l, d, E0209, "no dimension is called '%s' here");
        else if (d->kind == AST_NAMED) {
            expression(l, d->children[0]);
            bind(l, d->name);
        } else if (d->kind != AST_REST && !d->poisoned)
            nameless_dim(l, d);
    }
}

static void initial(lint *l, const ast_node *node)
{
    const ast_node *init = ast_child(node, AST_INIT), *x = init ? init->children[0] : NULL;
    if (!init && node->kind == AST_PARAM && !node->poisoned) {
        diag *d = sema_report(l->sema, E0225, node->name_at,
                              "param '%s' does not say its first values", node->name);
        diag_fix(d, "init normal(0, 0.02), uniform(low, high), zeros, ones or constant(c)");
        return;
    }
    if (x && !x->poisoned && !init_known(l->sema, x)) {
        unknown_arguments(l, x);
        return;
    }
    bool named = false; /* one mistake, however many arguments */
    for (size_t i = 1; x && x->kind == AST_CALL && i < x->count; i++) {
        const ast_node *arg = x->children[i];
        if (arg->kind == AST_NAMED && !named) {
            named = true;
            diag *d = sema_report(l->sema, E0202, arg->at, "first values take numbers by place");
            diag_fix(d, "constant(c), normal(mean, deviation) or uniform(low, high)");
        }
        expression(l, arg->kind == AST_NAMED ? arg->children[0] : arg);
    }
}

static bool allowed(const lint *l, ast_kind kind)
{
    switch (kind) {
    case AST_INPUT:
    case AST_METRIC:
        return l->of->kind == AST_MODEL;
    case AST_PARAM:
        return l->of->kind == AST_MODEL || l->of->kind == AST_LAYER;
    case AST_STATE:
        return l->of->kind != AST_SCHEDULE;
    case AST_RETURN:
        return l->of->kind == AST_LAYER || l->of->kind == AST_SCHEDULE;
    case AST_ASSIGN:
    case AST_IF:
    case AST_REQUIRE:
        return true;
    default:
        return false;
    }
}

static void body(lint *l, const ast_node *block);

static void statement(lint *l, const ast_node *node)
{
    if (!allowed(l, node->kind)) {
        sema_report(l->sema, E0241, node->at, "'%s' does not stand in %s %s",
                    ast_kind_name(node->kind), l->of->kind == AST_OPTIMIZER ? "an" : "a",
                    ast_kind_name(l->of->kind));
        bind(l, node->name);
        l->misplaced = true;
        return;
    }
    switch (node->kind) {
    case AST_INPUT: {
        const ast_node *below = ast_child(node, AST_BELOW);
        head_dims(l, ast_child(node, AST_TYPE));
        if (below)
            expression(l, below->children[0]);
        break;
    }
    case AST_PARAM:
    case AST_STATE:
        used_dims(l, ast_child(node, AST_TYPE));
        initial(l, node);
        break;
    case AST_IF: {
        const ast_node *other = ast_child(node, AST_ELSE);
        expression(l, node->children[0]);
        body(l, ast_child(node, AST_BODY));
        if (other && other->count && other->children[0]->kind == AST_IF)
            statement(l, other->children[0]);
        else if (other && other->count)
            body(l, other->children[0]);
        break;
    }
    default:
        for (size_t i = 0; i < node->count; i++)
            expression(l, node->children[i]);
    }
    bind(l, node->kind == AST_METRIC ? NULL : node->name);
}

/* A second declaration of a name: forgotten after a copy, mostly, and then a name that nothing has is the other one's. */
static void declared_twice(lint *l, const ast_node *block)
{
    for (size_t i = 0; block && i < block->count; i++) {
        const ast_node *node = block->children[i];
        bool shown = node->kind == AST_METRIC;
        if (shown && node->name == l->sema->words.w_loss)
            sema_report(l->sema, E0203, node->name_at,
                        "the loss is shown as 'loss', and a metric has a name of its own");
        if (!shown && node->kind != AST_INPUT && node->kind != AST_PARAM && node->kind != AST_STATE)
            continue;
        int kind = shown ? LINT_METRIC : LINT_DECLARED;
        const ast_node *first = node->name ? table_get(&l->names, node->name, kind) : NULL;
        if (node->name && !first)
            table_set(&l->names, node->name, kind, (void *)(uintptr_t)node);
        if (!first)
            continue;
        diag *d = sema_report(l->sema, E0203, node->name_at, "%s '%s' is declared twice",
                              ast_kind_name(node->kind), node->name);
        diag_note(d, first->name_at, "first here");
        l->gap = l->gap || !shown;
        l->misplaced = l->misplaced || !shown;
    }
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Known to be unknown: elaboration says nothing of it either. */
static void bind_lost(lint *l, atom name)
{
    bind(l, name);
    definition_first_unknown(l->of, name);
}

/* What could not be read may bind any of its words. */
static void lost(lint *l, const ast_node *node)
{
    size_t length;
    int line = source_locate(l->sema->sources, node->at).line;
    const char *words = source_line(l->sema->sources, node->at.file, line, &length);
    bool again = line == l->lost_line; /* a line may hold many */
    l->lost_line = line;
    for (size_t i = 0, n; i < length && !again; i += n + 1) {
        for (n = 0; i + n < length && is_word(words[i + n]);)
            n++;
        if (n)
            bind_lost(l, atom_intern(l->sema->atoms, words + i, n));
    }
    l->sema->body_lost = true;
    bind(l, node->name);
    bool nameless = node->name && (!strcmp(node->name, "init") || !strcmp(node->name, "below"));
    l->misplaced = l->misplaced || nameless || node->kind == AST_IF;
    l->gap = l->gap || nameless || node->kind == AST_IF; /* `state init zeros`; several lines */
}

static void body(lint *l, const ast_node *block)
{
    for (size_t i = 0; block && i < block->count; i++) {
        if (!block->children[i]->poisoned)
            statement(l, block->children[i]);
        else
            lost(l, block->children[i]);
        bool over = block->children[i]->kind == AST_RETURN && allowed(l, AST_RETURN);
        if (over && i + 1 < block->count && !block->children[i + 1]->poisoned) {
            diag *d = sema_report(l->sema, E0251, block->children[i + 1]->at,
                                  "nothing behind a 'return' is carried out");
            diag_note(d, block->children[i]->at, "'return' is here");
            return;
        }
    }
}

/* `A = dim` for `A: dim`. */
static bool is_type_as_preset(lint *l, const parameter *p)
{
    const sema_words *w = &l->sema->words;
    atom said = p->preset->kind == AST_NAME && !p->type ? p->preset->name : NULL;
    if (!said || (said != w->w_dim && said != w->w_int && said != w->w_flag))
        return false;
    l->gap = true;
    diag *d = sema_report(l->sema, E0250, p->preset->at, "'%s' is a type, and no value", said);
    diag_fix_edit(d, p->node->at, arena_format(l->sema->memory, "%s: %s", p->name, said), "%s: %s",
                  p->name, said);
    return true;
}

/* What a parameter may be: `D: dim`, `x: id[B]`. Of one that nobody knows, nothing more is said. */
static void known_type(lint *l, const parameter *p)
{
    const ast_node *dims = p->type ? ast_child(p->type, AST_DIMS) : NULL;
    for (size_t i = 0; dims && i < dims->count; i++) {
        const ast_node *dim = dims->children[i];
        if (dim->kind == AST_NAME || dim->kind == AST_REST || dim->poisoned)
            continue;
        l->gap = true;
        sema_report(l->sema, E0220, dim->at, "a head names the dimensions of what it takes");
    }
    const sema_words *w = &l->sema->words;
    const atom types[] = {w->w_dim, w->w_int, w->w_flag, w->w_id, w->w_f32, w->w_f64, w->w_bf16};
    if (!p->type || !p->type->name)
        return;
    nearest n = nearest_to(p->type->name);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (types[i] == p->type->name)
            return;
        nearest_offer(&n, types[i]);
    }
    l->gap = true;
    diag *d =
        sema_report(l->sema, E0250, p->type->name_at, "no type is called '%s'", p->type->name);
    if (nearest_found(&n))
        diag_fix_edit(d, p->type->name_at, n.best, "did you mean '%s'?", n.best);
    else
        diag_fix(d, "dim, int, flag, or f32[B, D] for a tensor");
}

static bool takes_tensor(const definition *d)
{
    for (int i = 0; i < d->parameter_count; i++)
        if (d->parameters[i].kind == PARAMETER_TENSOR)
            return true;
    return false;
}

/* `layer f(x, A: dim) -> [B, S, D]`: one type is missing, not three dimensions. */
static bool nothing_known(lint *l, const ast_node *result)
{
    const ast_node *dims = ast_child(result->children[0], AST_DIMS);
    const parameter *bare = NULL;
    for (int i = 0; i < l->of->parameter_count && !bare; i++)
        if (!l->of->parameters[i].type && !l->of->parameters[i].preset)
            bare = &l->of->parameters[i];
    const ast_node *first = dims && dims->count ? dims->children[0] : NULL;
    if (!bare || !first || first->kind != AST_NAME || knows(l, first->name))
        return false;
    text words = text_in(l->sema->memory);
    for (size_t i = 0; i < dims->count; i++)
        text_add(&words, "%s%s", i ? ", " : "",
                 dims->children[i]->kind == AST_NAME ? dims->children[i]->name : "..");
    l->gap = true;
    diag *d =
        sema_report(l->sema, E0209, first->at, "no dimension is called '%s' here", first->name);
    diag_note(d, bare->node->at, "'%s' is a number", bare->name);
    diag_fix(d, "%s: [%s]", bare->name, text_done(&words));
    return true;
}

/* A head's own dimensions count as used where the head's result or a later parameter names them. */
/* `layer tower(self, x: [B, D])` */
static void no_self(lint *l, const parameter *p)
{
    bool computes = l->of->kind == AST_LAYER || l->of->kind == AST_MODEL;
    if (!computes || p->type || p->preset || strcmp(p->name, "self") != 0)
        return;
    diag *d =
        sema_report(l->sema, E0223, p->node->at, "a %s has no 'self'", ast_kind_name(l->of->kind));
    diag_fix(d, "take it out: what it computes with stands in its head");
    l->gap = true;
}

static void head(lint *l)
{
    for (int i = 0; i < l->of->parameter_count; i++) {
        const parameter *p = &l->of->parameters[i];
        if (p->preset && !is_type_as_preset(l, p))
            expression(l, p->preset);
        no_self(l, p);
        known_type(l, p);
        head_dims(l, p->type);
        bind(l, p->name);
    }
    const ast_node *result = ast_child(l->of->node, AST_RESULT);
    size_t before = diag_report_count(l->sema->diags);
    if (result && result->count && (takes_tensor(l->of) || !nothing_known(l, result)))
        used_dims(l, result->children[0]);
    l->gap = l->gap || diag_report_count(l->sema->diags) > before;
}

static bool has_body(const definition *d)
{
    return d->kind == AST_MODEL || d->kind == AST_LAYER || d->kind == AST_OPTIMIZER ||
           d->kind == AST_SCHEDULE;
}

static bool assigns(const ast_node *block, atom name)
{
    bool found = false;
    for (size_t i = 0; block && i < block->count && !found; i++) {
        const ast_node *node = block->children[i], *other = ast_child(node, AST_ELSE);
        found = node->poisoned || (node->kind == AST_ASSIGN && node->name == name) ||
                (node->kind == AST_IF &&
                 (assigns(ast_child(node, AST_BODY), name) || (other && assigns(other, name))));
        if (node->kind == AST_BODY)
            found = found || assigns(node, name);
    }
    return found;
}

/* What an optimizer without its last line leaves unused is no mistake of its own. */
static void changes_parameter(lint *l, const ast_node *p, const ast_node *block)
{
    if (assigns(block, p->name))
        return;
    sema_report(l->sema, E0223, p->at, "optimizer '%s' never changes '%s'", l->of->name, p->name);
    l->misplaced = true;
}

void lint_definition(sema *s, definition *d)
{
    if (d->kind == AST_WEIGHTS && !d->poisoned)
        weights_check(s, d);
    if (definition_head_lost(d) || !has_body(d))
        return;
    lint l = {.sema = s, .of = d, .names = table_in(s->kept)};
    size_t before = diag_report_count(s->diags);
    l.gap = d->poisoned; /* a parameter that stands twice is another's */
    head(&l);
    const ast_node *updates = ast_child(d->node, AST_UPDATES),
                   *block = ast_child(d->node, AST_BODY);
    d->poisoned = d->poisoned || l.gap;
    bool gap = block && ast_has_gap(block);
    d->poisoned = d->poisoned || gap;
    l.gap = l.gap || gap;
    for (size_t i = 0; updates && i < updates->count; i++)
        bind(&l, updates->children[i]->name);
    declared_twice(&l, block);
    body(&l, block);
    bool right = diag_report_count(s->diags) == before;
    if (updates && updates->count && block && !gap && !l.gap && right)
        changes_parameter(&l, updates->children[0], block);
    bool computes = d->kind == AST_MODEL || d->kind == AST_LAYER;
    s->body_lost = s->body_lost || (computes && diag_report_count(s->diags) > before);
    d->poisoned = d->poisoned || l.misplaced;
    d->names = l.names;
}
