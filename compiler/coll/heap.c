#include "coll/heap.h"

#include <assert.h>
#include <stdbool.h>

static bool sooner(heap_item a, heap_item b)
{
    return a.time < b.time || (a.time == b.time && a.number < b.number);
}

void heap_push(heap *h, double time, int64_t number)
{
    vec_push(h->memory, &h->items, (heap_item){time, number});
    size_t i = h->items.count - 1;
    while (i > 0 && sooner(h->items.items[i], h->items.items[(i - 1) / 2])) {
        heap_item item = h->items.items[i];
        h->items.items[i] = h->items.items[(i - 1) / 2];
        h->items.items[(i - 1) / 2] = item;
        i = (i - 1) / 2;
    }
}

heap_item heap_pop(heap *h)
{
    assert(h->items.count > 0);
    heap_item top = h->items.items[0], last = vec_last(&h->items);
    size_t count = --h->items.count, i = 0;
    for (size_t child = 1; child < count; child = 2 * i + 1) {
        if (child + 1 < count && sooner(h->items.items[child + 1], h->items.items[child]))
            child++;
        if (!sooner(h->items.items[child], last))
            break;
        h->items.items[i] = h->items.items[child];
        i = child;
    }
    if (count > 0)
        h->items.items[i] = last;
    return top;
}
