/* Memory: every buffer's offset in the arena, and what that adds up to.
 *
 * What lasts lies at the front of its category, one after another. What does not is live from the first instruction
 * that writes it to the last that reads it; a buffer that is touched both inside and outside a loop lives through the
 * whole loop. Buffers of a category are placed by size, the largest first, each at the lowest offset where nothing that
 * lives at the same time lies (first fit by decreasing size). Functions never run at the same time, so they share.
 */
#include "pass/schedule.h"

#include <assert.h>
#include <stdlib.h>

typedef struct lifetime {
    int buffer;
    int function; /* -1: lasting */
    int first, last;
    int64_t bytes;
    int64_t offset; /* inside the category */
    bool used;
} lifetime;

typedef struct placing {
    schedule *s;
    lifetime *lives;
    int function;
    int now;
} placing;

static int root_of(const schedule *s, int buffer)
{
    while (s->buffers.items[buffer].block >= 0)
        buffer = s->buffers.items[buffer].block;
    return buffer;
}

static void touch(placing *p, int buffer)
{
    if (buffer < 0)
        return;
    lifetime *life = &p->lives[root_of(p->s, buffer)];
    if (!life->used || life->function != p->function) {
        life->function = life->used ? -1 : p->function;
        life->first = p->now;
    }
    life->used = true;
    life->last = p->now;
}

static void touch_node(loop_node *n, void *state)
{
    touch(state, n->address.buffer);
}

static void walk(placing *p, const schedule_block *block);

/* A loop's body comes back to its start: what was live before it stays live until it ends. */
static void walk_loop(placing *p, const schedule_instruction *in)
{
    int begin = p->now;
    touch(p, in->counter);
    walk(p, &in->body);
    p->now++;
    touch(p, in->counter);
    for (size_t i = 0; i < p->s->buffers.count; i++) {
        lifetime *life = &p->lives[i];
        if (life->used && life->function == p->function && life->first < begin &&
            life->last > begin)
            life->last = p->now;
    }
}

static void walk(placing *p, const schedule_block *block)
{
    for (size_t i = 0; i < block->count; i++) {
        const schedule_instruction *in = block->items[i];
        p->now++;
        if (in->kind == SCHEDULE_LOOP)
            walk_loop(p, in);
        for (int k = 0; k < in->operand_count; k++)
            touch(p, in->operands[k].buffer);
        if (in->kernel)
            loop_visit(&in->kernel->body, touch_node, p);
    }
}

/* Written inside a loop and read after it: live through the loop, whose later slices must not be overwritten. */
static void widen(placing *p, const schedule_block *block, int *now)
{
    for (size_t i = 0; i < block->count; i++) {
        const schedule_instruction *in = block->items[i];
        ++*now;
        if (in->kind != SCHEDULE_LOOP)
            continue;
        int begin = *now;
        widen(p, &in->body, now);
        int end = ++*now;
        for (size_t b = 0; b < p->s->buffers.count; b++) {
            lifetime *life = &p->lives[b];
            if (life->used && life->function == p->function && life->first > begin &&
                life->first <= end && life->last > end)
                life->first = begin;
        }
    }
}

static int64_t aligned(int64_t bytes)
{
    return (bytes + SCHEDULE_ALIGNMENT - 1) / SCHEDULE_ALIGNMENT * SCHEDULE_ALIGNMENT;
}

static bool meets(const lifetime *a, const lifetime *b)
{
    if (a->function < 0 || b->function < 0)
        return true;
    return a->function == b->function && a->first <= b->last && b->first <= a->last;
}

static int by_size(const void *a, const void *b)
{
    const lifetime *x = *(lifetime *const *)a, *y = *(lifetime *const *)b;
    if ((x->function < 0) != (y->function < 0))
        return x->function < 0 ? -1 : 1;
    if (x->function >= 0 && x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    return x->buffer - y->buffer;
}

/* The lowest offset at which `life` meets nothing of those placed before it. */
static int64_t lowest(lifetime **placed, size_t count, const lifetime *life)
{
    int64_t offset = 0;
    for (bool moved = true; moved;) {
        moved = false;
        for (size_t i = 0; i < count; i++) {
            const lifetime *o = placed[i];
            if (meets(o, life) && o->offset < offset + life->bytes &&
                offset < o->offset + o->bytes) {
                offset = o->offset + o->bytes;
                moved = true;
            }
        }
    }
    return offset;
}

static int64_t place_kind(placing *p, memory_kind kind)
{
    schedule *s = p->s;
    lifetime **order = arena_array(s->memory, lifetime *, s->buffers.count + 1);
    size_t count = 0;
    int64_t end = 0;
    for (size_t i = 0; i < s->buffers.count; i++)
        if (p->lives[i].used && s->buffers.items[i].memory == kind && s->buffers.items[i].block < 0)
            order[count++] = &p->lives[i];
    qsort(order, count, sizeof *order, by_size);
    for (size_t i = 0; i < count; i++) {
        order[i]->offset = lowest(order, i, order[i]);
        if (order[i]->offset + order[i]->bytes > end)
            end = order[i]->offset + order[i]->bytes;
    }
    return end;
}

static void lifetimes_find(placing *p)
{
    schedule *s = p->s;
    for (size_t i = 0; i < s->functions.count; i++) {
        int now = 0;
        p->function = (int)i;
        p->now = 0;
        walk(p, &s->functions.items[i]->body);
        widen(p, &s->functions.items[i]->body, &now);
    }
    for (size_t i = 0; i < s->buffers.count; i++) {
        const schedule_buffer *b = &s->buffers.items[i];
        p->lives[i].buffer = (int)i;
        p->lives[i].bytes = aligned(b->count * (int64_t)dtype_bytes(b->type));
        if (b->lasting && b->block < 0) {
            p->lives[i].used = true;
            p->lives[i].function = -1;
        }
    }
}

void pass_place(schedule *s)
{
    placing p = {.s = s, .lives = arena_array(s->memory, lifetime, s->buffers.count + 1)};
    lifetimes_find(&p);
    int64_t base = 0;
    for (int kind = 0; kind < MEMORY_KIND_COUNT; kind++) {
        s->memory_bytes[kind] = place_kind(&p, (memory_kind)kind);
        for (size_t i = 0; i < s->buffers.count; i++)
            if (p.lives[i].used && (int)s->buffers.items[i].memory == kind)
                s->buffers.items[i].offset = base + p.lives[i].offset;
        base += s->memory_bytes[kind];
    }
    for (size_t i = 0; i < s->buffers.count; i++) {
        schedule_buffer *b = &s->buffers.items[i];
        const schedule_buffer *root = &s->buffers.items[root_of(s, (int)i)];
        if (b->block >= 0)
            b->offset = root->offset < 0
                            ? -1
                            : root->offset + b->block_first * (int64_t)dtype_bytes(b->type);
    }
    s->arena_bytes = base;
}
