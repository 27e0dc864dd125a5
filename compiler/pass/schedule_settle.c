/* Values that belong in memory that stands already: a variable's next value, what a loop carries.
 *
 * A value is computed into a buffer of its own. If nobody reads the old value afterwards, and the kernel that makes the new
 * one reads the old one only at the element that it writes, the buffer becomes the old one; otherwise it is copied at
 * the end of the block.
 */
#include "pass/schedule_internal.h"

typedef struct touch {
    int buffer;
    bool reads, writes;
    const loop_node *store; /* the one store into it; NULL: none, or more than one */
    int stores;
} touch;

static void touch_node(loop_node *n, void *state)
{
    touch *t = state;
    if (n->address.buffer != t->buffer)
        return;
    if (n->kind == LOOP_LOAD)
        t->reads = true;
    if (n->kind == LOOP_STORE) {
        t->writes = true;
        t->store = t->stores++ ? NULL : n;
    }
}

/* Of a library call the last operands are written; whatever else is named is read. */
static void touch_call(const schedule_instruction *i, touch *t)
{
    int written = i->kind == SCHEDULE_ATTENTION ? (i->attention.op == OP_attention ? 2 : 3) : 1;
    for (int k = 0; k < i->operand_count; k++)
        if (i->operands[k].buffer == t->buffer) {
            bool output = k >= i->operand_count - written;
            t->writes = t->writes || output || i->kind == SCHEDULE_COLLECTIVE;
            t->reads = t->reads || !output || i->kind == SCHEDULE_COLLECTIVE;
        }
}

static touch touch_of(const schedule_instruction *i, int buffer)
{
    touch t = {.buffer = buffer};
    if (i->kind == SCHEDULE_KERNEL) {
        loop_visit(&i->kernel->body, touch_node, &t);
        return t;
    }
    touch_call(i, &t);
    for (size_t k = 0; k < i->body.count; k++) {
        touch inner = touch_of(i->body.items[k], buffer);
        t.reads = t.reads || inner.reads;
        t.writes = t.writes || inner.writes;
    }
    return t;
}

static bool same_terms(const loop_address *a, const loop_address *b)
{
    if (a->base != b->base || a->terms.count != b->terms.count)
        return false;
    for (size_t i = 0; i < a->terms.count; i++)
        if (a->terms.items[i].node != b->terms.items[i].node ||
            a->terms.items[i].coefficient != b->terms.items[i].coefficient)
            return false;
    return true;
}

typedef struct aligned_check {
    const loop_node *store;
    int old;
    bool aligned;
} aligned_check;

static void check_aligned(loop_node *n, void *state)
{
    aligned_check *c = state;
    if (n->kind == LOOP_LOAD && n->address.buffer == c->old &&
        !same_terms(&n->address, &c->store->address))
        c->aligned = false;
}

static bool kernel_in_place(const schedule_instruction *i, const loop_node *store, int old)
{
    aligned_check c = {store, old, store && store->fold == LOOP_SET};
    if (i->kind == SCHEDULE_KERNEL && c.aligned)
        loop_visit(&i->kernel->body, check_aligned, &c);
    return i->kind == SCHEDULE_KERNEL && c.aligned;
}

static bool can_take_place(const schedule_block *block, int buffer, int old)
{
    bool written = false;
    for (size_t i = 0; i < block->count; i++) {
        touch of_new = touch_of(block->items[i], buffer), of_old = touch_of(block->items[i], old);
        if (written && (of_old.reads || of_old.writes))
            return false;
        if (!of_new.writes)
            continue;
        if (of_old.writes || (of_old.reads && !kernel_in_place(block->items[i], of_new.store, old)))
            return false;
        written = true;
    }
    return written;
}

typedef struct renaming {
    int from, into;
} renaming;

static void rename_node(loop_node *n, void *state)
{
    renaming *r = state;
    if (n->address.buffer == r->from)
        n->address.buffer = r->into;
}

static void rename_block(schedule_block *block, renaming *r)
{
    for (size_t i = 0; i < block->count; i++) {
        schedule_instruction *in = block->items[i];
        if (in->kernel)
            loop_visit(&in->kernel->body, rename_node, r);
        for (int k = 0; k < in->operand_count; k++)
            if (in->operands[k].buffer == r->from)
                in->operands[k].buffer = r->into;
        rename_block(&in->body, r);
    }
}

static void copy_back(lower *l, schedule_block *block, int from, int into)
{
    schedule_block *outer = l->out;
    kernel_build b = kernel_begin(l);
    loop_node *row = loop_rows_add(b.k, l->s->buffers.items[into].count);
    loop_address in = loop_address_at(from, 0), out = loop_address_at(into, 0);
    loop_address_add(b.k, &in, 1, row);
    loop_address_add(b.k, &out, 1, row);
    dtype type = l->s->buffers.items[into].type;
    loop_store(b.k, NULL, LOOP_SET, out, loop_load(b.k, type, in, NULL, 0));
    l->out = block;
    kernel_end(&b);
    l->out = outer;
}

void settle(lower *l, schedule_block *block, int from, int into)
{
    bool own = l->s->buffers.items[from].variable < 0 && !l->s->buffers.items[from].lasting;
    if (!own || !can_take_place(block, from, into)) {
        copy_back(l, block, from, into);
        return;
    }
    rename_block(block, &(renaming){from, into});
    for (int i = 0; i < l->g->next_value; i++)
        if (l->places[i].placed && l->places[i].view.buffer == from) {
            l->places[i].view.buffer = into;
            l->places[i].fresh = false;
        }
}
