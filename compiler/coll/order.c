#include "coll/order.h"

/* What a rank's place holds: the sum over the tree's node of 2^level ranks from `first` on; level -1: no node's. */
typedef struct sum {
    int32_t first;
    int32_t level;
} sum;

/* The sends into one chunk, in order. */
typedef struct chunk_sends {
    const coll_send **items;
    int count;
} chunk_sends;

/* The node above, when nothing is to the right of this one: the same sum. */
static bool lift(sum *x, int ranks)
{
    int64_t size = (int64_t)1 << x->level;
    if (x->first + size < ranks || x->first % (2 * size) != 0 || size >= ranks)
        return false;
    x->level++;
    return true;
}

static sum added(sum x, sum y, int ranks)
{
    const sum none = {0, -1};
    if (x.level < 0 || y.level < 0)
        return none;
    while (x.level < y.level && lift(&x, ranks))
        ;
    while (y.level < x.level && lift(&y, ranks))
        ;
    int64_t size = (int64_t)1 << x.level;
    int32_t left = x.first < y.first ? x.first : y.first,
            right = x.first < y.first ? y.first : x.first;
    if (x.level != y.level || left % (2 * size) != 0 || right != left + size)
        return none;
    return (sum){left, x.level + 1};
}

/* Sends of one step read what was there before it. */
static bool chunk_adds_as_tree(const coll_program *p, const chunk_sends *sends, sum *now, sum *read)
{
    for (int r = 0; r < p->ranks; r++)
        now[r] = (sum){r, 0};
    for (int i = 0, end; i < sends->count; i = end) {
        for (end = i; end < sends->count && sends->items[end]->step == sends->items[i]->step; end++)
            read[end - i] = now[sends->items[end]->from];
        for (int k = i; k < end; k++) {
            sum *to = &now[sends->items[k]->to];
            *to =
                sends->items[k]->op == COLL_COPY ? read[k - i] : added(*to, read[k - i], p->ranks);
        }
    }
    for (int r = 0; r < p->ranks; r++) {
        while (now[r].level >= 0 && lift(&now[r], p->ranks))
            ;
        if (now[r].level < 0 || (int64_t)1 << now[r].level < p->ranks)
            return false;
    }
    return true;
}

bool coll_adds_as_tree(const coll_program *p, arena *a)
{
    size_t count = p->sends.count;
    chunk_sends *chunks = arena_array(a, chunk_sends, p->chunks);
    const coll_send **all = arena_array(a, const coll_send *, count + 1);
    sum *now = arena_array(a, sum, p->ranks), *read = arena_array(a, sum, count + 1);
    for (size_t i = 0; i < count; i++)
        chunks[p->sends.items[i].chunk].count++;
    const coll_send **next = all;
    for (int c = 0; c < p->chunks; c++) {
        chunks[c].items = next;
        next += chunks[c].count;
        chunks[c].count = 0;
    }
    for (size_t i = 0; i < count; i++) {
        chunk_sends *c = &chunks[p->sends.items[i].chunk];
        c->items[c->count++] = &p->sends.items[i];
    }
    for (int c = 0; c < p->chunks; c++)
        if (!chunk_adds_as_tree(p, &chunks[c], now, read))
            return false;
    return true;
}
