#include "base/atom.h"

#include <stdint.h>
#include <string.h>

typedef struct entry {
    struct entry *next;
    uint64_t hash;
    size_t length;
    const char *text;
} entry;

struct atom_table {
    arena *memory;
    entry **buckets;
    size_t bucket_count; /* a power of two */
    size_t count;
};

enum { FIRST_BUCKETS = 256 };

/* FNV-1a, 64 bits. */
static uint64_t hash_text(const char *text, size_t length)
{
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)text[i]) * 1099511628211u;
    return hash;
}

atom_table *atom_table_new(arena *a)
{
    atom_table *t = arena_make(a, atom_table);
    t->memory = a;
    t->bucket_count = FIRST_BUCKETS;
    t->buckets = arena_array(a, entry *, FIRST_BUCKETS);
    return t;
}

static void table_widen(atom_table *t)
{
    size_t wider = t->bucket_count * 4;
    entry **buckets = arena_array(t->memory, entry *, wider);
    for (size_t i = 0; i < t->bucket_count; i++) {
        for (entry *e = t->buckets[i], *next; e; e = next) {
            next = e->next;
            e->next = buckets[e->hash & (wider - 1)];
            buckets[e->hash & (wider - 1)] = e;
        }
    }
    t->buckets = buckets;
    t->bucket_count = wider;
}

atom atom_intern(atom_table *t, const char *text, size_t length)
{
    uint64_t hash = hash_text(text, length);
    for (entry *e = t->buckets[hash & (t->bucket_count - 1)]; e; e = e->next) {
        if (e->hash == hash && e->length == length && memcmp(e->text, text, length) == 0)
            return e->text;
    }
    if (t->count >= t->bucket_count * 2)
        table_widen(t);
    entry *e = arena_make(t->memory, entry);
    e->hash = hash;
    e->length = length;
    e->text = arena_copy_text(t->memory, text, length);
    e->next = t->buckets[hash & (t->bucket_count - 1)];
    t->buckets[hash & (t->bucket_count - 1)] = e;
    t->count++;
    return e->text;
}

atom atom_of(atom_table *t, const char *text)
{
    return atom_intern(t, text, strlen(text));
}
