/* Collectives, loops and assignments. */
#include "pass/schedule_internal.h"

#include "coll/verify.h"

#include <assert.h>

static const struct coll_program *program_for(const lower *l, const graph_op *op)
{
    for (size_t i = 0; l->t && i < l->t->reduces.count; i++) {
        const training_reduce *r = &l->t->reduces.items[i];
        if (r->axis == (int)op->attrs.i[0] && (!op->attrs.name || r->topology == op->attrs.name))
            return r->program;
    }
    return NULL;
}

static int collective_for(lower *l, const graph_op *op)
{
    schedule *s = l->s;
    schedule_collective c = {.op = op->kind,
                             .topology = op->attrs.name,
                             .axis = (int)op->attrs.i[0],
                             .type = op->outputs.items[0]->type.dtype,
                             .maximum = op->kind == OP_all_reduce && op->attrs.i[2] == 1,
                             .program = program_for(l, op),
                             .clause = op->at,
                             .scratch = -1};
    for (size_t i = 0; i < s->collectives.count; i++) {
        const schedule_collective *o = &s->collectives.items[i];
        if (o->op == c.op && o->topology == c.topology && o->axis == c.axis && o->type == c.type &&
            o->maximum == c.maximum && o->clause.file == c.clause.file &&
            o->clause.begin == c.clause.begin)
            return (int)i;
    }
    vec_push(l->a, &s->collectives, c);
    return (int)s->collectives.count - 1;
}

static void collective_emit(lower *l, const graph_op *op, int buffer)
{
    schedule_instruction *i = instruction_add(l, SCHEDULE_COLLECTIVE);
    i->type = op->outputs.items[0]->type.dtype;
    i->collective = collective_for(l, op);
    i->operands[0] = (schedule_view){.buffer = buffer};
    i->operand_count = 1;
    i->count = l->s->buffers.items[buffer].count;
}

/* The block's reduction runs when the last of its members has been written: `order` has put them side by side. */
static void block_member(lower *l, graph_op *op)
{
    graph_value *x = op->inputs.items[0];
    place target = l->targets[x->id];
    int block = l->s->buffers.items[target.view.buffer].block;
    if (l->places[x->id].view.buffer != target.view.buffer)
        lower_copy(l, x, &target);
    l->places[op->outputs.items[0]->id] = target;
    const graph_region *region = op->outputs.items[0]->region;
    for (size_t i = region->ops.count; i-- > 0;) {
        const graph_op *last = region->ops.items[i];
        if (last->kind != OP_all_reduce || last->attrs.i[1] != 1)
            continue;
        int of = l->s->buffers.items[l->targets[last->inputs.items[0]->id].view.buffer].block;
        if (of == block) {
            if (last == op)
                collective_emit(l, op, block);
            return;
        }
    }
}

static void lower_shard(lower *l, graph_op *op)
{
    graph_value *x = op->inputs.items[0], *y = op->outputs.items[0];
    int axis = (int)op->attrs.i[0], slot = (int)op->attrs.i[1];
    kernel_build b = kernel_begin(l);
    place from = place_of(l, x), to = place_for(l, y);
    loop_node *index[GRAPH_MAX_RANK];
    for (int i = 0; i < y->type.rank; i++)
        index[i] = loop_rows_add(b.k, local_size(l, y, i));
    loop_address a = element_address(&b, &from, index, x->type.rank);
    loop_address_add(b.k, &a, from.stride[slot] * local_size(l, y, slot),
                     loop_coordinate(b.k, axis));
    loop_node *value = loop_load(b.k, x->type.dtype, a, NULL, 0);
    loop_store(b.k, NULL, LOOP_SET, element_address(&b, &to, index, y->type.rank), value);
    kernel_end(&b);
    l->places[y->id] = to;
}

void lower_collective(lower *l, graph_op *op)
{
    graph_value *x = op->inputs.items[0], *y = op->outputs.items[0];
    if (op->kind == OP_shard) {
        lower_shard(l, op);
        return;
    }
    if (op->kind != OP_all_reduce) {
        lower_refuse(l, "this collective inside a step is not carried out yet");
        return;
    }
    if (op->attrs.i[1] == 1 && l->targets[x->id].placed) {
        block_member(l, op);
        return;
    }
    place from = place_of(l, x);
    if (!from.fresh || l->uses[x->id] > 1 || l->targets[y->id].placed) {
        place to = place_for(l, y);
        lower_copy(l, x, &to);
        from = to;
    }
    collective_emit(l, op, from.view.buffer);
    l->places[y->id] = from;
}

static place slice_of(const place *whole, int rank, int loop)
{
    place p = {.placed = true, .view = whole->view};
    assert(p.view.loop_count < SCHEDULE_MAX_LOOPS);
    p.view.loops[p.view.loop_count].loop = loop;
    p.view.loops[p.view.loop_count++].stride = whole->stride[0];
    for (int i = 0; i < rank; i++)
        p.stride[i] = whole->stride[i + 1];
    return p;
}

/* A buffer of its own for result `i` of an iteration, which settles where the next iteration reads it. All are there before
 * the first settles: one result may be what another's place held. */
static int carried_buffer(lower *l, graph_op *op, int i)
{
    graph_value *result = op->body->results.items[i];
    place p = l->places[result->id];
    bool shared = false;
    for (int j = 0; j < i; j++)
        shared = shared || op->body->results.items[j] == result;
    if (!p.placed || !p.fresh || shared || result->region != op->body) {
        p = place_new(l, result, MEMORY_ACTIVATIONS);
        lower_copy(l, result, &p);
    }
    return p.view.buffer;
}

static void carry(lower *l, graph_op *op, int carried, schedule_block *body)
{
    int *from = arena_array(l->a, int, carried + 1);
    for (int i = 0; i < carried; i++)
        from[i] = carried_buffer(l, op, i);
    for (int i = 0; i < carried; i++)
        settle(l, body, from[i], l->places[op->body->arguments.items[i]->id].view.buffer);
}

static void repeat_targets(lower *l, graph_op *op, int carried, place *stacked, int loop)
{
    for (size_t i = (size_t)carried; i < op->outputs.count; i++) {
        graph_value *inside = op->body->results.items[i];
        stacked[i] = place_for(l, op->outputs.items[i]);
        place slice = slice_of(&stacked[i], inside->type.rank, loop);
        if (inside->region == op->body && inside->producer && !l->targets[inside->id].placed)
            l->targets[inside->id] = slice;
    }
}

static void repeat_results(lower *l, graph_op *op, int carried, const place *stacked, int loop)
{
    for (size_t i = (size_t)carried; i < op->outputs.count; i++) {
        graph_value *inside = op->body->results.items[i];
        place slice = slice_of(&stacked[i], inside->type.rank, loop);
        if (l->places[inside->id].view.buffer != slice.view.buffer)
            lower_copy(l, inside, &slice);
        l->places[op->outputs.items[i]->id] = stacked[i];
    }
}

static void repeat_arguments(lower *l, graph_op *op, int carried, int loop)
{
    for (size_t i = 0; i < op->inputs.count; i++) {
        graph_value *argument = op->body->arguments.items[i], *given = op->inputs.items[i];
        if ((int)i < carried) {
            place p = place_new(l, argument, MEMORY_ACTIVATIONS);
            p.fresh = false;
            lower_copy(l, given, &p);
            l->places[argument->id] = p;
        } else {
            place whole = place_of(l, given);
            l->places[argument->id] = slice_of(&whole, argument->type.rank, loop);
        }
    }
}

void lower_repeat(lower *l, graph_op *op)
{
    int carried = (int)op->attrs.i[1], loop = l->s->loop_count++;
    schedule_block *outer = l->out;
    place *stacked = arena_array(l->a, place, op->outputs.count + 1);
    repeat_arguments(l, op, carried, loop);
    repeat_targets(l, op, carried, stacked, loop);
    schedule_instruction *i = instruction_add(l, SCHEDULE_LOOP);
    i->loop = loop;
    i->iterations = op->attrs.i[0];
    i->reverse = op->attrs.i[2] == 1;
    i->counter = schedule_buffer_add(l, NULL, 1, MEMORY_WORKSPACE);
    l->out = &i->body;
    lower_region(l, op->body);
    l->op = op;
    repeat_results(l, op, carried, stacked, loop);
    carry(l, op, carried, &i->body);
    l->out = outer;
    for (int k = 0; k < carried; k++) {
        l->places[op->outputs.items[k]->id] = l->places[op->body->arguments.items[k]->id];
        if (l->targets[op->outputs.items[k]->id].placed) {
            place to = l->targets[op->outputs.items[k]->id];
            lower_copy(l, op->outputs.items[k], &to);
            l->places[op->outputs.items[k]->id] = to;
        }
    }
}

void lower_assign(lower *l, graph_op *op)
{
    graph_value *x = op->inputs.items[0];
    place p = place_of(l, x);
    if (p.fresh)
        return;
    place own = place_new(l, x, MEMORY_ACTIVATIONS);
    lower_copy(l, x, &own);
    l->places[x->id] = own;
}

static int64_t largest_call(const schedule_block *block, int collective)
{
    int64_t most = 0;
    for (size_t i = 0; i < block->count; i++) {
        const schedule_instruction *in = block->items[i];
        int64_t inner = largest_call(&in->body, collective);
        if (in->kind == SCHEDULE_COLLECTIVE && in->collective == collective && in->count > most)
            most = in->count;
        most = inner > most ? inner : most;
    }
    return most;
}

/* Slots for the rank that needs most: ranks have one schedule. */
static int64_t scratch_count(const coll_program *p, int64_t count)
{
    int64_t chunk = 0, slots = 0;
    for (int c = 0; c < p->chunks; c++) {
        int64_t size = coll_chunk_begin(p, c + 1, count) - coll_chunk_begin(p, c, count);
        chunk = size > chunk ? size : chunk;
    }
    arena *scratch = arena_new();
    coll_rank_program **ranks = coll_proved_rank_programs(p, scratch);
    for (int rank = 0; rank < p->ranks; rank++)
        slots = ranks[rank]->slots > slots ? ranks[rank]->slots : slots;
    arena_free(scratch);
    return chunk * slots;
}

void collectives_scratch(lower *l)
{
    for (size_t i = 0; i < l->s->collectives.count; i++) {
        schedule_collective *c = &l->s->collectives.items[i];
        int64_t most = 0;
        for (size_t f = 0; f < l->s->functions.count; f++) {
            int64_t own = largest_call(&l->s->functions.items[f]->body, (int)i);
            most = own > most ? own : most;
        }
        int64_t count = c->program ? scratch_count(c->program, most) : 0;
        if (!count)
            continue;
        c->scratch = schedule_buffer_add(l, NULL, count, MEMORY_COMMUNICATION);
        schedule_buffer *b = &l->s->buffers.items[c->scratch];
        b->type = c->type;
        b->at = c->clause;
        b->lasting = true;
    }
}
