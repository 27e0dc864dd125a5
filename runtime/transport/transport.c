#include "transport/transport.h"

#include <sched.h>
#include <time.h>

enum {
    YIELDS_BETWEEN_CLOCKS = 16,
    YIELD_NANOSECONDS = 300 * 1000, /* a peer on another core needs less for a step's skew */
    SLEEP_NANOSECONDS = 50 * 1000 * 1000
};

int64_t rt_nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

/* The last stage: armed at one call, asleep at the next, if nothing has come in between. */
static void sleep_in_turns(rt_pause *pause, rt_transport *t)
{
    if (pause->armed)
        t->ops->sleep(t, pause->seen, SLEEP_NANOSECONDS);
    else
        pause->seen = t->ops->arm(t);
    pause->armed = !pause->armed;
}

rt_status rt_pause_wait(rt_pause *pause, rt_transport *t)
{
    if (pause->polls < t->spins) {
        pause->polls++;
        relax();
        return RT_OK;
    }
    int yields = pause->polls++ - t->spins;
    if (!pause->asleep && yields % YIELDS_BETWEEN_CLOCKS != 0) {
        sched_yield();
        return RT_OK;
    }
    if (t->ops->stopped(t))
        return RT_CANCELLED;
    int64_t now = rt_nanoseconds();
    if (pause->since == 0)
        pause->since = now;
    if (t->deadline > 0 && now - pause->since > t->deadline)
        return RT_TIMEOUT;
    pause->asleep = now - pause->since > YIELD_NANOSECONDS;
    if (pause->asleep)
        sleep_in_turns(pause, t);
    else
        sched_yield();
    return RT_OK;
}
