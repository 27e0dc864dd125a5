/* Incremental functions: which dimensions are positions, and the walk that writes a function anew. */
#include "pass/incremental_internal.h"

#include "pass/simplify_internal.h"

#include <assert.h>
#include <string.h>

bool incremental_is_along(const incremental *m, dim_id d)
{
    return d < m->dim_count && m->along[d];
}

bool incremental_is_batch(const incremental *m, dim_id d)
{
    return m->g->dims.items[d].batch;
}

int64_t incremental_lead(const incremental *m, dim_id d)
{
    return d < m->dim_count && m->along[d] ? m->lead[d] : 0;
}

/* Rows with a lead, as many dimensions as there are leads. */
static dim_id longer_rows(const incremental *m, int64_t lead)
{
    int64_t size = graph_dim_size(m->g, m->rows) + lead;
    size_t i = 0;
    while (graph_dim_size(m->g, m->longer.items[i]) != size)
        i++;
    return m->longer.items[i];
}

dim_id incremental_dim(const incremental *m, dim_id d)
{
    if (d >= m->dim_count)
        return d;
    if (!m->along[d])
        return m->stands[d];
    return m->lead[d] ? longer_rows(m, m->lead[d]) : m->rows;
}

graph_type incremental_type(const incremental *m, const graph_type *t)
{
    graph_type type = *t;
    for (int slot = 0; slot < t->rank; slot++)
        type.dims[slot] = incremental_dim(m, t->dims[slot]);
    return type;
}

build_operand incremental_labelled(const incremental *m, graph_value *x)
{
    build_operand o = {.value = x};
    for (int slot = 0; slot < x->type.rank; slot++)
        o.labels[slot] = atom_of(m->g->atoms, arena_format(m->g->memory, "%d", slot));
    return o;
}

/* The model's own line that an operator comes from. */
static span model_line(const graph_op *op)
{
    return op->trail.count ? op->trail.items[0] : op->at;
}

bool incremental_refuse(incremental *m, const graph_op *op, const char *why, const char *fix)
{
    diag *d = diag_report(m->diags, E0265, model_line(op), "ids are drawn one by one, and %s", why);
    if (op->trail.count)
        diag_note(d, op->at, "'%s' stands here", op_info_of(op->kind)->name);
    if (m->t->sampling.at.file >= 0)
        diag_note(d, m->t->sampling.at, "the sample is asked for here");
    if (fix)
        diag_fix(d, "%s", fix);
    return false;
}

/* Rows position .. position + T - 1 of every slot of `x` that is over positions. */
static graph_value *rows_of(incremental *m, const graph_value *x)
{
    build_operand table = incremental_labelled(m, m->now[x->id]), order = table;
    for (int slot = 0; slot < x->type.rank; slot++) {
        if (!incremental_is_along(m, x->type.dims[slot]))
            continue;
        build_operand at = {.value = m->position};
        dim_id rows = incremental_dim(m, x->type.dims[slot]);
        build_operand ids =
            build_binary(m->b, OP_add, build_index(m->b, rows, order.labels[slot]), at);
        atom all = atom_of(m->g->atoms, "all");
        atom here = order.labels[slot];
        for (int i = 0; i < x->type.rank; i++)
            if (table.labels[i] == here)
                table.labels[i] = all;
        table = build_gather(m->b, table, all, ids);
    }
    return build_transpose(m->b, table, order.labels).value;
}

graph_value *incremental_operand(incremental *m, const graph_value *x)
{
    return m->whole[x->id] ? rows_of(m, x) : m->now[x->id];
}

/* Sizes of some slots of a type: of positions, of the batch, of the rest. */
typedef struct slot_sizes {
    int along, batch;
    int64_t rest;
} slot_sizes;

static slot_sizes sizes_of(const incremental *m, const graph_type *t, int begin, int end)
{
    slot_sizes s = {.rest = 1};
    for (int slot = begin; slot < end; slot++) {
        s.along += incremental_is_along(m, t->dims[slot]);
        s.batch += incremental_is_batch(m, t->dims[slot]);
        if (!incremental_is_along(m, t->dims[slot]) && !incremental_is_batch(m, t->dims[slot]))
            s.rest *= graph_type_size(m->g, t, slot);
    }
    return s;
}

static dim_id along_of(const incremental *m, const graph_type *t, int begin, int end)
{
    for (int slot = begin; slot < end; slot++)
        if (incremental_is_along(m, t->dims[slot]))
            return t->dims[slot];
    return -1;
}

/* What a reshape makes of positions and of the batch: S under another name, [B, S] as one, [B, A] as one. */
static void find_reshaped(incremental *m, const graph_op *op)
{
    const graph_type *from = &op->inputs.items[0]->type, *to = &op->outputs.items[0]->type;
    reshape_group groups[2 * GRAPH_MAX_RANK];
    int count = op_reshape_groups(m->g, from, to, groups);
    for (int i = 0; i < count; i++) {
        const reshape_group *r = &groups[i];
        dim_id d = r->to_end - r->to_begin == 1 ? to->dims[r->to_begin] : -1;
        if (d < 0 || m->along[d] || incremental_is_batch(m, d) || m->stands[d] != d)
            continue;
        slot_sizes s = sizes_of(m, from, r->from_begin, r->from_end);
        if (s.along == 1 && s.rest == 1) {
            m->along[d] = true;
            m->lead[d] = m->lead[along_of(m, from, r->from_begin, r->from_end)];
        } else if (!s.along && s.batch)
            m->stands[d] =
                graph_dim_add(m->g,
                              atom_of(m->g->atoms, arena_format(m->g->memory, "sample.%s",
                                                                m->g->dims.items[d].name)),
                              s.rest, m->g->dims.items[d].declared);
    }
}

/* Positions moved into a dimension of their own. */
static void find_shifted(incremental *m, const graph_op *op)
{
    incremental_shift shift;
    if (!incremental_shift_of(m, op, &shift) || shift.allowed < 0)
        return;
    dim_id d = op->outputs.items[0]->type.dims[shift.slot];
    int64_t more = graph_dim_size(m->g, d) - graph_dim_size(m->g, m->positions);
    if (m->along[d] || incremental_is_batch(m, d))
        return;
    m->along[d] = true;
    m->lead[d] = more < 0 ? 0 : more < shift.allowed ? more : shift.allowed;
}

static void find_positions(incremental *m, const graph_region *r)
{
    for (size_t i = 0; i < r->ops.count; i++) {
        if (r->ops.items[i]->kind == OP_reshape)
            find_reshaped(m, r->ops.items[i]);
        else
            find_shifted(m, r->ops.items[i]);
        if (r->ops.items[i]->body)
            find_positions(m, r->ops.items[i]->body);
    }
}

static bool write_region(incremental *m, const graph_region *r);

/* Operands of the repeat as the body sees them: a parameter over positions stays whole. */
static bool body_arguments(incremental *m, const graph_op *op, build *body, build_operand *inside)
{
    int carried = (int)op->attrs.i[1];
    for (int k = 0; k < (int)op->inputs.count; k++) {
        const graph_value *given = op->inputs.items[k], *argument = op->body->arguments.items[k];
        if (k < carried) {
            m->now[argument->id] = inside[k].value;
            continue;
        }
        build_operand x = incremental_labelled(m, m->now[given->id]);
        x.labels[0] = body->leading;
        m->now[argument->id] = build_repeat_stacked(body, x).value;
        m->whole[argument->id] = m->whole[given->id];
    }
    return true;
}

/* The body's results, then what its operators keep, which the caller passes on or assigns. */
static bool body_results(incremental *m, const graph_op *op, build *body,
                         const incremental_level *level)
{
    size_t carried = (size_t)op->attrs.i[1], count = op->body->results.count;
    size_t all = count + level->kept.count;
    build_operand *given = arena_array(m->g->memory, build_operand, all + 1);
    build_operand *made = arena_array(m->g->memory, build_operand, all + 1);
    for (size_t k = 0; k < count; k++)
        given[k] = incremental_labelled(m, incremental_operand(m, op->body->results.items[k]));
    for (size_t k = 0; k < level->kept.count; k++)
        given[count + k] = incremental_labelled(m, level->kept.items[k].value);
    bool fine = build_repeat_end(body, given, given + carried, (int)(all - carried), made);
    for (size_t k = 0; k < count; k++)
        m->now[op->outputs.items[k]->id] = made[k].value;
    for (size_t k = 0; k < level->kept.count && fine; k++)
        vec_push(m->g->memory, &level->outer->kept,
                 (kept_value){level->kept.items[k].variable, made[count + k].value});
    return fine;
}

static dim_id leading_of(incremental *m, const graph_op *op)
{
    size_t carried = (size_t)op->attrs.i[1];
    if (op->inputs.count > carried)
        return op->inputs.items[carried]->type.dims[0];
    return graph_dim_add(m->g, atom_of(m->g->atoms, "sample.layers"), op->attrs.i[0], op->at);
}

static bool write_repeat(incremental *m, const graph_op *op)
{
    build *outer = m->b, body;
    size_t carried = (size_t)op->attrs.i[1];
    incremental_level level = {.outer = m->level, .leading = leading_of(m, op)};
    build_operand *start = arena_array(m->g->memory, build_operand, carried + 1);
    build_operand *inside = arena_array(m->g->memory, build_operand, carried + 1);
    if (incremental_is_along(m, level.leading))
        return incremental_refuse(m, op, "this repeat goes over positions", NULL);
    for (size_t k = 0; k < carried; k++)
        start[k] = incremental_labelled(m, incremental_operand(m, op->inputs.items[k]));
    build_scan how = {.dim = level.leading,
                      .label = atom_of(m->g->atoms, "leading"),
                      .reverse = op->attrs.i[2] == 1,
                      .carried = start,
                      .count = (int)carried};
    build_repeat_begin(outer, &body, &how, inside);
    m->b = &body;
    m->level = &level;
    bool fine = body_arguments(m, op, &body, inside) && write_region(m, op->body);
    fine = fine && body_results(m, op, &body, &level);
    m->b = outer;
    m->level = level.outer;
    return fine;
}

static bool write_region(incremental *m, const graph_region *r)
{
    for (size_t i = 0; i < r->ops.count; i++) {
        const graph_op *op = r->ops.items[i];
        m->b->at = op->at;
        m->b->trail = op->trail;
        m->b->path = op->path;
        if (!(op->body ? write_repeat(m, op) : incremental_op(m, op)))
            return false;
    }
    return true;
}

static int slot_along(const incremental *m, const graph_type *t)
{
    int slot = 0;
    while (slot < t->rank && !incremental_is_along(m, t->dims[slot]))
        slot++;
    return slot;
}

/* The last position's scores become the function's result; what operators keep is assigned. */
static void finish_function(incremental *m, graph_function *f, const incremental_level *level)
{
    graph_result result = m->from->results.items[0];
    int slot = slot_along(m, &result.value->type);
    build_operand x = incremental_labelled(m, incremental_operand(m, result.value));
    build_slicing last = {x.labels[slot], graph_dim_size(m->g, m->rows) - 1, 1, m->one,
                          x.labels[slot]};
    result.value = build_slice(m->b, x, &last).value;
    vec_push(m->g->memory, &f->results, result);
    vec_push(m->g->memory, &f->region.results, result.value);
    for (size_t i = 0; i < level->kept.count; i++)
        build_assign(m->b, level->kept.items[i].variable,
                     incremental_labelled(m, level->kept.items[i].value));
}

static dim_id made_dim(incremental *m, const char *name, int64_t size)
{
    return graph_dim_add(m->g, atom_of(m->g->atoms, name), size, m->t->sampling.at);
}

/* One function that takes `rows` ids. */
static bool write_function(incremental *m, const char *name, int64_t rows, atom *input)
{
    graph_function *f = graph_function_add(m->g, name);
    build b = build_at(m->g, &f->region, m->input->at);
    incremental_level level = {.outer = NULL};
    m->b = &b;
    m->level = &level;
    m->rows = made_dim(m, arena_format(m->g->memory, "sample.%s", name), rows);
    m->longer.count = 0;
    for (int d = 0; d < m->dim_count; d++)
        if (incremental_lead(m, d))
            vec_push(m->g->memory, &m->longer,
                     made_dim(m, arena_format(m->g->memory, "sample.%s", name), rows + m->lead[d]));
    memset(m->whole, 0, sizeof *m->whole * (size_t)m->values);
    *input = atom_of(m->g->atoms, arena_format(m->g->memory, "%s.%s", m->input->attrs.name, name));
    build_dims ids = {.rank = 2, .dims = {m->one, m->rows}};
    ids.labels[0] = atom_of(m->g->atoms, "0");
    ids.labels[1] = atom_of(m->g->atoms, "1");
    m->now[m->input->outputs.items[0]->id] = build_input(&b, *input, DTYPE_I32, &ids).value;
    m->position = build_cast(&b, build_clock(&b, "position"), DTYPE_I32).value;
    if (!write_region(m, &m->from->region))
        return false;
    finish_function(m, f, &level);
    return true;
}

/* The one input that the scores are made of: ids [B, S]. */
static bool find_input(incremental *m, const graph_region *r)
{
    for (size_t i = 0; i < r->ops.count; i++) {
        const graph_op *op = r->ops.items[i];
        if (op->body && !find_input(m, op->body))
            return false;
        if (op->kind != OP_input || (m->input && m->input->attrs.name == op->attrs.name))
            continue;
        const graph_type *t = &op->outputs.items[0]->type;
        bool ids = t->dtype == DTYPE_I32 && t->rank == 2;
        if (ids && !m->input) {
            m->input = op;
            continue;
        }
        diag *d = diag_report(m->diags, E0266, op->at,
                              ids ? "the scores are made of '%s' and of '%s' too"
                                  : "the scores are made of '%s', which are no ids [B, S]",
                              op->attrs.name, m->input ? m->input->attrs.name : "");
        diag_note(d, m->t->sampling.at, "the sample is asked for here");
        diag_fix(d, "scores of a model of one sequence of ids: input text: id[B, S] below V");
        return false;
    }
    return true;
}

static const training_field *field_of(const training *t, atom input)
{
    for (size_t i = 0; i < t->data.fields.count; i++)
        if (t->data.fields.items[i].input == input)
            return &t->data.fields.items[i];
    return NULL;
}

/* The scores' dimensions are the batch, the positions and the classes, as many as there are ids. */
static bool check_scores(incremental *m)
{
    const graph_value *x = m->from->results.items[0].value;
    span at = x->producer ? model_line(x->producer) : m->t->sampling.at;
    slot_sizes s = sizes_of(m, &x->type, 0, x->type.rank);
    const training_field *ids = field_of(m->t, m->input->attrs.name);
    if (x->type.rank != 3 || s.along != 1 || s.batch != 1 || !dtype_is_float(x->type.dtype)) {
        diag *d = diag_report(m->diags, E0266, at,
                              "these scores are not one number for each sequence, position and id");
        diag_note(d, m->t->sampling.at, "the sample is asked for here");
        diag_fix(d, "scores [B, S, V], of the id behind each position");
        return false;
    }
    m->t->sampling.classes = s.rest;
    if (ids && ids->below == s.rest)
        return true;
    diag *d = diag_report(
        m->diags, E0266, at, "the scores are of %lld ids, and '%s' takes ids below %lld",
        (long long)s.rest, m->input->attrs.name, (long long)(ids ? ids->below : 0));
    diag_note(d, m->input->at, "'%s' is declared here", m->input->attrs.name);
    return false;
}

/* Positions that a parameter has rows for are all there are. */
static bool check_context(incremental *m, const graph_region *r, int64_t there)
{
    for (size_t i = 0; i < r->ops.count; i++) {
        const graph_op *op = r->ops.items[i];
        if (op->body && !check_context(m, op->body, there))
            return false;
        if (op->kind != OP_variable)
            continue;
        const graph_variable *v = &m->g->variables.items[op->attrs.variable];
        if (slot_along(m, &v->type) == v->type.rank)
            continue;
        diag *d = diag_report(m->diags, E0268, m->t->sampling.at,
                              "a context of %lld is more than the %lld positions of '%s'",
                              (long long)m->t->sampling.context, (long long)there, v->path);
        diag_note(d, v->at, "'%s' is declared here", v->path);
        diag_fix(d, "context %lld", (long long)there);
        return false;
    }
    return true;
}

static bool prepare(incremental *m)
{
    graph *g = m->g;
    training_sampling *how = &m->t->sampling;
    simplify_drop_dead(g, m->from);
    if (!find_input(m, &m->from->region))
        return false;
    if (!m->input) {
        diag *d = diag_report(m->diags, E0266, how->at, "the scores are made of no input");
        diag_fix(d, "scores of a model of one sequence of ids: input text: id[B, S] below V");
        return false;
    }
    m->dim_count = (int)g->dims.count;
    m->values = g->next_value;
    m->along = arena_array(g->memory, bool, g->dims.count + 1);
    m->lead = arena_array(g->memory, int64_t, g->dims.count + 1);
    m->stands = arena_array(g->memory, dim_id, g->dims.count + 1);
    m->now = arena_array(g->memory, graph_value *, m->values + 1);
    m->whole = arena_array(g->memory, bool, m->values + 1);
    dim_id s = m->input->outputs.items[0]->type.dims[1];
    m->one = made_dim(m, "sample.one", 1);
    for (int d = 0; d < m->dim_count; d++)
        m->stands[d] = incremental_is_batch(m, d) ? m->one : d;
    m->along[s] = true;
    m->positions = s;
    find_positions(m, &m->from->region);
    int64_t there = graph_dim_size(g, s);
    if (!how->context)
        how->context = there;
    how->chunk = how->context < INCREMENTAL_CHUNK ? how->context : INCREMENTAL_CHUNK;
    m->cache = made_dim(m, "sample.context", how->context);
    return check_scores(m) && (how->context <= there || check_context(m, &m->from->region, there));
}

static void drop_function(graph *g, const graph_function *f)
{
    size_t kept = 0;
    for (size_t i = 0; i < g->functions.count; i++)
        if (g->functions.items[i] != f)
            g->functions.items[kept++] = g->functions.items[i];
    g->functions.count = kept;
}

bool pass_incremental(graph *g, training *t, diag_sink *diags)
{
    incremental m = {.g = g, .t = t, .diags = diags, .from = graph_function_find(g, "scores")};
    if (!m.from)
        return true;
    bool fine = prepare(&m) &&
                write_function(&m, "prefill", t->sampling.chunk, &t->sampling.prefill) &&
                write_function(&m, "decode", 1, &t->sampling.decode);
    drop_function(g, m.from);
    return fine;
}
