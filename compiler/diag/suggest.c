#include "diag/suggest.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

enum { LONGEST = 63 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment (Damerau-Levenshtein without overlapping swaps), three rows at a time. */
size_t suggest_distance(const char *a, const char *b)
{
    size_t m = strlen(a), n = strlen(b);
    if (m > LONGEST || n > LONGEST)
        return SIZE_MAX;
    size_t rows[3][LONGEST + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= n; j++)
        above[j] = j;
    for (size_t i = 1; i <= m; i++) {
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t change = above[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = least(change, least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
        size_t *oldest = before;
        before = above;
        above = row;
        row = oldest;
    }
    return above[n];
}

suggestion suggest_for(const char *name)
{
    return (suggestion){name, NULL, SIZE_MAX};
}

void suggest_offer(suggestion *s, const char *candidate)
{
    size_t m = strlen(s->name), n = strlen(candidate);
    size_t longer = m > n ? m : n;
    size_t distance =
        strcasecmp(s->name, candidate) == 0 ? 0 : suggest_distance(s->name, candidate);
    size_t allowed = longer < 3 ? 0 : longer < 6 ? 1 + (longer > 3) : longer / 3;
    if (distance <= allowed && distance < s->distance) {
        s->best = candidate;
        s->distance = distance;
    }
}
