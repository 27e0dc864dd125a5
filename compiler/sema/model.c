/* model.c: the functions `step`, `eval` and, for samples, `scores` of a train: inputs, the model's body, its results. */
#include "sema/sampling.h"

#include "pass/incremental.h"

#include <math.h>
#include <string.h>

/* Samples per row: the dimension in front of every input. */
static label *batch_label(elaboration *e, const ast_node *dim)
{
    if (dim->kind != AST_NAME) {
        sema_report(e->sema, E0220, dim->at,
                    "the first dimension of an input is the batch: a name");
        return NULL;
    }
    if (e->batch && e->batch->name == dim->name)
        return e->batch;
    if (e->batch) {
        diag *d =
            sema_report(e->sema, E0210, dim->at, "the batch is called '%s' here and '%s' before",
                        dim->name, e->batch->name);
        diag_note(d, e->batch->at, "'%s' here", e->batch->name);
        return NULL;
    }
    dim_id id = e->learning
                    ? graph_dim_add(e->graph, dim->name, train_microbatch(e->setup->out), dim->at)
                    : 0;
    while (!e->graph->dims.items[id].batch && !e->learning)
        id++;
    e->graph->dims.items[id].batch = true;
    e->batch = label_new(e->graph, dim->name, id, dim->at);
    e->batch->home = e->frame;
    frame_bind_dim(e, dim->name, e->batch);
    return e->batch;
}

static bool is_stray(const setup *u, const data_field *f)
{
    const ast_node *body = ast_child(u->model->node, AST_BODY);
    for (size_t k = 0; k < body->count; k++)
        if (body->children[k]->kind == AST_INPUT && body->children[k]->name == f->name)
            return false;
    return !f->taken;
}

/* A field of the data that is no input and nearly called like this one, or the only one that is none. */
static bool misspelt_field(setup *u, const ast_node *input)
{
    data_field *meant = NULL;
    int strays = 0;
    bool near = false;
    for (size_t i = 0; i < u->fields.count && !near; i++) {
        data_field *f = &u->fields.items[i];
        nearest n = nearest_to(f->name);
        nearest_offer(&n, input->name);
        near = is_stray(u, f) && nearest_found(&n);
        meant = is_stray(u, f) ? f : meant;
        strays += is_stray(u, f);
    }
    if (!near && strays != 1)
        return false;
    diag *d = sema_report(u->sema, E0227, meant->node->name_at, "model '%s' has no input '%s'",
                          u->model->name, meant->name);
    diag_fix_edit(d, meant->node->name_at, input->name,
                  near ? "did you mean '%s'?" : "the input is called '%s'", input->name);
    meant->taken = true;
    return true;
}

static void report_no_field(setup *u, const ast_node *input)
{
    if (u->model->unknown->count || misspelt_field(u, input))
        return; /* what the body does not know may be this input */
    diag *d = sema_report(u->sema, E0227, u->data ? u->data->at : u->train->node->name_at,
                          "the data does not say where '%s' is", input->name);
    diag_note(d, input->at, "'%s' is declared here", input->name);
    diag_fix(d, "%s(…, %s = …)", u->out->data.format, input->name);
}

static void report_no_size(elaboration *e, const ast_node *dim)
{
    if (!definition_first_unknown(e->frame->of, dim->name))
        return;
    nearest n = nearest_to(dim->name);
    nearest_offer_all(&n, &e->frame->names, NAME_DIM);
    diag *d =
        sema_report(e->sema, E0209, dim->at, "nothing says how large dimension '%s' is", dim->name);
    if (nearest_found(&n))
        diag_fix_edit(d, dim->at, n.best, "did you mean '%s'?", n.best);
    else
        diag_fix(d, "make it a parameter of the model: %s: dim", dim->name);
}

/* The one dimension of an input that nothing has sized yet: the data clause does. */
static label *free_dim(elaboration *e, const ast_node *node, const ast_node *dim, int64_t known)
{
    const data_field *f = data_field_find(e->setup, node->name);
    int64_t there = f && f->first >= 0 ? f->last - f->first + 1 : 0;
    if (!f && !e->setup->streams) {
        report_no_field(e->setup, node);
        return NULL;
    }
    if (!there) {
        report_no_size(e, dim);
        return NULL;
    }
    if (there % known) {
        diag *d = sema_report(e->sema, E0228, f->node->at,
                              "%lld columns do not make rows of %lld for '%s'", (long long)there,
                              (long long)known, node->name);
        diag_note(d, node->at, "'%s' is declared here", node->name);
        return NULL;
    }
    return elab_dim_new(e, dim->name, there / known, dim->at);
}

typedef struct input_dims {
    label *labels[GRAPH_MAX_RANK];
    int rank;
    int64_t elements; /* of one sample */
} input_dims;

static bool sized_dims(elaboration *e, const ast_node *dims, input_dims *in, const ast_node **open)
{
    for (size_t i = 0; i < dims->count; i++) {
        const ast_node *d = dims->children[i];
        if (in->rank == GRAPH_MAX_RANK - 1) {
            sema_report(e->sema, E0238, dims->at, "a tensor has at most %d dimensions",
                        GRAPH_MAX_RANK - 1);
            return false;
        }
        label *l;
        if (i == 0)
            l = batch_label(e, d);
        else if (d->kind == AST_NAME && !frame_dim(e, d->name) && !*open) {
            *open = d;
            in->labels[in->rank++] = NULL;
            continue;
        } else
            l = elab_dim(e, d);
        if (!l)
            return false;
        for (int k = 0; k < in->rank; k++)
            if (in->labels[k] == l) {
                sema_report(e->sema, E0212, d->at, "dimension '%s' stands twice", l->name);
                return false;
            }
        in->elements *= i ? l->size : 1;
        in->labels[in->rank++] = l;
    }
    return true;
}

static bool input_dimensions(elaboration *e, const ast_node *node, const ast_node *dims,
                             input_dims *in)
{
    const ast_node *open = NULL;
    if (!sized_dims(e, dims, in, &open))
        return false;
    if (open) {
        label *l = free_dim(e, node, open, in->elements);
        for (int i = 0; l && i < in->rank; i++)
            if (!in->labels[i])
                in->labels[i] = l;
        return l != NULL;
    }
    const data_field *f = data_field_find(e->setup, node->name);
    int64_t there = f && f->first >= 0 ? f->last - f->first + 1 : in->elements;
    if (there == in->elements)
        return true;
    diag *d = sema_report(e->sema, E0228, f->node->at,
                          "'%s' has %lld elements a sample, and the data gives it %lld columns",
                          node->name, (long long)in->elements, (long long)there);
    diag_note(d, node->at, "'%s' is declared here", node->name);
    return false;
}

/* What the training must know of the field. False after a report. */
static bool note_field(elaboration *e, const ast_node *node, const graph_type *type)
{
    setup *u = e->setup;
    data_field *f = data_field_find(u, node->name);
    training_field out = {.input = node->name,
                          .type = *type,
                          .first_column = -1,
                          .last_column = -1,
                          .scale = 1,
                          .deviation = 1,
                          .at = node->at};
    if (f) {
        f->taken = true;
        out.first_column = f->first;
        out.last_column = f->last;
        out.array = f->array;
        out.holdout_array = f->holdout;
        out.at = f->node->at;
    } else if (u->streams) {
        out.first_column = out.last_column = (int64_t)u->out->data.fields.count;
    } else {
        report_no_field(u, node);
        return false;
    }
    if (type->dtype != DTYPE_I32) {
        out.scale = u->scale;
        out.shift = u->shift;
        out.mean = u->mean;
        out.deviation = u->deviation;
    }
    const ast_node *below = ast_child(node, AST_BELOW);
    if (below) {
        value v = elab_expression(e, below->children[0]);
        if (v.kind == VALUE_DIM)
            v = value_number((double)v.dim->size);
        if (!value_whole(e->sema, below->children[0], v,
                         (whole_range){"the bound of an id", 1, INT32_MAX}, &out.below))
            return false;
    }
    vec_push(u->sema->memory, &u->out->data.fields, out);
    return true;
}

static bool input_dtype(elaboration *e, const ast_node *node, dtype *out)
{
    const ast_node *type = ast_child(node, AST_TYPE);
    const sema_words *w = &e->sema->words;
    bool ids = type->name == w->w_id || type->name == w->w_int;
    *out = ids ? DTYPE_I32 : e->real;
    const ast_node *below = ast_child(node, AST_BELOW);
    if (!type->name ||
        !(ids || type->name == w->w_f32 || type->name == w->w_f64 || type->name == w->w_bf16)) {
        diag *d = sema_report(e->sema, E0218, type->at, "an input is of numbers or of ids%s%s",
                              type->name ? ", not of " : "", type->name ? type->name : "");
        diag_fix(d, "f32[B, P], or id[B] below C");
        return false;
    }
    if (type->name == w->w_id && !below) {
        diag *d = sema_report(e->sema, E0225, node->at, "ids need a bound");
        diag_fix(d, "input %s: id[…] below C", node->name);
        return false;
    }
    if (below && !ids) {
        sema_report(e->sema, E0225, below->at, "only ids have a bound");
        return false;
    }
    return true;
}

void input_statement(elaboration *e, const ast_node *node)
{
    const ast_node *type = ast_child(node, AST_TYPE),
                   *dims = type ? ast_child(type, AST_DIMS) : NULL;
    input_dims in = {.elements = 1};
    dtype element;
    value v = value_poison();
    if (!dims || !dims->count)
        sema_report(e->sema, E0220, node->at, "an input names its dimensions, the batch first");
    else if (input_dtype(e, node, &element) && input_dimensions(e, node, dims, &in)) {
        build_dims all = {.rank = in.rank};
        for (int i = 0; i < in.rank; i++) {
            all.dims[i] = in.labels[i]->dim;
            all.labels[i] = in.labels[i]->text;
        }
        elab_place(e, node->at);
        v = elab_tensor(e, node, build_input(e->build, node->name, element, &all));
        if (e->learning && v.kind == VALUE_TENSOR && !note_field(e, node, &v.tensor.value->type))
            v = value_poison();
    }
    frame_bind(e, node->name, v, node->at);
}

/* Shown at the name that was meant, if there is one. */
static void report_no_loss(elaboration *e, const definition *m)
{
    const ast_node *body = ast_child(m->node, AST_BODY);
    nearest n = nearest_to(e->sema->words.w_loss);
    span at = m->node->name_at;
    for (size_t i = 0; body && i < body->count; i++)
        if (body->children[i]->kind == AST_ASSIGN && body->children[i]->name)
            nearest_offer(&n, body->children[i]->name);
    for (size_t i = 0; nearest_found(&n) && i < body->count; i++)
        if (body->children[i]->kind == AST_ASSIGN && !strcmp(body->children[i]->name, n.best))
            at = body->children[i]->name_at;
    diag *d = sema_report(e->sema, E0222, at, "model '%s' has no 'loss'", m->name);
    if (nearest_found(&n))
        diag_fix_edit(d, at, "loss", "did you mean 'loss'?");
    else
        diag_fix(d, "loss = cross_entropy(y, digit), or what is to become small");
}

/* The model's `loss`: one number. */
static bool read_loss(elaboration *e)
{
    const definition *m = e->setup->model;
    const binding *b = frame_lookup(e, e->sema->words.w_loss);
    if (!b) {
        if (!e->frame->returned) /* else it is reported why */
            report_no_loss(e, m);
        return false;
    }
    if (b->value.kind == VALUE_POISON)
        return false;
    if (b->value.kind != VALUE_TENSOR || tensor_rank(&b->value.tensor) ||
        !is_real(b->value.tensor.value->type.dtype)) {
        diag *d = sema_report(e->sema, E0222, b->at, "the loss is one number, and this is %s",
                              value_words(&b->value, e->sema->memory));
        if (b->value.kind == VALUE_TENSOR)
            diag_fix(d, "loss = mean(…)");
        return false;
    }
    e->loss = b->value.tensor;
    e->loss_at = b->at;
    return true;
}

static void add_result(elaboration *e, atom name, result_kind kind, build_operand x)
{
    vec_push(e->graph->memory, &e->function->results, (graph_result){name, kind, x.value});
    vec_push(e->graph->memory, &e->function->region.results, x.value);
}

/* The parameters at the node and inside it. How many. */
static int freeze_all(graph *g, const path_node *node)
{
    int count = node->variable >= 0;
    if (count)
        g->variables.items[node->variable].frozen = true;
    for (size_t i = 0; i < node->inside.count; i++)
        count += freeze_all(g, node->inside.items[i]);
    return count;
}

/* A path is frozen once. */
static bool is_first_freeze(setup *u, const path_set *sets, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (sets[k].nodes.count && path_sets_overlap(&sets[i], &sets[k])) {
            diag *d = sema_report(u->sema, E0203, u->frozen.items[i]->at, "'%s' is frozen twice",
                                  path_words(sets[i].nodes.items[0], u->sema->memory));
            diag_note(d, u->frozen.items[k]->at, "first here");
            return false;
        }
    return true;
}

static void check_some_left(elaboration *e)
{
    setup *u = e->setup;
    for (size_t i = 0; i < e->graph->variables.count; i++)
        if (e->graph->variables.items[i].kind == VARIABLE_PARAMETER &&
            !e->graph->variables.items[i].frozen)
            return;
    if (u->frozen.count)
        sema_report(u->sema, E0247, u->frozen.items[u->frozen.count - 1]->at,
                    "every parameter is frozen, so there is nothing to train");
}

static void set_frozen(elaboration *e)
{
    setup *u = e->setup;
    path_set *sets = arena_array(u->sema->memory, path_set, u->frozen.count + 1);
    for (size_t i = 0; i < u->frozen.count; i++) {
        const ast_node *said = u->frozen.items[i];
        path_set set;
        int count = 0;
        if (!path_find(u, said, PATH_PARAMETERS, &set))
            continue;
        sets[i] = set;
        if (!is_first_freeze(u, sets, i))
            continue;
        if (set.ranged) {
            diag *d = sema_report(u->sema, E0249, set.range_at,
                                  "'freeze' takes a layer in all of its rounds");
            diag_note(d, set.nodes.items[0]->at, "it is repeated here");
            continue;
        }
        for (size_t k = 0; k < set.nodes.count; k++)
            count += freeze_all(e->graph, set.nodes.items[k]);
        if (!count)
            sema_report(u->sema, E0230, said->at, "nothing under '%s' has parameters",
                        path_words(set.nodes.items[0], u->sema->memory));
    }
    check_some_left(e);
}

static bool check_parameters(elaboration *e)
{
    for (size_t i = 0; i < e->graph->variables.count; i++)
        if (e->graph->variables.items[i].kind == VARIABLE_PARAMETER)
            return true;
    sema_report(e->sema, E0222, e->setup->model->node->name_at,
                "model '%s' has no parameters to train", e->setup->model->name);
    return false;
}

/* What the function gives: the loss and metrics, or the scores alone. False after a report. */
static bool add_results(elaboration *e, bool scores)
{
    if (scores) {
        build_operand x = sampling_scores(e);
        if (x.value)
            add_result(e, atom_of(e->sema->atoms, "scores"), RESULT_SCORES, x);
        return x.value != NULL;
    }
    add_result(e, e->sema->words.w_loss, RESULT_LOSS, e->loss);
    for (size_t i = 0; i < e->metrics.count; i++)
        add_result(e, e->metrics.items[i].name, RESULT_METRIC, e->metrics.items[i].value);
    return true;
}

/* One function; the variables of the first are met again by the others. */
static bool build_function(setup *u, const char *name, table variables, table *made)
{
    int before = diag_error_count(u->sema->diags);
    bool learning = !strcmp(name, "step"), scores = !strcmp(name, "scores");
    graph_function *f = graph_function_add(u->graph, name);
    build root = build_at(u->graph, &f->region, u->model->node->at);
    elaboration e = {.sema = u->sema,
                     .graph = u->graph,
                     .function = f,
                     .build = &root,
                     .root = &root,
                     .learning = learning,
                     .real = u->out->precision,
                     .setup = u,
                     .variables = variables};
    bool held = u->out->data.holdout_share > 0 || u->out->data.holdout_paths.count;
    e.measuring = !scores && (!learning || !held);
    e.clocks = table_in(u->sema->memory);
    frame_push(&e, u->train, u->train->node->at);
    frame *train = e.frame;
    frame *model = frame_push(&e, u->model, u->model_call->at);
    root.trail = (span_vec){0};
    model->place = u->paths;
    e.frame = train;
    elab_arguments(&e, u->model, u->model_call, model);
    e.frame = model;
    bool fine = !model->returned;
    elab_body(&e, ast_child(u->model->node, AST_BODY));
    fine = fine && read_loss(&e) && check_parameters(&e);
    *made = e.variables;
    if (!fine || !add_results(&e, scores) || !learning)
        return fine && f->results.count;
    if (u->sema->body_lost)
        return false; /* paths may lead to what is lost */
    u->shaped = diag_error_count(u->sema->diags) == before;
    set_frozen(&e);
    e.frame = train;
    return diag_error_count(u->sema->diags) == before && !u->poisoned &&
           (u->sema->sampling || optimize_build(&e));
}

/* The functions that draw ids, where the train or the command asks for them. */
static bool build_sampling(setup *u, table variables)
{
    training_sampling *how = &u->out->sampling;
    if (!how->wanted && u->sema->sampling)
        *how = (training_sampling){
            .wanted = true, .length = 200, .temperature = 1, .top_p = 1, .at = u->out->train_at};
    how->printed = how->printed && !u->sema->sampling;
    if (u->sema->sampling)
        u->graph->functions.count = 0;
    return !how->wanted ||
           (build_function(u, "scores", variables, &variables) &&
            pass_incremental(u->graph, u->out, u->sema->diags) && sampling_check(u));
}

static void check_fields(setup *u)
{
    for (size_t i = 0; i < u->fields.count; i++) {
        const data_field *f = &u->fields.items[i];
        if (f->taken || u->model->unknown->count)
            continue;
        nearest n = nearest_to(f->name);
        const ast_node *body = ast_child(u->model->node, AST_BODY);
        for (size_t k = 0; body && k < body->count; k++)
            if (body->children[k]->kind == AST_INPUT && body->children[k]->name)
                nearest_offer(&n, body->children[k]->name);
        diag *d = sema_report(u->sema, E0227, f->node->name_at, "model '%s' has no input '%s'",
                              u->model->name, f->name);
        if (nearest_found(&n))
            diag_fix_edit(d, f->node->name_at, n.best, "did you mean '%s'?", n.best);
    }
}

bool model_build(setup *u)
{
    table variables = table_in(u->sema->memory), made;
    int before = diag_error_count(u->sema->diags);
    bool fine = build_function(u, "step", variables, &made);
    if (diag_error_count(u->sema->diags) == before)
        check_fields(u);
    return fine && diag_error_count(u->sema->diags) == before &&
           build_function(u, "eval", made, &made) && build_sampling(u, made);
}
