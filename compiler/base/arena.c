#include "base/arena.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BLOCK = 64 * 1024, LARGEST_BLOCK = 1024 * 1024, ALIGNMENT = 16 };

typedef struct block {
    struct block *next;
    size_t size;
    size_t used;
    _Alignas(ALIGNMENT) char bytes[];
} block;

struct arena {
    block *blocks;
    size_t used;
    size_t next_size;
};

static void die_exhausted(void)
{
    fputs("espalier: out of memory\n", stderr);
    abort();
}

static void (*exhausted)(void) = die_exhausted;

void arena_on_exhausted(void (*hook)(void))
{
    exhausted = hook ? hook : die_exhausted;
}

static void *allocate(size_t bytes)
{
    void *memory = calloc(1, bytes);
    if (!memory)
        exhausted();
    return memory;
}

arena *arena_new(void)
{
    arena *a = allocate(sizeof *a);
    a->next_size = FIRST_BLOCK;
    return a;
}

void arena_free(arena *a)
{
    if (!a)
        return;
    for (block *b = a->blocks, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    free(a);
}

/* The first of the list is the one that is filled up; what is large has one of its own behind it. */
static block *block_add(arena *a, size_t bytes)
{
    bool own = bytes >= LARGEST_BLOCK && a->blocks;
    size_t size = own || bytes > a->next_size ? bytes : a->next_size;
    if (a->next_size < LARGEST_BLOCK)
        a->next_size *= 2;
    block *b = allocate(sizeof *b + size);
    b->size = size;
    block **place = own ? &a->blocks->next : &a->blocks;
    b->next = *place;
    *place = b;
    return b;
}

static size_t rounded_up(size_t bytes)
{
    if (bytes > SIZE_MAX / 2)
        exhausted();
    return (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

void *arena_alloc(arena *a, size_t bytes)
{
    size_t rounded = rounded_up(bytes);
    block *b = a->blocks;
    if (!b || b->size - b->used < rounded)
        b = block_add(a, rounded);
    void *memory = b->bytes + b->used;
    b->used += rounded;
    a->used += rounded;
    return memory;
}

/* The place in the list of a block that holds these items and nothing else; NULL: there is none. */
static block **block_of(arena *a, const void *items, size_t bytes)
{
    for (block **b = &a->blocks; *b; b = &(*b)->next)
        if ((const char *)items == (*b)->bytes && (*b)->used == bytes)
            return b;
    return NULL;
}

/* Large tables double many times: the copies left behind would be as large again as the table. */
static void *grow_block(arena *a, block **place, size_t wanted)
{
    size_t used = (*place)->used;
    block *b = realloc(*place, sizeof *b + wanted);
    if (!b)
        exhausted();
    memset(b->bytes + used, 0, wanted - used);
    b->size = b->used = wanted;
    *place = b;
    a->used += wanted - used;
    return b->bytes;
}

void *arena_grow(arena *a, void *items, size_t bytes, size_t wanted)
{
    size_t now = rounded_up(bytes), then = rounded_up(wanted);
    block *first = a->blocks;
    bool last = items && (char *)items + now == first->bytes + first->used;
    if (last && first->size - first->used >= then - now) {
        first->used += then - now;
        a->used += then - now;
        return items;
    }
    block **own = now >= LARGEST_BLOCK ? block_of(a, items, now) : NULL;
    if (own)
        return grow_block(a, own, then);
    void *grown = arena_alloc(a, wanted);
    if (bytes)
        memcpy(grown, items, bytes);
    return grown;
}

char *arena_copy_text(arena *a, const char *text, size_t length)
{
    char *copy = arena_alloc(a, length + 1);
    if (length)
        memcpy(copy, text, length);
    return copy;
}

char *arena_format(arena *a, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *text = arena_alloc(a, (size_t)(length < 0 ? 0 : length) + 1);
    if (length > 0)
        vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

size_t arena_used(const arena *a)
{
    return a->used;
}
