/* peak SECONDS COMMAND...: runs it, and prints its exit code, how long it took (s) and how much memory was resident at most
 * (KiB, as getrusage counts). A command that takes longer is killed: 137. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pid_t child;

static void stop(int signal)
{
    (void)signal;
    kill(-child, SIGKILL); /* and what it started */
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fputs("usage: peak SECONDS COMMAND...\n", stderr);
        return 2;
    }
    double begin = now();
    child = fork();
    if (child == 0) {
        setpgid(0, 0);
        execvp(argv[2], argv + 2);
        perror(argv[2]);
        _exit(127);
    }
    setpgid(child, child);
    signal(SIGALRM, stop);
    alarm((unsigned)atoi(argv[1]));
    int status;
    struct rusage used;
    while (wait4(child, &status, 0, &used) < 0)
        if (errno != EINTR)
            return 1;
    printf("%d %.2f %ld\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
           now() - begin, used.ru_maxrss);
    return 0;
}
