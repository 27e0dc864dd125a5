/* call.c: a definition called: its arguments matched, its head bound, its body carried out, its result handed back. */
#include "sema/elab.h"
#include "sema/sampling.h"

#include <string.h>

static atom joined(elaboration *e, atom path, const char *name)
{
    return atom_of(e->sema->atoms,
                   path ? arena_format(e->sema->memory, "%s.%s", path, name) : name);
}

/* "linear", then "linear_2": the layer's name within its parent. */
static const char *numbered(elaboration *e, frame *parent, atom name)
{
    int *count = table_get(&parent->names, name, NAME_COUNT);
    if (!count) {
        count = arena_make(e->sema->memory, int);
        table_set(&parent->names, name, NAME_COUNT, count);
    }
    return ++*count == 1 ? name : arena_format(e->sema->memory, "%s_%d", name, *count);
}

/* A bare name that is no name of the caller and is a flag of the callee: `self_attention(x, A, causal)`. */
static const parameter *named_flag(const caller_names *names, const definition *d,
                                   const ast_node *arg)
{
    if (arg->kind != AST_NAME || names->knows(names->scope, arg->name))
        return NULL;
    const parameter *p = definition_parameter(d, arg->name);
    return p && p->kind == PARAMETER_FLAG ? p : NULL;
}

/* How many dimensions the head of a tensor names, `..` aside. */
static size_t head_names(const parameter *p)
{
    const ast_node *dims = p->kind == PARAMETER_TENSOR ? ast_child(p->type, AST_DIMS) : NULL;
    size_t count = 0;
    for (size_t i = 0; dims && i < dims->count; i++) {
        const ast_node *d = dims->children[i];
        count += d->kind != AST_REST;
    }
    return count;
}

/* NumPy's ways to say over which dimension. */
static bool is_axis(const char *name)
{
    static const char *const words[] = {"axis", "axes", "dim", "dims", "reduction_indices"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcmp(words[i], name))
            return true;
    return false;
}

static void suggest_parameters(sema *s, diag *g, const definition *d, const ast_node *arg)
{
    enum { MOST = 8 };
    text words = text_in(s->memory);
    int count = 0;
    bool tensor = d->parameter_count && d->parameters[0].kind == PARAMETER_TENSOR;
    for (int k = tensor; k < d->parameter_count; k++)
        text_add(&words, "%s%s", count++ ? ", " : "", d->parameters[k].name);
    if (tensor && head_names(&d->parameters[0]) && is_axis(arg->name))
        diag_fix(g, "%s(%s over D) names the dimension", d->name, d->parameters[0].name);
    else if (count && count <= MOST)
        diag_fix(g, "it has %s", text_done(&words));
    else if (!count)
        diag_fix(g, "leave it out: '%s' has no others", d->name);
}

static void report_unknown_parameter(sema *s, const definition *d, const ast_node *arg)
{
    /* Its own body misses the name too, or the file's own definition of that name is lost. */
    if (table_get(d->unknown, arg->name, 0) || (d->file->library && file_has_gap(s->main)))
        return;
    nearest n = nearest_to(arg->name);
    for (int k = 0; k < d->parameter_count; k++)
        nearest_offer(&n, d->parameters[k].name);
    diag *g = sema_report(s, E0207, arg->name_at, "%s '%s' has no parameter '%s'",
                          ast_kind_name(d->kind), d->name, arg->name);
    diag_note(g, d->node->name_at, "'%s' is defined here", d->name);
    if (nearest_found(&n))
        diag_fix_edit(g, arg->name_at, n.best, "did you mean '%s'?", n.best);
    else
        suggest_parameters(s, g, d, arg);
}

static void report_too_many(sema *s, const definition *d, const ast_node *arg)
{
    diag *g = sema_report(s, E0202, arg->at, "%s '%s' takes %d argument%s, and this is one more",
                          ast_kind_name(d->kind), d->name, d->parameter_count,
                          d->parameter_count == 1 ? "" : "s");
    diag_note(g, d->node->name_at, "'%s' is defined here", d->name);
}

/* The parameter of one argument: by name, by flag, or the next one that is free. */
static const parameter *parameter_for(const caller_names *names, const definition *d,
                                      const ast_node *arg, const ast_node **given)
{
    const parameter *p =
        arg->kind == AST_NAMED ? definition_parameter(d, arg->name) : named_flag(names, d, arg);
    int next = 0;
    while (!p && next < d->parameter_count && given[next])
        next++;
    bool positional = next < d->parameter_count &&
                      (arg->kind != AST_NAMED ||
                       (d->parameters[next].kind == PARAMETER_DIM && d->kind != AST_MODEL));
    return p || !positional ? p : &d->parameters[next];
}

/* The parameter that takes `arg`; NULL after a report. */
static const parameter *give(sema *s, const caller_names *names, const definition *d,
                             const ast_node *arg, const ast_node **given)
{
    const parameter *p = parameter_for(names, d, arg, given);
    if (!p && arg->kind == AST_NAMED)
        report_unknown_parameter(s, d, arg);
    else if (!p)
        report_too_many(s, d, arg);
    if (!p)
        return NULL;
    const ast_node *first = given[p - d->parameters];
    if (first) {
        bool cut = first->kind == AST_NUMBER && arg->kind == AST_NAMED;
        diag *g = sema_report(s, E0203, cut ? first->at : arg->at, "parameter '%s' is given twice",
                              p->name);
        diag_note(g, cut ? arg->at : first->at, cut ? "and here" : "first here");
        if (cut)
            diag_fix(g, "a ',' ends an argument: 0.5 and 1_000 are numbers");
        return NULL;
    }
    given[p - d->parameters] = arg;
    return p;
}

/* `softmax(x over C)`: the names behind `over` are the head's dimensions in its order; those left are arguments. */
static bool give_over(sema *s, const caller_names *names, const definition *d, const ast_node *arg,
                      const ast_node **given)
{
    const parameter *p = give(s, names, d, arg, given);
    size_t wanted = p ? head_names(p) : 0;
    if (p && (!wanted || arg->count <= wanted)) {
        diag *g = sema_report(
            s, E0255, arg->at,
            "the head of '%s' names %zu dimension%s of '%s', and here stand%s %zu", d->name, wanted,
            wanted == 1 ? "" : "s", p->name, arg->count == 2 ? "s" : "", arg->count - 1);
        diag_note(g, p->node->at, "'%s' is declared here", p->name);
        return false;
    }
    for (size_t i = 1 + wanted; p && i < arg->count; i++)
        p = give(s, names, d, arg->children[i], given);
    return p != NULL;
}

/* `weight_decay = 0,1`: a number behind what is named would be the value of whatever parameter is left. */
static void report_behind_named(sema *s, const ast_node *named, const ast_node *number)
{
    bool cut = named->count == 1 && named->children[0]->kind == AST_NUMBER &&
               named->at.end + 1 == number->at.begin;
    diag *d = sema_report(s, E0202, number->at,
                          "a number behind '%s', which is named, needs a name too", named->name);
    if (cut)
        diag_fix(d, "a ',' ends an argument: 0.5 and 1_000 are numbers");
    else
        diag_fix(d, "NAME = VALUE, or first what has no name");
}

bool call_match(sema *s, const caller_names *names, const definition *d, const ast_node *call,
                const ast_node **given)
{
    const ast_node *named = NULL;
    for (size_t i = 1; i < call->count; i++) {
        const ast_node *arg = call->children[i];
        if (named && arg->kind == AST_NUMBER) {
            report_behind_named(s, named, arg);
            return false;
        }
        if (arg->kind == AST_NAMED && definition_parameter(d, arg->name))
            named = arg;
        if (arg->kind == AST_OVER ? !give_over(s, names, d, arg, given)
                                  : !give(s, names, d, arg, given))
            return false;
    }
    for (int i = 0; i < d->parameter_count; i++)
        if (!given[i] && !d->parameters[i].preset) {
            diag *g = sema_report(s, E0202, call->at, "%s '%s' needs its '%s'",
                                  ast_kind_name(d->kind), d->name, d->parameters[i].name);
            diag_note(g, d->parameters[i].node->at, "'%s' is declared here", d->parameters[i].name);
            diag_fix(g, "%s(%s%s = …)", d->name, call->count > 1 ? "…, " : "",
                     d->parameters[i].name);
            return false;
        }
    return true;
}

static bool frame_knows(const void *scope, atom name)
{
    const elaboration *e = scope;
    return e->frame && (frame_lookup(e, name) || frame_dim(e, name));
}

static caller_names names_of(const elaboration *e)
{
    return (caller_names){frame_knows, e};
}

/* A label of the callee's for what the caller calls `outer`. */
static label *inner_label(elaboration *e, frame *callee, atom name, label *outer, span at)
{
    label *l = label_new(e->graph, name, outer->dim, at);
    l->home = callee;
    l->outer = outer;
    table_set(&callee->names, name, NAME_DIM, l);
    return l;
}

/* Slot `slot` of the argument is called `name` in the callee. */
static bool bind_slot(elaboration *e, frame *callee, build_operand *t, int slot,
                      const ast_node *dim)
{
    const ast_node *name = dim;
    if (name->kind != AST_NAME) {
        sema_report(e->sema, E0220, name->at, "a head names the dimensions of what it takes");
        return false;
    }
    label *outer = label_of(t->labels[slot]);
    label *known = table_get(&callee->names, name->name, NAME_DIM);
    if (known && known->outer != outer && known->dim != outer->dim) {
        diag *d =
            sema_report(e->sema, E0210, callee->of->node->name_at,
                        "dimension '%s' of '%s' would be '%s' of %lld and '%s' of %lld", name->name,
                        callee->of->name, known->outer ? known->outer->name : known->name,
                        (long long)known->size, outer->name, (long long)outer->size);
        diag_note(d, e->build->at, "called here");
        return false;
    }
    if (!known)
        known = inner_label(e, callee, name->name, outer, name->at);
    t->labels[slot] = known->text;
    return true;
}

static int rest_of(const ast_node *dims)
{
    for (size_t i = 0; i < dims->count; i++) {
        const ast_node *d = dims->children[i];
        if (d->kind == AST_REST)
            return (int)i;
    }
    return -1;
}

/* Without `..`, dimensions of the head's names are found by name; else in the order written. */
static bool found_by_name(const build_operand *t, const ast_node *dims, int *slots)
{
    for (size_t i = 0; i < dims->count; i++) {
        const ast_node *name = dims->children[i];
        slots[i] = -1;
        for (int k = 0; k < tensor_rank(t); k++)
            if (label_of(t->labels[k])->name == name->name)
                slots[i] = k;
        if (slots[i] < 0)
            return false;
    }
    return true;
}

/* `x over D`: the slots of the dimensions behind `over`, for the names of the head in their order. */
static bool found_over(elaboration *e, const ast_node *over, const build_operand *t,
                       const ast_node *dims, int *slots)
{
    int rest = rest_of(dims);
    for (int i = 0, k = 1; i < (int)dims->count; i++) {
        if (i == rest)
            continue;
        const ast_node *name = over->children[k++];
        label *l = elab_dim_named(e, name);
        if (!l)
            return false;
        slots[i] = 0;
        while (slots[i] < tensor_rank(t) && t->labels[slots[i]] != l->text)
            slots[i]++;
        bool twice = false;
        for (int j = 0; j < i; j++)
            twice = twice || (j != rest && slots[j] == slots[i]);
        if (!twice && slots[i] < tensor_rank(t))
            continue;
        sema_report(e->sema, twice ? E0203 : E0211, name->at,
                    twice ? "dimension '%s' stands twice" : "the tensor has no dimension '%s'",
                    l->name);
        return false;
    }
    return true;
}

/* The slot of `t` for each name of the head: as `over` says, by name, or in the order written. */
static bool find_slots(elaboration *e, const ast_node *at, const build_operand *t,
                       const ast_node *dims, int *slots)
{
    if (at->kind == AST_OVER)
        return found_over(e, at, t, dims, slots);
    int rest = rest_of(dims);
    if (rest < 0 && found_by_name(t, dims, slots))
        return true;
    for (int i = 0; i < (int)dims->count; i++)
        slots[i] = rest < 0 || i < rest ? i : i + tensor_rank(t) - (int)dims->count;
    return true;
}

static bool has_label(const atom *labels, int count, atom wanted)
{
    for (int i = 0; i < count; i++)
        if (labels[i] == wanted)
            return true;
    return false;
}

static const char *rest_words(elaboration *e, const atom *labels, int count)
{
    text words = text_in(e->sema->memory);
    text_add(&words, "[");
    for (int i = 0; i < count; i++)
        text_add(&words, "%s%s", i ? ", " : "", label_of(labels[i])->name);
    text_add(&words, "]");
    return text_done(&words);
}

/* `..` of a head is the same dimensions wherever it stands: what one argument has more would be broadcast over the others. */
static bool bind_rest(elaboration *e, frame *callee, const parameter *p, const ast_node *at,
                      const atom *labels, int count)
{
    const parameter *first = callee->rest_of;
    if (!first) {
        callee->rest_of = p;
        callee->rest_count = count;
        memcpy(callee->rest, labels, sizeof *labels * (size_t)count);
        return true;
    }
    bool same = count == callee->rest_count;
    for (int i = 0; i < count; i++)
        same = same && has_label(callee->rest, callee->rest_count, labels[i]);
    if (same)
        return true;
    diag *d = sema_report(e->sema, E0210, at->at, "'..' of '%s' is %s in '%s' and %s in '%s'",
                          callee->of->name, rest_words(e, callee->rest, callee->rest_count),
                          first->name, rest_words(e, labels, count), p->name);
    diag_note(d, p->node->at, "'%s' is declared here", p->name);
    return false;
}

static bool bind_dims(elaboration *e, frame *callee, const parameter *p, const ast_node *at,
                      build_operand *t)
{
    const ast_node *dims = ast_child(p->type, AST_DIMS);
    int rest = rest_of(dims), rank = tensor_rank(t), named = (int)dims->count - (rest >= 0);
    if (rest >= 0 ? rank < named : rank != named) {
        diag *d = sema_report(
            e->sema, E0211, at->at, "'%s' of '%s' has %s%d dimension%s, and this has %d", p->name,
            callee->of->name, rest >= 0 ? "at least " : "", named, named == 1 ? "" : "s", rank);
        diag_note(d, p->node->at, "'%s' is declared here", p->name);
        return false;
    }
    int slots[GRAPH_MAX_RANK + 1];
    if (!find_slots(e, at, t, dims, slots))
        return false;
    atom others[GRAPH_MAX_RANK];
    int other_count = 0;
    for (int k = 0; k < rank; k++) {
        bool is_named = false;
        for (int i = 0; i < (int)dims->count; i++)
            is_named = is_named || (i != rest && slots[i] == k);
        if (!is_named)
            others[other_count++] = t->labels[k];
    }
    for (int i = 0; i < (int)dims->count; i++)
        if (i != rest && !bind_slot(e, callee, t, slots[i], dims->children[i]))
            return false;
    /* Ids where numbers are wanted are the mistake then. */
    bool ids = t->value->type.dtype == DTYPE_I32 && !p->type->name;
    return rest < 0 || p->preset || ids || bind_rest(e, callee, p, at, others, other_count);
}

static value tensor_argument(elaboration *e, frame *callee, const parameter *p, const ast_node *at,
                             value v)
{
    bool scalar = v.kind == VALUE_NUMBER || v.kind == VALUE_FLAG;
    if (v.kind == VALUE_POISON || (scalar && p->preset)) /* a default that broadcasts */
        return v;
    if (v.kind != VALUE_TENSOR) {
        diag *d = sema_report(e->sema, E0208, at->at, "'%s' of '%s' is a tensor, and this is %s",
                              p->name, callee->of->name, value_words(&v, e->sema->memory));
        diag_note(d, p->node->at, "'%s' is declared here", p->name);
        return value_poison();
    }
    bool ids = p->type->name == e->sema->words.w_id || p->type->name == e->sema->words.w_int;
    if (ids != (v.tensor.value->type.dtype == DTYPE_I32) && p->type->name) {
        sema_report(e->sema, E0218, at->at, "'%s' of '%s' holds %s", p->name, callee->of->name,
                    ids ? "ids" : "numbers");
        return value_poison();
    }
    if (!bind_dims(e, callee, p, at, &v.tensor))
        return value_poison();
    return v;
}

static value flag_argument(elaboration *e, const definition *d, const parameter *p,
                           const ast_node *at)
{
    caller_names names = names_of(e);
    if (named_flag(&names, d, at) == p)
        return value_flag(true);
    value v = elab_expression(e, at);
    if (v.kind == VALUE_FLAG || v.kind == VALUE_POISON)
        return v;
    diag *g = sema_report(e->sema, E0208, at->at, "'%s' of '%s' is yes or no, and this is %s",
                          p->name, d->name, value_words(&v, e->sema->memory));
    diag_note(g, p->node->at, "'%s' is declared here", p->name);
    return value_poison();
}

static const char *kind_words(parameter_kind kind)
{
    switch (kind) {
    case PARAMETER_DIM:
        return "a dimension";
    case PARAMETER_TENSOR:
        return "a tensor";
    case PARAMETER_FLAG:
        return "yes or no";
    default:
        return "a number";
    }
}

/* How many numbers the default has, or the parameter that it names: `stride = window`. 0: it is no tuple. */
static int items_of(const definition *d, const parameter *p)
{
    const parameter *same =
        p->preset && p->preset->kind == AST_NAME ? definition_parameter(d, p->preset->name) : NULL;
    if (same && same < p)
        return items_of(d, same);
    return p->preset && p->preset->kind == AST_TUPLE && p->preset->count > 1 ? (int)p->preset->count
                                                                             : 0;
}

/* Does the definition take the parameter apart, as in `window[0]`? Then a tuple is as good as a number for all. */
static bool is_indexed(const ast_node *node, atom name)
{
    if (node->kind == AST_AT && node->children[0]->name == name)
        return true;
    bool indexed = false;
    for (size_t i = 0; i < node->count && !indexed; i++)
        indexed = is_indexed(node->children[i], name);
    return indexed;
}

/* A number, a schedule's result, or a tuple where the default is one (in a layer one number may stand for all of it) or its
 * items are asked for: no text, no range, no unit. */
static bool is_like_preset(elaboration *e, const definition *d, const parameter *p,
                           const ast_node *at, const value *v)
{
    arena *a = e->sema->memory;
    int items = items_of(d, p);
    bool tuple = v->kind == VALUE_TUPLE;
    bool fits = v->kind != VALUE_TEXT && v->kind != VALUE_RANGE;
    if (v->kind == VALUE_NUMBER)
        fits = (!items || d->kind == AST_LAYER) && (v->quantity == BARE || v->quantity == SHARE);
    else if (tuple)
        fits = items ? v->count == items : !p->preset || is_indexed(d->node, p->name);
    if (fits || p->kind != PARAMETER_NUMBER || v->kind == VALUE_POISON)
        return true;
    const char *due = items ? arena_format(a, "a tuple of %d numbers", items) : "a number";
    const char *is = tuple ? arena_format(a, "a tuple of %d", v->count) : value_words(v, a);
    diag *g = sema_report(e->sema, v->kind == VALUE_NUMBER && !items ? E0215 : E0208, at->at,
                          "'%s' of '%s' is %s, and this is %s", p->name, d->name, due, is);
    diag_note(g, p->node->at, "'%s' is declared here", p->name);
    return false;
}

static value plain_argument(elaboration *e, const definition *d, const parameter *p,
                            const ast_node *at)
{
    value v = elab_expression(e, at);
    if (v.kind == VALUE_DIM && p->kind == PARAMETER_INT)
        return value_number((double)v.dim->size);
    if (!is_like_preset(e, d, p, at, &v))
        return value_poison();
    int64_t whole;
    if (p->kind == PARAMETER_INT &&
        !value_whole(e->sema, at, v,
                     (whole_range){arena_format(e->sema->memory, "'%s' of '%s'", p->name, d->name),
                                   INT32_MIN, INT32_MAX},
                     &whole))
        return value_poison();
    if (v.kind == VALUE_FLAG ||
        (v.kind == VALUE_TENSOR && !e->scheduling && tensor_rank(&v.tensor))) {
        if (v.kind == VALUE_FLAG || d->kind != AST_LAYER || p->type)
            sema_report(e->sema, E0208, at->at, "'%s' of '%s' is %s, and this is %s", p->name,
                        d->name, kind_words(p->kind), value_words(&v, e->sema->memory));
        return v.kind == VALUE_FLAG ? value_poison() : v;
    }
    return v;
}

/* `G: dim = A`: the default is a dimension of the callee, or the size of a new one. */
static void preset_dim(elaboration *e, const parameter *p, frame *callee)
{
    const label *same = p->preset->kind == AST_NAME ? frame_dim(e, p->preset->name) : NULL;
    int64_t size = elab_size(e, p->preset);
    if (same && same->outer)
        inner_label(e, callee, p->name, same->outer, p->node->name_at);
    else if (size)
        elab_dim_new(e, p->name, size, p->node->at);
    else
        callee->returned = true;
}

/* One argument, evaluated where the call stands, or the default, evaluated in the callee. */
static void bind_argument(elaboration *e, const parameter *p, const ast_node *arg, frame *callee)
{
    const definition *d = callee->of;
    const ast_node *at =
        arg && arg->kind == AST_NAMED && p->kind != PARAMETER_DIM ? arg->children[0] : arg;
    frame *caller = e->frame;
    if (!at) {
        e->frame = callee;
        at = p->preset;
    }
    if (p->kind == PARAMETER_DIM && arg && d->kind == AST_MODEL) {
        int64_t size = elab_size(e, arg->kind == AST_NAMED ? arg->children[0] : arg);
        e->frame = callee;
        if (size)
            elab_dim_new(e, p->name, size, arg->at);
        else
            callee->returned = true;
    } else if (p->kind == PARAMETER_DIM && arg) {
        label *outer = elab_dim(e, at);
        if (outer)
            inner_label(e, callee, p->name, outer, p->node->name_at);
        else
            callee->returned = true;
    } else if (p->kind == PARAMETER_DIM) {
        preset_dim(e, p, callee);
    } else {
        value v =
            p->kind == PARAMETER_FLAG ? flag_argument(e, d, p, at)
            : p->kind == PARAMETER_TENSOR
                ? tensor_argument(e, callee, p, at,
                                  elab_expression(e, at->kind == AST_OVER ? at->children[0] : at))
                : plain_argument(e, d, p, at);
        e->frame = callee;
        frame_bind(e, p->name, v, p->node->at);
        if (v.kind == VALUE_POISON)
            callee->returned = true;
    }
    e->frame = caller;
}

/* `linear(norm x, A)`: an argument that is reported already may stand for another, or for two. */
static bool has_unknown(const elaboration *e, const ast_node *call)
{
    for (size_t i = 1; i < call->count; i++)
        if (call->children[i]->kind == AST_NAME && e->frame &&
            !frame_knows(e, call->children[i]->name) &&
            table_get(e->frame->of->unknown, call->children[i]->name, 0))
            return true;
    return false;
}

/* Binds the parameters of `d` in `callee`, dimensions before tensors; a callee with a poisoned argument counts as returned. */
void elab_arguments(elaboration *e, const definition *d, const ast_node *call, frame *callee)
{
    const ast_node **given = arena_array(e->sema->memory, const ast_node *, d->parameter_count + 1);
    caller_names names = names_of(e);
    if (has_unknown(e, call) || !call_match(e->sema, &names, d, call, given)) {
        callee->returned = true;
        return;
    }
    callee->given = given;
    for (int dims = 1; dims >= 0; dims--)
        for (int i = 0; i < d->parameter_count; i++) {
            const parameter *p = &d->parameters[i];
            bool early = p->kind == PARAMETER_DIM && given[i];
            if (early != (dims == 1) || callee->returned)
                continue;
            span entry = e->sema->entry;
            if (!given[i] && d->file->library && !e->frame->file->library)
                e->sema->entry = call->at; /* what is wrong with a default comes from the call */
            bind_argument(e, p, given[i], callee);
            e->sema->entry = entry;
        }
}

/* The declared result: its names, in its order. */
static bool result_fits(elaboration *e, const ast_node *type, build_operand *t)
{
    const ast_node *dims = ast_child(type, AST_DIMS);
    if (!dims)
        return true;
    int rest = rest_of(dims), rank = tensor_rank(t), named = (int)dims->count - (rest >= 0);
    atom order[GRAPH_MAX_RANK];
    bool taken[GRAPH_MAX_RANK] = {false};
    bool fits = rest >= 0 ? rank >= named : rank == named;
    for (int i = 0; fits && i < (int)dims->count; i++) {
        if (i == rest)
            continue;
        label *l = elab_dim(e, dims->children[i]);
        if (!l)
            return false;
        int slot = 0;
        while (slot < rank && t->labels[slot] != l->text)
            slot++;
        fits = slot < rank && !taken[slot];
        if (fits) {
            taken[slot] = true;
            order[rest >= 0 && i > rest ? i + rank - (int)dims->count : i] = l->text;
        }
    }
    if (!fits) {
        diag *d = sema_report(e->sema, E0219, type->at, "'%s' returns %s, not what its head says",
                              e->frame->of->name, tensor_words(t, e->sema->memory));
        diag_note(d, e->build->at, "in this call");
        return false;
    }
    for (int i = rest, k = 0; rest >= 0 && k < rank; k++)
        if (!taken[k])
            order[i++] = t->labels[k];
    *t = build_transpose(e->build, *t, order);
    return true;
}

/* A dimension that the callee made, in the caller: the one of that name and size that it has already, or a new one. */
static label *taken_over(elaboration *e, label *made)
{
    label *known = frame_dim(e, made->name);
    if (known && known->home == e->frame && known->dim == made->dim)
        return known;
    made->home = e->frame;
    frame_bind_dim(e, made->name, made);
    return made;
}

/* The callee's dimensions as the caller knows them. */
static bool hand_out(elaboration *e, const ast_node *call, frame *callee, build_operand *t)
{
    for (int i = 0; i < tensor_rank(t); i++) {
        label *l = label_of(t->labels[i]);
        if (l->home == callee && l->outer)
            t->labels[i] = l->outer->text;
        else if (l->home == callee)
            t->labels[i] = taken_over(e, l)->text;
        for (int k = 0; k < i; k++)
            if (t->labels[k] == t->labels[i]) {
                sema_report(e->sema, E0212, call->at,
                            "the result of '%s' would have dimension '%s' twice", callee->of->name,
                            label_of(t->labels[i])->name);
                return false;
            }
    }
    return true;
}

static value call_schedule(elaboration *e, const definition *d, const ast_node *node, frame *callee)
{
    bool before = e->scheduling;
    e->scheduling = true;
    e->frame = callee;
    elab_body(e, ast_child(d->node, AST_BODY));
    e->scheduling = before;
    value v = callee->result;
    if (!callee->returned)
        sema_report(e->sema, E0221, d->node->name_at, "schedule '%s' returns nothing", d->name);
    else if (v.kind != VALUE_POISON && v.kind != VALUE_NUMBER && v.kind != VALUE_TENSOR) {
        sema_report(e->sema, E0208, node->at, "'%s' gives %s where a number is expected", d->name,
                    value_words(&v, e->sema->memory));
        v = value_poison();
    }
    return v;
}

static value call_layer(elaboration *e, const definition *d, const ast_node *node, frame *callee)
{
    elab_body(e, ast_child(d->node, AST_BODY));
    value v = callee->result;
    if (!callee->returned && !d->poisoned)
        sema_report(e->sema, E0221, d->node->name_at, "layer '%s' returns nothing", d->name);
    if (v.kind == VALUE_NUMBER && !elab_as_tensor(e, node, v, DTYPE_COUNT, &v.tensor))
        return value_poison();
    if (v.kind == VALUE_NUMBER)
        v.kind = VALUE_TENSOR;
    const ast_node *result = ast_child(d->node, AST_RESULT);
    if (v.kind == VALUE_TENSOR && result && result->count &&
        !result_fits(e, result->children[0], &v.tensor))
        return value_poison();
    return v;
}

/* Said once, of the call that comes back to where it is. */
static bool is_too_deep(elaboration *e, const definition *d, const ast_node *node)
{
    const frame *f = e->frame;
    if (++e->calls > ELAB_MOST_CALLS) {
        sema_report(e->sema, E0238, node->at, "more than %d calls of definitions", ELAB_MOST_CALLS);
        return e->too_deep = true;
    }
    if (e->depth < ELAB_DEEPEST)
        return false;
    while (f && f->of != d)
        f = f->caller;
    if (!f && e->depth < 2 * ELAB_DEEPEST)
        return false;
    sema_report(e->sema, E0238, node->at, "'%s' goes more than %d definitions deep", d->name,
                ELAB_DEEPEST);
    return e->too_deep = true;
}

static value call_definition(elaboration *e, const definition *d, const ast_node *node)
{
    if (d->poisoned)
        return value_poison();
    if (e->too_deep || is_too_deep(e, d, node))
        return value_poison();
    frame *caller = e->frame;
    span entry = e->sema->entry;
    if (d->file->library && !caller->file->library)
        e->sema->entry = node->at;
    elab_place(e, node->at);
    frame *callee = frame_push(e, d, node->at);
    e->frame = caller;
    elab_arguments(e, d, node, callee);
    bool fine = !callee->returned;
    value v = value_poison();
    if (fine) {
        const char *name = numbered(e, caller, d->name);
        callee->path = joined(e, caller->path, name);
        callee->own_path = joined(e, caller->own_path, name);
        callee->place =
            path_inside(caller->place, PATH_LAYER, atom_of(e->sema->atoms, name), node->at);
        if (callee->place && e->scan && e->scan->within == caller) {
            callee->place->rounds = e->scan->leading->size;
            callee->place->count = e->scan->leading->name;
        }
        if (d->kind == AST_LAYER)
            sampling_note(e, callee);
        e->frame = callee;
        v = d->kind == AST_SCHEDULE ? call_schedule(e, d, node, callee)
                                    : call_layer(e, d, node, callee);
    }
    e->frame = callee;
    frame_pop(e);
    e->sema->entry = entry;
    elab_place(e, node->at);
    if (v.kind == VALUE_TENSOR && !hand_out(e, node, callee, &v.tensor))
        v = value_poison();
    frame_give_back(e, callee);
    return v;
}

value elab_call(elaboration *e, const ast_node *node)
{
    const ast_node *callee = node->children[0];
    if (node->poisoned || callee->kind != AST_NAME) {
        if (!node->poisoned)
            sema_report(e->sema, E0208, callee->at, "only a name can be called");
        return value_poison();
    }
    const definition *d = scope_find(e->sema, e->frame->file, AST_LAYER, callee->name);
    if (!d)
        d = scope_find(e->sema, e->frame->file, AST_SCHEDULE, callee->name);
    if (d)
        return call_definition(e, d, node);
    const builtin *b = builtin_find(e->sema, callee->name);
    if (b)
        return elab_builtin(e, b, node);
    scope_report_unknown(e->sema, e->frame->file, e->scheduling ? AST_SCHEDULE : AST_LAYER, callee);
    return value_poison();
}
