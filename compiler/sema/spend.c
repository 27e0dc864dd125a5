#include "sema/spend.h"

void spend(sema *s, int64_t units)
{
    s->work.done += units;
}

void spend_proof(sema *s, const coll_program *p)
{
    spend(s, (int64_t)p->sends.count * (1 + p->ranks / 64));
}

bool spend_may_go_on(sema *s, span at)
{
    if (!s->checking || s->work.done <= s->most_work)
        return true;
    if (!s->spent) {
        diag *d = sema_report(
            s, E0238, at, "the file takes too much work to check: from here on it is not checked");
        diag_fix(d, "put plans into files of their own, and 'import' what they share");
    }
    s->spent = true;
    return false;
}
