/* What needs memory, and where gradients lie. */
#include "pass/schedule_internal.h"

#include <stdlib.h>

enum { CHEAP = 4, DEAR_BROADCAST = 8 };

static int own_cost(op_kind kind)
{
    switch (kind) {
    case OP_exp:
    case OP_log:
    case OP_log1p:
    case OP_sin:
    case OP_cos:
    case OP_tanh:
    case OP_sigmoid:
    case OP_erf:
    case OP_pow:
        return 12;
    case OP_random:
        return 40;
    case OP_div:
    case OP_sqrt:
    case OP_rsqrt:
    case OP_mod:
    case OP_gather:
        return 4;
    case OP_constant:
    case OP_index:
    case OP_broadcast:
    case OP_reshape:
    case OP_transpose:
    case OP_slice:
    case OP_detach:
        return 0;
    default:
        return 1;
    }
}

static bool readdresses(op_kind kind)
{
    return kind == OP_detach || kind == OP_broadcast || kind == OP_transpose || kind == OP_slice ||
           kind == OP_reshape;
}

static bool has_own_kernel(const graph_op *op)
{
    op_class class = op_info_of(op->kind)->class;
    return class == OP_CLASS_REDUCE || class == OP_CLASS_CONTRACT || class == OP_CLASS_WINDOW ||
           class == OP_CLASS_FUSED || class == OP_CLASS_CONTROL || class == OP_CLASS_COLLECTIVE ||
           op->kind == OP_cumsum || op->kind == OP_scatter_add || op->kind == OP_append;
}

static bool reads_memory(const graph_op *op, size_t operand)
{
    op_class class = op_info_of(op->kind)->class;
    if (class == OP_CLASS_CONTROL)
        return operand >= (size_t)op->attrs.i[1];
    return class == OP_CLASS_CONTRACT || class == OP_CLASS_WINDOW || class == OP_CLASS_FUSED ||
           class == OP_CLASS_COLLECTIVE || class == OP_CLASS_SINK || op->kind == OP_pad ||
           op->kind == OP_concat ||
           ((op->kind == OP_gather || op->kind == OP_append) && operand == 0);
}

static bool expands(const graph_op *op, size_t operand)
{
    op_class class = op_info_of(op->kind)->class;
    return (class == OP_CLASS_MAP || op->kind == OP_broadcast) &&
           op->inputs.items[operand]->type.rank < op->outputs.items[0]->type.rank;
}

static void count_uses(lower *l, const graph_region *region)
{
    for (size_t i = 0; i < region->ops.count; i++) {
        const graph_op *op = region->ops.items[i];
        for (size_t j = 0; j < op->inputs.count; j++)
            l->uses[op->inputs.items[j]->id]++;
        if (op->body)
            count_uses(l, op->body);
    }
    for (size_t i = 0; i < region->results.count; i++)
        l->uses[region->results.items[i]->id]++;
}

static void mark_op(lower *l, const graph_region *region, const graph_op *op, int *cost)
{
    int sum = own_cost(op->kind);
    for (size_t i = 0; i < op->inputs.count; i++) {
        const graph_value *x = op->inputs.items[i];
        int own = l->marked[x->id] ? 0 : cost[x->id];
        if (reads_memory(op, i) || (x->region != region && x->producer && own > 0) ||
            (own >= DEAR_BROADCAST && expands(op, i))) {
            l->marked[x->id] = true;
            own = 0;
        }
        sum += own;
    }
    for (size_t i = 0; i < op->outputs.count; i++) {
        int id = op->outputs.items[i]->id;
        cost[id] = has_own_kernel(op) ? 0 : sum;
        if (has_own_kernel(op) || (l->uses[id] > 1 && sum > CHEAP))
            l->marked[id] = true;
    }
}

static void mark_forward(lower *l, const graph_region *region, int *cost)
{
    for (size_t i = 0; i < region->ops.count; i++) {
        const graph_op *op = region->ops.items[i];
        mark_op(l, region, op, cost);
        if (op->body)
            mark_forward(l, op->body, cost);
    }
    for (size_t i = 0; i < region->results.count; i++)
        l->marked[region->results.items[i]->id] = true;
}

/* A value whose elements are only addressed differently shares the memory of what it is made of. */
static void mark_backward(lower *l, const graph_region *region)
{
    for (size_t i = region->ops.count; i-- > 0;) {
        const graph_op *op = region->ops.items[i];
        if (op->body)
            mark_backward(l, op->body);
        if (!readdresses(op->kind) || !l->marked[op->outputs.items[0]->id] ||
            l->targets[op->outputs.items[0]->id].placed)
            continue;
        const graph_value *x = op->inputs.items[0];
        if (!x->producer || x->producer->kind != OP_constant)
            l->marked[x->id] = true;
    }
}

void mark_function(lower *l, graph_function *f)
{
    int *cost = arena_array(l->a, int, l->g->next_value);
    mark_forward(l, &f->region, cost);
    mark_backward(l, &f->region);
}

static bool is_bucket(const graph_op *op)
{
    return op->kind == OP_all_reduce && op->attrs.i[1] == 1;
}

/* Operators that need a reduced gradient go behind all those that do not, and the reductions stand together between. */
static void order(lower *l, graph_region *region)
{
    int *level = arena_array(l->a, int, l->g->next_value), most = 0;
    size_t count = region->ops.count;
    int *key = arena_array(l->a, int, count + 1);
    graph_op **ordered = arena_array(l->a, graph_op *, count + 1);
    for (size_t i = 0; i < count; i++) {
        graph_op *op = region->ops.items[i];
        for (size_t j = 0; j < op->inputs.count; j++)
            if (level[op->inputs.items[j]->id] > key[i])
                key[i] = level[op->inputs.items[j]->id];
        key[i] |= is_bucket(op);
        for (size_t j = 0; j < op->outputs.count; j++)
            level[op->outputs.items[j]->id] = (key[i] + 1) & ~1;
        if (key[i] > most)
            most = key[i];
    }
    size_t done = 0;
    for (int k = 0; k <= most; k++)
        for (size_t i = 0; i < count; i++)
            if (key[i] == k)
                ordered[done++] = region->ops.items[i];
    for (size_t i = 0; i < count; i++)
        region->ops.items[i] = ordered[i];
}

/* Parameters may have one gradient, as biases that are added together do: the first one's name is given to it. */
static void find_gradients(lower *l, const graph_function *f)
{
    for (int i = 0; i < l->g->next_value; i++)
        l->gradient_of[i] = -1;
    for (size_t i = f->gradients.count; i-- > 0;)
        l->gradient_of[f->gradients.items[i].value->id] = f->gradients.items[i].variable;
}

/* A gradient that lies in a block: the value that is written there, and what reduces it, if anything does. */
typedef struct member {
    graph_value *value;
    const graph_op *reduce;
    int parameter;
} member;

typedef VEC(member) member_vec;

static int by_parameter(const void *a, const void *b)
{
    const member *x = a, *y = b;
    if (x->parameter != y->parameter)
        return x->parameter < y->parameter ? -1 : 1;
    return x->value->id < y->value->id ? -1 : x->value->id > y->value->id;
}

static bool same_bucket(const member *a, const member *b)
{
    if (!a->reduce || !b->reduce)
        return !a->reduce && !b->reduce && a->value->type.dtype == b->value->type.dtype;
    return a->reduce->attrs.i[0] == b->reduce->attrs.i[0] &&
           a->reduce->at.file == b->reduce->at.file && a->reduce->at.begin == b->reduce->at.begin &&
           a->value->type.dtype == b->value->type.dtype;
}

/* Sums over microbatches that are one block's whole are reduced where they lie. */
static bool lie_in_block(lower *l, const member_vec *members, const member *like)
{
    int block = -1;
    int64_t end = 0;
    for (size_t i = 0; i < members->count; i++) {
        const member *m = &members->items[i];
        const graph_op *from = m->value->producer;
        if (!same_bucket(m, like))
            continue;
        if (!from || from->kind != OP_variable)
            return false;
        int buffer = l->s->variable_buffers.items[from->attrs.variable];
        const schedule_buffer *own = &l->s->buffers.items[buffer];
        if (own->memory != MEMORY_GRADIENTS || (block >= 0 && own->block != block))
            return false;
        block = own->block;
        int64_t own_end = own->block_first + own->count;
        end = own_end > end ? own_end : end;
    }
    int64_t unit = SCHEDULE_ALIGNMENT / (int64_t)dtype_bytes(like->value->type.dtype);
    return (end + unit - 1) / unit * unit == l->s->buffers.items[block].count;
}

static void block_take(lower *l, const member_vec *members, const member *like)
{
    for (size_t i = 0; i < members->count; i++) {
        const member *m = &members->items[i];
        if (!same_bucket(m, like))
            continue;
        place p = {.placed = true};
        p.view.buffer = l->s->variable_buffers.items[m->value->producer->attrs.variable];
        row_major(l, m->value, p.stride);
        l->targets[m->value->id] = p;
        l->marked[m->value->id] = true;
        if (m->parameter >= 0)
            l->s->buffers.items[p.view.buffer].name =
                arena_format(l->a, "grad %s", l->g->variables.items[m->parameter].path);
    }
}

static void block_make(lower *l, const member_vec *members, const member *like)
{
    int block = -1;
    for (size_t i = 0; i < members->count; i++) {
        const member *m = &members->items[i];
        if (!same_bucket(m, like))
            continue;
        l->op = m->reduce ? m->reduce : m->value->producer;
        if (block < 0) {
            block = schedule_buffer_add(l, m->value, 0, MEMORY_GRADIENTS);
            l->s->buffers.items[block].name = atom_of(l->s->atoms, "gradients");
        }
        place p = place_new(l, m->value, MEMORY_GRADIENTS);
        p.fresh = false;
        schedule_buffer *own = &l->s->buffers.items[p.view.buffer];
        schedule_buffer *all = &l->s->buffers.items[block];
        int64_t unit = SCHEDULE_ALIGNMENT / (int64_t)dtype_bytes(own->type);
        own->block = block;
        own->block_first = all->count;
        if (m->parameter >= 0)
            own->name = arena_format(l->a, "grad %s", l->g->variables.items[m->parameter].path);
        all->count += (own->count + unit - 1) / unit * unit;
        l->targets[m->value->id] = p;
        l->marked[m->value->id] = true;
    }
    l->op = NULL;
}

static bool bucket_seen(const member_vec *members, size_t before)
{
    for (size_t i = 0; i < before; i++)
        if (same_bucket(&members->items[i], &members->items[before]))
            return true;
    return false;
}

static void collect(lower *l, const graph_op *op, member_vec *members)
{
    if (is_bucket(op)) {
        vec_push(l->a, members,
                 (member){op->inputs.items[0], op, l->gradient_of[op->outputs.items[0]->id]});
        return;
    }
    if (op->kind == OP_all_reduce)
        return;
    for (size_t i = 0; i < op->outputs.count; i++)
        if (l->gradient_of[op->outputs.items[i]->id] >= 0)
            vec_push(
                l->a, members,
                (member){op->outputs.items[i], NULL, l->gradient_of[op->outputs.items[i]->id]});
}

static void note_buffers(lower *l, const graph_function *f, const member_vec *members)
{
    for (size_t i = 0; i < f->gradients.count; i++)
        for (size_t k = 0; k < members->count; k++) {
            const member *m = &members->items[k];
            if (m->parameter == l->gradient_of[f->gradients.items[i].value->id])
                l->s->gradient_buffers.items[f->gradients.items[i].variable] =
                    l->targets[m->value->id].view.buffer;
        }
}

void mark_gradients(lower *l, graph_function *f)
{
    member_vec members = {0};
    for (size_t i = 0; i < f->results.count; i++)
        l->uses[f->results.items[i].value->id]++;
    count_uses(l, &f->region);
    order(l, &f->region);
    find_gradients(l, f);
    for (size_t i = 0; i < f->region.ops.count; i++)
        collect(l, f->region.ops.items[i], &members);
    if (members.count)
        qsort(members.items, members.count, sizeof *members.items, by_parameter);
    for (size_t i = 0; i < members.count; i++)
        if (bucket_seen(&members, i))
            continue;
        else if (lie_in_block(l, &members, &members.items[i]))
            block_take(l, &members, &members.items[i]);
        else
            block_make(l, &members, &members.items[i]);
    note_buffers(l, f, &members);
}
