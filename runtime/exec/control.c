#define _GNU_SOURCE
#include "exec/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t rounded(size_t bytes, size_t unit)
{
    return (bytes + unit - 1) / unit * unit;
}

/* Bytes of memory that the machine has at all; 0 when it does not say. */
static size_t machine_memory(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    return pages > 0 && size > 0 ? (size_t)pages * (size_t)size : 0;
}

static rt_status map(rt_control *control, rt_error *error)
{
    size_t machine = machine_memory();
    if (machine > 0 && control->mapping_bytes > machine)
        return rt_fail(error, RT_NO_MEMORY,
                       "%d ranks of %zu bytes each need more than the %zu bytes of this machine",
                       control->ranks, control->arena_bytes, machine);
    control->mapping = mmap(NULL, control->mapping_bytes, PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (control->mapping == MAP_FAILED) {
        control->mapping = NULL;
        return rt_fail(error, RT_NO_MEMORY, "cannot reserve %zu bytes for %d ranks: %s",
                       control->mapping_bytes, control->ranks, strerror(errno));
    }
    return RT_OK;
}

rt_status rt_control_make(rt_control *control, int ranks, int64_t arena_bytes, rt_error *error)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), count = (size_t)ranks;
    size_t finals = rounded(count * sizeof(rt_record), RT_LINE);
    size_t board = rounded(finals + sizeof(rt_finals), RT_LINE);
    size_t arenas = rounded(board + rt_board_bytes(ranks), page);
    size_t stride = rounded((size_t)arena_bytes, page);
    *control = (rt_control){.ranks = ranks, .arena_bytes = (size_t)arena_bytes};
    if (__builtin_mul_overflow(stride, count, &control->mapping_bytes) ||
        __builtin_add_overflow(control->mapping_bytes, arenas, &control->mapping_bytes))
        return rt_fail(error, RT_NO_MEMORY, "%d ranks of %lld bytes each are beyond any machine",
                       ranks, (long long)arena_bytes);
    control->arenas = calloc(count, sizeof *control->arenas);
    if (!control->arenas)
        return rt_fail(error, RT_NO_MEMORY, "out of memory for %d ranks", ranks);
    rt_status status = map(control, error);
    if (status != RT_OK) {
        rt_control_clean_up(control);
        return status;
    }
    char *memory = control->mapping;
    control->records = (rt_record *)memory;
    control->finals = (rt_finals *)(memory + finals);
    control->board = rt_board_init(memory + board, ranks);
    for (size_t r = 0; r < count; r++) {
        control->arenas[r] = memory + arenas + r * stride;
        control->records[r].collective = -1;
    }
    return RT_OK;
}

rt_status rt_control_meet(rt_control *control, int rank, double timeout, rt_error *error)
{
    enum { NAP_MICROSECONDS = 100 };
    uint32_t own = atomic_fetch_add(&control->records[rank].meetings, 1) + 1;
    double waited = 0;
    for (int r = 0; r < control->ranks; r++) {
        /* As a difference: the counters may wrap. */
        while ((int32_t)(atomic_load(&control->records[r].meetings) - own) < 0) {
            if (rt_board_stopped(control->board))
                return rt_fail(error, RT_CANCELLED, "stopped while waiting for rank %d", r);
            if (timeout > 0 && waited > timeout)
                return rt_fail(error, RT_TIMEOUT,
                               "waited longer than %g s for rank %d to end its step", timeout, r);
            usleep(NAP_MICROSECONDS);
            waited += NAP_MICROSECONDS * 1e-6;
        }
    }
    return RT_OK;
}

void rt_control_clean_up(rt_control *control)
{
    if (control->mapping)
        munmap(control->mapping, control->mapping_bytes);
    free(control->arenas);
    *control = (rt_control){0};
}
