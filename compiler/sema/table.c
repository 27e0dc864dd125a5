#include "sema/table.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

enum { FIRST_ROOM = 4, LONGEST_COMPARED = 64 };

table table_in(arena *a)
{
    return (table){.memory = a};
}

static size_t hash(atom name, int kind)
{
    uint64_t h = ((uint64_t)(uintptr_t)name >> 4) * 0x9e3779b97f4a7c15u +
                 (uint64_t)kind * 0xff51afd7ed558ccdu;
    return (size_t)(h ^ (h >> 29));
}

static table_slot *find(const table *t, atom name, int kind)
{
    size_t i = hash(name, kind) & (t->room - 1);
    while (t->slots[i].name && (t->slots[i].name != name || t->slots[i].kind != kind))
        i = (i + 1) & (t->room - 1);
    return &t->slots[i];
}

static void grow(table *t)
{
    table old = *t;
    t->room = old.room ? old.room * 2 : FIRST_ROOM;
    t->slots = arena_array(t->memory, table_slot, t->room);
    for (size_t i = 0; i < old.room; i++)
        if (old.slots[i].name)
            *find(t, old.slots[i].name, old.slots[i].kind) = old.slots[i];
}

void *table_get(const table *t, atom name, int kind)
{
    return t->room ? find(t, name, kind)->item : NULL;
}

void table_set(table *t, atom name, int kind, void *item)
{
    if (2 * (t->count + 1) > t->room)
        grow(t);
    table_slot *slot = find(t, name, kind);
    if (!slot->name)
        t->count++;
    *slot = (table_slot){name, kind, item};
}

void table_clear(table *t)
{
    if (t->room)
        memset(t->slots, 0, t->room * sizeof *t->slots);
    t->count = 0;
}

nearest nearest_to(const char *wanted)
{
    int length = (int)strnlen(wanted, LONGEST_COMPARED);
    return (nearest){.wanted = wanted, .distance = 2 * (length < 3 ? 1 : length / 3 + 1)};
}

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

/* Insertions, deletions, changes and swaps of neighbours that lead from one to the other. */
static int edit_distance(const char *a, const char *b)
{
    int rows[3][LONGEST_COMPARED + 1];
    int n = (int)strlen(a), m = (int)strlen(b);
    for (int j = 0; j <= m; j++)
        rows[0][j] = j;
    for (int i = 1; i <= n; i++) {
        int *now = rows[i % 3], *above = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        now[0] = i;
        for (int j = 1; j <= m; j++) {
            int cost = a[i - 1] != b[j - 1];
            now[j] = smaller(smaller(now[j - 1], above[j]) + 1, above[j - 1] + cost);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = smaller(now[j], before[j - 2] + 1);
        }
    }
    return rows[n % 3][m];
}

/* Twice the distance, so that another case of the letters alone is nearer than any change of one. */
static int offered_distance(const char *wanted, const char *name)
{
    int longer = (int)(strlen(wanted) > strlen(name) ? strlen(wanted) : strlen(name));
    if (!strcasecmp(wanted, name))
        return strcmp(wanted, name) != 0;
    int distance = edit_distance(wanted, name);
    bool near = distance < longer && distance <= (longer < 5 ? 1 : longer < 9 ? 2 : longer / 3);
    return near ? 2 * distance : 0;
}

void nearest_offer(nearest *n, const char *name)
{
    if (strlen(n->wanted) >= LONGEST_COMPARED || strlen(name) >= LONGEST_COMPARED)
        return;
    int distance = offered_distance(n->wanted, name);
    if (!distance || distance > n->distance)
        return;
    if (n->best && distance == n->distance && strcmp(name, n->best) >= 0)
        return;
    n->best = name;
    n->distance = distance;
}

void nearest_offer_all(nearest *n, const table *t, int kind)
{
    for (size_t i = 0; i < t->room; i++)
        if (t->slots[i].name && t->slots[i].kind == kind)
            nearest_offer(n, t->slots[i].name);
}

const char *nearest_found(const nearest *n)
{
    return n->best;
}
