/* Joins kernels that follow one another over the same rows.
 *
 * The second may follow the first row by row when no row of it needs another row of the first: every buffer that both
 * touch and one writes is cut by the rows into the same disjoint stretches in all accesses of both. Kernels of one
 * row always may. What has much work in one row stays apart.
 */
#include "pass/schedule.h"

enum { MOST_NODES = 400, MOST_SINGLE_WORK = 1 << 14 };

typedef struct access_list {
    arena *memory;
    VEC(loop_node *) items;
    int nodes;
} access_list;

static void list_access(loop_node *n, void *state)
{
    access_list *l = state;
    l->nodes++;
    if (n->kind == LOOP_LOAD || n->kind == LOOP_STORE)
        vec_push(l->memory, &l->items, n);
}

static bool is_row(const loop_kernel *k, const loop_node *n)
{
    for (size_t i = 0; i < k->rows.count; i++)
        if (k->rows.items[i] == n)
            return true;
    return false;
}

static int64_t coefficient_of(const loop_address *a, const loop_node *n)
{
    for (size_t i = 0; i < a->terms.count; i++)
        if (a->terms.items[i].node == n)
            return a->terms.items[i].coefficient;
    return 0;
}

/* Elements of the stretch that belongs to one row, if row r has the r-th of them; else 0. */
static int64_t stretch_of(const loop_kernel *k, const loop_address *a)
{
    int64_t each = 0, expected = 0, least = a->base, most = a->base;
    for (size_t i = k->rows.count; i-- > 0;) {
        int64_t own = coefficient_of(a, k->rows.items[i]);
        if (own <= 0 || (expected && own != expected))
            return 0;
        each = each ? each : own;
        expected = own * k->rows.items[i]->integer[0];
    }
    for (size_t i = 0; i < a->terms.count; i++) {
        const loop_term *t = &a->terms.items[i];
        if (is_row(k, t->node))
            continue;
        if (t->node->kind != LOOP_FOR || t->coefficient < 0)
            return 0;
        most += t->coefficient * (t->node->integer[0] - 1);
    }
    return least >= 0 && most < each ? each : 0;
}

static bool rows_equal(const loop_kernel *a, const loop_kernel *b)
{
    if (a->rows.count != b->rows.count)
        return false;
    for (size_t i = 0; i < a->rows.count; i++)
        if (a->rows.items[i]->integer[0] != b->rows.items[i]->integer[0])
            return false;
    return true;
}

static bool conflict(const loop_kernel *a, const loop_kernel *b, const loop_node *x,
                     const loop_node *y)
{
    if (x->address.buffer != y->address.buffer || (x->kind != LOOP_STORE && y->kind != LOOP_STORE))
        return false;
    int64_t own = stretch_of(a, &x->address);
    return own == 0 || own != stretch_of(b, &y->address);
}

static bool may_join(arena *memory, loop_kernel *a, loop_kernel *b)
{
    access_list first = {.memory = memory}, second = {.memory = memory};
    if (!rows_equal(a, b))
        return false;
    loop_visit(&a->body, list_access, &first);
    loop_visit(&b->body, list_access, &second);
    if (first.nodes + second.nodes > MOST_NODES)
        return false;
    if (loop_row_count(a) == 1)
        return loop_work(a) + loop_work(b) < MOST_SINGLE_WORK;
    for (size_t i = 0; i < first.items.count; i++)
        for (size_t j = 0; j < second.items.count; j++)
            if (conflict(a, b, first.items.items[i], second.items.items[j]))
                return false;
    return true;
}

typedef struct moving {
    const loop_kernel *from;
    loop_kernel *into;
} moving;

static loop_node *moved(const moving *m, loop_node *n)
{
    for (size_t i = 0; i < m->from->rows.count; i++)
        if (m->from->rows.items[i] == n)
            return m->into->rows.items[i];
    return n;
}

static void move_node(loop_node *n, void *state)
{
    const moving *m = state;
    n->id = m->into->next_id++;
    for (int i = 0; i < n->arg_count; i++)
        n->args[i] = moved(m, n->args[i]);
    for (size_t i = 0; i < n->address.terms.count; i++)
        n->address.terms.items[i].node = moved(m, n->address.terms.items[i].node);
}

static void join(loop_kernel *into, loop_kernel *from)
{
    moving m = {from, into};
    loop_visit(&from->body, move_node, &m);
    for (size_t i = 0; i < from->body.count; i++)
        vec_push(into->memory, &into->body, from->body.items[i]);
}

static void fuse_block(schedule *s, schedule_block *block)
{
    size_t kept = 0;
    for (size_t i = 0; i < block->count; i++) {
        schedule_instruction *in = block->items[i], *last = kept ? block->items[kept - 1] : NULL;
        fuse_block(s, &in->body);
        if (last && last->kernel && in->kernel && may_join(s->memory, last->kernel, in->kernel))
            join(last->kernel, in->kernel);
        else
            block->items[kept++] = in;
    }
    block->count = kept;
}

void pass_fuse(schedule *s)
{
    for (size_t i = 0; i < s->functions.count; i++)
        fuse_block(s, &s->functions.items[i]->body);
}
