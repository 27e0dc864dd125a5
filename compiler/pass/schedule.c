/* pass_schedule: buffers, and the walk over a function's operators. */
#include "pass/schedule_internal.h"

#include <assert.h>
#include <string.h>

static const char *const memory_names[] = {
#define MEMORY_KIND_WORD(kind, word) word,
    MEMORY_KINDS(MEMORY_KIND_WORD)
#undef MEMORY_KIND_WORD
};

const char *memory_kind_name(memory_kind kind)
{
    return memory_names[kind];
}

int64_t local_size(const lower *l, const graph_value *v, int slot)
{
    return graph_local_size(l->g, v, slot);
}

int64_t local_count(const lower *l, const graph_value *v)
{
    return graph_local_count(l->g, v);
}

void row_major(const lower *l, const graph_value *v, int64_t *stride)
{
    int64_t below = 1;
    for (int i = v->type.rank - 1; i >= 0; i--) {
        stride[i] = below;
        below *= local_size(l, v, i);
    }
}

static int buffer_add(schedule *s, schedule_buffer b)
{
    b.offset = -1;
    vec_push(s->memory, &s->buffers, b);
    return (int)s->buffers.count - 1;
}

int schedule_buffer_add(lower *l, const graph_value *like, int64_t count, memory_kind kind)
{
    schedule_buffer b = {.name = like ? like->name : NULL,
                         .at = l->op ? l->op->at : SPAN_NONE,
                         .type = like ? like->type.dtype : DTYPE_F64,
                         .count = count,
                         .memory = kind,
                         .variable = -1,
                         .block = -1,
                         .same_as = -1};
    return buffer_add(l->s, b);
}

place place_new(lower *l, const graph_value *v, memory_kind kind)
{
    place p = {.placed = true, .fresh = true};
    p.view.buffer = schedule_buffer_add(l, v, local_count(l, v), kind);
    row_major(l, v, p.stride);
    return p;
}

place place_for(lower *l, const graph_value *v)
{
    return l->targets[v->id].placed ? l->targets[v->id] : place_new(l, v, MEMORY_ACTIVATIONS);
}

bool place_is_dense(const lower *l, const graph_value *v, const place *p)
{
    int64_t stride[GRAPH_MAX_RANK];
    row_major(l, v, stride);
    for (int i = 0; i < v->type.rank; i++)
        if (stride[i] != p->stride[i] && local_size(l, v, i) != 1)
            return false;
    return true;
}

schedule_instruction *instruction_add(lower *l, schedule_kind kind)
{
    schedule_instruction *i = arena_make(l->a, schedule_instruction);
    i->kind = kind;
    i->at = l->op ? l->op->at : SPAN_NONE;
    if (l->op)
        i->trail = l->op->trail;
    vec_push(l->a, l->out, i);
    return i;
}

kernel_build kernel_begin(lower *l)
{
    const char *word = l->op ? op_info_of(l->op->kind)->name : "copy";
    atom name = atom_of(l->s->atoms, arena_format(l->a, "%s_%d", word, l->s->kernel_count++));
    return (kernel_build){.l = l, .k = loop_kernel_new(l->a, name, l->op ? l->op->at : SPAN_NONE)};
}

void kernel_end(kernel_build *b)
{
    instruction_add(b->l, SCHEDULE_KERNEL)->kernel = b->k;
}

void lower_refuse(lower *l, const char *what)
{
    diag_report(l->sink, E0920, l->op->at, "%s", what);
}

void lower_copy(lower *l, graph_value *v, const place *to)
{
    lower_elements(l, v, to);
}

place place_of(lower *l, graph_value *v)
{
    if (!l->places[v->id].placed) {
        place p = place_for(l, v);
        lower_elements(l, v, &p);
        l->places[v->id] = p;
    }
    return l->places[v->id];
}

place place_dense(lower *l, graph_value *v)
{
    place p = place_of(l, v);
    if (place_is_dense(l, v, &p))
        return p;
    place dense = place_new(l, v, MEMORY_WORKSPACE);
    lower_copy(l, v, &dense);
    return dense;
}

/* A placed operand with new strides in place of a copy. False where the strides cannot say it. */
static bool readdress(lower *l, graph_op *op)
{
    graph_value *from = op->inputs.count ? op->inputs.items[0] : NULL, *to = op->outputs.items[0];
    if (!from || !l->places[from->id].placed || l->targets[to->id].placed)
        return false;
    place p = l->places[from->id];
    place q = {.placed = true, .view = p.view};
    switch (op->kind) {
    case OP_detach:
    case OP_broadcast:
    case OP_transpose:
        for (int i = 0; i < to->type.rank; i++)
            for (int j = 0; j < from->type.rank; j++)
                if (op->output_map[0][i] == op->input_map[0][j])
                    q.stride[i] = p.stride[j];
        break;
    case OP_slice:
        memcpy(q.stride, p.stride, sizeof q.stride);
        q.view.first += p.stride[op->attrs.i[0]] * op->attrs.i[1];
        q.stride[op->attrs.i[0]] *= op->attrs.i[2] ? op->attrs.i[2] : 1;
        break;
    case OP_reshape:
        if (!place_is_dense(l, from, &p))
            return false;
        row_major(l, to, q.stride);
        break;
    default:
        return false;
    }
    l->places[to->id] = q;
    return true;
}

static void lower_source(lower *l, graph_op *op)
{
    static const char *const clocks[CLOCK_COUNT] = {"step", "steps", "valid", "position",
                                                    "microbatch"};
    graph_value *v = op->outputs.items[0];
    place p = {.placed = true};
    row_major(l, v, p.stride);
    p.view.buffer = -1;
    if (op->kind == OP_variable)
        p.view.buffer = l->s->variable_buffers.items[op->attrs.variable];
    if (op->kind == OP_clock)
        for (int i = 0; i < CLOCK_COUNT; i++)
            if (strcmp(op->attrs.name, clocks[i]) == 0)
                p.view.buffer = l->s->clock[i];
    if (op->kind == OP_input)
        for (size_t i = 0; i < l->s->inputs.count; i++)
            if (l->s->inputs.items[i].name == op->attrs.name)
                p.view.buffer = l->s->inputs.items[i].buffer;
    if (p.view.buffer >= 0)
        l->places[v->id] = p;
}

static void lower_scalar(lower *l, graph_op *op)
{
    graph_value *v = op->outputs.items[0];
    if (!readdress(l, op) && l->marked[v->id])
        place_of(l, v);
}

static void lower_op(lower *l, graph_op *op)
{
    l->op = op;
    switch (op_info_of(op->kind)->class) {
    case OP_CLASS_SOURCE:
        lower_source(l, op);
        if (!l->places[op->outputs.items[0]->id].placed)
            lower_scalar(l, op);
        break;
    case OP_CLASS_MAP:
        lower_scalar(l, op);
        break;
    case OP_CLASS_MOVE:
        if (op->kind == OP_cumsum)
            lower_cumsum(l, op);
        else if (op->kind == OP_scatter_add)
            lower_scatter(l, op);
        else if (op->kind == OP_append)
            lower_append(l, op);
        else
            lower_scalar(l, op);
        break;
    case OP_CLASS_REDUCE:
        lower_reduce(l, op);
        break;
    case OP_CLASS_CONTRACT:
        lower_dot(l, op);
        break;
    case OP_CLASS_WINDOW:
        lower_window(l, op);
        break;
    case OP_CLASS_FUSED:
        lower_attention(l, op);
        break;
    case OP_CLASS_CONTROL:
        lower_repeat(l, op);
        break;
    case OP_CLASS_SINK:
        if (op->kind == OP_accumulate)
            lower_accumulate(l, op);
        else
            lower_assign(l, op);
        break;
    case OP_CLASS_COLLECTIVE:
        lower_collective(l, op);
        break;
    }
}

void lower_region(lower *l, graph_region *region)
{
    for (size_t i = 0; i < region->ops.count; i++)
        lower_op(l, region->ops.items[i]);
}

static int64_t variable_count(const graph *g, const graph_variable *v)
{
    graph_value like = {.type = v->type, .layout = v->layout};
    return graph_local_count(g, &like);
}

/* Orders variables so that those of one kind and role follow one another: p0 p1 …, then v0 v1 …, u0 u1 …. */
static int role_of(const graph *g, int variable)
{
    const graph_variable *v = &g->variables.items[variable];
    int role = 0;
    if (v->kind != VARIABLE_OPTIMIZER)
        return v->kind == VARIABLE_PARAMETER && v->frozen;
    for (int i = 0; i < variable; i++) {
        const graph_variable *other = &g->variables.items[i];
        role += other->kind == VARIABLE_OPTIMIZER && other->of == v->of;
    }
    return role;
}

static int block_of_variables(schedule *s, memory_kind kind, dtype type)
{
    schedule_buffer b = {.name = atom_of(s->atoms, memory_kind_name(kind)),
                         .at = SPAN_NONE,
                         .type = type,
                         .memory = kind,
                         .variable = -1,
                         .block = -1,
                         .same_as = -1,
                         .lasting = true};
    return buffer_add(s, b);
}

static void variable_place(schedule *s, int variable, int block, memory_kind kind)
{
    const graph_variable *v = &s->graph->variables.items[variable];
    int64_t unit = SCHEDULE_ALIGNMENT / (int64_t)dtype_bytes(v->type.dtype);
    int64_t count = variable_count(s->graph, v), first = s->buffers.items[block].count;
    schedule_buffer b = {.name = v->path,
                         .at = v->at,
                         .type = v->type.dtype,
                         .count = count,
                         .memory = kind,
                         .variable = variable,
                         .block = block,
                         .block_first = first,
                         .same_as = -1,
                         .lasting = true};
    s->variable_buffers.items[variable] = buffer_add(s, b);
    s->buffers.items[block].count = first + (count + unit - 1) / unit * unit;
}

/* Sums of gradients lie as the gradients of a step without microbatches do, which are reduced where they lie. */
static memory_kind memory_of(const graph_variable *v)
{
    switch (v->kind) {
    case VARIABLE_OPTIMIZER:
        return MEMORY_OPTIMIZER;
    case VARIABLE_CACHE:
        return MEMORY_CACHE;
    case VARIABLE_SUM:
        return v->of >= 0 ? MEMORY_GRADIENTS : MEMORY_WORKSPACE;
    default:
        return MEMORY_PARAMETERS;
    }
}

static void place_variables(schedule *s, memory_kind kind, dtype type)
{
    int block = -1;
    int variables = (int)s->graph->variables.count;
    for (int role = 0; role < 8; role++)
        for (int i = 0; i < variables; i++) {
            const graph_variable *v = &s->graph->variables.items[i];
            if (memory_of(v) != kind || v->type.dtype != type || role_of(s->graph, i) != role)
                continue;
            if (block < 0)
                block = block_of_variables(s, kind, type);
            variable_place(s, i, block, kind);
        }
}

static void variables_add(schedule *s)
{
    for (size_t i = 0; i < s->graph->variables.count; i++) {
        vec_push(s->memory, &s->variable_buffers, -1);
        vec_push(s->memory, &s->gradient_buffers, -1);
    }
    for (int type = 0; type < DTYPE_COUNT; type++) {
        place_variables(s, MEMORY_PARAMETERS, (dtype)type);
        place_variables(s, MEMORY_OPTIMIZER, (dtype)type);
        place_variables(s, MEMORY_CACHE, (dtype)type);
        place_variables(s, MEMORY_GRADIENTS, (dtype)type);
        place_variables(s, MEMORY_WORKSPACE, (dtype)type);
    }
}

static void input_add(lower *l, const graph_op *op)
{
    const graph_value *v = op->outputs.items[0];
    for (size_t i = 0; i < l->s->inputs.count; i++)
        if (l->s->inputs.items[i].name == op->attrs.name)
            return;
    l->op = op;
    int buffer = schedule_buffer_add(l, v, local_count(l, v), MEMORY_ACTIVATIONS);
    l->s->buffers.items[buffer].lasting = true;
    l->s->buffers.items[buffer].name = op->attrs.name;
    vec_push(l->a, &l->s->inputs, (schedule_input){op->attrs.name, v->type, v->layout, buffer});
}

static void inputs_add(lower *l, const graph_region *region)
{
    for (size_t i = 0; i < region->ops.count; i++) {
        const graph_op *op = region->ops.items[i];
        if (op->kind == OP_input)
            input_add(l, op);
        if (op->body)
            inputs_add(l, op->body);
    }
    l->op = NULL;
}

static void clock_add(lower *l)
{
    static const char *const names[CLOCK_COUNT] = {"clock.step", "clock.steps", "clock.valid",
                                                   "clock.position", "clock.microbatch"};
    bool wanted[CLOCK_COUNT] = {true, true, true};
    wanted[CLOCK_POSITION] = graph_function_find(l->g, "decode") != NULL;
    wanted[CLOCK_MICROBATCH] = l->s->microbatches > 1;
    for (int i = 0; i < CLOCK_COUNT; i++) {
        l->s->clock[i] = -1;
        if (!wanted[i])
            continue;
        l->s->clock[i] = schedule_buffer_add(l, NULL, 1, MEMORY_WORKSPACE);
        schedule_buffer *b = &l->s->buffers.items[l->s->clock[i]];
        b->lasting = true;
        b->name = atom_of(l->s->atoms, names[i]);
    }
}

/* Results stay until the runtime has read them, so each has a place of its own. */
static void results_add(lower *l, graph_function *f, schedule_function *to)
{
    for (size_t i = 0; i < f->results.count; i++) {
        graph_result *r = &f->results.items[i];
        l->op = r->value->producer;
        place p = place_new(l, r->value, MEMORY_WORKSPACE);
        schedule_buffer *b = &l->s->buffers.items[p.view.buffer];
        b->lasting = true;
        b->name = r->name;
        lower_copy(l, r->value, &p);
        vec_push(l->a, &to->results,
                 (schedule_result){r->name, r->kind, r->value->type.dtype, p.view.buffer});
    }
    l->op = NULL;
}

/* Assignments are settled when the whole function stands: only then it is known who reads the old value. */
static void assignments_settle(lower *l, graph_function *f, schedule_block *body)
{
    for (size_t i = 0; i < f->region.ops.count; i++) {
        graph_op *op = f->region.ops.items[i];
        if (op->kind != OP_assign)
            continue;
        l->op = op;
        settle(l, body, l->places[op->inputs.items[0]->id].view.buffer,
               l->s->variable_buffers.items[op->attrs.variable]);
    }
    l->op = NULL;
}

static void lower_function(lower *l, graph_function *f)
{
    schedule_function *to = arena_make(l->a, schedule_function);
    size_t values = (size_t)l->g->next_value;
    to->name = f->name;
    vec_push(l->a, &l->s->functions, to);
    l->out = &to->body;
    l->places = arena_array(l->a, place, values);
    l->targets = arena_array(l->a, place, values);
    l->marked = arena_array(l->a, bool, values);
    l->uses = arena_array(l->a, int, values);
    l->gradient_of = arena_array(l->a, int, values);
    mark_gradients(l, f);
    mark_function(l, f);
    lower_region(l, &f->region);
    results_add(l, f, to);
    assignments_settle(l, f, &to->body);
}

schedule *pass_schedule(graph *spmd, const training *t, diag_sink *sink)
{
    int errors = diag_error_count(sink);
    schedule *s = arena_make(spmd->memory, schedule);
    s->memory = spmd->memory;
    s->graph = spmd;
    s->atoms = spmd->atoms;
    s->sources = spmd->sources;
    s->seed = t ? t->seed : 0;
    s->microbatches = t ? t->microbatches : 1;
    lower l = {.s = s, .g = spmd, .t = t, .sink = sink, .a = spmd->memory};
    clock_add(&l);
    variables_add(s);
    for (size_t i = 0; i < spmd->functions.count; i++)
        inputs_add(&l, &spmd->functions.items[i]->region);
    for (size_t i = 0; i < spmd->functions.count; i++)
        lower_function(&l, spmd->functions.items[i]);
    collectives_scratch(&l);
    return diag_error_count(sink) > errors ? NULL : s;
}
