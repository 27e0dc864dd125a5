/* The launcher: one process per rank, and one that watches. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "exec/context.h"
#include "exec/report.h"
#include "exec/run.h"

/* How long ranks have to stop by themselves once the run is lost. */
static const int64_t grace_nanoseconds = 2000000000;

typedef struct rt_watch {
    rt_run *run;
    pid_t *pids; /* [ranks]; 0: has ended */
    int running;
    rt_exit outcome;  /* the first failure's */
    int64_t stopping; /* since when; 0: not */
    bool killed;
    int64_t peak_resident;
    sigset_t signals, before;
} rt_watch;

static void stop_all(rt_watch *watch, rt_exit outcome)
{
    if (watch->outcome == RT_EXIT_DONE)
        watch->outcome = outcome;
    if (watch->stopping == 0)
        watch->stopping = rt_nanoseconds();
    rt_board_stop(watch->run->control.board);
}

static void kill_all(rt_watch *watch)
{
    watch->killed = true;
    for (int r = 0; r < watch->run->control.ranks; r++)
        if (watch->pids[r] > 0)
            kill(watch->pids[r], SIGKILL);
}

static const char *phase_text(const rt_record *record)
{
    switch (record->phase) {
    case RT_STARTING:
        return "while starting";
    case RT_EVALUATING:
        return "in the held-out evaluation after step";
    case RT_ENDED:
        return "after its last step,";
    default:
        return "in step";
    }
}

/* "in step 41; its last collective: all_reduce by ring at digits.plan:29, not finished" */
static void describe(const rt_watch *watch, int rank, char *text, size_t bytes)
{
    const rt_record *record = &watch->run->control.records[rank];
    char collective[640], step[32] = "";
    rt_collective_text(watch->run->image, record->collective, collective, sizeof collective);
    if (record->phase != RT_STARTING)
        snprintf(step, sizeof step, " %lld", (long long)record->step);
    snprintf(text, bytes, "%s%s; its last collective: %s%s", phase_text(record), step, collective,
             record->collective < 0 ? ""
             : record->inside       ? ", not finished"
                                    : ", finished");
}

/* A rank that did not come to its own end: killed, crashed, or gone by exit() somewhere in a library. */
static void report_lost(const rt_watch *watch, int rank, int status)
{
    char doing[1024];
    describe(watch, rank, doing, sizeof doing);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE)
        rt_log_error("nobody reads the output any more; stopped %s", doing);
    else if (WIFSIGNALED(status))
        rt_log_error("rank %d was ended by signal %d (%s) %s", rank, WTERMSIG(status),
                     strsignal(WTERMSIG(status)), doing);
    else
        rt_log_error("rank %d ended with status %d %s", rank, WEXITSTATUS(status), doing);
}

static void take_ended(rt_watch *watch, int rank, int status, int64_t peak)
{
    const rt_record *record = &watch->run->control.records[rank];
    watch->pids[rank] = 0;
    watch->running--;
    if (peak > watch->peak_resident)
        watch->peak_resident = peak;
    if (WIFEXITED(status) && WEXITSTATUS(status) == RT_EXIT_DONE && record->phase == RT_ENDED)
        return;
    if (watch->stopping > 0) { /* the cause has been told */
        stop_all(watch, RT_EXIT_LOST);
        return;
    }
    bool worded = WIFEXITED(status) && record->phase == RT_ENDED && record->error.status != RT_OK;
    if (worded)
        rt_log_error("rank %d: %s", rank, record->error.text);
    else
        report_lost(watch, rank, status);
    bool unread = WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE;
    stop_all(watch, worded   ? (rt_exit)WEXITSTATUS(status)
                    : unread ? (rt_exit)(RT_EXIT_SIGNAL + SIGPIPE)
                             : RT_EXIT_LOST);
}

static void reap(rt_watch *watch)
{
    int status;
    struct rusage usage;
    pid_t pid;
    while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0)
        for (int r = 0; r < watch->run->control.ranks; r++)
            if (watch->pids[r] == pid)
                take_ended(watch, r, status, (int64_t)usage.ru_maxrss * 1024);
}

static void take_signal(rt_watch *watch, int signal)
{
    if (signal == SIGCHLD)
        return;
    if (watch->stopping > 0) { /* asked twice */
        kill_all(watch);
        return;
    }
    rt_log_error("stopped by signal %d (%s)", signal, strsignal(signal));
    stop_all(watch, (rt_exit)(RT_EXIT_SIGNAL + signal));
}

static void watch_ranks(rt_watch *watch)
{
    while (watch->running > 0) {
        struct timespec tick = {.tv_sec = watch->stopping > 0 ? 0 : 60, .tv_nsec = 50000000};
        int signal = sigtimedwait(&watch->signals, NULL, &tick);
        if (signal > 0)
            take_signal(watch, signal);
        reap(watch);
        if (watch->stopping > 0 && !watch->killed &&
            rt_nanoseconds() - watch->stopping > grace_nanoseconds)
            kill_all(watch);
    }
}

static void be_rank(rt_watch *watch, int rank, pid_t launcher)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != launcher) /* it died before the call */
        _exit(RT_EXIT_LOST);
    signal(SIGINT, SIG_IGN); /* the launcher has it too, and tells the ranks */
    sigprocmask(SIG_SETMASK, &watch->before, NULL);
    rt_exit outcome = rt_rank_main(watch->run, rank);
    fflush(NULL);
    _exit((int)outcome);
}

static void start_ranks(rt_watch *watch)
{
    pid_t launcher = getpid();
    fflush(NULL); /* what stands in buffers would be written by each rank */
    for (int r = 0; r < watch->run->control.ranks; r++) {
        pid_t pid = fork();
        if (pid == 0)
            be_rank(watch, r, launcher);
        if (pid < 0) {
            rt_log_error("cannot start rank %d: %s", r, strerror(errno));
            stop_all(watch, RT_EXIT_RESOURCES);
            return;
        }
        watch->pids[r] = pid;
        watch->running++;
    }
}

static rt_exit finish(rt_run *run, rt_exit outcome, int64_t peak_resident)
{
    if (outcome != RT_EXIT_DONE || run->image->step_function < 0)
        return outcome;
    rt_error error;
    rt_status status = rt_report_summary(run, peak_resident, &error);
    if (status != RT_OK)
        rt_log_error("%s", error.text);
    return rt_exit_of_status(status);
}

/* One rank needs no watching, and shows itself to a debugger. */
static rt_exit launch_alone(rt_run *run)
{
    rt_exit outcome = rt_rank_main(run, 0);
    if (outcome != RT_EXIT_DONE)
        rt_log_error("%s", run->control.records[0].error.text);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return finish(run, outcome, (int64_t)usage.ru_maxrss * 1024);
}

rt_exit rt_launch(rt_run *run)
{
    if (run->control.ranks == 1)
        return launch_alone(run);
    rt_watch watch = {.run = run};
    watch.pids = calloc((size_t)run->control.ranks, sizeof *watch.pids);
    if (!watch.pids) {
        rt_log_error("out of memory for %d ranks", run->control.ranks);
        return RT_EXIT_RESOURCES;
    }
    sigemptyset(&watch.signals);
    sigaddset(&watch.signals, SIGCHLD);
    sigaddset(&watch.signals, SIGINT);
    sigaddset(&watch.signals, SIGTERM);
    sigaddset(&watch.signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &watch.signals, &watch.before);
    start_ranks(&watch);
    watch_ranks(&watch);
    sigprocmask(SIG_SETMASK, &watch.before, NULL);
    free(watch.pids);
    return finish(run, watch.outcome, watch.peak_resident);
}
