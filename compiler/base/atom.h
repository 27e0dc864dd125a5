/* atom.h: interned names. Two equal texts of one table are one pointer, so names compare by `==`.
 *
 *     atom_table *t = atom_table_new(arena);
 *     atom name = atom_intern(t, "linear", 6);
 *
 * An atom is a NUL-terminated text that lives as long as the table's arena.
 */
#ifndef ESPALIER_BASE_ATOM_H
#define ESPALIER_BASE_ATOM_H

#include "base/arena.h"

typedef const char *atom;
typedef struct atom_table atom_table;

atom_table *atom_table_new(arena *a);
atom atom_intern(atom_table *t, const char *text, size_t length);
atom atom_of(atom_table *t, const char *text);

#endif
