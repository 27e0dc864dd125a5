/* table.h: names to things, for scopes: a hash table keyed by an atom and a small number.
 *
 *     table names = table_in(arena);
 *     table_set(&names, name, NAME_VALUE, binding);
 *     binding *b = table_get(&names, name, NAME_VALUE);     // NULL if there is none
 *
 * A table lives as long as its arena.
 */
#ifndef ESPALIER_SEMA_TABLE_H
#define ESPALIER_SEMA_TABLE_H

#include "base/atom.h"
#include <stdbool.h>

typedef struct table_slot {
    atom name;
    int kind;
    void *item;
} table_slot;

typedef struct table {
    arena *memory;
    table_slot *slots;
    size_t count;
    size_t room; /* 0 or a power of two */
} table;

table table_in(arena *a);
void *table_get(const table *t, atom name, int kind);
void table_set(table *t, atom name, int kind, void *item);

/* Takes all names out, and keeps the room. */
void table_clear(table *t);

/* Remembers the nearest of the names offered to `wanted`, by edit distance.
 *
 *     nearest n = nearest_to("linaer");
 *     nearest_offer(&n, "linear");
 *     const char *meant = nearest_found(&n);                // NULL: none is near
 */
typedef struct nearest {
    const char *wanted;
    const char *best;
    int distance;
} nearest;

nearest nearest_to(const char *wanted);
void nearest_offer(nearest *n, const char *name);
void nearest_offer_all(nearest *n, const table *t, int kind);
const char *nearest_found(const nearest *n);

#endif
