/* What a schedule keeps: nodes stand where their operands do, accesses lie inside their buffers, what is read was written,
 * and after pass_place no two buffers that live at one time overlap. */
#include "pass/schedule.h"

#include <string.h>

typedef struct checking {
    const schedule *s;
    arena *a;
    const char *problem;
    const loop_kernel *kernel;
    bool *written; /* by buffer */
} checking;

static void fail(checking *c, span at, const char *what, int number)
{
    if (!c->problem)
        c->problem = arena_format(
            c->a, "%s: %s %d",
            c->s->sources && at.file >= 0 ? source_line_name(c->s->sources, at, c->a) : "-", what,
            number);
}

static int root_of(const schedule *s, int buffer)
{
    while (s->buffers.items[buffer].block >= 0)
        buffer = s->buffers.items[buffer].block;
    return buffer;
}

static void note_write(checking *c, int buffer)
{
    if (buffer >= 0)
        c->written[buffer] = true;
}

/* A block is written where each of its parts is: the parts are checked, the block is taken as theirs. */
static void check_read(checking *c, int buffer, span at)
{
    if (buffer < 0)
        return;
    const schedule_buffer *b = &c->s->buffers.items[buffer];
    if (b->lasting || c->written[buffer] || c->written[root_of(c->s, buffer)])
        return;
    for (size_t i = 0; i < c->s->buffers.count; i++)
        if (c->s->buffers.items[i].block == buffer && c->written[i])
            return;
    fail(c, at, "nothing has been written to buffer", buffer);
}

/* The range of an address whose terms are all counters; false where an index comes from data. */
static bool range_of(const loop_address *a, int64_t *least, int64_t *most)
{
    *least = *most = a->base;
    for (size_t i = 0; i < a->terms.count; i++) {
        const loop_term *t = &a->terms.items[i];
        if (t->node->kind != LOOP_FOR)
            return false;
        int64_t reach = t->coefficient * (t->node->integer[0] - 1);
        if (t->node->integer[0] < 1)
            return false;
        if (reach > 0)
            *most += reach;
        else
            *least += reach;
    }
    return true;
}

static void check_node(loop_node *n, void *state)
{
    checking *c = state;
    int64_t least, most;
    for (int i = 0; i < n->arg_count; i++)
        if (n->args[i]->kind != LOOP_FOR && n->args[i]->depth > n->depth)
            fail(c, n->at, "an operand stands in an inner loop of node", n->id);
    if (n->kind != LOOP_LOAD && n->kind != LOOP_STORE)
        return;
    if (n->address.buffer < 0 || n->address.buffer >= (int)c->s->buffers.count) {
        fail(c, n->at, "no buffer for node", n->id);
        return;
    }
    const schedule_buffer *b = &c->s->buffers.items[n->address.buffer];
    if (!n->guard && range_of(&n->address, &least, &most) && (least < 0 || most >= b->count))
        fail(c, n->at, "an access outside buffer", n->address.buffer);
    if ((int)b->type != n->type)
        fail(c, n->at, "an access of another type than buffer", n->address.buffer);
    if (n->kind == LOOP_LOAD)
        check_read(c, n->address.buffer, n->at);
    else
        note_write(c, n->address.buffer);
}

static void check_block(checking *c, const schedule_block *block);

static void check_instruction(checking *c, const schedule_instruction *in)
{
    if (in->kernel)
        loop_visit(&in->kernel->body, check_node, c);
    if (in->kind == SCHEDULE_LOOP)
        check_block(c, &in->body);
    for (int i = 0; i < in->operand_count; i++) {
        bool last = i + 1 == in->operand_count;
        int buffer = in->operands[i].buffer;
        if (in->kind == SCHEDULE_COLLECTIVE || (in->kind == SCHEDULE_GEMM && !last))
            check_read(c, buffer, in->at);
        note_write(c, buffer);
    }
}

static void check_block(checking *c, const schedule_block *block)
{
    for (size_t i = 0; i < block->count; i++)
        check_instruction(c, block->items[i]);
}

static void check_offsets(checking *c)
{
    const schedule *s = c->s;
    for (size_t i = 0; i < s->buffers.count; i++) {
        const schedule_buffer *b = &s->buffers.items[i];
        int64_t bytes = b->count * (int64_t)dtype_bytes(b->type);
        if (b->offset >= 0 && b->offset + bytes > s->arena_bytes)
            fail(c, b->at, "outside the arena: buffer", (int)i);
        if (b->block >= 0 && b->block_first + b->count > s->buffers.items[b->block].count)
            fail(c, b->at, "outside its block: buffer", (int)i);
        if (b->offset < 0 || !b->lasting || b->block >= 0)
            continue;
        for (size_t k = 0; k < i; k++) {
            const schedule_buffer *o = &s->buffers.items[k];
            int64_t other = o->count * (int64_t)dtype_bytes(o->type);
            if (o->offset >= 0 && o->block < 0 && o->lasting && o->offset < b->offset + bytes &&
                b->offset < o->offset + other)
                fail(c, b->at, "overlaps another that lasts: buffer", (int)i);
        }
    }
}

const char *schedule_verify(const schedule *s, arena *a)
{
    checking c = {.s = s, .a = a, .written = arena_array(a, bool, s->buffers.count + 1)};
    for (size_t i = 0; i < s->functions.count; i++) {
        memset(c.written, 0, s->buffers.count);
        check_block(&c, &s->functions.items[i]->body);
        for (size_t r = 0; r < s->functions.items[i]->results.count; r++)
            check_read(&c, s->functions.items[i]->results.items[r].buffer, SPAN_NONE);
    }
    check_offsets(&c);
    return c.problem;
}
