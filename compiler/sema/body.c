/* body.c: the statements of models, layers, optimizers and schedules. */
#include "sema/train.h"

#include <string.h>

static atom joined(elaboration *e, atom path, atom name)
{
    return atom_of(e->sema->atoms,
                   path ? arena_format(e->sema->memory, "%s.%s", path, name) : name);
}

/* `zeros`, `ones`, `constant(c)`, `normal(mean, deviation)`, `uniform(low, high)`. */
bool init_known(sema *s, const ast_node *x)
{
    const ast_node *name = x->kind == AST_CALL ? x->children[0] : x;
    const sema_words *w = &s->words;
    size_t given = x->kind == AST_CALL ? x->count - 1 : 0;
    size_t needed = name->name == w->w_constant                               ? 1
                    : name->name == w->w_normal || name->name == w->w_uniform ? 2
                                                                              : 0;
    bool known =
        name->kind == AST_NAME && (needed || name->name == w->w_zeros || name->name == w->w_ones);
    if (known && given == needed)
        return true;
    static const char *const values[] = {"zeros", "ones", "constant", "normal", "uniform"};
    nearest n = nearest_to(name->kind == AST_NAME ? name->name : "");
    for (size_t i = 0; !known && i < sizeof values / sizeof *values; i++)
        nearest_offer(&n, values[i]);
    diag *d = known ? sema_report(s, E0202, x->at, "'%s' takes %zu number%s, and gets %zu",
                                  name->name, needed, needed == 1 ? "" : "s", given)
                    : sema_report(s, E0201, x->at, "'%s' is no initial value",
                                  name->name ? name->name : "this");
    if (nearest_found(&n))
        diag_fix_edit(d, name->at, n.best, "did you mean '%s'?", n.best);
    else
        diag_fix(d, "zeros, ones, constant(c), normal(mean, deviation) or uniform(low, high)");
    return false;
}

static bool init_in_range(sema *s, const ast_node *x, const graph_variable *v)
{
    bool normal = v->init == s->words.w_normal, uniform = v->init == s->words.w_uniform;
    if (normal && !(v->init_args[1] >= 0))
        sema_report(s, E0236, x->children[2]->at, "a deviation is not below 0");
    else if (uniform && !(v->init_args[0] <= v->init_args[1]))
        sema_report(s, E0236, x->at, "uniform(low, high) goes from the lower to the higher");
    else
        return true;
    return false;
}

static bool read_init(elaboration *e, const ast_node *init, graph_variable *v)
{
    const ast_node *x = init->children[0];
    if (x->poisoned || !init_known(e->sema, x))
        return false;
    const ast_node *name = x->kind == AST_CALL ? x->children[0] : x;
    size_t needed = x->kind == AST_CALL ? x->count - 1 : 0;
    v->init = name->name;
    for (size_t i = 0; i < needed; i++) {
        if (x->children[i + 1]->kind == AST_NAMED)
            return false; /* reported by the check of names */
        value a = elab_expression(e, x->children[i + 1]);
        if (a.kind == VALUE_DIM)
            a = value_number((double)a.dim->size);
        if (a.kind != VALUE_NUMBER) {
            if (a.kind != VALUE_POISON)
                sema_report(e->sema, E0208, x->children[i + 1]->at,
                            "a number is expected here, not %s", value_words(&a, e->sema->memory));
            return false;
        }
        v->init_args[i] = a.number;
    }
    return init_in_range(e->sema, x, v);
}

/* The dimensions that a `param`, `state` or `input` declares; -1 after a report. */
static int read_dims(elaboration *e, const ast_node *type, label **labels)
{
    const ast_node *dims = type ? ast_child(type, AST_DIMS) : NULL;
    int count = 0;
    for (size_t i = 0; dims && i < dims->count; i++) {
        const ast_node *d = dims->children[i];
        if (count == GRAPH_MAX_RANK - 1) {
            sema_report(e->sema, E0238, dims->at, "a tensor has at most %d dimensions",
                        GRAPH_MAX_RANK - 1);
            return -1;
        }
        label *l = d->kind == AST_REST ? NULL : elab_dim(e, d);
        if (!l) {
            if (d->kind == AST_REST)
                sema_report(e->sema, E0220, d->at, "'..' stands in a head alone");
            return -1;
        }
        for (int k = 0; k < count; k++)
            if (labels[k] == l) {
                sema_report(e->sema, E0212, d->at, "dimension '%s' stands twice", l->name);
                return -1;
            }
        labels[count++] = l;
    }
    return count;
}

/* The variable at `path`, made when the first function meets it. */
static int variable_at(elaboration *e, const ast_node *node, graph_variable made)
{
    uintptr_t known = (uintptr_t)table_get(&e->variables, made.path, 0);
    if (known)
        return (int)known - 1;
    double elements = 1;
    for (int i = 0; i < made.type.rank; i++)
        elements *= (double)e->graph->dims.items[made.type.dims[i]].size;
    if (elements > 1e15) {
        sema_report(e->sema, E0238, node->at, "'%s' would have %.3g elements", made.path, elements);
        return -1;
    }
    for (int i = 0; i < GRAPH_MAX_RANK; i++)
        made.layout.axis[i] = NO_AXIS;
    int index = graph_variable_add(e->graph, made);
    table_set(&e->variables, made.path, 0, (void *)((uintptr_t)index + 1));
    return index;
}

/* The variable inside the repeat `s`, built by `inside`: a slice of what it is around the repeat. */
static build_operand slice_inside(elaboration *e, const scan *s, build *inside, int index,
                                  const atom *texts)
{
    inside->at = e->build->at;
    if (!s)
        return build_variable(inside, index, texts);
    return build_repeat_stacked(inside, slice_inside(e, s->around, s->outer, index, texts));
}

/* The dimensions of the repeats around, the outermost first. */
static int leading_labels(const scan *s, label **labels)
{
    int count = s ? leading_labels(s->around, labels) : 0;
    if (s && count < GRAPH_MAX_RANK)
        labels[count++] = s->leading;
    return count;
}

/* Dimensions of a variable as they are declared, behind those of the repeats around; -1 after a report. */
static int variable_dims(elaboration *e, const ast_node *type, label **labels)
{
    label *own[GRAPH_MAX_RANK];
    int rank = read_dims(e, type, own), leading = leading_labels(e->scan, labels);
    if (rank < 0)
        return -1;
    if (rank + leading > GRAPH_MAX_RANK) {
        sema_report(e->sema, E0238, type->at,
                    "with its repeats, this has %d dimensions, and a tensor at most %d",
                    rank + leading, GRAPH_MAX_RANK);
        return -1;
    }
    memcpy(labels + leading, own, sizeof *own * (size_t)rank);
    return rank + leading;
}

/* Reads a variable where it is declared. */
static build_operand read_variable(elaboration *e, int index, label *const *labels, int rank)
{
    atom texts[GRAPH_MAX_RANK];
    index = average_of(e, index);
    for (int i = 0; i < rank; i++)
        texts[i] = labels[i]->text;
    return slice_inside(e, e->scan, e->build, index, texts);
}

static void declare(elaboration *e, const ast_node *node, variable_kind kind)
{
    label *labels[GRAPH_MAX_RANK];
    elab_place(e, node->at);
    int rank = variable_dims(e, ast_child(node, AST_TYPE), labels);
    graph_variable v = {.kind = kind, .of = -1, .init = e->sema->words.w_zeros, .at = node->at};
    const ast_node *init = ast_child(node, AST_INIT);
    value read = value_poison();
    int index = -1;
    if (rank >= 0 && (!init || read_init(e, init, &v))) {
        v.path = joined(e, e->frame->own_path, node->name);
        v.stacked = e->scan != NULL;
        v.type = (graph_type){.dtype = e->real, .rank = rank};
        for (int i = 0; i < rank; i++)
            v.type.dims[i] = labels[i]->dim;
        index = variable_at(e, node, v);
        path_node *place = kind == VARIABLE_PARAMETER
                               ? path_inside(e->frame->place, PATH_PARAMETER, node->name, node->at)
                               : NULL;
        if (place)
            place->variable = index;
        if (index >= 0)
            read = elab_tensor(e, node, read_variable(e, index, labels, rank));
    }
    binding *b = frame_bind(e, node->name, read, node->at);
    b->variable = index;
    b->is_state = kind == VARIABLE_STATE;
    if (b->is_state && index >= 0)
        vec_push(e->sema->memory, &e->frame->states, b);
}

void elab_state_write(elaboration *e, int variable, build_operand x)
{
    if (!e->scan) {
        build_assign(e->build, variable, x);
        return;
    }
    vec_push(e->sema->memory, &e->scan->stacked_states, variable);
    vec_push(e->sema->memory, &e->scan->stacked_results, x);
}

/* What a state was bound to last becomes its value for the next step. */
static void write_states(elaboration *e)
{
    frame *f = e->frame;
    for (size_t i = 0; e->learning && i < f->states.count; i++) {
        const binding *first = f->states.items[i], *now = frame_lookup(e, first->name);
        if (now == first || now->value.kind == VALUE_POISON)
            continue;
        build_operand x;
        graph_variable *v = &e->graph->variables.items[first->variable];
        elab_place(e, now->at);
        const ast_node here = {.at = now->at};
        if (!elab_as_tensor(e, &here, now->value, v->type.dtype, &x))
            continue;
        if (tensor_rank(&x) != tensor_rank(&first->value.tensor)) {
            sema_report(e->sema, E0219, now->at,
                        "state '%s' becomes a tensor %s of other dimensions", first->name,
                        tensor_words(&x, e->sema->memory));
            continue;
        }
        x = build_transpose(e->build, x, first->value.tensor.labels);
        if (!x.value)
            continue;
        elab_state_write(e, first->variable, x);
    }
}

static void assign(elaboration *e, const ast_node *node)
{
    const ast_node *x = node->children[0];
    frame *f = e->frame;
    atom before = f->path;
    path_node *around = f->place;
    f->path = joined(e, before, node->name);
    f->place = path_inside(around, PATH_RESULT, node->name, node->at);
    value v = x->kind == AST_REPEAT ? elab_repeat(e, x, node->name) : elab_expression(e, x);
    f->path = before;
    f->place = around;
    const binding *old = frame_lookup(e, node->name);
    if (v.kind == VALUE_TENSOR && !v.tensor.value->name && v.tensor.value->producer)
        v.tensor.value->name = node->name;
    binding *b = frame_bind(e, node->name, v, node->at);
    if (old && old->is_state) {
        b->variable = old->variable;
        b->is_state = true;
    }
}

static void metric_statement(elaboration *e, const ast_node *node)
{
    if (!e->measuring)
        return;
    value v = elab_expression(e, node->children[0]);
    build_operand x;
    if (v.kind == VALUE_POISON || !elab_as_tensor(e, node, v, e->real, &x))
        return;
    if (tensor_rank(&x)) {
        diag *d = sema_report(e->sema, E0222, node->at, "metric '%s' is one number, and this is %s",
                              node->name, value_words(&v, e->sema->memory));
        diag_fix(d, v.tensor.value->type.dtype == DTYPE_BOOL ? "mean(number(…))" : "mean(…)");
        return;
    }
    vec_push(e->sema->memory, &e->metrics, (metric){node->name, x, node->at});
}

static void if_statement(elaboration *e, const ast_node *node)
{
    bool holds;
    if (!elab_flag(e, node->children[0], &holds)) {
        e->frame->returned = true;
        e->frame->result = value_poison();
        return;
    }
    if (holds) {
        elab_body(e, ast_child(node, AST_BODY));
        return;
    }
    const ast_node *other = ast_child(node, AST_ELSE);
    if (!other || !other->count)
        return;
    if (other->children[0]->kind == AST_IF)
        if_statement(e, other->children[0]);
    else
        elab_body(e, other->children[0]);
}

/* The first parameter in the condition that the call gives a value; NULL: what does not hold is another's fault. */
static const parameter *asked_of(const frame *f, const ast_node *x)
{
    const parameter *p = x->kind == AST_NAME ? definition_parameter(f->of, x->name) : NULL;
    if (p && f->given && f->given[p - f->of->parameters])
        return p;
    for (size_t i = 0; i < x->count; i++)
        if ((p = asked_of(f, x->children[i])))
            return p;
    return NULL;
}

static const ast_node *argument_of(const frame *f, const parameter *p)
{
    const ast_node *arg = f->given[p - f->of->parameters];
    return arg->kind == AST_NAMED ? arg->children[0] : arg;
}

/* Said at the argument, or where the caller was given it in its turn, with what it is where that is a number. */
static void report_required(elaboration *e, const ast_node *node)
{
    const frame *f = e->frame;
    const parameter *p = asked_of(f, node->children[0]), *of = p;
    const ast_node *arg = p ? argument_of(f, p) : NULL;
    const binding *b = p ? frame_lookup(e, p->name) : NULL;
    text words = text_in(e->sema->memory), is = text_in(e->sema->memory);
    span entry = e->sema->entry;
    ast_write(node->children[0], &words);
    if (b && b->value.kind == VALUE_NUMBER)
        text_add(&is, ", and '%s' is %.10g", p->name, b->value.number);
    for (f = f->caller; arg && arg->kind == AST_NAME && (of = asked_of(f, arg)); f = f->caller)
        arg = argument_of(f, of);
    if (arg && !f->file->library)
        e->sema->entry = (span){0}; /* the argument is one's own */
    diag *d = sema_report(e->sema, E0236, arg ? arg->at : node->at, "'%s' requires %s%s",
                          e->frame->of->name, text_done(&words), text_done(&is));
    e->sema->entry = entry;
    if (arg)
        diag_note(d, node->at, "required here");
}

/* What depends on the step is not known yet, and nothing is asked of it. */
static void require_statement(elaboration *e, const ast_node *node)
{
    const ast_node *x = node->children[0];
    value v = elab_expression(e, x);
    bool later = v.kind == VALUE_TENSOR && e->scheduling && tensor_rank(&v.tensor) == 0;
    if (later || (v.kind == VALUE_FLAG && v.flag))
        return;
    if (v.kind == VALUE_FLAG)
        report_required(e, node);
    else if (v.kind != VALUE_POISON)
        sema_report(e->sema, E0217, x->at,
                    "what is required is known when the plan is compiled, and this is %s",
                    value_words(&v, e->sema->memory));
    e->frame->returned = true;
    e->frame->result = value_poison();
}

static void statement(elaboration *e, const ast_node *node)
{
    switch (node->kind) {
    case AST_ASSIGN:
        assign(e, node);
        break;
    case AST_PARAM:
        declare(e, node, VARIABLE_PARAMETER);
        break;
    case AST_STATE:
        if (e->updated)
            optimizer_state(e, node);
        else
            declare(e, node, VARIABLE_STATE);
        break;
    case AST_INPUT:
        input_statement(e, node);
        break;
    case AST_METRIC:
        metric_statement(e, node);
        break;
    case AST_IF:
        if_statement(e, node);
        break;
    case AST_REQUIRE:
        require_statement(e, node);
        break;
    case AST_RETURN:
        e->frame->result = elab_expression(e, node->children[0]);
        e->frame->returned = true;
        break;
    default: /* reported by the check of names */
        break;
    }
}

bool elab_full(elaboration *e, const ast_node *node, int more)
{
    if (e->graph->next_value - e->setup->derived + more < ELAB_MOST_OPS)
        return false;
    if (!e->too_deep) {
        diag *d = sema_report(e->sema, E0238, node->at, "more than %d operators", ELAB_MOST_OPS);
        diag_fix(d, "'repeat' writes the operators of a layer once, however often it is called");
    }
    e->too_deep = true;
    return true;
}

void elab_body(elaboration *e, const ast_node *body)
{
    bool whole =
        body && body->parent && body->parent->kind != AST_IF && body->parent->kind != AST_ELSE;
    for (size_t i = 0; body && i < body->count && !e->frame->returned; i++) {
        const ast_node *node = body->children[i];
        if (elab_full(e, node, 0)) {
            e->frame->returned = true;
            return;
        }
        if (!node->poisoned)
            statement(e, node);
        else if (node->name && node->kind != AST_IF)
            frame_bind(e, node->name, value_poison(), node->at);
        else if (node->kind != AST_METRIC) {
            e->frame->returned = true;
            e->frame->result = value_poison();
        }
    }
    if (whole && !e->updated)
        write_states(e);
}
