/* bench_collective: microseconds of an all-reduce of f32 between processes, topology by topology and size by size.
 *     bench_collective [RANKS [MOST_BYTES]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "coll/engine.h"
#include "exec/control.h"
#include "support/topologies.h"
#include "topo/cpu.h"
#include "transport/shared.h"

static rt_control control;

static rt_group group_of(rt_shared *shared, int rank, int *members)
{
    rt_shared_init(shared, control.board, control.arenas, control.arena_bytes, rank);
    shared->base.spins = rt_cpu_cores() >= control.ranks ? 2000 : 0;
    for (int r = 0; r < control.ranks; r++)
        members[r] = r;
    return (rt_group){.transport = &shared->base, .ranks = members, .size = control.ranks};
}

/* Microseconds of the fastest of five rounds, as rank 0 sees it. */
static double timed(rt_group *group, const rt_rank_program *program, int64_t bytes)
{
    int rank = group->transport->rank;
    rt_operand operand = {RT_TYPE_F32, control.arenas[rank], bytes / 4, NULL};
    rt_blocked blocked;
    int repeats = bytes < 65536 ? 400 : bytes < 4 << 20 ? 40 : 4;
    double best = 1e30;
    for (int round = 0; round < 5; round++) {
        rt_engine_run(group, program, &(rt_operand){RT_TYPE_F32, operand.data, 1, NULL}, &blocked);
        int64_t begin = rt_nanoseconds();
        for (int i = 0; i < repeats; i++)
            rt_engine_run(group, program, &operand, &blocked);
        double taken = (double)(rt_nanoseconds() - begin) / 1000 / repeats;
        best = taken < best ? taken : best;
    }
    return best;
}

static void bench(int rank, int64_t most)
{
    rt_shared shared;
    int members[64];
    rt_group group = group_of(&shared, rank, members);
    memset(control.arenas[rank], 0, control.arena_bytes);
    for (int64_t bytes = 1024; bytes <= most; bytes *= 32) {
        if (rank == 0)
            printf("%10ld", (long)bytes);
        for (int t = 0; t < TOPOLOGY_COUNT; t++) {
            rt_program program = topology_make(topology_names[t], control.ranks);
            rt_rank_program mine;
            rt_error error;
            if (rt_rank_program_make(&program, rank, &mine, &error) != RT_OK)
                abort();
            double taken = timed(&group, &mine, bytes);
            if (rank == 0)
                printf(" %11.1f", taken);
            rt_rank_program_clean_up(&mine);
            rt_program_clean_up(&program);
        }
        if (rank == 0)
            printf("\n");
    }
    fflush(stdout);
}

int main(int argc, char **argv)
{
    int ranks = argc > 1 ? atoi(argv[1]) : 4;
    int64_t most = argc > 2 ? atoll(argv[2]) : 32 << 20;
    rt_error error;
    if (ranks < 1 || ranks > 64 || rt_control_make(&control, ranks, most + 64, &error) != RT_OK)
        return 1;
    printf("all-reduce of f32 on %d ranks, %d cores, microseconds\n%10s", ranks, rt_cpu_cores(),
           "bytes");
    for (int t = 0; t < TOPOLOGY_COUNT; t++)
        printf(" %11s", topology_names[t]);
    printf("\n");
    fflush(stdout);
    for (int r = 0; r < ranks; r++)
        if (fork() == 0) {
            bench(r, most);
            _exit(0);
        }
    while (wait(NULL) > 0)
        continue;
    rt_control_clean_up(&control);
    return 0;
}
