#include "pass/bound.h"

#include <stdio.h>

enum { LONGEST = 32 };

/* "238.6 KiB"; rounded up, so that what is suggested is enough. */
static const char *size_words(int64_t bytes, char *out)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double size = (double)bytes;
    int scale = 0;
    for (; size >= 1024 && scale < 4; scale++)
        size /= 1024;
    double tenths = (double)(int64_t)(size * 10);
    if (tenths < size * 10)
        tenths++;
    snprintf(out, LONGEST, "%.10g %s", tenths / 10, units[scale]);
    return out;
}

bool pass_bound(const training *t, int64_t bytes, const char *what, diag_sink *sink)
{
    char needs[LONGEST], may[LONGEST];
    size_words(bytes, needs);
    if (t->required_memory && bytes > t->required_memory) {
        diag *d = diag_report(sink, E0242, t->required_at,
                              "each rank needs %s %s, and the plan requires at most %s", needs,
                              what, size_words(t->required_memory, may));
        diag_fix(d, "memory <= %s, or a smaller model or batch", needs);
        return false;
    }
    if (t->memory_limit && bytes > t->memory_limit) {
        diag *d = diag_report(sink, E0242, t->plan_at, "each rank needs %s %s, and a device has %s",
                              needs, what, size_words(t->memory_limit, may));
        diag_note(d, t->memory_at, "declared here");
        diag_fix(d, "devices with memory %s, or a smaller model or batch", needs);
        return false;
    }
    return true;
}
