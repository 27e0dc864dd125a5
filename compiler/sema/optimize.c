/* optimize.c: behind the forward part of `step`: gradients, clipping, and the optimizer, parameter by parameter. */
#include "sema/train.h"

#include "pass/differentiate.h"

#include <string.h>

static ast_node here(const elaboration *e)
{
    const setup *u = e->setup;
    return (ast_node){.kind = AST_CLAUSE,
                      .at = u->optimizer     ? u->optimizer->at
                            : u->rules.count ? u->rules.items[0].at
                                             : SPAN_NONE};
}

static build_operand map2(elaboration *e, op_kind kind, build_operand x, build_operand y)
{
    return build_map(e->build, kind, (build_operand[]){x, y}, 2);
}

/* A parameter as an operand, with a label of its own for each slot. */
static build_operand operand_of(graph_value *v, label *const *labels)
{
    build_operand x = {.value = v};
    for (int i = 0; v && i < v->type.rank; i++)
        x.labels[i] = labels[i]->text;
    return x;
}

static void label_slots(elaboration *e, const graph_variable *v, label **labels)
{
    for (int i = 0; i < v->type.rank; i++) {
        const char *name = e->graph->dims.items[v->type.dims[i]].name;
        for (int k = 0; k < i; k++) /* one dimension may stand twice, and its slots are two */
            if (!strcmp(labels[k]->name, name))
                name = arena_format(e->sema->memory, "%s'", name);
        labels[i] = label_new(e->graph, atom_of(e->sema->atoms, name), v->type.dims[i], v->at);
        labels[i]->home = e->frame;
    }
}

/* Square root of the sum of squares over all gradients. */
static build_operand gradient_norm(elaboration *e, const updated *all, int count)
{
    build_operand total = {.value = NULL};
    for (int i = 0; i < count; i++) {
        build_operand g = all[i].gradient;
        atom labels[GRAPH_MAX_RANK];
        for (int k = 0; k < tensor_rank(&g); k++)
            labels[k] = g.labels[k];
        build_operand square = map2(e, OP_mul, g, g);
        build_operand sum = build_reduce(e->build, OP_sum, square, labels, tensor_rank(&g));
        total = total.value ? map2(e, OP_add, total, sum) : sum;
    }
    return build_unary(e->build, OP_sqrt, total);
}

/* As PyTorch's clip_grad_norm_: all gradients times min(1, clip / (norm + 1e-6)). */
static void clip_by_norm(elaboration *e, updated *all, int count, build_operand norm)
{
    build_operand limit = build_constant(e->build, e->real, e->setup->out->clip);
    build_operand safe = map2(e, OP_add, norm, build_constant(e->build, e->real, 1e-6));
    build_operand factor =
        map2(e, OP_min, build_constant(e->build, e->real, 1), map2(e, OP_div, limit, safe));
    for (int i = 0; i < count; i++)
        all[i].gradient = map2(e, OP_mul, all[i].gradient, factor);
}

static void clip_by_value(elaboration *e, updated *all, int count)
{
    double limit = constant_of(e->sema, e->setup->clip_value).number;
    for (int i = 0; i < count; i++) {
        build_operand low =
            map2(e, OP_max, all[i].gradient, build_constant(e->build, e->real, -limit));
        all[i].gradient = map2(e, OP_min, low, build_constant(e->build, e->real, limit));
    }
}

/* `state v init zeros`: of the parameter's own shape. */
void optimizer_state(elaboration *e, const ast_node *node)
{
    updated *p = e->updated;
    const graph_variable *of = &e->graph->variables.items[p->variable];
    graph_variable v = {
        .kind = VARIABLE_OPTIMIZER, .type = of->type, .of = p->variable, .at = node->at};
    v.layout = of->layout;
    v.stacked = of->stacked;
    v.path = atom_of(e->sema->atoms, arena_format(e->sema->memory, "%s/%s", of->path, node->name));
    const ast_node *init = ast_child(node, AST_INIT);
    v.init = e->sema->words.w_zeros;
    if (init && init->children[0]->kind == AST_NAME &&
        (init->children[0]->name == e->sema->words.w_ones ||
         init->children[0]->name == e->sema->words.w_zeros))
        v.init = init->children[0]->name;
    else if (init)
        sema_report(e->sema, E0201, init->children[0]->at,
                    "a state of an optimizer begins as zeros or ones");
    int index = graph_variable_add(e->graph, v);
    atom labels[GRAPH_MAX_RANK];
    for (int i = 0; i < v.type.rank; i++)
        labels[i] = p->labels[i]->text;
    elab_place(e, node->at);
    value read = elab_tensor(e, node, build_variable(e->build, index, labels));
    binding *b = frame_bind(e, node->name, read, node->at);
    b->variable = index;
    b->is_state = true;
    vec_push(e->sema->memory, &p->states, b);
}

/* What the variable becomes, in all of its dimensions. */
static bool next_value(elaboration *e, int variable, const binding *b, const updated *p,
                       build_operand *out)
{
    build_operand x;
    const graph_variable *v = &e->graph->variables.items[variable];
    const ast_node at = {.at = b->at};
    elab_place(e, b->at);
    if (!elab_as_tensor(e, &at, b->value, v->type.dtype, &x))
        return false;
    if (tensor_rank(&x) < v->type.rank) {
        build_dims all = {.rank = v->type.rank};
        for (int i = 0; i < all.rank; i++) {
            all.dims[i] = v->type.dims[i];
            all.labels[i] = p->labels[i]->text;
        }
        x = build_broadcast(e->build, x, &all);
    }
    if (!x.value || tensor_rank(&x) != v->type.rank) {
        sema_report(e->sema, E0219, b->at, "'%s' becomes a tensor of other dimensions", b->name);
        return false;
    }
    *out = x;
    return true;
}

static bool write(elaboration *e, int variable, const binding *b, const updated *p)
{
    build_operand x;
    if (!next_value(e, variable, b, p, &x))
        return false;
    build_assign(e->build, variable, x);
    return true;
}

static bool write_parameter(elaboration *e, const binding *b, const updated *p)
{
    build_operand x;
    if (!next_value(e, p->variable, b, p, &x))
        return false;
    build_assign(e->build, p->variable, x);
    return average_write(e, p, x);
}

/* The optimizer's body for one parameter; its arguments are bound already. */
static bool update_one(elaboration *e, const definition *d, const frame *arguments, updated *p)
{
    frame *f = frame_push(e, d, p->at);
    f->given = arguments->given;
    for (size_t i = 0; i < arguments->names.room; i++) {
        const table_slot *slot = &arguments->names.slots[i];
        if (slot->name)
            table_set(&f->names, slot->name, slot->kind, slot->item);
    }
    const ast_node *updates = ast_child(d->node, AST_UPDATES);
    p->p = updates->children[0]->name;
    p->g = updates->children[1]->name;
    for (int i = 0; i < tensor_rank(&p->value); i++)
        p->labels[i]->home = f;
    f->path = e->graph->variables.items[p->variable].path;
    frame_bind(e, p->p, (value){.kind = VALUE_TENSOR, .tensor = p->value, .quantity = BARE},
               d->node->at);
    frame_bind(e, p->g, (value){.kind = VALUE_TENSOR, .tensor = p->gradient, .quantity = BARE},
               d->node->at);
    const binding *before = frame_lookup(e, p->p);
    e->updated = p;
    elab_body(e, ast_child(d->node, AST_BODY));
    e->updated = NULL;
    const binding *after = frame_lookup(e, p->p);
    bool fine = after != before;
    if (after == before && !f->returned && !d->unknown->count) {
        sema_report(e->sema, E0223, updates->children[0]->at, "optimizer '%s' never changes '%s'",
                    d->name, p->p);
    }
    for (size_t i = 0; fine && i < p->states.count; i++) {
        const binding *now = frame_lookup(e, p->states.items[i]->name);
        if (now != p->states.items[i])
            fine = write(e, p->states.items[i]->variable, now, p);
    }
    fine = fine && write_parameter(e, after, p);
    frame_pop(e);
    return fine;
}

static void add_scalar(elaboration *e, const char *name, result_kind kind, build_operand x)
{
    if (!x.value)
        return;
    vec_push(e->graph->memory, &e->function->results,
             (graph_result){atom_of(e->sema->atoms, name), kind, x.value});
    vec_push(e->graph->memory, &e->function->region.results, x.value);
}

/* The optimizer's `lr`, as the step has it, becomes a result. */
static void add_rate(elaboration *e, frame *arguments)
{
    const binding *b = table_get(&arguments->names, e->sema->words.w_lr, NAME_VALUE);
    build_operand x;
    const ast_node at = here(e);
    if (b && elab_as_tensor(e, &at, b->value, DTYPE_F64, &x) && tensor_rank(&x) == 0)
        add_scalar(e, "lr", RESULT_LEARNING_RATE, x);
}

/* `optimizer sgd` without arguments is `sgd()`. */
static const ast_node *call_of(elaboration *e, const ast_node *x)
{
    if (x->kind == AST_CALL)
        return x;
    ast_node *call = ast_new(e->sema->memory, AST_CALL, x->at);
    call->children = arena_array(e->sema->memory, ast_node *, 1);
    call->children[0] = (ast_node *)(uintptr_t)x;
    call->count = 1;
    return call;
}

/* One call of an optimizer, for the parameters of its rule. */
typedef struct update_call {
    const ast_node *call;
    updated *all;
    int count;
    const int *rule_of;
    int rule; /* 0: of the parameters that no path names */
} update_call;

static frame *bind_arguments(elaboration *e, const definition *d, const ast_node *call)
{
    elab_place(e, call->at);
    frame *train = e->frame, *arguments = frame_push(e, d, call->at);
    e->frame = train;
    if (d->file->library)
        e->sema->entry = call->at;
    elab_arguments(e, d, call, arguments);
    e->sema->entry = (span){0};
    e->frame = arguments;
    frame_pop(e);
    return arguments->returned ? NULL : arguments;
}

static bool update_by(elaboration *e, const update_call *u)
{
    const ast_node *call = call_of(e, u->call);
    const definition *d =
        scope_find(e->sema, e->setup->train->file, AST_OPTIMIZER, call->children[0]->name);
    frame *arguments = d->poisoned ? NULL : bind_arguments(e, d, call);
    bool fine = arguments != NULL, any = false;
    if (fine && u->rule == 0)
        add_rate(e, arguments);
    if (d->file->library)
        e->sema->entry = call->at;
    for (int i = 0; fine && i < u->count; i++) {
        if (u->rule_of[u->all[i].variable] != u->rule)
            continue;
        any = true;
        u->all[i].at = call->at;
        fine = update_one(e, d, arguments, &u->all[i]);
    }
    e->sema->entry = (span){0};
    if (fine && !any && u->rule == 0) {
        diag *report = sema_report(e->sema, E0223, call->at,
                                   "every trained parameter has another optimizer than this one");
        diag_fix(report, "leave it out");
    }
    return fine;
}

static bool all_have_rules(elaboration *e, const update_call *u)
{
    const ast_node *train = e->setup->train->node;
    for (int i = 0; i < u->count; i++) {
        int variable = u->all[i].variable;
        if (u->rule_of[variable])
            continue;
        diag *d = sema_report(e->sema, E0226, train->name_at,
                              "train '%s' does not say with which optimizer '%s' is trained",
                              train->name, e->graph->variables.items[variable].path);
        diag_fix(d, "an optimizer without 'for' is for all that the others leave");
        return false;
    }
    return true;
}

static bool update_all(elaboration *e, updated *all, int count)
{
    setup *s = e->setup;
    update_call u = {.all = all, .count = count, .rule_of = optimizer_rules_place(e)};
    if (!u.rule_of)
        return false;
    average_begin(e);
    e->scheduling = true;
    bool fine = s->optimizer || all_have_rules(e, &u);
    u.rule = !s->optimizer;
    for (; fine && u.rule <= (int)s->rules.count; u.rule++) {
        u.call = u.rule ? s->rules.items[u.rule - 1].call : s->optimizer;
        fine = update_by(e, &u);
    }
    e->scheduling = false;
    return fine;
}

/* Adds x over the microbatches of a step. Returns the sum's variable. */
static int sum_add(elaboration *e, atom path, int of, build_operand x)
{
    graph_variable v = {.kind = VARIABLE_SUM, .type = x.value->type, .of = of, .at = here(e).at};
    v.path = atom_of(e->sema->atoms, arena_format(e->sema->memory, "%s/sum", path));
    v.init = e->sema->words.w_zeros;
    v.stacked = of >= 0 && e->graph->variables.items[of].stacked;
    int index = graph_variable_add(e->graph, v);
    double share = 1.0 / (double)e->setup->out->microbatches;
    build_operand part = map2(e, OP_mul, x, build_constant(e->build, x.value->type.dtype, share));
    build_accumulate(e->build, index, part);
    return index;
}

/* Puts the operators from number `first` on each behind the last one that it needs, so that a gradient's memory is free as
 * soon as it is added. */
static void move_up(elaboration *e, size_t first)
{
    graph_op_vec *ops = &e->function->region.ops, moved = {.items = NULL};
    int *behind = arena_array(e->sema->memory, int, (size_t)e->graph->next_value + 1);
    int *key = arena_array(e->sema->memory, int, ops->count + 1);
    size_t *head = arena_array(e->sema->memory, size_t, first + 1); /* number + 1, in lists */
    size_t *next = arena_array(e->sema->memory, size_t, ops->count + 1);
    for (size_t i = 0; i < ops->count; i++) {
        const graph_op *op = ops->items[i];
        for (size_t k = 0; i >= first && k < op->inputs.count; k++)
            if (behind[op->inputs.items[k]->id] > key[i])
                key[i] = behind[op->inputs.items[k]->id];
        for (size_t k = 0; k < op->outputs.count; k++)
            behind[op->outputs.items[k]->id] = i < first ? (int)i : key[i];
    }
    for (size_t i = ops->count; i-- > first;) {
        next[i] = head[key[i]];
        head[key[i]] = i + 1;
    }
    for (size_t i = 0; i < first; i++) {
        vec_push(e->graph->memory, &moved, ops->items[i]);
        for (size_t k = head[i]; k > 0; k = next[k - 1])
            vec_push(e->graph->memory, &moved, ops->items[k - 1]);
    }
    *ops = moved;
}

/* From here on operators are those of `step`, and what came before is `accumulate`: a microbatch's. */
static void begin_step(elaboration *e)
{
    graph *g = e->graph;
    graph_function *part = e->function;
    part->name = atom_of(g->atoms, "accumulate");
    part->results.count = part->gradients.count = part->region.results.count = 0;
    e->function = graph_function_add(g, "step");
    build *root = arena_make(g->memory, build);
    *root = build_at(g, &e->function->region, here(e).at);
    e->build = e->root = root;
    e->clocks = table_in(e->sema->memory);
    elab_place(e, here(e).at);
}

/* The gradients and results of a microbatch, each share of a step's, are added up; the step goes on with the sums. */
static void sum_microbatches(elaboration *e, updated *all, int count)
{
    graph *g = e->graph;
    int *sums = arena_array(e->sema->memory, int, (size_t)count + 1);
    size_t results = e->function->results.count;
    size_t before = e->function->region.ops.count;
    graph_result *said = arena_array(e->sema->memory, graph_result, results + 1);
    int *totals = arena_array(e->sema->memory, int, results + 1);
    for (int i = 0; i < count; i++)
        sums[i] =
            sum_add(e, g->variables.items[all[i].variable].path, all[i].variable, all[i].gradient);
    for (size_t i = 0; i < results; i++) {
        said[i] = e->function->results.items[i];
        totals[i] = sum_add(e, said[i].name, -1, (build_operand){.value = said[i].value});
    }
    move_up(e, before);
    begin_step(e);
    for (size_t i = 0; i < results; i++)
        add_scalar(e, said[i].name, said[i].kind, build_variable(e->build, totals[i], NULL));
    for (int i = 0; i < count; i++) {
        atom labels[GRAPH_MAX_RANK];
        for (int k = 0; k < tensor_rank(&all[i].value); k++)
            labels[k] = all[i].labels[k]->text;
        all[i].value = build_variable(e->build, all[i].variable, labels);
        all[i].gradient = build_variable(e->build, sums[i], labels);
        vec_push(g->memory, &e->function->gradients,
                 (graph_gradient){all[i].variable, all[i].gradient.value});
    }
}

/* Of each parameter's gradient: its square, their sum, and that added to the others'. */
enum { OPS_OF_NORM = 3 };

bool optimize_build(elaboration *e)
{
    graph *g = e->graph;
    size_t variables = g->variables.count;
    graph_value **gradients = arena_array(e->sema->memory, graph_value *, variables + 1);
    updated *all = arena_array(e->sema->memory, updated, variables + 1);
    int count = 0;
    const ast_node at = here(e);
    elab_place(e, at.at);
    int own = g->next_value;
    if (!e->sema->checking)
        pass_differentiate(g, e->function, e->loss.value, gradients);
    e->setup->derived += g->next_value - own;
    for (size_t i = 0; i < variables; i++) {
        const graph_variable *v = &g->variables.items[i];
        bool updates = v->kind == VARIABLE_PARAMETER && !v->frozen;
        if (!updates || (!e->sema->checking && !gradients[i]))
            continue;
        updated *p = &all[count++];
        p->variable = (int)i;
        label_slots(e, v, p->labels);
        atom labels[GRAPH_MAX_RANK];
        for (int k = 0; k < v->type.rank; k++)
            labels[k] = p->labels[k]->text;
        p->value = build_variable(e->build, (int)i, labels);
        /* Where only errors are looked for, the parameter stands in for its gradient: the same shape is checked. */
        p->gradient = gradients[i] ? operand_of(gradients[i], p->labels) : p->value;
    }
    if (!count)
        return true;
    if (elab_full(e, e->setup->optimizer ? e->setup->optimizer : e->setup->train->node,
                  count * OPS_OF_NORM))
        return false;
    own = g->next_value;
    if (e->setup->out->microbatches > 1 && !e->sema->checking)
        sum_microbatches(e, all, count);
    e->setup->derived += g->next_value - own;
    build_operand norm = gradient_norm(e, all, count);
    if (e->setup->out->clip > 0)
        clip_by_norm(e, all, count, norm);
    if (e->setup->clip_value)
        clip_by_value(e, all, count);
    if (!update_all(e, all, count))
        return false;
    add_scalar(e, "grad_norm", RESULT_GRAD_NORM, norm);
    return true;
}
